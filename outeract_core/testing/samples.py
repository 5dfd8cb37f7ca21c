"""One inbound request and what must come of it: what an adapter's author hands to the contract.

Knows: the pair. Does not know: any platform, pytest.
"""

from __future__ import annotations

from attrs import frozen

from ..adapter import Inbound

__all__ = ["Sample"]


@frozen
class Sample:
    """A properly signed request. `kinds`: the kinds of its facts, in order; `unparsed` for an Unparsed."""

    name: str
    inbound: Inbound
    kinds: tuple[str, ...]
