"""The event loop is not held: what may be large is done beside it, what is many is done a few at a time.

Knows: in which thread things happen, how often the loop has run on meanwhile; `dev.py bench stalls` has the times.
Does not know: seconds.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Outeract
from outeract_core._api import later
from outeract_core._api.workers import _hosted
from outeract_core._handlers import dispatcher
from outeract_core._handlers.dispatcher import Dispatcher
from outeract_core._inbound.reading import A_FACT, LIGHT
from outeract_core._io.disk.file_store import Folder
from outeract_core._io.runtime import Runtime
from outeract_core._io.threads import aside
from outeract_core._io.web.http import Http, Network
from outeract_core._store.engine.reader import Reader
from outeract_core._store.transfer import quotes
from outeract_core.adapter import Flow, Inbound, Polled
from outeract_core.events import Fact, Unparsed
from tests.support.bots import talk
from tests.support.places import ROOT
from tests.support.reading.world import Pigeon, body_of, item, post, raw_conn, said

pytestmark = pytest.mark.anyio


class Watched(Pigeon):
    """Notes the thread in which each step was asked of it."""

    seen: ClassVar[dict[str, int]] = {}
    polled: ClassVar[int] = 0

    def verify(self, inbound: Inbound) -> None:
        self.seen["verify"] = threading.get_ident()
        super().verify(inbound)

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        self.seen["parse"] = threading.get_ident()
        return super().parse(inbound)

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        yield from ()
        return Polled([said(f"p{n}", "hi", "ann") for n in range(self.polled)], 1)


@pytest.mark.parametrize("size", [1, LIGHT, LIGHT + 1, 10 * LIGHT])
async def test_a_large_body_is_verified_and_read_beside_the_loop(tmp_path: Path, size: int) -> None:
    """From 16 KB on; smaller ones, which nearly all are, cost no hop."""
    async with Outeract(tmp_path / "a.db") as core:
        core.register("pigeon", Watched)
        conn = core.app("support").connect("pigeon")
        body = body_of(item("m1"))
        answer = await post(core, conn, body + b" " * (size - len(body)))
        assert answer.status == 200
        assert await core.app("support").events.count() == 1
    here = {name: ident == threading.get_ident() for name, ident in Watched.seen.items()}
    assert here == {"verify": size <= LIGHT, "parse": size <= LIGHT}


@pytest.mark.parametrize("count", [LIGHT // A_FACT, LIGHT // A_FACT + 1])
async def test_many_polled_facts_are_sorted_beside_the_loop(
    tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll that brings a few is read in line, one that brings many is not."""
    monkeypatch.setattr(Watched, "polled", count)
    asked: list[bool] = []
    heavy = aside.aside

    async def noted(work: Callable[[], Any], within: float | None = None) -> Any:
        asked.append(True)
        return await heavy(work, within)

    monkeypatch.setattr("outeract_core._inbound.reading.aside", noted)
    async with Outeract(tmp_path / "a.db") as core:
        core.register("pigeon", Watched)
        conn = core.app("support").connect("pigeon", poll="yes")
        assert await core._receiver.poll(raw_conn(core, conn), 0.0) == count
    assert bool(asked) == (count * A_FACT > LIGHT)


@contextmanager
def _stretches(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], Callable[[], None]]]:
    """What one task does in a row until it lets the loop run on (`|`); and how that task is named."""
    done: list[str] = []
    watched: list[int] = []
    checkpoint, wait = anyio.lowlevel.checkpoint, Runtime.wait

    def paused() -> None:
        if anyio.get_current_task().id in watched:
            done.append("|")

    async def noted() -> None:
        paused()
        await checkpoint()

    async def waited(*args: Any) -> None:
        paused()
        await wait(*args)

    monkeypatch.setattr(anyio.lowlevel, "checkpoint", noted)
    monkeypatch.setattr(Runtime, "wait", waited)
    yield done, lambda: watched.append(anyio.get_current_task().id)


