"""The part of `App` that connects accounts of platforms.

Knows: in which order config is checked, stored and its secrets are kept.
Does not know: what a secret may be (`_io/secrets`), what a connection is for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .._domain.rules.tenant_names import check_text
from .._io.connections import connection as found
from .._io.runtime import Runtime
from .._io.secrets.configs import checked, marks_of
from .._store.records import doors
from .._store.records.conn import Conn
from .._store.writing import tenants
from ..driver import Tx
from ..errors import BadInput
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
        told = None if account is None else str(account).strip()
        account = told or given.config.get(manifest.account_key or "")
        marks = marks_of(manifest, account, given, self.runtime.secrets)

        def unit(tx: Tx) -> Conn:
            conn = tenants.connect(
                tx, self.key, self.organisation, self.name, platform, name, account, given.config
            )
            return tenants.hold(tx, conn, marks, account)

        conn = self.runtime.database.write_now(unit, app=self.key)
        self.runtime.texts.give(conn.entity.id, given.texts)
        conn = self.runtime.add(conn)
        self._respell(conn)
        return conn.entity

    def _respell(self, conn: Conn) -> None:
        """Once for each connection: names that an older version has stored come into one form."""
        normalise = getattr(self.runtime.adapter(conn), "normalise", None)
        if normalise is None:
            return
        from .._store.transfer import spelling

        database = self.runtime.database
        if database.read(lambda tx: spelling.is_done(tx, conn)):
            return
        database.write_now(lambda tx: spelling.respell(tx, conn, normalise), app=conn.app)

    def rotate(
        self, connection: Any, *, overlap: timedelta = timedelta(days=1)
    ) -> PlatformConnection:
        """Give a connection's webhook a new address; the one before is taken for `overlap` (at most a year).

        Register the new `webhook_path` with the platform meanwhile. Rotated again within that time, only
        the last two are taken. `timedelta(0)`: the old one has leaked and ends now; another process that
        has the file open takes it for one second more. `connection`: its name, id or entity.
        Raises BadInput, NotFound.
        """
        if not isinstance(overlap, timedelta) or not timedelta(0) <= overlap <= timedelta(days=366):
            raise BadInput("overlap is a timedelta of 0 to 366 days")
        conn = found(self.runtime, self.key, connection)
        width = overlap // timedelta(milliseconds=1)

        def unit(tx: Tx) -> Conn:
            doors.rotate(tx, conn.id, tx.now + width if width else 0)
            return next(one for one in tenants.connections(tx) if one.id == conn.id)

        return self.runtime.add(self.runtime.database.write_now(unit, app=self.key)).entity

    def connections(self) -> list[PlatformConnection]:
        """The connections of this application."""
        self.runtime.database.here()
        return [conn.entity for conn in self.runtime.conns(self.key)]
