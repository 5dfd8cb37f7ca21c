"""What goes wrong is told at once: through the standard `logging`, with every secret struck out.

Knows: the loggers' names (`outeract_core` and one child a room), how an error is written down.
Does not know: what went wrong, which values are secret (`secrets`), any handler or level: those
are the host's, and what it does not configure goes to stderr from WARNING on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import field

from .._domain.values.classes import frozen
from .._domain.values.sinks import block, line, traced

ROOT = "outeract_core"
_FRAMES = 60
"""Of each exception, the frames that are told: those next to where it was raised."""
_HEAD, _TAIL = 8_000, 24_000
"""Characters that are told of what is longer, from its beginning and from its end."""


@frozen
class Log:
    """One door for everything that is told. `redact`: a text without secrets."""

    redact: Callable[[str], str]
    _listeners: list[list[BaseException]] = field(factory=list, repr=False)

    def info(self, room: str, text: str) -> None:
        """What a host may like to know."""
        self._tell(logging.INFO, room, text, None)

    def warning(self, room: str, text: str, error: BaseException | None = None) -> None:
        """What needs somebody's eyes; with the error's traceback when one is given."""
        self._tell(logging.WARNING, room, text, error)

    def error(self, room: str, text: str, error: BaseException | None = None) -> None:
        """What stops something until somebody acts."""
        self._tell(logging.ERROR, room, text, error)

    def trace(self, error: BaseException) -> str:
        """The error with its traceback, as it may be stored and shown.

        Both are as long as somebody else has made them: one that a host keeps and raises again grows.
        """
        whole = self.redact(traced(error, _FRAMES))
        left = len(whole) - _HEAD - _TAIL
        if left <= 0:
            return whole
        return f"{whole[:_HEAD]}\n  … {left} characters …\n{whole[-_TAIL:]}"

    @contextmanager
    def listening(self) -> Iterator[list[BaseException]]:
        """The errors that are told meanwhile, whatever the levels of loggers: as they were raised."""
        heard: list[BaseException] = []
        self._listeners.append(heard)
        try:
            yield heard
        finally:
            self._listeners[:] = [one for one in self._listeners if one is not heard]

    def _tell(self, level: int, room: str, text: str, error: BaseException | None) -> None:
        if error is not None:
            for heard in self._listeners:
                heard.append(error)
        logger = logging.getLogger(f"{ROOT}.{room}")
        if logger.isEnabledFor(level):
            told = line(self.redact(text))
            trace = "" if error is None else f"\n{block(self.trace(error))}"
            logger.log(level, "%s", told + trace)
