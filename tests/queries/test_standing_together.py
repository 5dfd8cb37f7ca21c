"""However messages are read, by the page, one by one, or in a list, they stand the same.

Knows: every kind of thing that happens to a message, at random. Does not know: what it comes to (`test_standing.py`).
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.reading import standing, views
from outeract_core._store.writing import ingest
from outeract_core.events import Fact, FileRef
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import about, connect, raw_conn, said

_KINDS = (
    "said", "answered", "below", "pictured", "edited", "pictured anew", "deleted", "reacted", "taken back", "pressed",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(_KINDS), st.integers(0, 5), st.integers(0, 2)), max_size=14
)


def _fact(key: str, kind: str, target: str, who: str, group: str | None) -> Fact:
    files = (FileRef({"id": key}, f"{key}.png", "image/png"),) if "pictured" in kind else ()
    words = {"message": {"type": "text", "text": f"now {key}"}}
    if kind in ("said", "pictured"):
        return said(key, f"text {key}", who, group=group, files=files)
    if kind == "answered":
        return said(key, f"text {key}", who, group=group, reply_to=target)
    if kind == "below":
        return said(key, f"text {key}", who, group=group, thread=target)
    told: dict[str, tuple[str, dict[str, Any]]] = {
        "edited": ("message.edited", words), "deleted": ("message.deleted", {}),
        "pictured anew": ("message.edited", words), "pressed": ("message.action", {"id": "b", "type": "button"}),
        "reacted": ("message.reaction_added", {"emoji": "x"}), "taken back": ("message.reaction_removed", {"emoji": "x"}),
    }  # fmt: skip
    fact = about(told[kind][0], key, target, told[kind][1], who)
    return Fact(fact.kind, fact.key, fact.payload, sender=fact.sender, target=target, files=files)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from([None, "g"]))
@example([("said", 0, 0), ("answered", 0, 1), ("answered", 1, 2), ("pictured anew", 1, 0)], "g")
def test_messages_stand_the_same_however_they_are_read(
    steps: list[tuple[str, int, int]], group: str | None
) -> None:
    """Edits with pictures, strangers' reactions, what is quoted and quotes in turn, threads and their roots."""
    core = Outeract(":memory:", clock=ManualClock(), ids=SequentialIds(), search=None)
    app, numbers = core.app("support"), count()
    conn = raw_conn(core, connect(core, app))
    facts = [said("m0", "first", "ann", group=group)]
    for kind, target, who in steps:
        name = "ann" if group is None and kind in _KINDS[:4] else ("ann", "bob", "eve")[who]
        facts.append(_fact(f"m{next(numbers) + 1}", kind, f"m{target}", name, group))
    for fact in facts:
        items = [ingest.prepare(fact, None)]
        core.runtime.database.write_now(partial(ingest.ingest, conn=conn, items=items), app=app.key)
    core.runtime.database.read(partial(_same, app=app.key))
    core.close()


def _same(tx: Connection, app: int) -> None:
    recent = views.recent(tx, app, None, None, 10)
    for row in recent:
        view = views.View("peer", (row[0],))
        for newest in (True, False):
            read = views.messages(tx, app, view, newest, None, 100)
            assert read == [_alone(tx, app, one.position) for one in read]
            assert [one.position for one in read] == _page_by_page(tx, app, view, newest)
        (last,) = standing.of_keys(tx, app, [row[1]], quotes=False)
        assert standing.shown(tx, app, [row[1]], [row[0]]).of([row[1]]) == [last]
        for one in views.messages(tx, app, view, True, None, 100):
            below = views.messages(
                tx, app, views.View("thread", thread=one.position), True, None, 100
            )
            assert one in below
            assert below == sorted(below, key=lambda each: -each.position)


def _alone(tx: Connection, app: int, key: int) -> Any:
    (one,) = standing.of_keys(tx, app, [key])
    return one


def _page_by_page(tx: Connection, app: int, view: views.View, newest: bool) -> list[int]:
    """Three at a time."""
    found: list[int] = []
    while more := views.messages(tx, app, view, newest, found[-1] if found else None, 3):
        found += [one.position for one in more]
    return found
