"""Flows upon what exists: edits, deletion, reactions, typing, answers to presses, downloads, health.

Knows: the methods, and which of their refusals say "it already is so".
Does not know: retries, HTTP, why the host wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from outeract_core.adapter import Download, Flow, Health, MessageRef, Outgoing, Recipient
from outeract_core.errors import Rejected, Unauthorised, Unsupported

from ..api import Answer, Api
from ..emoji import reaction
from ..errors import ask, refusal
from ..fields import Object, Place, address, number, split_id, text
from . import aside
from .compose import Words, words
from .keyboards import inline

__all__ = ["answer", "check", "delete", "edit", "fetch", "react", "typing"]

_SAME = ("message is not modified",)
_DELETED = ("message to delete not found", "message_id_invalid")
_TOO_LATE = ("query is too old", "query id is invalid", "query_id_invalid")
_MARKUP = ("can't parse",)
_CAPTIONED = frozenset({"image", "video", "audio", "voice", "document"})
_WANTED = ("message_reaction", "callback_query", "my_chat_member")


# ── edits ─────────────────────────────────────────────────────────────────────────────────────


def edit(api: Api, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
    """Replace text or caption, and the buttons. What is the same already counts as done.

    Whether it has a caption is known from what was sent, else from Telegram's refusal.
    """
    said = words(outgoing)
    if len(said) > 1:
        raise Rejected("the new text with its header and footer needs more than one message")
    order = ["text", "caption"]
    if message.payload.get("type") in _CAPTIONED:
        order.reverse()
    if not said:
        order = ["reply_markup"]
    told = yield from _edited(api, message, outgoing, said[0] if said else Words(), order)
    if not told.ok and not (told.code == 400 and told.says(*_SAME)):
        raise refusal(told, repeatable=True)


def _edited(
    api: Api, message: MessageRef, outgoing: Outgoing, said: Words, order: list[str]
) -> Flow[Answer]:
    methods = {
        "text": "editMessageText", "caption": "editMessageCaption",
        "reply_markup": "editMessageReplyMarkup",
    }  # fmt: skip
    known, place = _which(message)
    keyboard = inline(outgoing)
    for slot in order:
        method, around = aside.of(methods[slot], place, known)
        around |= {} if keyboard is None else {"reply_markup": keyboard}
        for marked in (True, False):
            body = {} if slot == "reply_markup" else {slot: said.html if marked else said.plain}
            body |= {"parse_mode": "HTML"} if marked and body else {}
            call = api.call(method, {**around, **body})
            told = yield from api.reach(call, repeatable=True)
            if not (told.code == 400 and told.says(*_MARKUP)):
                break
        if not told.says("there is no text in the message", "there is no caption in the message"):
            break
    return told


def _which(message: MessageRef) -> tuple[int, Place]:
    """Which message is meant: of a press, the one that carried the button. Raises Rejected."""
    target = text(dict(message.payload), "target_message_id")
    pressed = target is not None and ":" not in message.external_id
    return split_id(target if target is not None and pressed else message.external_id)


# ── deletion, reactions, typing, answers ──────────────────────────────────────────────────────


def delete(api: Api, message: MessageRef) -> Flow[None]:
    """Delete a message; Telegram allows it for 48 hours, in private chats and of one's own."""
    known, place = _which(message)
    call = api.call(*aside.of("deleteMessage", place, known))
    if place.business is not None:
        body = {"business_connection_id": place.business, "message_ids": [known]}
        call = api.call("deleteBusinessMessages", body)
    yield from ask(api, call, repeatable=True, done=_DELETED)


