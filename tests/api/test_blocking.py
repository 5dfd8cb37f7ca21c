"""The blocking façade has the same verbs, for code without an event loop."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from outeract_core._api import app
from outeract_core.blocking import App, Outeract
from outeract_core.errors import StoreClosed
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.bots import Terminal


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


def test_every_verb_of_the_application_is_there() -> None:
    """No public verb of `App` is missing from the blocking one."""
    internal = {
        "commit", "entity", "events_at", "handlers", "id", "in_turn", "key", "mark_events",
        "cause", "deleting", "editing", "new_id", "on_processed", "organisation", "reaction", "runtime", "sender_of", "standing_of", "tenant",
        "typing_now", "config",
    }  # fmt: skip
    asynchronous = {name for name in dir(app.App) if not name.startswith("_")}
    assert asynchronous - internal <= {name for name in dir(App) if not name.startswith("_")}


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
