"""Does the holder of a lease still live? Asked of the system; where it cannot tell, of a file's lock.

Knows: names of processes, one locked file beside the database for each process that holds something.
Does not know: what is held.

The kernel takes a lock away when its holder ends, in whatever container that was: so who finds the
file of a name unlocked knows that its process is gone. Who finds no file knows nothing, and waits
for the lease to end.
"""

from __future__ import annotations

import os
import secrets
import weakref
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: the system tells all there is
    fcntl = None  # type: ignore[assignment]

from .process import System, alive, read

_OPEN: weakref.WeakValueDictionary[str, Liveness] = weakref.WeakValueDictionary()
"""What this process has open, by token: of itself, no system could tell more."""


class Liveness:
    """One opening of a file. `name`: what it writes under a lease; `path`: the database's, or None."""

    def __init__(self, path: str | None, system: System | None = None) -> None:
        self._system = system or System()
        self._path = path
        self._token = secrets.token_hex(6)
        self._lock: int | None = None
        self.name = self._system.here.named(self._token)
        _OPEN[self._token] = self

    def hold(self) -> None:
        """Before anything is held: lock the file that tells others of us. Harmless twice."""
        if self._lock is None and self._path is not None:
            self._lock = _locked(self._file(self._token))

    def let_go(self) -> None:
        """Nothing is held any more, for now."""
        if self._lock is not None:
            self._file(self._token).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def close(self) -> None:
        """What was opened is closed."""
        _OPEN.pop(self._token, None)
        self.let_go()

    def forked(self) -> None:
        """In a child: the lock is its parent's, and ends with the parent."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def gone(self, name: str) -> bool:
        """Whether `name` was a process that has ended, or was closed. Unsure counts as alive."""
        if name == self.name:
            return False
        known = read(name)
        if known.process is None or not known.token.isalnum():
            return False
        if known.process == self._system.here:
            return known.token not in _OPEN
        lives = alive(known.process, self._system)
        if lives is None:
            return self._unlocked(known.token)
        if not lives and self._path is not None:
            self._file(known.token).unlink(missing_ok=True)
        return not lives

    def _unlocked(self, token: str) -> bool:
        file = self._file(token)
        if self._path is None or not file.exists():
            return False
        lock = _locked(file)
        if lock is None:
            return False
        file.unlink(missing_ok=True)
        os.close(lock)
        return True

    def _file(self, token: str) -> Path:
        return Path(f"{self._path}-live-{token}")


def _forked() -> None:
    for each in list(_OPEN.values()):
        each.forked()
    _OPEN.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _locked(file: Path) -> int | None:
    """The locked file, open; None when somebody has it, or there are no such locks."""
    if fcntl is None:
        return None
    handle: Any = None
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if handle is not None:
            os.close(handle)
        return None
    return int(handle)
