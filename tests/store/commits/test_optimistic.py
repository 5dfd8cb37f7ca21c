"""What is written without the lock until its end is as if the lock had been held from its beginning.

Knows: units that ask, add, change, remember and fail; another connection that writes between any two of their steps.
Does not know: who computes beside the writer, which is when this is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._io.database import Database
from outeract_core._io.write_queue import Ticket, nobody
from outeract_core._store.engine.sqlite import Connection
from outeract_core.driver import Statement
from outeract_core.errors import BadInput, DiskFull, StoreBusy, StoreError
from tests.support.patience import BRIEFLY, PATIENCE
from tests.support.reading.world import about, arrive, connect, said
from tests.support.store.opening import GET, PUT, Held, names, opened, raw
from tests.support.store.vfs import Disk, disk

_BUMP: Statement[Any] = Statement("bump", "UPDATE meta SET value = value + 1 WHERE name = :name")
_RAISE: Statement[Any] = Statement(
    "raise",
    "UPDATE meta SET value = value + 10 WHERE name IN (SELECT value FROM carray(:names))",
    ("names",),
)
_OTHER = "INSERT INTO meta(name, value) VALUES (?, 100) ON CONFLICT (name) DO UPDATE SET value = value + 100"
_KINDS = ("add", "put", "bump", "one", "alter", "ask", "known", "needed", "other")
_NAMES = ("a", "b", "c")


def _hoping(database: Database) -> Database:
    """From now on the writer takes the lock only when it must."""
    database._writer.waits.host.until = float("inf")
    database._writer._wary = database._writer._asks = 0.0
    return database


def _together(
    database: Database,
    units: list[Callable[[Connection], Any]],
    before: Callable[[], None] = nobody,
) -> list[Any]:
    """What comes of units that are one batch: a result, or the name of an error.

    `before`: done when the writer has committed what came before, and begins with them.
    """
    held, over = Held(), [threading.Event() for _ in units]
    database._queue.put(Ticket(held, before))
    held.begun.wait(PATIENCE)
    tickets = [Ticket(unit, done.set) for unit, done in zip(units, over, strict=True)]
    for ticket in tickets:
        database._queue.put(ticket)
    held.release()
    assert all(done.wait(PATIENCE) for done in over)
    return [_told(ticket) for ticket in tickets]


def _told(ticket: Ticket[Any]) -> Any:
    return ticket.result if ticket.error is None else type(ticket.error).__name__


class Step:
    """One step of a unit: of the file, and of a model of it."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name, self.wrote = kind, name, False

    def __repr__(self) -> str:
        return f"{self.kind} {self.name}"

    def take(self, tx: Connection, other: apsw.Connection) -> Any:
        """Do it in a transaction."""
        if self.kind == "add":
            return tx.add(PUT, [(self.name, 1)])
        if self.kind == "bump":
            return tx.changed(_BUMP, name=self.name)
        if self.kind == "one":
            return tx.changed_one(_BUMP, name=self.name)
        if self.kind == "alter":
            return tx.run(_BUMP, name=self.name)
        if self.kind == "put":
            return tx.run(PUT, name=self.name, value=1)
        if self.kind == "ask":
            return tx.one(GET, name=self.name)
        if self.kind in ("known", "needed"):
            return self._known(tx)
        if not self.wrote:
            self._write(other)
        return None

    def _known(self, tx: Connection) -> int:
        found: int | None = tx.recall(("value", self.name))
        if found is None:
            row = tx.one(GET, name=self.name)
            found = 0 if row is None else row[0]
            tx.remember(("value", self.name), found)
        if not found and self.kind == "needed":
            raise BadInput("it is not there")
        return found

    def _write(self, other: apsw.Connection) -> None:
        try:
            other.execute(_OTHER, (self.name,))
        except apsw.BusyError:
            return
        self.wrote = True

    def model(self, rows: dict[str, int], known: dict[str, int]) -> Any:
        """What it does to these rows."""
        if self.kind in ("add", "put"):
            if self.name in rows:
                raise StoreError("UNIQUE")
            rows[self.name] = 1
            return [] if self.kind == "add" else None
        if self.kind in ("bump", "one", "alter"):
            there = self.name in rows
            if there:
                rows[self.name] += 1
            return None if self.kind == "alter" else there
        if self.kind == "ask":
            return (rows[self.name],) if self.name in rows else None
        if self.kind in ("known", "needed"):
            found = known.setdefault(self.name, rows.get(self.name, 0))
            if not found and self.kind == "needed":
                raise BadInput("it is not there")
            return found
        return None


