"""The bytes of file nodes, for the host.

Knows: which bytes a node has. Does not know: how they came there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import anyio.to_thread

from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._store.records import nodes, rows
from ..._store.writing import files
from ...content import Attachment
from ...driver import Tx
from ...errors import BadInput, FileError
from ...model import File, PlatformUser


class Files:
    """The files of one application."""

    def __init__(self, tenant: Tenant, runtime: Runtime) -> None:
        self._tenant = tenant
        self._runtime = runtime

    async def get(self, file: File | UUID) -> File:
        """The file node as it is now. Raises NotFound."""

        def query(tx: Tx, app: int) -> File:
            return rows.file(tx, app, nodes.key(tx, app, file, "file"))

        return await self._tenant.read(query)

    async def of(self, event: Any) -> list[File]:
        """The files attached to a message, in order. Raises NotFound."""

        def query(tx: Tx, app: int) -> list[File]:
            key = nodes.key(tx, app, event, "event")
            return [rows.file(tx, app, node) for node in files.attached(tx, key)]

        return await self._tenant.read(query)

    async def picture_of(self, platform_user: PlatformUser | UUID) -> File | None:
        """The picture of a person or place, where it is a file (with `profiles="pictures"`), else None.

        See `profile_picture_url` for one that has an address. Raises NotFound.
        """

        def query(tx: Tx, app: int) -> File | None:
            picture = files.picture_of(tx, nodes.key(tx, app, platform_user, "platform_user"))
            return None if picture is None else rows.file(tx, app, picture)

        return await self._tenant.read(query)

    async def path(self, file: File | UUID) -> Path:
        """Where the bytes are, which were compared with what was stored; read them, do not write.

        Raises NotFound, ChecksumMismatch when they were changed, and FileError while they are not there.
        """
        digest = self._stored(await self.get(file))
        return await anyio.to_thread.run_sync(self._runtime.folder.verified, digest)

    async def read(self, file: File | UUID) -> bytes:
        """All bytes. Raises NotFound, ChecksumMismatch when they were changed, FileError."""
        digest = self._stored(await self.get(file))
        return await anyio.to_thread.run_sync(self._runtime.folder.read, digest)

    @staticmethod
    def _stored(node: File) -> str:
        if node.status != "stored" or node.sha256 is None:
            raise FileError(f"the file {node.id} is {node.status}")
        return node.sha256

    async def add(
        self,
        source: bytes | str | Path,
        *,
        filename: str | None = None,
        mime_type: str | None = None,
    ) -> File:
        """Keep bytes or a file of the host's as a node; a relative path is taken as `open` would.

        Raises BadInput, FileTooLarge, OSError.
        """
        given = Attachment(source).source
        if isinstance(given, File):
            raise BadInput(f"the file {given.id} is kept already")
        stored = await anyio.to_thread.run_sync(self._runtime.folder.keep, given)
        name = filename or (given.name if isinstance(given, Path) else None)

        def unit(tx: Tx, app: int) -> File:
            key, _ = files.keep(tx, app, name, mime_type, stored.size, stored.sha256)
            return rows.file(tx, app, key)

        return await self._tenant.write(unit)
