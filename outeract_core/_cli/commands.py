"""The commands that look: tail, conversations, show, graph, replay.

Knows: how each answer is printed, for people and as JSON.
Does not know: how it is found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice, takewhile
from typing import Any

import anyio

from .. import query
from .._api.app import App
from .._api.outeract import Outeract
from .._domain.values.paths import shown_path
from .._domain.values.sinks import block
from .._store.records.conn import Conn
from ..errors import NotFound
from ..model import Event
from .opening import Progress, applications, one, opened
from .printing import give, quote, say, tell

_PAGE = 100
"""Events that are read at once."""


def tail(options: argparse.Namespace) -> int:
    """The newest events, and those that follow."""
    with opened(options.file) as core:
        apps = applications(core, options.app)
        where = _of_type(options.type)
        seen = {app.key: 0 for app in apps}
        for event in _newest(apps, where, options.n):
            seen[event.position >> 40] = event.position
            _show_event(event, options.json)
        while options.follow:
            time.sleep(0.2)
            if core.runtime.database.changed():
                _show_new(apps, where, seen, options.json)
    return 0


def _of_type(pattern: str) -> Any:
    if pattern == "*":
        return None
    if pattern.endswith(".*"):
        return query.type_prefix(pattern[:-1])
    return query.type_is(pattern)


def _back(app: App, where: Any) -> Iterator[Event]:
    """Event by event, the newest first."""
    after: str | None = None
    while True:
        page = anyio.run(partial(app.events.page, where, first=_PAGE, after=after))
        yield from page.nodes
        if not page.has_next:
            return
        after = page.end_cursor


def _newest(apps: list[App], where: Any, limit: int) -> list[Event]:
    found: list[Event] = []
    for app in apps:
        found += islice(_back(app, where), limit)
    return sorted(found, key=lambda event: (event.created_at, event.position))[-limit:]


def _show_new(apps: list[App], where: Any, seen: dict[int, int], as_json: bool) -> None:
    for app in apps:
        known = seen[app.key]
        fresh = list(takewhile(lambda event: event.position > known, _back(app, where)))  # noqa: B023
        for event in reversed(fresh):
            seen[app.key] = event.position
            _show_event(event, as_json)


def _show_event(event: Event, as_json: bool) -> None:
    if as_json:
        give(_event(event))
        return
    said = " ".join(event.text.split())[:60] or _reason(event)[:120]
    where = event.platform or "-"
    say(f"{event.created_at:%H:%M:%S} {event.id} {where:9} {event.event_type:24} {said}")
    trace = event.payload.get("traceback") if isinstance(event.payload, dict) else None
    if trace:
        tell(block(str(trace)).split("\n"))


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id), "type": event.event_type, "position": event.position,
        "platform": event.platform, "status": event.status, "payload": event.payload,
        "occurred_at": event.occurred_at.isoformat(), "created_at": event.created_at.isoformat(),
    }  # fmt: skip


def recent(options: argparse.Namespace) -> int:
    """The most recently active conversations."""
    with opened(options.file) as core:
        for app in applications(core, options.app):
            page = anyio.run(partial(app.conversations.recent, first=options.n))
            for summary in page.nodes:
                _show_conversation(app, summary, options.json)
    return 0


def _show_conversation(app: App, summary: Any, as_json: bool) -> None:
    peer, last = summary.peer, summary.last_message
    if as_json:
        give({
            "app": app.name, "platform": peer.platform, "peer_id": str(peer.id),
            "name": peer.name, "external_id": peer.external_id, "kind": peer.kind,
            "inbound": summary.inbound, "outbound": summary.outbound, "unread": summary.unread,
            "last_event_id": str(last.id), "last_text": last.text,
            "last_at": last.created_at.isoformat(),
        })  # fmt: skip
        return
    counts = f"{summary.inbound} in, {summary.outbound} out, {summary.unread} unread"
    said = " ".join(last.text.split())[:50]
    say(f"{peer.platform:9} {peer.name or peer.external_id:24.24} {counts:28} {said}")


def show(options: argparse.Namespace) -> int:
    """The whole story of one event."""
    with opened(options.file) as core:
        app = holder(core, options.app, options.event)
        story = anyio.run(app.explain, options.event)
    if options.json:
        give(story.to_json())
    else:
        tell(str(story).split("\n"))
        for trace in _traces(story):
            quote(trace)
    return 0


def _traces(story: Any) -> Iterable[str]:
    """What handlers have raised, each once."""
    payloads = [moment.event.payload for moment in story.moments if moment.event is not None]
    traces = [p["traceback"] for p in payloads if isinstance(p, dict) and p.get("traceback")]
    return dict.fromkeys(traces)


def _reason(event: Event) -> str:
    """Why something went wrong, on one line; of a traceback its last."""
    payload = event.payload if isinstance(event.payload, dict) else {}
    lines = str(payload.get("reason") or payload.get("traceback") or "").strip().splitlines()
    return lines[-1] if lines else ""


def graph(options: argparse.Namespace) -> int:
    """What a node is connected with."""
    with opened(options.file) as core:
        app = holder(core, options.app, options.event)
        walk = partial(app.graph.walk, options.event, direction="both", depth=options.depth)
        found = anyio.run(walk)
        if options.json:
            give(found.to_json())
        else:
            tell((found.to_dot() if options.dot else found.to_mermaid()).splitlines())
    return 0


def holder(core: Outeract, wanted: str | None, node: str) -> App:
    """The application that has this node: the named one, or the first that does."""
    if wanted is not None:
        return one(core, wanted)
    for app in applications(core, None):
        try:
            anyio.run(partial(app.graph.walk, node, depth=0))
        except NotFound:
            continue
        return app
    raise NotFound(f"nothing in {shown_path(core.path)} has the id {node}")


def retry(options: argparse.Namespace) -> int:
    """Let the handlers that have given an event up have it once more, when they run next."""
    with opened(options.file) as core:
        app = holder(core, options.app, options.event)
        names = anyio.run(app.retry, options.event)
    if options.json:
        give({"event": options.event, "handlers": names})
    else:
        say(f"to be run again: {', '.join(names)}")
    return 0


def replay(options: argparse.Namespace) -> int:
    """Parse deliveries again that were not understood."""
    with opened(options.file) as core:
        apps = None if options.app is None else [one(core, options.app)]
        done, left = anyio.run(_replay, core, apps)
    if options.json:
        give({"replayed": done, "left": left})
    else:
        say(f"{done} deliveries understood now, {left} still not")
    return 1 if left else 0


async def _replay(core: Outeract, apps: list[App] | None) -> tuple[int, int]:
    keys = None if apps is None else {app.key for app in apps}
    conns: list[Conn] = [c for c in core.runtime.conns() if keys is None or c.app in keys]
    progress, done, left = Progress("replayed"), 0, 0
    for conn in conns:
        good, bad = await core.replay_connection(conn, lambda n: progress(n))
        done, left = done + good, left + bad
    progress.end()
    return done, left
