"""What the WhatsApp tests send and what the Cloud API answers.

Knows: one person, one group, one file of each kind, Meta's good and bad answers.
Does not know: what is tested with them.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from outeract_core.adapter import Call, Flow, MessageRef, Outgoing, OutgoingFile, Recipient, Reply
from outeract_core.testing import drive, reply
from tests.support.whatsapp.samples import whatsapp

EVENT = UUID("0199b0c0-de00-7000-8000-000000000001")
TOKEN = f"{EVENT.hex}.0"
BSUID = "DE.1122334455667788"
ADA = Recipient("+491700000001", "+491700000001", aliases={"bsuid": BSUID})
NAMELESS = Recipient(BSUID, BSUID, aliases={"bsuid": BSUID})
GROUP = Recipient("Y2FwaV9ncm91cDox", "Y2FwaV9ncm91cDox", "group")
REF = MessageRef("wamid.IN001", ADA)

MIMES = {
    "image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "voice": "audio/ogg",
    "document": "application/pdf", "sticker": "image/webp",
}  # fmt: skip


def out(text: str = "hello", to: Recipient = ADA, **more: Any) -> Outgoing:
    """One part, as core would hand it over."""
    return Outgoing(TOKEN, EVENT.hex, 0, 1, to, text, text, **more)


def file(kind: str, mime: str = "", size: int = 4) -> OutgoingFile:
    """A file of this kind."""
    mime = mime or MIMES[kind]
    return OutgoingFile(f"file.{mime.rpartition('/')[2]}", mime, kind, size, data=b"data")


def accepted(wamid: str = "wamid.OUT100", wa_id: str = "491700000001") -> Reply:
    """The Cloud API's answer to a message."""
    contact = {"input": "+491700000001", "wa_id": wa_id}
    answer = {"contacts": [contact], "messages": [{"id": wamid, "message_status": "accepted"}]}
    return reply({"messaging_product": "whatsapp", **answer})


def no(code: Any, status: int = 400, headers: Any = None, **more: Any) -> Reply:
    """The Graph API says no."""
    error = {"message": f"(#{code}) Something", "type": "OAuthException", "code": code, **more}
    return reply({"error": error}, status, headers)


def answers(call: Call) -> Reply:
    """The Cloud API when all goes well."""
    return reply({"id": "7100"}) if call.url.endswith("/media") else accepted()


def posted(outgoing: Outgoing) -> list[Any]:
    """The bodies of all messages that a part becomes."""
    _, calls = drive(whatsapp().send(outgoing), answers)
    return [call.json for call in calls if call.url.endswith("/messages")]


def act(flow: Flow[Any], *replies: Reply) -> list[Call]:
    """The calls of a flow that is answered with `replies`."""
    return drive(flow, replies)[1]