@pytest.mark.parametrize("way", ["step", "run"])
async def test_a_backlog_is_read_page_by_page_and_turns_begin_a_few_at_a_time(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pages, and after so many beginnings, the loop runs on: nothing is held by how much waits."""
    monkeypatch.setattr(dispatcher, "_PAGE", 4)
    monkeypatch.setattr(dispatcher, "_STARTS", 3)
    bot = talk(tmp_path / "a.db")
    all_begun, over = anyio.Event(), anyio.Event()

    async def handler(_message: Any) -> None:
        await over.wait()

    bot.app.on("message.inbound", overlap="concurrent")(handler)
    owned = bot.core.runtime.ownership.session(serving=True)
    async with bot.core, owned:
        for _ in range(19):
            await bot.says("x")
        working = Dispatcher(_hosted(bot.app))
        read, drain = working._page, working._drain
        with _stretches(monkeypatch) as (done, watched):

            def page(tx: Any) -> Any:
                done.append("p")
                return read(tx)

            def drained(lane: Any) -> Any:
                done.append("b")
                if done.count("b") == 19:
                    all_begun.set()
                return drain(lane)

            async def work() -> None:
                watched()
                await getattr(working, way)()

            monkeypatch.setattr(working, "_page", page)
            monkeypatch.setattr(working, "_drain", drained)
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                await all_begun.wait()
                over.set()
                if way == "run":
                    group.cancel_scope.cancel()
    assert done.count("p") >= 5
    assert max(stretch.count("p") for stretch in "".join(done).split("|")) == 1
    assert max(stretch.count("b") for stretch in "".join(done).split("|")) < 2 * 3  # two rounds


async def test_what_is_received_is_put_in_its_place_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are there already are compared with their name, and there may be many."""
    threads: list[int] = []
    settle = Folder.settle

    def noted(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return settle(*args)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"bytes"

    monkeypatch.setattr(Folder, "settle", noted)
    folder = Folder(str(tmp_path / "a.db"))
    stored = await folder.receive(chunks())
    assert folder.read(stored.sha256) == b"bytes"
    assert threads != [threading.get_ident()]


async def test_a_file_is_closed_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moving the log into the file may take a while; who is cancelled meanwhile has it closed all the same."""
    core = Outeract(tmp_path / "a.db")
    threads: list[int] = []
    close = core.close

    def noted() -> None:
        threads.append(threading.get_ident())
        close()

    monkeypatch.setattr(core, "close", noted)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await core.aclose()
    assert core.runtime.database._closed
    assert threads != [threading.get_ident()]
    await core.aclose()


async def test_what_goes_wrong_in_a_thread_is_raised(tmp_path: Path) -> None:
    """The error of the work, where it is waited for."""

    def work() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await aside.to_the_end(work)


async def test_modules_are_read_beside_the_loop_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time in a worker thread; then what was loaded is at hand."""
    monkeypatch.setattr(aside, "_LOADED", set())
    threads: list[int] = []

    def load() -> str:
        threads.append(threading.get_ident())
        return "module"

    assert [await aside.loaded(load) for _ in range(2)] == ["module", "module"]
    assert threads[0] != threading.get_ident()
    assert threads[1:] == [threading.get_ident()] * 2


def test_no_coroutine_imports() -> None:
    """An import in an `async def` would read modules in the event loop; `later` and `loaded` are for that."""
    found = []
    for path in (ROOT / "outeract_core").rglob("*.py"):
        for outer in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(outer, ast.AsyncFunctionDef):
                found += [
                    f"{path.name}:{node.lineno}"
                    for node in ast.walk(outer)
                    if isinstance(node, ast.Import | ast.ImportFrom)
                ]
    assert found == []
    assert callable(later.importing())


def test_what_goes_through_a_file_reads_beside_the_loop() -> None:
    """Backups, exports, rules of retention, and what is read again look at much, piece by piece, and never in line."""
    found = []
    for path in (ROOT / "outeract_core" / "_api" / "maintenance").rglob("*.py"):
        for outer in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(outer, ast.AsyncFunctionDef):
                calls = [one for one in ast.walk(outer) if isinstance(one, ast.Call)]
                read = [one for one in calls if ast.unparse(one.func).endswith("database.read")]
                found += [f"{path.name}:{one.lineno}" for one in read]
    assert found == []


async def test_what_a_person_was_called_is_looked_up_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who has written much has been called something with each message."""
    threads: list[int] = []
    look = quotes._called

    def noted(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return look(*args)

    monkeypatch.setattr(quotes, "_called", noted)
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        await bot.says("hi")
        await bot.app.people.erase(await bot.app.people.by_external_id(bot.connection, "ann"))
    assert threads
    assert threading.get_ident() not in threads


async def test_a_way_to_the_network_is_opened_beside_the_loop_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reads modules and the authorities that are trusted; who asks meanwhile waits for the same."""
    opened: list[tuple[int, str | None]] = []
    network_open = Network.open

    def noted(self: Network, proxy: str | None) -> Any:
        opened.append((threading.get_ident(), proxy))
        return network_open(self, proxy)

    monkeypatch.setattr(Network, "open", noted)
    door, found = Http(Network()), set[int]()

    async def ask(name: str) -> None:
        found.add(id((await door._transport(None, name))[0]))

    door._open()
    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(ask, f"{number % 2}.example")
    await door.aclose()
    assert len(opened) == len(found) == 2
    assert threading.get_ident() not in [ident for ident, _proxy in opened]


async def _page(app: Any) -> None:
    conversation = await app.conversations.of((await app.events.page()).nodes[0])
    assert len(await conversation.page()) == 3


async def _event(app: Any) -> None:
    for event in await app.events.page():
        await app.events.get(event.id)


async def _turns(app: Any) -> None:
    assert (await app.core.pump()).handled


_READS = {
    "a page": _page,
    "a list": lambda app: app.conversations.recent(),
    "events": _event,
    "a walk": lambda app: app.graph.neighbours(app.who),
    "turns": _turns,
}


@pytest.mark.parametrize("size", [10, 2_000_000])
@pytest.mark.parametrize("read", _READS)
async def test_large_messages_are_read_beside_the_loop(
    tmp_path: Path, read: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long a value is stands before it: it is refused in the loop before it is read, and read in a thread."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        core.register("pigeon", Pigeon)
        app: Any = core.app("support", auto_mark_read="never")
        conn = app.connect("pigeon")
        for key in ("m1", "m2", "m3"):
            await post(core, conn, body_of(item(key, "é" * (size // 2))))
        if read == "turns":
            app.on("message.inbound", since="beginning")(_pass)
        app.core, app.who = core, (await app.events.page()).nodes[0]
        threads = _noted(monkeypatch, size)
        await _READS[read](app)
    here = threading.get_ident()
    assert {one == here for one in threads} == {size < 1000 and read != "a walk"}


def _noted(monkeypatch: pytest.MonkeyPatch, size: int) -> list[int]:
    """The threads in which values of more than half of this size are fetched."""
    threads: list[int] = []

    def noting(name: str) -> None:
        fetch = getattr(Reader, name)

        def fetched(self: Reader, *args: Any, **more: Any) -> Any:
            found = fetch(self, *args, **more)
            rows = found if isinstance(found, list) else [found or ()]
            if any(isinstance(one, str) and len(one) > size // 2 for row in rows for one in row):
                threads.append(threading.get_ident())
            return found

        monkeypatch.setattr(Reader, name, fetched)

    for name in ("_fetched", "one"):
        noting(name)
    return threads


async def _pass(_message: Any) -> None:
    """Does nothing."""
