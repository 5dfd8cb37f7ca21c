"""Who was refused is tried at once when there are other credentials: whatever gave them, whatever the work was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from attrs import define, field

from outeract_core import App, Outeract, PlatformConnection
from outeract_core._io.processes import supervisor
from outeract_core._io.secrets import mended
from outeract_core._io.secrets.mended import Mended
from outeract_core.testing import ManualClock, sign_telegram
from tests.support.patience import until

pytestmark = pytest.mark.anyio
RIGHT, WRONG = "1:right", "1:wrong"


class Platform:
    """A Bot API that knows one token."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.done: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        token, method = request.url.path.rsplit("/bot", 1)[1].split("/", 1)
        self.asked.append(method)
        if token != RIGHT:
            body = {"ok": False, "error_code": 401, "description": "Unauthorized"}
            return httpx.Response(401, json=body)
        self.done.append(method)
        if method.startswith("d/"):
            return httpx.Response(200, content=b"hello")
        message = {"message_id": 1, "chat": {"id": 7}, "date": 1}
        known = {"getFile": {"file_id": "f", "file_path": "d/a.txt"}, "getUpdates": []}
        return httpx.Response(200, json={"ok": True, "result": known.get(method, message)})


@define
class World:
    """A bot whose token comes from somewhere."""

    core: Outeract
    app: App
    platform: Platform
    clock: ManualClock
    folder: Path
    connection: PlatformConnection = field(init=False)

    def connect(self, token: str, **more: Any) -> None:
        """The bot."""
        self.connection = self.app.connect(
            "telegram", token=token, webhook_secret_token="word", **more
        )


Put = Callable[[World, pytest.MonkeyPatch, str | None], None]
"""From now on that is the token; None: there is none."""
VAULT: dict[str, str] = {}


def _env(_world: World, patch: pytest.MonkeyPatch, token: str | None) -> None:
    patch.setenv("BOT_TOKEN", token or "")


def _file(world: World, _patch: pytest.MonkeyPatch, token: str | None) -> None:
    path = world.folder / "token"
    if token is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(token)


def _vault(_world: World, _patch: pytest.MonkeyPatch, token: str | None) -> None:
    VAULT.clear()
    VAULT.update({} if token is None else {"bot": token})


def _elsewhere(world: World, patch: pytest.MonkeyPatch, token: str | None) -> None:
    """Another program names another variable."""
    if token != RIGHT:
        return patch.setenv("BOT_TOKEN", token or "")
    patch.setenv("OTHER_TOKEN", token)
    with_other = world.connection.config | {"token": "env:OTHER_TOKEN"}
    world.core.runtime.database.write_now(
        lambda tx: tx.script(f"UPDATE connection SET config = '{_json(with_other)}'")
    )
    return None


def _json(config: dict[str, Any]) -> str:
    import json

    return json.dumps(config)


SOURCES: dict[str, tuple[str, Put]] = {
    "environment": ("env:BOT_TOKEN", _env),
    "file": ("file:{folder}/token", _file),
    "the host's own source": ("vault:bot", _vault),
    "another program": ("env:BOT_TOKEN", _elsewhere),
}
BEFORE: dict[str, str | None] = {"refused": WRONG, "missing": None}


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    """Nothing of it waits for the clock, which stands still."""
    platform = Platform()
    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=httpx.MockTransport(platform),
        allow_private_addresses=True, secrets={"vault": VAULT.__getitem__},
    ) as core:  # fmt: skip
        yield World(core, core.app("support", profiles="disabled"), platform, clock, tmp_path)


async def _send(world: World) -> str:
    await world.app.send(("telegram", "7"), "hello")
    return "sendMessage"


async def _receive(world: World) -> str:
    person = {"id": 7, "is_bot": False, "first_name": "Ann"}
    file = {"file_id": "f1", "file_unique_id": "u1", "file_size": 5, "file_name": "a.txt"}
    chat = {"id": 7, "type": "private", "first_name": "Ann"}
    message = {"message_id": 1, "date": 1, "from": person, "document": file, "chat": chat}
    headers, body = sign_telegram({"update_id": 1, "message": message}, "word")
    where = world.connection
    await world.core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
    return "d/a.txt"