_STEPS = st.lists(st.builds(Step, st.sampled_from(_KINDS), st.sampled_from(_NAMES)), max_size=4)
_BATCHES = st.tuples(st.none() | st.sampled_from(_NAMES), st.lists(_STEPS, min_size=1, max_size=3))


def _model(units: list[list[Step]], rows: dict[str, int], known: dict[str, int]) -> list[Any]:
    """What comes of them one after the other, each whole or not at all."""
    told: list[Any] = []
    for unit in units:
        after, learnt = dict(rows), dict(known)
        try:
            told.append([step.model(after, learnt) for step in unit])
        except (BadInput, StoreError) as error:
            told.append(type(error).__name__)
            continue
        rows.clear(), known.clear()
        rows.update(after), known.update(learnt)
    return told


@settings(max_examples=150, deadline=None)
@given(batches=st.lists(_BATCHES, max_size=5))
@example([(None, [[Step("known", "a")]]), ("a", [[Step("needed", "a")]])])
@example([(None, [[Step("known", "a")]]), ("a", [[Step("known", "a"), Step("bump", "b")]])])
def test_it_is_as_if_the_lock_had_been_held(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[str | None, list[list[Step]]]]
) -> None:
    """Whoever else writes when: results, errors and rows are those of one after the other."""
    path = tmp_path_factory.mktemp("hoping") / "a.db"
    rows: dict[str, int] = {}
    known: dict[str, int] = {}
    with opened(path) as database:
        other = apsw.Connection(str(path))
        database.write_now(lambda tx: None)
        for before, units in batches:
            _hoping(database)
            taken = [
                lambda tx, unit=unit: [step.take(tx, other) for step in unit] for unit in units
            ]
            first = nobody if before is None else partial(other.execute, _OTHER, (before,))
            told = _together(database, taken, first)
            others = [s.name for unit in units for s in unit if s.kind == "other" and s.wrote]
            others += [] if before is None else [before]
            for name in others:
                rows[name] = rows.get(name, 0) + 100
            if others:
                known.clear()
            assert told == _model(units, rows, known), (before, units)
            assert database.read(_values) == rows
        other.close()


def _values(tx: Connection) -> dict[str, int]:
    rows = tx.script("SELECT name, value FROM meta")
    return {name: value for name, value in rows if name in _NAMES}


def _adds(name: str) -> Callable[[Connection], Any]:
    return lambda tx: tx.add(PUT, [(name, 1)])


@pytest.fixture
def failing() -> Iterator[Disk]:
    """A disk that fails when told."""
    with disk() as made:
        yield made


@pytest.mark.parametrize(
    ("moment", "landed"), [("wal-write", False), ("wal-sync", False), ("committed", True)]
)
def test_of_a_disk_that_fails_everybody_is_told_the_truth(
    tmp_path: Path, failing: Disk, moment: str, landed: bool
) -> None:
    """The statement is the commit: what came of it is looked for, and work goes on."""
    called: list[str] = []

    def unit(tx: Connection) -> None:
        _adds("doubted")(tx)
        tx.after_commit(lambda: called.append("doubted"))

    with opened(tmp_path / "a.db", vfs=failing.name) as database:
        _hoping(database).write_now(_adds("before"))
        failing.fail(moment, lambda: apsw.IOError("the disk is on fire"))
        with nullcontext() if landed else pytest.raises(StoreError, match="on fire"):
            database.write_now(unit)
        assert failing.seen == [moment]
        assert called == ["doubted"] * landed
        assert database.read(names) == {"before", *["doubted"] * landed}
        _hoping(database).write_now(_adds("after"))
    with opened(tmp_path / "a.db") as again:
        assert again.read(names) == {"before", "after", *["doubted"] * landed}


def test_a_full_disk_loses_nothing_and_passes(tmp_path: Path, failing: Disk) -> None:
    """Nothing is half there, and with space it goes on."""
    with opened(tmp_path / "a.db", vfs=failing.name) as database:
        _hoping(database).write_now(_adds("before"))
        failing.fail("wal-write", lambda: apsw.FullError("no space"), times=10**6, after=1)
        for number in range(3):
            _hoping(database)
            with pytest.raises(DiskFull, match="free some"):
                database.write_now(_adds(f"n{number}"))
        assert database.read(names) == {"before"}
        failing.heal()
        _hoping(database).write_now(_adds("after"))
        assert database.read(names) == {"before", "after"}


