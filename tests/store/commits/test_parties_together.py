"""Who is met in a crowd is who would have been met one by one, over everything that may be told.

Knows: `meet` and `meet_all`, and what stands in the tables after each.
Does not know: adapters, relinks, messages.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.writing import people
from outeract_core.events import Party
from outeract_core.model import Alias
from tests.support.store.platform import connect

VALUES = st.sampled_from("1234xyz")
ALIASES = st.lists(
    st.builds(Alias, st.sampled_from(["dm", "username", "external_id", "address"]), VALUES),
    max_size=2,
)
PARTIES = st.builds(
    Party, st.none() | VALUES, st.sampled_from(["person", "person", "group", "channel"]), name=st.sampled_from([None, "", "Ann", "Bob"]), aliases=ALIASES,
    decisive=st.sampled_from([None, None, None, "dm"]),
    profile_picture_url=st.sampled_from([None, "https://a/b.png"]),
)  # fmt: skip
CROWDS = st.lists(st.lists(PARTIES, min_size=1, max_size=7), min_size=1, max_size=3)
_number = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One file for all examples; each has a connection of its own."""
    core = Outeract(Path(tmp_path_factory.mktemp("crowd")) / "bot.db", durability="normal")
    yield core
    core.close()


def met(core: Outeract, crowds: list[list[Party]], together: bool, cold: bool) -> Any:
    """Whom each party came to and what is known of them, with people numbered as they appear."""
    connection = connect(core, core.app("who"), f"c{next(_number)}")
    conn = next(one for one in core.runtime.conns() if one.entity.id == connection.id)

    def unit(tx: Connection) -> list[int]:
        found: list[int] = []
        for crowd in crowds:
            if cold:
                tx.forget()
            if together:
                found += people.meet_all(tx, conn, crowd)
            else:
                found += [people.meet(tx, conn, party) for party in crowd]
        return found

    keys = core.runtime.database.write_now(unit)
    label = {key: number for number, key in enumerate(dict.fromkeys(keys))}

    def look(tx: Connection) -> Any:
        rows = tx.dynamic(
            "SELECT p.id, p.ext, p.address, p.kind, p.name, p.picture, q.name FROM puser p "
            "JOIN person q ON q.id = p.person WHERE p.conn = :conn AND p.kind <> 'system'",
            {"conn": conn.id},
        )
        names = tx.dynamic(
            "SELECT puser, type, value FROM alias WHERE conn = :conn", {"conn": conn.id}
        )
        people = {label[r[0]]: (r[1] if len(r[1]) < 9 else "made up", *r[2:]) for r in rows}
        return people, {(label[r[0]], *r[1:]) for r in names}

    return [label[key] for key in keys], *core.runtime.database.read(look)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(crowds=CROWDS, cold=st.booleans())
@example(crowds=[[Party("1"), Party("2", aliases=[Alias("dm", "1")])]], cold=False)
@example(crowds=[[Party("1", name="Ann")], [Party("1", name="Bob"), Party("2")]], cold=True)
@example(crowds=[[Party(None, aliases=[Alias("dm", "1")])], [Party("1"), Party("2")]], cold=True)
@example(
    crowds=[
        [Party("3", name="Ann", aliases=[Alias("dm", "1")])],
        [Party(None, name="Bob", aliases=[Alias("dm", "1")]), Party("3", name="Ann")],
    ],
    cold=True,
)
def test_a_crowd_or_one_by_one(store: Outeract, crowds: list[list[Party]], cold: bool) -> None:
    """The same parties in one call and in many: the same people, names, addresses and aliases."""
    assert met(store, crowds, True, cold) == met(store, crowds, False, cold)
