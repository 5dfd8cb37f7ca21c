"""The blocking façade has the same verbs, for code without an event loop."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from outeract_core.blocking import Outeract
from outeract_core.errors import StoreClosed
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.bots import Terminal
from tests.support.stepped import Stepwise


def test_a_script_sends_and_reads_back(tmp_path: Path) -> None:
    """connect, send, pump, wait, read: each waits for its result."""
    terminal = Terminal()
    with Outeract(tmp_path / "a.db", console=terminal) as core:
        app = core.app("script")
        app.connect("console")
        delivery = app.send(("console", "ann"), "hello", key="once")
        core.pump()
        assert delivery.wait("sent").status == "sent"
        peer = app.people.by_external_id("console", "ann")
        conversation = app.conversations.of(peer)
        assert [event.text for event in conversation.page().nodes] == ["hello"]
        assert [event.text for event in conversation.all()] == ["hello"]
        assert app.events.count(type_is("message.outbound")) == 1
        assert app.graph.neighbours(delivery.id).events
        assert app.explain(delivery.id).event.text == "hello"
    assert terminal.texts == ["hello"]


def test_handlers_and_ingest_work_without_a_loop(tmp_path: Path) -> None:
    """A webhook handed over from any thread is committed, handled by `pump`, and answered."""
    terminal = Terminal()
    with Outeract(tmp_path / "a.db", console=terminal, clock=ManualClock()) as core:
        app = core.app("script")
        where = app.connect("console")
        app.on("message.inbound")(lambda message: f"re {message.text}")

        def deliver(number: int) -> None:
            body = f'{{"user":"u{number}","text":"{number}","n":{number}}}'.encode()
            answer = core.ingest(where.webhook_id, where.webhook_secret, body=body)
            assert answer.status == 200

        threads = [threading.Thread(target=deliver, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pumped = core.pump()
        assert pumped.handled == 8
    assert sorted(terminal.texts) == [f"re {number}" for number in range(8)]


OURS = {
    "Outeract": {"replay_connection", "runtime", "until_told"},
    "App": {
        "cause", "commit", "events_at", "handlers", "in_turn", "key",
        "mark_events", "new_id", "on_processed", "opened", "reaction", "runtime", "sender_of",
        "standing_of", "tenant", "typing_now",
    },
    "Organisation": set(),
    "Delivery": {"wait_at_work"},
}  # fmt: skip
"""What the parts of the library need of each other."""
LOOPED = {"Outeract": {"aclose": "close", "run": "serve", "asgi": "wsgi"}}
"""What has another name where there is no loop."""


def test_what_is_public_is_so_in_both(tmp_path: Path) -> None:
    """Every verb, property and attribute that a program sees has its twin, whatever holds it."""
    with Outeract(tmp_path / "a.db", console=Terminal()) as core:
        app = core.app("script")
        app.connect("console")
        delivery = app.send(("console", "ann"), "hello")
        inner = core._inner.organisation("default")
        pairs = [
            (core._inner, core), (app._inner, app), (inner, core.organisation("default")),
            (delivery._inner, delivery),
        ]  # fmt: skip
        for asynchronous, blocking in pairs:
            name = type(asynchronous).__name__
            theirs, renamed = _public(asynchronous), LOOPED.get(name, {})
            assert OURS[name] | set(renamed) <= theirs, "these are gone"
            wanted = {renamed.get(one, one) for one in theirs - OURS[name]}
            assert wanted - _public(blocking) == set(), name
        assert set(OURS) == {type(asynchronous).__name__ for asynchronous, _ in pairs}


def _public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_what_is_told_of_a_store_is_the_same_in_both(tmp_path: Path) -> None:
    """Its path, its platforms, its organisations, what an application is called and how it is set."""
    with Outeract(tmp_path / "a.db") as core:
        app = core.organisation("acme").app("script", overlap="queue")
        assert core.path == str(tmp_path / "a.db")
        core.register("own", Stepwise)
        assert "own" in core.platforms()
        assert (app.organisation, app.name, app.entity.id) == ("acme", "script", app.id)
        assert app.config["overlap"] == "queue"
        connection = app.connect("console")
        assert core.reparse(connection).read == 0


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """After `close`, which may be called twice, every call is refused with a clear error."""
    core = Outeract(tmp_path / "a.db")
    app = core.app("script")
    core.close()
    core.close()
    with pytest.raises(StoreClosed):
        app.events.count()


def test_an_application_keeps_its_store_open(tmp_path: Path) -> None:
    """Also when nothing else of it is kept."""
    app = Outeract(tmp_path / "a.db").app("support")
    gc.collect()
    assert app.events.count() == 0
