"""The full-text index: when it is made, that it is exact, and that what is erased leaves it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._cli import main
from outeract_core._io.opening import Idle
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.reading import finding
from outeract_core._store.transfer import rebuild
from outeract_core._store.writing import search as index
from outeract_core.errors import BadInput
from outeract_core.events import Fact
from outeract_core.model import PlatformConnection
from outeract_core.search import said as everything_said
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import START, about, arrive, connect, person, said
from tests.support.store.words import Words

pytestmark = pytest.mark.anyio


@pytest.fixture
def pigeon(core: Outeract, app: App) -> PlatformConnection:
    """A connection of the test platform."""
    return connect(core, app)


async def found(app: App, words: str, **options: Any) -> list[str]:
    """External ids of the messages found, newest first."""
    page = await app.search(words, first=1000, **options)
    return [str(hit.message.external_message_id) for hit in page]


async def whole(core: Outeract) -> None:
    """FTS5 finds the index well, and it holds what the view of the texts holds, no more and no less."""
    for app in list(core._apps.values()):
        await app.search("anything")

    def check(tx: Connection) -> None:
        tx.script("INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)")

    await core.runtime.database.write(check)


def standing(core: Outeract, app: App) -> index.Standing:
    """How far the index is."""
    return core.runtime.database.read(lambda tx: index.standing(tx, app.key))


def tables(core: Outeract) -> list[str]:
    """The tables of the index."""
    sql = "SELECT name FROM sqlite_schema WHERE name LIKE 'search_index%' AND type = 'table'"
    return [row[0] for row in core.runtime.database.read(lambda tx: tx.script(sql))]


# ── made and carried on ──────────────────────────────────────────────────────────────────────


async def test_nothing_is_kept_before_the_first_search(
    core: Outeract, app: App, pigeon: PlatformConnection
) -> None:
    """A file that nobody searches has no index; the first search makes it, of everything so far."""
    await arrive(core, pigeon, said("m1", "word", "ann"))
    assert tables(core) == []
    assert standing(core, app).behind > 0
    assert await found(app, "word") == ["m1"]
    assert "search_index_data" in tables(core)
    assert standing(core, app).behind == 0


async def test_idle_time_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once there is an index, what comes is indexed when no write is queued, in chunks, by itself."""
    monkeypatch.setattr(index, "CHUNK", 10)
    monkeypatch.setattr(index, "SLACK", 30)
    async with Outeract(tmp_path / "a.db", ids=SequentialIds()) as core:
        app, quiet = core.app("support"), threading.Event()
        pigeon = connect(core, app)
        await app.search("word")
        database = core.runtime.database
        idle, begun = database.options.idle, standing(core, app).upto
        assert idle is not None

        def due(tx: Connection) -> bool:
            more = idle.due(tx)
            if not more and standing(core, app).upto > begun:  # not a pause before they came
                quiet.set()
            return more

        database.options = evolve(database.options, idle=Idle(due, idle.chunk))
        await arrive(core, pigeon, *(said(f"m{n}", f"word {n}", "ann") for n in range(100)))
        assert await anyio.to_thread.run_sync(quiet.wait, 60)
        assert standing(core, app).behind < 30
        behind = core.runtime.database.read(index.backlog)[1]
        assert 0 <= behind < 30
        assert len(await found(app, "word")) == 100
        await whole(core)


async def test_a_fault_in_idle_time_harms_nobody(core: Outeract, app: App) -> None:
    """When idle work fails, writes go on, and the next pause tries again."""
    tries, again = [0], threading.Event()

    def chunk(tx: Connection) -> None:
        tx.script("INSERT INTO counter(owner, value) VALUES (77, 7)")
        tries[0] += 1
        if tries[0] == 2:
            again.set()
        raise RuntimeError("a fault")

    database = core.runtime.database
    database.options = evolve(database.options, idle=Idle(lambda _tx: tries[0] < 2, chunk))
    await app.emit("test.one", {})
    for _ in range(200):
        if again.is_set():
            break
        await app.emit("test.more", {})
        await anyio.to_thread.run_sync(again.wait, 0.05)
    assert again.is_set()
    left = database.read(lambda tx: tx.script("SELECT * FROM counter WHERE owner = 77"))
    assert left == []


