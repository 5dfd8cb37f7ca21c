"""What is imported when it is first asked for, so that a program starts quickly.

Knows: which verbs stand in modules of their own. Does not know: what they do, in which thread they are read
(`_io/threads/aside.loaded`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .maintenance.backup import Backup


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
