"""What goes wrong is told at once, in the standard logging; no secret is in it, no word of anybody's."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from outeract_core import App, Outeract
from outeract_core.errors import Rejected
from outeract_core.testing import FakePlatform, ManualClock, sign_whatsapp
from tests.support.bots import SECRET, talk, whatsapp
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.anyio
ANN = ("whatsapp", "+14155550100")
WORDS = "words that nobody else may read"


def told(caplog: pytest.LogCaptureFixture, *parts: str) -> list[str]:
    """The records from WARNING on that have all of these parts."""
    records = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert all(r.name.startswith("outeract_core.") for r in records)
    return [r.getMessage() for r in records if all(part in r.getMessage() for part in parts)]


async def test_a_message_that_fails_or_may_have_arrived_is_told(
    core: Outeract, app: App, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """With its connection, its event and the reason; never with what it says."""
    with FakePlatform(clock=clock) as fake:
        whatsapp(app, fake)
        fake.refuse(1)
        failed = await app.send(ANN, WORDS)
        await core.pump()
        fake.drop(1)
        unknown = await app.send(ANN, WORDS)
        await core.pump()
    assert len(told(caplog, "whatsapp/whatsapp", failed.id.hex, "failed")) == 1
    assert len(told(caplog, "whatsapp/whatsapp", unknown.id.hex, "unknown")) == 1
    assert WORDS not in caplog.text


async def test_a_delivery_that_is_kept_or_too_large_is_told(
    core: Outeract, app: App, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """That there is one and what to do; its reason, which may quote somebody, is in the event."""
    with FakePlatform(clock=clock) as fake:
        where = whatsapp(app, fake)
    body = f'{{"object":"{WORDS}"'.encode()
    signed, _ = sign_whatsapp(body, SECRET)
    answer = await core.ingest(where.webhook_id, where.webhook_secret, "POST", signed, {}, body)
    assert answer.status == 200
    assert len(told(caplog, "whatsapp/whatsapp", "kept", "replay")) == 1
    huge = b"x" * (core._receiver.limit + 1)
    answer = await core.ingest(where.webhook_id, where.webhook_secret, "POST", {}, {}, huge)
    assert answer.status == 413
    assert len(told(caplog, "limit", "body_limit")) == 1
    assert WORDS not in caplog.text


async def test_no_secret_is_in_a_record_or_a_stored_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither as it stands nor as a URL writes it, whoever puts it into an exception."""
    secret = "123:a secret/with+signs&more"
    forms = (secret, quote(secret), quote(secret, safe=""), quote(secret, safe="").lower())

    def leaking(_message: Any) -> Any:
        raise Rejected(f"https://example.org/{forms[2]}/send {secret}")

    bot = talk(tmp_path / "a.db")
    with closing(Outeract(tmp_path / "b.db", console=leaking)) as other:
        bot.core.runtime.open_http = other.runtime.open_http
    async with bot.core:
        await bot.app.send(("console", "ann"), "hello")
        bot.core.runtime.secrets.hide(secret)

        @bot.app.on("message.inbound", attempts=1)
        def broken(message: object) -> None:
            raise ValueError(" ".join(forms))

        await bot.says("hello")
        await bot.core.pump()
        assert told(caplog, "broken", "Traceback", "ValueError")
        stored = [str(event.payload) async for event in bot.app.events.all()]
        assert any("Traceback" in text for text in stored)
    for text in (caplog.text, *stored):
        assert not [form for form in forms if form in text]


def test_a_program_that_configures_no_logging_sees_warnings_on_stderr(tmp_path: Path) -> None:
    """A handler that raises: its name, the attempt and the traceback, in a process of its own."""
    program = """
import sys
from outeract_core.blocking import Outeract
with Outeract(sys.argv[1], console=print) as core:
    app = core.app("x")
    where = app.connect("console")
    @app.on("message.inbound", name="greet")
    def greet(message):
        raise ValueError("broken on purpose")
    core.ingest(where.webhook_id, where.webhook_secret, body=b'{"user":"ann","text":"hi","n":1}')
    core.pump()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "c.db")],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    for part in ("handler greet", "attempt 1", "Traceback", "broken on purpose"):
        assert part in done.stderr
