"""A message as it stands: the fold of its event and of everything that has happened to it since.

Knows: what an edit, a deletion, a reaction, a press, a transcript leaves of a message.
Does not know: how the events were found (`_store/reading/standing.py`), how it is shown.

The log stays the log: `payload` and `raw` of a `Standing` are those of its event. What people see now
(`text`, `files`, `choices`, `reactions`, …) is folded from the events about it, in the order of their
times; two of one time count in the order in which they came. A deletion is final. What the
application itself does to a message counts once the platform has it: an edit that failed, or is
still to be sent, has changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from attrs import evolve, field

from ._domain.values import stored
from ._domain.values.classes import frozen
from .content import Choice, offered
from .model import Event, File, PlatformUser, Status

__all__ = [
    "Change", "Now", "PartState", "Press", "Reacted", "Reaction", "Standing", "fold",
]  # fmt: skip

_CHOICES = ("buttons", "quick_replies", "menu", "header", "footer")
"""What an edit takes away when it does not bring it again."""
_UNSAID = ("failed", "cancelled")


@frozen
class Change:
    """One event about a message. `at` in milliseconds, `position` its place in the log.

    `who` did it, if that is known. `done` False: the application has tried to do it in vain, or has
    not done it yet.
    """

    position: int
    kind: str
    at: int
    payload_json: str
    who: PlatformUser | None = None
    done: bool = True

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the event says; empty when that was dropped."""
        told = stored.value(self.payload_json, "event", self.position)
        return told if isinstance(told, dict) else {}

    @property
    def when(self) -> datetime:
        """`at` as a time."""
        return stored.moment(self.at, "event", self.position)


@frozen
class Press:
    """Somebody has chosen. `type`: `button`, `list`, `form`, …; `position`: of its event in the log."""

    id: str
    title: str | None
    type: str
    by: PlatformUser | None
    at: datetime
    position: int


@frozen
class Reacted:
    """One reaction of one person, as it stands."""

    emoji: str
    by: PlatformUser | None
    at: datetime
    position: int


@frozen
class Reaction:
    """One kind of reaction and whose it is. `count` also counts those whom the platform does not name."""

    emoji: str
    by: tuple[PlatformUser, ...]
    count: int


@frozen
class PartState:
    """One request's worth of a sent message: `number` from 0, how far it has come."""

    number: int
    status: Status
    external_ids: tuple[str, ...] = ()


@frozen
class Now:
    """What the events about a message come to. `message`: its content, without what was taken away;
    `before`: what it was before each edit, the newest first; `edit`: the position of the edit that
    the content comes from, None for the message itself.
    """

    message: Mapping[str, Any]
    before: tuple[Mapping[str, Any], ...] = ()
    edit: int | None = None
    with_files: int | None = None
    edited_at: datetime | None = None
    edited_by: PlatformUser | None = None
    deleted_at: datetime | None = None
    deleted_by: PlatformUser | None = None
    transcripts: tuple[str, ...] = ()
    reacted: tuple[Reacted, ...] = ()
    presses: tuple[Press, ...] = ()


def fold(message: Mapping[str, Any], changes: Iterable[Change], files: Iterable[int] = ()) -> Now:
    """The message after these changes, in any order; `files`: the positions of those that brought some."""
    ordered = sorted((one for one in changes if one.done), key=lambda one: (one.at, one.position))
    now, brought = Now(message), frozenset(files)
    reactions: dict[Any, dict[str, Reacted]] = {}
    for change in ordered:
        if change.kind in _REACTIONS:
            _react(reactions, change)
        elif change.kind in _FOLDS:
            now = _FOLDS[change.kind](now, change, brought)
    if not reactions:
        return now
    reacted = (one for mine in reactions.values() for one in mine.values())
    return evolve(now, reacted=tuple(sorted(reacted, key=lambda one: (one.at, one.position))))


def _edited(now: Now, change: Change, brought: frozenset[int]) -> Now:
    """The newest words; what an edit does not speak of stays, but for what is there to press."""
    told = change.payload.get("message")
    if not isinstance(told, Mapping) or not isinstance(told.get("text"), str):
        return now
    files = change.position if change.position in brought or "files" in told else now.with_files
    kept = {name: value for name, value in now.message.items() if name not in _CHOICES}
    kind = _kind(now.message, told, files != now.with_files)
    return evolve(
        now, message={**kept, **told, "type": kind}, before=(now.message, *now.before),
        edit=change.position, with_files=files, edited_at=change.when, edited_by=change.who,
    )  # fmt: skip


