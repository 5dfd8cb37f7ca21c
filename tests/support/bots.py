"""A bot on the console: lines in, what it says caught; and a bot on WhatsApp or Telegram against the fake platform.

Knows: how a test speaks to a bot. Does not know: what is tested.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import define, field

from outeract_core import App, Event, Outeract, PlatformConnection
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_telegram, sign_whatsapp

NUMBER = "100000000000001"
SECRET = "app-secret-of-tests"


@define
class Terminal:
    """What the console platform would have printed."""

    lines: list[dict[str, Any]] = field(factory=list)

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        self.lines.append(message)
        return {}

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [line["text"] for line in self.lines]


@define
class Talk:
    """An open store whose application talks on a terminal."""

    core: Outeract
    app: App
    connection: PlatformConnection
    terminal: Terminal
    clock: ManualClock
    n: int = 0

    async def says(self, text: str, user: str = "ann", n: int | None = None) -> None:
        """Somebody types a line."""
        self.n = n if n is not None else self.n + 1
        body = json.dumps({"user": user, "text": text, "n": self.n}).encode()
        where = self.connection
        answer = await self.core.ingest(where.webhook_id, where.webhook_secret, body=body)
        assert answer.status == 200, answer

    async def events(self, kind: str) -> list[Event]:
        """All events of a type, oldest first."""
        return [event async for event in self.app.events.all(type_is(kind))]


def talk(path: Path, clock: ManualClock | None = None, **config: Any) -> Talk:
    """Open a store at `path` with one console connection. Close it with `async with talk.core`."""
    clock, terminal = clock or ManualClock(), Terminal()
    core = Outeract(path, clock=clock, console=terminal)
    app = core.app("support", **config)
    return Talk(core, app, app.connect("console"), terminal, clock)


def whatsapp(app: App, fake: FakePlatform) -> PlatformConnection:
    """Connect the application to the fake WhatsApp."""
    return app.connect(
        "whatsapp", access_token="token-of-tests", app_secret=SECRET,
        verify_token="verify-of-tests", phone_number_id=NUMBER, base_url=fake.url,
    )  # fmt: skip


async def heard_on_telegram(core: Outeract, app: App, fake: FakePlatform) -> Event:
    """The application is connected to the fake Telegram; the first message that it is written there."""
    where = app.connect(
        "telegram", token="42:tests", webhook_secret_token="tests-word", base_url=fake.url
    )
    headers, body = sign_telegram(fake.telegram.say(1001, "hi"), "tests-word")
    await core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
    return (await app.events.page(type_is("message.inbound"))).nodes[0]


async def writes(
    core: Outeract, connection: PlatformConnection, fake: FakePlatform, text: str,
    who: str = "14155550100", **more: Any,
) -> None:  # fmt: skip
    """Somebody writes on WhatsApp."""
    payload = fake.whatsapp.say(who, text, phone_number_id=NUMBER, **more)
    await deliver(core, connection, payload)


async def deliver(core: Outeract, connection: PlatformConnection, payload: Any) -> None:
    """WhatsApp signs and delivers a payload."""
    headers, body = sign_whatsapp(payload, SECRET)
    answer = await core.ingest(
        connection.webhook_id, connection.webhook_secret, "POST", headers, {}, body
    )
    assert answer.status == 200, answer


async def statuses(core: Outeract, connection: PlatformConnection, fake: FakePlatform) -> None:
    """WhatsApp reports sent, delivered and read of what it has accepted since."""
    for headers, body in fake.statuses(SECRET):
        await core.ingest(
            connection.webhook_id, connection.webhook_secret, "POST", headers, {}, body
        )
