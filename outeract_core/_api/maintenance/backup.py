"""A copy of database and files beside a running program: it appears whole, or not at all.

Knows: names, folders, the order in which things become visible.
Does not know: what the database holds (`_store/transfer/copies.py`), how bytes are found in the folder.

Files first, each under its own hash, then the database by one rename: where it is, all that it
names is there.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import anyio.from_thread
import anyio.to_thread

from ..._domain.values import digests
from ..._domain.values.classes import define, frozen
from ..._domain.values.digests import Digest
from ..._io import forgetting
from ..._io.disk import private
from ..._io.disk.file_store import Folder
from ..._io.runtime import Runtime
from ..._store.engine import copying
from ..._store.transfer import copies
from ...errors import BadInput, ChecksumMismatch, DiskFull, FileError, ReadOnlyStore

Progress = Callable[[int, int], None]
_BESIDE = ("-wal", "-shm", "-journal")


@frozen
class Backup:
    """A copy that was made.

    path      the database; `PATH.files` is its folder, as ever.
    size      bytes of the database.
    files     how many files were copied, or were there from an earlier copy.
    missing   how many the database names that were not in the folder (erased meanwhile, say), or did
              not hold the bytes that were stored.
    """

    path: Path
    size: int
    files: int
    missing: int


async def backup(
    runtime: Runtime, target: str | os.PathLike[str], files: bool | Literal["link"],
    overwrite: bool, progress: Progress | None,
) -> Backup:  # fmt: skip
    """See `Outeract.backup`."""
    job = _Job(runtime, runtime.at(target), files, overwrite, progress)
    await forgetting.finish(runtime)
    runtime.copying += 1
    try:
        done = await anyio.to_thread.run_sync(job.run)
    finally:
        runtime.copying -= 1
    await runtime.database.truncate_log()
    return done


@define(eq=False)
class _Job:
    """One backup, in a worker thread."""

    runtime: Runtime
    target: Path
    files: bool | Literal["link"]
    overwrite: bool
    progress: Progress | None
    base: int = 0
    total: int = 0

    def run(self) -> Backup:
        """Make the copy. Raises BadInput, StoreError, and what `progress` raises."""
        with _told(self.target):
            self._refuse()
            part = private.beside(self.target)
            try:
                needed = self._database(part)
                found = self._folder(needed) if self.files else []
                self._appear(part)
            finally:
                for path in (part, *(Path(f"{part}{end}") for end in _BESIDE)):
                    path.unlink(missing_ok=True)
            if self.files and self.overwrite:
                _prune(Folder(str(self.target)).root, {sha256 for sha256, _size in needed})
        missing = len(needed) - len(found) if self.files else 0
        return Backup(self.target, self.target.stat().st_size, len(found), missing)

    def _refuse(self) -> None:
        source, theirs = Path(self.runtime.database.path), Folder(str(self.target)).root
        own = {Path(f"{source.resolve()}{end}") for end in ("", *_BESIDE)}
        same = _same(self.target, source) or _same(theirs, self.runtime.folder.root)
        if same or self.target.resolve() in own:
            raise BadInput(f"{self.target} is the file itself; give another path")
        if not self.target.parent.is_dir():
            raise BadInput(f"there is no folder {self.target.parent}; make it first")
        if self.target.is_dir() or (self.target.exists() and not self.overwrite):
            raise BadInput(f"{self.target} is there already; give another path, or overwrite=True")
        used = [end for end in _BESIDE if Path(f"{self.target}{end}").exists()]
        if used:
            raise BadInput(f"{self.target} is in use ({self.target.name}{used[0]} is there)")

    def _say(self, done: int, total: int) -> None:
        """Report, and end here when the task that waits for the copy was cancelled."""
        anyio.from_thread.check_cancelled()
        if self.progress is not None:
            self.progress(self.base + done, max(self.total, self.base + total))

    def _database(self, part: Path) -> list[tuple[str, int]]:
        options = self.runtime.database.options
        source = self.runtime.database.path
        private.created(part).close()
        copying.snapshot(source, options.vfs, part, options.ids, self._say)
        needed = copies.detach(part, options.ids)
        private.sync(part)
        self.base = part.stat().st_size
        self.total = self.base + (sum(size for _sha, size in needed) if self.files else 0)
        self._say(0, 0)
        return needed

    def _folder(self, needed: list[tuple[str, int]]) -> list[str]:
        """Bring the bytes that the copy names; the digests of those that are there now."""
        folder, found = Folder(str(self.target)), []
        for sha256, size in needed:
            if self._file(folder, Digest(sha256)):
                found.append(sha256)
            self.base += size
            self._say(0, 0)
        return found

    def _file(self, folder: Folder, digest: Digest) -> bool:
        """One file; False when its bytes are not there, or are others."""
        source, target = self.runtime.folder.path(digest), folder.path(digest)
        if target.exists():
            return True
        try:
            stream = digests.opened(source)
        except (FileNotFoundError, FileError):
            return False
        with stream:
            private.inner(private.folder(folder.root) / target.parent.name)
            if self.files != "link" or not _linked(source, target):
                return self._copied(stream, folder.part(), target, digest)
        private.sync(target.parent)
        return True

    def _copied(self, stream: IO[bytes], part: Path, target: Path, digest: Digest) -> bool:
        """As it lies into a file of another name, compared, then under its own; False for other bytes."""
        try:
            with private.created(part) as out:
                shutil.copyfileobj(stream, out)
            private.sync(part)
            digests.verify(part, digest, self.runtime.folder.leaving)
            part.replace(target)
        except ChecksumMismatch:
            return False
        finally:
            part.unlink(missing_ok=True)
        private.sync(target.parent)
        return True

    def _appear(self, part: Path) -> None:
        anyio.from_thread.check_cancelled()
        if self.target.exists() and not self.overwrite:
            raise BadInput(f"{self.target} has appeared meanwhile")
        part.replace(self.target)
        private.sync(self.target.parent)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _linked(source: Path, target: Path) -> bool:
    """False on another file system, or one that knows no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return False
    return True


def _prune(folder: Path, needed: set[str]) -> None:
    """Bytes of an earlier copy that this one does not name."""
    for path in folder.glob("??/*"):
        if path.name not in needed and path.name.startswith(path.parent.name):
            path.unlink()


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """What the operating system refuses, in our words."""
    try:
        yield
    except FileError as error:
        raise ReadOnlyStore(f"{target} cannot be written: {error}") from error
    except OSError as error:
        if isinstance(error, BadInput | TimeoutError):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{target}: no space left; free some and call again") from error
        raise ReadOnlyStore(f"{target} cannot be written: {error}") from error
