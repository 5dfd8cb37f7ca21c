"""What was not understood is kept: the whole request, or one item of it, and nothing that must not lie there.

Knows: which headers are kept, that link codes are not, how each kind of keeping is told apart by its digest.
Does not know: why it was not understood, when it is read again (`receiver.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from .._domain.rules.link_code import find_codes, strike
from .._domain.values.codec import clean, encode
from .._domain.values.ids import to_ms
from .._store.records.conn import Conn
from .._store.writing import raw_deliveries
from .._store.writing.bulk import Item
from ..adapter import Inbound
from ..driver import Tx
from ..events import Unparsed
from .reading import Read
from .routing import tellable

ITEM = "ITEM"
"""The method of what was kept of a body of several owners: one item, as the adapter's `reread` takes it."""
_PRIVATE = ("signature", "token", "secret", "authorization", "cookie")


def keep(tx: Tx, conn: Conn, inbound: Inbound, state: str, error: str | None) -> None:
    """A verified request, whole."""
    headers = {
        name: value
        for name, value in inbound.headers.items()
        if not any(word in name for word in _PRIVATE)
    }
    digest = hashlib.sha256(inbound.method.encode() + b"\0" + inbound.body).digest()
    _written(
        tx, conn, inbound.method, encode(headers), encode(dict(inbound.query)),
        inbound.body, to_ms(inbound.received_at), state, error, digest,
    )  # fmt: skip


def keep_item(tx: Tx, conn: Conn, item: Unparsed) -> None:
    """What a poll has brought."""
    raw = tellable(item.raw)
    digest = hashlib.sha256(b"POLL\0" + raw).digest()
    headers = '{"content-type":"application/json"}'
    error = clean(str(item.error))
    _written(tx, conn, "POST", headers, "{}", raw, tx.now, "unparsed", error, digest)


def keep_apart(tx: Tx, read: Read, held: Sequence[tuple[Conn, Item]], at: int) -> None:
    """Each item of a body of several owners with its own; nothing of it with anybody else."""
    for conn, unparsed in read.unparsed:
        _keep_alone(tx, conn, unparsed.raw, at, "unparsed", clean(str(unparsed.error)))
    for conn, item in held:
        _keep_alone(tx, conn, item.fact.raw, at, "held", None)


def _keep_alone(tx: Tx, conn: Conn, raw: object, at: int, state: str, error: str | None) -> None:
    body = tellable(raw)
    digest = hashlib.sha256(ITEM.encode() + b"\0" + body).digest()
    headers = '{"content-type":"application/json"}'
    _written(tx, conn, ITEM, headers, "{}", body, at, state, error, digest)


def _written(
    tx: Tx, conn: Conn, method: str, headers: str, query: str, body: bytes, at: int,
    state: str, error: str | None, digest: bytes,
) -> None:  # fmt: skip
    """Keep a delivery; a link code is neither in its body nor in the reason."""
    why = None if error is None else _without_codes(conn, error.encode()).decode()
    raw_deliveries.keep(
        tx, conn, method, headers, query, _without_codes(conn, body), at, state, why, digest
    )


def _without_codes(conn: Conn, body: bytes) -> bytes:
    """What is kept of a body: link codes are not."""
    if not conn.finds_codes:
        return body
    text = body.decode("latin-1")
    codes = find_codes(text)
    return strike(text, codes).replace("•", "*").encode("latin-1") if codes else body
