"""What `send` gives back: a handle on a message that is on its way.

Knows: how to ask for its state, wait for it, take it back.
Does not know: how it is delivered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any
from uuid import UUID

import anyio

from .._domain.rules.delivery import RANK
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._store.reading import states
from .._store.writing import outbox
from ..errors import BadInput, DeliveryTimeout
from ..model import DeliveryState, EventId


class Delivery:
    """A message (or an action) whose intent is on disk. `await` it or not: it is the same.

    `id`: the id of its `message.outbound` event.
    """

    def __init__(self, runtime: Runtime, tenant: Tenant, id: UUID, committed: bool = True) -> None:
        self.id = EventId(id)
        self._runtime = runtime
        self._tenant = tenant
        self._committed = committed

    def __await__(self) -> Generator[Any, None, Delivery]:
        yield from ()
        return self

    def __repr__(self) -> str:
        return f"<Delivery {self.id}>"

    async def state(self) -> DeliveryState:
        """Where it is now. Raises NotFound before its handler's turn has committed."""
        return await self._tenant.read(lambda tx, app: states.state_of(tx, app, self.id))

    async def wait(self, status: str = "sent", timeout: float = 60.0) -> DeliveryState:  # noqa: ASYNC109
        """Wait until it is `status` or further. Raises DeliveryTimeout after `timeout` seconds.

        A failed, cancelled or unknown message ends the wait: look at the state's `status`. Something
        must send meanwhile: `serve`, `pump`; the blocking façade does so itself while it waits.
        """
        return await self._waited(status, timeout, None)

    async def wait_at_work(self, status: str = "sent", timeout: float = 60.0) -> DeliveryState:  # noqa: ASYNC109
        """`wait`, and do what is due meanwhile, unless this process serves already."""
        return await self._waited(status, timeout, self._runtime.push)

    async def _waited(
        self, status: str, timeout: float, push: Callable[[], Awaitable[None]] | None  # noqa: ASYNC109
    ) -> DeliveryState:  # fmt: skip
        if status not in RANK:
            raise BadInput(f"status is one of {', '.join(RANK)}, not {status!r}")
        if not self._committed:
            raise BadInput(
                "inside a handler a message leaves when the handler returns: do not wait"
            )
        now = "queued"
        with anyio.move_on_after(timeout):
            while True:
                state = await self.state()
                now = state.status
                if RANK.get(state.status, 0) >= RANK[status] or state.status == "unknown":
                    return state
                if push is not None:
                    await push()
                await anyio.sleep(0.02)
        raise DeliveryTimeout(f"not {status} after {timeout:g} s; it is still on its way ({now})")

    async def cancel(self) -> bool:
        """Take it back if no request has begun. False when it is too late."""

        def unit(tx: Any, app: int) -> bool:
            key = states.event_key(tx, app, self.id)
            return outbox.cancel(tx, self._runtime.conn(states.conn_of(tx, key)), key)

        return await self._tenant.write(unit)
