"""An application that moves: written out of this file, and confirmed where it has arrived.

Knows: that what came from elsewhere is looked at by somebody before it reaches any network.
Does not know: lines, files (`maintenance/export.py`, `maintenance/importing.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from .._io.runtime import Runtime
from .._io.secrets.configs import Given, marks_of
from .._io.threads.aside import loaded
from .._store.records.conn import Conn
from .._store.writing import tenants
from ..driver import Tx
from ..errors import BadInput, NotFound, OuteractError
from ..model import PlatformConnection
from . import later

if TYPE_CHECKING:
    from ..adapter import Manifest
    from .maintenance.export import Exported, Progress, Target
    from .maintenance.importing import Imported


class Moving:
    """The part of `App` for what moves; `App` supplies what it needs.

    imported    what `import_app` has said of the file that it came from, in the program that did it.
    """

    runtime: Runtime
    key: int
    imported: Imported | None = None

    async def export(
        self, target: Target, *, files: bool = True, progress: Progress | None = None,
        key: str | bytes | None = None,
    ) -> Exported:  # fmt: skip
        """Write the whole application, as it is now, for `Outeract.import_app`: one line of JSON each.

        target          a path (packed when it ends in `.gz`), or a binary stream.
        files           with the bytes of files.
        progress        told (done, of), in nodes.
        key             sign it (HMAC-SHA256); 16 bytes or more, which `import_app` is given too.

        What is written is as secret as the database. Raises BadInput, OSError; then no file is left.
        """
        export = await loaded(later.exporting)
        done: Exported = await export(
            self.runtime, self.key, target, files=files, progress=progress, key=key
        )
        return done

    def enable(self, connection: PlatformConnection) -> PlatformConnection:
        """Let a connection that was imported be used: its config is what you wish it to be.

        connection      as `connections()` has given it. Look at its `config` first: where its secrets
                        are read from, and (`base_url`) which server they are sent to.

        To `connect` it again with a config of your own enables it too. Harmless for one that is
        enabled. Raises NotFound, and BadInput when its config is not (any more) what you have seen, or
        when another connection has this account.
        """
        conn = _of(self.runtime, self.key, connection)
        entity, manifest = conn.entity, _manifest(self.runtime, conn)
        marks = marks_of(manifest, entity.account, Given(dict(entity.config)), self.runtime.secrets)

        def unit(tx: Tx) -> Conn:
            if not tenants.enable(tx, conn, connection.config):
                raise BadInput(
                    f"the config of {conn.platform} {entity.name!r} is not what was confirmed: look at "
                    "connections() again"
                )
            return tenants.hold(tx, conn, marks, entity.account)

        enabled = self.runtime.database.write_now(unit, app=self.key)
        enabled = self.runtime.add(enabled)
        self.runtime.wake()
        return enabled.entity


def _of(runtime: Runtime, app: int, connection: PlatformConnection) -> Conn:
    """The connection as it is now. Raises BadInput, NotFound."""
    if not isinstance(connection, PlatformConnection):
        raise BadInput(
            "give the connection itself, as connections() has it: its config is confirmed"
        )
    runtime.reload()
    wanted: UUID = connection.id
    found = next((conn for conn in runtime.conns(app) if conn.entity.id == wanted), None)
    if found is None:
        raise NotFound("no such connection in this application")
    return found


def _manifest(runtime: Runtime, conn: Conn) -> Manifest:
    """What its adapter says of itself. Raises UnknownPlatform, BadInput for a config it cannot use."""
    try:
        return runtime.adapter(conn).manifest
    except OuteractError:
        raise
    except Exception as error:
        raise BadInput(f"the connection cannot be used as it is configured: {error}") from error
