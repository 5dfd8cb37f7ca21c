"""Who is not known costs next to nothing: before the body, before the file, before a clock that shows anything.

Knows: the attacks of anybody who can reach the address of a webhook. Does not know: platforms.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import Outeract
from outeract_core._inbound import web
from outeract_core._store.engine import sqlite
from outeract_core.errors import NotFound
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import GOOD, Pigeon

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
LIMIT = 1000


@pytest.fixture
def core(tmp_path: Path, clock: ManualClock) -> Iterator[Outeract]:
    """A store with forty connections, that takes bodies of 1000 bytes."""
    core = Outeract(tmp_path / "bot.db", clock=clock, ids=SequentialIds(), body_limit=LIMIT)
    core.register("pigeon", Pigeon)
    app = core.app("support")
    for n in range(40):
        app.connect("pigeon", name=f"n{n}", token=GOOD)
    core.runtime.reload()
    yield core
    core.close()


@pytest.fixture
def clock() -> ManualClock:
    """Time as the test decides."""
    return ManualClock()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the statements that were run in this thread."""
    seen, here = list[str](), threading.get_ident()

    def watch(verb: str) -> None:
        plain = getattr(sqlite.Connection, verb)

        def watched(self: Any, asked: Any, *args: Any, **named: Any) -> Any:
            if threading.get_ident() == here:  # the writer has its idle work
                seen.append(asked.name)
            return plain(self, asked, *args, **named)

        monkeypatch.setattr(sqlite.Connection, verb, watched)

    for verb in ("all", "one", "run", "by_keys"):
        watch(verb)
    return seen


def known(core: Outeract, n: int = 0) -> tuple[str, str]:
    """The id and the secret of a connection's address."""
    found = web.address(core.runtime.conns()[n].entity.webhook_path)
    assert found is not None
    return found


async def asked(core: Outeract, path: str, receive: Any, headers: Any = ()) -> int | None:
    """The status that ASGI answers with."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    await core.asgi(scope, receive, send)
    return sent[0]["status"] if sent else None


async def never() -> Any:
    """A body that nobody may ask for."""
    raise AssertionError("the body was read")


def test_an_unknown_id_is_one_row(core: Outeract, steps: list[str]) -> None:
    """However many connections there are: one look by the index, and none while it is remembered."""
    steps.clear()
    assert core.runtime.by_webhook("nobody-has-this") is None
    assert len(steps) == 1
    assert core.runtime.by_webhook("nobody-has-this") is None
    assert len(steps) == 1


def test_known_and_unknown_take_the_same_steps(
    core: Outeract, clock: ManualClock, steps: list[str]
) -> None:
    """Counted, not timed: nobody learns from an answer whether an id exists."""
    there, _ = known(core)
    counts = []
    for webhook_id in (there, "nobody-has-this"):
        clock.advance(5)
        core.runtime._strangers.clear()
        steps.clear()
        for _ in range(3):
            answer = core._receiver.refusal(webhook_id, "wrong")
            assert answer is not None
            assert answer.status == 404
        counts.append(len(steps))
    assert counts[0] == counts[1] == 1


@pytest.mark.parametrize(
    "webhook_id", ["", "x" * 65, "a b", "\ud800", "é", "a\0b", "x" * 1_000_000]
)
def test_what_is_no_id_is_not_looked_up(core: Outeract, steps: list[str], webhook_id: str) -> None:
    """It is refused like any other, and neither asked for nor remembered."""
    steps.clear()
    assert core.runtime.by_webhook(webhook_id) is None
    assert steps == []
    assert not core.runtime._strangers


def test_the_memory_of_strangers_is_bounded(core: Outeract) -> None:
    """Ten thousand ids are not ten thousand entries."""
    for n in range(10_000):
        core.runtime.by_webhook(f"stranger-{n}")
    assert len(core.runtime._strangers) <= 4096


def test_an_unknown_account_is_one_row(core: Outeract, steps: list[str]) -> None:
    """Who may deliver names an account that nobody has: one look by the index, and no reading of all."""
    steps.clear()
    assert core.runtime.by_account("pigeon", "nobody-has-this") == []
    assert steps == ["connection_by_account"]
    steps.clear()
    with pytest.raises(NotFound):
        core.runtime.conn(4711)
    assert steps == ["connection_there"]


@pytest.mark.parametrize("account", ["x" * 1_000_000, "\ud800", "a\0b", ""])
def test_what_is_no_account_is_not_looked_up(
    core: Outeract, steps: list[str], account: str
) -> None:
    """It is nobody's, and no error."""
    assert core.runtime.by_account("pigeon", account) == []
    assert "connections" not in steps


