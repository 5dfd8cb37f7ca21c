"""Units of work on file nodes: received, due for download, stored, failed.

Knows: the file row, its edges, its job.
Does not know: bytes, folders (`_io/disk/file_store.py`), how a platform hands out files.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..._domain.rules.fair import fairly
from ..._domain.values import stored as columns
from ..._domain.values.classes import frozen
from ..._domain.values.codec import clean, encode
from ..._domain.values.digests import Digest
from ..._domain.values.names import safe_filename, safe_mime
from ...driver import Statement, Tx
from ...errors import FileError
from ..engine.statements import statement
from ..records.log import append, link

if TYPE_CHECKING:
    from ...events import FileRef
    from ..records.conn import Conn

_Row = tuple[int, int, str, str | None, int, int | None, str, str | None]
AT_ONCE = 12
"""Downloads at once, of all connections."""

FILE_ADD: Statement[Any] = statement("file_add")
FILE_DUE: Statement[tuple[int, int, int]] = statement("file_due")
FILE_DONE: Statement[Any] = statement("file_done")
FILE_LEASE: Statement[_Row] = statement("file_lease")
FILE_RENEW: Statement[tuple[int]] = statement("file_renew")
FILE_RELEASE: Statement[Any] = statement("file_release")
FILE_STORED: Statement[Any] = statement("file_stored")
FILE_FAILED: Statement[Any] = statement("file_failed")
FILE_RETRY: Statement[Any] = statement("file_retry")
FILE_EVENT: Statement[tuple[int | None, bytes]] = statement("file_event")
ATTACHED: Statement[tuple[int]] = statement("attached")
SHA256_USED: Statement[tuple[int]] = statement("sha256_used")
PORTRAY: Statement[Any] = statement("profile_portray")
PICTURE: Statement[tuple[int]] = statement("profile_picture")


@frozen
class Download:
    """A file that is due: `handle` is what the adapter's `fetch` needs.

    `stored`: the bytes are here already, and only their transcript is missing. `attempt`: which one
    this is, counting those that were settled. `token`: the claim, by which every settlement is fenced.
    """

    key: int
    conn: int
    handle: dict[str, Any]
    sha256: str | None
    attempt: int
    size: int | None
    stored: bool
    mime: str | None
    token: int


def receive(tx: Tx, conn: Conn, message: int, ref: FileRef) -> int:
    """An inbound file becomes a node at once; its bytes are fetched by a job."""
    key, uid = _await(tx, conn, message, ref)
    link(tx, message, "attachment", key)
    filename, mime = safe_filename(ref.filename), safe_mime(ref.mime_type)
    payload = {"file_id": str(uid), "filename": filename, "mime_type": mime}
    event = append(tx, conn.app, "file.inbound", encode(payload), conn=conn.id)
    if event is not None:
        link(tx, event, "origin", message)
        link(tx, event, "attachment", key)
    return key


def portray(tx: Tx, conn: Conn, puser: int, ref: FileRef, version: str | None) -> None:
    """The picture of a platform user is this file; its bytes are fetched as a message's are."""
    key, _ = _await(tx, conn, None, ref)
    tx.run(PORTRAY, puser=puser, picture=key, version=clean(version))


def picture_of(tx: Tx, puser: int) -> int | None:
    """The file that is their picture, or None."""
    row = tx.one(PICTURE, puser=puser)
    return None if row is None else row[0]


def _await(tx: Tx, conn: Conn, message: int | None, ref: FileRef) -> tuple[int, UUID]:
    """A node whose bytes are still at the platform."""
    uid, key = tx.new_id(), tx.allocate(conn.app)
    tx.run(
        FILE_ADD, id=key, uid=uid.bytes, conn=conn.id, event=message,
        filename=safe_filename(ref.filename), mime=safe_mime(ref.mime_type), size=ref.size,
        sha256=_announced(ref.sha256), status="pending", handle=encode(ref.handle), due=tx.now, now=tx.now,
    )  # fmt: skip
    return key, uid


def _announced(sha256: str | None) -> str | None:
    """The digest that the platform tells beforehand; what is none cannot be compared with anything."""
    try:
        return None if sha256 is None else Digest(sha256.lower())
    except FileError:
        return None


def keep(
    tx: Tx, app: int, filename: str | None, mime: str | None, size: int, sha256: str
) -> tuple[int, UUID]:
    """A node for bytes that are already in the folder (outbound files)."""
    uid, key = tx.new_id(), tx.allocate(app)
    tx.run(
        FILE_ADD, id=key, uid=uid.bytes, conn=None, event=None, filename=safe_filename(filename),
        mime=safe_mime(mime), size=size, sha256=sha256, status="stored", handle=None, due=None,
        now=tx.now,
    )  # fmt: skip
    return key, uid


