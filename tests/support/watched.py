"""A program that calls the verbs of an opened file in an event loop, and prints which modules were read in the loop.

Knows: Python's import system, in which thread a module is looked for. Does not know: what any verb does.

    python -m tests.support.watched BACKEND FOLDER
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

from outeract_core import Event, Outeract
from outeract_core.errors import OuteractError

SCHEMA = {
    "type": "object",
    "properties": {"for": {"type": "string", "pattern": "^[a-z ]+$", "format": "date"}},
    "additionalProperties": False,
}


class Watch:
    """A finder that finds nothing. `found`: (verb, module) read by this thread while it is `on`."""

    def __init__(self) -> None:
        self.here, self.on, self.verb = threading.get_ident(), False, ""
        self.found: list[tuple[str, str]] = []

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        """Called for each module that is not there yet."""
        if self.on and threading.get_ident() == self.here:
            self.found.append((self.verb, name))


def verbs(
    core: Outeract, folder: Path, serving: list[anyio.CancelScope]
) -> dict[str, Callable[[], Awaitable[Any]]]:
    """What a host calls, in an order in which each finds something; the application hears, says, looks and keeps."""
    app, conn = core.app("support"), core.app("support").connections()[0]
    body = json.dumps({"user": "ann", "text": "hi", "n": 1}).encode()
    seen: list[Event] = []

    async def every() -> None:
        seen.extend([event async for event in app.events.all()])

    async def talk() -> None:
        found = await app.conversations.of(seen[0])
        await found.page(), await found.context(), await found.analytics()

    async def served() -> None:
        with anyio.CancelScope() as scope:
            serving.append(scope)
            await app.emit("order.made", {})
            await core.serve()

    return {
        "send": lambda: app.send((conn, "ann"), "hello"),
        "ingest": lambda: core.ingest(conn.webhook_id, conn.webhook_secret, body=body),
        "events.all": every,
        "graph": lambda: app.graph.walk(seen[0]),
        "people": lambda: app.people.by_external_id(conn, "ann"),
        "conversations": lambda: app.conversations.recent(),
        "conversation": talk,
        "files": lambda: app.files.of(seen[0]),
        "retention": lambda: app.retention.rules(),
        "can": lambda: app.can((conn, "ann"), "hello"),
        "emit": lambda: app.emit("order.placed", {}),
        "event_schema": lambda: app.event_schema("order.sold", SCHEMA),
        "emit by a schema": lambda: app.emit("order.sold", {"for": "two words"}),
        "edge": lambda: app.edge(seen[0], "placed_by", seen[1]),
        "edit": lambda: app.edit(seen[0], "hello"),
        "can_delete": lambda: app.can_delete(seen[0]),
        "mark_read": lambda: app.mark_read(seen[-1]),
        "explain": lambda: app.explain(seen[0]),
        "search": lambda: app.search("hi"),
        "deliveries": lambda: app.deliveries(),
        "check": lambda: core.check(),
        "replay": lambda: core.replay(),
        "reparse": lambda: core.reparse(conn),
        "pump": lambda: core.pump(),
        "drain": lambda: core.drain(0),
        "export": lambda: app.export(folder / "export.jsonl"),
        "backup": lambda: core.backup(folder / "copy.db"),
        "serve": served,
        "close": core.aclose,
    }


async def main(
    core: Outeract, watch: Watch, folder: Path, serving: list[anyio.CancelScope]
) -> None:
    """Each of them once."""
    for verb, call in verbs(core, folder, serving).items():
        watch.verb, watch.on = verb, True
        try:
            await call()
        except OuteractError:  # a console has no edit, and its verb was read all the same
            continue
        finally:
            watch.on = False


if __name__ == "__main__":
    backend, place = sys.argv[1], Path(sys.argv[2])
    importlib.import_module(f"anyio._backends._{backend}")
    opened = Outeract(place / "a.db", console=lambda _message: {})
    support = opened.app("support")
    support.connect("console")

    @support.on("message.inbound")
    async def answer(message: Any) -> str:
        """What is said in a turn is read, too."""
        await support.emit("order.heard", {})
        await support.conversations.recent()
        message.typing()
        return f"You said: {message.text}"

    serves: list[anyio.CancelScope] = []

    @support.on("order.made")
    async def last(_message: Any) -> None:
        """Serving ends with this."""
        for scope in serves:
            scope.cancel()

    watching = Watch()
    sys.meta_path.insert(0, watching)
    anyio.run(main, opened, watching, place, serves, backend=backend)
    sys.stdout.write(json.dumps(watching.found))
