"""What goes wrong is told at once: through the standard `logging`, with every secret struck out.

Knows: the loggers' names (`outeract_core` and one child a room), how an error is written down.
Does not know: what went wrong, which values are secret (`plugins.py`), any handler or level: those
are the host's, and what it does not configure goes to stderr from WARNING on.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

from attrs import field, frozen

ROOT = "outeract_core"
_STRUCK = "•••"
_ESCAPE = re.compile("%[0-9A-F]{2}")
_SHORTEST = 4
"""Shorter values are no secrets that can be struck out without striking out words."""


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
        """The error with its traceback, as it may be stored and shown."""
        return self.redact("".join(traceback.format_exception(error)))

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
            told = self.redact(text)
            logger.log(level, "%s", told if error is None else f"{told}\n{self.trace(error)}")


def struck(text: str, secrets: Iterable[str]) -> str:
    """`text` without these secrets, as they stand or as a URL writes them; the longest first."""
    for secret in sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}:
            text = text.replace(form, _STRUCK)
            if form != secret:
                text = text.replace(_ESCAPE.sub(_lower, form), _STRUCK)
    return text


def _lower(escape: re.Match[str]) -> str:
    """RFC 3986, 2.1: the digits of an escape may be of either case."""
    return escape[0].lower()
