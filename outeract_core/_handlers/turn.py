"""A handler's turn: what it was given, and what it says, gathered until both are committed.

Knows: the messages of the turn and the drafts made in it.
Does not know: when handlers run, how a turn is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

from attrs import Factory, define

from ._compose import Draft, Options, Target, compose
from ._delivery_handle import Delivery
from ._store import sending
from ._store.sending import Action
from ._store.sqlite import Connection
from .content import ContentLike
from .errors import BadInput
from .model import Event, Json, PlatformUser

if TYPE_CHECKING:
    from ._app import App

CURRENT: ContextVar[Turn | None] = ContextVar("outeract_turn", default=None)
"""The turn that this task or thread runs in, so that `app.send` inside a handler joins it."""


Effect = Draft | Callable[[Connection], Any]
"""What a turn commits: a message whose files are not stored yet, or a unit of work."""


@define(eq=False)
class Turn:
    """What one run of a handler wants committed together with "handled", in order.

    `over`: the handler has returned; what comes now would be in nobody's commit.
    """

    app: App
    cause: int
    effects: list[Effect] = Factory(list)
    over: bool = False

    def say(self, to: Any, content: ContentLike, options: Options) -> Delivery:
        """Add a message to the turn. Raises BadInput when the turn is over."""
        self._still_open()
        draft = compose(self.app.runtime, self.app.key, to, content, options)
        self.effects.append(draft)
        return Delivery(self.app.runtime, self.app.tenant, draft.intent.id, committed=False)

    def do(self, action: Action) -> Delivery:
        """Add an action to the turn. Raises BadInput when the turn is over."""
        self._still_open()
        self.effects.append(lambda tx: sending.act(tx, action))
        return Delivery(self.app.runtime, self.app.tenant, action.id, committed=False)

    def _still_open(self) -> None:
        if self.over:
            raise BadInput("the handler has returned, so its turn is over; use `await app.send(…)`")


class Message:
    """What a handler is given: the event that arrived, with the verbs to answer it.

    With the overlap policy `burst` several messages may arrive together: `events` has all of them,
    oldest first, `event` is the newest, and `text` joins their texts with newlines. Everything that
    is said through a message is committed together with the fact that the handler has run; the
    verbs may be awaited, but need not be, so they work in plain functions too.
    """

    def __init__(
        self, turn: Turn, events: Sequence[Event], thread: UUID | None = None,
        place: Target | None = None,
    ) -> None:  # fmt: skip
        self._turn = turn
        self._thread, self._place = thread, place
        self.events = tuple(events)
        self.event = self.events[-1]

    @property
    def app(self) -> App:
        """The application that the message belongs to."""
        return self._turn.app

    @property
    def id(self) -> Any:
        """The id of the newest event."""
        return self.event.id

    @property
    def text(self) -> str:
        """What was said; several messages are joined by newlines."""
        return "\n".join(event.text for event in self.events if event.text)

    @property
    def type(self) -> str:
        """The event type, e.g. `message.inbound`."""
        return self.event.event_type

    @property
    def platform(self) -> str | None:
        """The platform it came from."""
        return self.event.platform

    @property
    def payload(self) -> Json:
        """The payload of the newest event."""
        return self.event.payload

    @property
    def sender(self) -> PlatformUser | None:
        """Who sent it."""
        return self.app.sender_of(self.event)

    def reply(self, content: ContentLike, *, quote: bool = False, **options: Any) -> Delivery:
        """Answer in the same conversation, and in its thread. `quote` refers to the message.

        `options` are those of `App.send`. Raises BadInput, Unsupported.
        """
        if quote:
            options.setdefault("reply_to", self.event)
        options.setdefault("thread", self._thread)
        return self.send(self._place or self.event, content, **options)

    def send(self, to: Any, content: ContentLike, **options: Any) -> Delivery:
        """Send to anybody, as part of this turn; see `App.send`."""
        options.setdefault("cause", self._turn.cause)
        return self._turn.say(to, content, Options(**options))

    def react(self, emoji: str, *, remove: bool = False) -> Delivery:
        """Put (or remove) a reaction on the message."""
        return self._turn.do(self.app.reaction(self.event, emoji, remove, self._turn.cause))

    def typing(self) -> Delivery:
        """Show that the bot is writing, at once: it does not wait for the turn."""
        return self.app.typing_now(self.event)

    def __repr__(self) -> str:
        return f"<Message {self.type} {self.id}: {self.text[:40]!r}>"
