"""The file that an import reads: read whole and believed first, within bounds; then block by block.

Knows: checksums, signatures, gzip, what is wrong with a file that was cut off, changed or made to harm.
Does not know: what the lines mean, threads, the database.

The file is somebody else's: it is read as a stream, and what it may make us hold is bounded. It may
change while it is read: so a block is compared a second time when its lines are taken.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, cast

from attrs import field, validators

from ..._domain.values.classes import frozen
from ..._store.transfer.tables import READS
from ...errors import InvalidExport
from .export_file import Owning, signature

_CHUNK = 1024 * 1024
_HEAD = 1024 * 1024
_FIRST, _CHECK, _END = b'{"outeract":{', b'{"check":{"lines":', b'{"end":{"lines":'
_BYTES = re.compile(
    rb'^\{"bytes":\{"sha256":"([0-9a-f]{64})","at":\d+,"size":\d+,"data":"[^"\\]*"\}\}$',
    re.MULTILINE,
)
"""A whole line, as an export writes it: a reader of JSON that sees another digest in it has no room to."""
_MIB = 1024 * 1024
_PACKED, _SMALL = 64, 256 * _MIB
_BLOCKS = 100_000

Signed = Literal["verified", "unverified", "no"]
"""`verified` by the key that was given; `unverified`: signed, and no key was given; or not signed."""


def _bytes(default: int) -> Any:
    return field(default=default, validator=[validators.instance_of(int), validators.ge(1)])


@frozen
class ImportLimits:
    """What an import takes from a file; more is refused, and the error names the limit.

    line    bytes of a line (32 MiB).
    block   bytes between two checks (64 MiB), which are held in memory.
    lines   lines between two checks (500,000).
    total   bytes in all, unpacked; None: as many as the file has, or of a packed one 256 MiB and 64
            times its size.
    """

    line: int = _bytes(32 * _MIB)
    block: int = _bytes(64 * _MIB)
    lines: int = _bytes(500_000)
    total: int | None = None

    def total_of(self, stream: IO[bytes]) -> int:
        """How much may come out of this file."""
        if self.total is not None:
            return self.total
        size = os.fstat(stream.fileno()).st_size
        return _SMALL + _PACKED * size if isinstance(stream, gzip.GzipFile) else size


def _too_much(what: str, name: str, most: int, line: int) -> InvalidExport:
    return InvalidExport(
        f"{what} (limit: {most:,}); if you trust the file: import_app(limits=ImportLimits({name}=…))",
        line=line,
    )


@frozen
class Block:
    """Lines between two checks: where their bytes begin and end, the number of the first; the SHA-256
    of everything up to its end.
    """

    start: int
    end: int
    line: int
    sha256: str


@frozen
class Survey:
    """A file that is whole: its header, its blocks, the facts of its last line; the digests whose bytes
    it says to bring.
    """

    header: dict[str, Any]
    blocks: tuple[Block, ...] = field(repr=False)
    end: dict[str, Any]
    brought: frozenset[str] = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of all lines before the last."""
        digest: str = self.end["sha256"]
        return digest

    def signed(self, key: bytes | None) -> Signed:
        """Whether it is signed. Raises InvalidExport when it is not by this key."""
        found = self.end.get("hmac")
        if key is None:
            return "no" if found is None else "unverified"
        last = self.end["lines"] + 1
        if found is None:
            raise InvalidExport("it is not signed, and a key was given", line=last)
        if not hmac.compare_digest(
            signature(key, self.end), str(found).encode("ascii", "replace").decode()
        ):
            raise InvalidExport("its signature is not by this key, or it was changed", line=last)
        return "verified"


def opened_for_reading(path: Path) -> IO[bytes]:
    """The file's lines as bytes, unpacked when it is gzip. Raises OSError."""
    raw = path.open("rb")
    magic = raw.read(2)
    raw.seek(0)
    return cast("IO[bytes]", Owning(raw, mode="rb")) if magic == b"\x1f\x8b" else raw


