"""Where a handler begins: a new one now, or as far back as it asks; a known one where it was."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core import Message, Outeract
from outeract_core._domain.values.ids import to_ms
from outeract_core._handlers.dispatcher import Dispatcher
from outeract_core._handlers.outcomes import Outcomes
from outeract_core._store.engine.migrations import scripts
from outeract_core._store.reading import enrolment
from outeract_core._store.transfer import load
from outeract_core._store.transfer.values import Bounds
from outeract_core._store.writing import handlers
from outeract_core.errors import BadInput
from outeract_core.testing import ManualClock
from tests.support.bots import Talk, talk
from tests.support.patience import soon
from tests.support.shared import shared
from tests.support.store.opening import raw

pytestmark = pytest.mark.anyio


def listen(bot: Talk, name: str, **asks: Any) -> list[str]:
    """A handler that notes what it is given, each message alone."""
    seen: list[str] = []

    def note(message: Message) -> None:
        seen.append(message.text)

    bot.app.on("message.inbound", name=name, overlap="queue", **asks)(note)
    return seen


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until it holds."""
    while not condition():
        await anyio.lowlevel.checkpoint()


async def past(path: Path, *texts: str, apart: float = 60) -> ManualClock:
    """People have written to an application that nobody listened for; the clock afterwards."""
    bot = talk(path)
    async with bot.core:
        for text in texts:
            await bot.says(text)
            bot.clock.advance(apart)
        await bot.core.pump()
    return bot.clock


async def test_the_first_handler_begins_now_and_what_it_leaves_behind_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Old messages are not answered in any run, new ones are; the log says how many were left."""
    path, answered = tmp_path / "a.db", []
    clock = await past(path, "one", "two", "three")
    with caplog.at_level(logging.WARNING, "outeract_core"):
        for n in (10, 11):
            bot = talk(path, clock)
            async with bot.core:
                bot.app.on("message.inbound", name="bot")(lambda message: f"re {message.text}")
                await bot.says(f"new {n}", n=n)
                await bot.core.pump()
                answered += bot.terminal.texts
    assert answered == ["re new 10", "re new 11"]
    told = [r.getMessage() for r in caplog.records if "left behind" in r.getMessage()]
    assert len(told) == 1
    assert "handler bot" in told[0]
    assert "3 events" in told[0]


async def test_only_what_it_would_have_wanted_counts_as_left_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not what the application itself said, and no other types; nothing left is not told."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        bot.app.on("message.inbound", name="first")(lambda message: "yes")
        await bot.says("one")
        await bot.core.pump()
        with caplog.at_level(logging.WARNING, "outeract_core"):
            bot.app.on("message.*", name="second")(lambda message: None)
            bot.app.on("message.*", name="own", own=True)(lambda message: None)
            bot.app.on("order.created", name="orders")(lambda message: None)
        told = bot.core.runtime.database.read(lambda tx: enrolment.told(tx, bot.app.key))
    assert {one["name"]: one["left_behind"] for one in told} == {
        "first": 0, "second": 1, "own": 3, "orders": 0,
    }  # fmt: skip
    assert sum("left behind" in r.getMessage() for r in caplog.records) == 2


async def test_now_is_when_the_program_opened_the_application_until_it_works(
    tmp_path: Path,
) -> None:
    """A webhook before the handlers are registered loses nothing; after a pump, now is the call."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        await bot.says("before")
        first = listen(bot, "first")
        await bot.core.pump()
        await bot.says("between")
        second = listen(bot, "second")
        await bot.says("after")
        await bot.core.pump()
    assert first == ["before", "between", "after"]
    assert second == ["after"]


async def test_nothing_is_lost_while_the_program_is_down(tmp_path: Path) -> None:
    """What arrived through another process is handled by who is known; one enrolled that never ran too."""
    path, seen = tmp_path / "a.db", []
    clock = ManualClock()
    for n in range(6):
        bot = talk(path, clock)
        async with bot.core:
            if n % 3 != 1:  # in between a process that only takes webhooks
                seen = listen(bot, "bot")
            await bot.says(f"line {n}", n=n)
            if n == 2:
                await bot.core.pump()
                assert seen == ["line 0", "line 1", "line 2"]
            if n == 5:
                await bot.core.pump()
    assert seen == ["line 3", "line 4", "line 5"]