def test_who_has_hoped_in_vain_takes_the_lock_for_a_while(tmp_path: Path) -> None:
    """Beside another process that writes, units are run twice once a second and not at each commit."""
    ran: list[str] = []

    def unit(name: str) -> Callable[[Connection], None]:
        def run(tx: Connection) -> None:
            ran.append(name)
            tx.add(PUT, [(name, 1)])

        return run

    with opened(tmp_path / "a.db") as database:
        clock = [100.0]
        database._writer.waits.clock = lambda: clock[0]
        _hoping(database).write_now(unit("first"))
        with raw(tmp_path / "a.db") as other:
            for name in ("a", "b", "c"):
                other.execute(_OTHER, ("other",))
                database.write_now(unit(name))
            clock[0] += 2
            database.write_now(unit("d"))
            other.execute(_OTHER, ("other",))
            database.write_now(unit("e"))
        assert ran == ["first", "a", "a", "b", "c", "d", "e", "e"]


@pytest.mark.anyio
async def test_what_is_there_already_is_found_at_the_end(tmp_path: Path) -> None:
    """A platform that repeats itself, in a batch, across batches and to two processes: each message is there once."""
    async with Outeract(tmp_path / "a.db") as core, Outeract(tmp_path / "a.db") as other:
        app = core.app("support")
        connection = connect(core, app)
        theirs = connect(other, other.app("support"))
        for number in range(0, 60, 5):
            _hoping(core.runtime.database)
            messages = [said(f"m{n}", f"text {n}", f"p{n % 7}") for n in range(number, number + 10)]
            await arrive(core, connection, *messages, *messages[:3])
            _hoping(other.runtime.database)
            await arrive(other, theirs, *messages[::-1])
            _hoping(core.runtime.database)
            reaction = about("message.reaction_added", f"r{number}", "m1", {"emoji": "x"}, "p1")
            await arrive(core, connection, *messages, reaction)
            assert await app.events.count() == number + 10 + number // 5 + 1


@pytest.mark.parametrize("how", ["run", "changed_one"])
def test_a_list_travels_as_an_array_whoever_waits(tmp_path: Path, how: str) -> None:
    """It cannot be kept back: the change is made at once, and the unit runs once."""
    ran: list[None] = []

    def unit(tx: Connection) -> None:
        ran.append(None)
        getattr(tx, how)(_RAISE, names=["a"])

    with opened(tmp_path / "a.db") as database:
        database.write_now(_adds("a"))
        _hoping(database).write_now(_adds("before"))
        database.write_now(unit)
        assert database.read(_values) == {"a": 11}
        assert len(ran) == 1


@pytest.mark.parametrize("value", [2**70, object(), "half \ud800"], ids=["large", "thing", "half"])
def test_a_value_that_no_column_takes_is_the_trouble_of_its_own_unit(
    tmp_path: Path, value: Any
) -> None:
    """Nothing is in doubt then: its neighbours are written, and the file is not opened anew."""
    with opened(tmp_path / "a.db") as database:
        database.write_now(lambda tx: None)
        writer = _hoping(database)._writer
        told = _together(
            database,
            [_adds("one"), lambda tx: tx.run(PUT, name="wrong", value=value), _adds("two")],
        )
        assert told[0] == told[2] == []
        assert told[1] in ("StoreError", "TypeError", "OverflowError", "UnicodeEncodeError")
        assert database.read(names) == {"one", "two"}
        assert database._writer is writer


def test_a_lock_is_waited_for_once(tmp_path: Path) -> None:
    """While another process has it, the busy timeout is over once, and the units do not run again."""
    ran: list[None] = []

    def unit(tx: Connection) -> None:
        ran.append(None)
        tx.add(PUT, [("a", 1)])

    with opened(tmp_path / "a.db", busy_timeout=BRIEFLY) as database:
        _hoping(database).write_now(_adds("before"))
        with raw(tmp_path / "a.db") as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy):
                database.write_now(unit)
            other.execute("ROLLBACK")
        assert len(ran) == 1
        database.write_now(unit)
        assert database.read(names) == {"a", "before"}
