"""What can be said about a conversation, as values: its summary, sessions, analytics, its context.

Knows: how messages fall into sessions, how long answers took, how a model is shown a history.
Does not know: how messages are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Literal

from attrs import frozen

from .model import Event, PlatformUser

__all__ = ["Analytics", "ConversationSummary", "Session", "Turn"]

INBOUND, OUTBOUND = "message.inbound", "message.outbound"


@frozen
class ConversationSummary:
    """One line of the list of conversations.

    `peer`: the person, group or channel. `participants`: the person, or the first of those who
    have spoken in the group. Counts are of messages.
    """

    peer: PlatformUser
    last_message: Event
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

    messages: tuple[Event, ...]

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
    """Counts of messages, and how fast the bot answered.

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


@frozen
class Turn:
    """One message as a language model is shown it."""

    role: Literal["user", "assistant"]
    content: str
    event: Event

    def as_dict(self) -> dict[str, str]:
        """`{"role": …, "content": …}`."""
        return {"role": self.role, "content": self.content}


def sessions(messages: Iterable[Event], gap: timedelta) -> list[Session]:
    """Messages in log order, cut where nothing was said for longer than `gap`."""
    found: list[list[Event]] = []
    for event in messages:
        if not found or event.occurred_at - found[-1][-1].occurred_at > gap:
            found.append([])
        found[-1].append(event)
    return [Session(tuple(each)) for each in found]


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
    return timedelta(seconds=median(w.total_seconds() for w in waits)) if waits else None


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


def turns(
    messages: Sequence[Event], changes: dict[int, list[tuple[str, Any]]], names: dict[int, str]
) -> list[Turn]:
    """What was said, as it stands now: edits applied, deleted messages left out.

    `names`: by position, whose words they are, where several people speak.
    """
    found = []
    for event in messages:
        said = _said(event, changes.get(event.position, []))
        if said:
            name = names.get(event.position)
            role: Any = "assistant" if event.event_type == OUTBOUND else "user"
            found.append(Turn(role, f"{name}: {said}" if name else said, event))
    return found


def _said(event: Event, changes: list[tuple[str, Any]]) -> str | None:
    text, spoken = event.text, ""
    for kind, payload in changes:
        if kind == "message.deleted":
            return None
        message = payload.get("message") if isinstance(payload, dict) else None
        if kind == "message.transcribed":
            spoken = str(payload.get("text") or "")
        elif isinstance(message, dict) and isinstance(message.get("text"), str):
            text = message["text"]
    return " ".join(filter(None, [_kind_of(event), text, spoken]))


def _kind_of(event: Event) -> str:
    """`[image]` and the like, for what is not text."""
    kind = event.payload.get("type") if isinstance(event.payload, dict) else None
    return "" if kind in (None, "text", "interactive", "template") else f"[{kind}]"


def fit(found: list[Turn], limit: int | None) -> list[Turn]:
    """The newest turns whose text is at most `limit` characters together; at least one."""
    if limit is None:
        return found
    kept: list[Turn] = []
    for turn in reversed(found):
        limit -= len(turn.content)
        if kept and limit < 0:
            break
        kept.append(turn)
    return kept[::-1]