def _reparsed(now: Now, change: Change, _brought: frozenset[int]) -> Now:
    """A better parser has read it again: nobody has changed what was said."""
    told, kept = change.payload.get("message"), {} if now.edit is None else now.message
    return evolve(now, message={**kept, **told}) if isinstance(told, Mapping) else now


def _kind(before: Mapping[str, Any], told: Mapping[str, Any], brought: bool) -> str:
    """A new caption does not make a text of a picture."""
    was, new = str(before.get("type") or "text"), told.get("type")
    if not isinstance(new, str) or (new in ("text", "interactive") and was not in _WORDS):
        return new if brought and isinstance(new, str) else was
    return new


_WORDS = ("text", "interactive", "template")


def _deleted(now: Now, change: Change, _brought: frozenset[int]) -> Now:
    if now.deleted_at is not None:
        return now
    return evolve(now, deleted_at=change.when, deleted_by=change.who)


def _transcribed(now: Now, change: Change, _brought: frozenset[int]) -> Now:
    text = change.payload.get("text")
    said = (text,) if isinstance(text, str) and text else ()
    return evolve(now, transcripts=(*now.transcripts, *said))


def _pressed(now: Now, change: Change, _brought: frozenset[int]) -> Now:
    """Where the platform tells the id alone, the title is what was last offered under it."""
    told = change.payload
    title, key = told.get("title"), str(told.get("id") or "")
    if not isinstance(title, str):
        ever = (one for menu in (now.message, *now.before) for one in offered(menu))
        title = next((one.title for one in ever if one.id == key), None)
    kind = str(told.get("type") or "action")
    press = Press(key, title, kind, change.who, change.when, change.position)
    return evolve(now, presses=(*now.presses, press))


_FOLDS = {
    "message.edited": _edited,
    "message.reparsed": _reparsed,
    "message.deleted": _deleted,
    "message.transcribed": _transcribed,
    "message.action": _pressed,
}
_REACTIONS = ("message.reaction_added", "message.reaction_removed")
KINDS = (*_FOLDS, *_REACTIONS)
"""The event types that change how a message stands."""


def _react(reactions: dict[Any, dict[str, Reacted]], change: Change) -> None:
    """`single` in a payload: the platform has room for one reaction of each person."""
    told, who = change.payload, change.who
    emoji = told.get("emoji")
    mine = reactions.setdefault(None if who is None else who.id, {})
    if who is not None and (told.get("single") or not emoji):
        mine.clear()
    if change.kind == "message.reaction_removed":
        _take_back(mine, emoji)
    elif isinstance(emoji, str) and emoji:
        key = emoji if who is not None else f"{emoji} {change.position}"
        mine.setdefault(key, Reacted(emoji, who, change.when, change.position))


def _take_back(mine: dict[str, Reacted], emoji: Any) -> None:
    """One of this kind; of those whom the platform does not name, the last."""
    for key in [key for key, one in mine.items() if one.emoji == emoji][-1:]:
        del mine[key]


@frozen
class Around:
    """What the store has found around a message. `files` by the position of what brought them.

    `parts`: (number, status, external id) of every receipt. `due`: the time before which it is not sent.
    """

    sender: PlatformUser | None = None
    changes: tuple[Change, ...] = ()
    files: Mapping[int, tuple[File, ...]] = field(factory=dict)
    receipts: tuple[tuple[int, Status, str], ...] = ()
    quoted: Standing | None = None
    due: int | None = None


