"""What an import refuses: files that are none, or not as they were written; and with what words."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._api.maintenance import export_file
from outeract_core.errors import InvalidExport, StoreError
from tests.support.transfer import exported_whole, rows

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
TABLES = ("application", "organisation", "importing", "event", "person", "counter")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The export of an application in which everything has happened, in many blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_file, "BLOCK", 4_000)
        return exported_whole(tmp_path_factory.mktemp("original"))


@pytest.fixture
def exported(original: bytes, tmp_path: Path) -> Path:
    """The same in a file of the test's own."""
    (tmp_path / "a.ndjson").write_bytes(original)
    return tmp_path / "a.ndjson"


async def _refused(path: Path) -> InvalidExport:
    """The error; nothing of the file was written."""
    async with Outeract(path.with_name("new.db"), durability="normal") as new:
        with pytest.raises(InvalidExport) as caught:
            await new.import_app(path)
        assert not new.runtime.conns()
    assert not [table for table in TABLES if rows(path.with_name("new.db"), table)]
    return caught.value


def _changed(path: Path, change: Callable[[list[bytes]], Any]) -> Path:
    """The file with its lines changed."""
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))
    return path


@pytest.mark.parametrize("what", [b"", b"{}\n", b"[1, 2]\n", b"\x00\xff\xfe\n", b'{"outeract":{\n',
                                  b"name;age\nann;7\n", b"SQLite format 3\x00"])  # fmt: skip
async def test_another_file_is_refused(tmp_path: Path, what: bytes) -> None:
    """What is no export is called so, at its first line, and nothing is written."""
    (tmp_path / "a.ndjson").write_bytes(what)
    error = await _refused(tmp_path / "a.ndjson")
    assert error.line == 1
    assert str(error).startswith("line 1: this is no export of outeract_core")


async def test_a_newer_format_is_refused(exported: Path) -> None:
    """A format that this library does not know is named, with the remedy."""

    def newer(lines: list[bytes]) -> None:
        lines[0] = lines[0].replace(b'"format":3', b'"format":99')

    error = await _refused(_changed(exported, newer))
    assert "has format 99, this library reads 1, 2, 3: pip install -U outeract-core" in str(error)


@pytest.mark.parametrize("seed", range(6))
async def test_a_file_that_was_cut_off_is_refused(exported: Path, seed: int) -> None:
    """Wherever the file ends before its end, the last line there is gets named."""
    data = exported.read_bytes()
    end = random.Random(seed).randrange(len(data.splitlines(keepends=True)[0]), len(data) - 1)
    exported.write_bytes(data[:end])
    error = await _refused(exported)
    assert "cut off" in str(error) or "are not as they were exported" in str(error)
    assert abs(error.line - data[:end].count(b"\n")) <= 1


@pytest.mark.parametrize("seed", range(6))
async def test_one_changed_character_is_found_in_its_block(exported: Path, seed: int) -> None:
    """A single byte that is another anywhere in the file is found, and the block of lines is named."""
    chance = random.Random(seed)
    lines = exported.read_bytes().splitlines(keepends=True)
    index = chance.randrange(1, len(lines) - 1)
    at = chance.randrange(len(lines[index]) - 1)
    changed = bytes([lines[index][at] ^ 1])
    lines[index] = lines[index][:at] + changed + lines[index][at + 1 :]
    exported.write_bytes(b"".join(lines))
    error = await _refused(exported)
    assert error.line >= index + 1
    if "lines" in str(error):
        first = int(str(error).split("lines ")[1].split(" ")[0])
        assert first <= index + 1 <= error.line


MOVES: dict[str, Callable[[list[bytes]], Any]] = {
    "reordered": lambda lines: lines.insert(20, lines.pop(21)),
    "left out": lambda lines: lines.pop(20),
    "twice": lambda lines: lines.insert(20, lines[20]),
    "two blocks": lambda lines: lines.insert(2, lines.pop(60)),
}


@pytest.mark.parametrize("what", MOVES)
async def test_lines_in_another_order_are_refused(exported: Path, what: str) -> None:
    """Lines that were moved, left out or doubled are noticed, and where."""
    error = await _refused(_changed(exported, MOVES[what]))
    assert "something was changed, left out or moved" in str(error)


async def test_nothing_may_follow_the_end(exported: Path) -> None:
    """What stands behind the last line makes the file another one."""
    count = len(exported.read_bytes().splitlines())
    error = await _refused(_changed(exported, lambda lines: lines.append(b"{}\n")))
    assert (error.line, "lengthened" in str(error)) == (count + 1, True)


