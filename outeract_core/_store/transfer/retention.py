"""Units of work of retention: the next stretch of the log that a rule drops.

Knows: what is old enough, what must stay a while longer (unsent, unhandled).
Does not know: how content leaves the log (`_store/writing/tombstones.py`); when rules are applied; bytes.

A rule has a position: everything up to it has been looked at and is not looked at again, but for the
messages that it has passed by because they were still to be sent.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, field

from ..._domain.rules.patterns import fits
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...retention import Dropped
from ..engine.statements import statement
from ..reading.queries import KINDS
from ..records.log import append
from ..writing import handlers, search, tombstones
from .retention_rules import SPARED, Rule, passed_by, rules

POSITION: Statement[Any] = statement("retention_position")
PASSED_BY_ADD: Statement[Any] = statement("passed_by_add")
PASSED_BY_DONE: Statement[Any] = statement("passed_by_done")
PASSED_BY_FREE: Statement[tuple[int]] = statement("passed_by_free")
NEWEST: Statement[tuple[int]] = statement("newest_event")
YOUNG: Statement[tuple[int]] = statement("first_young")
UNHANDLED: Statement[tuple[int]] = statement("first_unhandled")
CONTENT: Statement[tuple[int]] = statement("old_content")
COUNT: Statement[tuple[int]] = statement("old_content_count")
RAW: Statement[tuple[int]] = statement("old_raw")
UNSENT: Statement[tuple[int]] = statement("unsent_of")
NOTES_OF: Statement[tuple[int]] = statement("notes_of_file")
DELIVERIES: Statement[tuple[int]] = statement("old_deliveries")
DELIVERIES_ERASE: Statement[Any] = statement("deliveries_erase")

CHUNK = 250
"""So many events are dropped in one commit at most: a write that comes meanwhile waits some 10 ms."""
WINDOW = 10_000
"""So many keys are looked at in one commit at most."""
FEW = 2_000
"""So few events are taken out of the full-text index one by one, whatever share of it they are."""
_ALL = 2**31
_NOTES = tuple(name for name in tombstones.NOTES if not name.startswith("message."))


@frozen
class Look:
    """What a look at the next stretch found: keys of events, and how far it went.

    `old`: to be dropped; `freed`: passed by before, and sent by now; `unsent`: to be passed by;
    `deliveries`: numbers of kept deliveries; `more`: there is more to look at behind `upto`;
    `unhandled`: there is more that is old enough, and handlers have not handled it.
    """

    upto: int
    old: list[int] = field(factory=list)
    freed: list[int] = field(factory=list)
    unsent: list[int] = field(factory=list)
    deliveries: list[int] = field(factory=list)
    more: bool = False
    unhandled: bool = False

    @property
    def full(self) -> bool:
        """Whether another look may find more."""
        return self.more or CHUNK in (len(self.freed), len(self.deliveries))

    @property
    def idle(self) -> bool:
        """Whether there is nothing to write down."""
        return not (self.full or self.old or self.freed or self.unsent or self.deliveries)


@frozen
class Task:
    """One application of a rule: `before` (milliseconds) is the first time that is young enough.

    `handlers`: (name, pattern) of those that this process runs.
    """

    app: int
    rule: Rule
    before: int
    handlers: tuple[tuple[str, str], ...] = ()

    @property
    def after(self) -> int:
        """The key behind which to look."""
        return max(self.rule.position, span(self.app)[0])


@frozen
class Step:
    """What one commit has dropped. `hashes`: bytes that no node has any more; `position`: how far."""

    position: int
    events: int = 0
    files: int = 0
    deliveries: int = 0
    hashes: tuple[str, ...] = ()
    full: bool = False
    unhandled: bool = False


# ── looking ───────────────────────────────────────────────────────────────────────────────────


def look(tx: Tx, task: Task) -> Look:
    """What the rule drops next: O(WINDOW), and nothing in front of its position."""
    rule = task.rule
    reached = _reach(tx, task)
    statement = RAW if rule.entity.raw_only else CONTENT
    kinds = _kinds(tx, rule.entity.pattern, spare=True)
    limits = {"after": task.after, "upto": reached.upto, "limit": CHUNK}
    rows = tx.all(statement, kinds=kinds, conn=rule.conn, **limits)
    old = [row[0] for row in rows]
    if len(old) == CHUNK:
        reached = evolve(reached, upto=old[-1], more=True, unhandled=False)
    unsent = {row[0] for row in tx.all(UNSENT, events=old)}
    return evolve(
        reached, old=[key for key in old if key not in unsent], unsent=sorted(unsent),
        freed=_freed(tx, task, CHUNK), deliveries=_deliveries(tx, task, CHUNK),
    )  # fmt: skip


def _reach(tx: Tx, task: Task) -> Look:
    """How far the log may be looked at: to the first young event, or unhandled, or the window."""
    (lo, hi), after = span(task.app), task.after
    newest = tx.one(NEWEST, lo=lo, hi=hi)
    window = after + WINDOW
    upto = min(window, after if newest is None else newest[0])
    young = tx.one(YOUNG, after=after, upto=upto, before=task.before)
    if young is not None:
        upto = young[0] - 1
    unhandled = _unhandled(tx, task, after, upto)
    if unhandled is not None:
        upto = unhandled - 1
    return Look(upto, more=upto == window, unhandled=unhandled is not None)


def _unhandled(tx: Tx, task: Task, after: int, upto: int) -> int | None:
    """The first event that handlers have yet to handle. Unsure counts as not handled."""
    row = tx.one(handlers.CURSOR, app=task.app, name=handlers.NAME)
    start = after if row is None else max(after, row[0])
    if start >= upto:
        return None
    if not task.handlers:  # they may run in another process: all that is known is their cursor
        return None if row is None else start + 1
    found = []
    for name, pattern in task.handlers:
        kinds = _kinds(tx, pattern)
        first = tx.one(UNHANDLED, after=start, upto=upto, kinds=kinds, handler=name)
        found += [] if first is None else [first[0]]
    return min(found, default=None)


def _kinds(tx: Tx, pattern: str, *, spare: bool = False) -> list[int]:
    """The numbers of the event types that a pattern fits; `spare`: without those that never go."""
    return [
        number
        for number, name in tx.all(KINDS)
        if fits(pattern, name) and not (spare and name.startswith(SPARED))
    ]


def _freed(tx: Tx, task: Task, limit: int) -> list[int]:
    scope = {"rule": task.rule.number, "before": task.before}
    return [row[0] for row in tx.all(PASSED_BY_FREE, limit=limit, **scope)]


def _deliveries(tx: Tx, task: Task, limit: int) -> list[int]:
    if not task.rule.covers_deliveries:
        return []
    scope = {"app": task.app, "conn": task.rule.conn, "before": task.before}
    return [row[0] for row in tx.all(DELIVERIES, limit=limit, **scope)]


def foresee(tx: Tx, task: Task) -> Dropped:
    """What applying the rule would drop: the looks that it would take, and nothing is changed."""
    freed = _freed(tx, task, _ALL)
    found = Dropped(
        task.rule.entity, len(freed), deliveries=len(_deliveries(tx, task, _ALL)),
        unsent=passed_by(tx, task.rule) - len(freed),
    )  # fmt: skip
    showing, seen = _showing(tx, freed), Look(task.after, more=True)
    while seen.more:
        seen = look(tx, task)
        task = _moved(task, seen.upto)
        showing |= _showing(tx, seen.old)
        events, unsent = found.events + len(seen.old), found.unsent + len(seen.unsent)
        found = evolve(found, events=events, unsent=unsent, unhandled=seen.unhandled)
    if task.rule.entity.raw_only:
        return found
    files = tombstones.unheld(tx, sorted(showing))
    notes = _notes(tx, task, files, seen.upto)
    return evolve(found, events=found.events + len(notes), files=len(files))


def _showing(tx: Tx, events: list[int]) -> set[int]:
    """Those of the events that have something attached."""
    return {event for event, _t, _d in tx.expand(events, [tx.kind("attachment")], inward=False)}


def _moved(task: Task, position: int) -> Task:
    return evolve(task, rule=evolve(task.rule, position=position))


def takes_the_index(tx: Tx, task: Task) -> str | None:
    """The tokenizer of the full-text index, if at least half of what it has goes by the rule now.

    To take single words out of it costs ten times as much as to index what stays (FTS5's `secure-delete`).
    """
    tokenizer = search.tokenizer(tx)
    total, most, indexed = search.events(tx, task.app, task.after, task.before)
    if tokenizer is None or task.rule.entity.raw_only or most < FEW or 2 * most < total:
        return None
    unhandled = _unhandled(tx, task, task.after, indexed)
    row = tx.one(
        COUNT, after=task.after, upto=indexed if unhandled is None else unhandled - 1,
        before=task.before, kinds=_kinds(tx, task.rule.entity.pattern, spare=True), conn=task.rule.conn,
    )  # fmt: skip
    going = 0 if row is None else row[0]
    return tokenizer if going >= FEW and 2 * going >= total else None


# ── dropping ──────────────────────────────────────────────────────────────────────────────────


def step(tx: Tx, task: Task) -> Step:
    """Drop what comes next, in one commit. Nothing, when the rule is gone or was changed."""
    rule = {rule.number: rule for rule in rules(tx, task.app)}.get(task.rule.number)
    if rule is None or rule.keep != task.rule.keep:
        return Step(task.after)
    task = evolve(task, rule=rule)
    seen = look(tx, task)
    tx.run(PASSED_BY_ADD, rule=rule.number, events=seen.unsent)
    tx.run(PASSED_BY_DONE, rule=rule.number, events=seen.freed)
    tx.run(POSITION, id=rule.number, position=seen.upto)
    tx.run(DELIVERIES_ERASE, numbers=seen.deliveries)
    done = Step(
        seen.upto, deliveries=len(seen.deliveries), full=seen.full, unhandled=seen.unhandled
    )
    events = seen.freed + seen.old
    if not events and not seen.deliveries:
        return done
    if rule.entity.raw_only:
        tombstones.bury_raw(tx, events, _say(tx, task, len(events), 0, done.deliveries))
        return evolve(done, events=len(events))
    return _bury(tx, task, events, done)


def _bury(tx: Tx, task: Task, events: list[int], done: Step) -> Step:
    files = tombstones.unheld(tx, events)
    events = [*events, *_notes(tx, task, files, done.position)]
    by = _say(tx, task, len(events), len(files), done.deliveries)
    tombstones.bury(tx, events, by)
    hashes = tombstones.drop_files(tx, files)
    return evolve(done, events=len(events), files=len(files), hashes=hashes)


def _notes(tx: Tx, task: Task, files: list[int], upto: int) -> list[int]:
    """What the library has noted about these files, their names say: it goes with them.

    What the rule itself fits has its own time.
    """
    names = [name for name in _NOTES if not fits(task.rule.entity.pattern, name)]
    scope = {"attachment": tx.kind("attachment"), "upto": upto}
    kinds = [tx.kind(name) for name in names]
    found = {row[0] for file in files for row in tx.all(NOTES_OF, file=file, notes=kinds, **scope)}
    return sorted(found)


def _say(tx: Tx, task: Task, events: int, files: int, deliveries: int) -> int:
    """The event that says what was dropped, and by which rule."""
    rule = task.rule.entity
    payload = {
        "rule_id": str(rule.id), "pattern": rule.pattern, "raw_only": rule.raw_only,
        "connection_id": None if rule.connection_id is None else str(rule.connection_id),
        "before": task.before, "events": events, "files": files, "deliveries": deliveries,
    }  # fmt: skip
    key = append(tx, task.app, "system.retention_applied", encode(payload))
    assert key is not None  # noqa: S101 - it has no dedupe key
    return key
