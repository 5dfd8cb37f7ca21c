"""Units of work on persons: merge, unmerge, whose platform user it was at a time.

Knows: that a merge moves platform users and rewrites no edge, that it is an event, how it is undone.
Does not know: why two persons are one (a host's decision, a link code).
"""

from __future__ import annotations

from typing import Any

from ..._domain.values import stored
from ..._domain.values.codec import encode
from ...driver import Statement, Tx
from ...errors import BadInput
from ..engine.statements import statement
from ..records.log import EVENT_ID, append, link

PERSON: Statement[tuple[int, bytes, int, int | None]] = statement("person_facts")
PUSER: Statement[tuple[int, bytes, int, int, str]] = statement("puser_facts")
PUSERS: Statement[tuple[int]] = statement("person_pusers")
MOVE: Statement[Any] = statement("puser_move")
MOVED: Statement[Any] = statement("moved_add")
MOVED_BY: Statement[tuple[int, int, int]] = statement("moved_by")
MOVED_AFTER: Statement[tuple[int]] = statement("moved_after")
MERGED: Statement[Any] = statement("person_merged")
MERGE_OF: Statement[tuple[int]] = statement("merge_of")
PERSON_OF: Statement[tuple[int]] = statement("person_of")


def merge(tx: Tx, app: int, source: int, target: int, cause: int | None = None) -> int:
    """Move every platform user of `source` to `target`; the key of `user.merged`. Raises BadInput."""
    _refuse(tx, source, target)
    theirs = [row[0] for row in tx.all(PUSERS, person=source)]
    payload = _payload(tx, source, target, theirs)
    event = _append(tx, app, "user.merged", payload, source, target, cause)
    for puser in theirs:
        _move(tx, event, puser, source, target)
    tx.run(MERGED, person=source, target=target)
    return event


def unmerge(tx: Tx, app: int, source: int) -> int:
    """Undo the merge of `source`: what it moved goes back, unless it has gone back already.

    Platform users that were met since then stay with the target. The key of `user.unmerged`.
    Raises BadInput when the person is not merged.
    """
    person = _person(tx, source)
    merged = tx.one(
        MERGE_OF,
        person=source,
        source_user=tx.kind("source_user"),
        merged=tx.kind("user.merged"),
    )
    if person[3] is None or merged is None:
        raise BadInput("this user is not merged into another one")
    target, holder = person[3], root(tx, source)
    back = [
        puser for puser, _was, _is in tx.all(MOVED_BY, event=merged[0]) if _of(tx, puser) == holder
    ]
    payload = _payload(tx, source, target, back) | {"merged_event_id": _uid(tx, merged[0])}
    event = _append(tx, app, "user.unmerged", payload, source, target, merged[0])
    for puser in back:
        _move(tx, event, puser, holder, source)
    tx.run(MERGED, person=source, target=None)
    return event


def user_of(tx: Tx, puser: int, at: int | None) -> int:
    """The person above a platform user, now or at a time (milliseconds)."""
    if at is not None:
        before = tx.one(MOVED_AFTER, puser=puser, at=at)
        if before is not None:
            return before[0]
    return _of(tx, puser)


def root(tx: Tx, person: int) -> int:
    """The person that `person` has been merged into, through every merge; itself if none."""
    while (into := _person(tx, person)[3]) is not None:
        person = into
    return person


def _refuse(tx: Tx, source: int, target: int) -> None:
    if source == target:
        raise BadInput("source and target are one user already")
    for role, key in (("source", source), ("target", target)):
        person = _person(tx, key)
        if person[2]:
            raise BadInput(
                f"the {role} is the application's system user, which is nobody's identity"
            )
        if person[3] is not None:
            into = stored.uid(_person(tx, person[3])[1], "person", "")
            raise BadInput(f"the {role} is merged into {into} already; use that one, or unmerge")


def _append(
    tx: Tx,
    app: int,
    kind: str,
    payload: dict[str, Any],
    source: int,
    target: int,
    cause: int | None,
) -> int:
    event = append(tx, app, kind, encode(payload))
    assert event is not None  # noqa: S101 - it has no dedupe key
    link(tx, event, "source_user", source)
    link(tx, event, "target_user", target)
    if cause is not None:
        link(tx, event, "origin", cause)
    return event


def _payload(tx: Tx, source: int, target: int, pusers: list[int]) -> dict[str, Any]:
    rows = [tx.one(PUSER, id=puser) for puser in pusers]
    return {
        "source_user_id": str(stored.uid(_person(tx, source)[1], "person", "")),
        "target_user_id": str(stored.uid(_person(tx, target)[1], "person", "")),
        "platform_user_ids": [
            str(stored.uid(row[1], "puser", "")) for row in rows if row is not None
        ],
    }


def _move(tx: Tx, event: int, puser: int, previous: int, current: int) -> None:
    tx.run(MOVE, puser=puser, person=current)
    tx.run(MOVED, puser=puser, event=event, at=tx.now, previous=previous, current=current)


def _person(tx: Tx, key: int) -> tuple[int, bytes, int, int | None]:
    row = tx.one(PERSON, id=key)
    assert row is not None  # noqa: S101 - keys are resolved before
    return row


def _of(tx: Tx, puser: int) -> int:
    row = tx.one(PERSON_OF, puser=puser)
    assert row is not None  # noqa: S101
    return row[0]


def _uid(tx: Tx, event: int) -> str:
    row = tx.one(EVENT_ID, seq=event)
    assert row is not None  # noqa: S101
    return str(stored.uid(row[0], "person", ""))
