"""Units of work on platform users: met on first contact, found by id or alias, kept up to date.

Knows: how a `Party` of a fact becomes a platform user with a person above it.
Does not know: events, merges of persons (`identity.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._domain.values.codec import clean, text_id
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.conn import Conn

if TYPE_CHECKING:
    from ...events import Party, Relink

_Known = tuple[int, str | None, str | None, int, str]
"""Key, name, picture, whether they were met by an alias alone, and their kind."""
_OWN = ("external_id", "address")
"""Types of aliases that are ids: the platform has told that they are the same platform user."""

_Taken = tuple[str, str, int, str | None, str | None, str]
"""A value, the type of the alias that it is ('': an id), whose it is, their name, picture and kind."""

PERSON_ADD: Statement[Any] = statement("person_add")
PERSON_NAME: Statement[Any] = statement("person_name")
PUSER_ADD: Statement[Any] = statement("puser_add")
PUSER_BY_ID: Statement[_Known] = statement("puser_by_id")
PUSER_BY_ALIAS: Statement[_Known] = statement("puser_by_alias")
PUSER_BY_ANY: Statement[_Known] = statement("puser_by_any")
PUSER_NAMELESS: Statement[_Known] = statement("puser_nameless")
PUSER_NAMED: Statement[Any] = statement("puser_named")
IS_NAMED: Statement[Any] = statement("puser_is_named")
IS_PLACE: Statement[Any] = statement("puser_is_place")
PROFILE_OF_PLACE: Statement[Any] = statement("profile_of_place")
PUSER_PROFILE: Statement[Any] = statement("puser_profile")
PUSER_ADDRESS: Statement[Any] = statement("puser_address")
NEWEST: Statement[Any] = statement("puser_address_newest")
DISPLACED: Statement[Any] = statement("puser_displaced")
ALIAS_ADD: Statement[Any] = statement("alias_add")
ALIAS_MOVE: Statement[Any] = statement("alias_move")
ALIASES: Statement[tuple[str, str]] = statement("aliases_of")
TAKEN: Statement[_Taken] = statement("names_taken")


def add_system_person(tx: Tx, app: int) -> int:
    """The application's one system user."""
    return _add_person(tx, app, None, system=1)


def add_system_puser(tx: Tx, app: int, conn: int, person: int, name: str) -> int:
    """The connection's one system platform user."""
    from ...events import Party  # with the first connection

    return _add_puser(tx, app, conn, person, "system", Party("system", "system", name))


def meet(tx: Tx, conn: Conn, party: Party) -> int:
    """The platform user that `party` names, created on first contact; its profile is refreshed.

    Two different external ids are two platform users, unless the platform itself has said that they
    are one: by a `Relink`, an `address` in a receipt, an alias of the type `external_id`, or a
    decisive alias. Any other alias only finds who has no id of their own yet, or is all that the
    party comes with. See docs/decisions/0031.
    """
    as_before = _as_before(tx, conn, party)
    if as_before is not None:
        return as_before
    known = _whose(tx, conn.id, party)
    if known is None:
        known = _create(tx, conn, party)
    else:
        _refresh(tx, known, party)
        _learn(tx, conn.id, known, party)
    _remember(tx, conn, party, known[0])
    return known[0]


def _as_before(tx: Tx, conn: Conn, party: Party) -> int | None:
    """Who this is, where they are remembered and nothing of them is news."""
    cached = tx.recall(("puser", conn.id, _names(party)))
    if cached is None or cached[1:3] != (party.name, party.profile_picture_url):
        return None
    if _is_place(cached[3], party):
        return None
    key: int = cached[0]
    return key


def meet_all(tx: Tx, conn: Conn, parties: Sequence[Party]) -> list[int]:
    """The same for many, in order. Who is as they were, or new to all, costs no statement of their own."""
    keys = [key for party in parties if (key := _as_before(tx, conn, party)) is not None]
    if len(keys) == len(parties):
        return keys
    fresh: dict[Any, Party] = {}
    for party in parties:
        if tx.recall(("puser", conn.id, _names(party))) is None:
            fresh.setdefault(_names(party), party)
    if len(fresh) > 1:
        _foresee(tx, conn, list(fresh.values()))
    return [meet(tx, conn, party) for party in parties]


