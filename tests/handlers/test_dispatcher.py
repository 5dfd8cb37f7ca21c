"""Handlers: one turn is one commit, nothing is dropped, nothing runs twice, one poison stops nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Content, Message, Outeract
from outeract_core._api.workers import _hosted
from outeract_core._handlers.dispatcher import Dispatcher
from outeract_core.errors import BadInput, LeaseHeld
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.bots import talk
from tests.support.patience import soon, until
from tests.support.reading.world import arrive, connect, said

pytestmark = pytest.mark.anyio


async def test_a_returned_text_is_the_reply(tmp_path: Path) -> None:
    """What a handler returns is sent, and is triggered by the message."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        bot.app.on("message.inbound")(lambda message: f"You said: {message.text}")
        await bot.says("hello")
        await bot.core.pump()
        assert bot.terminal.texts == ["You said: hello"]
        reply = (await bot.events("message.outbound"))[0]
        causes = await bot.app.graph.ancestors(reply)
        assert [event.text for event in causes.events] == ["You said: hello", "hello"]
        assert reply.status == "sent"


async def test_everything_in_a_turn_commits_together_with_handled(tmp_path: Path) -> None:
    """A handler that raises leaves no trace of what it said before; when it succeeds, all of it is there."""
    bot = talk(tmp_path / "a.db")
    fails = [True]
    async with bot.core:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> Content:
            message.reply("one")
            await bot.app.emit("order.created", {"n": 1})
            await bot.app.send(message.sender, "two")
            if fails:
                fails.pop()
                raise RuntimeError("not today")
            return Content("three")

        await bot.says("go")
        await bot.core.pump()
        assert bot.terminal.texts == []
        assert await bot.app.events.count(type_is("order.created")) == 0
        bot.clock.advance(60)
        await bot.core.pump()
        assert bot.terminal.texts == ["one", "two", "three"]
        assert await bot.app.events.count(type_is("order.created")) == 1


@pytest.mark.parametrize("wait", [0, 5])
async def test_what_waited_for_its_turn_and_was_erased_is_gone(tmp_path: Path, wait: float) -> None:
    """However short ago it was read: a handler is given nothing that is erased when its turn begins."""
    bot = talk(tmp_path / "a.db")
    seen: list[bool] = []
    started, go_on = anyio.Event(), anyio.Event()
    async with bot.core:

        @bot.app.on("message.inbound", overlap="queue")
        async def handler(message: Message) -> None:
            seen.append(message.event.erased)
            started.set()
            await go_on.wait()

        await bot.says("first")
        await bot.says("second", n=2)
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await started.wait()
            bot.clock.advance(wait)
            sender = bot.app.sender_of((await bot.events("message.inbound"))[0])
            assert sender is not None
            await bot.app.people.erase(sender.user_id)
            go_on.set()
    assert seen == [False, True]


async def test_a_turn_that_was_cancelled_is_taken_again(tmp_path: Path) -> None:
    """A host that gives up waiting for `pump`, and calls it again later, loses no message."""
    bot = talk(tmp_path / "a.db")
    seen: list[str] = []
    started = anyio.Event()
    async with bot.core:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> str:
            seen.append(message.text)
            if len(seen) == 1:
                started.set()
                await anyio.sleep_forever()
            return "here I am"

        await bot.says("hello")
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await started.wait()
            group.cancel_scope.cancel()
        await bot.core.pump()
        assert seen == ["hello", "hello"]
        assert bot.terminal.texts == ["here I am"]


async def test_a_handled_message_is_not_handled_again_after_a_restart(tmp_path: Path) -> None:
    """The cursor is in the file: another process goes on where this one stopped."""
    seen: list[str] = []
    for round_ in range(3):
        bot = talk(tmp_path / "a.db")
        async with bot.core:
            bot.app.on("message.inbound", name="log")(lambda message: seen.append(message.text))
            await bot.says(f"line {round_}", n=round_)
            await bot.says(f"line {round_}", n=round_)
            await bot.core.pump()
    assert seen == ["line 0", "line 1", "line 2"]


