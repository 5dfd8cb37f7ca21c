"""Turns that end together are written as one by one: what they say, and what is through with them.

Knows: `send_all` and `done`, and what stands in the tables after them. Does not know: handlers that run.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import handlers, ingest, sending
from outeract_core._store.writing.handlers import Through
from outeract_core._store.writing.sending import Intent
from outeract_core.driver import Tx
from outeract_core.events import Fact, Party
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect

_FUTURE = 10**14


@frozen
class Said:
    """A message: to whom, in so many parts, when, under which key, about which event, in whose thread."""

    who: str
    known: bool
    parts: int
    due: int
    key: str | None
    about: int | None
    thread: int | None


SAID = st.builds(
    Said, st.sampled_from("abc"), st.sampled_from([True, True, True, False]), st.integers(0, 3),
    st.sampled_from([0, 0, _FUTURE]), st.sampled_from([None, None, None, "k", "l"]),
    st.sampled_from([None, 0, 1]), st.sampled_from([None, None, 0, 1, 2]),
)  # fmt: skip
NAMES = ("h", "i")
FOR = st.lists(st.sampled_from([("h",), ("i",), NAMES]), min_size=5, max_size=5)
"""By event, the handlers that it is for."""
ENDED = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sets(st.integers(0, 4), min_size=1), st.booleans()),
    min_size=1,
    max_size=5,
)
"""Turns: whose, with which events, and whether these are to stay unread."""
BEFORE = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["j", "parked", "retry"])), max_size=3
)
TABLES = {
    "event": "SELECT seq, id, conn, type, occurred_at, created_at, dk, payload, raw FROM event",
    "edge": "SELECT * FROM edge",
    "entry": "SELECT * FROM entry",
    "conversation": "SELECT * FROM conversation",
    "delivery": "SELECT * FROM delivery",
    "outbox": "SELECT id, conn, lane, verb, event, parts, due, expires, sandbox, state, waits FROM outbox",
    "send_key": "SELECT * FROM send_key",
    "waiting": "SELECT * FROM waiting",
    "handled": "SELECT * FROM handled",
    "retry": "SELECT event, handler FROM retry",
    "processed": "SELECT * FROM processed",
}


class Ground:
    """A file in which three people have said five things, and its tables after some work."""

    def __init__(self, path: Path) -> None:
        ids = iter(range(1, 10**6))
        self.core = Outeract(
            path,
            clock=ManualClock(),
            search=None,
            durability="normal",
            ids=lambda _now: UUID(int=next(ids)),
        )
        connect(self.core, self.core.app("one"))
        self.conn: Conn = self.core.runtime.conns()[0]
        self.events = self.core.runtime.database.write_now(self._heard)

    def _heard(self, tx: Tx) -> list[int]:
        facts = [
            Fact(
                "message.inbound", f"m{n}", {"message": {"text": "hi"}}, sender=Party("abc"[n % 3]),
                thread="m0" if n == 2 else None,
            )
            for n in range(5)
        ]  # fmt: skip
        return list(ingest.ingest(tx, self.conn, [ingest.prepare(fact, None) for fact in facts]))

    def intent(self, number: int, said: Said) -> Intent:
        """The message as it is to be sent."""
        peer: Any = Party(said.who if said.known else f"{said.who}{number % 2}")
        if said.known:
            peer = self.core.runtime.database.read(
                lambda tx: tx.dynamic("SELECT id FROM puser WHERE ext = :ext", {"ext": said.who})
            )[0][0]
        refer = [None if n is None else self.events[n] for n in (said.about, said.thread)]
        return Intent(
            UUID(int=10**9 + number), self.conn, peer, {"message": {"text": f"reply {number}"}},
            [{}] * said.parts, due=said.due, key=said.key, cause=refer[0], reply_to=refer[0],
            thread=refer[1],
        )  # fmt: skip

    def tables(self) -> dict[str, Any]:
        """All that it holds."""
        read = self.core.runtime.database.read
        return {
            name: read(lambda tx, sql=sql: Counter(tx.dynamic(sql, {})))
            for name, sql in TABLES.items()
        }


def sent(path: Path, said: list[Said], before: int, together: bool) -> Any:
    """The tables after the first messages were sent in one commit, and the others in the next."""
    ground = Ground(path)
    with closing(ground.core) as core:
        intents = [ground.intent(number, one) for number, one in enumerate(said)]
        for some in (intents[:before], intents[before:]):

            def unit(tx: Tx, some: list[Intent] = some) -> None:
                if together:
                    sending.send_all(tx, some)
                else:
                    for one in some:
                        sending.send(tx, one)

            core.runtime.database.write_now(unit)
        return ground.tables()


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(SAID, min_size=1, max_size=7), st.integers(0, 3))
@example([Said("a", True, 1, 0, None, None, None)] * 3, 1)
def test_what_is_said_together_is_said_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, said: list[Said], before: int
) -> None:
    """To one person twice, to strangers, later, under a key, in a thread, behind what waits already."""
    folder = Path(tmp_path_factory.mktemp("said"))
    assert sent(folder / "a.db", said, before, True) == sent(folder / "b.db", said, before, False)


def through(path: Path, turns: list[Through], before: list[tuple[int, str]], together: bool) -> Any:
    """What may be marked read, and the tables."""
    ground = Ground(path)
    with closing(ground.core) as core:
        events, app = ground.events, core.app("one").key

        def unit(tx: Tx) -> Counter[int]:
            for number, what in before:
                if what == "parked":
                    handlers.park(tx, app, events[number], "j", "failed", {})
                elif what == "retry":
                    handlers.failed(tx, events[number], "h", 1, 0, "")
                else:
                    tx.run(handlers.HANDLED_ADD, event=events[number], handler=what, unread=1)
            told = [
                evolve(
                    one, wanted={events[n]: names for n, names in one.wanted.items()},
                    tried=[events[n] for n in one.wanted if (n, "retry") in before],
                )
                for one in turns
            ]  # fmt: skip
            if together:
                return Counter(handlers.done(tx, *told))
            return Counter(event for one in told for event in handlers.done(tx, one))

        return core.runtime.database.write_now(unit), ground.tables()


def _turns(ended: list[tuple[str, set[int], bool]], names: list[tuple[str, ...]]) -> list[Through]:
    """Only with what is for it, and with each once: the fence sees to that."""
    seen: set[tuple[str, int]] = set()
    turns = []
    for handler, events, unread in ended:
        mine = {n for n in events if handler in names[n] and (handler, n) not in seen}
        seen |= {(handler, n) for n in mine}
        if mine:
            turns.append(Through(handler, {n: frozenset(names[n]) for n in sorted(mine)}, unread))
    return turns


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ENDED, FOR, BEFORE)
@example([("h", {0, 1}, False)], [("h",)] * 5, [(0, "j")])
def test_what_is_through_together_is_through_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    ended: list[tuple[str, set[int], bool]],
    names: list[tuple[str, ...]],
    before: list[tuple[int, str]],
) -> None:
    """One handler or two, to stay unread, tried before, parked, handled by one that has gone."""
    turns = _turns(ended, names)
    folder = Path(tmp_path_factory.mktemp("through"))
    first, second = (
        through(folder / name, turns, before, how)
        for name, how in (("a.db", True), ("b.db", False))
    )
    assert first == second
