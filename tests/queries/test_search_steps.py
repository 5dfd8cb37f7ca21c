"""What a search costs does not grow with the history: SQLite's steps, and the pages that it touches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core import Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.writing import ingest
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.history import Ask, Both, History, both_of, planned, same
from tests.support.reading.world import connect, event, person, raw_conn, said

pytestmark = pytest.mark.anyio


def tidy(tx: Connection) -> None:
    """One segment, so that the two indexes differ in nothing but their size."""
    tx.script("INSERT INTO search_index(search_index) VALUES ('optimize')")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The same history, and ten times as much of it."""
    with both_of(tmp_path_factory.mktemp("search")) as histories:
        yield histories


async def second(of: History, words: str, **options: Any) -> Any:
    """The second page."""
    first = await of.app.search(words, **options)
    assert len(first) == 20
    return await of.app.search(words, after=first.end_cursor, **options)


async def group(of: History) -> Any:
    """The group of the second connection."""
    return await person(of.app, of.conns[1], "g1")


async def in_group(of: History) -> Any:
    """What is said there only, in the conversation where it is said."""
    return await second(of, "in the group", within=await group(of))


async def elsewhere(of: History) -> Any:
    """A word that is everywhere, in a conversation that never has it."""
    found = await of.app.search("text", within=await group(of))
    assert len(found) == 0
    return found


READS: dict[str, Ask] = {
    "a common word": lambda of: of.app.search("text"),
    "its second page": lambda of: second(of, "text"),
    "a phrase": lambda of: second(of, '"in the group"'),
    "within a conversation": in_group,
}


async def _indexed(both: Both) -> None:
    for of in both:
        await of.app.search("text")
        await of.core.runtime.database.write(tidy)


def _own(steps: dict[str, int]) -> dict[str, int]:
    """Without the look-ups that FTS5 makes in its own tables: SQLite never resets their counts."""
    return {sql: count for sql, count in steps.items() if "search_index_" not in sql}


@pytest.mark.parametrize("ask", READS.values(), ids=READS)
async def test_a_search_costs_the_same_at_ten_times_the_history(both: Both, ask: Ask) -> None:
    """Newest first takes as many steps, with no sort or scan, and touches hardly more pages."""
    await _indexed(both)
    steps, pages = [], []
    for of in both:
        steps.append(_own(await of.reading(lambda of=of: ask(of))))  # type: ignore[misc]
        planned(of)
        pages.append(await touched(of, ask))
    same(*steps)
    assert 0 < pages[1] < pages[0] * 3


async def touched(of: History, ask: Ask) -> int:
    """How many pages of the file a read touches."""
    counts = (apsw.SQLITE_DBSTATUS_CACHE_HIT, apsw.SQLITE_DBSTATUS_CACHE_MISS)
    with of.core.runtime.database._readers.borrowed() as reader:
        for count in counts:
            reader.db.status(count, True)
    await ask(of)
    with of.core.runtime.database._readers.borrowed() as reader:
        return sum(reader.db.status(count, True)[0] for count in counts)


def busy(folder: Path, size: int) -> History:
    """A group in which everybody says the word, and a thread of four messages at its beginning."""
    core = Outeract(folder / f"{size}.db", clock=ManualClock(), ids=SequentialIds())
    app = core.app("support")
    conn = raw_conn(core, connect(core, app))
    facts = [
        said(f"m{n}", f"text {n}", f"p{n % 9}", group="g", at=n, thread="m0" if 0 < n < 4 else None)
        for n in range(size)
    ]
    for start in range(0, size, 500):
        items = [ingest.prepare(fact, fact.raw) for fact in facts[start : start + 500]]
        core.runtime.database.write_now(lambda tx, items=items: ingest.ingest(tx, conn, items))
    return History(core, app, size)


@pytest.mark.parametrize("order", ["newest", "rank"])
async def test_a_short_thread_is_not_looked_for_among_all_matches(
    tmp_path: Path, order: str
) -> None:
    """In a conversation where everybody says the word it costs what the thread has."""

    async def ask(of: History) -> None:
        thread = await of.app.conversations.thread(await event(of.app, of.conns[0], "m0"))
        assert len(await of.app.search("text", within=thread, order=order)) == 4

    with both_of(tmp_path, busy) as both:
        await _indexed(both)
        pages = [await touched(of, ask) for of in both]
        assert pages[1] < pages[0] * 2


async def test_a_word_of_others_is_not_looked_through(both: Both) -> None:
    """A word that all others use costs nothing in a conversation that has it not, and the gate would see it."""
    await _indexed(both)
    pages = [await touched(of, elsewhere) for of in both]
    assert pages[1] < pages[0] * 3
    scanned = [await touched(of, lambda of: of.app.search("text", order="rank")) for of in both]
    assert scanned[1] > 3 * pages[1]