async def test_a_poison_message_is_parked_and_the_queue_goes_on(tmp_path: Path) -> None:
    """After its attempts it becomes `system.handler_failed` with the traceback; others are answered."""
    bot = talk(tmp_path / "a.db", overlap="queue")
    async with bot.core:

        @bot.app.on("message.inbound", attempts=3)
        def handler(message: Message) -> str:
            if message.text == "poison":
                raise ValueError("cannot digest this")
            return f"ok {message.text}"

        await bot.says("poison")
        await bot.says("after")
        await bot.says("elsewhere", user="bob")
        await bot.core.pump()
        assert bot.terminal.texts == ["ok elsewhere"]
        for _ in range(3):
            bot.clock.advance(3600)
            await bot.core.pump()
        assert sorted(bot.terminal.texts) == ["ok after", "ok elsewhere"]
        parked = (await bot.events("system.handler_failed"))[0]
        assert "cannot digest this" in parked.payload["traceback"]
        assert parked.payload["attempts"] == 3


async def test_burst_gathers_what_arrives_while_a_handler_runs(tmp_path: Path) -> None:
    """Messages that wait arrive together, in order, and none is dropped."""
    bot = talk(tmp_path / "a.db", overlap="burst")
    turns: list[list[str]] = []
    async with bot.core:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> None:
            turns.append([event.text for event in message.events])
            if len(turns) == 1:
                await bot.says("two")
                await bot.says("three")

        await bot.says("one")
        await bot.core.pump()
    assert turns == [["one"], ["two", "three"]]


async def test_a_burst_with_one_poison_message_loses_only_that(tmp_path: Path) -> None:
    """After a failure the messages of a burst are tried one at a time."""
    bot = talk(tmp_path / "a.db", overlap="burst")
    handled: list[str] = []
    async with bot.core:

        @bot.app.on("message.inbound", attempts=2)
        def handler(message: Message) -> None:
            if "poison" in message.text:
                raise ValueError("no")
            handled.extend(event.text for event in message.events)

        for text in ("poison", "b", "c"):
            await bot.says(text)
        for _ in range(4):
            await bot.core.pump()
            bot.clock.advance(3600)
        assert handled == ["b", "c"]
        assert len(await bot.events("system.handler_failed")) == 1


async def test_queue_keeps_order_within_a_conversation(tmp_path: Path) -> None:
    """With `queue` each message is a turn of its own, in order, one at a time."""
    bot = talk(tmp_path / "a.db", overlap="queue")
    running, most, seen = [0], [0], []
    async with bot.core:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> None:
            running[0] += 1
            most[0] = max(most[0], running[0])
            await anyio.lowlevel.checkpoint()
            seen.append(message.text)
            running[0] -= 1

        for number in range(10):
            await bot.says(str(number))
        await bot.core.pump()
    assert seen == [str(number) for number in range(10)]
    assert most == [1]


async def test_concurrent_runs_messages_of_one_conversation_side_by_side(tmp_path: Path) -> None:
    """With `concurrent` nobody waits for anybody."""
    bot = talk(tmp_path / "a.db")
    together = anyio.Event()
    waiting: list[str] = []
    async with bot.core:

        @bot.app.on("message.inbound", overlap="concurrent")
        async def handler(message: Message) -> None:
            waiting.append(message.text)
            if len(waiting) == 3:
                together.set()
            with soon():
                await together.wait()

        for text in "abc":
            await bot.says(text)
        await bot.core.pump()
    assert sorted(waiting) == ["a", "b", "c"]


async def test_patterns_choose_events(tmp_path: Path) -> None:
    """An exact type, a prefix with `.*`, or all of them; also the library's own and the host's."""
    bot = talk(tmp_path / "a.db")
    seen: dict[str, list[str]] = {"exact": [], "prefix": [], "all": []}

    def note(name: str) -> Any:
        return lambda message: seen[name].append(message.type)

    async with bot.core:
        bot.app.on("order.created", name="exact")(note("exact"))
        bot.app.on("order.*", name="prefix")(note("prefix"))
        bot.app.on("*", name="all")(note("all"))
        await bot.app.emit("order.created", {})
        await bot.app.emit("order.item.added", {})
        await bot.app.emit("orders.other", {})
        await bot.core.pump()
    assert seen["exact"] == ["order.created"]
    assert seen["prefix"] == ["order.created", "order.item.added"]
    assert seen["all"] == ["order.created", "order.item.added", "orders.other"]


