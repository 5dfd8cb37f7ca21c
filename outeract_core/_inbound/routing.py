"""Whose an item of a request is: the account that it names, over all applications of the file.

Knows: that a connection answers only for what its own secret verifies; what nobody owns.
Does not know: how an account stands in a body (adapters), what is done with the item.
"""

from __future__ import annotations

import hashlib

from attrs import Factory

from .._domain.rules.guard import guarded
from .._domain.values.classes import define, frozen
from .._domain.values.codec import encode
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from ..adapter import Inbound, Manifest
from ..errors import SignatureError


@frozen
class Nobody:
    """Why an item belongs to no connection of this file."""

    reason: str


@frozen
class Foreign:
    """All that is left of an item that nobody owns: its SHA-256 and the reason."""

    digest: bytes
    reason: str


@define
class Routing:
    """One request that came to the URL of `conn`; `inbound` None: it was polled, or kept before."""

    runtime: Runtime
    conn: Conn
    inbound: Inbound | None = None
    _found: dict[str, Conn | Nobody] = Factory(dict)

    def owner(self, account: str | None) -> Conn | Nobody:
        """The connection of this account. Raises what kept the only one that it may be from checking."""
        if account is None or self.conn.entity.account in (None, account):
            return self.conn
        if account not in self._found:
            self._found[account] = self._look(account)
        return self._found[account]

    def _look(self, account: str) -> Conn | Nobody:
        """Specification, section 7: only to a connection whose own secret verifies the body."""
        if self.inbound is None:
            return Nobody(f"it is of the account {account!a:.60}")
        unable: Exception | None = None
        others = self._named(account)
        for other in others:
            try:
                with guarded:
                    self.runtime.adapter(other).verify(self.inbound)
            except SignatureError:
                continue
            except Exception as error:  # another may verify it; if none does, it is delivered again
                unable = error
            else:
                return other
        if unable is not None:
            raise unable
        if others:
            return Nobody(
                f"the connection of the account {account!a:.60} does not verify it by its own secret"
            )
        return Nobody(f"no connection of this file has the account {account!a:.60}")

    def _named(self, account: str) -> list[Conn]:
        """Connections of this account, those of the same application first."""
        found = self.runtime.by_account(self.conn.platform, account)
        return sorted(found, key=lambda other: other.app != self.conn.app)


def sharing(runtime: Runtime, conn: Conn, manifest: Manifest) -> list[Conn]:
    """Those who may be delivered to at the address of `conn`, and have a secret of their own."""
    if manifest.webhook != "shared":
        return []
    others = (other for other in runtime.conns() if other.platform == conn.platform)
    return [other for other in others if other is not conn and not other.disabled]


def foreign(raw: object, nobody: Nobody) -> Foreign:
    """What may be kept of it."""
    return Foreign(hashlib.sha256(tellable(raw)).digest(), nobody.reason)


def tellable(raw: object) -> bytes:
    """A raw item as it can be kept: its JSON, or how Python writes it."""
    if isinstance(raw, bytes):
        return raw
    try:
        return encode(raw).encode()
    except (ValueError, TypeError, RecursionError):
        return f"{raw!r:.10000}".encode("utf-8", "backslashreplace")