async def test_another_name_is_another_handler(tmp_path: Path) -> None:
    """Who is renamed begins now, also where others have run."""
    path = tmp_path / "a.db"
    clock = ManualClock()
    bot = talk(path, clock)
    async with bot.core:
        listen(bot, "old")
        await bot.says("handled", n=1)
        await bot.core.pump()
        await bot.says("waits", n=2)
    bot = talk(path, clock)
    async with bot.core:
        seen = listen(bot, "new")
        await bot.says("fresh", n=3)
        await bot.core.pump()
    assert seen == ["fresh"]


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize(
    ("since", "wanted"),
    [("beginning", "abcd"), (timedelta(seconds=150), "cd"), (timedelta(days=900), "abcd"),
     (timedelta(0), ""), ("third", "cd"), (None, "")],
)  # fmt: skip
async def test_since_asks_for_so_much_of_the_past_and_no_other_has_it_again(
    tmp_path: Path, since: Any, wanted: str, others: bool
) -> None:
    """All, from a time on, within an age; what another handler has handled is not given to it again."""
    path = tmp_path / "a.db"
    bot = talk(path)
    async with bot.core:
        old = listen(bot, "old") if others else []
        third: datetime | None = None
        for n, text in enumerate("abcd", 1):
            third = bot.clock() if text == "c" else third
            await bot.says(text, n=n)
            bot.clock.advance(60)
            await bot.core.pump()
    bot = talk(path, bot.clock)
    async with bot.core:
        again = listen(bot, "old") if others else []
        new = listen(bot, "new", since=third if since == "third" else since)
        await bot.says("e", n=9)
        await bot.core.pump()
    assert new == [*wanted, "e"]
    assert [*old, *again] == ([*"abcd", "e"] if others else [])
    bot = talk(path, bot.clock)
    async with bot.core:
        runs = listen(bot, "old"), listen(bot, "new", since="beginning")
        await bot.core.pump()
    assert runs == ([], []), "known by its name it goes on where it was, whatever it asks"


async def test_a_handler_that_comes_while_others_work_gets_the_past_it_asks_for(
    tmp_path: Path,
) -> None:
    """In the middle of a turn, whose commit must not carry the cursor over it; nobody has a thing twice."""
    bot = talk(tmp_path / "a.db", overlap="queue")
    seen: list[str] = []
    started, go_on = anyio.Event(), anyio.Event()
    async with bot.core:

        @bot.app.on("message.inbound", name="old")
        async def old(message: Message) -> None:
            seen.append(message.text)
            if message.text == "b":
                started.set()
                await go_on.wait()

        await bot.says("a")
        await bot.core.pump()
        await bot.says("b")
        await bot.says("c")
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.serve)
            with soon():
                await started.wait()
                new = listen(bot, "new", since="beginning")
                await until(lambda: len(new) == 3)
                assert seen == ["a", "b"], "its lane waits for its turn"
                go_on.set()
                await until(lambda: len(seen) == 3)
                await bot.says("d")
                while (await bot.events("message.inbound"))[-1].processed_at is None:
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        await bot.core.pump()
    assert (seen, new) == ([*"abcd"], [*"abcd"])
    again = talk(tmp_path / "a.db", bot.clock)
    async with again.core:
        runs = listen(again, "old"), listen(again, "new")
        await again.core.pump()
    assert runs == ([], [])


