"""What the library itself does in the commit of a new message: answer a press, mark as read, link.

Knows: the application's config, what the adapter can do.
Does not know: handlers.
"""

from __future__ import annotations

from ._codec import encode
from ._runtime import Runtime
from ._store import delivery, sending
from ._store.ingest import Item, Reaction
from ._store.tenants import Conn
from .driver import Tx

_ANSWER_WITHIN = 600_000


def reactions_of(runtime: Runtime, conn: Conn) -> tuple[Reaction, ...]:
    """The reactions that this connection's config and adapter ask for."""
    adapter, found = runtime.adapter(conn), []
    if hasattr(adapter, "answer"):
        found.append(Reaction(frozenset({"message.action"}), _answer))
    if conn.app_config["auto_mark_read"] == "on_received":
        tell = hasattr(adapter, "mark_read")

        def read(tx: Tx, conn: Conn, event: int, item: Item, peer: int) -> None:
            if peer and not item.fact.echo:
                sending.read(tx, conn, peer, event, tell=tell)

        found.append(Reaction(frozenset({"message.inbound"}), read))
    return tuple(found)


def _answer(tx: Tx, conn: Conn, _event: int, item: Item, peer: int) -> None:
    """A button spins until the platform is told that the press has arrived."""
    job = delivery.Job(
        "answer", peer or conn.system_puser, encode({"action": item.fact.payload}),
        expires=tx.now + _ANSWER_WITHIN,
    )  # fmt: skip
    delivery.queue(tx, conn, job)
