"""Whether a request may come in at the address that it came to.

Knows: that the secret in it follows from the key and a version, that another process may change that.
Does not know: which connection an id names (`_io/runtime.py`), what is in the request.
"""

from __future__ import annotations

import hashlib
import hmac

from attrs import field

from .._domain.values.classes import define
from .._io.runtime import Runtime
from .._io.secrets.key import Key
from .._store.records.conn import Conn
from .._store.records.doors import Door, door

_TRUSTED = 1_000
"""Milliseconds after which a door is looked at anew: so long an address outlives its end elsewhere."""
_NOBODY = "-" * 16
"""In place of an id that nobody has, so that it takes as long."""
_UNKNOWN = (0, None, b"")


@define(eq=False)
class Doors:
    """The addresses of one open file."""

    runtime: Runtime
    _seen: dict[int, tuple[int, Door | None]] = field(factory=dict)
    _newest: dict[int, tuple[int, Key, bytes]] = field(factory=dict)
    """Until when a connection's newest address is known, by which key, and the secret in it: nearly all
    come there."""

    def __attrs_post_init__(self) -> None:
        self.runtime.on_changed(self._changed)

    def opens(self, conn: Conn | None, secret: str) -> bool:
        """Whether the secret is that of this connection's address. Raises MissingSecret."""
        given = secret.encode("utf-8", "surrogatepass")
        if conn is None:
            self._is(given, _NOBODY, 1)
            return False
        until, key, newest = self._newest.get(conn.id, _UNKNOWN)
        known = key is self.runtime.key and self.runtime.steady() < until
        return (known and hmac.compare_digest(given, newest)) or self._is_open(conn, given)

    def _is_open(self, conn: Conn, given: bytes) -> bool:
        """The same by looking at the versions that are taken now."""
        found, now = self._door(conn), self.runtime.now()
        if found is None:
            return False
        if found.old is not None and found.takes_old(now):
            old = hashlib.sha256(given).hexdigest()
            if hmac.compare_digest(found.old, old):
                return True
        webhook_id = conn.entity.webhook_id
        return any(self._is(given, webhook_id, version) for version in found.versions(now))

    def _changed(self, conn: int) -> None:
        self._seen.pop(conn, None)
        self._newest.pop(conn, None)

    def _is(self, given: bytes, webhook_id: str, version: int) -> bool:
        return hmac.compare_digest(given, self.runtime.key.webhook(webhook_id, version).encode())

    def _door(self, conn: Conn) -> Door | None:
        seen, now = self._seen.get(conn.id), self.runtime.steady()
        if seen is not None and now - seen[0] < _TRUSTED:
            return seen[1]
        found = self.runtime.database.read(lambda tx: door(tx, conn.id))
        self._seen[conn.id] = (now, found)
        if found is not None:
            key = self.runtime.key
            newest = key.webhook(conn.entity.webhook_id, found.version)
            self._newest[conn.id] = (now + _TRUSTED, key, newest.encode())
        if found is not None and found.version != conn.entity.webhook_version:
            self.runtime.reload()
        return found
