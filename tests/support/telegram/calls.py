"""What the Telegram tests send and what the Bot API answers.

Knows: one person, one group, one channel, one file of each kind, good and bad answers.
Does not know: what is tested with them.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from outeract_core.adapter import Call, Flow, MessageRef, Outgoing, OutgoingFile, Recipient, Reply
from outeract_core.testing import drive, reply
from outeract_core.text import Document, plain
from tests.support.telegram.samples import telegram
from tests.support.telegram.schema import call_faults

EVENT = UUID("0199b0c0-de00-7000-8000-000000000001")
TOKEN = f"{EVENT.hex}.0"
ADA = Recipient("42", "42")
GROUP = Recipient("-1001234567890", "-1001234567890", "group")
OLD_GROUP = Recipient("-4242", "-4242", "group")
CHANNEL = Recipient("-1009876543210", "-1009876543210", "channel")
PUBLIC = Recipient("@outeract", "@outeract", "channel")
CUSTOMER = Recipient("42:BCabc_1-2", "42:BCabc_1-2")
REF = MessageRef("5:42", ADA)

MIMES = {
    "image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "voice": "audio/ogg",
    "document": "application/pdf", "sticker": "image/webp",
}  # fmt: skip


def out(text: str | Document = "hello", to: Recipient = ADA, **more: Any) -> Outgoing:
    """One part, as core would hand it over."""
    document = plain(text) if isinstance(text, str) else text
    said = text if isinstance(text, str) else "formatted"
    rendered = telegram().render(document) if said else ""
    return Outgoing(TOKEN, EVENT.hex, 0, 1, to, rendered, said, **more)


def file(kind: str, mime: str = "", size: int = 4) -> OutgoingFile:
    """A file of this kind."""
    mime = mime or MIMES[kind]
    return OutgoingFile(f"file.{mime.rpartition('/')[2]}", mime, kind, size, data=b"data")


def method(call: Call) -> str:
    """The method that a call is for."""
    return call.url.rpartition("/")[2]


def params(call: Call) -> dict[str, Any]:
    """What a call says, whether as JSON or as a form."""
    if call.json is not None:
        return dict(call.json)
    return {name: _decoded(name, value) for name, value in (call.form or {}).items()}


def _decoded(name: str, value: str) -> Any:
    """Forms hold text; whatever is no plain text there is JSON."""
    return value if name in ("caption", "text", "parse_mode", "title") else json.loads(value)


def faults(call: Call) -> list[str]:
    """What the machine-readable Bot API has against a call."""
    return call_faults(method(call), params(call), tuple(name for name, _ in call.files))


def sent(message_id: int = 77, chat: int = 42, **more: Any) -> dict[str, Any]:
    """A message as a method answers with it."""
    return {
        "message_id": message_id, "date": 1_767_322_800, "chat": {"id": chat, "type": "private"},
        **more,
    }  # fmt: skip


def ok(result: Any = True) -> Reply:
    """The Bot API has done it."""
    return reply({"ok": True, "result": result})


def no(code: int, description: str, **parameters: Any) -> Reply:
    """The Bot API says no."""
    told = {"ok": False, "error_code": code, "description": description}
    return reply({**told, "parameters": parameters} if parameters else told, code)


def answers(call: Call) -> Reply:
    """The Bot API when all goes well."""
    where = params(call).get("chat_id", 42)
    chat = where if isinstance(where, int) else -1009999999999
    if method(call) == "sendMediaGroup":
        return ok([sent(77 + n, chat) for n in range(len(params(call)["media"]))])
    return ok(sent(77, chat))


def calls(outgoing: Outgoing, **config: Any) -> list[Call]:
    """What a part becomes when all goes well."""
    return drive(telegram(**config).send(outgoing), answers)[1]


def act(flow: Flow[Any], *replies: Reply) -> list[Call]:
    """The calls of a flow that is answered with `replies`."""
    return drive(flow, replies)[1]
