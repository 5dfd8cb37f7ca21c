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

from .errors import FileTooLarge

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
        part, digest, size = self._part(), hashlib.sha256(), 0
        try:
            with part.open("wb") as out:
                async for chunk in chunks:
                    size += len(chunk)
                    self._limit(size)
                    digest.update(chunk)
                    await anyio.to_thread.run_sync(out.write, chunk)
                await anyio.to_thread.run_sync(_sync, out)
            return self._settle(part, digest.hexdigest(), size)
        finally:
            part.unlink(missing_ok=True)

    def keep(self, source: bytes | Path) -> Stored:
        """Copy bytes or a file into the folder. Raises FileTooLarge and OSError."""
        part, digest, size = self._part(), hashlib.sha256(), 0
        try:
            with part.open("wb") as out:
                for chunk in _pieces(source):
                    size += len(chunk)
                    self._limit(size)
                    digest.update(chunk)
                    out.write(chunk)
                _sync(out)
            return self._settle(part, digest.hexdigest(), size)
        finally:
            part.unlink(missing_ok=True)

    def drop(self, sha256: str) -> None:
        """Remove bytes that no node uses any more."""
        self.path(sha256).unlink(missing_ok=True)

    def _limit(self, size: int) -> None:
        if size > self.limit:
            raise FileTooLarge(f"more than the limit of {self.limit} bytes")

    def _part(self) -> Path:
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f".part-{secrets.token_hex(8)}"

    def _settle(self, part: Path, sha256: str, size: int) -> Stored:
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
