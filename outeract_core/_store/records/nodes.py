"""From public ids to node keys and back: always within one application.

Knows: the four tables that hold nodes. Does not know: what a node is used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput, NotFound
from ...model import Event, File, NodeType, PlatformUser, User
from ..engine.statements import statement
from .log import EVENT_KEY

KINDS: Statement[tuple[int, NodeType]] = statement("node_kinds")
_BY_UID: dict[NodeType, Statement[tuple[int]]] = {
    "event": EVENT_KEY,
    "platform_user": statement("puser_key"),
    "user": statement("person_key"),
    "file": statement("file_key"),
}
_TYPE_OF: dict[type, NodeType] = {
    Event: "event",
    PlatformUser: "platform_user",
    User: "user",
    File: "file",
}
ANY: tuple[NodeType, ...] = ("event", "platform_user", "user", "file")


def resolve(
    tx: Tx, app: int, thing: Any, types: tuple[NodeType, ...] = ANY
) -> tuple[int, NodeType]:
    """The key and type of a node given as entity, UUID or text of one.

    Raises NotFound when this application has no such node of these types, whatever others have,
    and BadInput when `thing` is no id at all.
    """
    wanted = uid(thing)
    known = _TYPE_OF.get(type(thing))
    for node_type in types:
        if known in (None, node_type):
            key = _lookup(tx, app, node_type, wanted)
            if key is not None:
                return key, node_type
    raise NotFound(f"no {' or '.join(types)} {wanted} in this application")


def key(tx: Tx, app: int, thing: Any, *types: NodeType) -> int:
    """`resolve` for callers that know the type."""
    return resolve(tx, app, thing, types or ANY)[0]


def kinds(tx: Tx, keys: Sequence[int]) -> dict[int, NodeType]:
    """The node type of each key."""
    return dict(tx.by_keys(KINDS, keys))


def _lookup(tx: Tx, app: int, node_type: NodeType, uid: UUID) -> int | None:
    lo, hi = span(app)
    if node_type == "event":
        row = tx.one(_BY_UID["event"], id=uid.bytes, lo=lo, hi=hi)
    else:
        row = tx.one(_BY_UID[node_type], uid=uid.bytes, lo=lo, hi=hi)
    return None if row is None else row[0]


def uid(thing: Any) -> UUID:
    """The id of an entity, or what was given as one. Raises BadInput."""
    value = getattr(thing, "id", thing)
    if isinstance(value, UUID):
        return value
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise BadInput(f"expected an entity or its id (a UUID), not {thing!r:.80}")
