"""What the Slack tests send and what Slack answers.

Knows: one message, one file, one person, one channel, and Slack's good answers.
Does not know: what is tested with them.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from outeract_core.adapter import Call, MessageRef, Outgoing, OutgoingFile, Recipient, Reply
from outeract_core.content import Button, Menu, MenuRow
from outeract_core.testing import drive, reply
from tests.support.slack.samples import slack

EVENT = UUID("0199b0c0-de00-7000-8000-000000000001")
TOKEN = f"{EVENT.hex}.0"
TS = "1764000017.001200"
ANNA = Recipient("U0ANNA0001", "U0ANNA0001")
GENERAL = Recipient("C0GENERAL1", "C0GENERAL1", "channel")
REF = MessageRef(f"{TS}:C0GENERAL1", GENERAL, True)
PDF = OutgoingFile("plan.pdf", "application/pdf", "document", 4, data=b"%PDF")


def out(text: str = "hello", to: Recipient = GENERAL, **more: Any) -> Outgoing:
    """One part, as core would hand it over."""
    return Outgoing(TOKEN, EVENT.hex, 0, 1, to, text, text, **more)


def method(call: Call) -> str:
    """The Web API method that a call names."""
    return call.url.rpartition("/")[2].partition("?")[0]


def posted(channel: str = "C0GENERAL1", **more: Any) -> Reply:
    """Slack's answer to chat.postMessage."""
    return reply({"ok": True, "channel": channel, "ts": TS, "message": {"text": "…"}, **more})


def sent(outgoing: Outgoing, *replies: Reply) -> tuple[Any, list[Call]]:
    """The receipt of a part and the calls that it took."""
    return drive(slack().send(outgoing), replies)


def act(flow: Any, *replies: Reply) -> list[Call]:
    """The calls of a flow that is answered with `replies`."""
    return drive(flow, replies)[1]


def ok(**more: Any) -> Reply:
    """Slack says yes."""
    return reply({"ok": True, **more})


def no(error: str, **more: Any) -> Reply:
    """Slack says no, with 200 as always."""
    return reply({"ok": False, "error": error, **more})


def uploads(call: Call, shares: Any = None) -> Reply:
    """Slack's side of an upload."""
    match method(call):
        case "conversations.open":
            return reply({"ok": True, "channel": {"id": "D0ANNA0001"}})
        case "files.getUploadURLExternal":
            assert call.form is not None
            name = call.form["filename"]
            url = f"https://files.slack.com/upload/v1/{name}?secret=1"
            return reply({"ok": True, "upload_url": url, "file_id": f"F{name[:3].upper()}"})
        case "files.completeUploadExternal":
            assert call.form is not None
            files = json.loads(call.form["files"])
            return reply(
                {"ok": True, "files": [{**file, "shares": shares or {}} for file in files]}
            )
    return reply(b"OK - 4")


def message(token: str = "", ts: str = TS) -> dict[str, Any]:
    """A message in the history, with our metadata when it has a token."""
    metadata = {"event_type": "outeract_message", "event_payload": {"token": token}}
    return {
        "type": "message",
        "ts": ts,
        "text": "hello",
        **({"metadata": metadata} if token else {}),
    }


def page(*messages: Any, has_more: bool = False) -> Reply:
    """A page of history."""
    return ok(messages=list(messages), has_more=has_more)


BUTTONS = tuple(Button(f"id-{n}", f"Button {n}") for n in range(30))
MENU = Menu("Choose", tuple(MenuRow(f"row-{n}", f"Row {n}", f"about {n}") for n in range(100)))
GROUPED = Menu("Choose", (MenuRow("a", "A", section="One"), MenuRow("b", "B", section="Two"),
                          MenuRow("c", "C", section="One"), MenuRow("d", "D")))  # fmt: skip


URL = "https://files.slack.com/files-pri/T0-F0/download/plan.pdf"
