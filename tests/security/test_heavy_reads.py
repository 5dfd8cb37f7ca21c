"""A heavy read is bounded: so many conditions, so long, and it ends when nobody waits for it.

Knows: the attacks of who may ask. Does not know: what is asked (`tests/queries`).

Work is counted in steps of SQLite's machine. Nothing is timed: deadlines are a clock that the test sets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from outeract_core import Outeract, blocking
from outeract_core import query as q
from outeract_core._api.app import App
from outeract_core._io.tenant import FEW
from outeract_core._io.threads import aside
from outeract_core._store.engine import limits
from outeract_core._store.reading import walks
from outeract_core.errors import BadInput, ReadTimeout
from tests.support.patience import PATIENCE
from tests.support.stopping import left_after

pytestmark = pytest.mark.anyio
HEAVY = ~q.text_contains("nothing like it") & q.payload_path("list[any].n", "=", -1)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Outeract]:
    """A store."""
    core = Outeract(tmp_path / "bot.db")
    yield core
    core.close()


@pytest.fixture
async def app(core: Outeract) -> App:
    """An application with enough in it for a filter to take long."""
    app = core.app("support")
    root = await app.emit("tick.root", {})

    def unit(tx: Any) -> None:
        from outeract_core._store.writing import custom

        for n in range(300):
            payload = f'{{"message":{{"text":"tick {n}"}},"list":[{",".join(["{}"] * 40)}]}}'
            custom.emit(
                tx, app.key, app.new_id(), "tick.one", payload, [], root, None, None
            )  # fmt: skip

    await app.commit(unit)
    return app


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often SQLite has asked whether to go on, a thousand steps each."""
    monkeypatch.setattr(limits, "STEPS", 1_000)
    seen = [0]
    plain = aside.Watch.__call__

    def call(self: aside.Watch) -> None:
        seen[0] += 1
        plain(self)

    monkeypatch.setattr(aside.Watch, "__call__", call)
    return seen


READS: dict[str, Callable[[App], Any]] = {
    "page": lambda app: app.events.page(HEAVY),
    "count": lambda app: app.events.count(HEAVY),
    "search": lambda app: app.search("tick", order="rank", total=True),
}


