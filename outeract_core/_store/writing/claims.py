"""Units of work of the sender's first step: claim what is due, with everything that a request needs.

Knows: leases on rows and the token that fences each, the order of a lane; that many rows are read with
a few statements.
Does not know: what becomes of a row once it is claimed (`outbox.py`), adapters.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile
from operator import itemgetter
from typing import Any

from ..._domain.rules.fair import fairly
from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.log import EVENT_CONN, target_of
from ..records.rows import ALIASES

_Seen = tuple[int, int, int, str, int | None, str, int | None, int, int, int, int | None]
"""A row as it is looked at: what never changes while it lives, and its attempt, due and lease."""
_Taken = tuple[int, int, int, str, int | None, int | None]
"""What may have changed since: of a key, how far it has come."""
_File = tuple[str | None, str | None, int | None, str | None]

HEADS: Statement[tuple[int, int, int, int]] = statement("outbox_heads")
AHEAD: Statement[Any] = statement("outbox_ahead")
UNTIMED: Statement[Any] = statement("outbox_untimed")
IS_UNTIMED: Statement[tuple[int]] = statement("outbox_is_untimed")
IS_AHEAD: Statement[tuple[int]] = statement("outbox_is_ahead")
LANE: Statement[_Seen] = statement("outbox_lane_due")
LEASE: Statement[_Taken] = statement("outbox_lease")
RENEW: Statement[tuple[int]] = statement("outbox_renew")
RELEASE: Statement[tuple[int]] = statement("outbox_release")
RELEASE_ALL: Statement[Any] = statement("outbox_release_all")
FILE_RELEASE_ALL: Statement[Any] = statement("file_release_all")
PROFILE_RELEASE_ALL: Statement[Any] = statement("profile_release_all")
RECIPIENTS: Statement[tuple[int, str, str, str]] = statement("recipients")
EVENT_IDS: Statement[tuple[int, bytes]] = statement("event_ids")
REFERENCES: Statement[tuple[int, int, int, str | None]] = statement("references_of")
AWAITED: Statement[tuple[int, int, str]] = statement("awaited_references")
PARTS_DONE: Statement[tuple[int, int]] = statement("receipt_parts")
EXTERNAL_ID: Statement[tuple[str]] = statement("external_id_of")
EXTERNAL_IDS: Statement[tuple[int, str]] = statement("external_ids_of")
FILE: Statement[_File] = statement("file_of_part")
LAST_INBOUND: Statement[tuple[int]] = statement("last_inbound")

PER_LANE, LANES = 16, 200
_SOONEST = 1_000
_ABOUT = ("react", "edit", "delete")
"""Verbs on a message that may still be on its way."""


@frozen
class Row:
    """A claimed outbox row, with what its request needs. Times in milliseconds.

    token    the claim that holds it: whatever is done to the row asks for it.
    done     the part that is next, or under way; those before it have come to something.
    arrives  until when the request that was begun last may still arrive; `looks`: how often it was
             asked in vain what became of it.
    """

    id: int
    conn: int
    lane: int
    verb: str
    event: int | None
    parts: dict[str, Any]
    done: int
    attempt: int
    expires: int | None
    sandbox: bool
    state: str
    token: int
    arrives: int | None = None
    looks: int = 0
    event_id: str = ""
    external_id: str = ""
    address: str = ""
    kind: str = "person"
    aliases: tuple[tuple[str, str], ...] = ()
    reply_to: str | None = None
    thread: str | None = None
    answers: str | None = None
    targets: tuple[tuple[int, str], ...] = ()
    target_outbound: bool = False
    target_payload: str = "{}"
    files: tuple[_File, ...] = ()
    receipts: frozenset[int] = frozenset()

    @property
    def target(self) -> str | None:
        """The external id of the message that an action is about: of its first part."""
        return self.targets[0][1] if self.targets else None


def named_messages(names: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """By part, the names of messages; of what is only in one (a file) where there is nothing better."""
    found: dict[int, list[str]] = {}
    for part, name in names:
        found.setdefault(part, []).append(name)
    return {part: [name for name in mine if ":" in name] or mine for part, mine in found.items()}


def claim(
    tx: Tx, owner: str, shares: Mapping[int, int], lease: int, held: Collection[int] = (),
    lanes: int = LANES,
) -> list[list[Row]]:  # fmt: skip
    """Due rows by lane, each lane in order and from its head; leased for `lease` milliseconds.

    `shares`: by connection how many lanes may be taken up, of `lanes` in all. `held`: the lanes that
    the owner's own tasks hold. They are never claimed again, whatever has become of their lease.
    """
    return take(tx, look(tx, shares, held, lanes), owner, lease)


def look(
    tx: Tx, shares: Mapping[int, int], held: Collection[int] = (), lanes: int = LANES
) -> list[list[_Seen]]:
    """Due rows by lane, each lane in order and from its head. Nobody holds them yet."""
    heads = _heads(tx, shares, held, lanes)
    queued: dict[int, list[_Seen]] = {lane: [] for _head, lane in heads}
    for row in sorted(tx.by_keys(LANE, [head for head, _lane in heads], limit=PER_LANE)):
        queued[row[2]].append(row)
    return [_due(rows, tx.now) for rows in queued.values()]


def take(tx: Tx, lanes: Sequence[Sequence[_Seen]], owner: str, lease: int) -> list[list[Row]]:
    """Of these rows those that are still due and free, as far as they are by now, leased in the same statement.

    Of a lane nothing is handed out behind a row that somebody else was quicker to take.
    """
    token, until = secrets.randbits(62), tx.now + lease
    keys = [row[0] for lane in lanes for row in lane]
    got = {
        row[0]: row
        for row in tx.by_keys(LEASE, keys, now=tx.now, until=until, owner=owner, token=token)
    }
    mine = [list(takewhile(lambda row: row[0] in got, lane)) for lane in lanes]
    found = [(row, got.pop(row[0])) for lane in mine for row in lane]
    tx.by_keys(RELEASE, sorted(got), token=token)
    loaded = iter(_load(tx, found, token))
    return [[next(loaded) for _ in lane] for lane in mine if lane]


def any_due(tx: Tx, shares: Mapping[int, int], held: Collection[int] = ()) -> bool:
    """Whether `claim` would find a row."""
    return bool(_heads(tx, shares, held, 1))


def _heads(
    tx: Tx, shares: Mapping[int, int], held: Collection[int], lanes: int
) -> list[tuple[int, int]]:
    most = max(shares.values(), default=0)
    rows = tx.by_keys(HEADS, list(shares), now=tx.now, each=most + len(held))
    free = ((conn, (head, lane)) for _due, head, lane, conn in sorted(rows) if lane not in held)
    return fairly(free, shares, lanes)


def cut(tx: Tx, longest: int) -> None:
    """A clock was set back: what waits for longer than the library ever asks for is due now, and what
    was to leave at once does. Only `not_before` is the host's.
    """
    tx.run(AHEAD, now=tx.now, latest=tx.now + longest)
    tx.run(UNTIMED, now=tx.now)


def is_ahead(tx: Tx, longest: int) -> bool:
    """Whether `cut` would change a row, of those that fall due soonest."""
    if tx.one(IS_AHEAD, latest=tx.now + longest) is not None:
        return True
    return tx.one(IS_UNTIMED, now=tx.now, most=_SOONEST) is not None


def _due(queued: list[_Seen], now: int) -> list[_Seen]:
    """Of the rows of one lane, in order, those that may be sent one after the other."""
    rows, sends = list[_Seen](), False
    for row in queued:
        verb, (attempt, due, lease_until) = row[3], row[-3:]
        if due > now and attempt == 0:
            continue  # not before its time, and it holds up nobody
        if due > now or (lease_until or 0) > now:
            break
        if verb in _ABOUT and sends:
            break  # what is before it may be what it is about, and has no id yet
        rows.append(row)
        sends = sends or verb == "send"
    return rows


def renew(tx: Tx, keys: Sequence[int], owner: str, lease: int) -> list[int]:
    """Hold these rows for `lease` milliseconds more; those that the owner still has."""
    return [row[0] for row in tx.by_keys(RENEW, keys, owner=owner, until=tx.now + lease)]


def release(tx: Tx, rows: Sequence[Row]) -> None:
    """Give back rows of one claim that were not begun; what was taken over meanwhile is left alone."""
    if rows:
        tx.by_keys(RELEASE, [row.id for row in rows], token=rows[0].token)


def release_owner(tx: Tx, owner: str) -> None:
    """A process is gone: what it held, downloads and profiles too, is free again."""
    tx.run(RELEASE_ALL, owner=owner)
    tx.run(FILE_RELEASE_ALL, owner=owner)
    tx.run(PROFILE_RELEASE_ALL, owner=owner)


@frozen
class _Around:
    """What stands around many rows: by lane, or by event."""

    recipients: dict[int, tuple[str, str, str]]
    aliases: dict[int, list[tuple[str, str]]]
    ids: dict[int, str]
    references: dict[tuple[int, str], str | None]
    receipts: dict[int, list[int]]


def _load(tx: Tx, rows: Sequence[tuple[_Seen, _Taken]], token: int) -> list[Row]:
    """The rows with their recipients, their references and their files."""
    lanes = sorted({row[2] for row, _ in rows})
    around = _around(tx, lanes, [row[4] for row, _ in rows if row[4] is not None])
    return [_row(tx, row, taken, around, token) for row, taken in rows]


def _around(tx: Tx, lanes: list[int], events: list[int]) -> _Around:
    aliases: dict[int, list[tuple[str, str]]] = {}
    for lane, kind, value in sorted(tx.by_keys(ALIASES, lanes)):
        aliases.setdefault(lane, []).append((kind, value))
    receipts: dict[int, list[int]] = {}
    for event, part in tx.by_keys(PARTS_DONE, events):
        receipts.setdefault(event, []).append(part)
    return _Around(
        {lane: told for lane, *told in tx.by_keys(RECIPIENTS, lanes)},  # type: ignore[misc]
        aliases,
        {event: uid.hex() for event, uid in tx.by_keys(EVENT_IDS, events)},
        _references(tx, events),
        receipts,
    )


def _references(tx: Tx, events: list[int]) -> dict[tuple[int, str], str | None]:
    """By event and edge type, the external id of what is referred to, here or still awaited."""
    names = ("reply_to", "in_thread", "triggered_by")
    types = {name: tx.kind(name) for name in names}
    found: dict[tuple[int, str], str | None] = {
        (event, tx.kind_name(kind)): name
        for event, kind, name in tx.by_keys(AWAITED, events, **types)
    }
    here = sorted(tx.by_keys(REFERENCES, events, **types), key=itemgetter(0), reverse=True)
    for _target, event, kind, name in here:
        found[event, tx.kind_name(kind)] = name
    return found


def _row(tx: Tx, row: _Seen, taken: _Taken, around: _Around, token: int) -> Row:
    key, conn, lane, verb, event, parts, expires, sandbox, *_ = row
    _key, done, attempt, state, arrives, looks = taken
    spec = stored.values(parts, "outbox", "")
    external_id, address, kind = around.recipients.get(lane, ("", "", "person"))
    targets, outbound, payload = _targets(tx, lane, verb, event)
    own = event or 0
    return Row(
        key, conn, lane, verb, event, spec, done, attempt, expires, bool(sandbox), state,
        token, arrives=arrives, looks=looks or 0, event_id=around.ids.get(own, ""),
        external_id=external_id, address=address, kind=kind,
        aliases=tuple(around.aliases.get(lane, ())),
        reply_to=around.references.get((own, "reply_to")),
        thread=around.references.get((own, "in_thread")),
        answers=around.references.get((own, "triggered_by")),
        targets=targets, target_outbound=outbound, target_payload=payload,
        files=tuple(tx.one(FILE, id=key) or (None,) * 4 for key in spec.get("files", ())),
        receipts=frozenset(around.receipts.get(own, ())),
    )  # fmt: skip


def _targets(
    tx: Tx, lane: int, verb: str, event: int | None
) -> tuple[tuple[tuple[int, str], ...], bool, str]:
    """The message that an action is about: of ours all parts and names, in order, else the one name."""
    target = None if verb == "send" else _about(tx, lane, event)
    if target is None:
        return (), False, "{}"
    facts = tx.one(EVENT_CONN, seq=target)
    outbound = facts is not None and tx.kind_name(facts[1]) == "message.outbound"
    parts = tx.all(EXTERNAL_IDS, seq=target) if outbound else []
    found = parts or [(0, row[0]) for row in tx.all(EXTERNAL_ID, seq=target)]
    return tuple(found), outbound, "{}" if facts is None else facts[2]


def _about(tx: Tx, lane: int, event: int | None) -> int | None:
    """The message that an action is about; one without an event is about what was said last."""
    if event is not None:
        return target_of(tx, event, "origin")
    row = tx.one(LAST_INBOUND, peer=lane, inbound=tx.kind("message.inbound"))
    return None if row is None else row[0]
