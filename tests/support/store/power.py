"""A VFS that remembers what the disk has for certain, so that a test can cut the power at any moment.

Knows: which writes were followed by a sync, file by file; how to lay down what could be left.
Does not know: the library, SQLite's formats.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
from attrs import Factory, define

_KEPT = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_WAL


@define
class Content:
    """A file's bytes: those the disk has, and the changes that it may or may not have."""

    certain: bytearray = Factory(bytearray)
    pending: list[tuple[int, bytes | None]] = Factory(list)

    def change(self, offset: int, data: bytes | None) -> None:
        """Written at `offset`; None: cut off there."""
        self.pending.append((offset, data))

    def sync(self) -> None:
        """The disk has it."""
        for offset, data in self.pending:
            _apply(self.certain, offset, data)
        self.pending.clear()

    def left(self, chance: random.Random) -> bytes:
        """After a power cut: all that was synced, and of the rest a prefix, or any of it."""
        found = bytearray(self.certain)
        upto = chance.randint(0, len(self.pending))
        scattered = chance.random() < 0.5
        for number, (offset, data) in enumerate(self.pending):
            if chance.random() < 0.5 if scattered else number < upto:
                _apply(found, offset, data)
        return bytes(found)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(b"\0" * (offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


class Memory(apsw.VFS):
    """A disk that is believed only after a sync. Its name is what `vfs=` takes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: dict[str, Content] = {}
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        """SQLite opens a file."""
        return _Watched(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """It deletes one."""
        self.files.pop(Path(filename).name, None)
        super().xDelete(filename, syncdir)

    def cut(self, folder: Path, chance: random.Random) -> None:
        """Lay into `folder` what could be left if the power went now."""
        for name, content in list(self.files.items()):
            (folder / name).write_bytes(content.left(chance))


class _Watched(apsw.VFSFile):
    """One open file of that disk."""

    def __init__(self, memory: Memory, name: Any, flags: list[int]) -> None:
        shown = name.filename() if hasattr(name, "filename") else str(name)
        super().__init__("", name, flags)
        kept = flags[0] & _KEPT
        self._content = memory.files.setdefault(Path(shown).name, Content()) if kept else Content()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._content.change(offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._content.change(newsize, None)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._content.sync()


_count = iter(range(10**9))


@contextmanager
def power() -> Iterator[Memory]:
    """A fresh disk under a name of its own."""
    made = Memory(f"power-{next(_count)}")
    try:
        yield made
    finally:
        made.unregister()
