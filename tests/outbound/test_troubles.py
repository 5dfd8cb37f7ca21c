"""Trouble with a connection as a whole: its rows wait and lose no attempt, the others go on, it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from outeract_core import App, Outeract
from outeract_core._api.pumped import together
from outeract_core._outbound import resting, sender
from outeract_core.errors import Throttled
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support import wrongs
from tests.support.patience import soon

pytestmark = pytest.mark.anyio
Answer = Callable[[httpx.Request], httpx.Response]


class Sky:
    """A Bot API whose every answer a test decides."""

    def __init__(self) -> None:
        self.answer: Answer = self.well
        self.sent: list[str] = []
        self.asked = 0

    def well(self, request: httpx.Request) -> httpx.Response:
        """As on a good day."""
        self.sent.append(request.content.decode())
        result = {"message_id": len(self.sent), "chat": {"id": 7}, "date": 1}
        return httpx.Response(200, json={"ok": True, "result": result})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.answer(request)


def offline(request: httpx.Request) -> httpx.Response:
    """No way there."""
    raise httpx.ConnectError("no route", request=request)


def _refused(code: int, **more: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": "no", **more}
    return lambda _request: httpx.Response(code, json=body)


TROUBLES = {
    "offline": (offline, "unreachable"),
    "unauthorised": (_refused(401), "unauthorised"),
    "throttled": (_refused(429, parameters={"retry_after": 3}), "active"),
}


@pytest.fixture
def sky() -> Sky:
    """The platform."""
    return Sky()


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock, sky: Sky) -> AsyncIterator[Outeract]:
    """A store whose network is the test's."""
    transport = httpx.MockTransport(sky)
    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=transport, allow_private_addresses=True
    ) as core:
        yield core


@pytest.fixture
def app(core: Outeract) -> App:
    """An application with a bot."""
    app = core.app("support", profiles="disabled")
    app.connect("telegram", token="1:a")
    return app


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_of_a_connection_fails_no_message(
    core: Outeract, app: App, sky: Sky, clock: ManualClock, trouble: str
) -> None:
    """However long and however often it is tried; when it is over, the message leaves."""
    sky.answer, status = TROUBLES[trouble]
    delivery = await app.send(("telegram", "7"), "hello")
    for _ in range(60):
        await core.pump()
        clock.advance(301)
    assert sky.asked > 20
    assert (await delivery.state()).status == "queued"
    assert app.connections()[0].status == status
    sky.answer = sky.well
    await core.pump()
    assert (await delivery.state()).status == "sent"
    assert app.connections()[0].status == "active"


async def test_many_messages_ask_a_platform_in_trouble_once(
    core: Outeract, app: App, sky: Sky
) -> None:
    """Hundreds of due chats are not hundreds of refused logins; the state is told once."""
    sky.answer = _refused(401)
    for chat in range(1, 200):
        await app.send(("telegram", str(chat)), "hello")
    for _ in range(5):
        await core.pump()
    assert sky.asked <= resting.each_of(1, sender.LANES)
    told = await app.events.page(type_is("system.connection_changed"))
    assert [event.payload["status"] for event in told.nodes] == ["unauthorised"]


async def test_after_a_mended_token_rows_go_at_once(core: Outeract, app: App, sky: Sky) -> None:
    """The host connects anew, or starts again: nothing waits for a pause that has no reason."""
    sky.answer = _refused(401)
    delivery = await app.send(("telegram", "7"), "hello")
    await core.pump()
    sky.answer = sky.well
    await core.pump()
    assert (await delivery.state()).status == "queued"
    app.connect("telegram", token="1:b")
    await core.pump()
    assert (await delivery.state()).status == "sent"


async def test_a_new_process_tries_at_once(
    core: Outeract, app: App, sky: Sky, tmp_path: Path, clock: ManualClock
) -> None:
    """What a cron job left because a secret was wrong leaves with its next run."""
    sky.answer = offline
    await app.send(("telegram", "7"), "hello")
    await core.pump()
    await core.aclose()
    sky.answer = sky.well
    async with Outeract(
        tmp_path / "bot.db",
        clock=clock,
        transport=httpx.MockTransport(sky),
        allow_private_addresses=True,
    ) as again:
        again.app("support", profiles="disabled").connect("telegram", token="1:a")
        await again.pump()
    assert len(sky.sent) == 1


