"""What goes wrong with one connection stands in the report of the round, with its name and the reason.

Knows: a platform that goes wrong in sending and in files. Does not know: what becomes of the messages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._io import troubles
from outeract_core.errors import (
    Ambiguous,
    MissingSecret,
    Rejected,
    StoreBusy,
    Throttled,
    Transient,
    Unauthorised,
    Unreachable,
)
from outeract_core.events import FileRef
from outeract_core.testing import ManualClock
from tests.support import wrongs
from tests.support.raising import UNTELLABLE, raises
from tests.support.store.platform import Plain, said, take

pytestmark = pytest.mark.anyio

KINDS: dict[str, Any] = {
    "refused token": raises(Unauthorised("no such token")),
    "no network": raises(Unreachable("no such token")),
    "throttled": raises(Throttled("no such token", after=60, scope="connection")),
    "not now": raises(Transient("no such token")),
    "refused": raises(Rejected("no such token")),
    "lost answer": raises(Ambiguous("no such token")),
    "missing secret": raises(MissingSecret("no such token")),
    "broken adapter": raises(KeyError("no such token")),
    "busy store": raises(StoreBusy("no such token")),
}


def _opened(path: Path, clock: ManualClock) -> Outeract:
    core = Outeract(path, clock=clock)
    core.register("odd", wrongs.Odd)
    core.register("plain", Plain)
    core.app("one").connect("odd", name="bad")
    core.app("two").connect("plain", name="good")
    return core


@pytest.mark.parametrize("way", ["pump", "drain"])
@pytest.mark.parametrize("kind", [*KINDS, *UNTELLABLE])
async def test_what_went_wrong_in_sending_is_named(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, kind: str, way: str
) -> None:
    """The connection, its application and the reason, once for many messages; the others are sent."""
    monkeypatch.setattr(wrongs.Odd, "does", {"send": {**KINDS, **UNTELLABLE}[kind]})
    async with _opened(tmp_path / "a.db", clock) as core:
        for number in range(3):
            await core.app("one").send(("odd", f"ann{number}"), "hello")
            await core.app("two").send(("plain", f"ann{number}"), "hello")
        done = await (core.pump() if way == "pump" else core.drain(timeout=0))
        assert done.sent == 3
        (told,) = done.troubles
        assert (told.application, told.connection, told.doing) == ("one", "bad", "sending")
        assert kind in UNTELLABLE or "no such token" in told.reason
        told.reason.encode()


async def test_what_went_wrong_with_a_file_is_named(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for sending; a round in which nothing goes wrong says nothing."""
    monkeypatch.setattr(wrongs.Odd, "does", {"fetch": raises(Rejected("it is gone"))})
    async with _opened(tmp_path / "a.db", clock) as core:
        (bad,) = core.app("one").connections()
        await take(core, bad, said("m1", files=(FileRef({"id": "x"}),)))
        (told,) = (await core.pump()).troubles
        assert (told.connection, told.doing, told.reason) == ("bad", "files", "it is gone")
        assert (await core.pump()).troubles == ()


async def test_a_report_stays_short(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many reasons as there are messages are not all in it."""
    monkeypatch.setattr(troubles, "MOST", 4)
    reasons = iter(range(100))
    does = {"send": lambda: raises(Rejected(f"no {next(reasons)}"))()}
    monkeypatch.setattr(wrongs.Odd, "does", does)
    async with _opened(tmp_path / "a.db", clock) as core:
        for number in range(6):
            await core.app("one").send(("odd", f"ann{number}"), "hello")
        done = await core.pump()
        assert (done.failed, len(done.troubles)) == (6, 4)
