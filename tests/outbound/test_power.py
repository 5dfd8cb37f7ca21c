"""The power goes: what a platform has accepted is never queued again, however the file was opened."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest

from outeract_core.testing import ManualClock
from tests.support.stepped import Asking, Stepwise, Wire, opened
from tests.support.store.power import Memory, power

pytestmark = pytest.mark.anyio
IMAGES = 4
"""So many power cuts at each request."""


@pytest.fixture
def anyio_backend() -> str:
    """The disk does not care for loops."""
    return "asyncio"


class Cuts:
    """At every request, and after every answer: what the file would say if the power went now."""

    def __init__(self, memory: Memory, folder: Path) -> None:
        self.memory = memory
        self.folder = folder
        self.chance = random.Random(7)
        self.accepted: list[str] = []
        self.images = 0
        self.queued: list[str] = []
        self.begun = 0

    def at(self, asking: Asking) -> None:
        """The platform accepts it, the power is cut in some ways, and it answers."""
        self.accepted.append(asking.said["token"])
        for _ in range(IMAGES):
            self.cut()
        asking.answer()

    def cut(self) -> None:
        """One image: no part that was accepted may be one that nobody has begun."""
        self.images += 1
        where = self.folder / f"image{self.images}"
        where.mkdir()
        self.memory.cut(where, self.chance)
        db = apsw.Connection(str(where / "bot.db"))
        state = {
            f"{uid.hex()}.{done}": state
            for uid, done, state in db.execute(
                "SELECT e.id, o.done, o.state FROM outbox o JOIN event e ON e.seq = o.event"
            )
        }
        kept = {uid.hex() for (uid,) in db.execute("SELECT id FROM event")}
        assert [row[0] for row in db.execute("PRAGMA integrity_check")] == ["ok"]
        db.close()
        for token in self.accepted:
            assert token.partition(".")[0] in kept, "an accepted message is not in the file"
            self.begun += state.get(token) == "sending"
            if state.get(token) in ("queued", "copied"):
                self.queued.append(token)


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_what_was_accepted_is_never_queued_again(
    tmp_path: Path, clock: ManualClock, durability: str
) -> None:
    """Some hundred images, taken at every request: each accepted part has been begun in all of them."""
    with power() as memory:
        cuts = Cuts(memory, tmp_path)
        wire = Wire(cuts.at)
        core, app, connection = opened(
            tmp_path / "bot.db", wire, clock, Stepwise, durability=durability, vfs=memory.name
        )
        async with core:
            for number in range(12):
                await app.send((connection, f"chat{number % 5}"), f"message {number} in parts")
            await core.pump()
        assert len(cuts.accepted) >= 24
        assert cuts.images >= 90
        assert cuts.begun
        assert cuts.queued == []