async def test_writes_go_between_the_chunks(
    core: Outeract, app: App, pigeon: PlatformConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that is queued while an index is made is done before the index is whole."""
    monkeypatch.setattr(index, "CHUNK", 5)
    await arrive(core, pigeon, *(said(f"m{n}", "word", "ann") for n in range(100)))
    seen: list[int] = []

    async def writing() -> None:
        while not seen or seen[-1]:
            seen.append(
                await core.runtime.database.write(lambda tx: index.standing(tx, app.key).behind)
            )

    async with anyio.create_task_group() as group:
        group.start_soon(writing)
        assert len(await found(app, "word")) == 100
    assert len(set(seen)) > 5


async def test_a_search_that_is_given_up_leaves_the_index_well(
    core: Outeract, app: App, pigeon: PlatformConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled first search leaves what it has indexed; the next one goes on from there."""
    monkeypatch.setattr(index, "CHUNK", 5)
    await arrive(core, pigeon, *(said(f"m{n}", "word", "ann") for n in range(50)))
    scope, left, database = anyio.CancelScope(), [3], core.runtime.database

    async def write(unit: Any, **more: Any) -> Any:
        result = database.write_now(unit, **more)
        left[0] -= 1
        if not left[0]:
            scope.cancel()
        await anyio.lowlevel.checkpoint()
        return result

    monkeypatch.setattr(database, "write", write)
    with scope:
        await app.search("word")
    assert scope.cancelled_caught
    assert 30 < standing(core, app).behind < 50
    monkeypatch.undo()
    assert len(await found(app, "word")) == 50
    await whole(core)


async def test_each_application_is_indexed_when_it_is_searched(core: Outeract) -> None:
    """The first search of a file indexes its application; another's messages are found just as well."""
    apps = [core.app(name) for name in ("one", "two")]
    for app, platform in zip(apps, ("raven", "owl"), strict=True):
        await arrive(core, connect(core, app, platform), said("m1", f"word {app.name}", "ann"))
    for app in apps:
        assert [hit.snippet for hit in await app.search("word")] == [f"word {app.name}"]
    await whole(core)


async def test_two_processes_index_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two openings of a file write, index and search in turns: every search is exact, nothing is indexed twice."""
    monkeypatch.setattr(index, "CHUNK", 3)
    monkeypatch.setattr(index, "SLACK", 2)
    path = tmp_path / "a.db"
    async with Outeract(path) as one, Outeract(path) as two:
        sides = []
        for core in (one, two):
            app = core.app("support")
            sides.append((core, app, connect(core, app)))
        for n in range(40):
            core, _app, pigeon = sides[n % 2]
            await arrive(core, pigeon, said(f"m{n}", f"word w{n}", "ann"))
            other = sides[(n // 2) % 2][1]
            assert await found(other, f"w{n}") == [f"m{n}"]
            assert len(await found(sides[0][1], "word")) == n + 1
        async with anyio.create_task_group() as group:
            for core, _app, pigeon in sides:
                group.start_soon(
                    arrive, core, pigeon, *(said(f"{id(core)}{k}", "both", "b") for k in range(30))
                )
            for _core, app, _pigeon in sides:
                group.start_soon(app.search, "both")
        assert len(await found(sides[0][1], "both")) == len(await found(sides[1][1], "both")) == 60
        await whole(one)


async def test_another_way_of_cutting_makes_the_index_anew(tmp_path: Path) -> None:
    """A file opened with another tokenizer is indexed again at the next search, once."""
    path = tmp_path / "a.db"
    async with Outeract(path) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), said("m1", "Rechnungsnummer", "ann"))
        assert await found(app, "nummer") == []
    async with Outeract(path, search="trigram") as core:
        app = core.app("support")
        assert await found(app, "nummer") == ["m1"]
        await arrive(core, connect(core, app), said("m2", "nummern", "ann"))
        assert await found(app, "nummer") == ["m2", "m1"]
        await whole(core)
    async with Outeract(path, search=None) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), said("m3", "nummer", "ann"))
        assert core.runtime.database.read(index.tokenizer) == "trigram"
    async with Outeract(path) as core:
        app = core.app("support")
        connect(core, app)
        assert await found(app, "nummer") == ["m3"]
        await whole(core)


async def test_the_projections_can_be_rebuilt(
    core: Outeract, app: App, pigeon: PlatformConnection
) -> None:
    """Dropping and deriving the conversations again leaves the index as it was."""
    await arrive(core, pigeon, said("m1", "word", "ann"), said("m2", "word", "bob", group="g"))
    assert await found(app, "word") == ["m2", "m1"]
    await core.runtime.database.write(rebuild.rebuild)
    assert await found(app, "word", within=await person(app, pigeon, "g")) == ["m2"]
    await whole(core)


async def test_the_doctor_tells_how_the_index_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`doctor` names the tokenizer and what is not indexed yet; an index is no trouble to it."""
    path = tmp_path / "a.db"
    told = []
    for search in (False, True):
        async with Outeract(path) as core:
            app = core.app("support")
            pigeon = app.connect("console")
            if search:
                await app.search("word")
            await arrive(core, pigeon, said(f"m{search}", "word", "ann"))
        assert main(["doctor", str(path), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out)["search"])
        assert main(["doctor", str(path)]) == 0
        told.append(capsys.readouterr().out.split("search: ")[1].splitlines()[0])
    assert told[0] == {"tokenizer": None, "behind": 0}
    assert told[1] == "no index yet, the first search makes it"
    assert told[2] == {"tokenizer": "unicode61", "behind": 1}
    assert told[3].startswith("indexed by unicode61, 1 node")


# ── erased ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tokenizer", ["unicode61", "trigram"])
async def test_what_is_erased_leaves_the_index(tmp_path: Path, tokenizer: str) -> None:
    """After `erase` no byte of the file holds the words, in the index or elsewhere, and the index is well."""
    words = Words(tmp_path)
    async with Outeract(tmp_path / "a.db", clock=ManualClock(), search=tokenizer) as core:
        app = core.app("support")
        pigeon = connect(core, app)
        others = [said(f"o{n}", f"other {n} {'filler ' * 9}", "bob", at=n) for n in range(300)]
        await arrive(core, pigeon, *others[:150], said("m1", words.plant("text"), "ann", group="g"))
        await arrive(core, pigeon, *others[150:], said("m2", f"x {words.plant('voice')}", "ann"))
        edit = {"message": {"text": words.plant("edit")}}
        await arrive(core, pigeon, about("message.edited", "e1", "m2", edit))
        await arrive(
            core,
            pigeon,
            Fact("message.transcribed", "t1", {"text": words.plant("spoken")}, target="m2"),
        )
        ann = await person(app, pigeon, "ann")
        await app.send(ann, f"dear {words.plant('answer')}")
        for word in words._planted.values():
            assert len(await app.search(word)) == 1
        await arrive(core, pigeon, said("m3", words.plant("not indexed"), "ann"))
        assert words.found() == words.all()
        await app.people.erase(ann)
        assert words.found() == set()
        await whole(core)
        for word in words._planted.values():
            assert len(await app.search(word)) == 0
        assert len(await found(app, "other")) == 300


async def test_what_is_left_of_a_message_is_still_found(
    core: Outeract, app: App, pigeon: PlatformConnection
) -> None:
    """Words of others that named somebody come back into the index without the name, each of them once."""
    await arrive(core, pigeon, said("m0", "hello", "annabelle77"), said("o1", "plums", "bob"))
    await arrive(core, pigeon, said("o2", "annabelle77 has plums", "bob"))
    assert await found(app, "plums") == ["o2", "o1"]
    await arrive(core, pigeon, said("o3", "give annabelle77 plums", "bob"))
    await app.people.erase(await person(app, pigeon, "annabelle77"))
    assert await found(app, "plums") == ["o3", "o2", "o1"]
    assert await found(app, "annabelle77") == []
    assert await found(app, "erased") == ["o3", "o2"]
    await whole(core)


async def test_a_process_without_search_erases_too(tmp_path: Path) -> None:
    """An erasure by a process that keeps no index takes the words out of the one in the file."""
    words, path = Words(tmp_path), tmp_path / "a.db"
    async with Outeract(path) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), said("m1", words.plant("text"), "ann"))
        await app.search("word")
    async with Outeract(path, search=None) as core:
        app = core.app("support")
        await app.people.erase(await person(app, connect(core, app), "ann"))
        assert words.found() == set()
    async with Outeract(path) as core:
        core.app("support")
        await whole(core)


