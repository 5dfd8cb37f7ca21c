"""How a file is opened: the seams for tests, when the log is checkpointed, what is done when idle.

Knows: the choices, and their defaults.
Does not know: who follows them (`database.py`), what idle work is good for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from attrs import field

from .._domain.values.classes import frozen
from .._domain.values.ids import Clock, IdSource
from ..driver import Tx
from ..errors import BadInput

__all__ = ["Checkpoints", "Idle", "Options", "default_checkpoints"]

Checkpoints: TypeAlias = Callable[[int, bool], str | None]


def default_checkpoints(wal_pages: int, idle: bool) -> str | None:
    """RESTART at 128 MB of log. BESIDE, a PASSIVE one in another thread, at 32 MB, or at 4 MB when idle."""
    if wal_pages > 32_768:
        return "RESTART"
    return "BESIDE" if wal_pages > (1_024 if idle else 8_192) else None


@frozen
class Idle:
    """Work for when no write is queued. `due` only reads; `chunk` is short, since a write may wait for it,
    and tells whether something has left for good: then the log is cut too.
    """

    due: Callable[[Tx], bool]
    chunk: Callable[[Tx], bool | None]


@frozen
class Options:
    """How a file is opened. `busy_timeout` and `read_timeout` (None: for ever) in seconds; `vfs`: an apsw
    VFS name, for fault tests.
    """

    clock: Clock
    ids: IdSource
    durability: str = "full"
    busy_timeout: float = 5.0
    vfs: str | None = None
    checkpoints: Checkpoints = default_checkpoints
    idle: Idle | None = None
    read_timeout: float | None = field(default=None)

    @read_timeout.validator
    def _positive(self, _of: Any, seconds: Any) -> None:
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is not None and not (is_number and seconds > 0):
            raise BadInput(f"read_timeout is a number of seconds, or None, not {seconds!r}")
