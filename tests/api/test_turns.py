"""Turns that came to nothing are listed and counted, page by page, and are gone once they are handled."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Unhandled
from outeract_core.errors import BadInput, InvalidCursor, NotFound
from outeract_core.testing import ManualClock
from tests.support.bots import Talk, talk

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]


async def broken(path: Path, clock: ManualClock, people: int = 3) -> Talk:
    """A bot one of whose handlers gives up at once, and another that will try again."""
    bot = talk(path, clock)

    @bot.app.on("message.inbound", name="greet", attempts=1)
    def greet(message: Any) -> None:
        raise ValueError(message.text)

    @bot.app.on("message.inbound", name="log", attempts=9)
    def log(message: Any) -> None:
        raise LookupError(message.text)

    for number in range(people):
        await bot.says("hi", user=f"u{number}")
    await bot.core.pump()
    return bot


async def test_what_came_to_nothing_is_listed(tmp_path: Path, clock: ManualClock) -> None:
    """The newest first, with whose turn it was, why, where, when, and when it is tried again."""
    bot = await broken(tmp_path / "a.db", clock)
    async with bot.core:
        found = await bot.app.turns()
        assert [(t.event.payload["message"]["text"], t.handler, t.status) for t in found] == [
            ("hi", "log", "retrying"), ("hi", "greet", "parked"),
        ] * 3  # fmt: skip
        retrying, parked = found[:2]
        assert (retrying.failure, retrying.attempts, retrying.reason) == (
            "LookupError",
            1,
            "failed",
        )
        assert (parked.failure, parked.attempts, parked.due) == ("ValueError", None, None)
        assert parked.at == retrying.at == clock()
        assert retrying.due is not None
        assert retrying.due > clock()
        assert parked.connection is not None
        assert parked.connection.name == "console"
        assert [t.event.id for t in found[::2]] == [
            e.id for e in reversed(await bot.events("message.inbound"))
        ]


@pytest.mark.parametrize("first", [1, 2, 4, 5])
async def test_pages_leave_nothing_out(tmp_path: Path, clock: ManualClock, first: int) -> None:
    """Whatever their size: behind each cursor comes what follows it, also within one event."""
    bot = await broken(tmp_path / "a.db", clock)
    async with bot.core:
        whole, pages, before = await bot.app.turns(), list[Unhandled](), None
        while page := await bot.app.turns(first=first, before=before):
            assert len(page) <= first
            pages, before = pages + page, page[-1].cursor
        assert pages == whole


async def test_they_are_found_by_what_they_are(tmp_path: Path, clock: ManualClock) -> None:
    """By status, handler, connection and time; each filter alone, and what it does not match is out."""
    bot = await broken(tmp_path / "a.db", clock)
    async with bot.core:
        clock.advance(3600)
        other = bot.app.connect("console", name="other")
        body = b'{"user":"zoe","text":"hi","n":77}'
        await bot.core.ingest(other.webhook_id, other.webhook_secret, body=body)
        await bot.core.pump()
        now = clock()
        for asked, expected in (
            ({"status": "parked"}, 4), ({"status": "retrying"}, 4), ({"handler": "greet"}, 4),
            ({"connection": other}, 2), ({"connection": "other"}, 2),
            ({"until": now}, 3), ({"since": now}, 5), ({"since": now, "until": now}, 0),
        ):  # fmt: skip
            assert len(await bot.app.turns(**asked)) == expected, asked  # type: ignore[arg-type]
        with pytest.raises(NotFound, match="nobody"):
            await bot.app.turns(handler="nobody")


async def test_they_are_counted(tmp_path: Path, clock: ManualClock) -> None:
    """By status, class, handler, connection and span; counted together they are what is listed."""
    bot = await broken(tmp_path / "a.db", clock)
    async with bot.core:
        clock.advance(2 * 86_400)
        await bot.says("again", user="u9")
        await bot.core.pump()
        counts = await bot.app.turn_counts()
        told = [(c.status, c.failure, c.handler, c.count) for c in counts]
        assert told == [
            ("parked", "ValueError", "greet", 1), ("retrying", "LookupError", "log", 4),
            ("parked", "ValueError", "greet", 3),
        ]  # fmt: skip
        assert all(c.connection is not None and c.connection.name == "console" for c in counts)
        assert sum(c.count for c in counts) == len(await bot.app.turns())
        since = clock() - timedelta(hours=1)
        assert sum(c.count for c in await bot.app.turn_counts(since=since)) == 5
        assert await bot.app.turn_counts(until=since - timedelta(days=9)) == []


async def test_what_is_run_again_by_hand_is_told_as_what_it_is_about(
    tmp_path: Path, clock: ManualClock
) -> None:
    """While it is tried, it stands under the message and its connection; handled, it is gone."""
    bot = talk(tmp_path / "a.db", clock)
    async with bot.core:
        mended: list[bool] = []

        @bot.app.on("message.inbound", name="greet", attempts=2)
        def greet(_message: Any) -> str:
            if not mended:
                raise ValueError("not yet")
            return "hello"

        await bot.says("hi")
        for _ in range(2):
            await bot.core.pump()
            clock.advance(600)
        (parked,) = await bot.app.turns()
        assert parked.status == "parked"
        await bot.app.retry(parked.event)
        await bot.core.pump()
        (again,) = await bot.app.turns()
        assert (again.event.id, again.status, again.attempts) == (parked.event.id, "retrying", 1)
        assert again.connection == parked.connection
        assert [c.connection for c in await bot.app.turn_counts()] == [parked.connection]
        mended.append(True)
        clock.advance(600)
        await bot.core.pump()
        assert await bot.app.turns() == []
        assert await bot.app.turn_counts() == []


async def test_a_loop_that_was_stopped_is_among_them(tmp_path: Path, clock: ManualClock) -> None:
    """With its reason, and no class: nothing was raised. It came from the host itself."""
    bot = talk(tmp_path / "a.db", clock)
    async with bot.core:

        @bot.app.on("order.made", name="echo", chain=2)
        async def echo(_message: Any) -> None:
            await bot.app.emit("order.made", {})

        await bot.app.emit("order.made", {})
        for _ in range(5):
            await bot.core.pump()
        (stopped,) = await bot.app.turns()
        assert (stopped.reason, stopped.failure, stopped.connection) == ("loop", None, None)
        assert [(c.reason, c.count) for c in await bot.app.turn_counts()] == [("loop", 1)]


async def test_wrong_questions_are_refused(tmp_path: Path, clock: ManualClock) -> None:
    """With what is wrong; another application's turns are not there, by whatever cursor."""
    bot = await broken(tmp_path / "a.db", clock, people=1)
    async with bot.core:
        for wrong in (
            {"status": "failed"}, {"first": 0}, {"first": 1001}, {"first": True},
            {"since": clock().replace(tzinfo=None)},
        ):  # fmt: skip
            with pytest.raises(BadInput):
                await bot.app.turns(**wrong)  # type: ignore[arg-type]
        for cursor in ("", "x", ".", "AAAA.greet", 7, "\ud800.\ud800"):
            with pytest.raises(InvalidCursor):
                await bot.app.turns(before=cursor)  # type: ignore[arg-type]
        with pytest.raises((BadInput, NotFound)):
            await bot.app.turns(connection="nowhere")
        with pytest.raises(BadInput):
            await bot.app.turn_counts(every=timedelta(0))
        other = bot.core.app("other")
        cursor = (await bot.app.turns())[0].cursor
        assert await other.turns() == await other.turns(before=cursor) == []
        assert await other.turn_counts() == []