# ── exact ────────────────────────────────────────────────────────────────────────────────────

WORDS = st.sampled_from(["red", "green", "blue", "redder", "Röd", "x"])
LINE = st.tuples(
    st.lists(WORDS, max_size=5), st.sampled_from(["ann", "bob"]), st.sampled_from([None, "g", "h"]),
    st.integers(0, 9), st.booleans(),
)  # fmt: skip
QUERY = st.lists(
    st.tuples(st.sampled_from(["", "-"]), WORDS, st.sampled_from(["", "*"])), min_size=1, max_size=3
)


def _folded(word: str) -> str:
    return word.lower().replace("ö", "o")


def _matches(text: list[str], query: list[tuple[str, str, str]]) -> bool:
    words = [_folded(word) for word in text]
    for minus, word, star in query:
        has = any(w.startswith(_folded(word)) if star else w == _folded(word) for w in words)
        if has == bool(minus):
            return False
    return True


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=40,
    deadline=None,
)
@given(
    st.lists(LINE, max_size=12),
    st.lists(QUERY, min_size=3, max_size=6),
    st.integers(0, 9),
    st.integers(0, 9),
)
async def test_a_search_is_what_plain_python_finds(
    core: Outeract, lines: list[Any], queries: list[Any], since: int, until: int
) -> None:
    """Random words, people, groups and times: newest, by rank, and narrowed, as in plain Python."""
    since, until = sorted((since, until))
    stretch, index._STRETCH = index._STRETCH, 2
    chunk, index.CHUNK = index.CHUNK, 2
    try:
        app = core.app("support", organisation=f"o{len(core._apps)}")
        pigeon = connect(core, app)
        facts = [
            said(f"m{n}", " ".join(text), who, group=group, at=at * 60)
            for n, (text, who, group, at, _search) in enumerate(lines)
        ]
        for fact, line in zip(facts, lines, strict=True):
            await arrive(core, pigeon, fact)
            if line[4]:
                await app.search("red")
        await arrive(core, pigeon, said("end", "end", "ann"), said("end2", "end", "bob", group="g"))
        ann, group = await person(app, pigeon, "ann"), await person(app, pigeon, "g")
        times = {
            "since": START + timedelta(minutes=since),
            "until": START + timedelta(minutes=until),
        }
        asked: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
            ({}, lambda line: True),
            ({"person": ann}, lambda line: line[1] == "ann"),
            ({"within": ann}, lambda line: line[1] == "ann" and line[2] is None),
            ({"within": group, "person": ann}, lambda line: line[1:3] == ("ann", "g")),
            (times, lambda line: since <= line[3] < until),
        ]
        for query in queries:
            words = " ".join(f"{minus}{word}{star}" for minus, word, star in query)
            if all(minus for minus, _word, _star in query):
                with pytest.raises(BadInput):
                    await app.search(words)
                continue
            for options, holds in asked:
                keys = [
                    f"m{n}"
                    for n, line in enumerate(lines)
                    if holds(line) and _matches(line[0], query)
                ]
                assert await found(app, words, **options) == keys[::-1]
                assert sorted(await found(app, words, order="rank", **options)) == sorted(keys)
        await whole(core)
    finally:
        index._STRETCH, index.CHUNK = stretch, chunk


