"""Connections that were refused: whether their secrets lead to something else by now.

Knows: a keyed digest of what was used last, and of what would be used now; that the config in the file may name
other secrets, too. Does not know: who refused, what follows from it.

Nothing is looked at while nobody was refused. The digest's key is this process's, and dies with it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field

from ..._domain.values.classes import define, frozen
from ..._store.records.conn import Conn
from ..._store.writing import tenants
from ...driver import Tx
from ...errors import MissingSecret, OuteractError
from ...tenancy import PlatformConnection
from ..threads.aside import aside
from .configs import Texts

EVERY = 2.0
"""Seconds between two looks while somebody is refused."""
_LONGEST = 300_000
"""Milliseconds after which a change is believed again, however many there were that did not help."""


@define
class _Seen:
    """What was used when it was refused; how many changes did not help, and until when none is believed."""

    digest: bytes
    vain: int = 0
    until: int = 0


@frozen
class Mended:
    """`names`: which config values of a platform are secrets. `steady`: a clock for intervals (ms).

    A source may make a new secret each time that it is asked. So a change that did not help is one that the
    next has to wait for, longer each time.
    """

    texts: Texts = field(repr=False)
    names: Callable[[str], Iterable[str]] = field(repr=False)
    steady: Callable[[], int] = field(repr=False)
    _seen: dict[int, _Seen] = field(factory=dict)
    _key: bytes = field(factory=lambda: secrets.token_bytes(32), repr=False)

    def changed(self, tx: Tx, refused: Mapping[int, Conn]) -> list[int]:
        """Of these connections those that would use other secrets now than they have used last."""
        for gone in self._seen.keys() - refused.keys():
            del self._seen[gone]
        return [number for number, conn in refused.items() if self._is_changed(tx, conn)]

    def _is_changed(self, tx: Tx, conn: Conn) -> bool:
        now = tenants.as_it_stands(tx, conn)
        if now is not None and now.entity.config != conn.entity.config:
            return True
        seen = self._seen.get(conn.id)
        if seen is None:
            seen = self._seen[conn.id] = _Seen(self._digest(conn.entity, self._used))
        new = self._digest(conn.entity, self._now)
        if secrets.compare_digest(seen.digest, new) or self.steady() < seen.until:
            return False
        pause = min(int(EVERY * 1000) << seen.vain, _LONGEST)
        self._seen[conn.id] = _Seen(new, min(seen.vain + 1, 10), self.steady() + pause)
        return True

    def _digest(
        self, entity: PlatformConnection, value: Callable[[PlatformConnection, str], str | None]
    ) -> bytes:
        digest = hashlib.blake2b(key=self._key)
        for name in self._named(entity):
            secret = value(entity, name)
            piece = b"" if secret is None else secret.encode("utf-8", "surrogatepass")
            known = hashlib.blake2b(piece, key=self._key).digest()
            digest.update(b"-" if secret is None else b"+" + known)
        return digest.digest()

    def _named(self, entity: PlatformConnection) -> list[str]:
        try:
            return sorted(name for name in self.names(entity.platform) if entity.config.get(name))
        except OuteractError:  # its adapter is not here
            return []

    def _used(self, entity: PlatformConnection, name: str) -> str | None:
        return self.texts.used(entity, name, lambda: self._now(entity, name))

    def _now(self, entity: PlatformConnection, name: str) -> str | None:
        try:
            return self.texts.value(entity, name)
        except MissingSecret:
            return None


async def look(runtime: Any) -> None:
    """Connections that wait for other credentials, and have some by now, are tried at once."""
    refused = {number: runtime.conn(number) for number in runtime.rests.refused()}
    if not refused:
        return
    found = await aside(
        lambda: runtime.database.read(lambda tx: runtime.mended.changed(tx, refused))
    )
    if found:
        runtime.reload()
    for number in found:
        named = f"{refused[number].platform}/{refused[number].entity.name}"
        runtime.log.info("secrets", f"connection {named} has other credentials: tried at once")
        runtime.try_at_once(number)
