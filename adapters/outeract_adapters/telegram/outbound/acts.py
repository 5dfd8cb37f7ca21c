"""Flows upon what exists: edits, deletion, reactions, typing, answers to presses, downloads, profiles.

Knows: the methods, and which of their refusals say "it already is so".
Does not know: retries, HTTP, why the host wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outeract_core.adapter import Download, Flow, MessageRef, Outgoing, Profile, Recipient
from outeract_core.errors import Rejected, Unsupported
from outeract_core.events import FileRef

from ..api import Answer, Api
from ..emoji import reaction
from ..errors import ask, refusal
from ..fields import Object, Place, address, number, obj, split_id, text
from . import aside
from .compose import Words, words
from .keyboards import inline

__all__ = ["answer", "delete", "edit", "fetch", "profile", "react", "typing"]

_SAME = ("message is not modified",)
_DELETED = ("message to delete not found", "message_id_invalid")
_TOO_LATE = ("query is too old", "query id is invalid", "query_id_invalid")
_MARKUP = ("can't parse",)
_CAPTIONED = frozenset({"image", "video", "audio", "voice", "document"})
_PATIENCE = 10.0


# ── edits ─────────────────────────────────────────────────────────────────────────────────────


def edit(api: Api, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
    """Replace text or caption, and the buttons. What is the same already counts as done.

    The method follows the message: core says where its words stand, else that is known from what was
    sent, or from Telegram's refusal.
    """
    said = words(outgoing)
    if len(said) > 1:
        raise Rejected("the new text with its header and footer needs more than one message")
    order = _slots(message) if said else ["reply_markup"]
    told = yield from _edited(api, message, outgoing, said[0] if said else Words(), order)
    if not told.ok and not (told.code == 400 and told.says(*_SAME)):
        raise refusal(told, repeatable=True)


def _slots(message: MessageRef) -> list[str]:
    """Where the words may stand, the likeliest place first."""
    if message.slot is not None:
        return [message.slot]
    captioned = message.payload.get("type") in _CAPTIONED
    return ["caption", "text"] if captioned else ["text", "caption"]


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
    if place.topic is not None:
        raise Unsupported(
            "in a channel's direct messages Telegram shows nobody that a bot is writing"
        )
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


# ── profiles ──────────────────────────────────────────────────────────────────────────────────


def profile(api: Api, of: Recipient) -> Flow[Profile]:
    """What Telegram shows of a chat. Its picture is a file: the address of one holds the bot's token.

    `getChat` knows whom the bot has a chat with; of other members of a group it has the pictures only,
    and their names stand in what they write.
    """
    place = address(of.address)
    if place.topic is not None:
        return Profile(None)
    who = place.chat if place.user is None else place.user
    told = yield from api.reach(
        api.call("getChat", {"chat_id": who}, timeout=_PATIENCE), repeatable=True
    )
    if told.ok:
        chat: Object = told.result if isinstance(told.result, dict) else {}
        return _profile(_shown(chat), obj(chat, "photo"), "big_file_id", "big_file_unique_id")
    if not (isinstance(who, int) and who > 0 and told.code == 400 and told.says("chat not found")):
        raise refusal(told, repeatable=True, scope="connection")
    asked = {"user_id": who, "limit": 1}
    found = yield from ask(
        api, api.call("getUserProfilePhotos", asked, timeout=_PATIENCE), repeatable=True,
        scope="connection",
    )  # fmt: skip
    return _profile(None, _largest(found), "file_id", "file_unique_id")


def _shown(chat: Object) -> str | None:
    names = [text(chat, "first_name"), text(chat, "last_name")]
    whole = " ".join(one for one in names if one)
    return text(chat, "title") or whole or text(chat, "username")


def _profile(name: str | None, photo: Object, id: str, version: str) -> Profile:
    file_id = text(photo, id)
    if file_id is None:
        return Profile(name)
    picture = FileRef({"file_id": file_id}, "photo.jpg", "image/jpeg")
    return Profile(name, picture=picture, version=text(photo, version))


def _largest(found: Any) -> Object:
    """The last of its sizes, of the newest photo."""
    photos = found.get("photos") if isinstance(found, dict) else None
    sizes = photos[0] if isinstance(photos, list) and photos else None
    last = sizes[-1] if isinstance(sizes, list) and sizes else None
    return last if isinstance(last, dict) else {}