async def test_two_handlers_of_one_event_are_independent(tmp_path: Path) -> None:
    """One of them failing does not run the other again."""
    bot = talk(tmp_path / "a.db")
    good: list[str] = []
    async with bot.core:
        bot.app.on("message.inbound", name="good")(lambda message: good.append(message.text))

        @bot.app.on("message.inbound", name="bad", attempts=3)
        def bad(message: Message) -> None:
            raise RuntimeError

        await bot.says("x")
        for _ in range(5):
            await bot.core.pump()
            bot.clock.advance(3600)
        assert good == ["x"]
        assert len(await bot.events("system.handler_failed")) == 1


async def test_only_one_opening_runs_the_handlers(tmp_path: Path) -> None:
    """A second dispatcher on the file is refused with a clear error until the first has gone."""
    first, second = talk(tmp_path / "a.db"), talk(tmp_path / "a.db")
    async with second.core:
        async with first.core:
            for bot in (first, second):
                bot.app.on("message.inbound", name="h")(lambda message: "yes")
            await first.says("x")
            async with first.core.runtime.ownership.session(serving=True):
                await first.core.pump()
                with pytest.raises(LeaseHeld, match="run in process"):
                    await second.core.pump()
        await second.says("y", n=2)
        await second.core.pump()
        assert second.terminal.texts == ["yes"]


async def test_a_lease_that_was_lost_rolls_its_turn_back(tmp_path: Path) -> None:
    """Who slept over the end of the lease commits nothing of the turn that another has run meanwhile."""
    first, second = talk(tmp_path / "a.db"), talk(tmp_path / "a.db")
    second.clock.set(first.clock())
    async with first.core, second.core:

        @first.app.on("message.inbound", name="h")
        async def slow(message: Message) -> str:
            second.clock.advance(3600)
            await second.core.pump()
            return "too late"

        second.app.on("message.inbound", name="h")(lambda message: "in time")
        await first.says("x")
        await first.core.pump()
        assert [event.text for event in await first.events("message.outbound")] == ["in time"]


async def test_who_holds_no_lease_does_not_turn_in_circles(tmp_path: Path) -> None:
    """A turn that a commit refuses is not begun again at once, but when a second has passed."""
    bot, turns = talk(tmp_path / "a.db"), []
    async with bot.core:
        bot.app.on("message.inbound", name="h")(lambda message: turns.append(message.text) or "yes")
        await bot.says("x")
        dispatcher = Dispatcher(_hosted(bot.app))
        assert await dispatcher.step() == 1
        bot.clock.advance(1)
        assert await dispatcher.step() == 1
        assert turns == ["x", "x"]
        await bot.core.pump()
        assert bot.terminal.texts == ["yes"]


async def test_what_a_handler_may_not_return_is_an_error_of_the_handler(tmp_path: Path) -> None:
    """A number is no reply: the handler fails, visibly, and nothing is sent."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        bot.app.on("message.inbound", name="h", attempts=1)(lambda message: 42)
        await bot.says("x")
        await bot.core.pump()
        assert "returns text" in (await bot.events("system.handler_failed"))[0].payload["traceback"]
        assert bot.terminal.texts == []


async def test_a_handler_may_return_what_reply_gave_it(tmp_path: Path) -> None:
    """`return message.reply(…)` says it once."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        bot.app.on("message.inbound", name="h")(lambda message: message.reply("once"))
        await bot.says("x")
        await bot.core.pump()
        assert bot.terminal.texts == ["once"]


async def test_what_a_task_says_after_its_handler_has_returned_is_sent_too(tmp_path: Path) -> None:
    """A turn that is over takes nothing in: `app.send` commits by itself, a message's verbs refuse."""
    bot = talk(tmp_path / "a.db")
    go, refused = anyio.Event(), []
    async with bot.core, anyio.create_task_group() as group:

        async def later(message: Message) -> None:
            await go.wait()
            await bot.app.send(message.event, "late")
            try:
                message.reply("too late")
            except BadInput as error:
                refused.append(str(error))

        @bot.app.on("message.inbound", name="h")
        async def handler(message: Message) -> str:
            group.start_soon(later, message)
            return "now"

        await bot.says("x")
        await bot.core.pump()
        go.set()
        with soon():
            while not refused:
                await anyio.lowlevel.checkpoint()
        await bot.core.pump()
        assert bot.terminal.texts == ["now", "late"]
        assert "await app.send" in refused[0]