NUMBERS = count()
TYPED = st.text(
    alphabet=st.sampled_from('ab"“ -*()^:+{}.OR\0\ud800東\u0301'), max_size=24
) | st.text(max_size=60)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=150,
    deadline=None,
)
@given(words=TYPED, text=TYPED)
async def test_whatever_is_typed_is_a_search(core: Outeract, words: str, text: str) -> None:
    """Any text may be searched for among any texts: the answer is hits with marks, or BadInput."""
    app = core.app("support")
    pigeon = connect(core, app)
    (key,) = await arrive(core, pigeon, said(f"m{next(NUMBERS)}", text, "ann"))
    for order in ("newest", "rank"):
        try:
            page = await app.search(words, order=order)  # type: ignore[arg-type]
        except BadInput:
            continue
        for hit in page:
            assert hit.marks
            assert all(0 <= a < b <= len(hit.snippet) for a, b in hit.marks)
    (event,) = app.events_at([key])
    sql = "SELECT CAST(text AS BLOB) FROM search_text WHERE event = :key"
    (row,) = core.runtime.database.read(lambda tx: tx.dynamic(sql, {"key": key}))
    assert row[0].decode("utf-8", "surrogatepass") == everything_said(event)


async def test_times_narrow_what_is_looked_at(
    core: Outeract, app: App, pigeon: PlatformConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`since` and `until` are looked for in the stretches where they can be, late arrivals included."""
    monkeypatch.setattr(index, "CHUNK", 10)
    monkeypatch.setattr(index, "_STRETCH", 10)
    facts = [said(f"m{n}", "word", "ann", at=n * 60) for n in range(100)]
    await arrive(core, pigeon, *facts, said("late", "word", "ann", at=300))
    await app.search("word")
    upto = core.runtime.database.read(
        lambda tx: [row[0] for row in tx.script("SELECT upto FROM search_span ORDER BY upto")]
    )
    assert len(upto) > 8
    minute = timedelta(minutes=1)
    start = int(START.timestamp() * 1000)

    def bounds(since: int | None, until: int | None) -> tuple[int, int]:
        times = [None if t is None else start + t * 60_000 for t in (since, until)]
        wanted = finding.Wanted((), since=times[0], until=times[1])
        return core.runtime.database.read(lambda tx: finding._bounds(tx, app.key, wanted))

    assert bounds(95, None)[0] >= upto[-3]
    lo, hi = bounds(200, None)
    assert lo >= hi
    assert bounds(None, 0)[1] <= bounds(None, 0)[0] + 1
    assert await found(app, "word", until=START + 6 * minute) == [
        "late",
        *(f"m{n}" for n in range(5, -1, -1)),
    ]
    assert await found(app, "word", since=START + 98 * minute) == ["m99", "m98"]