async def test_a_commit_that_was_under_way_does_not_carry_the_cursor_over_a_new_handler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far it may move was reckoned before the handler came: who dies right then loses nothing."""
    bot, late = talk(tmp_path / "a.db"), []
    cursors: list[int] = []
    dispatchers, step, write = [], Dispatcher.step, Outcomes._write

    async def stepping(self: Dispatcher) -> int:
        dispatchers.append(self)
        return await step(self)

    async def crossed(self: Outcomes, handler: Any, batch: Any, unit: Any) -> None:
        first = batch[0].seen.text == "b" and not late
        if first:
            late.append(listen(bot, "late", since="beginning"))
            assert await dispatchers[-1]._owns()
        await write(self, handler, batch, unit)
        if first:
            database, app = bot.core.runtime.database, bot.app.key
            cursors.append(database.read(lambda tx: handlers.backlog(tx, app).position))

    monkeypatch.setattr(Dispatcher, "step", stepping)
    monkeypatch.setattr(Outcomes, "_write", crossed)
    async with bot.core:
        old = listen(bot, "first")
        for text in ("a", "b"):
            await bot.says(text)
            with soon():
                await bot.core.pump()
        assert cursors[0] < (await bot.events("message.inbound"))[0].position
        assert (old, late) == (["a", "b"], [["a", "b"]])


async def test_who_enrols_while_another_process_works_has_its_turn_later(tmp_path: Path) -> None:
    """A process that cannot run its handler yet keeps its place in the file, whoever moves the cursor."""
    path = tmp_path / "a.db"
    one = talk(path)
    async with one.core:
        listen(one, "one")
        two = talk(path, one.clock)
        async with two.core:
            second = listen(two, "two")
            for n in range(3):
                await one.says(f"line {n}", n=n)
                await one.core.pump()
            await one.core.aclose()
            assert (first := listen(two, "one")) == []
            await two.core.pump()
    assert first == []
    assert second == ["line 0", "line 1", "line 2"]


_WHAT = st.sampled_from(["says", "pump", "restart", "new", "new from the beginning"])


@settings(max_examples=12, deadline=None)
@given(plan=st.lists(_WHAT, max_size=14))
def test_whatever_happens_each_handler_has_what_came_after_it_began_once(plan: list[str]) -> None:
    """Messages, pumps, restarts and new handlers in any order, against a model of what that means."""
    anyio.run(_played, plan)


async def _played(plan: list[str]) -> None:
    said: list[str] = []
    wanted: dict[str, int] = {}
    seen: dict[str, list[str]] = {}
    steps, clock = iter([*plan, "end"]), ManualClock()
    with TemporaryDirectory() as folder:
        step = "restart"
        while step != "end":
            step = await _run(talk(Path(folder) / "a.db", clock), steps, said, wanted, seen)
    assert seen == {name: said[begin:] for name, begin in wanted.items()}


async def _run(
    bot: Talk, steps: Iterator[str], said: list[str], wanted: dict[str, int],
    seen: dict[str, list[str]],
) -> str:  # fmt: skip
    """One run of a program that registers what it knows, and a pump at its end; how it ended."""
    opened: int | None = len(said)
    async with bot.core:
        for name in wanted:
            seen[name] = _also(seen[name], bot, name)
        for step in steps:
            if step in ("restart", "end"):
                break
            if step == "says":
                said.append(f"m{len(said)}")
                await bot.says(said[-1], n=len(said))
            elif step == "pump":
                await bot.core.pump()
                opened = None
            else:
                name, past = f"h{len(wanted)}", step != "new"
                now = len(said) if opened is None else opened
                wanted[name] = 0 if past else now
                seen[name] = listen(bot, name, since="beginning" if past else None)
        if step == "end":
            await bot.core.pump()
    return step


def _also(before: list[str], bot: Talk, name: str) -> list[str]:
    """The same handler in another run of the program."""
    bot.app.on("message.inbound", name=name, overlap="queue")(
        lambda message: before.append(message.text)
    )
    return before


async def test_a_time_is_found_in_the_log_as_by_looking_at_all_of_it(tmp_path: Path) -> None:
    """Whatever the gaps between events: exactly those stored at that time or later, up to now."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        for n in range(24):
            bot.clock.advance((0, 0, 1, 3, 7)[n * 7 % 5])
            await bot.app.emit("order.made", {"n": n})
        log = [event async for event in bot.app.events.all()]
        app, database = bot.app.key, bot.core.runtime.database
        upto = log[-3].position
        for at in range(to_ms(log[0].created_at) - 500, to_ms(log[-1].created_at) + 1_000, 500):
            found = database.read(lambda tx: enrolment.stored_before(tx, app, at, upto))  # noqa: B023
            wanted = [to_ms(e.created_at) >= at for e in log[:-2]]
            assert [e.position > found for e in log[:-2]] == wanted


