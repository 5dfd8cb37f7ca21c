"""Downloads are shared: one file server that drips stops its own connection's files at most."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx
import pytest

from outeract_core import App, Outeract
from outeract_core.query import type_is
from outeract_core.testing import ManualClock, sign_telegram
from tests.support.patience import let_go_on, soon

pytestmark = pytest.mark.anyio


def _document(n: int) -> dict[str, object]:
    person = {"id": 7, "is_bot": False, "first_name": "Ann"}
    file = {"file_id": f"f{n}", "file_unique_id": f"u{n}", "file_size": 5, "file_name": "a.txt"}
    return {
        "update_id": n,
        "message": {"message_id": n, "date": 1, "from": person, "document": file,
                    "chat": {"id": 7, "type": "private", "first_name": "Ann"}},
    }  # fmt: skip


async def _answer(request: httpx.Request) -> httpx.Response:
    if "/bot1:a/" in str(request.url):
        await anyio.sleep_forever()
    if "/file/" in str(request.url):
        return httpx.Response(200, content=b"hello")
    return httpx.Response(
        200, json={"ok": True, "result": {"file_id": "f", "file_path": "d/a.txt"}}
    )


async def _deliver(core: Outeract, app: App, name: str, count: int) -> None:
    conn = next(one for one in app.connections() if one.name == name)
    for n in range(count):
        headers, body = sign_telegram(_document(n + 1), "word")
        await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", headers, {}, body)


async def test_a_slow_server_leaves_the_others_their_files(tmp_path: Path) -> None:
    """Thirty files of one bot hang; the file of another bot arrives."""
    async with Outeract(
        tmp_path / "bot.db", transport=httpx.MockTransport(_answer), allow_private_addresses=True
    ) as core:
        app = core.app("support")
        app.connect("telegram", name="slow", token="1:a", webhook_secret_token="word")
        app.connect("telegram", name="well", token="2:b", webhook_secret_token="word")
        await _deliver(core, app, "slow", 30)
        await _deliver(core, app, "well", 1)
        async with anyio.create_task_group() as group:
            group.start_soon(core.serve)
            with soon():
                while not (await app.events.page(type_is("system.file_stored"))).nodes:
                    await let_go_on()
            group.cancel_scope.cancel()


async def test_files_that_wait_for_their_connection_make_nobody_commit(
    tmp_path: Path, clock: ManualClock
) -> None:
    """What rests is due, and is not looked for beside another connection that has nothing to fetch."""

    async def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"ok": False, "error_code": 401, "description": "no"})

    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=httpx.MockTransport(answer),
        allow_private_addresses=True,
    ) as core:  # fmt: skip
        app = core.app("support")
        app.connect("telegram", name="refused", token="1:a", webhook_secret_token="word")
        app.connect("telegram", name="well", token="2:b", webhook_secret_token="word")
        await _deliver(core, app, "refused", 3)
        downloader = core._workers._downloader
        assert await downloader.step() == 3
        before = core.runtime.database._batch
        for _ in range(5):
            assert await downloader.step() == 0
        assert core.runtime.database._batch == before
