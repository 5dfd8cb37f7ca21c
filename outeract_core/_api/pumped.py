"""What one round of work has done, told to whoever asked for it.

Knows: what is counted. Does not know: how anything is done.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Pumped:
    """What one `pump` did: events polled, turns run, rows sent, files fetched."""

    polled: int = 0
    handled: int = 0
    sent: int = 0
    fetched: int = 0
