"""A message as a value: what a handler with `process=True` is given in its worker process.

Knows: what of a message can travel. Does not know: the store, the turn, processes.
"""

from __future__ import annotations

from uuid import UUID

from .._domain.values.classes import frozen
from ..model import Event, Json, PlatformUser


@frozen
class MessageSnapshot:
    """What was said, by whom, where. It has no verbs: what the handler returns is the reply.

    events  all events of the turn, oldest first, as they stood when it began; `event` is the newest.
    sender  who sent them.
    thread  the platform's id of the message that opens the thread; None outside of threads.
    text    what was said; several messages are joined by newlines.
    """

    events: tuple[Event, ...]
    sender: PlatformUser | None
    thread: str | None
    text: str

    @property
    def event(self) -> Event:
        """The newest event."""
        return self.events[-1]

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.event.id

    @property
    def type(self) -> str:
        """Its type, e.g. `message.inbound`."""
        return self.event.event_type

    @property
    def platform(self) -> str | None:
        """The platform it came from."""
        return self.event.platform

    @property
    def payload(self) -> Json:
        """Its payload."""
        return self.event.payload
