"""An application that is over its quota is held back, and it is told: once for each window, and to the host.

Knows: what is counted of a delivery, what a platform is answered, the event that tells of it.
Does not know: how it is counted (`_io/quotas.py`); other applications, which go on.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta

from .._domain.values.codec import encode
from .._io.quotas import What
from .._io.runtime import Runtime
from .._store.records.log import append
from ..errors import OverQuota
from .reading import Read

EVENTS: What = "events_per_minute"
BYTES: What = "file_bytes_per_hour"


async def admit(runtime: Runtime, read: Read) -> None:
    """Count what a delivery holds. Raises OverQuota when nobody whose it is may have it now: it is to be
    delivered again, and nothing of it is kept.
    """
    wanted = wanted_by(read)
    wait = runtime.meters.admit(wanted, EVENTS)
    if wait:
        for app in wanted:
            await tell(runtime, app, EVENTS)
        raise OverQuota("more events than the application may have", math.ceil(wait))


def wanted_by(read: Read) -> Counter[int]:
    """By application how many events a delivery would make; what is not understood is one, too."""
    return Counter(conn.app for conn in read.owners)


async def held_back(runtime: Runtime, app: int, what: What) -> float:
    """Seconds for which an application waits, which is told; 0: it does not."""
    wait = runtime.meters.left(app, what)
    if wait:
        await tell(runtime, app, what)
    return wait


async def tell(runtime: Runtime, app: int, what: What) -> None:
    """Once for each window: in the log, and as an event of the application's."""
    if not runtime.meters.untold(app, what):
        return
    limit, wait = runtime.meters.limit(app, what), runtime.meters.left(app, what)
    until = runtime.database.options.clock() + timedelta(seconds=wait)
    told = encode({"quota": what, "limit": limit, "until": until.isoformat()})
    await runtime.write(lambda tx: append(tx, app, "system.quota_reached", told), app=app)
    runtime.log.warning(
        "inbound",
        f"{runtime.called(app)} is over {what}={limit}, and is held back for {wait:.0f} seconds",
    )
    runtime.wake("handlers")
