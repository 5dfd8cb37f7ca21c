"""An exported application put into this file: read whole and believed first, then written in blocks.

Knows: threads, the order of things, that an interrupted import goes on where it was.
Does not know: the shape of lines (`_store/transfer/load.py`), checksums (`export_file.py`).

A block is one transaction, and in it stands how far the import has come. Until the last one the
application is in `importing`, so nothing opens it, sends for it or takes webhooks for it.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any, TypeVar

import anyio.from_thread
import anyio.to_thread
from attrs import evolve

from ..._domain.rules.tenant_names import check_name
from ..._domain.values.ids import SHIFT
from ..._io.disk.file_store import Incoming
from ..._io.runtime import Runtime
from ..._store.engine.sqlite import Connection
from ..._store.transfer import importing
from ..._store.transfer.dump import KINDS
from ..._store.transfer.importing import Standing, Wanted
from ..._store.transfer.load import BadLine, Kinds, NewKind, Rows, parse, store
from ..._store.writing import tenants
from ...errors import InvalidExport, StoreError
from .export import Progress
from .export_file import Block, Survey, lines_of, opened_for_reading, survey

T = TypeVar("T")
_OF_ROWS = ("ConstraintError", "MismatchError", "TooBigError")
"""What SQLite raises because of what it is given, not of how the file fares."""


async def import_app(
    runtime: Runtime, path: str | os.PathLike[str], name: str | None, organisation: str | None,
    progress: Progress | None,
) -> tuple[str, str]:  # fmt: skip
    """Put the application of an export into this file; its organisation and name.

    Raises InvalidExport, BadInput, UnfinishedImport, OSError.
    """
    stream = await anyio.to_thread.run_sync(opened_for_reading, runtime.at(path))
    run = _Import(runtime, stream, progress)
    try:
        wanted = await run.begin(name, organisation)
        await run.carry_on()
        await run.finish()
    finally:
        run.drop()
    runtime.reload()
    runtime.wake()
    return wanted.organisation, wanted.name


class _Import:
    """An import under way."""

    _survey: Survey
    _standing: Standing

    def __init__(self, runtime: Runtime, stream: IO[bytes], progress: Progress | None) -> None:
        self._runtime = runtime
        self._stream = stream
        self._progress = progress
        self._kinds = Kinds()
        self._file: Incoming | None = None

    async def begin(self, name: str | None, organisation: str | None) -> Wanted:
        """Read the file whole; make the application, or find where it was left."""
        tick = anyio.from_thread.check_cancelled
        self._survey = await anyio.to_thread.run_sync(survey, self._stream, tick)
        wanted = _wanted(self._survey, name, organisation)
        self._standing = await self._write(lambda tx: importing.begin(tx, wanted))
        self._kinds = Kinds(
            await self._write(lambda tx: {name: number for number, name in tx.all(KINDS)})
        )
        return wanted

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

    def drop(self) -> None:
        """Let go of the stream, and of half a file."""
        self._stream.close()
        if self._file is not None:
            self._file.drop()

    # ── one block ─────────────────────────────────────────────────────────────────────────────

    async def _rows(self, block: Block) -> Rows:
        """What it holds, taken apart in a worker thread; new types get their numbers."""
        while True:
            try:
                return await anyio.to_thread.run_sync(self._read, block)
            except NewKind as error:
                self._kinds[error.name] = await self._write(partial(_number, error.name))

    def _read(self, block: Block) -> Rows:
        lines = lines_of(self._stream, block)
        first = 1 if block.line == 1 else 0
        try:
            rows = parse(lines[first:], self._kinds)
            for place, blob in enumerate(rows.blobs):
                self._take(place, blob)
        except BadLine as error:
            raise InvalidExport(str(error), line=block.line + first + error.index) from None
        return rows

    async def _store(self, block: Block, rows: Rows) -> None:
        if self._file is not None:
            return  # an import that is taken up here would have to begin the file anew
        was, standing = self._standing.position, self._standing

        def unit(tx: Connection) -> None:
            importing.moved(tx, standing.app, was, block.line, block.end)
            store(tx, standing.app, rows, standing.remap)

        try:
            await self._write(unit)
        except (StoreError, ValueError, TypeError, OverflowError) as error:
            if isinstance(error, StoreError) and type(error.__cause__).__name__ not in _OF_ROWS:
                raise
            raise InvalidExport(
                f"in the block that begins here something cannot be: {error}", line=block.line
            ) from error
        self._standing = evolve(standing, position=block.end)
        if self._progress is not None and rows.events:
            self._progress(rows.events[-1][0], standing.remap.last)

    # ── bytes ─────────────────────────────────────────────────────────────────────────────────

    def _take(self, place: int, blob: Mapping[str, Any]) -> None:
        """A piece of a file. Raises BadLine."""
        if blob.get("missing"):
            return
        try:
            data = base64.b64decode(blob["data"], validate=True)
            sha256, at, size = blob["sha256"], blob["at"], blob["size"]
        except (KeyError, TypeError, binascii.Error) as error:
            raise BadLine(place, f"no piece of a file: {error}") from None
        if at == 0 and self._file is None:
            self._file = Incoming(self._runtime.folder)
        if self._file is None or self._file.size != at:
            raise BadLine(place, "a piece of a file that does not follow the one before")
        self._file.write(data)
        if self._file.size >= size:
            whole, self._file = self._file, None
            if not whole.settle(sha256):
                raise BadLine(place, "the bytes of a file do not have their SHA-256")

    async def _write(self, unit: Callable[[Connection], T]) -> T:
        return await self._runtime.write(unit)


def _number(name: str, tx: Connection) -> int:
    return tx.kind(name)


def _wanted(found: Survey, name: str | None, organisation: str | None) -> Wanted:
    """What the header asks for, checked. Raises InvalidExport, BadInput."""
    header = found.header
    try:
        name = header["application"]["name"] if name is None else name
        organisation = header["organisation"]["name"] if organisation is None else organisation
        right = 0 <= header["last"] < 1 << SHIFT and header["connections"] >= 0
        tenants.check_config(importing.config_of(header))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidExport(f"the header is not as it should be: {error}", line=1) from None
    if not right:
        raise InvalidExport("the header is not as it should be: its numbers", line=1)
    check_name("an organisation", organisation)
    check_name("an application", name)
    return Wanted(header, found.sha256, organisation, name)
