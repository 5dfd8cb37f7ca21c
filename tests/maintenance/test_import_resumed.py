"""An import that is interrupted: nobody takes it for whole, and it goes on where it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core._api.maintenance import export_file
from outeract_core._cli import main
from outeract_core._io.disk import file_store
from outeract_core.errors import OuteractError, UnfinishedImport
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, said, take
from tests.support.store.process import other
from tests.support.transfer import confirm, everything, full, is_well

pytestmark = pytest.mark.anyio


class Interrupted(Exception):
    """What a test's progress raises."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks, so that there is much to interrupt."""
    monkeypatch.setattr(export_file, "BLOCK", 2_000)


@pytest.fixture
async def exported(core: Outeract, app: App, clock: ManualClock, tmp_path: Path) -> Path:
    """The export of an application in which everything has happened."""
    await full(core, app, clock)
    await app.export(tmp_path / "a.ndjson")
    return tmp_path / "a.ndjson"


def _after(blocks: int) -> Callable[[int, int], None]:
    """A progress that interrupts after so many blocks with events."""
    left = iter(range(blocks - 1))

    def progress(_done: int, _of: int) -> None:
        if next(left, None) is None:
            raise Interrupted

    return progress


async def _interrupted(core: Outeract, path: Path, blocks: int = 3) -> None:
    with pytest.raises(Interrupted):
        await core.import_app(path, progress=_after(blocks))


async def test_an_interrupted_import_goes_on_and_ends_equal(
    core: Outeract, exported: Path, tmp_path: Path
) -> None:
    """Interrupted after every block with events, it comes to the rows that were exported."""
    told: list[int] = []

    def progress(done: int, _of: int) -> None:
        told.append(done)
        raise Interrupted

    async with Outeract(tmp_path / "new.db", durability="normal") as new:
        for _ in range(1000):
            try:
                confirm(new, await new.import_app(exported, progress=progress))
                break
            except Interrupted:
                continue
        assert is_well(new)
    core.close()
    assert len(told) >= 5
    assert told == sorted(set(told)), "no block was written twice"
    assert everything(tmp_path / "new.db") == everything(tmp_path / "bot.db")


