"""Bytes beside the database, by content: the same bytes are stored once.

The one door for bytes, in and out: what comes in gets the name of its content, what goes out is
compared with its name. A codec's place is here (`_domain/values/at_rest.py`).

Knows: folders, digests, atomic renames.
Does not know: file nodes, platforms, where bytes come from.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import anyio.to_thread

from ..._domain.values import digests
from ..._domain.values.at_rest import Codec
from ..._domain.values.classes import frozen
from ..._domain.values.digests import Digest
from ..._domain.values.paths import shown_path
from ...errors import DiskFull, FileError, FileTooLarge
from . import private

LIMIT = 100 * 1024 * 1024
_CHUNK = 1024 * 1024
_MOST = 10_000
"""Files that are remembered as verified."""
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@frozen
class Stored:
    """What was stored, and its size in bytes."""

    sha256: Digest
    size: int


class Folder:
    """`<database>.files/ab/abcdef…`; created on first use. Raises FileError for what is no digest."""

    codec: Codec | None = None
    """What stands in its door."""

    def __init__(self, database: str, limit: int = LIMIT) -> None:
        self.root = Path(f"{database}.files")
        self.limit = limit
        self._verified: dict[str, tuple[int, ...]] = {}

    def path(self, digest: str) -> Path:
        """Where the bytes with this digest are, or would be; nobody has looked."""
        name = Digest(digest)
        return self.root / name[:2] / name

    # ── out ───────────────────────────────────────────────────────────────────────────────────

    def read(self, digest: str) -> bytes:
        """All bytes, which are those of the digest. Raises FileError, ChecksumMismatch."""
        with _there(digest):
            return digests.read(self.path(digest), Digest(digest), self.leaving)

    def open(self, digest: str) -> IO[bytes]:
        """The bytes as a stream, not compared. Raises FileError, FileNotFoundError."""
        return self.leaving(digests.opened(self.path(digest)))

    def leaving(self, stream: IO[bytes]) -> IO[bytes]:
        """The bytes that were stored, of those that lie on the disk."""
        return stream if self.codec is None else self.codec.leaving(stream)

    def verify(self, digest: str) -> None:
        """Compare the bytes with their digest; a file that has not changed since is not read again.

        Raises FileError, ChecksumMismatch.
        """
        path = self.path(digest)
        with _there(digest):
            if self._verified.get(digest) != _state(path.lstat()):
                if len(self._verified) > _MOST:
                    self._verified.clear()
                found = digests.verify(path, Digest(digest), self.leaving)
                self._verified[digest] = _state(found)

    def verified(self, digest: str) -> Path:
        """Where the bytes are, which are those of the digest. Raises as `verify` does, and FileError
        where others lie on the disk: there a path leads to nothing that could be read.
        """
        if self.codec is not None:
            raise FileError(f"the bytes {digest} lie on the disk in another form: read them")
        self.verify(digest)
        return self.path(digest)

    # ── in ────────────────────────────────────────────────────────────────────────────────────

    async def receive(self, chunks: AsyncIterator[bytes]) -> Stored:
        """Stream chunks into the folder. Raises FileTooLarge, DiskFull; half a file is never seen."""
        with self._room():
            return await self._received(chunks)

    async def _received(self, chunks: AsyncIterator[bytes]) -> Stored:
        part, digest, size = self.part(), hashlib.sha256(), 0
        try:
            with self.entering(part) as out:
                async for chunk in chunks:
                    size += len(chunk)
                    self._limit(size)
                    digest.update(chunk)
                    await anyio.to_thread.run_sync(out.write, chunk)
                await anyio.to_thread.run_sync(_sync, out)
            named = Digest(digest.hexdigest())
            return await anyio.to_thread.run_sync(self.settle, part, named, size)
        finally:
            part.unlink(missing_ok=True)

    def keep(self, source: bytes | Path) -> Stored:
        """Copy bytes or a file into the folder. Raises FileTooLarge, DiskFull and OSError."""
        with self._room():
            return self._kept(source)

    def _kept(self, source: bytes | Path) -> Stored:
        part, digest, size = self.part(), hashlib.sha256(), 0
        try:
            with self.entering(part) as out:
                for chunk in _pieces(source):
                    size += len(chunk)
                    self._limit(size)
                    digest.update(chunk)
                    out.write(chunk)
                _sync(out)
            return self.settle(part, Digest(digest.hexdigest()), size)
        finally:
            part.unlink(missing_ok=True)

    def drop(self, digest: str) -> None:
        """Remove bytes that no node uses any more."""
        self.path(digest).unlink(missing_ok=True)

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise DiskFull(
                f"{shown_path(str(self.root))}: no space left; free some and call again"
            ) from error

    def _limit(self, size: int) -> None:
        if size > self.limit:
            raise FileTooLarge(f"more than the limit of {self.limit} bytes")

    def entering(self, part: Path) -> IO[bytes]:
        """A new file that takes bytes as they are and keeps them as they are to lie on the disk."""
        out = private.created(part)
        return out if self.codec is None else self.codec.entering(out)

    def part(self) -> Path:
        """A name for bytes that are still coming."""
        return private.folder(self.root) / f".part-{secrets.token_hex(8)}"

    def settle(self, part: Path, digest: Digest, size: int) -> Stored:
        """Give the bytes the name of their content; what stands there and has other bytes goes."""
        target = self.path(digest)
        if not self._has(digest):
            private.inner(target.parent)
            part.replace(target)
            private.sync(target.parent)
        return Stored(digest, size)

    def _has(self, digest: Digest) -> bool:
        try:
            self.verify(digest)
        except FileError:
            return False
        return True


class Incoming:
    """Bytes that come piece by piece. Half a file is never seen; `settle` or `drop` ends it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._part = folder.part()
        self._digest = hashlib.sha256()
        self._out = folder.entering(self._part)
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """The next piece."""
        self._out.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def settle(self, digest: Digest) -> bool:
        """All pieces are here; False, and nothing is kept, when their hash is another."""
        right = self._digest.hexdigest() == digest
        if right:
            _sync(self._out)
        self._out.close()
        if right:
            self._folder.settle(self._part, digest, self.size)
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


def _sync(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _state(found: os.stat_result) -> tuple[int, ...]:
    """What changes when anybody writes to a file, or puts another in its place."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextmanager
def _there(digest: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise FileError(f"the bytes {digest} are not in the folder (any more)") from None
