"""How an application says something: the message is composed, its files are stored, it is committed.

Knows: that a handler's message joins its turn. Does not know: routes, plans, delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import evolve

from ..._handlers.turn import Turn
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._outbound.compose import Options, beside, compose, finish
from ..._outbound.handle import Delivery
from ..._outbound.preview import Prospect, prospect
from ..._store.writing import sending
from ...content import ContentLike


class Saying(Protocol):
    """The application that says it."""

    runtime: Runtime
    tenant: Tenant
    key: int


async def say(
    app: Saying, turn: Turn | None, to: Any, content: ContentLike, options: Options
) -> Delivery:
    """The handle on it, when its intent is on disk, or in its turn."""
    if turn is not None:
        caused = options if options.cause else evolve(options, cause=turn.cause)
        return turn.say(to, content, caused)
    draft = await beside(content, lambda: compose(app.runtime, app.key, to, content, options))
    intent = await finish(app.runtime, app.key, draft)
    _, event_id = await app.tenant.write(lambda tx, _app: sending.send(tx, intent))
    app.runtime.wake("outbox", "handlers")
    return Delivery(app.runtime, app.tenant, event_id)


async def may(app: Saying, to: Any, content: ContentLike, via: Sequence[str]) -> Prospect:
    """What `say` would do."""
    return await beside(content, lambda: prospect(app.runtime, app.key, to, content, via))