async def test_an_unfinished_import_is_not_served(
    app: App, clock: ManualClock, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be opened, takes no webhooks, sends nothing; and other applications go on."""

    def torn(_self: Any, _chunk: bytes) -> None:
        raise Interrupted  # everything is in the file by then, but the bytes of files

    (before, _second) = app.connections()
    clock.advance(1001 * 86_400)
    async with Outeract(tmp_path / "new.db", clock=clock, durability="normal") as new:
        own = connect(new, new.app("own"))
        with monkeypatch.context() as patch, pytest.raises(Interrupted):
            patch.setattr(file_store.Incoming, "write", torn)
            await new.import_app(exported)
        queued = new.runtime.database.read(lambda tx: tx.dynamic("SELECT id FROM outbox", {}))
        assert len(queued) >= 2
        with pytest.raises(UnfinishedImport, match="default/support is not whole"):
            new.app("support")
        assert (await take(new, before, said("while importing"))).status == 404
        await take(new, own, said("to the other"))
        assert (await new.pump()).sent == 0
        moved = await new.import_app(exported)
        assert [c.id for c in moved.connections()] == [c.id for c in app.connections()]
        assert (await new.pump()).sent == 0
        confirm(new, moved)
        assert (await new.pump()).sent >= 2


async def test_the_doctor_names_an_unfinished_import(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The doctor says what is not whole, and what to do; afterwards all is well."""
    file = str(tmp_path / "new.db")
    async with Outeract(file) as new:
        await _interrupted(new, exported)
    assert await anyio.to_thread.run_sync(main, ["doctor", file]) == 1
    assert "default/support is an unfinished import" in capsys.readouterr().out
    assert await anyio.to_thread.run_sync(main, ["import", file, str(exported)]) == 0
    await anyio.to_thread.run_sync(main, ["doctor", file])
    assert "unfinished" not in capsys.readouterr().out


async def test_it_goes_on_with_its_own_file_only(app: App, exported: Path, tmp_path: Path) -> None:
    """Another export, even of the same application, cannot take the place of the first."""
    await app.emit("one.more", {})
    await app.export(tmp_path / "b.ndjson")
    async with Outeract(tmp_path / "new.db", durability="normal") as new:
        await _interrupted(new, exported)
        with pytest.raises(UnfinishedImport, match="from another file"):
            await new.import_app(tmp_path / "b.ndjson")
        assert (await new.import_app(exported)).name == "support"


async def test_a_cancelled_import_goes_on(exported: Path, tmp_path: Path) -> None:
    """Cancelled between two blocks, or while one is written, it is taken up later."""
    async with Outeract(tmp_path / "new.db", durability="normal") as new:
        with anyio.CancelScope() as scope:
            await new.import_app(exported, progress=lambda *_: scope.cancel())
        assert scope.cancelled_caught
        with pytest.raises(UnfinishedImport):
            new.app("support")
        await new.import_app(exported)
        assert is_well(new)


async def test_half_a_file_is_not_kept(
    app: App, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the middle of a file's bytes, the file is begun anew and comes out whole."""
    data = bytes(range(256)) * 12_000
    file = await app.files.add(data)
    await app.export(tmp_path / "b.ndjson")
    assert exported.exists()
    full_disk = iter([None])
    write = file_store.Incoming.write

    def torn(self: Any, chunk: bytes) -> None:
        write(self, chunk)
        if self.size > 1_000_000 and next(full_disk, 0) is None:
            raise OSError("no space left")

    monkeypatch.setattr(file_store.Incoming, "write", torn)
    async with Outeract(tmp_path / "new.db", durability="normal") as new:
        with pytest.raises(OSError, match="no space"):
            await new.import_app(tmp_path / "b.ndjson")
        assert not list((tmp_path / "new.db.files").glob(".part*"))
        moved = await new.import_app(tmp_path / "b.ndjson")
        assert await moved.files.read(file.id) == data


async def test_two_imports_at_once_do_not_mix(exported: Path, tmp_path: Path) -> None:
    """Of two that write the same application one wins each block; the rows come out once."""
    ended: list[str] = []
    async with (
        Outeract(tmp_path / "new.db", durability="normal") as new,
        Outeract(tmp_path / "new.db", durability="normal") as too,
    ):

        async def run(core: Outeract) -> None:
            try:
                await core.import_app(exported)
                ended.append("whole")
            except OuteractError as error:
                ended.append(type(error).__name__)

        async with anyio.create_task_group() as group:
            group.start_soon(run, new)
            group.start_soon(run, too)
        assert set(ended) <= {"whole", "LeaseLost", "BadInput"}
        if "whole" not in ended:
            await new.import_app(exported)
        assert is_well(new)
        app = confirm(new, new.app("support"))
        await app.export(tmp_path / "b.ndjson")
    assert (tmp_path / "b.ndjson").read_bytes() == exported.read_bytes()


# ── kill -9 ───────────────────────────────────────────────────────────────────────────────────


async def _many(core: Outeract, app: App, path: Path) -> PlatformConnection:
    plain = connect(core, app)
    for start in range(0, 1000, 500):
        await take(core, plain, *(said(f"m{start + n}", f"p{n % 7}") for n in range(500)))
    await app.files.add(bytes(range(256)) * 5_000)
    await app.export(path)
    return plain


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_killed_again_and_again_it_ends_equal(
    core: Outeract, app: App, tmp_path: Path, seed: int
) -> None:
    """A process that is killed anywhere in an import leaves a file in which the next goes on."""
    chance, path = random.Random(seed), tmp_path / "a.ndjson"
    await _many(core, app, path)
    core.close()

    def torn() -> int:
        """Kill imports until one ends; how many were killed."""
        for killed in range(20):
            with other("import", tmp_path / "new.db", str(path)) as process:
                stop = chance.randrange(20, 60)
                heard = [process.hear() for _ in range(stop)]
                if "" in heard:
                    return killed
                process.kill()
        raise AssertionError("it never ends")

    assert await anyio.to_thread.run_sync(torn) >= 2
    async with Outeract(tmp_path / "new.db", durability="normal") as new:
        assert is_well(new)
        moved = confirm(new, new.app("support"))
        await moved.export(tmp_path / "b.ndjson")
    assert (tmp_path / "b.ndjson").read_bytes() == path.read_bytes()
    assert everything(tmp_path / "new.db") == everything(tmp_path / "bot.db")
