"""The moment in which a request leaves: what is asked just before, and whether anything has left.

Knows: that up to the first byte nothing has happened, and that afterwards nobody can be sure.
Does not know: requests (`http.py`), why one may not leave (`_outbound/leaving.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...errors import Rejected

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
"""RFC 9110, 5.5 and 5.6.2: what may stand in a field's name and value."""


class Departure:
    """The requests of one attempt on their way out. `gone`: how many have begun to leave."""

    def __init__(self) -> None:
        self.gone = 0

    async def ready(self, seconds: float) -> None:
        """A request that may take so long is about to be made. Raises what forbids it."""

    def go(self) -> None:
        """The first byte leaves now. Raises what forbids it at the last moment."""
        self.gone += 1

    async def trace(self, name: str, info: dict[str, Any]) -> None:
        """What the transport tells of its steps: the first byte of a request, not of a proxy's tunnel."""
        if name.endswith(".send_request_headers.started"):
            request = info.get("request")
            if getattr(request, "method", b"") != b"CONNECT":
                self.go()


def check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises Rejected for what cannot be written as a header; the value is in no message."""
    for name, value in headers:
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            shown = name.decode("latin-1", "replace")
            raise Rejected(
                f"the request cannot be made: the header {shown!r} is not one line of text"
            )
