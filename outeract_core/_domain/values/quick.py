"""The extra `fast`: JSON read and looked through by msgspec, if it is installed.

Knows: msgspec, and by what it refuses. Does not know: who reads what it refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple


class Quick(NamedTuple):
    """What reads JSON quickly. It takes less than there is, a lone surrogate for one: who is refused asks Python's own."""

    read: Callable[[str | bytes], Any]
    """The value; a whole number of more than 64 bits may have become a float."""
    look: Callable[[str | bytes], object]
    """The same without making the value."""
    refuses: tuple[type[Exception], ...]
    """By what both refuse."""


@cache
def quick() -> Quick | None:
    """The quick reader, or None without the extra."""
    try:
        from msgspec import MsgspecError, Raw
        from msgspec.json import Decoder
    except ImportError:
        return None
    # its errors are ValueErrors from 0.20 on
    return Quick(Decoder().decode, Decoder(Raw).decode, (MsgspecError, ValueError, RecursionError))
