"""An export: one snapshot of one application as lines of JSON, everything that is its own and no more."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core._store.transfer import tables
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, said, take
from tests.support.transfer import PICTURE, SPACED, columns_of, full, tables_of

pytestmark = pytest.mark.anyio


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of an export, read by somebody who knows JSON and nothing else."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def of(path: Path, name: str) -> list[dict[str, Any]]:
    """The lines of one kind."""
    return [line for line in lines(path) if name in line]


async def test_every_table_is_exported_or_is_known_to_be_none_of_the_applications(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """A table or column that is added to the schema must be exported, or be named as left out."""
    await app.search("words")
    await app.export(tmp_path / "a.ndjson")
    path = Path(core.path)
    known = {
        *tables.TABLES,
        *tables.LOG,
        *tables.DERIVED,
        *tables.GLOBAL,
        *tables.FLEETING,
    }
    assert {name for name in tables_of(path) if not name.startswith("search_index")} == known
    for name, table in tables.TABLES.items():
        left_out = tables.LEFT_OUT.get(name, frozenset())
        assert set(columns_of(path, name)) == {*table.names, *left_out}, name
    for name, columns in tables.LOG.items():
        assert columns_of(path, name) == columns


async def test_an_export_has_lines_of_every_table(
    core: Outeract, app: App, clock: ManualClock, tmp_path: Path
) -> None:
    """A file in which everything has happened gives at least one line of each table, and counts them."""
    await full(core, app, clock)
    done = await app.export(tmp_path / "a.ndjson")
    found = lines(tmp_path / "a.ndjson")
    names = [next(iter(line)) for line in found]
    assert set(names) == {*tables.TABLES, "outeract", "event", "edge", "bytes", "check", "end"}
    assert done.counts == {name: names.count(name) for name in done.counts}
    assert (done.events, done.files, done.missing) == (names.count("event"), 3, 0)
    assert (done.lines, done.sha256) == (len(found), found[-1]["end"]["sha256"])


async def test_the_checksums_are_of_all_lines_before(
    core: Outeract, app: App, clock: ManualClock, tmp_path: Path
) -> None:
    """Each check, and the end, has the SHA-256 and the number of the lines that stand before it."""
    await full(core, app, clock)
    await app.export(tmp_path / "a.ndjson")
    before: list[bytes] = []
    for line in (tmp_path / "a.ndjson").read_bytes().splitlines(keepends=True):
        ((name, facts),) = (
            json.loads(line).items() if line[:8] in (b'{"check"', b'{"end":{') else [("", {})]
        )
        if name:
            assert facts["lines"] == len(before)
            assert facts["sha256"] == hashlib.sha256(b"".join(before)).hexdigest()
        before.append(line)
    assert name == "end"


async def test_texts_stand_in_their_lines_as_they_are_stored(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """Payload and raw item are nested JSON for other programs; where that cannot be, they are spelt."""
    plain = connect(core, app)
    await take(core, plain, said("m1", text="one line"))
    from outeract_core.events import Fact

    await take(core, plain, Fact("message.edited", "e1", {"x": 1}, raw=SPACED))
    await app.export(tmp_path / "a.ndjson")
    first, second = of(tmp_path / "a.ndjson", "event")
    assert first["payload"]["message"]["text"] == "one line"
    assert first["raw"] == {"text": "one line", "id": "m1"}
    assert second["payload"] == {"x": 1}
    assert second["raw_text"] == SPACED.decode()
    assert "raw" not in second


async def test_the_bytes_of_files_stand_in_pieces(
    core: Outeract, app: App, clock: ManualClock, tmp_path: Path
) -> None:
    """Each file's bytes are there once, in order; those that have gone are named; or none are wanted."""
    await full(core, app, clock)
    await app.files.add(PICTURE, filename="the same again")
    gone = await app.files.add(b"gone")
    (await app.files.path(gone)).unlink()
    done = await app.export(tmp_path / "a.ndjson")
    pieces = [line["bytes"] for line in of(tmp_path / "a.ndjson", "bytes")]
    stored: dict[str, bytes] = {}
    for piece in pieces:
        if piece.get("missing"):
            assert piece["sha256"] == hashlib.sha256(b"gone").hexdigest()
            continue
        data = stored.get(piece["sha256"], b"")
        assert piece["at"] == len(data)
        stored[piece["sha256"]] = data + base64.b64decode(piece["data"])
    assert {hashlib.sha256(data).hexdigest() for data in stored.values()} == set(stored)
    assert set(stored.values()) == {PICTURE, b""}
    assert (len(pieces), done.missing) == (4, 1)
    assert (await app.export(tmp_path / "b.ndjson", files=False)).counts.get("bytes") is None


