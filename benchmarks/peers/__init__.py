"""The peers that write: one module for each, imported only when its benchmark runs.

Knows: which of them can be had here, and how to say that one cannot.
Does not know: what any of them does.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..measure import Options


def missing(options: Options, *modules: str) -> str | None:
    """Why a peer that needs these modules is left out; None when it takes part."""
    if not options.peers:
        return "no peers were asked for"
    absent = [module for module in modules if find_spec(module) is None]
    return f"not installed: {', '.join(absent)}" if absent else None
