"""`messages[]` and `message_echoes[]` as facts: said, tapped, reacted, edited, revoked.

Knows: which message types are messages and which are something that happened to one; context.
Does not know: what a message's body holds (`content.py`), statuses, envelopes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party, message

from ..meta import Object, obj, text
from .content import Said, read
from .identity import on_system
from .people import BOT, group, person
from .scope import PLATFORM, Scope, fault

__all__ = ["on_echo", "on_message"]


@frozen
class Item:
    """A message with what its surroundings say of it."""

    id: str
    body: Object
    scope: Scope
    raw: Any
    sender: Party | None
    chat: Party | None
    echo: bool = False
    username: str | None = None

    def fact(self, kind: str, payload: dict[str, Any], **more: Any) -> Fact:
        """A fact about this item; its own id is the key."""
        return Fact(
            kind=kind,
            key=self.id,
            payload=payload,
            raw=self.raw,
            occurred_at=self.scope.at(self.body),
            sender=self.sender,
            chat=self.chat,
            echo=self.echo,
            account=self.scope.account,
            **more,
        )


def on_message(scope: Scope, item: Any) -> Iterable[Fact]:
    """The fact of an element of `messages[]`. Raises ParseError."""
    body, wamid = _known(item)
    number, user_id = body.get("from"), body.get("from_user_id")
    contact = scope.contacts.describing(number, user_id)
    if body.get("type") == "system":
        return [on_system(scope, body, wamid, contact)]
    raw = scope.raw("messages", body, contact)
    sender = person(number, user_id, body.get("from_parent_user_id"), contact)
    chat = group(body.get("group_id"))
    if sender is None and chat is None:
        raise ParseError("a message that names nobody: no from, no from_user_id, no group_id")
    username = text(contact, "profile", "username")
    return [_read(Item(wamid, body, scope, raw, sender, chat, username=username))]


def on_echo(scope: Scope, item: Any) -> Iterable[Fact]:
    """The fact of an element of `message_echoes[]`: said by the business in its phone app.

    `from` is our own number and `to` the other party. Raises ParseError.
    """
    body, wamid = _known(item)
    number, user_id = body.get("to"), body.get("to_user_id")
    contact = scope.contacts.describing(number, user_id)
    to = group(body.get("group_id"))
    to = to or person(number, user_id, body.get("to_parent_user_id"), contact)
    if to is None:
        raise ParseError("an echo that names nobody: no to, no to_user_id, no group_id")
    raw = scope.raw("message_echoes", body, contact)
    return [_read(Item(wamid, body, scope, raw, BOT, to, echo=True))]


def _known(item: Any) -> tuple[Object, str]:
    wamid = text(item, "id")
    if not isinstance(item, dict) or wamid is None:
        raise ParseError("a message without an id")
    return item, wamid


def _read(item: Item) -> Fact:
    kind = item.body.get("type")
    reader = _HAPPENED.get(kind) if isinstance(kind, str) else None
    return _said(item) if reader is None else reader(item)


# ── said ──────────────────────────────────────────────────────────────────────────────────────


def _said(item: Item) -> Fact:
    said, context = read(item.body), obj(item.body, "context")
    return item.fact(
        "message.inbound",
        _payload(item, said, item.body, item.id),
        reply_to=text(context, "id"),
        files=said.files,
    )


def _payload(item: Item, said: Said, body: Object, id: str) -> dict[str, Any]:
    context, errors = obj(body, "context"), body.get("errors")
    often = context.get("frequently_forwarded") is True
    payload = message(
        PLATFORM,
        id,
        said.type,
        said.text,
        **said.more,
        forwarded=True if often or context.get("forwarded") is True else None,
        frequently_forwarded=True if often else None,
        product=obj(context, "referred_product") or None,
        referral=obj(body, "referral") or None,
        username=item.username,
        unsupported=text(body, "unsupported", "type"),
        errors=errors if isinstance(errors, list) and errors else None,
        error=fault(errors)[1],
    )
    if item.echo:
        payload["message"]["role"] = "assistant"
    return payload


# ── happened ──────────────────────────────────────────────────────────────────────────────────


def _reaction(item: Item) -> Fact:
    """A reaction; without an emoji (missing or empty) it was taken back.

    Cloud API, reaction messages: a person has one reaction to a message, a new one replaces it.
    """
    reaction = obj(item.body, "reaction")
    target = _target(reaction, "message_id")
    emoji = text(reaction, "emoji")
    payload = {
        "platform": PLATFORM,
        "external_message_id": target,
        "emoji": emoji or "",
        "single": True,
    }
    kind = "message.reaction_removed" if emoji is None else "message.reaction_added"
    return item.fact(kind, payload, target=target)


def _edited(item: Item) -> Fact:
    """A new text or caption; the outer id is new, the message keeps its old one."""
    edit = obj(item.body, "edit")
    target = _target(edit, "original_message_id")
    inner = obj(edit, "message")
    said = read(inner)
    payload = _payload(item, said, inner, target)
    return item.fact("message.edited", payload, target=target, files=said.files)


def _revoked(item: Item) -> Fact:
    target = _target(obj(item.body, "revoke"), "original_message_id")
    payload = {"platform": PLATFORM, "external_message_id": target}
    return item.fact("message.deleted", payload, target=target)


def _target(about: Object, member: str) -> str:
    target = text(about, member)
    if target is None:
        raise ParseError(f"no {member}: which message is this about?")
    return target


def _button(item: Item) -> Fact:
    """A tap on a template's quick reply; `context` may be absent."""
    button = obj(item.body, "button")
    if not button:
        raise ParseError("a button message without a button")
    return _tapped(item, "button", text(button, "payload"), text(button, "text"))