WORK = {"sending": _send, "files": _receive}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("source", SOURCES)
async def test_a_pump_goes_on_as_soon_as_the_secret_is_another(
    world: World, monkeypatch: pytest.MonkeyPatch, source: str, work: str, before: str
) -> None:
    """It rests, and nothing is asked, as long as nothing has changed; then it is asked at once."""
    token, put = SOURCES[source]
    put(world, monkeypatch, BEFORE[before])
    world.connect(token.format(folder=world.folder))
    wanted = await WORK[work](world)
    await world.core.pump()
    asked = len(world.platform.asked)
    told = await world.core.pump()
    assert len(world.platform.asked) == asked
    assert [one.doing for one in told.troubles] == [work]
    put(world, monkeypatch, RIGHT)
    told = await world.core.pump()
    assert wanted in world.platform.done
    assert told.troubles == ()


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("work", [*WORK, "polling"])
async def test_a_program_that_serves_goes_on_too(
    world: World, monkeypatch: pytest.MonkeyPatch, work: str, before: str
) -> None:
    """Whatever pause the work was in, by whatever clock."""
    monkeypatch.setattr(mended, "EVERY", 0.01)
    monkeypatch.setattr(supervisor, "FIRST", 3600.0)
    _env(world, monkeypatch, BEFORE[before])
    world.connect("env:BOT_TOKEN", poll=work == "polling")
    wanted = await WORK[work](world) if work in WORK else "getUpdates"
    async with anyio.create_task_group() as group:
        group.start_soon(world.core.serve)
        await until(lambda: world.core.runtime.rests.refused())
        _env(world, monkeypatch, RIGHT)
        await until(lambda: wanted in world.platform.done)
        group.cancel_scope.cancel()


async def test_a_check_that_succeeds_ends_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found to work is tried."""
    refused = Platform.__call__
    _env(world, monkeypatch, RIGHT)
    world.connect("env:BOT_TOKEN")
    await _send(world)
    monkeypatch.setattr(
        Platform, "__call__", lambda _self, _request: httpx.Response(401, json={"ok": False})
    )
    await world.core.pump()
    monkeypatch.setattr(Platform, "__call__", refused)
    assert (await world.core.pump()).sent == 0
    await world.app.check("telegram")
    assert (await world.core.pump()).sent == 1


async def test_a_source_that_makes_a_secret_each_time_is_no_reason_to_hammer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that did not help makes the next one wait, for longer each time."""
    numbers = count()
    monkeypatch.setitem(
        world.core.runtime.secrets._sources, "vault", lambda _name: f"1:{next(numbers)}"
    )
    world.connect("vault:bot")
    await _send(world)
    for _ in range(200):
        await world.core.pump()
        world.clock.advance(1)
    assert len(world.platform.asked) < 20


async def test_what_is_looked_at_is_no_secret(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what is kept to compare, nor what is told, has it."""
    caplog.set_level("DEBUG")
    _env(world, monkeypatch, WRONG)
    world.connect("env:BOT_TOKEN")
    await _send(world)
    told = [await world.core.pump(), await world.core.pump()]
    _env(world, monkeypatch, RIGHT)
    told.append(await world.core.pump())
    kept = repr(world.core.runtime.mended) + repr(list(_digests(world.core.runtime.mended)))
    for text in (caplog.text, repr(told), kept):
        assert RIGHT not in text
        assert WRONG not in text
    assert "has other credentials" in caplog.text


def _digests(found: Mended) -> Any:
    return found._seen.items()


async def test_what_was_refused_in_another_process_is_asked_of_profiles_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a connection works again that was refused, nothing that it was not allowed to ask is paused any more."""
    _env(world, monkeypatch, WRONG)
    world.connect("env:BOT_TOKEN")
    await _send(world)
    await world.core.pump()
    world.core.runtime.database.write_now(
        lambda tx: tx.script(
            "INSERT INTO profile_pause(conn, kind, until, reason) "
            "SELECT id, 'person', 9e15, 'refused' FROM connection"
        )
    )
    _env(world, monkeypatch, RIGHT)
    await world.core.pump()
    found = world.core.runtime.database.read(lambda tx: tx.script("SELECT * FROM profile_pause"))
    assert found == []
