"""Where the file is: one absolute path, made when it is opened, and whether it still is that file.

Knows: folders, what is no path of a file, the files that SQLite keeps beside a database.
Does not know: SQLite, what is in the file.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from ..._domain.values.paths import is_address, shown_path
from ...errors import BadInput, StoreBroken

MEMORY = ":memory:"
_BESIDE = ("", "-wal", "-shm")
_YOUNG = 3.0
"""Seconds: some file systems count in two, so that a folder's time may stay what it was for so long."""


@frozen
class Place:
    """`path`: absolute, or `:memory:`; `name`: how SQLite is given it; `files`: where bytes go.

    `folder`: the program's folder when the file was opened; relative paths mean that one for good.
    """

    path: str
    name: str
    files: str
    folder: str
    memory: bool = False

    def __str__(self) -> str:
        """What it is called in messages."""
        return shown_path(self.path)

    def at(self, path: str | os.PathLike[str]) -> Path:
        """A path that the host gives later: `~` is its home, a relative one begins where we began.

        Raises BadInput for the address of a server.
        """
        _refuse_address(str(path))
        return Path(self.folder) / Path(path).expanduser()


def place(path: Any) -> Place:
    """Make a path absolute. Raises BadInput."""
    text = _text(path)
    if text == MEMORY:
        made = Path(tempfile.gettempdir()) / f"outeract-{secrets.token_hex(8)}"
        return Place(text, f"file:/{made.name}?vfs=memdb", str(made), _here(), memory=True)
    try:
        whole = str(Path(_here()) / Path(text).expanduser())
    except RuntimeError as error:
        raise BadInput(f"{shown_path(text)}: {error}") from error
    whole = os.path.normpath(whole)
    return Place(whole, whole, whole, _here())


def _text(path: Any) -> str:
    try:
        text = os.fsdecode(path)
        text.encode("utf-8")
    except TypeError:
        raise BadInput(f"a path is text or a Path, not {type(path).__name__}") from None
    except UnicodeError:
        told = shown_path(repr(path)[1:-1])
        raise BadInput(f"{told:.200} is no path in UTF-8; SQLite opens no other") from None
    _refuse_address(text)
    if not text or "\0" in text:
        raise BadInput(f"{shown_path(text)!r:.200} is no path of a file")
    return text


def _refuse_address(path: str) -> None:
    if is_address(path):
        raise BadInput(
            f"{shown_path(path)} is the address of a server, and this version keeps its store in an SQLite "
            "file: give the path of a file (./NAME for one that is called so)"
        )


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # the folder was removed: absolute paths still work
        return os.sep


@define
class Marks:
    """Which files they were when they were opened, so that others in their place are noticed.

    Whatever is removed, moved or put into a folder changes the time of the folder, so that this is
    looked at first. It says nothing while it is so young that two changes may have the same time, nor
    where links lead to other folders. Nor does it say what was written over the file itself (`cp
    backup.db bot.db`), but an older copy is shorter, and the database does not know that it has become so, as
    it does after a VACUUM. `length`: its bytes by its own account.
    """

    path: str
    length: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[int, int]] = field(factory=dict)
    _folder: tuple[int, int, int] | None = None
    _since: float = 0.0
    _calm: bool = False
    _size: int = 0
    _direct: bool = field(init=False)
    _parent: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._direct = os.path.realpath(self.path) == self.path
        self._parent = str(Path(self.path).parent)

    def moved(self) -> str | None:
        """The file that was removed, replaced or cut since it was first looked at, or None. Two looks, or
        five.
        """
        if not self.grown():
            return self.path
        folder, now = _folder(self._parent), self.clock()
        if folder is None or folder != self._folder:
            self._folder, self._since, self._calm = folder, now, False
        elif self._calm:
            return None
        old = self._direct and folder is not None and now - self._since > _YOUNG
        found = self._look()
        self._calm = old and found is None
        return found

    def grown(self) -> bool:
        """Note how long the file is, now that a checkpoint has written into it; False when it was cut.

        The writer and the checkpointer ask at the same time: it was cut when it is shorter than somebody
        had noted before this look, not when another has seen it grow since.
        """
        noted = self._size
        try:
            size = os.stat(self.path).st_size  # noqa: PTH116 - as in `_mark`
        except OSError:
            return True  # the folder tells
        if size < noted <= self.length():
            return False
        self._size = size
        return True

    def _look(self) -> str | None:
        for end in _BESIDE:
            name = self.path + end
            now, before = _mark(name), self._seen.get(end)
            if before is None and now is not None:
                self._seen[end] = now
            elif now != before and (now is not None or not Path(name).exists()):
                return name
        return None


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
