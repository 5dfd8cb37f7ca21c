"""Ephemeral messages out: said in a group to one person, and to nobody else whatever happens.

Knows: which parameters make a message ephemeral, what one may answer to, the methods that change one.
Does not know: words and files (`compose.py`), what a refusal means.

Bot API 10.2 and 10.3, "Ephemeral messages and commands": an answer is allowed within 15 seconds of a
command or of a press; a bot that is an admin may write to any member at any time. 10.3 wants
`ephemeral_message_parameters`, 10.2 the same as plain parameters; a server that knows neither would
show the message to everybody, so what came of it is looked at.
"""

from __future__ import annotations

from outeract_core.adapter import Flow, Outgoing
from outeract_core.errors import Rejected, SendError

from ..api import Api
from ..errors import ask
from ..fields import Object, Place, number, split_id

__all__ = ["around", "guarded", "invited", "of"]

_METHODS = {
    "deleteMessage": "deleteEphemeralMessage",
    "editMessageText": "editEphemeralMessageText",
    "editMessageCaption": "editEphemeralMessageCaption",
    "editMessageReplyMarkup": "editEphemeralMessageReplyMarkup",
}


def around(place: Place, outgoing: Outgoing) -> Object:
    """The parameters that keep a message between the bot and `place.user`; none for other places."""
    if place.user is None:
        return {}
    told: Object = {"receiver_user_id": place.user}
    press = outgoing.answers
    if press is not None and ":" not in press:
        told["callback_query_id"] = press
    return {**told, "ephemeral_message_parameters": dict(told)}


def invited(place: Place, outgoing: Outgoing) -> Object | None:
    """`reply_parameters` of an answer: the message that allows it. Raises Rejected.

    A reply to an ephemeral message would show to everybody what one person was told.
    """
    for name in (outgoing.reply_to, outgoing.answers):
        known = _ephemeral(name)
        if known is not None and (known[1].chat, known[1].user) == (place.chat, place.user):
            return {"ephemeral_message_id": known[0]}
    if _ephemeral(outgoing.reply_to) is not None and place.user is None and _public(place):
        raise Rejected(
            "a reply to an ephemeral message must be ephemeral too; answer the message, or send to "
            "its conversation, '<chat_id>:~<user_id>'"
        )
    return None


def _public(place: Place) -> bool:
    return isinstance(place.chat, str) or place.chat < 0


def _ephemeral(name: str | None) -> tuple[int, Place] | None:
    try:
        known = split_id(name or "")
    except Rejected:
        return None
    return known if known[1].user is not None else None


def guarded(api: Api, place: Place, found: list[Object]) -> Flow[None]:
    """Whether it stayed between the two; what did not is deleted. Raises Rejected."""
    shown = [number(one, "message_id") for one in found if not number(one, "ephemeral_message_id")]
    if place.user is None or not shown:
        return
    told = "it was deleted at once"
    for known in shown:
        call = api.call("deleteMessage", {"chat_id": place.chat, "message_id": known})
        try:
            yield from ask(api, call, repeatable=True)
        except SendError as error:
            told = f"deleting it failed: {error.reason}"
    raise Rejected(
        f"this Bot API server is older than 10.2 and has shown the message to all; {told}"
    )


def of(method: str, place: Place, known: int) -> tuple[str, Object]:
    """The method, and the parameters that say which message. Raises Rejected for what is not to be had."""
    if place.user is None:
        told: Object = {"chat_id": place.chat, "message_id": known}
        if place.business is not None:
            told["business_connection_id"] = place.business
        return method, told
    if method not in _METHODS:
        raise Rejected(f"Telegram has no {method} for an ephemeral message")
    told = {
        "chat_id": place.chat, "receiver_user_id": place.user, "ephemeral_message_id": known,
    }  # fmt: skip
    return _METHODS[method], told