async def test_registering_wrongly_is_refused(tmp_path: Path) -> None:
    """Bad patterns, unknown policies and a name that is taken are told at once."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        for pattern in ("Message", "message.*.x", "", "message.in*"):
            with pytest.raises(BadInput):
                bot.app.on(pattern)
        with pytest.raises(BadInput):
            bot.app.on("*", overlap="sometimes")
        bot.app.on("*", name="h")(lambda message: None)
        with pytest.raises(BadInput):
            bot.app.on("*", name="h")(lambda message: None)


async def test_serve_answers_while_it_runs(tmp_path: Path) -> None:
    """`serve` works in the background until it is cancelled; replies come without a pump."""
    bot = talk(tmp_path / "a.db")
    async with bot.core, anyio.create_task_group() as group:
        bot.app.on("message.inbound", name="h")(lambda message: "pong")
        group.start_soon(bot.core.serve)
        await bot.says("ping")
        await until(lambda: bot.terminal.texts)
        group.cancel_scope.cancel()
    assert bot.terminal.texts == ["pong"]


async def test_a_clock_that_jumps_back_stops_nothing(tmp_path: Path) -> None:
    """Events stay in order of their commits, handlers and sender go on."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        bot.app.on("message.inbound", name="h")(lambda message: f"re {message.text}")
        await bot.says("a")
        await bot.core.pump()
        bot.clock.advance(-86_400)
        await bot.says("b")
        await bot.core.pump()
        assert bot.terminal.texts == ["re a", "re b"]
        events = [event async for event in bot.app.events.all()]
        assert [e.position for e in events] == sorted(e.position for e in events)


async def test_turns_that_end_together_keep_their_own_order(tmp_path: Path) -> None:
    """A unit of the host's sees what its turn has said before it, and not what it says after it."""
    async with Outeract(tmp_path / "a.db", clock=ManualClock(), search=None) as core:
        app = core.app("support")
        connection = connect(core, app)
        seen: dict[str, int] = {}

        @app.on("message.inbound")
        async def handler(message: Message) -> None:
            who = message.text

            def unit(tx: Any) -> None:
                sql = "SELECT c.outbound FROM conversation c JOIN puser p ON p.id = c.peer WHERE p.ext = :who"
                seen[who] = tx.dynamic(sql, {"who": who})[0][0]

            message.reply("before")
            await app.commit(unit)
            message.reply("after")

        await arrive(core, connection, *[said(who, who, who) for who in "abc"])
        await core.pump()
        assert seen == {"a": 1, "b": 1, "c": 1}
        texts = [event.text async for event in app.events.all(type_is("message.outbound"))]
        assert sorted(texts) == ["after"] * 3 + ["before"] * 3


@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_a_key_that_is_used_again_names_the_first_message(tmp_path: Path, kind: str) -> None:
    """In one turn, in the next one, and after what was sent outside: every handle leads to what there is."""
    bot, handles = talk(tmp_path / "a.db"), list[Any]()
    async with bot.core:

        def plain(message: Message) -> None:
            for _ in range(2):
                handles.append(message.reply("welcome", key="welcome"))
                handles.append(message.reply("the rules", key="rules"))
                handles.append(message.reply("again"))

        async def handler(message: Message) -> None:
            plain(message)

        bot.app.on("message.inbound", name="h")(handler if kind == "async" else plain)
        outside = await bot.app.send(("console", "ann"), "welcome", key="welcome")
        for text in ("one", "two"):
            await bot.says(text)
            await bot.core.pump()
        welcomes, rules, plain_ones = handles[::3], handles[1::3], handles[2::3]
        assert {one.id for one in welcomes} == {outside.id}
        assert len({one.id for one in rules}) == 1
        assert len({one.id for one in plain_ones}) == 4
        assert {(await one.state()).status for one in handles} == {"sent"}
    assert sorted(bot.terminal.texts) == ["again"] * 4 + ["the rules", "welcome"]
