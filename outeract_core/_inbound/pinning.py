"""Whose a connection of a shared address is, that was given no account: asked before it is believed.

Knows: that credentials tell it best, and the first verified delivery only where they cannot be asked.
Does not know: any platform, whose an item is (`routing.py`).

One app may be installed in many workspaces, and one secret signs for all of them: whoever installs it
elsewhere can send a delivery that verifies. The token belongs to one workspace alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._domain.rules.guard import guarded
from .._domain.values.sinks import worded
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.writing import tenants
from ..adapter import Adapter, CanIdentify
from ..errors import MissingSecret, OuteractError
from ..events import Fact, Unparsed


def unpinned(conn: Conn, adapter: Adapter) -> bool:
    """Whether it has to be found out whose this connection is."""
    return adapter.manifest.webhook == "shared" and conn.entity.account is None


async def pinned(
    runtime: Runtime, conn: Conn, adapter: Adapter, facts: Sequence[Fact | Unparsed]
) -> Conn:
    """The connection with its account, from now on and for good."""
    claimed = next(
        (one for fact in facts if isinstance(one := getattr(fact, "account", None), str)), None
    )
    if claimed is None:
        return conn
    account = await _told(runtime, conn, adapter) or claimed
    await runtime.database.write(lambda tx: tenants.pin(tx, conn, account), app=conn.app)
    runtime.reload()
    return runtime.conn(conn.id)


async def _told(runtime: Runtime, conn: Conn, adapter: Adapter) -> str | None:
    """What the platform says whose the credentials are; None when it cannot be asked."""
    if not isinstance(adapter, CanIdentify):
        return None
    try:
        with guarded:
            flow = adapter.identify()
        told = await runtime.http.run(flow, by=conn.id)
    except MissingSecret:
        raise
    except (OuteractError, ValueError, TypeError) as error:
        where = f"{conn.platform}/{conn.entity.name}"
        runtime.log.warning(
            "inbound",
            f"{where}: the platform could not be asked whose the connection is, so that it is taken for "
            f"that of its first delivery; give account= to connect(): {worded(error)}",
        )
        return None
    return told if isinstance(told, str) and told else None
