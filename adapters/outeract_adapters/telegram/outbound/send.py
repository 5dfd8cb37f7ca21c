"""The flow that says something new: each call, and what is tried when Telegram refuses it.

Knows: which refusals have a second way, receipts, groups that moved.
Does not know: parameters (`compose.py`), what other refusals mean (`errors.py`), retries, HTTP.

There is no idempotency key and no way to look a message up: a lost answer stays Ambiguous.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from outeract_core.adapter import Flow, Outgoing, Sent
from outeract_core.errors import Ambiguous, Rejected, SendError

from ..api import Answer, Api
from ..errors import refusal
from ..fields import Object, Place, address, ephemeral_id, external_id, number
from . import aside
from .compose import Step, steps

__all__ = ["send"]

_MARKUP = ("can't parse", "unsupported parse_mode", "can't find end of the entity")
_GONE = ("message to be replied not found", "replied message not found", "reply message not found")
_PICTURE = (
    "photo_invalid_dimensions",
    "image_process_failed",
    "photo_ext_invalid",
    "photo_save_file_invalid",
    "too big for a photo",
)
_TRIES = 5


def send(api: Api, outgoing: Outgoing) -> Flow[Sent]:
    """Say it. Raises a SendError."""
    place, found = address(outgoing.to.address), list[Object]()
    for step in steps(outgoing):
        try:
            messages, place = yield from _say(api, step, place)
            yield from aside.guarded(api, place, messages)
        except SendError as error:
            if not found:
                raise
            raise _halved(error) from error
        found += messages
    return _receipt(outgoing, place, found)


def _say(api: Api, step: Step, place: Place) -> Flow[tuple[list[Object], Place]]:
    """One call, in other words if need be; the messages that came of it, and where they are."""
    for _ in range(_TRIES):
        call = api.call(step.method, {**_to(place), **step.body}, step.files)
        answer = yield from api.reach(call, repeatable=False)
        if answer.ok:
            return _messages(answer.result), place
        if answer.moved_to is not None and place.chat != answer.moved_to:
            place = evolve(place, chat=answer.moved_to)
            step = step.without("reply_parameters", "message_thread_id")
            continue
        other = _mended(step, answer)
        if other is None:
            break
        step = other
    raise refusal(answer, repeatable=False)


def _to(place: Place) -> Object:
    told: Object = {"chat_id": place.chat}
    if place.topic is not None:
        told["direct_messages_topic_id"] = place.topic
    return told if place.business is None else {**told, "business_connection_id": place.business}


def _mended(step: Step, answer: Answer) -> Step | None:
    """The same in a way that Telegram may take, or None. A refusal with 400 has done nothing.

    What may be an ephemeral answer no more (after 15 seconds), an admin may still say to the person.
    """
    if answer.code != 400:
        return None
    if step.words and step.slot and step.marked and answer.says(*_MARKUP):
        return evolve(step, marked=False)
    late = "ephemeral_message_parameters" in step.params and "ephemeral_message_id" in step.replying
    if "reply_parameters" in step.params and (late or answer.says(*_GONE)):
        return step.without("reply_parameters")
    pictures = any(one.field == "photo" for one in step.shown)
    if pictures and answer.says(*_PICTURE):
        return step.as_documents
    return None


def _halved(error: SendError) -> SendError:
    """After a first half has gone, another attempt would say it twice."""
    kind = Rejected if isinstance(error, Rejected) else Ambiguous
    reason = f"the first of several messages was sent, another not: {error.reason}"
    return kind(reason, code=error.code)


# ── receipts ──────────────────────────────────────────────────────────────────────────────────


def _messages(result: Any) -> list[Object]:
    """The messages in an answer. Raises Ambiguous when it holds none."""
    found = result if isinstance(result, list) else [result]
    known = [one for one in found if number(one, "message_id") is not None]
    if not known or any((number(one, "message_id") or 0) < 0 for one in known):
        raise Ambiguous("Telegram accepted the message without telling its message_id")
    return known


def _receipt(outgoing: Outgoing, place: Place, found: list[Object]) -> Sent:
    """Bot API, Message: a `message_id` of 0 is that of a message that is still to be posted, or of an
    ephemeral one, which has a number of its own.
    """
    names = [_name(one, place) for one in found]
    ids = tuple(name for name in names if name is not None)
    chat = number(found[-1], "chat", "id")
    asked = address(outgoing.to.address)
    now = place.chat if isinstance(place.chat, int) else chat
    moved = str(now) if now is not None and now != asked.chat else None
    raw = {
        "messages": [
            {"message_id": number(one, "message_id"), "date": number(one, "date")} for one in found
        ]
    }
    return Sent(ids[0] if ids else None, ids[1:], moved, raw)


def _name(message: Object, place: Place) -> str | None:
    known, chat = number(message, "message_id"), number(message, "chat", "id")
    shown, at = number(message, "ephemeral_message_id"), number(message, "date")
    if place.user is not None and isinstance(place.chat, int) and shown and at:
        return ephemeral_id(shown, at, place.chat, place.user)
    where = chat if chat is not None else place.chat
    if not known or isinstance(where, str):
        return None
    return external_id(known, where, place.business)
