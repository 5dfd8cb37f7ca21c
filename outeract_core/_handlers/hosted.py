"""What the dispatcher needs of the application whose handlers it runs.

Knows: the handlers, the default overlap, how a message is made for a handler.
Does not know: the application's handle, which knows this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from .._domain.values.classes import frozen
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._outbound.compose import Target
from .._outbound.handle import Delivery
from ..content import ContentLike
from ..driver import Tx
from ..model import Event
from .handler import Handler
from .turn import Turn


class Given(Protocol):
    """What a handler is given; the dispatcher only answers with it."""

    def reply(self, content: ContentLike, *, quote: bool = False, **options: Any) -> Delivery:
        """Answer, as part of the turn."""
        ...

    def snapshot(self) -> Any:
        """The same as a value, for a worker process."""
        ...


@frozen
class Place:
    """Where an answer belongs, true of everything that a turn is given.

    thread   what names the thread on its platform, None outside of threads; `member`: a message
             that is in it, or opens it.
    target   the conversation; None when there is none.
    """

    thread: str | None = None
    member: UUID | None = None
    target: Target | None = None


Make = Callable[[Turn, Sequence[Event], Place], Given]
"""Makes what a handler is given of its turn, the events, and where an answer goes."""


@frozen
class Hosted:
    """One application as the dispatcher sees it.

    handlers     the live list; handlers may be added at any time.
    overlap      the application's default policy, as it is now.
    processed    told, in the commit, which events all handlers are through with.
    make         what a handler is given.
    """

    runtime: Runtime
    tenant: Tenant
    handlers: list[Handler]
    overlap: Callable[[], str]
    processed: Callable[[Tx, list[int]], None]
    make: Make