def _foresee(tx: Tx, conn: Conn, parties: list[Party]) -> None:
    """Remember those of whom nothing changes, and add those of whom nobody has heard."""
    values = {party: _values(party) for party in parties}
    often = Counter(value for each in values.values() for value in each)
    taken: dict[str, list[_Taken]] = {}
    for row in tx.by_keys(TAKEN, list(often), conn=conn.id):
        taken.setdefault(row[0], []).append(row)
    found = {
        party: [row for value in each for row in taken.get(value, ())]
        for party, each in values.items()
    }
    named = Counter(key for rows in found.values() for key in {row[2] for row in rows})
    strangers = []
    for party, each in values.items():
        rows = found[party]
        shared = any(often[value] > 1 for value in each) or any(named[row[2]] > 1 for row in rows)
        if shared or not _is_plain(party):
            continue  # another one of them may change who this is, or how they are called
        if rows:
            _as_known(tx, conn, party, rows)
        else:
            strangers.append(party)
    _add_strangers(tx, conn, strangers)


def _is_plain(party: Party) -> bool:
    """Whether one id is all that decides who this is."""
    if party.external_id is None or party.decisive is not None:
        return False
    told = text_id(party.external_id)
    return not any(one.type in _OWN or text_id(one.value) == told for one in party.aliases)


def _values(party: Party) -> set[str]:
    """Everything that they are called by."""
    return {*_ids(party), *(text_id(alias.value) for alias in party.aliases)}


def _as_known(tx: Tx, conn: Conn, party: Party, rows: list[_Taken]) -> None:
    """Remember a party whose id is an id and nothing else, and that tells nothing new."""
    told = text_id(party.external_id or "")
    theirs = [row for row in rows if row[0] == told]
    if len(theirs) != 1 or theirs[0][1] or _is_place(theirs[0][5], party):
        return
    _, _, key, name, picture, _ = theirs[0]
    same = clean(party.name) in (None, "", name)
    same = same and clean(party.profile_picture_url) in (None, "", picture)
    have = {(row[0], row[1]) for row in rows if row[2] == key}
    if same and all((text_id(alias.value), alias.type) in have for alias in party.aliases):
        _remember(tx, conn, party, key)


def _add_strangers(tx: Tx, conn: Conn, parties: list[Party]) -> None:
    """Add platform users whose names are nobody else's, each with a person above."""
    persons, pusers, aliases = [], [], []
    for party in parties:
        person, key = tx.allocate(conn.app), tx.allocate(conn.app)
        name, picture = clean(party.name), clean(party.profile_picture_url)
        ext = text_id(party.external_id or "")
        persons.append((person, tx.new_uid(), name, 0, tx.now))
        pusers.append(
            (key, tx.new_uid(), person, conn.id, ext, ext, party.kind, name, picture, 1, tx.now)
        )
        aliases += [(conn.id, text_id(one.value), one.type, key) for one in party.aliases]
        _remember(tx, conn, party, key)
    tx.add(PERSON_ADD, persons)
    tx.add(PUSER_ADD, pusers)
    tx.add(ALIAS_ADD, aliases)


def _remember(tx: Tx, conn: Conn, party: Party, key: int) -> None:
    told = key, party.name, party.profile_picture_url, party.kind
    tx.remember(("puser", conn.id, _names(party)), told)


def find(tx: Tx, conn: Conn, external_id: str) -> int | None:
    """The platform user with this id or alias on the connection, or None."""
    name = text_id(external_id)
    known = tx.one(PUSER_BY_ID, conn=conn.id, ext=name) or tx.one(
        PUSER_BY_ANY, conn=conn.id, value=name
    )
    return None if known is None else known[0]


def called(tx: Tx, puser: int, name: str | None, picture: str | None) -> None:
    """What a platform tells of them by itself, or when it was asked; a name that the host has given to
    their user stays.
    """
    tx.run(PUSER_PROFILE, id=puser, name=clean(name or None), picture=clean(picture or None))
    tx.run(PERSON_NAME, puser=puser, name=clean(name or None))


