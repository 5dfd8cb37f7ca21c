"""The file that an export writes and an import reads: lines in blocks, each closed by a checksum.

Knows: blocks, SHA-256, gzip, what is wrong with a file that was cut off or changed.
Does not know: what the lines mean, threads, the database.

A line `{"check": …}` has the number of lines before it and the SHA-256 of them all, itself not
included; `{"end": …}` is the last of them. So whatever was changed, left out or moved shows in the
block where it is, and nothing of that block, or of any other, is believed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from attrs import field, frozen

from ..._io.disk import private
from ..._store.transfer.tables import READS
from ...errors import InvalidExport

BLOCK = 4 * 1024 * 1024
"""Characters after which a block is closed: about 4,000 messages, one transaction of the import."""
_CHUNK = 1024 * 1024
_HEAD = 1024 * 1024
_FIRST, _CHECK, _END = b'{"outeract":{', b'{"check":{"lines":', b'{"end":{"lines":'


# ── writing ───────────────────────────────────────────────────────────────────────────────────


class Writer:
    """Lines on their way into a stream."""

    def __init__(self, out: IO[bytes]) -> None:
        self.lines = 0
        self._out = out
        self._digest = hashlib.sha256()
        self._pending: list[str] = []
        self._size = 0

    def add(self, line: str) -> bool:
        """The next line; True when it has closed a block."""
        self._pending.append(line)
        self._size += len(line)
        if self._size < BLOCK:
            return False
        self.check()
        return True

    def check(self) -> None:
        """Close the block, unless nothing is in it."""
        if self._pending:
            self._write()
            self._close("check", {"lines": self.lines})

    def end(self, counts: dict[str, int]) -> str:
        """Close the file; the SHA-256 over all lines before the last."""
        self._write()
        return self._close("end", {"lines": self.lines, "counts": counts})

    def _write(self) -> None:
        if self._pending:
            data = ("\n".join(self._pending) + "\n").encode()
            self._digest.update(data)
            self._out.write(data)
            self.lines += len(self._pending)
            self._pending, self._size = [], 0

    def _close(self, name: str, facts: dict[str, Any]) -> str:
        digest = self._digest.hexdigest()
        line = json.dumps({name: {**facts, "sha256": digest}}, separators=(",", ":"))
        data = f"{line}\n".encode()
        self._digest.update(data)
        self._out.write(data)
        self.lines += 1
        return digest


def opened_for_writing(path: Path, zipped: bool) -> IO[bytes]:
    """A new file, its owner's alone; `zipped`: gzip, the same bytes whenever it is written."""
    raw = private.created(path)
    if not zipped:
        return raw
    return cast("IO[bytes]", _Owning(raw, filename="", mode="wb", compresslevel=4, mtime=0))


class _Owning(gzip.GzipFile):
    """gzip that closes the file under it."""

    def __init__(self, raw: IO[bytes], **options: Any) -> None:
        super().__init__(fileobj=raw, **options)
        self._raw = raw

    def close(self) -> None:
        """End the stream, then the file."""
        try:
            super().close()
        finally:
            self._raw.close()


# ── reading ───────────────────────────────────────────────────────────────────────────────────


@frozen
class Block:
    """Lines between two checks: where their bytes begin and end, and the number of the first."""

    start: int
    end: int
    line: int


@frozen
class Survey:
    """A file that is whole: its header, its blocks, the facts of its last line."""

    header: dict[str, Any]
    blocks: tuple[Block, ...] = field(repr=False)
    end: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Of all lines before the last."""
        digest: str = self.end["sha256"]
        return digest


def opened_for_reading(path: Path) -> IO[bytes]:
    """The file's lines as bytes, unpacked when it is gzip. Raises OSError."""
    raw = path.open("rb")
    magic = raw.read(2)
    raw.seek(0)
    return cast("IO[bytes]", _Owning(raw, mode="rb")) if magic == b"\x1f\x8b" else raw


