"""Fetches the bytes of inbound files, in the background, until they are stored or refused.

Knows: claim → fetch → stream → settle, and when to give up.
Does not know: platforms, requests (`_io/web/http.py`), folders (`_io/disk/file_store.py`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from .._domain.rules.delivery import ATTEMPTS, backoff
from .._domain.rules.fair import capped, shares
from .._domain.rules.guard import guarded
from .._domain.values.ids import SHIFT, app_of, jitter
from .._domain.values.sinks import worded
from .._io.disk.file_store import Stored
from .._io.heartbeat import LEASE, Heartbeat
from .._io.processes.supervisor import ending
from .._io.runtime import Runtime
from .._store.records import rows
from .._store.records.conn import Conn
from .._store.writing import files
from .._store.writing.files import AT_ONCE, Download
from ..errors import (
    ChecksumMismatch,
    FileError,
    FileTooLarge,
    MissingSecret,
    OuteractError,
    Rejected,
    StoreError,
    Throttled,
    Unauthorised,
    UnknownPlatform,
    Unreachable,
)
from .quotas import BYTES, held_back

EACH = 4
"""Downloads of one connection at once."""
FILES = "files"
"""What rests are of."""
_OFFLINE = 60_000
LATEST = 3_600_000
"""Milliseconds: no file waits for longer, whatever a platform says."""


class Downloader:
    """`step()` fetches what is due; `run()` does so until it is cancelled."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._heart = Heartbeat(
            runtime.steady, self._renew, partial(runtime.log.warning, "inbound")
        )
        self._under_way: dict[int, int] = {}

    async def step(self) -> int:
        """Fetch what is due now; the number of files that were tried."""
        claimed = await self._claim()
        if not claimed:
            return 0
        async with anyio.create_task_group() as beating:
            beating.start_soon(self._heart.run)
            async with anyio.create_task_group() as group:
                for download in claimed:
                    group.start_soon(self._held, download)
            beating.cancel_scope.cancel()
        return len(claimed)

    async def run(self) -> None:
        """Fetch as things fall due. A slow server holds up its own connection's files at most."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._heart.run)
            while True:
                heard = self._runtime.heard("files")
                claimed = await self._claim()
                for download in claimed:
                    group.start_soon(self._held, download)
                if not claimed:
                    await self._runtime.wait("files", 1.0, heard)

    async def _claim(self) -> list[Download]:
        """Files that may be fetched now, so many of each connection as it has a share of."""
        free, shares = AT_ONCE - len(self._under_way), await self._shares()
        owner, held, asked = self._runtime.owner, self._heart.keys, self._runtime.steady()
        if (
            free <= 0
            or not shares
            or not self._runtime.database.read(lambda tx: files.look(tx, shares, held, 1))
        ):
            return []
        with self._runtime.grace.held():
            claimed: list[Download] = await self._runtime.write(
                lambda tx: files.claim(tx, owner, shares, LEASE, held, free),
                app=None,  # a share of each connection
            )
        self._heart.hold((download.key for download in claimed), asked)
        self._under_way |= {download.key: download.conn for download in claimed}
        return claimed

    async def _shares(self) -> dict[int, int]:
        """By connection; an application that is over its quota has none, nor has one that rests."""
        ownership = self._runtime.ownership
        apps = {conn.id: conn.app for conn in self._runtime.conns() if conn.app in ownership}
        over = {app for app in set(apps.values()) if await held_back(self._runtime, app, BYTES)}
        rests = self._runtime.rests
        mine = [conn for conn, app in apps.items() if not (app in over or rests.holds(FILES, conn))]
        found = shares(mine, self._under_way.values(), EACH)
        return capped(found, apps, self._under_way.values(), self._runtime.meters.downloads())

    async def _held(self, download: Download) -> None:
        """One file, whose lease lives as long as this task; cancelled, it is given back untried."""
        try:
            with self._runtime.ownership.work(download.key >> SHIFT):
                error = await ending(partial(self._one, download))
            if error is not None:  # it could not be settled: tried again when its lease is over
                text = self._wrong(download, f"a file waits: {worded(error)}")
                self._runtime.log.error("inbound", text, error)
        except anyio.get_cancelled_exc_class():
            with self._runtime.grace.held():
                unit, app = partial(files.release, download=download), app_of(download.key)
                await self._runtime.write(unit, app=app)
            raise
        finally:
            self._heart.let_go([download.key])
            self._under_way.pop(download.key, None)
            self._runtime.wake("files")

    async def _renew(self, keys: Sequence[int]) -> list[int]:
        owner = self._runtime.owner
        unit = partial(files.renew, keys=keys, owner=owner, lease=LEASE)
        return await self._runtime.write(unit, app=None)  # all that this process holds

    async def _one(self, download: Download) -> None:
        conn = self._runtime.conn(download.conn)
        if download.stored:
            return await self._transcribe(conn, download)
        try:
            stored, mime = await self._fetch(conn, download)
        except (UnknownPlatform, MissingSecret, Unreachable, Unauthorised) as error:
            await self._resting(download, error)
        except StoreError as error:
            await self._later(download, _OFFLINE, str(error), tried=False)
        except Throttled as error:
            seconds = backoff(download.attempt, jitter()) if error.after is None else error.after
            await self._later(download, int(seconds * 1000), error.reason, tried=False)
        except (Rejected, FileError) as error:
            await self._give_up(conn, download, str(error))
        except OuteractError as error:
            await self._again(conn, download, error)
        except Exception as error:
            await self._again(conn, download, OuteractError(worded(error)))
        else:
            self._runtime.rests.works(FILES, conn.id)
            wanted = self._transcribes(conn, download.mime or mime)
            kept = await self._runtime.write(
                lambda tx: files.stored(
                    tx, conn, download, stored.size, stored.sha256, mime, transcribe=wanted
                ),
                app=conn.app,
            )
            if not kept and not self._runtime.database.read(
                lambda tx: files.is_used(tx, stored.sha256)
            ):
                await anyio.to_thread.run_sync(self._runtime.folder.drop, stored.sha256)
            self._runtime.wake("handlers", "files")

    # ── transcripts ───────────────────────────────────────────────────────────────────────────

    def _transcribes(self, conn: Conn, mime: str | None) -> bool:
        wanted = conn.app_config["transcription"] == "enabled" and self._runtime.transcribe
        return bool(wanted) and (mime or "").startswith("audio/")

    async def _transcribe(self, conn: Conn, download: Download) -> None:
        """Ask the host's callable, again and again; the bytes are safe already."""
        call, folder = self._runtime.transcribe, self._runtime.folder
        if call is None:
            await self._later(
                download, _OFFLINE, "no transcribe= was given to Outeract", tried=False
            )
            return
        said: list[str] = []

        async def listen() -> None:
            path = await anyio.to_thread.run_sync(folder.verified, download.sha256 or "")
            said.append(str(await _called(call, path, download.mime)))

        error = await ending(listen)
        if error is not None:
            reason = self._runtime.log.redact(f"transcription: {worded(error)}")
            text = f"{self._named(conn, download)}: no transcript, attempt {download.attempt}"
            self._runtime.log.warning("inbound", text, error)
            await self._not_transcribed(conn, download, reason)
        else:
            await self._runtime.write(
                lambda tx: files.transcribed(tx, conn, download, said[0]), app=conn.app
            )
            self._runtime.wake("handlers")

    async def _not_transcribed(self, conn: Conn, download: Download, reason: str) -> None:
        if download.attempt < ATTEMPTS:
            delay = int(backoff(download.attempt, jitter()) * 1000)
            await self._later(download, delay, reason)
            return
        await self._runtime.write(
            lambda tx: files.not_transcribed(tx, conn, download, reason), app=conn.app
        )
        self._runtime.wake("handlers")

    # ── bytes ─────────────────────────────────────────────────────────────────────────────────

    async def _fetch(self, conn: Conn, download: Download) -> tuple[Stored, str | None]:
        adapter: Any = self._runtime.ready(conn)
        if not hasattr(adapter, "fetch"):
            raise Rejected(f"{conn.platform} hands out no files")
        limit = self._runtime.folder.limit
        if download.size is not None and download.size > limit:
            raise FileTooLarge(f"{download.size} bytes are more than the limit of {limit}")
        with guarded:
            flow = adapter.fetch(download.handle)
        where = await self._runtime.http.run(flow, by=conn.id)
        async with self._runtime.http.download(where, limit, by=conn.id) as chunks:
            stored = await self._runtime.folder.receive(chunks)
        self._runtime.meters.add(conn.app, BYTES, stored.size)
        if download.sha256 is not None and stored.sha256 != download.sha256.lower():
            raise ChecksumMismatch("the bytes are not those that the platform announced")
        return stored, None

    async def _again(self, conn: Conn, download: Download, error: OuteractError) -> None:
        if download.attempt >= ATTEMPTS:
            await self._give_up(
                conn, download, f"given up after {download.attempt} attempts: {error}"
            )
            return
        seconds = backoff(download.attempt, jitter())
        await self._later(download, int(seconds * 1000), str(error))

    async def _resting(self, download: Download, error: OuteractError) -> None:
        """The connection as a whole is in trouble: its files wait as they are, and nothing is asked of it."""
        why, refused = self._wrong(download, str(error)), not isinstance(error, Unreachable)
        self._runtime.rests.begin(FILES, download.conn, _OFFLINE, why, credentials=refused)
        await self._later(download, 0, why, tried=False)

    async def _later(
        self, download: Download, delay: int, reason: str, *, tried: bool = True
    ) -> None:
        due, reason = self._runtime.now() + min(delay, LATEST), self._wrong(download, reason)
        app = app_of(download.key)
        await self._runtime.write(
            lambda tx: files.again(tx, download, due, reason, tried=tried), app=app
        )

    def _wrong(self, download: Download, reason: str) -> str:
        """The reason without secrets, also for the report of this round of work."""
        told = self._runtime.log.redact(reason)
        self._runtime.troubles.add(download.conn, "files", told)
        return told

    def _named(self, conn: Conn, download: Download) -> str:
        """The file, as a person may look it up."""
        (file,) = self._runtime.database.read(lambda tx: rows.files(tx, conn.app, [download.key]))
        return f"{conn.platform}/{conn.entity.name}: file {file.id}"

    async def _give_up(self, conn: Conn, download: Download, reason: str) -> None:
        reason = self._wrong(download, reason)
        self._runtime.log.warning("inbound", f"{self._named(conn, download)} is given up: {reason}")
        await self._runtime.write(lambda tx: files.failed(tx, conn, download, reason), app=conn.app)
        self._runtime.wake("handlers")


async def _called(call: Callable[..., Any], path: Path, mime: str | None) -> Any:
    """The result of a plain or async callable; a plain one runs in a thread."""
    if inspect.iscoroutinefunction(call):
        return await call(path, mime)
    made = await anyio.to_thread.run_sync(call, path, mime)
    return await made if inspect.isawaitable(made) else made