@pytest.mark.parametrize(
    "since",
    ["start", "", 5, datetime(2025, 1, 1), timedelta(seconds=-1), True,  # noqa: DTZ001
     datetime.fromisoformat("2999-01-01T00:00:00+00:00")],
)  # fmt: skip
async def test_what_is_no_past_is_refused(tmp_path: Path, since: Any) -> None:
    """A word, a naive time, the future: told at once, and the handler is not there."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        with pytest.raises(BadInput, match=r"since|aware"):
            listen(bot, "h", since=since)
        assert bot.app.handlers == []
        assert bot.core.runtime.database.read(lambda tx: enrolment.told(tx, bot.app.key)) == []


# ── files of earlier versions ─────────────────────────────────────────────────────────────────


def _as_before(path: Path) -> None:
    """The file as it comes out of the migration of one that a version left which noted no handlers."""
    (migration,) = [text for text in scripts() if "CREATE TABLE enrolled" in text]
    with raw(path) as db:
        db.set_busy_timeout(5000)
        db.execute("DROP TABLE enrolled")
        db.execute(migration)


async def test_an_older_file_goes_on_at_its_cursor(tmp_path: Path) -> None:
    """Whatever its handlers are called: nothing again that was handled, all that came after; then the
    rule for new ones holds.
    """
    path = tmp_path / "a.db"
    bot = talk(path)
    async with bot.core:
        listen(bot, "bot")
        await bot.says("handled", n=1)
        await bot.core.pump()
        await bot.says("waits", n=2)
    _as_before(path)
    bot = talk(path, bot.clock)
    async with bot.core:
        seen = listen(bot, "bot", since="beginning"), listen(bot, "renamed")
        await bot.core.pump()
        assert seen == (["waits"], ["waits"])
        assert (late := listen(bot, "late")) == []
        await bot.says("fresh", n=3)
        await bot.core.pump()
    assert seen == (["waits", "fresh"], ["waits", "fresh"])
    assert late == ["fresh"]


async def test_an_older_file_whose_handlers_never_ran_has_only_a_past(tmp_path: Path) -> None:
    """Without a cursor there is nothing to go on with."""
    clock = await past(tmp_path / "a.db", "one", "two")
    _as_before(tmp_path / "a.db")
    bot = talk(tmp_path / "a.db", clock)
    async with bot.core:
        seen = listen(bot, "bot")
        await bot.core.pump()
    assert seen == []


async def test_the_file_of_the_first_release_goes_on_at_its_cursor(tmp_path: Path) -> None:
    """Nothing that it has handled comes again, and what comes now is handled."""
    folder = shared("store/0.1.0")
    for one in folder.iterdir():
        if one.is_file():
            shutil.copy(one, tmp_path / one.name)
    with raw(tmp_path / "store.db") as db:
        (organisation, name, cursor) = db.execute(
            "SELECT o.name, a.name, c.position FROM cursor c JOIN application a ON a.id = c.app "
            "JOIN organisation o ON o.id = a.organisation"
        ).fetchone()
    core = Outeract(tmp_path / "store.db")
    async with core:
        app, seen = core.app(name, organisation=organisation), []
        app.on("*", name="anything", overlap="queue")(lambda m: seen.append(m.event.position))
        await app.emit("order.created", {"total": 1})
        await core.pump()
    assert seen
    assert min(seen) > cursor


# ── moved ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ran", [True, False])
@pytest.mark.parametrize("noted", [True, False])
async def test_an_imported_application_goes_on_and_does_not_answer_its_past(
    tmp_path: Path, ran: bool, noted: bool
) -> None:
    """Also from an export that notes no handlers; what waited there for a handler is handled here."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        if ran:
            listen(bot, "bot")
        await bot.says("past", n=1)
        await bot.core.pump()
        await bot.says("waits", n=2)
        if not noted:
            await bot.core.runtime.database.write(lambda tx: tx.script("DELETE FROM enrolled"))
        await bot.app.export(tmp_path / "a.ndjson")
    other = talk(tmp_path / "b.db", bot.clock)
    async with other.core:
        app = await other.core.import_app(tmp_path / "a.ndjson", name="moved")
        seen: list[str] = []
        app.on("message.inbound", name="bot", overlap="queue")(lambda m: seen.append(m.text))
        await other.core.pump()
    assert seen == (["waits"] if ran else [])


async def test_an_export_without_the_column_unread_is_read() -> None:
    """What was handled before anything could be left unread is handled, and was read."""
    old, new, odd = (
        f'{{"handled":{{"event":1,"handler":"b"{more}}}}}'
        for more in ("", ',"unread":1', ',"more":1')
    )
    kinds, bounds = load.Kinds(), Bounds(2, 0)
    found = load.parse([old, new], kinds, bounds).others["handled"]
    assert found == [(1, "b", 0), (1, "b", 1)]
    with pytest.raises(load.BadLine, match="nothing else"):
        load.parse([odd], kinds, bounds)
