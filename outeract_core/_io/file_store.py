"""Bytes beside the database, by content: the same bytes are stored once.

Knows: folders, hashes, atomic renames.
Does not know: file nodes, platforms, where bytes come from.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from io import BufferedWriter
from pathlib import Path

import anyio.to_thread
from attrs import frozen

from ..errors import FileTooLarge

LIMIT = 100 * 1024 * 1024
_CHUNK = 1024 * 1024


@frozen
class Stored:
    """What was stored: lower-case hex SHA-256, and the size in bytes."""

    sha256: str
    size: int


class Folder:
    """`<database>.files/ab/abcdef…`; created on first use."""

    def __init__(self, database: str, limit: int = LIMIT) -> None:
        self.root = Path(f"{database}.files")
        self.limit = limit

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash are, or would be."""
        return self.root / sha256[:2] / sha256

    async def receive(self, chunks: AsyncIterator[bytes]) -> Stored:
        """Stream chunks into the folder. Raises FileTooLarge; half a file is never seen."""
        part, digest, size = self.part(), hashlib.sha256(), 0
        try:
            with part.open("wb") as out:
                async for chunk in chunks:
                    size += len(chunk)
                    self._limit(size)
                    digest.update(chunk)
                    await anyio.to_thread.run_sync(out.write, chunk)
                await anyio.to_thread.run_sync(_sync, out)
            return self.settle(part, digest.hexdigest(), size)
        finally:
            part.unlink(missing_ok=True)

    def keep(self, source: bytes | Path) -> Stored:
        """Copy bytes or a file into the folder. Raises FileTooLarge and OSError."""
        part, digest, size = self.part(), hashlib.sha256(), 0
        try:
            with part.open("wb") as out:
                for chunk in _pieces(source):
                    size += len(chunk)
                    self._limit(size)
                    digest.update(chunk)
                    out.write(chunk)
                _sync(out)
            return self.settle(part, digest.hexdigest(), size)
        finally:
            part.unlink(missing_ok=True)

    def drop(self, sha256: str) -> None:
        """Remove bytes that no node uses any more."""
        self.path(sha256).unlink(missing_ok=True)

    def _limit(self, size: int) -> None:
        if size > self.limit:
            raise FileTooLarge(f"more than the limit of {self.limit} bytes")

    def part(self) -> Path:
        """A name for bytes that are still coming."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f".part-{secrets.token_hex(8)}"

    def settle(self, part: Path, sha256: str, size: int) -> Stored:
        """Give the bytes the name of their content."""
        target = self.path(sha256)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            part.replace(target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return Stored(sha256, size)


class Incoming:
    """Bytes that come piece by piece. Half a file is never seen; `settle` or `drop` ends it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._part = folder.part()
        self._digest = hashlib.sha256()
        self._out = self._part.open("wb")
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """The next piece."""
        self._out.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def settle(self, sha256: str) -> bool:
        """All pieces are here; False, and nothing is kept, when their hash is another."""
        right = self._digest.hexdigest() == sha256
        if right:
            _sync(self._out)
        self._out.close()
        if right:
            self._folder.settle(self._part, sha256, self.size)
        self._part.unlink(missing_ok=True)
        return right

    def drop(self) -> None:
        """Forget what has come."""
        self._out.close()
        self._part.unlink(missing_ok=True)


def _pieces(source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _sync(stream: BufferedWriter) -> None:
    stream.flush()
    os.fsync(stream.fileno())
