"""What may be repeated without harm may have arrived all the same: until that is known, it is told so.

A platform that takes the message's token (`native`) is sent it again after a lost answer, instead of being
told `message.unknown` at once. What ends meanwhile must not end as if nothing had left.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve

from outeract_core import Delivery
from outeract_core._domain.rules.delivery import ATTEMPTS
from outeract_core.adapter import Call, Flow, Manifest, MessageRef
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.stepped import Asked, Asking, Native, Wire, _done, count, opened, take
from tests.support.store.platform import said

pytestmark = pytest.mark.anyio
NOT_DONE: dict[str, Callable[[Asking], None]] = {
    "not now": lambda asking: asking.answer(503),
    "too often": lambda asking: asking.answer(429),
    "a refused token": lambda asking: asking.answer(401),
}


class Line:
    """A bot whose first answer is lost; from then on `posts` answers."""

    def __init__(self, path: Path, clock: ManualClock, adapter: type = Native) -> None:
        self.clock, self.asked = clock, 0
        self.posts: Callable[[Asking], None] = NOT_DONE["not now"]
        self.core, self.app, self.connection = opened(path, Wire(self._script), clock, adapter)

    def _script(self, asking: Asking) -> None:
        self.asked += 1
        if self.asked == 1:
            asking.lose()
        else:
            self.posts(asking)

    async def says(self, expires: timedelta | None = None) -> Delivery:
        """Something, whose first answer is lost."""
        until = None if expires is None else self.clock() + expires
        said = await self.app.send((self.connection, "ann"), "hello", expires=until)
        await self.core.pump()
        assert self.asked == 1
        return said

    async def work(self, times: int = 1) -> None:
        """Rounds of work, ten minutes apart."""
        for _ in range(times):
            self.clock.advance(600)
            await self.core.pump()


async def test_a_lost_answer_is_asked_for_by_saying_it_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Nothing is unknown while a repetition can tell; the receipt settles it."""
    line = Line(tmp_path / "a.db", clock)
    async with line.core:
        said = await line.says()
        assert (await said.state()).status == "queued"
        line.posts = lambda asking: asking.answer()
        await line.work()
        assert (await said.state()).status == "sent"
        assert await count(line.app, "message.unknown") == 0


@pytest.mark.parametrize("kind", NOT_DONE)
async def test_it_cannot_be_taken_back(tmp_path: Path, clock: ManualClock, kind: str) -> None:
    """A request has left; that later ones certainly were not carried out takes nothing back."""
    line = Line(tmp_path / "a.db", clock)
    async with line.core:
        said = await line.says()
        assert not await said.cancel()
        line.posts = NOT_DONE[kind]
        await line.work(3)
        assert line.asked > 1
        assert not await said.cancel()
        line.posts = lambda asking: asking.answer()
        await line.work(3)
        assert (await said.state()).status == "sent"


@pytest.mark.parametrize("lost", ["all", "the first"])
async def test_given_up_it_is_unknown(tmp_path: Path, clock: ManualClock, lost: str) -> None:
    """After the last attempt nobody knows: `failed` would say that it has certainly not arrived."""
    line = Line(tmp_path / "a.db", clock)
    async with line.core:
        said = await line.says()
        line.posts = NOT_DONE["not now"] if lost == "the first" else lambda asking: asking.lose()
        await line.work(3 * ATTEMPTS)
        assert line.asked == ATTEMPTS
        assert (await said.state()).status == "unknown"


class Pressing(Native):
    """It also takes reactions, by requests like any other."""

    manifest: ClassVar[Manifest] = evolve(
        Native.manifest, capabilities=Native.manifest.capabilities | {"react"}
    )

    def react(self, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
        """One request."""
        _done((yield Call("POST", "http://stepwise/react", json={"token": "r", "text": emoji})))


@pytest.mark.parametrize("lost", ["all", "the first"])
async def test_a_reaction_that_is_given_up_is_unknown_too(
    tmp_path: Path, clock: ManualClock, lost: str
) -> None:
    """Whatever the verb: after a lost answer `failed` would say that certainly nothing was done."""
    line = Line(tmp_path / "a.db", clock, Pressing)
    async with line.core:
        await take(line.core, line.connection, said("m1", "ann"))
        (heard,) = (await line.app.events.page(type_is("message.inbound"))).nodes
        await line.app.react(heard, "👍")
        await line.core.pump()
        line.posts = NOT_DONE["not now"] if lost == "the first" else lambda asking: asking.lose()
        await line.work(3 * ATTEMPTS)
        assert line.asked == ATTEMPTS
        assert await count(line.app, "message.unknown") == 1
        assert await count(line.app, "message.failed") == 0


async def test_what_was_never_in_doubt_fails(tmp_path: Path, clock: ManualClock) -> None:
    """Every answer said that nothing was done: it has failed, after as many attempts."""
    line = Line(tmp_path / "a.db", clock)
    line.asked = 1
    async with line.core:
        said = await line.app.send((line.connection, "ann"), "hello")
        await line.work(3 * ATTEMPTS)
        assert line.asked == 1 + ATTEMPTS
        assert (await said.state()).status == "failed"


async def test_what_expires_in_doubt_is_unknown(tmp_path: Path, clock: ManualClock) -> None:
    """It does not leave again, and it is not told as if it had not been sent."""
    line = Line(tmp_path / "a.db", clock)
    async with line.core:
        said = await line.says(expires=timedelta(minutes=5))
        await line.work()
        assert line.asked == 1
        assert (await said.state()).status == "unknown"


async def test_what_was_absent_and_has_expired_does_not_leave(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A platform that was asked has said that it is not there: cancelled, and never sent too late."""
    line = Line(tmp_path / "a.db", clock, Asked)
    line.posts = lambda asking: asking.answer(200, {"id": None})
    async with line.core:
        said = await line.says(expires=timedelta(minutes=5))
        await line.work(3)
        assert (await said.state()).status == "cancelled"
        assert line.asked > 1
