"""The part of `App` that connects accounts of platforms.

Knows: in which order config is checked, stored and its secrets are kept.
Does not know: what a secret may be (`_io/secrets`), what a connection is for.
"""

from __future__ import annotations

from typing import Any

from .._domain.rules.tenant_names import check_text
from .._io.runtime import Runtime
from .._io.secrets.configs import checked, marks_of
from .._store.engine.sqlite import Connection
from .._store.records.conn import Conn
from .._store.transfer import spelling
from .._store.writing import tenants
from ..model import PlatformConnection


class Connecting:
    """The connections of an application; `App` supplies what they need."""

    runtime: Runtime
    key: int
    organisation: str
    name: Any

    def connect(
        self, platform: str, *, name: str | None = None, account: str | None = None, **config: Any
    ) -> PlatformConnection:
        """Connect an account of a platform; the same (platform, name) is the same connection.

        `name` tells several of one platform apart. `account`: the platform's id of the account,
        where one webhook serves several. `config`: what the adapter's manifest lists; a secret is a
        `Secret`, text that names one (`env:NAME`, `file:/path`; see `references` of `Outeract`), or
        its text, which is then held in memory only.
        Raises UnknownPlatform, and BadInput, also when another connection of the file has this account.
        """
        manifest = self.runtime.plugins.load(platform).manifest
        name = check_text("a connection", name or platform)
        given = checked(manifest, config, self.runtime.secrets)
        account = account or given.config.get(manifest.account_key or "")
        marks = marks_of(manifest, account, given, self.runtime.secrets)

        def unit(tx: Connection) -> Conn:
            conn = tenants.connect(
                tx, self.key, self.organisation, self.name, platform, name, account, given.config
            )
            return tenants.hold(tx, conn, marks, account)

        conn = self.runtime.database.write_now(unit)
        self.runtime.texts.give(conn.entity.id, given.texts)
        self.runtime.add(conn)
        self._respell(conn)
        return conn.entity

    def _respell(self, conn: Conn) -> None:
        """Once for each connection: names that an older version has stored come into one form."""
        normalise = getattr(self.runtime.adapter(conn), "normalise", None)
        database = self.runtime.database
        if normalise is None or database.read(lambda tx: spelling.is_done(tx, conn)):
            return
        database.write_now(lambda tx: spelling.respell(tx, conn, normalise))

    def connections(self) -> list[PlatformConnection]:
        """The connections of this application."""
        self.runtime.database.here()
        return [conn.entity for conn in self.runtime.conns(self.key)]
