"""Who owns what: every application one owner, loads even, the fittest first, and it comes to rest.

Knows: the rule, asked by one process after the other. Does not know: leases.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.rules.sharing import HANDLING, OPENED, PRESENT, grab, share

NAMES = [f"p{number}" for number in range(5)]
RANKS = st.sampled_from([PRESENT, OPENED, HANDLING])
APPS = st.integers(0, 12).map(lambda n: list(range(1, n + 1)))


def rest(
    apps: list[int], willing: dict[str, dict[int, int]], holders: dict[int, str], order: list[str]
) -> int:
    """Everybody asks in turn until nobody has anything to take or leave; the number of changes."""
    changes, quiet = 0, 0
    while quiet < len(order):
        for name in order:
            plan = share(name, apps, holders, willing)
            for app in plan.leave:
                assert holders.pop(app) == name
            for app in plan.take:
                assert app not in holders
                holders[app] = name
            changes += len(plan.take) + len(plan.leave)
            quiet = 0 if plan.take or plan.leave else quiet + 1
        assert changes < 1000, "it never comes to rest"
    return changes


@given(APPS, st.permutations(NAMES), st.integers(1, 5), st.data())
def test_equals_share_evenly_whoever_comes_and_goes(
    apps: list[int], order: list[str], count: int, data: st.DataObject
) -> None:
    """After any joining and leaving every application has one owner, and loads differ by one at most."""
    holders: dict[int, str] = {}
    present = order[:count]
    for _ in range(3):
        rest(apps, {name: dict.fromkeys(apps, HANDLING) for name in present}, holders, present)
        assert set(holders) == set(apps)
        loads = Counter(dict.fromkeys(present, 0))
        loads.update(holders.values())
        assert max(loads.values()) - min(loads.values()) <= 1
        present = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        holders = {app: owner for app, owner in holders.items() if owner in present}


@given(
    APPS,
    st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.integers(1, 12), RANKS), min_size=1),
)
def test_the_fittest_own(apps: list[int], willing: dict[str, dict[int, int]]) -> None:
    """Whatever they can do, it comes to rest, and nobody owns what another could do better."""
    holders: dict[int, str] = {}
    rest(apps, willing, holders, list(willing))
    assert set(holders) == set(apps)
    for app, owner in holders.items():
        best = max(able.get(app, PRESENT) for able in willing.values())
        assert willing[owner].get(app, PRESENT) == best


def test_one_more_process_takes_over_only_its_share() -> None:
    """Four of eight change hands when a second comes; the others stay where they are."""
    apps = list(range(1, 9))
    willing = {"a": dict.fromkeys(apps, HANDLING)}
    holders: dict[int, str] = {}
    rest(apps, willing, holders, ["a"])
    willing["b"] = dict.fromkeys(apps, HANDLING)
    assert rest(apps, willing, holders, ["a", "b"]) == 8
    assert Counter(holders.values()) == {"a": 4, "b": 4}


def test_who_works_once_takes_what_is_free_unless_another_could_do_it_better() -> None:
    """A script without handlers leaves an application to the program that has them."""
    willing = {"bot": {1: HANDLING}}
    assert grab("me", {1: OPENED, 2: OPENED}, [1, 2, 3], {3: "bot"}, willing).take == {2}
    assert grab("me", {1: HANDLING}, [1, 2], {}, willing).take == {1, 2}