def test_the_account_of_another_process_is_found(core: Outeract, tmp_path: Path) -> None:
    """An account that is made, or enabled, elsewhere is known at once, also when it was just missed."""
    assert core.runtime.by_account("pigeon", "A1") == []
    other = Outeract(tmp_path / "bot.db")
    other.register("pigeon", Pigeon)
    other.app("support").connect("pigeon", name="new", token=GOOD, account="A1")
    other.close()
    (found,) = core.runtime.by_account("pigeon", "A1")
    assert found.entity.name == "new"


def test_accounts_are_found_by_an_index(core: Outeract) -> None:
    """No number of connections makes the look at an account a walk over them."""
    plan = core.runtime.database.read(
        lambda tx: tx.dynamic(
            "EXPLAIN QUERY PLAN SELECT id FROM connection WHERE platform = 'p' AND account = 'a'",
            {},
        )
    )
    assert "connection_account" in repr(plan)


def test_what_another_process_makes_is_found(core: Outeract, tmp_path: Path) -> None:
    """An id that the file has learnt elsewhere is known at once; nothing has to be opened again."""
    core.runtime.by_webhook("nobody-has-this")
    other = Outeract(tmp_path / "bot.db")
    other.register("pigeon", Pigeon)
    made = other.app("support").connect("pigeon", name="new", token=GOOD)
    other.close()
    found = core.runtime.by_webhook(made.webhook_id)
    assert found is not None
    assert found.entity.id == made.id


@pytest.mark.parametrize("path", ["/webhooks/nobody/wrong", "/", "/x"])
async def test_the_body_of_a_stranger_is_not_read(core: Outeract, path: str) -> None:
    """404 before a single byte of it, in ASGI and in WSGI."""
    assert await asked(core, path, never) == 404

    class Unread(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

    assert posted(core, path, Unread(), CONTENT_LENGTH="10") == 404


def posted(core: Outeract, path: str, body: io.BytesIO, **more: Any) -> int:
    """The status that WSGI answers with."""
    told: list[str] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "wsgi.input": body, **more}
    core.wsgi(environ, lambda status, _headers: told.append(status))
    return int(told[0].partition(" ")[0])


def opened(core: Outeract) -> str:
    """A path that leads in."""
    return "/webhooks/{}/{}".format(*known(core))


@pytest.mark.parametrize(
    "length", ["-1", "+5", "1e3", "0x10", " 5", "5 ", "1_0", "٣", "five", "5, 5", "9" * 5000, "5;"]
)
async def test_a_length_that_is_none_is_refused(core: Outeract, length: str) -> None:
    """400 before the body, and no error of the program's."""
    headers = [(b"content-length", length.encode("utf-8"))]
    assert await asked(core, opened(core), never, headers) == 400
    assert posted(core, opened(core), io.BytesIO(b"x"), CONTENT_LENGTH=length) == 400


async def test_two_lengths_are_none(core: Outeract) -> None:
    """Who reads the other of them reads another request."""
    headers = [(b"content-length", b"2"), (b"content-length", b"3")]
    assert await asked(core, opened(core), never, headers) == 400


async def test_a_length_beyond_the_limit_is_not_waited_for(core: Outeract) -> None:
    """413 by what is announced."""
    headers = [(b"content-length", str(LIMIT + 1).encode())]
    assert await asked(core, opened(core), never, headers) == 413


@pytest.mark.parametrize("piece", [b"", b"x"])
async def test_pieces_are_counted(
    core: Outeract, monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    """A server that hands over nothing for ever, or byte by byte, comes to an end."""
    monkeypatch.setattr(web, "PIECES", 100)
    given = 0

    async def receive() -> Any:
        nonlocal given
        given += 1
        return {"type": "http.request", "body": piece, "more_body": True}

    assert await asked(core, opened(core), receive) == 400
    assert given == 100

    class Drops(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            return b"x"

    assert posted(core, opened(core), Drops(), CONTENT_LENGTH="900") == 400


async def test_a_body_has_a_time(core: Outeract, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that never ends is given up, and its task with it."""
    monkeypatch.setattr(web, "WITHIN", 0.01)
    given = 0

    async def receive() -> Any:
        nonlocal given
        given += 1
        if given > 1:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert await asked(core, opened(core), receive) == 408
