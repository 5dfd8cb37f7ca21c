"""The query that reads messages as they stand: a page of them with what has happened to each.

Knows: the events and edges about a message, its files, its receipts, what it quotes; that all of it is
asked by one statement, and by a second of what is quoted.
Does not know: what those events come to (`outeract_core/standing.py`), which messages are wanted.

`of_keys` is for everybody who shows or handles messages that are known, `of_query` for a page of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from attrs import field

from ..._domain.values import stored
from ..._domain.values.classes import define, frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import NotFound
from ...model import File, Names, PlatformUser
from ...standing import KINDS, Around, Change, Standing
from ...tenancy import STATUSES
from ..engine.composed.messages import listed, messages
from ..engine.composed.together import Together
from ..records import rows

MOST = 1000
"""Events about one message that are looked at: its newest."""
SPEAKERS = 8
"""Those who have spoken in a group that are told with it: the first."""

Row = tuple[Any, ...]
_LISTED = listed()


@cache
def _together(keys: str, people: bool) -> tuple[Together, Statement[Row]]:
    made = messages(keys, people=people)
    lists = (*["keys"] * (keys == _LISTED), *["people"] * people)
    return made, Statement("messages_as_they_stand", made.sql, lists)


_OUTCOMES = ("message.sent", "message.failed", "message.cancelled", "message.unknown")
_EDGES = ("origin", "sent_by", "attachment", "reply_to")
_NAMES = (*KINDS, *_OUTCOMES, "message.inbound", "message.outbound", *_EDGES)


def _words(tx: Tx, app: int) -> dict[str, Any]:
    """What the statement speaks of, by its own words."""
    lo, hi = span(app)
    return {
        "app": app, "lo": lo, "hi": hi, "now": tx.now, "most": MOST, "others": SPEAKERS - 1,
        **{name.removeprefix("message."): tx.known_kind(name) for name in _NAMES},
    }  # fmt: skip


# ── what is asked ────────────────────────────────────────────────────────────────────────────


def of_keys(tx: Tx, app: int, keys: Sequence[int], *, quotes: bool = True) -> list[Standing]:
    """Messages as they stand now, in the order of their keys; `quotes`: with what they quote. Raises NotFound."""
    return shown(tx, app, keys, quotes=quotes).of(keys)


def of_query(
    tx: Tx, app: int, keys: str, params: Mapping[str, Any], newest: bool
) -> list[Standing]:
    """The same of those whose keys a query yields as `value`, by position: one statement for both."""
    found = _shown(tx, app, keys, params, quotes=True).messages
    return [found[key] for key in sorted(found, reverse=newest)]


def shown(
    tx: Tx, app: int, keys: Sequence[int], people: Sequence[int] = (), *, quotes: bool = False
) -> Shown:
    """Messages and platform users, and of those that are groups who has spoken first in each."""
    if not keys and not people:
        return _NOTHING
    params = {"keys": keys, "people": people} if people else {"keys": keys}
    return _shown(tx, app, _LISTED, params, quotes=quotes)


def _shown(tx: Tx, app: int, keys: str, params: Mapping[str, Any], *, quotes: bool) -> Shown:
    """One statement, and a second for what is quoted: that is shown without what it quotes itself."""
    made, asked = _together(keys, "people" in params)
    words = {**params, **_words(tx, app)}
    about = _About.of(tx, app, made.apart(tx.all(asked, **words)), words)
    quoted = sorted(set(about.quotes.values())) if quotes else ()
    return about.shown(shown(tx, app, quoted).messages)


@frozen
class Shown:
    """What was read, by its keys: messages, people, and who has spoken in each group."""

    messages: Mapping[int, Standing]
    people: Mapping[int, PlatformUser]
    spoken: Mapping[int, tuple[PlatformUser, ...]]

    def of(self, keys: Sequence[int]) -> list[Standing]:
        """The messages with these keys, in their order. Raises NotFound when one is not this tenant's."""
        try:
            return [self.messages[key] for key in keys]
        except KeyError:
            raise NotFound("no such node in this application") from None


_NOTHING = Shown(*[MappingProxyType[int, Any]({})] * 3)