def react(api: Api, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
    """Set the bot's one reaction, or take it back. Raises Rejected for what no bot can set."""
    known, place = _which(message)
    chosen = [] if remove else [reaction(emoji)]
    method, which = aside.of("setMessageReaction", Place(place.chat, None, place.user), known)
    yield from ask(api, api.call(method, {**which, "reaction": chosen}), repeatable=True)


def typing(api: Api, to: Recipient, message: MessageRef | None) -> Flow[None]:
    """Show "typing…" for 5 seconds at most, in the topic of `message` if it has one."""
    place = address(to.address)
    if place.user is not None:
        raise Unsupported("in a group Telegram shows to everybody that a bot is writing")
    body: Object = {"chat_id": place.chat, "action": "typing"}
    if place.business is not None:
        body["business_connection_id"] = place.business
    topic = number(message.payload.get("message"), "message_thread_id") if message else None
    if topic is not None and topic > 1:
        body["message_thread_id"] = topic
    yield from ask(api, api.call("sendChatAction", body), repeatable=True)


def answer(api: Api, action: Mapping[str, Any]) -> Flow[None]:
    """Stop the spinning of a pressed button. Votes and the like need no answer; late ones are none."""
    query = text(dict(action), "callback_query_id")
    if query is None:
        return
    call = api.call("answerCallbackQuery", {"callback_query_id": query})
    yield from ask(api, call, repeatable=True, done=_TOO_LATE)


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def fetch(api: Api, handle: Mapping[str, Any]) -> Flow[Download]:
    """Where the bytes are, for an hour at least. Bot API, getFile: files of up to 20 MB."""
    call = api.call("getFile", {"file_id": str(handle.get("file_id", ""))})
    told = yield from ask(api, call, repeatable=True, scope="connection")
    path = text(told, "file_path")
    if path is None:
        raise Rejected("Telegram gave no address for this file; bots can fetch up to 20 MB")
    return Download(api.download(path))


# ── health ────────────────────────────────────────────────────────────────────────────────────


def check(api: Api) -> Flow[Health]:
    """Whether the token works, whose it is, and how updates come."""
    try:
        me = yield from ask(api, api.call("getMe", {}), repeatable=True, scope="connection")
    except Unauthorised as error:
        return Health(ok=False, remarks=(error.reason,))
    call = api.call("getWebhookInfo", {})
    hook = yield from ask(api, call, repeatable=True, scope="connection")
    known, name = number(me, "id"), text(me, "username")
    remarks = (*_strangers(api, known, name), *_privacy(me), *_hooked(api, hook))
    return Health(
        True, None if known is None else str(known), f"@{name}" if name else None, remarks
    )


def _strangers(api: Api, known: int | None, name: str | None) -> list[str]:
    """What was given to `connect` and is not the token's own."""
    real = {"bot_id": None if known is None else str(known), "username": name}
    found = []
    for config, value in real.items():
        given = str(api.settings.get(config) or "").lstrip("@")
        if given and value and given.lower() != value.lower():
            found.append(f"{config} is {given}, but the token belongs to {value}")
    return found


def _privacy(me: Any) -> list[str]:
    if isinstance(me, dict) and me.get("can_read_all_group_messages") is False:
        return ["in groups the bot sees only commands, replies and what it needs (privacy mode)"]
    return []


def _hooked(api: Api, hook: Any) -> list[str]:
    """How updates come. Only the host of a webhook is told: its path holds a secret."""
    told: Object = hook if isinstance(hook, dict) else {}
    url, error = text(told, "url"), text(told, "last_error_message")
    if url is None:
        return ["no webhook is set: updates come by polling, or not at all"]
    try:
        remarks = [f"updates go to {urlsplit(url).hostname}; polling is refused meanwhile"]
    except ValueError:
        remarks = ["updates go to a URL that is none"]
    if not api.settings.get("webhook_secret_token"):
        remarks.append("no webhook_secret_token is given: every update is refused")
    if error is not None:
        remarks.append(f"the last delivery failed: {error}")
    waiting = number(told, "pending_update_count")
    if waiting:
        remarks.append(f"{waiting} updates wait to be delivered")
    allowed = told.get("allowed_updates")
    listed = allowed if isinstance(allowed, list) else None
    missing = [one for one in _WANTED if listed is not None and one not in listed]
    if listed is None:
        missing = ["message_reaction"]
    return remarks + ([f"allowed_updates leaves out {', '.join(missing)}"] if missing else [])
