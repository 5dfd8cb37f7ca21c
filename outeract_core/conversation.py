"""What can be said about a conversation, as values: its summary, sessions, analytics.

Knows: how messages fall into sessions, how long answers took.
Does not know: how messages are found, how a model is shown a history (`_domain/transcript/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from ._domain.values.classes import frozen
from .model import Event, File, PlatformUser
from .standing import Standing

__all__ = ["ROLES", "Analytics", "ConversationSummary", "Role", "Session", "Turn"]

INBOUND, OUTBOUND = "message.inbound", "message.outbound"


@frozen
class ConversationSummary:
    """One line of the list of conversations.

    `peer`: the person, group or channel. `last_message`: what was last said, as it stands; where none of
    the newest messages was, since all of them failed, were cancelled or are not yet due, the newest, and its
    `said` is False. `participants`: the person, or the first of those who have spoken in the group. Counts are
    of messages.
    """

    peer: PlatformUser
    last_message: Standing
    participants: tuple[PlatformUser, ...]
    inbound: int
    outbound: int
    unread: int

    @property
    def messages(self) -> int:
        """All messages, in and out."""
        return self.inbound + self.outbound


@frozen
class Session:
    """Messages, oldest first, with no pause between them longer than the gap that was asked for."""

    messages: tuple[Standing, ...]

    @property
    def started_at(self) -> datetime:
        """The first message's time."""
        return self.messages[0].occurred_at

    @property
    def ended_at(self) -> datetime:
        """The last message's time."""
        return self.messages[-1].occurred_at


@frozen
class Analytics:
    """Counts of messages that were said, and how fast the bot answered.

    `first_response`: from the first inbound message to the first answer. `median_response`: over
    all answers, each measured from the first unanswered message. `active_days`: UTC days.
    """

    inbound: int
    outbound: int
    first_message_at: datetime | None
    last_message_at: datetime | None
    first_response: timedelta | None
    median_response: timedelta | None
    active_days: int


Role = Literal["user", "assistant", "tool", "system"]
ROLES: tuple[Role, ...] = ("user", "assistant", "tool", "system")


@frozen
class Turn:
    """One line of the history as a language model is shown it.

    event   what it was made of: the message as it stands, a press, an event of the host's own.
    files   those that are attached and stored here.
    parts   the same content in pieces, when it was asked for (`parts=True`): first
            `{"type": "text", "text": …}`, then for each file `{"type": "image" or "file",
            "file_id": …, "filename": …, "mime_type": …, "size": …}`, all plain JSON; the bytes are
            `await app.files.read(part["file_id"])`.
    """

    role: Role
    content: str
    event: Event
    files: tuple[File, ...] = ()
    parts: tuple[Mapping[str, Any], ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """`{"role": …, "content": …}`; the content is the list of `parts` when there are some."""
        content = self.content if self.parts is None else [dict(one) for one in self.parts]
        return {"role": self.role, "content": content}


class Sessions:
    """Messages from the newest back, cut where nothing was said for longer than `gap`: each is looked at once."""

    def __init__(self, gap: timedelta) -> None:
        self._gap = gap
        self.found: list[list[Standing]] = []

    def add(self, messages: Iterable[Standing]) -> None:
        """The next ones back, the newest of them first."""
        for event in messages:
            after = self.found[-1][-1] if self.found else None
            if after is None or after.occurred_at - event.occurred_at > self._gap:
                self.found.append([])
            self.found[-1].append(event)

    def newest(self, first: int) -> tuple[Session, ...]:
        """So many, the newest first; the messages of each in the order of the log."""
        return tuple(Session(tuple(reversed(each))) for each in self.found[:first])


def analytics(times: Sequence[tuple[str, datetime]]) -> Analytics:
    """Of (event type, time) pairs in order."""
    moments = [at for _kind, at in times]
    waits = _waits(times)
    inbound = sum(kind == INBOUND for kind, _at in times)
    return Analytics(
        inbound=inbound,
        outbound=sum(kind == OUTBOUND for kind, _at in times),
        first_message_at=min(moments, default=None),
        last_message_at=max(moments, default=None),
        first_response=waits[0] if waits else None,
        median_response=_median(waits),
        active_days=len({at.date() for at in moments}),
    )


def _median(waits: Sequence[timedelta]) -> timedelta | None:
    ordered, half = sorted(waits), len(waits) // 2
    return (ordered[half] + ordered[~half]) / 2 if waits else None


def _waits(times: Sequence[tuple[str, datetime]]) -> list[timedelta]:
    waits: list[timedelta] = []
    asked: datetime | None = None
    for kind, at in times:
        if kind == INBOUND:
            asked = asked or at
        elif kind == OUTBOUND and asked is not None:
            waits.append(max(at - asked, timedelta()))
            asked = None
    return waits
