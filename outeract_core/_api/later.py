"""What is imported when it is first asked for, so that a program starts quickly.

Knows: which verbs stand in modules of their own. Does not know: what they do, in which thread they are read
(`_io/threads/aside.loaded`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._outbound.compose import Options
    from .._outbound.handle import Delivery
    from .._outbound.preview import Prospect
    from .doing.checking import Check
    from .doing.emitting import Emitting
    from .doing.recovery import Recovery
    from .maintenance.backup import Backup
    from .maintenance.rereading import Reparsed
    from .maintenance.retention import Retention
    from .queries.conversations import Conversations
    from .queries.events import Events
    from .queries.files import Files
    from .queries.graph import Graph
    from .queries.people import People


def recovering() -> type[Recovery]:
    """What `App.resend`, `App.deliveries` and `App.turns` have done."""
    from .doing.recovery import Recovery

    return Recovery


def checking() -> Callable[..., Awaitable[list[Check]]]:
    """`Outeract.check`."""
    from .doing.checking import of_apps

    return of_apps


def checking_one() -> Callable[..., Awaitable[Check]]:
    """`App.check`."""
    from .doing.checking import of_one

    return of_one


def reparsing() -> Callable[..., Awaitable[Reparsed]]:
    """`Outeract.reparse`."""
    from .maintenance.rereading import reparse

    return reparse


def saying() -> tuple[Callable[..., Awaitable[Delivery]], type[Options]]:
    """`App.send`, and its options."""
    from .._outbound.compose import Options
    from .doing.saying import say

    return say, Options


def asking() -> Callable[..., Awaitable[Prospect]]:
    """`App.can`."""
    from .doing.saying import may

    return may


def emitting() -> type[Emitting]:
    """What `App.emit`, `App.event_schema` and `App.edge` have done."""
    from .doing.emitting import Emitting

    return Emitting


def events() -> Callable[[Any], Events]:
    """`App.events`."""
    from .queries.events import Events

    return lambda app: Events(app.tenant, app.runtime)


def conversations() -> Callable[[Any], Conversations]:
    """`App.conversations`."""
    from .queries.conversations import Conversations

    return lambda app: Conversations(app.tenant, app.runtime)


def graph() -> Callable[[Any], Graph]:
    """`App.graph`."""
    from .queries.graph import Graph

    return lambda app: Graph(app.tenant, app.runtime)


def people() -> Callable[[Any], People]:
    """`App.people`."""
    from .queries.people import People

    return lambda app: People(app.tenant, app.runtime)


def files() -> Callable[[Any], Files]:
    """`App.files`."""
    from .queries.files import Files

    return lambda app: Files(app.tenant, app.runtime)


def retention() -> Callable[[Any], Retention]:
    """`App.retention`."""
    from .maintenance.retention import Retention

    return lambda app: Retention(app.tenant, app.runtime, app.handlers)


def importing() -> Any:
    """`Outeract.import_app`."""
    from .maintenance.importing import import_app

    return import_app


def exporting() -> Any:
    """`App.export`."""
    from .maintenance.export import export

    return export


def copying() -> Callable[..., Awaitable[Backup]]:
    """`Outeract.backup`."""
    from .maintenance.backup import backup

    return backup


def searching() -> Any:
    """`App.search`."""
    from .queries.search import search

    return search
