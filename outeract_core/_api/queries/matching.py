"""Whether a filter can match anything at all: a misspelt name is an error or a warning, no empty page.

Knows: which platforms, connections, event types and edge types there are, built in and in the file.
Does not know: how a filter is answered.

What the library itself names (its event types, the installed platforms, this application's connections)
is known, so that another name is an error. Event and edge types of the host's own may still come: a name
that nothing has yet is told as a warning.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import query as q
from ..._domain.rules.near import near
from ..._io.runtime import Runtime
from ..._store.engine.migrations import EDGE_TYPES
from ..._store.reading.queries import CONNECTIONS_OF, KINDS
from ...driver import Tx
from ...errors import BadInput, NotFound
from ...events import EVENT_TYPES, RESERVED


def check(runtime: Runtime, tx: Tx, app: int, where: q.Filter | None) -> None:
    """Raises BadInput or NotFound for what can match nothing; warns of what has not matched yet."""
    for node in _leaves(where):
        if isinstance(node, q.OnPlatform):
            _platform(runtime, tx, app, node.platform)
        elif isinstance(node, q.OnConnection):
            _connection(tx, app, node.connection)
        elif isinstance(node, q.Type):
            _type(runtime, tx, node)
        elif isinstance(node, q.HasEdge):
            _edge_type(runtime, tx, node.edge_type)


def edge_types(runtime: Runtime, tx: Tx, names: Iterable[str] | None) -> None:
    """Warns of each edge type that nothing has, of those that a walk is to follow."""
    for name in names or ():
        _edge_type(runtime, tx, name)


def _leaves(where: q.Filter | None) -> Iterable[q.Filter]:
    """The single conditions, however deep they stand."""
    found = [] if where is None else [where]
    while found:
        node = found.pop()
        if isinstance(node, q.All | q.Any_):
            found.extend(node.filters)
        elif isinstance(node, q.Not):
            found.append(node.inner)
        else:
            yield node


def _platform(runtime: Runtime, tx: Tx, app: int, name: str) -> None:
    known = {row[2] for row in tx.all(CONNECTIONS_OF, app=app)}
    if name not in known:
        known |= set(runtime.plugins.names())
    if name not in known:
        raise BadInput(
            f"no platform {name!r:.60} is installed or connected{near(str(name), known)}"
        )


def _connection(tx: Tx, app: int, which: Any) -> None:
    rows = tx.all(CONNECTIONS_OF, app=app)
    wanted = getattr(which, "id", which)
    if wanted in {row[3] for row in rows}:
        return
    if getattr(wanted, "bytes", None) in {row[1] for row in rows}:
        return
    hint = near(str(wanted), [row[3] for row in rows])
    raise NotFound(f"no connection {wanted!s:.60} in this application{hint}")


def _type(runtime: Runtime, tx: Tx, node: q.Type) -> None:
    """Each of several names by itself: that one is right hides no other."""
    known = {*EVENT_TYPES, *(name for _number, name in tx.all(KINDS))}
    if "*" not in node.label:
        unknown = [name for name in node.label.split("|") if name and name not in known]
    else:
        unknown = [] if any(map(node.matches, known)) else [node.label]
    for label in unknown:
        wanted = label.strip("*")
        alike = known if "*" not in label else {*known, *_beginnings(known)}
        told = f"no event has a type like {label!r:.60}{near(wanted, alike)}"
        if not label.startswith("*") and wanted.startswith(RESERVED):
            raise BadInput(told)
        runtime.log.warning("queries", told)


def _beginnings(names: Iterable[str]) -> Iterable[str]:
    """`order.` and `order` of `order.created`: what a prefix may have meant."""
    for name in names:
        steps = name.split(".")
        for count in range(1, len(steps)):
            beginning = ".".join(steps[:count])
            yield from (beginning, f"{beginning}.")


def _edge_type(runtime: Runtime, tx: Tx, name: str) -> None:
    if name not in EDGE_TYPES and tx.known_kind(name) is None:
        known = {*EDGE_TYPES, *(name for _number, name in tx.all(KINDS) if "." not in name)}
        runtime.log.warning("queries", f"no edge has the type {name!r:.60}{near(name, known)}")