def show(tx: Tx, conn: Conn, party: Party) -> int | None:
    """The platform user whose name or picture this changes; None for whom nobody here has met, and
    where they are known already.
    """
    known = None if party.external_id is None else _by_ids(tx, conn.id, party)
    if known is None or not _news(known, party):
        return None
    called(tx, known[0], party.name, party.profile_picture_url)
    return known[0]


def relink(tx: Tx, conn: Conn, change: Relink) -> int | None:
    """`previous` is now called `current`: sends go there, both names find the same platform user."""
    puser = find(tx, conn, change.previous)
    if puser is None:
        return None
    current = text_id(change.current)
    _call(tx, conn.id, puser, current, change.alias_type)
    tx.run(PUSER_ADDRESS, id=puser, address=current)
    return puser


def readdress(tx: Tx, conn: Conn, puser: int, address: str) -> None:
    """The platform has answered that this is where the platform user is reached: it is an id of theirs."""
    _call(tx, conn.id, puser, text_id(address), "address")


def _call(tx: Tx, conn: int, puser: int, value: str, kind: str) -> None:
    """From now on `value` is an id of this platform user, whoever had it."""
    for one in {kind, kind if kind in _OWN else "external_id"}:
        tx.run(ALIAS_MOVE, conn=conn, value=value, type=one, puser=puser)
    tx.run(IS_NAMED, id=puser)
    tx.forget()


def _names(party: Party) -> tuple[Any, ...]:
    """All that decides whom a party names."""
    return (party.external_id, party.decisive, party.aliases)


def _ids(party: Party) -> list[str]:
    """The ids that the platform gives this party, the best first. A party without any name has one."""
    told = [alias.value for alias in party.aliases if alias.type == "external_id"]
    ids = [text_id(one) for one in (party.external_id, *told) if one is not None]
    return ids or ([] if party.aliases else ["unknown"])


def _whose(tx: Tx, conn: int, party: Party) -> _Known | None:
    """Who a party is. Where its names disagree, the decisive one is right."""
    decisive = _decisive(party)
    if decisive is not None:
        known = _by_alias(tx, conn, decisive, party.decisive)
        if known is not None and _may_be(tx, known, party, decisive):
            return known
    known = _by_ids(tx, conn, party) or _by_aliases(tx, conn, party)
    return known if known is None or _may_be(tx, known, party, decisive) else None


def _may_be(tx: Tx, known: _Known, party: Party, decisive: str | None) -> bool:
    """Whether nothing decisive speaks against it."""
    if decisive is None:
        return True
    theirs = [value for kind, value in tx.all(ALIASES, puser=known[0]) if kind == party.decisive]
    return decisive in theirs or not theirs


def _by_ids(tx: Tx, conn: int, party: Party) -> _Known | None:
    rows = (tx.one(PUSER_BY_ID, conn=conn, ext=one) for one in _ids(party))
    return next((row for row in rows if row is not None), None)


def _by_aliases(tx: Tx, conn: int, party: Party) -> _Known | None:
    """By what is no id: whoever has none either, or, for a party that comes without, anybody."""
    alone = party.external_id is None
    for alias in party.aliases:
        value = text_id(alias.value)
        row = (
            _by_alias(tx, conn, value, alias.type)
            if alone
            else tx.one(PUSER_NAMELESS, conn=conn, value=value, type=alias.type)
        )
        if row is not None:
            return row
    return None


def _by_alias(tx: Tx, conn: int, value: str, kind: str | None) -> _Known | None:
    """Whoever is called so by an alias of this type, else by an id."""
    row = tx.one(PUSER_BY_ALIAS, conn=conn, value=value, type=kind)
    return row or tx.one(PUSER_BY_ID, conn=conn, ext=value)


def _decisive(party: Party) -> str | None:
    for alias in party.aliases:
        if alias.type == party.decisive:
            return text_id(alias.value)
    return None


