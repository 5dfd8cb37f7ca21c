"""What of others' events is a person's: looked for by their names, and by what answers them.

Knows: what a person is called, windows of the log, the rules for events of the host's own.
Does not know: what in an event is whose (`_domain/rules/redaction.py`), how it is taken out.

The look goes window by window, each a short read, so that nobody waits for it; what came meanwhile is
looked at in the commit that erases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from attrs import evolve, field

from ..._domain.rules.patterns import checked, fits
from ..._domain.rules.redaction import TELLING, Names, Quoting, Redaction
from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput
from ...events import RESERVED
from ..engine.guards import permits
from ..engine.statements import statement
from .retention import NEWEST, WINDOW

NAMES: Statement[tuple[int, str]] = statement("names_of_puser")
SHOWN: Statement[tuple[int, str]] = statement("shown_of_puser")
USERNAMES: Statement[tuple[int, str]] = statement("usernames_of_puser")
NAMING: Statement[tuple[int]] = statement("events_naming")
WHOLE: Statement[tuple[int, int | None, int, str, str | None]] = statement("events_whole")

Rule: TypeAlias = Literal["replace", "keep"] | Callable[[Any], Any]
_PIECE = 250


@frozen
class Rules:
    """`quoting`: by connection, what its platform says of its members; `own`: the host's, by pattern."""

    quoting: Mapping[int, Quoting] = field(factory=dict)
    own: tuple[tuple[str, Rule], ...] = ()

    def of(self, event_type: str) -> Rule:
        """What becomes of an event of the host's own: the first pattern that fits says it."""
        return next((rule for pattern, rule in self.own if fits(pattern, event_type)), "replace")

    def redaction(self, names: Names, conn: int | None, *, answered: bool) -> Redaction:
        """How an event of a connection is read."""
        return Redaction(names, self.quoting.get(conn or 0, Quoting()), answered)


@frozen
class Look:
    """`called`: the names by connection; `found`: events that have one of them, up to `upto`."""

    called: Mapping[int, Names]
    upto: int
    found: frozenset[int] = frozenset()
    more: bool = True

    def names(self, conn: int | None) -> Names:
        """What they are called on a connection; where there is none, anywhere."""
        if conn is not None:
            return self.called.get(conn, Names())
        return Names(frozenset[str]().union(*(one.ids for one in self.called.values())))


@frozen
class Change:
    """An event as it is to be from now on; `payload` None: it has to go altogether."""

    event: int
    payload: str | None
    raw: str | None


def own(rules: Mapping[str, Any] | None) -> tuple[tuple[str, Rule], ...]:
    """What the host says of its own types, by pattern. Raises BadInput."""
    for pattern, rule in (rules or {}).items():
        if checked(pattern).startswith(RESERVED):
            raise BadInput(
                f"{pattern!r}: what becomes of the library's own events is not for rules"
            )
        if rule not in ("replace", "keep") and not callable(rule):
            raise BadInput(f"{pattern!r}: 'replace', 'keep' or a function, not {rule!r:.80}")
    return tuple((rules or {}).items())


# ── looking ───────────────────────────────────────────────────────────────────────────────────


def begin(tx: Tx, app: int, pusers: list[int]) -> Look:
    """What to look for, and where to begin."""
    ids: dict[int, set[str]] = {}
    shown: dict[int, set[str]] = {}
    for puser in pusers:
        for conn, name in _called(tx, puser):
            ids.setdefault(conn, set()).update((name, name.removeprefix("+")))
        for conn, name in tx.all(SHOWN, puser=puser):
            shown.setdefault(conn, set()).add(name)
    conns = ids.keys() | shown.keys()
    called = {
        conn: Names(frozenset(ids.get(conn, ())), frozenset(shown.get(conn, ()))) for conn in conns
    }
    return Look(called, span(app)[0])


def _called(tx: Tx, puser: int) -> Iterable[tuple[int, str]]:
    named = tx.all(NAMES, puser=puser)
    named += tx.all(USERNAMES, puser=puser, sent_by=tx.kind("sent_by"))
    return [(conn, name) for conn, name in named if name and not name.startswith("erased:")]


