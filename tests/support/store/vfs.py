"""A VFS whose disk fails when a test says so: at a write, a sync, an opening, or just after a commit.

Knows: which call of SQLite's belongs to which moment of a commit in WAL mode.
Does not know: the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apsw

Failure = Callable[[], Exception]
_PHASE_TWO = apsw.SQLITE_FCNTL_COMMIT_PHASETWO
"""SQLite asks for this when a commit is in the file already; an error then makes COMMIT fail."""

_READ_ONLY = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB


class Disk(apsw.VFS):
    """A disk that works until `fail` plants something. Its name is what `vfs=` takes."""

    def __init__(self, name: str) -> None:
        """`name`: unique among the VFS of the process."""
        self.name = name
        self._planted: dict[str, tuple[Failure, list[int]]] = {}
        self.seen: list[str] = []
        """The failures that came true, in order."""
        self.read_only = False
        """Whether the database file may be read only, as the system would tell SQLite."""
        super().__init__(name, "")

    def fail(self, moment: str, failure: Failure, times: int = 1, after: int = 0) -> None:
        """The next `times` calls at `moment` raise; `after` so many that go through.

        `moment`: `wal-write`, `wal-sync`, `main-write`, `main-open` or `committed`.
        """
        self._planted[moment] = (failure, [after, times])

    def heal(self) -> None:
        """All is well again."""
        self._planted.clear()

    def at(self, moment: str) -> None:
        """Raise what was planted for this moment, if anything is due."""
        failure, left = self._planted.get(moment, (None, [0, 0]))
        if failure is None or not left[1]:
            return
        if left[0]:
            left[0] -= 1
            return
        left[1] -= 1
        self.seen.append(moment)
        raise failure()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        """SQLite opens a file."""
        if flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            self.at("main-open")
            if self.read_only:
                flags[0] = _READ_ONLY
        opened = _Opened(self, name, flags)
        if self.read_only and flags[0] == _READ_ONLY:
            flags[1] = _READ_ONLY
        return opened


class _Opened(apsw.VFSFile):
    """One open file of that disk."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._kind = "wal" if flags[0] & apsw.SQLITE_OPEN_WAL else "main"
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.at(f"{self._kind}-write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.at(f"{self._kind}-sync")
        super().xSync(flags)

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802
        if op == _PHASE_TWO:
            self._disk.at("committed")
        return super().xFileControl(op, pointer)


_count = iter(range(10**9))


@contextmanager
def disk() -> Iterator[Disk]:
    """A fresh disk under a name of its own."""
    made = Disk(f"failing-{next(_count)}")
    try:
        yield made
    finally:
        made.unregister()