def _interactive(item: Item) -> Fact:
    """A tap on a button or a row, or a flow that was filled in."""
    what = obj(item.body, "interactive")
    kind = text(what, "type")
    reply = obj(what, kind) if kind else {}
    if kind == "button_reply" and reply:
        return _tapped(item, "button", text(reply, "id"), text(reply, "title"))
    if kind == "list_reply" and reply:
        more = {"description": text(reply, "description")}
        return _tapped(item, "list", text(reply, "id"), text(reply, "title"), **more)
    if kind == "nfm_reply" and reply:
        return _filled(item, reply)
    if kind and reply and kind.endswith("_reply"):
        chosen = text(reply, "id") or text(reply, "response")
        name = kind.removesuffix("_reply")
        return _tapped(item, name, chosen, text(reply, "title"), values=dict(reply))
    return _said(item)


def _opened(item: Item) -> Fact:
    """Somebody has opened the conversation for the first time, and has said nothing yet."""
    return _tapped(item, "opened", "request_welcome", None)


def _filled(item: Item, reply: Object) -> Fact:
    """A flow's answers: `response_json` is JSON inside a string."""
    answers = text(reply, "response_json")
    try:
        values = json.loads(answers or "null")
    except (ValueError, RecursionError):
        values = answers
    name = text(reply, "name")
    return _tapped(item, "form", name, text(reply, "body"), values=values)


def _tapped(item: Item, type: str, id: str | None, title: str | None, **more: Any) -> Fact:
    """An action. It is a message of its own too, with an id to mark as read or to answer to."""
    target = text(item.body, "context", "id")
    told = {
        "platform": PLATFORM, "type": type, "id": id or title or "", "title": title, **more,
        "external_message_id": item.id, "target_message_id": target,
    }  # fmt: skip
    payload = {name: value for name, value in told.items() if value is not None}
    return item.fact("message.action", payload, target=target)


_HAPPENED: dict[str, Callable[[Item], Fact]] = {
    "reaction": _reaction,
    "edit": _edited,
    "revoke": _revoked,
    "button": _button,
    "interactive": _interactive,
    "request_welcome": _opened,
}
