"""A history and ten times as much of it: what is done with either costs the same, in SQLite's own steps.

Knows: what such a history holds, how steps and pages are counted, which plans are good.
Does not know: what is done with it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import apsw.ext
from attrs import Factory, define

from outeract_core import App, Outeract
from outeract_core._store.engine.columns import without
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.reading import views
from outeract_core._store.writing import claims, delivery, handlers, ingest
from outeract_core.model import Event
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import about, connect, event, person, raw_conn, said

SMALL, LARGE = 1_260, 12_600
"""The shape of the history repeats every 1260 messages, so that both end alike."""
PLATFORMS = ("pigeon", "raven", "owl")


@define
class History:
    """A file with `size` messages of many people; every third of them is with ann."""

    core: Outeract
    app: App
    size: int
    steps: dict[str, int] = Factory(dict)

    @property
    def conns(self) -> list[Any]:
        return self.app.connections()

    async def ann(self, platform: int = 0) -> Any:
        return await person(self.app, self.conns[platform], "ann")

    async def newest(self) -> Event:
        return await event(self.app, self.conns[0], "m0")

    def see(self, told: dict[str, Any]) -> None:
        """One statement has ended."""
        steps = told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]
        self.steps[told["sql"]] = self.steps.get(told["sql"], 0) + steps

    async def reading(self, ask: Callable[[], Awaitable[Any]]) -> dict[str, int]:
        """The steps of each statement of a call that reads; asked twice, so that names are known."""
        await ask()
        self.steps = {}
        with self.core.runtime.database._readers.borrowed() as reader:
            reader.db.trace_v2(apsw.SQLITE_TRACE_PROFILE, self.see)
        try:
            await ask()
        finally:
            with self.core.runtime.database._readers.borrowed() as again:
                assert again is reader
                again.db.trace_v2(0, None)
        return self.steps

    async def writing(self, unit: Callable[[Connection], Any]) -> dict[str, int]:
        """The steps of each statement of a unit of work that remembers nothing of earlier ones."""

        def traced(tx: Connection) -> None:
            tx.forget()
            tx.db.trace_v2(apsw.SQLITE_TRACE_PROFILE, self.see)
            try:
                unit(tx)
            finally:
                tx.db.trace_v2(0, None)

        self.steps = {}
        await self.core.runtime.database.write(traced)
        return self.steps

    def plans(self) -> list[tuple[str, str]]:
        """Every line of every plan of what was seen last, with its statement."""
        with self.core.runtime.database._readers.borrowed() as reader:
            found: list[tuple[str, str]] = []
            for sql in self.steps:
                if not re.match(r"PRAGMA|BEGIN|COMMIT|--", sql):
                    told = apsw.ext.query_info(reader.db, sql, explain_query_plan=True)
                    found += [(line, sql) for line in _lines(told.query_plan)]
        return found


def _lines(node: Any) -> Iterator[str]:
    yield node.detail
    for inner in node.sub or ():
        yield from _lines(inner)


def filled(folder: Path, size: int) -> History:
    """Messages, replies in a thread, edits, a person on three platforms: the same shape at any size."""
    core = Outeract(
        folder / f"{size}.db", clock=ManualClock(), ids=SequentialIds(), durability="normal"
    )
    app = core.app("support")
    conns = [raw_conn(core, connect(core, app, platform)) for platform in PLATFORMS]
    for start in range(0, size, 630):
        for turn, conn in enumerate(conns):
            facts = [
                one for n in range(start, start + 630) if n % 3 == turn for one in facts_of(n, size)
            ]
            items = [ingest.prepare(fact, fact.raw) for fact in facts]
            core.runtime.database.write_now(partial(ingest.ingest, conn=conn, items=items))
    return History(core, app, size)


def facts_of(n: int, size: int) -> list[Any]:
    """The n-th message, and what else belongs to it."""
    key, who = f"m{n}", "ann" if n // 3 % 3 == 0 else f"p{n % (size // 10)}"
    root = f"m{n % 3}" if n % 5 == 0 and n > 2 else None
    facts = [said(key, f"text {n}", who, at=n * 60, thread=root, echo=n % 4 == 3)]
    if n // 3 % 3 == 1:
        facts.append(said(f"g{n}", "in the group", f"member {n % 9}", group="g1", at=n * 60))
    if n % 7 == 0:
        facts.append(about("message.edited", f"e{n}", key, {"message": {"text": "better"}}, who))
    return facts


Ask = Callable[[History], Awaitable[Any]]
Both = tuple[History, History]


@contextmanager
def both_of(folder: Path, make: Callable[[Path, int], History] = filled) -> Iterator[Both]:
    """The same history, and ten times as much of it."""
    histories = make(folder, SMALL), make(folder, LARGE)
    try:
        yield histories
    finally:
        for history in histories:
            history.core.close()


async def read_alike(both: Both, ask: Ask) -> None:
    """Reading takes as many steps in both, and no sort or scan."""
    small, large = [await of.reading(lambda of=of: ask(of)) for of in both]  # type: ignore[misc]
    same(small, large)
    for history in both:
        planned(history)


def same(small: dict[str, int], large: dict[str, int]) -> None:
    """No statement takes more than 2 % more steps, and none is there only in the large file."""
    assert sum(small.values()) > 0
    assert set(large) == set(small)
    grown = {sql: (small[sql], large[sql]) for sql in large if large[sql] > small[sql] * 1.02}
    assert grown == {}


BOUNDED = {
    delivery.RECEIPTS.sql, handlers.PEER_OF.sql, claims.ALIASES.sql, without(claims.REFERENCES.sql),
    *(one.sql for one in views._RECENT.values()),
}  # fmt: skip
"""Sort what one message or person has, whatever the history: receipts, two ends, aliases; or a page of each connection."""
_ONCE = re.compile(r"(\w+)\([\w, ]+\) AS MATERIALIZED")


def planned(history: History) -> None:
    """No sorting on the side, no reading of whole tables; a sub-query of two rows may be scanned, and what the statement
    itself has gathered of one page (`together`), which may be sorted too.
    """
    for line, sql in history.plans():
        gathered = _ONCE.findall(sql)
        assert "USE TEMP B-TREE" not in line or sql in BOUNDED or gathered, sql
        scanned = re.fullmatch(r"SCAN (\w+)( USING .*)?", line)
        if scanned and not _is_of(gathered, scanned[1], sql):
            table = rf"\b(?:FROM|JOIN|INTO|UPDATE)\s+\w+(?:\s+AS)?\s+{scanned[1]}\b|\b(?:FROM|JOIN)\s+{scanned[1]}\b"
            assert not re.search(table, sql), f"{line} in {sql}"


def _is_of(gathered: list[str], scanned: str, sql: str) -> bool:
    """Whether a name in a plan is of what was gathered, or of a sub-query of it."""
    named = re.findall(rf"\b(?:FROM|JOIN)\s+(\w+)(?:\s+AS)?\s+{scanned}\b", sql)
    return scanned in gathered or (bool(gathered) and set(named) <= {*gathered})
