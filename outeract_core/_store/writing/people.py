"""Units of work on platform users: met on first contact, found by id or alias, kept up to date.

Knows: how a `Party` of a fact becomes a platform user with a person above it.
Does not know: events, merges of persons (`identity.py`).
"""

from __future__ import annotations

from typing import Any

from ..._domain.values.codec import clean, text_id
from ...driver import Statement, Tx
from ...events import Party, Relink
from ..engine.statements import statement
from ..records.conn import Conn

_Known = tuple[int, str | None, str | None]

PERSON_ADD: Statement[Any] = statement("person_add")
PERSON_NAME: Statement[Any] = statement("person_name")
PUSER_ADD: Statement[Any] = statement("puser_add")
PUSER_BY_EXT: Statement[_Known] = statement("puser_by_ext")
PUSER_BY_ALIAS: Statement[_Known] = statement("puser_by_alias")
PUSER_PROFILE: Statement[Any] = statement("puser_profile")
PUSER_ADDRESS: Statement[Any] = statement("puser_address")
NEWEST: Statement[Any] = statement("puser_address_newest")
DISPLACED: Statement[Any] = statement("puser_displaced")
ALIAS_ADD: Statement[Any] = statement("alias_add")
ALIAS_MOVE: Statement[Any] = statement("alias_move")
ALIASES: Statement[tuple[str, str]] = statement("aliases_of")


def add_system_person(tx: Tx, app: int) -> int:
    """The application's one system user."""
    return _add_person(tx, app, None, system=1)


def add_system_puser(tx: Tx, app: int, conn: int, person: int, name: str) -> int:
    """The connection's one system platform user."""
    return _add_puser(tx, app, conn, person, "system", Party("system", "system", name))


def meet(tx: Tx, conn: Conn, party: Party) -> int:
    """The platform user that `party` names, created on first contact; its profile is refreshed."""
    names = _names(party)
    cached = tx.recall(("puser", conn.id, names))
    if cached is not None and cached[1:] == (party.name, party.profile_picture_url):
        key: int = cached[0]
        return key
    known = _whose(tx, conn.id, party, names)
    if known is None:
        known = _create(tx, conn, party, names)
    else:
        _refresh(tx, known, party)
        _learn(tx, conn.id, known[0], party, names)
    tx.remember(("puser", conn.id, names), (known[0], party.name, party.profile_picture_url))
    return known[0]


def find(tx: Tx, conn: Conn, external_id: str) -> int | None:
    """The platform user with this id or alias on the connection, or None."""
    known = _find(tx, conn.id, (text_id(external_id),))
    return None if known is None else known[0]


def relink(tx: Tx, conn: Conn, change: Relink) -> int | None:
    """`previous` is now called `current`: sends go there, both names find the same platform user."""
    puser = find(tx, conn, change.previous)
    if puser is None:
        return None
    current = text_id(change.current)
    tx.run(ALIAS_MOVE, conn=conn.id, value=current, type=change.alias_type, puser=puser)
    tx.run(PUSER_ADDRESS, id=puser, address=current)
    tx.forget(("puser", conn.id, (current,)))
    return puser


def _names(party: Party) -> tuple[str, ...]:
    """Everything that may find the party, the best first."""
    first = () if party.external_id is None else (text_id(party.external_id),)
    names = first + tuple(text_id(alias.value) for alias in party.aliases)
    return names or ("unknown",)


def _whose(tx: Tx, conn: int, party: Party, names: tuple[str, ...]) -> _Known | None:
    """Who a party is. Where its names disagree, the decisive one is right."""
    decisive = _decisive(party)
    if decisive is None:
        return _find(tx, conn, names)
    known = _find(tx, conn, (decisive,)) or _find(tx, conn, names)
    if known is None:
        return None
    theirs = [value for kind, value in tx.all(ALIASES, puser=known[0]) if kind == party.decisive]
    return known if decisive in theirs or not theirs else None


def _decisive(party: Party) -> str | None:
    for alias in party.aliases:
        if alias.type == party.decisive:
            return text_id(alias.value)
    return None


def _find(tx: Tx, conn: int, names: tuple[str, ...]) -> _Known | None:
    for name in names:
        row = tx.one(PUSER_BY_EXT, conn=conn, ext=name) or tx.one(
            PUSER_BY_ALIAS, conn=conn, value=name
        )
        if row is not None:
            return row
    return None


def _create(tx: Tx, conn: Conn, party: Party, names: tuple[str, ...]) -> _Known:
    person = _add_person(tx, conn.app, party.name)
    holder = _find(tx, conn.id, names[:1])
    if holder is not None:  # names[0] was handed on: whoever had it is reached by what is theirs
        tx.run(DISPLACED, id=holder[0], address=names[0], decisive=party.decisive)
    taken = tx.one(PUSER_BY_EXT, conn=conn.id, ext=names[0]) is not None
    ext = (_decisive(party) or names[0]) if taken else names[0]
    key = _add_puser(tx, conn.app, conn.id, person, ext, party)
    if ext != names[0]:
        tx.run(PUSER_ADDRESS, id=key, address=names[0])
    _learn(tx, conn.id, key, party, names)
    return key, party.name, party.profile_picture_url


def _refresh(tx: Tx, known: _Known, party: Party) -> None:
    name, picture = clean(party.name), clean(party.profile_picture_url)
    if (name and name != known[1]) or (picture and picture != known[2]):
        tx.run(PUSER_PROFILE, id=known[0], name=name, picture=picture)
        tx.run(PERSON_NAME, puser=known[0], name=name)


def _learn(tx: Tx, conn: int, key: int, party: Party, names: tuple[str, ...]) -> None:
    """Keep what else finds this platform user."""
    for alias in party.aliases:
        tx.run(ALIAS_ADD, conn=conn, value=text_id(alias.value), type=alias.type, puser=key)
    if party.external_id is not None and tx.one(PUSER_BY_EXT, conn=conn, ext=names[0]) is None:
        tx.run(ALIAS_ADD, conn=conn, value=names[0], type="external_id", puser=key)
    if (
        party.external_id is not None
        and _decisive(party) is not None
        and tx.run(NEWEST, id=key, address=names[0])
    ):
        tx.forget()


def _add_person(tx: Tx, app: int, name: str | None, system: int = 0) -> int:
    key = tx.allocate(app)
    tx.run(PERSON_ADD, id=key, uid=tx.new_id().bytes, name=clean(name), system=system, now=tx.now)
    return key


def _add_puser(tx: Tx, app: int, conn: int, person: int, ext: str, party: Party) -> int:
    key = tx.allocate(app)
    tx.run(
        PUSER_ADD, id=key, uid=tx.new_id().bytes, person=person, conn=conn, ext=ext,
        kind=party.kind, name=clean(party.name), picture=clean(party.profile_picture_url), now=tx.now,
    )  # fmt: skip
    return key