async def test_an_export_is_of_one_moment(core: Outeract, app: App, tmp_path: Path) -> None:
    """What is committed while an export is under way is not in it, neither whole nor in part."""
    plain = connect(core, app)
    for start in range(0, 6000, 1000):
        await take(core, plain, *(said(f"m{start + n}", text="x" * 1000) for n in range(1000)))
    began = anyio.Event()

    async def disturb() -> None:
        await began.wait()
        await take(core, plain, said("meanwhile", "somebody new"))

    async with anyio.create_task_group() as group:
        group.start_soon(disturb)
        await app.export(tmp_path / "a.ndjson", progress=lambda _done, _of: began.set())
    assert began.is_set()
    assert await app.events.by_external_id(plain, "meanwhile")
    assert "meanwhile" not in (tmp_path / "a.ndjson").read_text()
    assert "Somebody New" not in (tmp_path / "a.ndjson").read_text()
    assert len(of(tmp_path / "a.ndjson", "event")) == 6000


async def test_another_application_is_not_in_it(core: Outeract, app: App, tmp_path: Path) -> None:
    """Nothing that only another application of the file has is to be found in an export."""
    other = core.app("other")
    await take(core, connect(core, other), said("m1", "mallory", "a foreign word"))
    await other.emit("foreign.type", {})
    await take(core, connect(core, app), said("m1", "alice", "an own word"))
    await app.export(tmp_path / "a.ndjson")
    text = (tmp_path / "a.ndjson").read_text()
    assert "own word" in text
    assert not [word for word in ("mallory", "Mallory", "foreign") if word in text]


async def test_progress_is_told_and_a_cancelled_export_leaves_nothing(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """Progress goes up to the number of nodes; cancelled, no file is left, not even a part of one."""
    plain = connect(core, app)
    for start in range(0, 9000, 1000):
        await take(core, plain, *(said(f"m{start + n}", text="x" * 1000) for n in range(1000)))
    told: list[tuple[int, int]] = []
    await app.export(tmp_path / "a.ndjson", progress=lambda *n: told.append(n))
    assert told == sorted(told)
    assert len(told) >= 3
    assert {of for _done, of in told} == {9000 + 4}
    with anyio.CancelScope() as scope:
        await app.export(tmp_path / "b.ndjson", progress=lambda *_: scope.cancel())
    assert scope.cancelled_caught
    assert [p.name for p in tmp_path.iterdir() if "ndjson" in p.name] == ["a.ndjson"]


async def test_streams_and_packed_files_have_the_same_lines(
    core: Outeract, app: App, clock: ManualClock, tmp_path: Path
) -> None:
    """A stream, a file and a packed file hold the same; a packed one is the same each time."""
    await full(core, app, clock)
    stream = io.BytesIO()
    await app.export(stream)
    await app.export(tmp_path / "a.ndjson")
    await app.export(tmp_path / "a.ndjson.gz")
    await app.export(tmp_path / "b.ndjson.gz")
    packed = (tmp_path / "a.ndjson.gz").read_bytes()
    assert stream.getvalue() == (tmp_path / "a.ndjson").read_bytes() == gzip.decompress(packed)
    assert packed == (tmp_path / "b.ndjson.gz").read_bytes()


async def test_a_folder_that_is_not_there_is_the_systems_error(app: App, tmp_path: Path) -> None:
    """An export that cannot be written raises OSError."""
    with pytest.raises(FileNotFoundError):
        await app.export(tmp_path / "no folder" / "a.ndjson")
