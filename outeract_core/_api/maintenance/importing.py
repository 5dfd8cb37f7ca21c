"""An exported application put into this file: read whole and believed first, then written in blocks.

Knows: threads, the order of things, that an interrupted import goes on where it was.
Does not know: the shape of lines (`_store/transfer/load.py`), checksums and bounds (`import_file.py`).

A block is one transaction, and in it stands how far the import has come. Until the last one the
application is in `importing`, so nothing opens it, sends for it or takes webhooks for it. What is
refused on the way is taken out again, rows and bytes.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any, TypeVar

import anyio.from_thread
import anyio.to_thread
from attrs import evolve

from ..._domain.rules.tenant_names import check_name
from ..._domain.values.classes import frozen
from ..._domain.values.digests import Digest
from ..._io.disk.file_store import Incoming
from ..._io.runtime import Runtime
from ..._store.transfer import importing
from ..._store.transfer.dump import KINDS
from ..._store.transfer.importing import Standing, Wanted
from ..._store.transfer.load import BadLine, Kinds, NewKind, Rows, parse
from ..._store.transfer.storing import placed, store
from ..._store.transfer.values import MOST, Bounds, number
from ..._store.writing import files, tenants
from ...driver import Tx
from ...errors import FileError, InvalidExport, StoreError
from .export import Progress
from .export_file import signing_key
from .import_file import (
    Block,
    ImportLimits,
    Rereading,
    Signed,
    Survey,
    opened_for_reading,
    survey,
)

T = TypeVar("T")
_SIZES = number(0, MOST)
_OF_ROWS = ("ConstraintError", "MismatchError", "TooBigError")
"""What SQLite raises because of what it is given, not of how the file fares."""


@frozen
class Imported:
    """What came of an import: its organisation and name, the file's SHA-256, whether it was signed."""

    organisation: str
    name: str
    sha256: str
    signed: Signed


async def import_app(
    runtime: Runtime, path: str | os.PathLike[str], name: str | None, organisation: str | None,
    progress: Progress | None, key: str | bytes | None, limits: ImportLimits | None,
) -> Imported:  # fmt: skip
    """Put the application of an export into this file.

    Raises InvalidExport, BadInput, UnfinishedImport, OSError.
    """
    secret = signing_key(key)
    stream = await anyio.to_thread.run_sync(opened_for_reading, runtime.at(path))
    run = _Import(runtime, stream, progress)
    try:
        done = await run.begin(name, organisation, secret, limits or ImportLimits())
        try:
            await run.carry_on()
            await run.finish()
        except InvalidExport:
            with anyio.CancelScope(shield=True):
                await run.undo()
            raise
    finally:
        run.drop()
    runtime.reload()
    runtime.wake()
    return done


