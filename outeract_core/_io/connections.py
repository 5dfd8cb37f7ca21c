"""Which connection of an application is meant.

Knows: that a host names it by entity, id, name or platform. Does not know: what a connection is for.
"""

from __future__ import annotations

from uuid import UUID

from .._store.records.conn import Conn
from ..errors import BadInput, NotFound
from ..model import PlatformConnection
from .runtime import Runtime


def connection(runtime: Runtime, app: int, which: PlatformConnection | UUID | str) -> Conn:
    """A connection of this application by entity, id, name or platform. Raises NotFound, BadInput."""
    wanted = getattr(which, "id", which)
    mine = runtime.conns(app)
    found = [c for c in mine if wanted == c.entity.id] or [
        c for c in mine if wanted == c.entity.name
    ]
    found = found or [c for c in mine if wanted == c.platform]
    if not found:
        raise NotFound(f"no connection {wanted} in this application")
    if len(found) > 1:
        names = ", ".join(c.entity.name for c in found)
        raise BadInput(f"{wanted} has several connections; name one of {names}")
    return found[0]
