"""A program on aiosqlite that takes the same webhooks in: the like of the library, without one.

Knows: token, JSON, who wrote, which rows a message is; it looks up what it must, and awaits each statement.
Does not know: other platforms, retries, what an update may hold besides a text.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import anyio

from outeract_core._domain.values.ids import SHIFT, uuid7

from ..ground import traffic
from ..memory import put_aside
from ..took import Took
from .aiosqlite_peer import opened


class AiosqliteProgram:
    """A copy of the same file: same schema, indexes and triggers, WAL, FULL."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> AiosqliteProgram:
        self._db: aiosqlite.Connection = await opened(self._path)
        self._lock = anyio.Lock()
        self._kinds = dict(await self._rows("SELECT name, id FROM kind"))
        [[self._conn, self._app, self._bot]] = await self._rows(
            "SELECT id, app, system_puser FROM connection WHERE platform = 'telegram' LIMIT 1"
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._db.close()

    async def ingest(self, bodies: Iterable[bytes], tasks: int) -> Took:
        """Take all webhooks in, from `tasks` tasks; the time of each has its wait in it."""
        took: list[float] = []
        rest = iter(bodies)
        put_aside()
        start = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(tasks):
                group.start_soon(self._work, rest, took)
        return Took(len(took), time.perf_counter() - start, took)

    async def _work(self, rest: Iterator[bytes], took: list[float]) -> None:
        for body in rest:
            start = time.perf_counter()
            token = traffic.HEADERS["x-telegram-bot-api-secret-token"]
            if not hmac.compare_digest(token.encode(), traffic.SECRET.encode()):
                raise AssertionError("the token is wrong")
            update = json.loads(body)
            async with self._lock:
                await self._store(update, body)
            took.append(time.perf_counter() - start)

    async def _store(self, update: dict[str, Any], body: bytes) -> None:
        message, run = update["message"], self._db.execute
        await run("BEGIN IMMEDIATE")
        [[count]] = await self._rows("SELECT value FROM counter WHERE owner = ?", (self._app,))
        now = int(time.time() * 1000)
        peer, count = await self._met(message["from"], count, now)
        seq = (self._app << SHIFT) + count + 1
        name = f"{message['chat']['id']}:{message['message_id']}"
        payload = {
            "type": "text", "message": {"type": "text", "text": message["text"], "role": "user"},
            "platform": "telegram", "external_message_id": name,
        }  # fmt: skip
        await run(
            "INSERT INTO event(seq, id, conn, type, occurred_at, created_at, dk, payload, raw)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, uuid7(now).bytes, self._conn, self._kinds["message.inbound"],
             message["date"] * 1000, now, name, json.dumps(payload), body.decode()),
        )  # fmt: skip
        edge = "INSERT INTO edge(dst, type, src) VALUES (?, ?, ?)"
        await run(edge, (peer, self._kinds["sent_by"], seq))
        await run(edge, (peer, self._kinds["sent_to"], seq))
        await run("INSERT INTO entry VALUES (?, ?)", (peer, seq))
        await run(
            "INSERT INTO conversation(peer, last, inbound, outbound, unread, read_upto, conn)"
            " VALUES (?, ?, 1, 0, 1, 0, ?) ON CONFLICT (peer) DO UPDATE SET last = excluded.last,"
            " inbound = inbound + 1, unread = unread + 1",
            (peer, seq, self._conn),
        )
        await run("UPDATE counter SET value = ? WHERE owner = ?", (count + 1, self._app))
        await run("COMMIT")

    async def _met(self, person: dict[str, Any], count: int, now: int) -> tuple[int, int]:
        """The platform user's key, made when there is none yet; and the counter after that."""
        known = await self._rows(
            "SELECT id FROM puser WHERE conn = ? AND ext = ?", (self._conn, str(person["id"]))
        )
        if known:
            return known[0][0], count
        first = (self._app << SHIFT) + count + 1
        await self._db.execute(
            "INSERT INTO person(id, uid, name, created_at) VALUES (?, ?, ?, ?)",
            (first, uuid7(now).bytes, person["first_name"], now),
        )
        await self._db.execute(
            "INSERT INTO puser(id, uid, person, conn, ext, address, kind, name, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 'person', ?, ?)",
            (first + 1, uuid7(now).bytes, first, self._conn, str(person["id"]), str(person["id"]),
             person["first_name"], now),
        )  # fmt: skip
        return first + 1, count + 2

    async def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return list(await self._db.execute_fetchall(sql, values))
