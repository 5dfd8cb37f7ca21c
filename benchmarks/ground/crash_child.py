"""The program that is killed: a bot that ingests, handles and sends, and tells what it acknowledged.

Knows: its file, its platform, where its webhooks begin.
Does not know: when it will be killed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import anyio

from outeract_core import Message, Outeract
from outeract_core.query import status_is, type_is
from outeract_core.testing import sign_whatsapp

SECRET = "crash-secret"
NUMBER = "100000000000001"
PEOPLE = 7


def payload(number: int) -> dict[str, Any]:
    """Webhook number `number`: always the same bytes."""
    wa_id = str(49_170_000_000 + number % PEOPLE)
    message = {
        "from": wa_id, "id": f"wamid.crash{number:08d}", "timestamp": str(1_760_000_000 + number),
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


def tell(text: str) -> None:
    """One line to the parent, past every buffer: what is told here was acknowledged."""
    os.write(1, f"{text}\n".encode())


async def main(path: str, url: str, first: int, drain: bool) -> None:
    """Ingest from webhook `first` on until killed; with `drain` only finish what is left."""
    async with Outeract(path) as core:
        app = core.app("crash", overlap="queue")
        connection = app.connect(
            "whatsapp", access_token="crash-token", app_secret=SECRET, verify_token="crash-verify",
            phone_number_id=NUMBER, base_url=url,
        )  # fmt: skip

        @app.on("message.inbound")
        async def echo(message: Message) -> str:
            return f"echo of {message.text}"

        async with anyio.create_task_group() as group:
            group.start_soon(core.serve)
            if drain:
                await _drained(app)
                group.cancel_scope.cancel()
                return
            for worker in range(4):
                group.start_soon(_deliver, core, connection, first + worker)


async def _deliver(core: Outeract, connection: Any, number: int) -> None:
    """Every fourth webhook, each one delivered again after a while, as platforms do."""
    while True:
        for again in (number, max(number - 40, 0)):
            headers, body = sign_whatsapp(payload(again), SECRET)
            answer = await core.ingest(
                connection.webhook_id, connection.webhook_secret, "POST", headers, {}, body
            )
            if answer.status == 200:
                tell(f"ack {again}")
        number += 4


async def _drained(app: Any) -> None:
    """Until every message is handled and nothing waits to be sent."""
    while True:
        inbound = await app.events.count(type_is("message.inbound"))
        outbound = await app.events.count(type_is("message.outbound"))
        waiting = await app.events.count(type_is("message.outbound") & status_is("queued"))
        tell(json.dumps({"inbound": inbound, "outbound": outbound, "waiting": waiting}))
        if not waiting and outbound >= inbound:
            return
        await anyio.sleep(0.2)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["drain"])