def survey(stream: IO[bytes], tick: Callable[[], None]) -> Survey:
    """Read all of it and believe it, or raise InvalidExport. `tick` is called now and then."""
    reading = _Reading(stream)
    try:
        header = _header(stream.readline(_HEAD))
        stream.seek(0)
        for chunk in _chunks(stream):
            tick()
            reading.take(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidExport(f"the packed file is damaged: {error}", line=reading.line()) from None
    return Survey(header, tuple(reading.blocks), reading.over())


def lines_of(stream: IO[bytes], block: Block) -> list[str]:
    """The lines of a block, without the header and the check. Raises InvalidExport."""
    stream.seek(block.start)
    try:
        text = stream.read(block.end - block.start).decode()
    except UnicodeDecodeError as error:
        raise InvalidExport(f"it is not UTF-8: {error}", line=block.line) from None
    lines = text.split("\n")
    lines.pop()
    return lines


def _header(line: bytes) -> dict[str, Any]:
    if not line.startswith(_FIRST) or not line.endswith(b"\n"):
        raise InvalidExport("this is no export of outeract_core", line=1)
    try:
        header: dict[str, Any] = json.loads(line)["outeract"]
    except ValueError as error:
        raise InvalidExport(f"this is no export of outeract_core: {error}", line=1) from None
    if header.get("format") not in READS:
        raise InvalidExport(
            f"the export has format {header.get('format')!r}, this library reads {', '.join(map(str, READS))}: "
            "pip install -U outeract-core, or export it again",
            line=1,
        )
    return header


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The whole stream in pieces that end with a line."""
    while chunk := stream.read(_CHUNK):
        yield chunk if chunk.endswith(b"\n") else chunk + stream.readline()


class _Reading:
    """A survey under way: what was read, and what it must come to.

    Lines are counted only to name one: the checksum says that all of them are there.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.blocks: list[Block] = []
        self._stream = stream
        self._digest = hashlib.sha256()
        self._position = 0
        self._start = (0, 1)
        self._end: dict[str, Any] | None = None

    def take(self, chunk: bytes) -> None:
        """Whole lines. Raises InvalidExport."""
        at = 0
        while at < len(chunk):
            if self._end is not None:
                raise InvalidExport("the file was lengthened", line=self._start[1])
            mark = _mark(chunk, at)
            self._pass(chunk, at, mark)
            at = mark
            if mark < len(chunk):
                at = chunk.find(b"\n", mark) + 1 or len(chunk)
                lines = self._check(chunk[mark:at])
                self._pass(chunk, mark, at)
                self._start = (self._position, lines + 2)

    def over(self) -> dict[str, Any]:
        """The last line's facts. Raises InvalidExport when the file has none."""
        if self._end is None:
            last = max(1, self.line() - 1)
            raise InvalidExport(
                "this is the last line, and not an export's: the file was cut off, or lengthened",
                line=last,
            )
        return self._end

    def line(self) -> int:
        """The number of the line that is next."""
        start, line = self._start
        self._stream.seek(start)
        while start < self._position:
            chunk = self._stream.read(min(_CHUNK, self._position - start))
            line, start = line + chunk.count(b"\n"), start + len(chunk)
        return line

    def _pass(self, chunk: bytes, start: int, end: int) -> None:
        with memoryview(chunk) as view:
            self._digest.update(view[start:end])
        self._position += end - start

    def _check(self, mark: bytes) -> int:
        """Compare what a check says with what was read; the number of lines before it."""
        try:
            ((name, facts),) = json.loads(mark).items()
            right = facts["sha256"] == self._digest.hexdigest()
            lines = int(facts["lines"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidExport("a check that is none; was it cut off?", line=self.line()) from None
        if not right or not mark.endswith(b"\n"):
            here = self.line()
            raise InvalidExport(
                f"lines {self._start[1]} to {here} are not as they were exported: something was "
                "changed, left out or moved",
                line=here,
            )
        self._note(self._position)
        if name == "end":
            self._end = facts
        return lines

    def _note(self, end: int) -> None:
        start, line = self._start
        if end > start:
            self.blocks.append(Block(start, end, line))


def _mark(chunk: bytes, at: int) -> int:
    """Where the next check begins, or the end of the chunk. The last line of all ends a chunk."""
    if chunk.startswith((_CHECK, _END), at):
        return at
    place = chunk.find(b"\n" + _CHECK, at)
    if place >= 0:
        return place + 1
    last = chunk.rfind(b"\n", at, len(chunk) - 1) + 1
    return last if last > at and chunk.startswith(_END, last) else len(chunk)


def sync(stream: IO[bytes]) -> None:
    """What was written is on the disk."""
    stream.flush()
    os.fsync(stream.fileno())