def survey(stream: IO[bytes], tick: Callable[[], None], limits: ImportLimits) -> Survey:
    """Read all of it and believe it, or raise InvalidExport. `tick` is called now and then."""
    reading = _Reading(stream, limits)
    try:
        header = _header(stream.readline(_HEAD))
        stream.seek(0)
        for chunk in _chunks(stream, reading, limits):
            tick()
            reading.take(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidExport(f"the packed file is damaged: {error}", line=reading.line()) from None
    return Survey(header, tuple(reading.blocks), reading.over(), frozenset(reading.brought))


class Rereading:
    """The same file a second time, block after block: what is taken is what was believed."""

    def __init__(self, stream: IO[bytes]) -> None:
        stream.seek(0)
        self._stream = stream
        self._position = 0
        self._digest = hashlib.sha256()

    def lines(self, block: Block) -> list[str]:
        """The lines of a block, without the header and the check. Raises InvalidExport."""
        while self._position < block.start:
            self._read(min(_CHUNK, block.start - self._position), block)
        data = self._read(block.end - block.start, block)
        if self._digest.hexdigest() != block.sha256:
            raise InvalidExport("the file was changed while it was read", line=block.line)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise InvalidExport(f"it is not UTF-8: {error}", line=block.line) from None
        lines = text.split("\n")
        lines.pop()
        return lines

    def _read(self, size: int, block: Block) -> bytes:
        data = self._stream.read(size)
        if not data:
            raise InvalidExport("the file was shortened while it was read", line=block.line)
        self._digest.update(data)
        self._position += len(data)
        return data


def _header(line: bytes) -> dict[str, Any]:
    if not line.startswith(_FIRST) or not line.endswith(b"\n"):
        raise InvalidExport("this is no export of outeract_core", line=1)
    try:
        header: dict[str, Any] = json.loads(line)["outeract"]
        if not isinstance(header, dict):
            raise TypeError("its header is no object")
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidExport(f"this is no export of outeract_core: {error}", line=1) from None
    if header.get("format") not in READS:
        raise InvalidExport(
            f"the export has format {header.get('format')!r}, this library reads {', '.join(map(str, READS))}: "
            "pip install -U outeract-core, or export it again",
            line=1,
        )
    return header


def _chunks(stream: IO[bytes], reading: _Reading, limits: ImportLimits) -> Iterator[bytes]:
    """The whole stream in pieces that end with a line."""
    while chunk := stream.read(_CHUNK):
        if not chunk.endswith(b"\n"):
            rest = stream.readline(limits.line)
            if len(rest) == limits.line and not rest.endswith(b"\n"):
                raise _too_much("a line is too long", "line", limits.line, reading.line())
            chunk += rest
        yield chunk


class _Reading:
    """A survey under way: what was read, and what it must come to."""

    def __init__(self, stream: IO[bytes], limits: ImportLimits) -> None:
        self.blocks: list[Block] = []
        self.brought: set[str] = set()
        self._limits = limits
        self._total = limits.total_of(stream)
        self._count = self._lines = 0
        self._digest = hashlib.sha256()
        self._position = 0
        self._start = (0, 1)
        self._end: dict[str, Any] | None = None

    def take(self, chunk: bytes) -> None:
        """Whole lines. Raises InvalidExport."""
        at = 0
        if b'{"bytes":' in chunk:
            self.brought.update(map(bytes.decode, _BYTES.findall(chunk)))
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
                self._start, self._lines = (self._position, lines + 2), 0

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
        return self._count + 1

    def _pass(self, chunk: bytes, start: int, end: int) -> None:
        with memoryview(chunk) as view:
            self._digest.update(view[start:end])
        self._position += end - start
        lines = chunk.count(b"\n", start, end)
        self._count, self._lines = self._count + lines, self._lines + lines
        most, first = self._limits, self._start
        if self._position > self._total:
            raise _too_much("it unpacks to too much", "total", self._total, first[1])
        if self._position - first[0] > most.block:
            raise _too_much("too much stands between two checks", "block", most.block, first[1])
        if self._lines > most.lines:
            raise _too_much(
                "too many lines stand between two checks", "lines", most.lines, first[1]
            )

    def _check(self, mark: bytes) -> int:
        """Compare what a check says with what was read; the number of lines before it."""
        try:
            ((name, facts),) = json.loads(mark).items()
            right = facts["sha256"] == self._digest.hexdigest()
            lines = facts["lines"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InvalidExport("a check that is none; was it cut off?", line=self.line()) from None
        here = self.line()
        if not right or not mark.endswith(b"\n") or lines != self._count:
            raise InvalidExport(
                f"lines {self._start[1]} to {here} are not as they were exported: something was "
                "changed, left out or moved",
                line=here,
            )
        self._note(self._position, facts["sha256"])
        if name == "end":
            self._end = facts
        return self._count

    def _note(self, end: int, sha256: str) -> None:
        start, line = self._start
        if end > start:
            self.blocks.append(Block(start, end, line, sha256))
        if len(self.blocks) > _BLOCKS:
            raise InvalidExport(f"it has more than {_BLOCKS:,} blocks", line=line)


def _mark(chunk: bytes, at: int) -> int:
    """Where the next check begins, or the end of the chunk. The last line of all ends a chunk."""
    if chunk.startswith((_CHECK, _END), at):
        return at
    place = chunk.find(b"\n" + _CHECK, at)
    if place >= 0:
        return place + 1
    last = chunk.rfind(b"\n", at, len(chunk) - 1) + 1
    return last if last > at and chunk.startswith(_END, last) else len(chunk)
