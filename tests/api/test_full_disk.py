"""A disk that is full for a moment or for long: nothing is lost, nothing is sent twice, serving goes on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar

import anyio
import apsw
import pytest
from attrs import evolve

from outeract_core import Attachment, Content, Outeract
from outeract_core._io import runtime
from outeract_core._io.processes import supervisor
from outeract_core.adapter import Flow, Manifest, Outgoing, Polled, Sent
from outeract_core.errors import DiskFull
from outeract_core.events import FileRef
from tests.support.patience import until
from tests.support.store.platform import Plain, kinds, said, take
from tests.support.store.vfs import Disk, disk

pytestmark = pytest.mark.anyio


class Polled_(Plain):  # noqa: N801 - a platform of this file
    """It has `said` to tell, and keeps what it was sent. `filling`: fills the disk when it accepts."""

    manifest: ClassVar[Manifest] = evolve(Plain.manifest, platform="polled", idempotency="none")
    said: ClassVar[list[str]] = []
    sent: ClassVar[list[str]] = []
    filling: ClassVar[list[Disk]] = []

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        """What is new."""
        yield from ()
        after = int(cursor or 0)
        facts = tuple(said(text, text, text) for text in self.said[after:])
        return Polled(facts, str(len(self.said)))

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Accepted."""
        yield from ()
        self.sent.append(outgoing.text or "")
        while self.filling:
            _fill(self.filling.pop())
        return Sent(f"out-{outgoing.token}")


def _fill(made: Disk) -> None:
    made.fail("wal-write", lambda: apsw.FullError("disk full"), times=10**9)


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("said", "sent", "filling"):
        monkeypatch.setattr(Polled_, name, [])
    monkeypatch.setattr(runtime, "_PAUSE", 0.002)
    monkeypatch.setattr(supervisor, "FIRST", 0.005)
    monkeypatch.setattr(supervisor, "LONGEST", 0.02)


async def _until_sent(core: Outeract, count: int) -> None:
    async def sent() -> bool:
        return (await kinds(core.app("one"))).count("message.sent") >= count

    await until(sent)


@pytest.mark.parametrize("faults", [3, 1_000])
@pytest.mark.parametrize("when", ["before the poll", "after a request"])
async def test_serving_goes_on_when_there_is_room_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, faults: int, when: str
) -> None:
    """Full for a moment, or for ten times as long as work is patient: all is answered once, and told."""
    with disk() as made, caplog.at_level(logging.WARNING, "outeract_core"):
        async with Outeract(tmp_path / "a.db", vfs=made.name) as core:
            core.register("polled", Polled_)
            app = core.app("one")
            app.connect("polled", poll=True)
            app.on("message.inbound", name="echo")(lambda message: f"re {message.text}")
            Polled_.said.append("a")
            async with anyio.create_task_group() as group:
                group.start_soon(core.serve)
                await _until_sent(core, 1)
                if when == "before the poll":
                    _fill(made)
                else:
                    Polled_.filling.append(made)
                Polled_.said.append("b")
                await until(lambda: len(made.seen) >= faults)
                made.heal()
                Polled_.said.append("c")
                await _until_sent(core, 3)
                group.cancel_scope.cancel()
            found = await kinds(app)
    assert sorted(Polled_.sent) == ["re a", "re b", "re c"]
    assert found.count("message.inbound") == found.count("message.sent") == 3
    assert "message.unknown" not in found
    assert any("full" in record.getMessage() for record in caplog.records)


def _no_room(*_where: Any) -> None:
    raise OSError(28, "No space left on device")


async def test_a_file_for_which_there_is_no_room_is_refused_as_a_message_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DiskFull, and nothing is written; one that comes in waits, and loses no attempt by it."""
    async with Outeract(tmp_path / "a.db") as core:
        core.register("polled", Polled_)
        app = core.app("support")
        where = app.connect("polled")
        monkeypatch.setattr("outeract_core._io.disk.private.created", _no_room)
        with pytest.raises(DiskFull, match="free some"):
            await app.send(("polled", "ann"), Content("here", files=[Attachment(b"abc", "x.txt")]))
        assert await kinds(app) == []
        monkeypatch.setattr("outeract_core._inbound.downloader.Downloader._fetch", _full)
        await take(core, where, said("m1", files=(FileRef({"id": 1}, "a.txt"),)))
        for _ in range(20):
            (trouble,) = (await core.pump()).troubles
            core.runtime.database.write_now(
                lambda tx: tx.script("UPDATE file SET due = 0"), app=None
            )
        assert (trouble.doing, "no space" in trouble.reason) == ("files", True)
        assert "system.file_failed" not in await kinds(app)


async def _full(*_what: Any) -> None:
    raise DiskFull("no space left")


async def test_what_only_looks_needs_no_room(tmp_path: Path) -> None:
    """A file's applications are opened and read, while not a byte can be written."""
    with disk() as made:
        async with Outeract(tmp_path / "a.db", vfs=made.name) as core:
            core.app("support", overlap="queue").connect("console")
            _fill(made)
            again = core.app("support", overlap="queue")
            assert len((await again.events.page()).nodes) == 0
            for name, overlap in (("support", "burst"), ("another", "queue")):
                with pytest.raises(DiskFull):
                    core.app(name, overlap=overlap)
            made.heal()
            assert core.app("support", overlap="burst").config["overlap"] == "burst"