def look(tx: Tx, app: int, seen: Look) -> Look:
    """The next window."""
    lo, hi = span(app)
    newest = (tx.one(NEWEST, lo=lo, hi=hi) or (lo,))[0]
    upto = min(seen.upto + WINDOW, newest)
    wanted = _wanted(seen.called.values())
    if not wanted:
        return evolve(seen, upto=newest, more=False)
    rows = tx.all(NAMING, after=seen.upto, upto=upto, names=wanted)
    return evolve(
        seen, upto=upto, more=upto < newest, found=seen.found | {row[0] for row in rows}
    )  # fmt: skip


def look_on(tx: Tx, app: int, seen: Look) -> Look:
    """All that has come since, in the transaction that erases."""
    seen = look(tx, app, seen)
    while seen.more:
        seen = look(tx, app, seen)
    return seen


def _wanted(called: Iterable[Names]) -> list[str]:
    """What is looked for in the text of an event: JSON may have written it in two ways."""
    found = set[str]()
    for names in called:
        short = {name for name in names.ids if len(name) < TELLING}
        for plainly in (True, False):
            found.update(_quoted(name, plainly)[1:-1] for name in names.telling)
            found.update(_quoted(name, plainly) for name in names.shown | short)
    return sorted(found)


def _quoted(name: str, ascii_only: bool) -> str:
    return json.dumps(name, ensure_ascii=ascii_only)


# ── what is theirs in it ──────────────────────────────────────────────────────────────────────


def passed_on(tx: Tx, seen: Look, rules: Rules) -> set[int]:
    """Messages whose words are theirs, whoever has sent them on."""
    found = set[int]()
    for key, conn, _type, payload, raw in _events(tx, seen.found):
        redaction = rules.redaction(seen.names(conn), conn, answered=False)
        if redaction.is_theirs(stored.value(payload, "event", key), _value(raw)):
            found.add(key)
    return found


def changes(tx: Tx, seen: Look, rules: Rules, gone: set[int]) -> list[Change]:
    """What others have said, without what is theirs in it; `gone`: what is erased altogether."""
    kinds = [tx.kind("reply_to")]
    answers = {source for source, _t, _d in tx.expand(sorted(gone), kinds, inward=True)}
    found = []
    for key, conn, kind, payload, raw in _events(tx, (seen.found | answers) - gone):
        name = tx.kind_name(kind)
        if name in _SPARED or not (name.startswith(RESERVED) or rules.of(name) == "replace"):
            continue
        redaction = rules.redaction(seen.names(conn), conn, answered=key in answers)
        change = _changed(tx, key, payload, raw, redaction)
        if change is not None:
            found.append(change)
    return found


_SPARED = ("user.erased", "system.retention_applied", "user.merged", "user.unmerged")


def _events(tx: Tx, keys: Iterable[int]) -> Iterable[tuple[int, int | None, int, str, str | None]]:
    """In pieces, so that no more than a piece is in memory."""
    ordered = sorted(keys)
    for at in range(0, len(ordered), _PIECE):
        yield from tx.by_keys(WHOLE, ordered[at : at + _PIECE])


def _value(raw: str | None) -> Any:
    """A raw item, or nothing where it cannot be read."""
    try:
        return None if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _changed(
    tx: Tx, key: int, payload: str, raw: str | None, redaction: Redaction
) -> Change | None:
    told, item = stored.value(payload, "event", key), _value(raw)
    new, kept = redaction.of(told, item)
    if (new, kept) == (told, item):
        return None
    text = payload if new == told else encode(new)
    if text != payload and not permits(tx, payload, text):
        return Change(key, None, None)
    return Change(key, text, raw if kept == item else _raw(tx, raw, kept))


def _raw(tx: Tx, raw: str | None, kept: Any) -> str | None:
    """The raw item without what is theirs; nothing, where it cannot be written like that."""
    try:
        text = encode(kept)
    except (ValueError, TypeError):
        return None
    return text if raw is not None and permits(tx, raw, text) else None


def by_rule(tx: Tx, key: int, event_type: str, rule: Rule) -> Change | None:
    """What the host's rule makes of an event of its own. Raises BadInput when it must not."""
    if not callable(rule):
        return None
    for _key, _conn, _kind, payload, raw in _events(tx, [key]):
        new = rule(stored.value(payload, "event", key))
        if new is None:
            return Change(key, None, None)
        text = encode(new)
        if not permits(tx, payload, text):
            raise BadInput(
                f"what becomes of {event_type}: a function returns the payload with '[erased]' in place "
                "of each value that goes, or None to have all of it go; nothing was erased"
            )
        return None if text == payload else Change(key, text, raw)
    return None
