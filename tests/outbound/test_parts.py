"""An outcome belongs to a part: what is lost of one holds up no other, and its proof is its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import App, Attachment, Content, Outeract
from outeract_core._store.writing import delivery as deliveries
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.stepped import Asking, Native, Stepwise, Wire, opened, take
from tests.support.store.platform import status

pytestmark = pytest.mark.anyio
WORDS = "one two three four five six seven"
"""Four parts of at most ten letters."""
PHOTO = Attachment(b"\x89PNG", filename="p.png", mime_type="image/png")


class Line:
    """A bot whose platform does with each part what `fates` says: ok, lost, no, busy."""

    def __init__(self, path: Path, clock: ManualClock, adapter: type[Any] = Stepwise) -> None:
        self.fates: dict[int, list[str]] = {}
        self.wire = Wire(self._script)
        self.core: Outeract
        self.app: App
        self.core, self.app, self.connection = opened(path, self.wire, clock, adapter)
        self.clock = clock

    def _script(self, asking: Asking) -> None:
        left = self.fates.get(asking.said["part"]) or ["ok"]
        fate = left.pop(0)
        {
            "ok": asking.answer,
            "lost": asking.lose,
            "no": lambda: asking.answer(400),
            "busy": lambda: asking.answer(503),
        }[fate]()

    async def send(self, content: Any = WORDS) -> Any:
        """Send it and work until nothing is due."""
        sent = await self.app.send((self.connection, "ann"), content)
        for _ in range(6):
            await self.core.pump()
            self.clock.advance(60)
        return sent

    @property
    def parts(self) -> list[int]:
        """The parts that left, in order."""
        return [one.said["part"] for one in self.wire.requests]


@pytest.fixture
async def line(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Line]:
    """That bot."""
    made = Line(tmp_path / "bot.db", clock)
    async with made.core:
        yield made


@pytest.mark.parametrize("place", range(4))
async def test_a_lost_answer_is_that_of_its_part(line: Line, place: int) -> None:
    """Whichever of four is lost: the other three are sent, and the event says which is unknown."""
    line.fates[place] = ["lost"]
    sent = await line.send()
    assert line.parts == [0, 1, 2, 3]
    state = await sent.state()
    assert state.status == "unknown"
    wanted = ["unknown" if part == place else "sent" for part in range(4)]
    assert [part.status for part in state.parts] == wanted
    (unknown,) = [e async for e in line.app.events.all(type_is("message.unknown"))]
    assert (unknown.payload["part"], unknown.payload["parts"]) == (place, 4)


async def test_every_part_may_be_lost_by_itself(line: Line) -> None:
    """Two of four: two events, each with its part."""
    line.fates = {1: ["lost"], 3: ["lost"]}
    sent = await line.send()
    told = [e.payload["part"] async for e in line.app.events.all(type_is("message.unknown"))]
    assert told == [1, 3]
    assert [p.status for p in (await sent.state()).parts] == ["sent", "unknown", "sent", "unknown"]


@pytest.mark.parametrize("kind", ["sent", "delivered", "read", "failed"])
@pytest.mark.parametrize("place", [0, 2, 3])
async def test_a_status_settles_its_part(line: Line, place: int, kind: str) -> None:
    """The platform names the lost part by our token: the message is what its parts are then."""
    line.fates[place] = ["lost"]
    sent = await line.send()
    token = deliveries.token(str(sent.id), place)
    await take(line.core, line.connection, status(kind, "wamid", correlation=token))
    state = await sent.state()
    assert state.parts[place].status == kind
    assert state.parts[place].external_message_id == "wamid"
    assert state.status == ("failed" if kind == "failed" else "sent")


async def test_an_unknown_part_does_not_end_what_is_on_its_way(line: Line) -> None:
    """While parts are still to be sent the message is queued, and unknown once all were tried."""
    line.fates = {1: ["lost"], 2: ["busy"]}
    sent = await line.app.send((line.connection, "ann"), WORDS)
    await line.core.pump()
    assert (await sent.state()).status == "queued"
    line.clock.advance(3600)
    await line.core.pump()
    assert (await sent.state()).status == "unknown"
    assert line.parts == [0, 1, 2, 2, 3]


async def test_a_part_that_is_refused_ends_the_message(line: Line) -> None:
    """It has failed; what is behind it is not tried, and says so."""
    line.fates = {1: ["no"]}
    sent = await line.send()
    state = await sent.state()
    assert (state.status, line.parts) == ("failed", [0, 1])
    assert [part.status for part in state.parts] == ["sent", "failed", "cancelled", "cancelled"]


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_photo_with_a_long_text_is_no_different(line: Line, place: int) -> None:
    """The photo is a part like the others."""
    line.fates[place] = ["lost"]
    sent = await line.send(Content("a text that is long", files=[PHOTO]))
    state = await sent.state()
    assert len(state.parts) > 2
    assert [part.status for part in state.parts].count("unknown") == 1
    assert line.parts == list(range(len(state.parts)))
    assert state.status == "unknown"


async def test_nothing_is_sent_twice_whatever_is_lost(tmp_path: Path, clock: ManualClock) -> None:
    """On a platform that takes the token the lost part alone is sent again, under the same token."""
    line = Line(tmp_path / "bot.db", clock, Native)
    line.fates[2] = ["lost"]
    async with line.core:
        sent = await line.send()
        assert (await sent.state()).status == "sent"
        assert line.parts == [0, 1, 2, 2, 3]
        tokens = [one.said["token"] for one in line.wire.requests]
        assert tokens[2] == tokens[3]


async def test_a_program_that_dies_within_a_message_goes_on_behind_the_part(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Killed during the second of four: that one is unknown, the others are sent by the next start."""
    wire = Wire()
    core, app, connection = opened(tmp_path / "bot.db", wire, clock)
    await app.send((connection, "ann"), WORDS)
    async with anyio.create_task_group() as group:
        group.start_soon(core._sender.step)
        (await wire.arrived(1)).answer()
        await wire.arrived(2)
        clock.advance(200)
        after = Wire(lambda asking: asking.answer())
        other, again, _ = opened(tmp_path / "bot.db", after, clock)
        async with other:
            await other.pump()
            assert len(after.sent()) == 2
            told = [e async for e in again.events.all(type_is("message.unknown"))]
            assert [event.payload["part"] for event in told] == [1]
        wire.requests[1].lose()
    core.close()