def _create(tx: Tx, conn: Conn, party: Party) -> _Known:
    person = _add_person(tx, conn.app, party.name)
    first = [*_ids(party), *(text_id(alias.value) for alias in party.aliases)][0]
    holder = tx.one(PUSER_BY_ID, conn=conn.id, ext=first)
    ext = first if holder is None else _free(tx, conn.id, _decisive(party))
    key = _add_puser(tx, conn.app, conn.id, person, ext, party)
    if holder is not None:
        tx.run(PUSER_ADDRESS, id=key, address=first)
        if _ids(party):  # it was handed on
            _take_over(tx, conn.id, key, first, holder, party)
    if party.external_id is None and party.aliases:  # met by it: what they are called by is no id
        tx.run(ALIAS_ADD, conn=conn.id, value=first, type=party.aliases[0].type, puser=key)
    _learn_aliases(tx, conn.id, key, party)
    return key, party.name, party.profile_picture_url, 0, party.kind


def _free(tx: Tx, conn: int, decisive: str | None) -> str:
    """What somebody is called by whose first name is another one's."""
    if decisive is None or tx.one(PUSER_BY_ID, conn=conn, ext=decisive) is not None:
        return str(tx.new_id())
    return decisive


def _take_over(tx: Tx, conn: int, key: int, value: str, holder: _Known, party: Party) -> None:
    """An id that another one had is theirs by a decisive word; the other is reached by what is theirs."""
    tx.run(DISPLACED, id=holder[0], address=value, decisive=party.decisive)
    _call(tx, conn, key, value, "external_id")


def _refresh(tx: Tx, known: _Known, party: Party) -> None:
    if _news(known, party):
        called(tx, known[0], party.name, party.profile_picture_url)
    if _is_place(known[4], party):
        tx.run(IS_PLACE, id=known[0], kind=party.kind)
        tx.run(PROFILE_OF_PLACE, id=known[0], kind=party.kind)


def _is_place(kind: str, party: Party) -> bool:
    """Whether it is news that this is no person: the host has written there and named no kind."""
    return kind == "person" and party.kind in ("group", "channel")


def _news(known: _Known, party: Party) -> bool:
    name, picture = clean(party.name), clean(party.profile_picture_url)
    return bool((name and name != known[1]) or (picture and picture != known[2]))


def _learn(tx: Tx, conn: int, known: _Known, party: Party) -> None:
    """Keep what else finds this platform user; who had no id of their own gets the one that is told."""
    if party.external_id is not None:
        told = text_id(party.external_id)
        holder = tx.one(PUSER_BY_ID, conn=conn, ext=told)
        if holder is None:
            _gain(tx, conn, known[0], told)
        elif holder[0] != known[0]:
            _take_over(tx, conn, known[0], told, holder, party)
        elif holder[3]:  # what they were called by was an alias, and is their id too
            _call(tx, conn, known[0], told, "external_id")
        if _decisive(party) is not None and tx.changed(NEWEST, id=known[0], address=told):
            tx.forget()
    _learn_aliases(tx, conn, known[0], party)


def _gain(tx: Tx, conn: int, key: int, told: str) -> None:
    """An id that nobody had: their first one, or one more that the platform has told."""
    tx.run(PUSER_NAMED, id=key, ext=told)
    tx.run(ALIAS_ADD, conn=conn, value=told, type="external_id", puser=key)
    tx.forget()


def _learn_aliases(tx: Tx, conn: int, key: int, party: Party) -> None:
    """The first who is called so stays so, unless that is all that is known of them."""
    for alias in party.aliases:
        named = {"conn": conn, "value": text_id(alias.value), "type": alias.type}
        if not tx.changed(ALIAS_ADD, **named, puser=key):
            holder = None if party.external_id is None else tx.one(PUSER_NAMELESS, **named)
            if holder is None or holder[0] == key:
                continue
            tx.run(ALIAS_MOVE, **named, puser=key)
            tx.forget()


def _add_person(tx: Tx, app: int, name: str | None, system: int = 0) -> int:
    key = tx.allocate(app)
    tx.run(PERSON_ADD, id=key, uid=tx.new_id().bytes, name=clean(name), system=system, now=tx.now)
    return key


def _add_puser(tx: Tx, app: int, conn: int, person: int, ext: str, party: Party) -> int:
    key = tx.allocate(app)
    tx.run(
        PUSER_ADD, id=key, uid=tx.new_id().bytes, person=person, conn=conn, ext=ext,
        kind=party.kind, name=clean(party.name), picture=clean(party.profile_picture_url),
        named=int(bool(_ids(party))), now=tx.now,
    )  # fmt: skip
    return key
