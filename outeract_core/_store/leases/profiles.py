"""Units of work on profiles: of whom the platform is to be asked, and what it has told of them.

Knows: who is due, that nothing is asked which need not be, what becomes of each answer.
Does not know: platforms, requests, how fast one may ask.

Whoever has a conversation or takes part in one has a row, by triggers of the file (migration 13). A
kind of platform users that a connection may not ask of is left alone for a while, and that is told
once.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import evolve

from ..._domain.values.classes import frozen
from ..._domain.values.codec import clean
from ...driver import Statement, Tx
from ...exchange import Profile
from ..engine.statements import statement
from ..records.conn import Conn
from ..writing import files, people, tombstones

_Due = tuple[
    int, int, str, str, str, str | None, int | None, int, int | None, str | None, int | None
]
AGE = 30 * 86_400_000
"""Milliseconds after which a profile is asked for again, of who has written or was written to since."""
PAUSE = 86_400_000
"""Milliseconds after which it is tried again what a connection was not allowed to ask."""
_LOOK = 50
"""Rows of each kind that are looked at in one claim."""

DUE: Statement[_Due] = statement("profile_due")
ANY: Statement[tuple[int]] = statement("profile_any")
LEASED: Statement[tuple[int, int, int | None, str | None]] = statement("profile_lease")
PUT_OFF: Statement[Any] = statement("profile_put_off")
LEARNT: Statement[Any] = statement("profile_learnt")
LATER: Statement[Any] = statement("profile_later")
ERROR: Statement[tuple[str | None]] = statement("profile_error")
PAUSED: Statement[tuple[str]] = statement("profile_paused")
PAUSING: Statement[Any] = statement("profile_pause")
UNPAUSE: Statement[Any] = statement("profile_unpause")


@frozen
class Asked:
    """Of whom the platform is asked: the first id, the newest, and what was told the last time.

    `attempt`: which one this is; `token`: the claim, by which every settlement is fenced.
    """

    puser: int
    conn: int
    kind: str
    external_id: str
    address: str
    attempt: int
    picture: int | None
    version: str | None
    token: int


def any_due(tx: Tx, conns: Collection[int]) -> bool:
    """Whether there may be somebody to ask of on one of these connections."""
    return bool(tx.by_keys(ANY, sorted(conns), now=tx.now))


def claim(tx: Tx, owner: str, conns: Mapping[int, bool], lease: int) -> list[Asked]:
    """One of each connection, leased for `lease` milliseconds; who need not be asked of is put off.

    `conns`: whether pictures are wanted, too.
    """
    needless, found = look(tx, conns)
    tx.by_keys(PUT_OFF, needless, now=tx.now, due=tx.now + AGE)
    return take(tx, found, owner, lease)


def look(tx: Tx, conns: Mapping[int, bool]) -> tuple[list[int], list[Asked]]:
    """Who need not be asked of, and one of each connection who must. Nobody holds them yet."""
    found = tx.by_keys(
        DUE, sorted(conns), now=tx.now, each=_LOOK, sent_by=tx.kind("sent_by"), sent_to=tx.kind("sent_to")
    )  # fmt: skip
    wanted: dict[int, Asked] = {}
    needless = []
    for row in found:
        if not _needs(row, conns[row[1]]):
            needless.append(row[0])
        elif row[1] not in wanted:
            wanted[row[1]] = _asked(row)
    return needless, list(wanted.values())


def take(tx: Tx, found: Sequence[Asked], owner: str, lease: int) -> list[Asked]:
    """Of these those that are still due and free, as they are by now, leased in the same statement."""
    keys, token = [asked.puser for asked in found], secrets.randbits(62)
    rows = tx.by_keys(
        LEASED, keys, now=tx.now, until=tx.now + lease, owner=owner, token=token
    )  # fmt: skip
    got = {puser: standing for puser, *standing in rows}
    return [_taken(asked, got[asked.puser], token) for asked in found if asked.puser in got]


def _taken(asked: Asked, standing: Sequence[Any], token: int) -> Asked:
    attempt, picture, version = standing
    return evolve(asked, attempt=attempt + 1, picture=picture, version=version, token=token)


def _needs(row: _Due, pictures: bool) -> bool:
    """What is not known yet; what was told long ago, of somebody with whom there was to do since."""
    name, fetched_at, active_at = row[5], row[6], row[10]
    if fetched_at is None:
        return pictures or name is None
    return active_at is not None and active_at > fetched_at


def _asked(row: _Due) -> Asked:
    puser, conn, kind, ext, address, _name, _at, attempt, picture, version, _active = row
    return Asked(puser, conn, kind, ext, address, attempt + 1, picture, version, 0)


def learnt(tx: Tx, conn: Conn, asked: Asked, told: Profile, *, pictures: bool) -> tuple[str, ...]:
    """What the platform has told; the hashes of bytes that nobody uses any more.

    Nothing is kept of who was erased meanwhile, or is asked of by somebody else by now.
    """
    fresh = pictures and told.picture is not None and _another(asked, told)
    kept = asked.picture if told.picture is not None else None
    values = {"picture": kept, "version": asked.version if kept is not None else None}
    if not tx.changed_one(
        LEARNT, puser=asked.puser, token=asked.token, due=tx.now + AGE, now=tx.now, **values
    ):
        return ()
    tx.run(UNPAUSE, conn=conn.id, kind=asked.kind)
    people.called(tx, asked.puser, told.name, told.picture_url)
    if fresh and told.picture is not None:
        files.portray(tx, conn, asked.puser, told.picture, told.version)
    outdated = [asked.picture] if asked.picture is not None and (fresh or kept is None) else []
    return tombstones.drop_files(tx, outdated)


def _another(asked: Asked, told: Profile) -> bool:
    """Whether it is not the picture that is here."""
    return asked.picture is None or told.version is None or told.version != asked.version


def later(tx: Tx, asked: Asked, due: int, reason: str | None) -> None:
    """Ask again at `due`; `reason` None: it was not tried."""
    attempt = asked.attempt if reason is not None else asked.attempt - 1
    tx.run(
        LATER, puser=asked.puser, token=asked.token, due=due, attempt=attempt, error=clean(reason)
    )


def refused(tx: Tx, asked: Asked, reason: str) -> bool:
    """The platform will not tell of them; whether that is news. It is asked again when they are old."""
    before = tx.one(ERROR, puser=asked.puser)
    due = tx.now + AGE
    tx.run(LATER, puser=asked.puser, token=asked.token, due=due, attempt=0, error=clean(reason))
    return before is not None and before[0] != clean(reason)


def forbidden(tx: Tx, asked: Asked, reason: str) -> bool:
    """The connection may not ask of this kind of platform users; whether that is news."""
    before = tx.one(PAUSED, conn=asked.conn, kind=asked.kind)
    told = clean(reason) or ""
    tx.run(PAUSING, conn=asked.conn, kind=asked.kind, until=tx.now + PAUSE, reason=told)
    later(tx, asked, tx.now, None)
    return before is None or before[0] != told
