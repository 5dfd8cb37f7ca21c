"""Updates that are neither messages nor reactions as facts: presses, votes, members, payments.

Knows: what of each kind has a meaning of its own; all the rest is a notice.
Does not know: how an update is opened (`parse.py`), messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party

from ..fields import Object, digest, external_id, number, obj, text
from .item import aside, named, thread_of
from .people import chat_of, person
from .scope import PLATFORM, Scope

__all__ = ["on_callback", "on_deleted", "on_inline", "on_member", "on_other", "on_vote"]


def on_callback(scope: Scope, item: Object) -> Iterable[Fact]:
    """A press on a button below a message. Raises ParseError.

    `id` is the button's own; `external_message_id` is the press's, which `answer` needs. The message
    may be gone (`date` 0), or an inline query's, of which only the `inline_message_id` is known.
    """
    query, who = text(item, "id"), person(obj(item, "from"))
    data, game = text(item, "data"), text(item, "game_short_name")
    chosen = data or game
    if query is None or who is None or chosen is None:
        raise ParseError("a callback_query without id, from, or anything that was pressed")
    message = obj(item, "message")
    target = _message(message)
    sender, chat = _parties(message, who)
    told = {
        "platform": PLATFORM, "type": "button" if data else "game", "id": chosen,
        "title": _title(message, data), "callback_query_id": query,
        "username": text(item, "from", "username"),
        "inline_message_id": text(item, "inline_message_id"), "external_message_id": query,
        "target_message_id": target,
    }  # fmt: skip
    return [
        Fact(
            kind="message.action",
            key=query,
            payload={name: value for name, value in told.items() if value is not None},
            raw=scope.raw,
            occurred_at=scope.at,
            sender=sender,
            chat=chat,
            thread=thread_of(message),
            target=target,
        )
    ]


def _message(message: Object) -> str | None:
    return named(message, text(message, "business_connection_id"))


def _parties(message: Object, who: Party) -> tuple[Party, Party | None]:
    """Who has pressed, and the group or channel.

    In the chat of a business account its customer is the other party of that chat, as in messages; there
    its owner may press too.
    """
    chat, business = obj(message, "chat"), text(message, "business_connection_id")
    known = number(chat, "id")
    if known is None:
        return who, None
    party = aside(chat_of(chat, business), message)
    direct = party.kind == "person" and str(known) == who.external_id
    return (party, None) if direct else (who, party)


def _title(message: Object, data: str | None) -> str | None:
    """The label of the button with this data, as the keyboard below the message has it."""
    rows = obj(message, "reply_markup").get("inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if data is not None and text(button, "callback_data") == data:
                return text(button, "text")
    return None


# ── chosen ────────────────────────────────────────────────────────────────────────────────────


def on_vote(scope: Scope, item: Object) -> Iterable[Fact]:
    """Somebody voted in a poll, changed the vote or took it back (no options). Raises ParseError."""
    poll, voter = text(item, "poll_id"), obj(item, "voter_chat")
    who = chat_of(voter) if number(voter, "id") is not None else person(obj(item, "user"))
    if poll is None or who is None:
        raise ParseError("a poll_answer without poll_id or voter")
    return [_choice(scope, item, who, "poll", poll, values=item.get("option_ids"))]


def on_inline(scope: Scope, item: Object) -> Iterable[Fact]:
    """Somebody picked a result of an inline query. Raises ParseError."""
    result, who = text(item, "result_id"), person(obj(item, "from"))
    if result is None or who is None:
        raise ParseError("a chosen_inline_result without result_id or from")
    told = {
        "query": text(item, "query"),
        "inline_message_id": text(item, "inline_message_id"),
    }
    return [_choice(scope, item, who, "inline_result", result, **told)]


def _choice(scope: Scope, item: Object, who: Party, type: str, id: str, **more: Any) -> Fact:
    key = scope.key(type, id, who.external_id, digest(item))
    told = {
        "platform": PLATFORM, "type": type, "id": id, **more, "external_message_id": key,
    }  # fmt: skip
    return Fact(
        kind="message.action",
        key=key,
        payload={name: value for name, value in told.items() if value is not None},
        raw=scope.raw,
        occurred_at=scope.at,
        sender=who,
    )


# ── members, deletions, all the rest ──────────────────────────────────────────────────────────


def on_member(scope: Scope, what: str, item: Object) -> Iterable[Fact]:
    """Somebody's place in a chat has changed: ours (`my_chat_member`) or another's.

    In a private chat `status` tells whether the person has blocked us (`kicked`).
    """
    member = obj(item, "new_chat_member") or obj(item, "old_chat_member")
    who = person(obj(member, "user"))
    status = text(item, "new_chat_member", "status")
    private = text(item, "chat", "type") == "private"
    return [
        scope.notice(
            what, item, status=status, previous=text(item, "old_chat_member", "status"),
            member=who and {"id": who.external_id, "name": who.name},
            blocked=status == "kicked" if private and what == "my_chat_member" else None,
        )
    ]  # fmt: skip


def on_deleted(scope: Scope, item: Object) -> Iterable[Fact]:
    """Messages of a business account's chat are gone: one fact for each. Raises ParseError.

    It is the only deletion that Telegram tells bots of, and it does not say by whom.
    """
    business, chat = text(item, "business_connection_id"), obj(item, "chat")
    ids = item.get("message_ids")
    if business is None or not isinstance(ids, list) or not ids:
        raise ParseError("deleted_business_messages without connection or message_ids")
    party = chat_of(chat, business)
    found = []
    for known in dict.fromkeys(one for one in ids if type(one) is int):
        target = external_id(known, int(chat["id"]), business)
        found.append(
            Fact(
                kind="message.deleted",
                key=f"{target}:deleted",
                payload={"platform": PLATFORM, "external_message_id": target},
                raw=scope.raw,
                occurred_at=scope.at,
                chat=party,
                target=target,
            )
        )
    return found or [scope.notice("deleted_business_messages", item)]


def on_other(scope: Scope, what: str, item: Any) -> Iterable[Fact]:
    """Any other update, known or of a later version of the API: a notice with what it says."""
    query = item if isinstance(item, dict) else {}
    told = {
        "text": text(query, "text") or text(query, "query") or text(query, "bio"),
        "query_id": text(query, "id") or text(query, "guest_query_id"),
        "content": item,
    }
    return [scope.notice(what, item, **told)]