@frozen(repr=False)
class Standing(Event):
    """A message as it stands now. It is its event too: ids, times and `payload` are those of the log."""

    _around: Around = field(kw_only=True, hash=False)

    def __repr__(self) -> str:
        return f"Standing(id={self.id}, event_type={self.event_type!r}, position={self.position})"

    @cached_property
    def now(self) -> Now:
        """Everything that the events about it come to."""
        payload = self.payload if isinstance(self.payload, dict) else {}
        message = payload.get("message")
        return fold(
            message if isinstance(message, dict) else {}, self._around.changes, self._around.files
        )

    @property
    def message(self) -> Mapping[str, Any]:
        """The content as it stands: `type`, `text`, `location`, `contacts`, …; {} once deleted."""
        return {} if self.deleted else self.now.message

    @property
    def text(self) -> str:
        """The text as it stands, a caption included; empty once deleted."""
        text = self.message.get("text")
        return text if isinstance(text, str) else ""

    @property
    def original_text(self) -> str:
        """The text as it was first said, which the log keeps whatever came later."""
        return super().text

    @property
    def content_type(self) -> str | None:
        """What it mainly is: `text`, `image`, `location`, …"""
        kind = self.now.message.get("type")
        if isinstance(kind, str):
            return kind
        told = self.payload.get("type") if isinstance(self.payload, dict) else None
        return told if isinstance(told, str) else None

    @property
    def sender(self) -> PlatformUser | None:
        """Who said it; the bot's own platform user for what the application sent."""
        return self._around.sender

    @property
    def files(self) -> tuple[File, ...]:
        """The files that are to be seen with it now."""
        if self.deleted:
            return ()
        brought = self.now.with_files
        return self._around.files.get(self.position if brought is None else brought, ())

    @property
    def edited(self) -> bool:
        """Whether its words were changed."""
        return self.now.edited_at is not None

    @property
    def edited_at(self) -> datetime | None:
        """When they were last changed."""
        return self.now.edited_at

    @property
    def deleted(self) -> bool:
        """Whether it was taken back."""
        return any(one.done and one.kind == "message.deleted" for one in self._around.changes)

    @property
    def deleted_at(self) -> datetime | None:
        """When it was taken back."""
        return self.now.deleted_at

    @property
    def transcript(self) -> str:
        """What is spoken in it, if that was transcribed."""
        return "" if self.deleted else "\n".join(self.now.transcripts)

    @cached_property
    def reactions(self) -> tuple[Reaction, ...]:
        """The reactions as they stand, by kind, in the order in which each kind was first given."""
        kinds: dict[str, list[PlatformUser | None]] = {}
        for one in self.now.reacted:
            kinds.setdefault(one.emoji, []).append(one.by)
        return tuple(
            Reaction(emoji, tuple(who for who in whose if who is not None), len(whose))
            for emoji, whose in kinds.items()
        )

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What it offers to press: buttons, quick replies, the rows of a menu."""
        return tuple(offered(self.message))

    @property
    def presses(self) -> tuple[Press, ...]:
        """What was chosen, oldest first."""
        return self.now.presses

    @property
    def pressed(self) -> Press | None:
        """What was chosen last."""
        return self.now.presses[-1] if self.now.presses else None

    @property
    def quoted(self) -> Standing | None:
        """The message that it quotes, as that stands; None also when it is not known here."""
        return self._around.quoted

    @property
    def due_at(self) -> datetime | None:
        """For what is not to be sent before a time that is still to come: that time."""
        return stored.maybe_moment(self._around.due, "outbox", self.position)

    @property
    def said(self) -> bool:
        """Whether it is, or may be, before people's eyes.

        Not what was deleted, cancelled or is not yet due; nor what failed, unless some part arrived.
        """
        if self._around.due is not None or self.deleted:
            return False
        if self._row[8] is None or self.status not in _UNSAID:
            return True
        return any(one.status in _ARRIVED for one in self.parts)

    @cached_property
    def parts(self) -> tuple[PartState, ...]:
        """Of a sent message, every part and how far it has come; empty for what was received."""
        delivery = self.delivery
        if delivery is None:
            return ()
        told = self.payload.get("parts") if isinstance(self.payload, dict) else None
        count = told if isinstance(told, int) and not isinstance(told, bool) else 1
        count = max(1, count, *(number + 1 for number, _s, _e in self._around.receipts))
        numbers = range(stored.count(count, "receipt", self.position))
        return tuple(_part(number, delivery.status, self._around.receipts) for number in numbers)


_ARRIVED = ("sent", "delivered", "read")
_RANKED = ("queued", "unknown", "sent", "delivered", "read", "cancelled", "failed")
_ORDER: Mapping[str, int] = {name: rank for rank, name in enumerate(_RANKED)}


def _part(number: int, whole: Status, receipts: Iterable[tuple[int, Status, str]]) -> PartState:
    """The furthest of its receipts; else how it ended without one, or what became of the whole.
    One without a name is its end; where there are such, what has none is still to be sent.
    """
    mine = [(status, name) for part, status, name in receipts if part == number]
    if not mine:
        ended = any(not name for _part, _status, name in receipts)
        return PartState(number, "queued" if ended else whole)
    furthest = max((status for status, _name in mine), key=lambda one: _ORDER.get(one, 0))
    names = tuple(name for _status, name in mine if name)
    return PartState(number, furthest, names)
