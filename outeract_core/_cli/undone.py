"""The commands that list what came to nothing: deliveries, turns.

Knows: how it is printed, one a line, or counted. Does not know: how it is found, or mended (`again.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import anyio

from .._api.app import App
from .._api.outeract import Outeract
from .._store.reading.undelivered import Undelivered
from .._store.reading.unhandled import Unhandled
from ..errors import BadInput, NotFound
from .opening import applications, moment, one_connection, opened
from .printing import give, say

_PAGE = 1000


def deliveries(options: argparse.Namespace) -> int:
    """Messages that have failed, or of which nobody knows; the newest first."""
    return _told(options, _undelivered, App.delivery_counts, _message)


def turns(options: argparse.Namespace) -> int:
    """Turns that handlers gave up, or that are run again; the newest first."""
    return _told(options, _unhandled, App.turn_counts, _turn)


def _told(
    options: argparse.Namespace, find: Callable[..., Any], count: Callable[..., Any],
    line: Callable[[App, Any], dict[str, Any]],
) -> int:  # fmt: skip
    """Each application's own: what is listed, or (`--count`) how many there are of each kind."""
    every, times = _every(options.every), _times(options)
    with opened(options.file) as core:
        for app, limits in _places(core, options):
            if options.count:
                found = anyio.run(partial(count, app, every=every, **limits, **times))
                for one in filter(partial(_is_meant, options), found):
                    _show(_counted(app, one), as_json=options.json)
                continue
            for one in anyio.run(find, app, options, {**limits, **times}):
                _show(line(app, one), as_json=options.json)
    return 0


def _is_meant(options: argparse.Namespace, one: Any) -> bool:
    """Whether a count is of the status and the handler that were asked for."""
    return options.status in (None, one.status) and _handler(options) in (
        None,
        getattr(one, "handler", None),
    )


def _handler(options: argparse.Namespace) -> str | None:
    named: str | None = getattr(options, "handler", None)
    return named


def _places(core: Outeract, options: argparse.Namespace) -> list[tuple[App, dict[str, Any]]]:
    """The applications that are meant, and the connection when one is named."""
    apps = _with_handler(applications(core, options.app), _handler(options))
    if options.connection is None:
        return [(app, {}) for app in apps]
    conn = one_connection(core, options.connection, {app.key for app in apps})
    return [(app, {"connection": conn.entity}) for app in apps if app.key == conn.app]


def _with_handler(apps: list[App], name: str | None) -> list[App]:
    """Those that know the handler. Raises NotFound when none does."""
    found, unknown = [], None
    for app in apps:
        try:
            if name is not None:
                anyio.run(partial(app.turns, handler=name, first=1))
            found.append(app)
        except NotFound as error:
            unknown = error
    if unknown is not None and not found:
        raise unknown
    return found


def _times(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "since": moment(options.since, "--since"), "until": moment(options.until, "--until"),
    }  # fmt: skip


def _every(hours: float) -> timedelta:
    try:
        if not hours * 3600 >= 1:
            raise ValueError(hours)
        return timedelta(hours=hours)
    except (ValueError, OverflowError):
        raise BadInput(f"--every is a number of hours, a second or more, not {hours}") from None


async def _undelivered(app: App, options: Any, limits: dict[str, Any]) -> list[Undelivered]:
    found: list[Undelivered] = []
    while len(found) < options.n:
        page = await app.deliveries(
            options.status, first=min(_PAGE, options.n - len(found)),
            before=found[-1].event if found else None, **limits,
        )  # fmt: skip
        if not page:
            break
        found += page
    return found


async def _unhandled(app: App, options: Any, limits: dict[str, Any]) -> list[Unhandled]:
    found: list[Unhandled] = []
    while len(found) < options.n:
        page = await app.turns(
            options.status, handler=options.handler, first=min(_PAGE, options.n - len(found)),
            before=found[-1].cursor if found else None, **limits,
        )  # fmt: skip
        if not page:
            break
        found += page
    return found


def _message(app: App, one: Undelivered) -> dict[str, Any]:
    return {
        "app": app.name, "at": one.at.isoformat(), "event": str(one.event.id),
        "status": one.status, "connection": _where(one.connection), "class": one.failure,
        "code": one.code, "reason": one.reason,
    }  # fmt: skip


def _turn(app: App, one: Unhandled) -> dict[str, Any]:
    return {
        "app": app.name, "at": one.at.isoformat(), "event": str(one.event.id),
        "status": one.status, "connection": _where(one.connection), "handler": one.handler,
        "class": one.failure, "reason": one.reason, "attempts": one.attempts,
        "due": None if one.due is None else one.due.isoformat(),
    }  # fmt: skip


def _counted(app: App, one: Any) -> dict[str, Any]:
    handler = {"handler": one.handler, "reason": one.reason} if hasattr(one, "handler") else {}
    return {
        "app": app.name, "start": one.start.isoformat(), "count": one.count, "status": one.status,
        "connection": _where(one.connection), **handler, "class": one.failure,
    }  # fmt: skip


def _where(connection: Any) -> str | None:
    return None if connection is None else f"{connection.platform}/{connection.name}"


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    give(found) if as_json else say(" ".join(_columns(found)))


def _columns(found: dict[str, Any]) -> Sequence[str]:
    """What a person reads: the time first, what is not there as a dash, the words last."""
    at = (found.get("at") or found["start"])[:19].replace("T", " ")
    again = found.get("due") and f"attempt {found['attempts']}, again {found['due'][:19]}"
    shown = [
        at, *([f"{found['count']:6}"] if "count" in found else [found["event"]]),
        f"{found['status']:8}", f"{found['connection'] or '-':20}",
        *([f"{found['handler']:16}"] if "handler" in found else []),
        str(found["class"] or (found.get("reason") if "handler" in found else None) or "-"),
    ]  # fmt: skip
    words = again if "handler" in found else found.get("reason")
    return [*shown, *([" ".join(str(words).split())[:100]] if words else [])]