@pytest.mark.parametrize("name", ["page", "count", "search"])
async def test_a_read_that_takes_too_long_is_stopped(
    app: App, name: str, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past its time it ends within a thousand steps, says what helps, and the next read is answered."""
    await app.search("tick")
    await READS[name](app)
    assert asked[0] > 1, "this read is too small to show anything"
    now = [0.0]
    monkeypatch.setattr(aside, "time", SimpleNamespace(monotonic=lambda: now[0]))
    plain = aside.Watch.__call__

    def passing(self: aside.Watch) -> None:
        now[0] += 100
        plain(self)

    monkeypatch.setattr(aside.Watch, "__call__", passing)
    asked[0] = 0
    with pytest.raises(ReadTimeout, match="read_timeout"):
        await READS[name](app)
    assert asked[0] == 1
    monkeypatch.undo()
    assert await app.events.count() == 301


@pytest.mark.parametrize("name", ["page", "count", "search"])
async def test_a_read_that_nobody_waits_for_ends(
    app: App, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled, the call returns at once, and the query ends where it asks next; nothing stays broken."""
    await app.search("tick")
    monkeypatch.setattr(limits, "STEPS", 1_000)
    running, gone, ended = anyio.Event(), threading.Event(), threading.Event()
    plain, after = aside.Watch.__call__, [0]

    def call(self: aside.Watch) -> None:
        anyio.from_thread.run_sync(running.set)
        gone.wait()
        after[0] += 1
        try:
            plain(self)
        except aside.Abandoned:
            ended.set()
            raise

    monkeypatch.setattr(aside.Watch, "__call__", call)
    async with anyio.create_task_group() as group:
        group.start_soon(READS[name], app)
        await running.wait()
        group.cancel_scope.cancel()
    gone.set()
    await anyio.to_thread.run_sync(ended.wait)
    assert after[0] == 1
    monkeypatch.undo()
    for _ in range(5):
        assert await app.events.count() == 301
        assert len(await app.events.page(q.type_is("tick.one"))) == 50


async def test_a_walk_looks_whether_it_is_wanted(app: App) -> None:
    """Between the levels of a walk, too, where each query is short."""
    (root,) = (await app.events.page(q.type_is("tick.root"))).nodes
    with left_after(3):
        app.runtime.database.read(
            lambda tx: walks.wide(tx, app.key, root.position, None, "both", walks.Limits())
        )
    assert len((await app.graph.component(root)).nodes) == 301


def test_a_blocking_read_that_is_given_up_is_stopped(tmp_path: Path) -> None:
    """Ctrl-C in the thread that waits ends the work in the loop's thread as well."""
    with blocking.Outeract(tmp_path / "bot.db") as core:
        app = core.app("support")
        begun, over = threading.Event(), threading.Event()

        async def work() -> None:
            begun.set()
            try:
                await anyio.sleep_forever()
            finally:
                over.set()

        portal = core._portal.portal

        class Interrupted:
            """A portal whose caller is interrupted while it waits."""

            def start_task_soon(self, run: Any, *args: Any) -> Any:
                future = portal.start_task_soon(run, *args)

                def exception(_timeout: float) -> Any:
                    begun.wait()
                    raise KeyboardInterrupt

                return SimpleNamespace(done=future.done, exception=exception, cancel=future.cancel)

        loop: Any = blocking.Loop(Interrupted())  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            loop.call(work)
        assert over.wait(PATIENCE)
        app.emit("tick.one", {})
        assert app.events.count() == 1


def test_a_blocking_read_has_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no loop to cancel in has the deadline."""
    with blocking.Outeract(tmp_path / "bot.db", read_timeout=PATIENCE) as core:
        app = core.app("support")
        for n in range(20):
            app.emit("tick.one", {"n": n})
        monkeypatch.setattr(limits, "STEPS", 10)
        now = iter(range(0, 10**9, int(PATIENCE)))
        monkeypatch.setattr(aside, "time", SimpleNamespace(monotonic=lambda: next(now)))
        with pytest.raises(ReadTimeout):
            app.events.count(HEAVY)


@pytest.mark.parametrize("wrong", [0, -1, True, "1", float("nan")])
def test_a_deadline_is_a_number_of_seconds(tmp_path: Path, wrong: Any) -> None:
    """Anything else is refused when the file is opened."""
    with pytest.raises(BadInput, match="read_timeout is a number of seconds"):
        Outeract(tmp_path / "bot.db", read_timeout=wrong)


def test_a_filter_has_so_many_conditions() -> None:
    """Joined beyond ten thousand, however they are nested, it is refused where it is joined."""
    many = q.type_is("a")
    for n in range(12):
        many = (many & ~many) if n % 2 else (many | many)
    assert many.terms == 4_096
    many = many | many
    assert many.terms == 8_192
    with pytest.raises(BadInput, match=r"at most 10000 conditions, and this would be 16384"):
        many & many
    assert (~many).terms == 8_192


@pytest.mark.parametrize("first", [FEW, FEW + 1, 1_000])
async def test_more_than_a_few_are_read_beside_the_loop(
    app: App, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of a hundred is read in line; a longer one in a worker thread, which can be left."""
    app.connect("console", name="here")
    sent = await app.send(("here", "1"), "hello")
    conversation = await app.conversations.of(sent.id)
    own, seen, plain = threading.get_ident(), [], app.runtime.database._read

    def read(reader: Any, query: Any, like: object = None) -> Any:
        seen.append(threading.get_ident() == own)
        return plain(reader, query, like)

    monkeypatch.setattr(app.runtime.database, "_read", read)
    await app.events.page(first=first)
    await app.conversations.recent(first=first)
    await conversation.page(first=first)
    await conversation.context(first=first)
    await conversation.participants(first=first)
    assert seen == [first <= FEW] * 5