def claim(
    tx: Tx, owner: str, shares: Mapping[int, int], lease: int, held: Collection[int] = (),
    limit: int = AT_ONCE,
) -> list[Download]:  # fmt: skip
    """Files that are due, each leased for `lease` milliseconds; not those that are `held` already.

    `shares`: by connection how many may be taken up, of `limit` in all.
    """
    return take(tx, look(tx, shares, held, limit), owner, lease)


def look(
    tx: Tx, shares: Mapping[int, int], held: Collection[int] = (), limit: int = AT_ONCE
) -> list[int]:
    """The keys of files that are due, what waits longest first. Nobody holds them yet."""
    most = max(shares.values(), default=0) + len(held)
    found = sorted(tx.by_keys(FILE_DUE, list(shares), now=tx.now, each=most))
    return fairly(((conn, key) for _due, key, conn in found if key not in held), shares, limit)


def take(tx: Tx, keys: Sequence[int], owner: str, lease: int) -> list[Download]:
    """Of these files those that are still due and free, as they are by now, leased in the same statement."""
    token, until = secrets.randbits(62), tx.now + lease
    rows = tx.by_keys(FILE_LEASE, keys, now=tx.now, until=until, owner=owner, token=token)
    got = {row[0]: _download(row, token) for row in rows}
    return [got[key] for key in keys if key in got]


def _download(row: _Row, token: int) -> Download:
    key, conn, handle, sha256, attempt, size, status, mime = row
    what = columns.values(handle, "file", key)
    return Download(key, conn, what, sha256, attempt + 1, size, status == "stored", mime, token)


def renew(tx: Tx, keys: Sequence[int], owner: str, lease: int) -> list[int]:
    """Hold these files for `lease` milliseconds more; those that the owner still has."""
    return [row[0] for row in tx.by_keys(FILE_RENEW, keys, owner=owner, until=tx.now + lease)]


def release(tx: Tx, download: Download) -> None:
    """Give it back: it was not tried to the end."""
    tx.run(FILE_RELEASE, id=download.key, token=download.token)


def stored(
    tx: Tx, conn: Conn, download: Download, size: int, sha256: str, mime: str | None, *,
    transcribe: bool,
) -> bool:  # fmt: skip
    """The bytes are in the folder; `transcribe`: what is said in them is wanted next.

    False when the node was erased meanwhile, or taken over: nobody wants the bytes from here any more.
    """
    due, key = tx.now if transcribe else None, download.key
    values = {"size": size, "sha256": sha256, "mime": safe_mime(mime), "due": due}
    if not tx.changed_one(FILE_STORED, id=key, token=download.token, **values):
        return False
    _tell(tx, conn, key, "system.file_stored", {"size": size, "sha256": sha256})
    return True


def is_used(tx: Tx, sha256: str) -> bool:
    """Whether any node, of whatever application, has these bytes."""
    return tx.one(SHA256_USED, sha256=sha256) is not None


def failed(tx: Tx, conn: Conn, download: Download, reason: str) -> None:
    """The bytes will not come."""
    if tx.changed_one(FILE_FAILED, id=download.key, token=download.token, error=clean(reason)):
        _tell(tx, conn, download.key, "system.file_failed", {"reason": reason})


def transcribed(tx: Tx, conn: Conn, download: Download, text: str) -> None:
    """What is said in a recording, as an event about its message."""
    if tx.changed_one(FILE_DONE, id=download.key, token=download.token, error=None):
        _tell(tx, conn, download.key, "message.transcribed", {"text": text})


def not_transcribed(tx: Tx, conn: Conn, download: Download, reason: str) -> None:
    """The transcript will not come; the bytes stay."""
    if tx.changed_one(FILE_DONE, id=download.key, token=download.token, error=clean(reason)):
        _tell(tx, conn, download.key, "system.file_failed", {"reason": reason})


def again(tx: Tx, download: Download, due: int, reason: str, *, tried: bool = True) -> None:
    """Try again at `due`. `tried`: whether this was an attempt, or only a wait for the host."""
    tx.run(
        FILE_RETRY, id=download.key, token=download.token, due=due, tried=int(tried),
        error=clean(reason),
    )  # fmt: skip


def _tell(tx: Tx, conn: Conn, key: int, kind: str, payload: dict[str, Any]) -> None:
    row = tx.one(FILE_EVENT, id=key)
    if row is None:
        return
    payload = {"file_id": str(columns.uid(row[1], "file", "")), **payload}
    event = append(tx, conn.app, kind, encode(payload), conn=conn.id)
    if event is not None:
        link(tx, event, "attachment", key)
        if row[0] is not None:
            link(tx, event, "origin", row[0])


def attached(tx: Tx, event: int) -> list[int]:
    """The file nodes of a message, in order."""
    return [row[0] for row in tx.all(ATTACHED, src=event, type=tx.kind("attachment"))]
