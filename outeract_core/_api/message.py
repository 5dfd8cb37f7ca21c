"""A message: what a handler is given, with the verbs to answer it.

Knows: the events of its turn, where an answer belongs.
Does not know: when handlers run, how a turn is committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from .._handlers.hosted import Place
from .._handlers.turn import Turn
from .._outbound.compose import Options
from .._outbound.handle import Delivery
from ..content import Content, ContentLike
from ..model import Event, File, Json, PlatformUser
from ..standing import Standing
from .app import App
from .snapshot import MessageSnapshot

MESSAGES = ("message.inbound", "message.outbound")


class Message:
    """What a handler is given: the event that arrived, with the verbs to answer it.

    With the overlap policy `burst` several messages of one person in one place may arrive together:
    `events` has all of them, oldest first, `event` is the newest, and `text` joins their texts with
    newlines. `sender`, `thread` and `platform` are those of each of them, `files` all that come with them. Everything that is said
    through a message is committed together with the fact that the handler has run; the verbs may
    be awaited, but need not be, so they work in plain functions too.

    app     the application that the message belongs to.
    thread  the platform's id of the message that opens the thread; None outside of threads.
    """

    def __init__(self, app: App, turn: Turn, events: Sequence[Event], place: Place) -> None:
        self.app = app
        self.thread = place.thread
        self._turn = turn
        self._place = place
        self.events = tuple(events)
        self.event = self.events[-1]

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

    @cached_property
    def standing(self) -> tuple[Standing, ...]:
        """The messages of this turn as they stand when it is asked: files, reactions, what they quote.

        Empty for what is no message (a press, an edit, an event of your own).
        """
        said = [event for event in self.events if event.event_type in MESSAGES]
        return tuple(self.app.standing_of(said)) if said else ()

    @property
    def files(self) -> tuple[File, ...]:
        """The files that are to be seen with them now: of a picture that was replaced, the new one."""
        return tuple(file for message in self.standing for file in message.files)

    @property
    def quoted(self) -> Standing | None:
        """The message that the newest one quotes, as that stands; None also when it is not known here."""
        return self.standing[-1].quoted if self.standing else None

    @property
    def credentials(self) -> Mapping[str, Any] | None:
        """What the platform has handed over with the newest event and is kept nowhere: Slack's
        `response_url` and `trigger_id`, by their places in the item. None: there was nothing, it is more
        than 30 minutes ago, the program was started since, or another process has taken the delivery.
        """
        return self.app.runtime.handed.of(self.event.position)

    def reply(self, content: ContentLike, *, quote: bool = False, **options: Any) -> Delivery:
        """Answer in the same conversation, and in its thread. `quote` refers to the message.

        A blank text is no reply: nothing is sent, and the handler is through all the same. `options`
        are those of `App.send`. Raises BadInput, Unsupported.
        """
        content = Content.of(content)
        if content.blank:
            return self._turn.nothing()
        if quote:
            options.setdefault("reply_to", self.event)
        options.setdefault("thread", self._place.member)
        return self.send(self._place.target or self.event, content, **options)

    def send(self, to: Any, content: ContentLike, **options: Any) -> Delivery:
        """Send to anybody, as part of this turn; see `App.send`."""
        options.setdefault("cause", self._turn.cause)
        return self._turn.say(to, content, Options(**options))

    def react(self, emoji: str, *, remove: bool = False) -> Delivery:
        """Put (or remove) a reaction on the message."""
        return self._turn.do(self.app.reaction(self.event, emoji, remove, self._turn.cause))

    def leave_unread(self) -> None:
        """It was seen, and stays unread on its platform: a bot that keeps silent must not mark read what
        a person at the desk has not seen.

        Nor is it marked with what comes after it: `on_processing_complete` marks nothing more in the
        conversation until `App.mark_read` has passed it. (`on_received` has marked it before.)
        """
        self._turn.unread = True

    def typing(self) -> Delivery:
        """Show that the bot is writing, at once: it does not wait for the turn. Where the platform has
        no such thing, nothing happens.
        """
        return self.app.typing_now(self.event)

    def snapshot(self) -> MessageSnapshot:
        """The message as a value, without verbs: what a handler in a worker process is given."""
        return MessageSnapshot(self.events, self.sender, self.thread, self.text)

    def __repr__(self) -> str:
        return f"<Message {self.type} {self.id}: {self.text[:40]!r}>"
