"""Whether the file is still the one that was opened: not removed, moved, replaced, or written over.

Knows: the files that SQLite keeps beside a database, their folder, and how times of files tell of changes.
Does not know: SQLite; what in a file tells a younger state from an older one (`standing`, `length`).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from attrs import field

from ..._domain.values.classes import define
from ..._domain.values.paths import shown_path
from ..._store.engine.wal import EMPTY, Standing
from ...errors import StoreBroken

_BESIDE = ("", "-wal", "-shm")
_TICK, _YOUNG = 0.05, 3.0
"""Seconds for which a folder's time may stay what it was although something changes again: a tick of the system's clock; where
times are whole seconds it is the file system that counts so, or in two.
"""
_AGAIN = (0.02, _YOUNG)
"""Seconds after which a file that was changed is looked into again: the next change may have the same time."""
_LOOKS, _PAUSE = 20, 0.01
"""How often, and after how many seconds, it is looked again before it is believed that a file is an older one: a
checkpoint may be in the midst of it.
"""


def _not_known() -> Standing | None:
    return None


@define
class Marks:
    """Which files they were when they were opened, so that others in their place are noticed.

    Whatever is removed, moved or put into a folder changes the time of the folder, so that this is
    looked at first. It says nothing while it is so young that two changes may have the same time, nor
    where links lead to other folders.

    Nor does it say what was written over the file itself (`cp backup.db bot.db`). While commits go into the log
    nothing but a checkpoint changes the file, its time and its length: so when these are others, it is looked
    into, and it must not be behind what it was. That costs an ordinary commit nothing.

    length     bytes of the database by its own account: after a VACUUM it knows that it is shorter.
    lineage    what distinguishes it from other files, and from backups of it, by its own account.
    standing   how far the file itself is; None: that cannot be told now.
    """

    path: str
    length: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    standing: Callable[[], Standing | None] = _not_known
    sleep: Callable[[float], None] = time.sleep
    lineage: int = 0
    _seen: dict[str, tuple[int, int]] = field(factory=dict)
    _folder: tuple[int, int, int] | None = None
    _since: float = 0.0
    _calm: bool = False
    _stamp: tuple[int, int] | None = None
    _again: list[float] = field(factory=list)
    _known: Standing = EMPTY
    _size: int = 0
    _lost: bool = False
    _gate: threading.Lock = field(factory=threading.Lock)
    _direct: bool = field(init=False)
    _parent: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._direct = os.path.realpath(self.path) == self.path
        self._parent = str(Path(self.path).parent)

    def moved(self) -> str | None:
        """The file that was removed, replaced or written over since it was first looked at, or None. Two
        looks, or five.
        """
        if not self.kept():
            return self.path
        folder, now = _folder(self._parent), self.clock()
        if folder is None or folder != self._folder:
            self._folder, self._since, self._calm = folder, now, False
        elif self._calm:
            return None
        old = self._direct and folder is not None and now - self._since > _young(folder[2])
        found = self._look()
        self._calm = old and found is None
        return found

    def kept(self) -> bool:
        """Whether the file has what it had; asked too when a checkpoint is to write into it, and when one has.

        The writer and the checkpointer ask at the same time: it was cut when it is shorter than somebody
        had noted before this look, not when another has seen it grow since.
        """
        noted, stamp = self._size, _stamp(self.path)
        if stamp is None:
            return True  # the folder tells
        if stamp == self._stamp and not (self._again and self.clock() >= self._again[0]):
            return not self._lost
        with self._gate:
            self._lost = self._lost or not self._looked_into(
                stamp, noted
            )  # what is written now hides it
            return not self._lost

    def _looked_into(self, stamp: tuple[int, int], noted: int) -> bool:
        if stamp[0] < noted <= self.length():
            return False
        for _ in range(_LOOKS):
            if (found := self.standing()) is None:
                self._size = stamp[0]
                return True  # and it is looked into again at the next call
            if not found.behind(self._known, self.lineage):
                self._note(stamp, found)
                return True
            self.sleep(_PAUSE)
        return False

    def _note(self, stamp: tuple[int, int], found: Standing) -> None:
        now = self.clock()
        if stamp != self._stamp:
            self._again = [now + pause for pause in _AGAIN]
        self._again = [at for at in self._again if at > now]
        self._stamp, self._size, self._known = stamp, stamp[0], found

    def _look(self) -> str | None:
        for end in _BESIDE:
            name = self.path + end
            now, before = _mark(name), self._seen.get(end)
            if before is None and now is not None:
                self._seen[end] = now
            elif now != before and (now is not None or not Path(name).exists()):
                return name
        return None


class Nowhere(Marks):
    """The same of a database in memory, which nobody else can reach."""

    def moved(self) -> str | None:
        """It is where it was."""
        return None

    def kept(self) -> bool:
        """It has what it had."""
        return True


def _stamp(name: str) -> tuple[int, int] | None:
    """How long a file is, and when it was last written."""
    try:
        found = os.stat(name)  # noqa: PTH116 - as in `_mark`
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _young(changed: int) -> float:
    """Seconds for which a time in nanoseconds may stand for two changes."""
    return _TICK if changed % 1_000_000_000 else _YOUNG


def _folder(name: str) -> tuple[int, int, int] | None:
    """Which folder it is, and when something in it was last made, moved or removed."""
    try:
        found = os.stat(name)  # noqa: PTH116 - as in `_mark`
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _mark(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - at every commit, and a Path costs more than the call
    except OSError:
        return None
    return found.st_dev, found.st_ino


def gone(name: str) -> StoreBroken:
    """What is raised when a file is no longer where it was opened."""
    return StoreBroken(
        f"{shown_path(name)} was removed, moved, replaced or written over while it was open, and what is written would be lost; "
        "end every program that has it open, put the right file in its place, and start again"
    )
