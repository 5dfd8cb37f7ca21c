"""One application, as it is at one moment, written to a file or a stream.

Knows: one snapshot, a worker thread, the bytes of files, that half an export is never taken for one.
Does not know: the shape of lines (`_store/transfer/dump.py`), checksums (`export_file.py`).
"""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeAlias

import anyio.from_thread

from ..._domain.values.classes import frozen
from ..._io import forgetting
from ..._io.disk import private
from ..._io.disk.file_store import Folder
from ..._io.runtime import Runtime
from ..._store.transfer import dump
from ...driver import Tx
from ...errors import FileError
from .export_file import Writer, opened_for_writing, signing_key, sync

Progress: TypeAlias = Callable[[int, int], object]
"""progress(done, of): numbers of nodes (events, users, platform users, files)."""
Target: TypeAlias = str | os.PathLike[str] | IO[bytes]

_PIECE = 768 * 1024
"""Bytes of a file in one line: 1 MiB of base64."""


@frozen
class Exported:
    """What was written: lines by what they hold, and files whose bytes were not in the folder."""

    counts: dict[str, int]
    missing: int
    lines: int
    sha256: str

    @property
    def events(self) -> int:
        """How many events."""
        return self.counts.get("event", 0)

    @property
    def files(self) -> int:
        """How many file nodes."""
        return self.counts.get("file", 0)


async def export(
    runtime: Runtime, app: int, target: Target, *, files: bool, progress: Progress | None,
    key: str | bytes | None = None,
) -> Exported:  # fmt: skip
    """Write the application to `target`. Raises BadInput, OSError; a cancelled export leaves nothing."""
    told, secret = progress or _nobody, signing_key(key)

    if isinstance(target, str | os.PathLike):
        target = runtime.at(target)

    def run(tx: Tx) -> Exported:
        return _Export(tx, app, runtime.folder, told, secret).to(target, files)

    await forgetting.finish(runtime)
    return await runtime.database.traverse(run)


class _Export:
    """An export under way, in a worker thread."""

    def __init__(
        self, tx: Tx, app: int, folder: Folder, progress: Progress, key: bytes | None
    ) -> None:
        self._key = key
        self._tx = tx
        self._app = app
        self._folder = folder
        self._progress = progress
        self._missing = 0
        self._counts: Counter[str] = Counter()

    def to(self, target: Target, files: bool) -> Exported:
        """Into a stream as it is; into a file by another name until it is whole."""
        if not isinstance(target, str | os.PathLike):
            return self._write(target, files)
        path = Path(target)
        part = private.beside(path)
        try:
            with opened_for_writing(part, path.suffix == ".gz") as out:
                done = self._write(out, files)
            with part.open("rb+") as written:
                sync(written)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return done

    def _write(self, out: IO[bytes], files: bool) -> Exported:
        writer = Writer(out)
        header = dump.header(self._tx, self._app, files=files)
        last = json.loads(header)["outeract"]["last"]
        writer.add(header)
        for table, line in dump.lines(self._tx, self._app):
            self._counts[table] += 1
            if writer.add(line):
                self._tell(table, line, last)
        writer.check()  # the bytes of files stand in blocks of their own
        if files:
            self._bytes(writer)
        digest = writer.end(dict(self._counts), self._key)
        return Exported(dict(self._counts), self._missing, writer.lines, digest)

    def _tell(self, table: str, line: str, last: int) -> None:
        """Now and then: how far it is, and whether anybody still waits for it."""
        anyio.from_thread.check_cancelled()
        if table == "event":
            n = int(line[14 : line.index(",", 14)])
            anyio.from_thread.run_sync(self._progress, n, last)

    def _bytes(self, writer: Writer) -> None:
        for sha256 in dump.hashes(self._tx, self._app):
            for line in self._pieces(sha256):
                self._counts["bytes"] += 1
                if writer.add(line):
                    anyio.from_thread.check_cancelled()

    def _pieces(self, sha256: str) -> Iterator[str]:
        """The bytes with this digest; a line that says so when they are not there (any more)."""
        try:
            self._folder.verify(sha256)
            stream = self._folder.open(sha256)
        except (FileNotFoundError, FileError):
            self._missing += 1
            yield f'{{"bytes":{{"sha256":"{sha256}","missing":true}}}}'
            return
        with stream:
            size, at = stream.seek(0, os.SEEK_END), stream.seek(0)
            while True:
                piece = stream.read(_PIECE)
                data = base64.b64encode(piece).decode()
                yield (
                    f'{{"bytes":{{"sha256":"{sha256}","at":{at},"size":{size},"data":"{data}"}}}}'
                )
                at += len(piece)
                if at >= size or not piece:
                    return


def _nobody(_done: int, _of: int) -> None:
    """Nobody wants to know how far it is."""