async def test_one_in_trouble_leaves_the_others_room(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With chats of a silent bot waiting for every lane there is, another bot's message leaves."""
    monkeypatch.setattr(sender, "LANES", 20)
    monkeypatch.setattr(resting, "EACH", 5)
    app.connect("telegram", name="healthy", token="2:b")
    done = anyio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if "/bot1:a/" in str(request.url):
            await anyio.sleep_forever()
        done.set()
        return httpx.Response(200, json={"ok": True, "result": {"message_id": 1, "date": 1}})

    core.runtime.http._network = _through(core, answer)
    for chat in range(1, 60):
        await app.send(("telegram", str(chat)), "hello")
    await app.send(("healthy", "7"), "hello")
    async with anyio.create_task_group() as group:
        group.start_soon(core.serve)
        with soon():
            await done.wait()
        group.cancel_scope.cancel()


def _through(core: Outeract, answer: Any) -> Any:
    from attrs import evolve

    return evolve(core.runtime.http._network, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("hours", [-24 * 365, -2, -0.1])
async def test_a_clock_set_back_silences_nobody(
    core: Outeract, app: App, sky: Sky, clock: ManualClock, hours: float
) -> None:
    """What waited for a moment still waits for a moment, also when the time of day says years."""
    for n in range(8):
        await app.send(("telegram", "7"), f"m{n}")
    sky.answer = _refused(500)
    await core.pump()
    sky.answer = sky.well
    clock.advance(hours * 3600)
    await app.send(("telegram", "8"), "another chat")
    for _ in range(30):
        await core.pump()
        clock.advance(130)
    assert len(sky.sent) >= 2
    assert any("another chat" in said for said in sky.sent)


async def test_what_is_not_to_leave_yet_does_not_leave_for_a_clock(
    core: Outeract, app: App, sky: Sky, clock: ManualClock
) -> None:
    """`not_before` is the host's word: far ahead is far ahead."""
    await app.send(("telegram", "7"), "next year", not_before=clock().replace(year=2027))
    for _ in range(5):
        await core.pump()
        clock.advance(3600)
    assert sky.sent == []


@pytest.mark.parametrize("conns", [1, 2, 3, 4, 50])
def test_whoever_is_silent_leaves_room(conns: int) -> None:
    """All connections have taken what they may, and answer nothing: while there are few, there is a share for one more."""
    lanes = sender.LANES
    each = resting.each_of(conns, lanes)
    assert each >= resting.EACH
    assert conns >= lanes // resting.EACH or conns * each + resting.EACH <= lanes


@pytest.mark.parametrize("trouble", ["offline", "unauthorised"])
async def test_what_stands_in_the_way_is_told_as_long_as_anything_waits_for_it(
    core: Outeract, app: App, sky: Sky, clock: ManualClock, trouble: str
) -> None:
    """By every report, once, with since when and until when; by none when nothing waits."""
    began, (sky.answer, _) = clock(), TROUBLES[trouble]
    delivery = await app.send(("telegram", "7"), "hello")
    first = await core.pump()
    clock.advance(0.5)
    second = await core.pump()
    for told in (first, second, together(first, second)):
        (one,) = told.troubles
        assert (one.application, one.connection, one.doing) == ("support", "telegram", "sending")
        assert one.since == began
        assert one.until is not None
        assert one.until > clock()
    asked = sky.asked
    assert await delivery.cancel()
    assert (await core.pump()).troubles == ()
    assert sky.asked == asked


async def test_those_that_fail_together_have_failed_once(
    core: Outeract, app: App, sky: Sky, clock: ManualClock
) -> None:
    """A hundred chats that are refused at once do not make the first pause a hundredth one."""
    sky.answer = _refused(401)
    for chat in range(1, 100):
        await app.send(("telegram", str(chat)), "hello")
    (one,) = (await core.pump()).troubles
    assert one.until is not None
    assert (one.until - clock()).total_seconds() < 2


async def test_how_long_a_platform_wants_to_be_left_alone_is_its_own_word(
    core: Outeract, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That polling works, or what was on its way before, ends no pause that the platform has asked for."""
    asked: list[int] = []

    def slow() -> None:
        asked.append(1)
        raise Throttled("slow down", after=30, scope="connection")

    began = clock()
    core.register("odd", wrongs.Odd)
    monkeypatch.setattr(wrongs.Odd, "does", {"send": slow})
    shop = core.app("shop")
    shop.connect("odd", account="s", poll=True)
    await shop.send(("odd", "bob"), "hello")
    for _ in range(5):
        (told,) = (await core.pump()).troubles
        assert told.until == began + timedelta(seconds=30)
        clock.advance(5)
    assert asked == [1]
    clock.advance(6)
    await core.pump()
    assert asked == [1, 1]
