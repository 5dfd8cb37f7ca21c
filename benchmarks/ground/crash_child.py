"""The program that is killed: a bot that ingests, handles and sends, and tells what it acknowledged.

Knows: its file, its two platforms, where its webhooks begin, which of its answers are long or have files; that many
deliver at once to the one that computes, so that its commits are of the kind that is made then.
Does not know: when it will be killed or stopped, who else works on the file.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import anyio

from outeract_core import Attachment, Content, Message, Outeract
from outeract_core.query import status_is, type_is
from outeract_core.testing import sign_slack, sign_whatsapp

from .computing import computing

SECRET = "crash-secret"
NUMBER = "100000000000001"
PEOPLE = 60
WORKERS = {"ingest": 4, "host": 4, "crowd": 40}
"""How many deliver at once."""
LONG = "and so on, in words that go on and on, until nobody wants to read them any more. " * 110
"""Three parts on WhatsApp and on Slack."""


def platform_of(number: int) -> str:
    """To which platform a webhook belongs."""
    return "slack" if number % 2 else "whatsapp"


def payload(number: int) -> dict[str, Any]:
    """Webhook number `number`: the same each time but for the time itself, which a reply needs."""
    return _slack(number) if number % 2 else _whatsapp(number)


def _whatsapp(number: int) -> dict[str, Any]:
    wa_id = str(49_170_000_000 + number % PEOPLE)
    message = {
        "from": wa_id, "id": f"wamid.crash{number:08d}", "timestamp": str(int(time.time())),
        "type": "text", "text": {"body": f"message {number}"},
    }  # fmt: skip
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": f"Person {wa_id}"}, "wa_id": wa_id}],
        "messages": [message],
    }
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def _slack(number: int) -> dict[str, Any]:
    who, ts = number % PEOPLE, f"{1_760_000_000 + number}.000100"
    event = {
        "type": "message", "channel": f"D0CRASH{who:03}", "channel_type": "im",
        "user": f"U0CRASH{who:03}", "text": f"message {number}", "ts": ts, "event_ts": ts,
        "team": "T0FAKE001",
    }  # fmt: skip
    return {
        "team_id": "T0FAKE001", "api_app_id": "A0FAKE001", "type": "event_callback", "event": event,
        "event_id": f"Ev{number:08d}", "event_time": 1_760_000_000 + number,
    }  # fmt: skip


def signed(number: int) -> tuple[Mapping[str, str], bytes]:
    """Its headers and its body."""
    if number % 2:
        return sign_slack(payload(number), SECRET, datetime.now(UTC))
    return sign_whatsapp(payload(number), SECRET)


def answer(text: str, number: int) -> Content | str:
    """What is said to it: short, in several parts, or a file with a text that is too long below it."""
    if number % 12 == 6:
        file = Attachment(f"file {number}".encode(), filename="f.txt", mime_type="text/plain")
        return Content(f"echo of {text}: {LONG[:3000]}", files=[file])
    return f"echo of {text}: {LONG}" if number % 5 == 0 else f"echo of {text}"


def tell(text: str) -> None:
    """One line to the parent, past every buffer: what is told here was acknowledged."""
    os.write(1, f"{text}\n".encode())


async def main(path: str, url: str, first: int, role: str) -> None:
    """`ingest` from webhook `first` on, or only `serve`, until killed; a `host` does both while it computes, a `crowd`
    only ingests; `drain`: finish what is left.
    """
    async with Outeract(path) as core:
        app = core.app("crash", overlap="queue")
        connections = {
            "whatsapp": app.connect(
                "whatsapp", access_token="crash-token", app_secret=SECRET,
                verify_token="crash-verify", phone_number_id=NUMBER, base_url=url,
            ),
            "slack": app.connect(
                "slack", bot_token="xoxb-crash", signing_secret=SECRET, base_url=url
            ),
        }  # fmt: skip

        @app.on("message.inbound")
        async def echo(message: Message) -> Content | str:
            text = message.text or ""
            return answer(text, int(text.removeprefix("message ")))

        async with anyio.create_task_group() as group:
            if role != "crowd":
                group.start_soon(core.serve)
            if role == "drain":
                await _drained(app)
                group.cancel_scope.cancel()
                return
            tell("serving")
            many = WORKERS.get(role, 0)
            for worker in range(many):
                group.start_soon(_deliver, core, connections, first + worker, many)
            with computing() if role in ("host", "crowd") else nullcontext():
                await anyio.sleep_forever()


async def _deliver(core: Outeract, connections: Mapping[str, Any], number: int, many: int) -> None:
    """One webhook of so many, each one delivered again after a while, as platforms do; by a crowd now and then."""
    while True:
        repeats = many <= 4 or int(time.monotonic()) % 4 == 0
        for again in (number, max(number - 40, 0)) if repeats else (number,):
            connection = connections[platform_of(again)]
            headers, body = signed(again)
            told = await core.ingest(
                connection.webhook_id, connection.webhook_secret, "POST", headers, {}, body
            )
            if told.status == 200:
                tell(f"ack {again}")
            await anyio.sleep(0.01)
        number += many


async def _drained(app: Any) -> None:
    """Until every message is handled and nothing waits to be sent."""
    while True:
        inbound = await app.events.count(type_is("message.inbound"))
        outbound = await app.events.count(type_is("message.outbound"))
        waiting = await app.events.count(type_is("message.outbound") & status_is("queued"))
        tell(json.dumps({"inbound": inbound, "outbound": outbound, "waiting": waiting}))
        if not waiting and outbound >= inbound:
            return
        await anyio.sleep(0.5)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
