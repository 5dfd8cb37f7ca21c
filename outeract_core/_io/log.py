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
from functools import lru_cache

from attrs import field, frozen

ROOT = "outeract_core"
_STRUCK = "•••"
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
        text = text.replace(secret, _STRUCK)
        if "%" in text or ("+" in text and " " in secret):
            text = _written(secret).sub(_STRUCK, text)
    return text


@lru_cache(maxsize=4096)
def _written(secret: str) -> re.Pattern[str]:
    """Every way in which a URL may write it: any of its characters escaped, the rest as they stand.

    RFC 3986, 2.1: the digits of an escape may be of either case. A form writes a space as `+`.
    """
    return re.compile("".join(map(_either, secret)))


def _either(character: str) -> str:
    escaped = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    forms = [re.escape(character), f"(?i:{escaped})", *(["\\+"] if character == " " else [])]
    return f"(?:{'|'.join(forms)})"