async def test_a_damaged_packed_file_is_refused(exported: Path) -> None:
    """A gzip file that is cut off, or has another byte, is refused like a plain one."""
    path = exported.with_suffix(".ndjson.gz")
    data = gzip.compress(exported.read_bytes())
    for damaged in (data[: len(data) // 2], data[:-4], data[:2000] + b"\x00" * 8 + data[2008:]):
        path.write_bytes(damaged)
        await _refused(path)


# ── forged: the checksums are right, the content is not ──────────────────────────────────────


def _forged(path: Path, change: Callable[[list[bytes]], Any]) -> Path:
    """The file with its lines changed and its checksums made anew, as a forger would."""
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    digest = hashlib.sha256()
    for n, line in enumerate(lines):
        if line.startswith((b'{"check":', b'{"end":')):
            ((name, facts),) = json.loads(line).items()
            facts |= {"lines": n, "sha256": digest.hexdigest()}
            order = {k: facts[k] for k in ("lines", "counts", "sha256") if k in facts}
            lines[n] = json.dumps({name: order}, separators=(",", ":")).encode() + b"\n"
        digest.update(lines[n])
    path.write_bytes(b"".join(lines))
    return path


def _in(table: str, old: str, new: str) -> Callable[[list[bytes]], int]:
    """Replace in the last line of a table; the line's number."""

    def change(lines: list[bytes]) -> int:
        (*_, at) = [n for n, line in enumerate(lines) if line.startswith(f'{{"{table}":'.encode())]
        text = lines[at].decode()
        assert old in text, text
        lines[at] = text.replace(old, new, 1).encode()
        return at + 1

    return change


NUMBERS = {
    "puser": '"person":',
    "event": '"n":',
    "outbox": '"lane":',
    "delivery": '"event":',
    "handled": '"event":',
    "conversation": '"last":',
    "erasure": '"event":',
}


@pytest.mark.parametrize(
    "number", ["-1", "0", "1099511627777", "4398046511104", '"7"', "1.5", "[]"]
)
@pytest.mark.parametrize("table", NUMBERS)
async def test_no_number_leads_into_another_application(
    exported: Path, table: str, number: str
) -> None:
    """A forged number outside of the application's own is refused; the file stays as sound as it was."""
    key = NUMBERS[table]
    _forged(exported, _in(table, key, f'{key}{number},"was":' if table == "event" else key))
    if table != "event":
        _forged(exported, lambda lines: _renumber(lines, table, key, number))
    async with Outeract(exported.with_name("new.db"), durability="normal") as new:
        stranger = new.app("stranger", organisation="theirs")
        await stranger.emit("own.type", {})
        before = await stranger.events.count()
        with pytest.raises((InvalidExport, StoreError)):
            await new.import_app(exported)
        assert await stranger.events.count() == before
    keys = [row[0] for row in rows(exported.with_name("new.db"), "event")]
    assert all(key >> 40 in (1, 2) for key in keys)


def _renumber(lines: list[bytes], table: str, key: str, number: str) -> None:
    (*_, at) = [n for n, line in enumerate(lines) if line.startswith(f'{{"{table}":'.encode())]
    row = json.loads(lines[at])
    row[table][key.strip('":')] = json.loads(number)
    lines[at] = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("event", '"sizes":[', '"sizes":[1'),
        ("event", '"type":"', '"typ":"'),
        ("event", '"id":"', '"id":"zz'),
        ("person", '"name":', '"nam":'),
        ("person", '"name":', '"more":1,"name":'),
        ("person", '{"person":', '{"no_such_table":'),
        ("person", '{"person":', '{"sqlite_master":'),
        ("bytes", '"data":"', '"data":"!'),
        ("bytes", '"at":', '"at":7'),
        ("event_schema", "}}", "}"),
    ],
)
async def test_a_forged_line_is_named(exported: Path, table: str, old: str, new: str) -> None:
    """A line that no export writes is named by its number, and what is wrong with it."""
    found: list[int] = []
    _forged(exported, lambda lines: found.append(_in(table, old, new)(lines)))
    async with Outeract(exported.with_name("new.db"), durability="normal") as other:
        with pytest.raises(InvalidExport) as caught:
            await other.import_app(exported)
    assert caught.value.line == found[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"last":', '"last":"x","was":'),
        ('"last":', '"last":99999999999999,"was":'),
        ('\\"overlap\\":\\"burst\\"', '\\"overlap\\":\\"never\\"'),
        ('"config":"', '"config":"['),
        ('"connections":', '"connection":'),
        ('"application":', '"app":'),
    ],
)
async def test_a_forged_header_is_refused(exported: Path, old: str, new: str) -> None:
    """A header that would harm the other applications of the file is refused before anything is written."""
    _forged(exported, lambda lines: _in("outeract", old, new)(lines))
    assert (await _refused(exported)).line == 1


async def test_a_packed_file_needs_no_name_that_says_so(exported: Path) -> None:
    """Whether a file is packed is seen in its bytes."""
    exported.write_bytes(gzip.compress(exported.read_bytes()))
    async with Outeract(exported.with_name("new.db"), durability="normal") as new:
        assert (await new.import_app(exported)).name == "support"