class _Import:
    """An import under way."""

    _survey: Survey
    _standing: Standing
    _bounds: Bounds
    _again: Rereading

    def __init__(self, runtime: Runtime, stream: IO[bytes], progress: Progress | None) -> None:
        self._runtime = runtime
        self._stream = stream
        self._progress = progress
        self._kinds = Kinds()
        self._file: Incoming | None = None
        self._settled: list[Digest] = []
        self._app: int | None = None  # it is not there yet

    async def begin(
        self, name: str | None, organisation: str | None, key: bytes | None, limits: ImportLimits
    ) -> Imported:
        """Read the file whole; make the application, or find where it was left."""
        tick = anyio.from_thread.check_cancelled
        self._survey = await anyio.to_thread.run_sync(survey, self._stream, tick, limits)
        signed = self._survey.signed(key)
        wanted = _wanted(self._survey, name, organisation)
        believed = signed == "verified"
        self._bounds = Bounds(
            wanted.header["last"], wanted.header["connections"],
            None if believed else self._survey.brought,
        )  # fmt: skip
        self._again = Rereading(self._stream)
        self._standing = await self._write(lambda tx: importing.begin(tx, wanted))
        self._app = self._standing.app
        self._kinds = Kinds(
            await self._write(lambda tx: {name: number for number, name in tx.all(KINDS)})
        )
        return Imported(wanted.organisation, wanted.name, wanted.source, signed)

    async def carry_on(self) -> None:
        """Every block that is not in the file yet, each in a transaction.

        One after the other: a thread that took the next one apart meanwhile would keep the
        interpreter from the writer, which asks for it after every row.
        """
        for block in self._survey.blocks:
            if block.start >= self._standing.position:
                rows = await self._rows(block)
                await self._store(block, rows)

    async def finish(self) -> None:
        """The application is whole."""
        if self._file is not None:
            raise InvalidExport("a file has no end", line=self._survey.end["lines"])
        standing = self._standing
        await self._write(lambda tx: importing.finish(tx, standing, standing.position))

    async def undo(self) -> None:
        """Nothing of it is left: rows, and bytes that nobody else has."""
        app = self._standing.app
        await self._write(lambda tx: importing.undo(tx, app))
        for digest in self._settled:
            used = await self._write(partial(_is_used, digest))
            if not used:
                await anyio.to_thread.run_sync(self._runtime.folder.drop, digest)

    def drop(self) -> None:
        """Let go of the stream, and of half a file."""
        self._stream.close()
        if self._file is not None:
            self._file.drop()

    # ── one block ─────────────────────────────────────────────────────────────────────────────

    async def _rows(self, block: Block) -> Rows:
        """What it holds, taken apart in a worker thread; new types get their numbers."""
        lines = await anyio.to_thread.run_sync(self._again.lines, block)
        if block.line == 1:
            del lines[0]
        while True:
            try:
                return await anyio.to_thread.run_sync(self._read, block, lines)
            except NewKind as error:
                self._kinds[error.name] = await self._write(partial(_number, error.name))

    def _read(self, block: Block, lines: list[str]) -> Rows:
        try:
            rows = parse(lines, self._kinds, self._bounds)
            for place, blob in enumerate(rows.blobs):
                self._take(place, blob)
        except BadLine as error:
            raise InvalidExport(str(error), line=_line(block, error)) from None
        if rows.blobs and len(rows.blobs) != len(lines):
            raise InvalidExport("bytes of files have blocks of their own", line=block.line)
        try:
            return placed(rows, self._kinds, self._standing.remap)
        except ValueError as error:
            raise _cannot_be(error, block) from None

    async def _store(self, block: Block, rows: Rows) -> None:
        if self._file is not None:
            return  # an import that is taken up here would have to begin the file anew
        was, standing = self._standing.position, self._standing

        def unit(tx: Tx) -> None:
            importing.moved(tx, standing.app, was, block.line, block.end)
            store(tx, rows, standing.remap)

        try:
            await self._write(unit)
        except (StoreError, ValueError, TypeError, OverflowError) as error:
            if isinstance(error, StoreError) and type(error.__cause__).__name__ not in _OF_ROWS:
                raise
            raise _cannot_be(error, block) from error
        self._standing = evolve(standing, position=block.end)
        if self._progress is not None and rows.events:
            self._progress(rows.events[-1][0] - standing.remap.base, standing.remap.last)

    # ── bytes ─────────────────────────────────────────────────────────────────────────────────

    def _take(self, place: int, blob: Mapping[str, Any]) -> None:
        """A piece of a file. Raises BadLine."""
        try:
            digest = Digest(blob["sha256"])
            if blob == {"sha256": digest, "missing": True}:
                return
            data = base64.b64decode(blob["data"], validate=True)
            at, size = blob["at"], blob["size"]
            if len(blob) != 4 or not _SIZES.right((at, size), nullable=False):
                raise TypeError("at and size are numbers of bytes, and nothing else is in it")
        except (KeyError, TypeError, ValueError, FileError) as error:
            raise BadLine(place, f"no piece of a file: {error}") from None
        if size > self._runtime.folder.limit:
            raise BadLine(
                place,
                f"a file of {size:,} bytes; Outeract(file_limit=) is {self._runtime.folder.limit:,}",
            )
        if at == 0 and self._file is None:
            self._file = Incoming(self._runtime.folder)
        if self._file is None or self._file.size != at or at + len(data) > size:
            raise BadLine(place, "a piece of a file that does not follow the one before")
        self._file.write(data)
        if self._file.size >= size:
            whole, self._file = self._file, None
            if not whole.settle(digest):
                raise BadLine(place, "the bytes of a file do not have their SHA-256")
            self._settled.append(digest)

    async def _write(self, unit: Callable[[Tx], T]) -> T:
        return await self._runtime.write(unit, app=self._app)


def _number(name: str, tx: Tx) -> int:
    return tx.kind(name)


def _is_used(digest: Digest, tx: Tx) -> bool:
    return files.is_used(tx, digest)


def _cannot_be(error: Exception, block: Block) -> InvalidExport:
    """What is refused and has no line of its own: by the file itself, or of many rows at once."""
    return InvalidExport(
        f"in the block that begins here something cannot be: {error}", line=block.line
    )


def _line(block: Block, error: BadLine) -> int:
    return block.line + (1 if block.line == 1 else 0) + error.index


def _wanted(found: Survey, name: str | None, organisation: str | None) -> Wanted:
    """What the header asks for, checked. Raises InvalidExport, BadInput."""
    header = found.header
    try:
        importing.check_header(header)
        tenants.check_config(importing.config_of(header))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidExport(f"the header is not as it should be: {error}", line=1) from None
    name = header["application"]["name"] if name is None else name
    organisation = header["organisation"]["name"] if organisation is None else organisation
    check_name("an organisation", organisation)
    check_name("an application", name)
    return Wanted(header, found.sha256, organisation, name)