# ── what came of it ──────────────────────────────────────────────────────────────────────────


class _People(dict[int, PlatformUser]):
    """By key. Raises NotFound for one who is not this tenant's."""

    def __missing__(self, key: int) -> PlatformUser:
        raise NotFound("no such node in this application")


class _Plain(dict[int | None, Around]):
    """What stands around a message that nothing has happened to, by who said it: most are such."""

    def __init__(self, people: _People) -> None:
        self._people = people

    def __missing__(self, sender: int | None) -> Around:
        around = self[sender] = Around(None if sender is None else self._people[sender])
        return around


@define
class _About:
    """What stands around some messages, by their keys. `attached`: files by what brought them."""

    events: Sequence[Row]
    names: Names
    people: _People
    changes: dict[int, list[Change]]
    receipts: dict[int, list[tuple[int, Any, str]]]
    due: dict[int, int]
    spoken: dict[int, list[int]]
    files: dict[int, File]
    quotes: dict[int, int] = field(factory=dict)
    attached: dict[int, list[int]] = field(factory=dict)

    @classmethod
    def of(
        cls, tx: Tx, app: int, read: Sequence[Sequence[Row]], kinds: Mapping[str, Any]
    ) -> _About:
        """From the rows of each query; `kinds`: the numbers of edges."""
        events, changes, ends, pusers, files, receipts, parts, due, *speakers = read
        names = rows.names_in(tx, app, events, changes, pusers)
        people = _People((one._row[0], one) for one in rows.people_of(pusers, names))  # noqa: SLF001 - its key
        about = cls(
            events, names, people, _changes(changes, names, people),
            _receipts([*receipts, *parts]), dict(due), _grouped([row for some in speakers for row in some]),
            {row[0]: rows.filed(row) for row in files},
        )  # fmt: skip
        if ends:
            about.attached = _grouped(
                [(s, t) for s, kind, t in ends if kind == kinds["attachment"]]
            )
            about.quotes = {s: t for s, kind, t in ends if kind == kinds["reply_to"]}
        return about

    def shown(self, quoted: Mapping[int, Standing]) -> Shown:
        """The messages with all of it."""
        plain, names = _Plain(self.people), self.names
        eventful = {*self.changes, *self.attached, *self.receipts, *self.due}
        eventful = eventful.union(self.quotes if quoted else ())
        messages = {
            (key := row[0]): Standing(
                row[:17], names,
                around=self._around(key, plain[row[17]], quoted) if key in eventful else plain[row[17]],
            )
            for row in self.events
        }  # fmt: skip
        spoken = {
            peer: tuple(self.people[one] for one in some) for peer, some in self.spoken.items()
        }
        return Shown(messages, self.people, spoken)

    def _around(self, key: int, plain: Around, quoted: Mapping[int, Standing]) -> Around:
        return Around(
            plain.sender, tuple(self.changes.get(key, ())), self._files(key),
            tuple(sorted(self.receipts.get(key, ()))), quoted.get(self.quotes.get(key, 0)), self.due.get(key),
        )  # fmt: skip

    def _files(self, key: int) -> Mapping[int, tuple[File, ...]]:
        """The files of a message and of its edits."""
        if not self.attached:
            return {}
        brought = (key, *(change.position for change in self.changes.get(key, ())))
        return {
            one: tuple(self.files[file] for file in self.attached[one] if file in self.files)
            for one in brought
            if one in self.attached
        }


def _grouped(pairs: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _changes(found: Sequence[Row], names: Names, people: _People) -> dict[int, list[Change]]:
    return _grouped(
        [
            (message, Change(
                position, stored.behind(kind, names.event_types, "event", position), at, payload,
                None if who is None else people[who], bool(done),
            ))
            for message, position, kind, at, payload, who, done in found
        ]
    )  # fmt: skip


def _receipts(found: Sequence[Row]) -> dict[int, list[tuple[int, Any, str]]]:
    """(part, status, external id) of what the platform has accepted, by message."""
    return _grouped(
        [
            (event, (part, stored.word(status, STATUSES, "receipt", event), name))
            for event, part, status, name in found
        ]
    )
