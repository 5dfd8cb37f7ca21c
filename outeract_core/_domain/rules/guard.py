"""A guard around code of others that runs here and now: whatever it raises is an Exception of theirs.

Knows: that an adapter may ask a program to exit, pass on somebody's cancellation, have a store of its own.
Does not know: whose code it is, what follows from an error.

Nothing is awaited in the block, so no cancellation in it is ours. Around code that awaits there is
`_io/processes/supervisor.ending` instead.
"""

from __future__ import annotations

from types import TracebackType

from ...errors import StoreError
from ..values.sinks import worded


class Broke(Exception):
    """Code of others has raised what only the interpreter, an event loop or our store may raise."""


class _Guarded:
    __slots__ = ()

    def __enter__(self) -> None:
        """Their code runs."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        if isinstance(error, StoreError) or not isinstance(error, Exception):
            raise Broke(worded(error)) from error


guarded = _Guarded()
"""`with guarded: adapter.parse(…)`. Ctrl-C alone passes through as it is."""
