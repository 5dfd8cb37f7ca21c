"""A person is erased while a turn with their words goes on: nothing of the turn comes to be, and it runs again.

Knows: how turns end, alone and with others; every byte of the folder. Does not know: what an erasure takes out.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import Alias, App, Message, Outeract, PlatformConnection
from outeract_core._store.transfer import erasing
from outeract_core.errors import BadInput
from outeract_core.events import Party
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.bots import Talk, talk
from tests.support.patience import until
from tests.support.raising import BACKENDS, crossed
from tests.support.store.platform import said, take
from tests.support.store.words import Words

pytestmark = pytest.mark.anyio
OTHERS = ("bob", "cid", "dan")


def _answers(message: Message) -> str:
    return f"you said {message.text}"


def _raises(message: Message) -> str:
    raise ValueError(f"cannot do {message.text}")


def _commits(message: Message) -> str:
    message.reply("first")
    return f"{message.sender.name if message.sender else ''}: {message.text}"


ENDINGS = {"answers": _answers, "raises": _raises, "says more": _commits}


async def _erased(bot: Talk, who: str = "ann") -> None:
    await bot.app.people.erase(await bot.app.people.by_external_id(bot.connection, who))


@pytest.mark.parametrize(
    ("ending", "attempts", "others", "overlap", "anyio_backend"),
    crossed(
        [(end, n, others) for end in ENDINGS for n in (1, 5) for others in ((), OTHERS)],
        ("burst", "queue", "concurrent"), BACKENDS,
    ),
)  # fmt: skip
async def test_nothing_comes_of_words_that_were_erased_meanwhile(
    tmp_path: Path, words: Words, ending: str, attempts: int, others: tuple[str, ...], overlap: str
) -> None:
    """However it ends: no file has a word of it, it runs again with what is left, and others are answered once."""
    bot, go, begun = talk(tmp_path / "bot.db", overlap=overlap), anyio.Event(), list[str]()
    seen: list[bool] = []
    async with bot.core:

        @bot.app.on("message.inbound", name="h", attempts=attempts)
        async def handler(message: Message) -> str | None:
            begun.append(message.text)
            await go.wait()
            if message.text in others:
                return f"hi {message.text}"
            seen.append(message.event.erased)
            return None if message.event.erased else ENDINGS[ending](message)

        await bot.says(words.plant("said"), user="ann")
        for who in others:
            await bot.says(who, user=who)
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await until(lambda: len(begun) == 1 + len(others))
            await _erased(bot)
            go.set()
        for _ in range(3):
            bot.clock.advance(60)
            await bot.core.pump()
        assert seen == [False, True]
        assert words.found() == set()
        assert Counter(bot.terminal.texts) == Counter(f"hi {who}" for who in others)
        assert await bot.events("system.handler_failed") == []
        assert [event.processed_at is None for event in await bot.events("message.inbound")] == (
            [False] * (1 + len(others))
        )


async def test_what_is_run_again_is_looked_at_as_well(tmp_path: Path, words: Words) -> None:
    """A turn that was given up, and is retried, is about an event that has a number of its own; who asked for
    it has been erased with it.
    """
    bot, go, runs = talk(tmp_path / "bot.db"), anyio.Event(), list[bool]()
    async with bot.core:

        @bot.app.on("message.inbound", name="h", attempts=1)
        async def handler(message: Message) -> str:
            runs.append(message.event.erased)
            if len(runs) == 1:
                raise ValueError("not today")
            await go.wait()
            return f"you said {message.text}."

        await bot.says(words.plant("said"))
        await bot.core.pump()
        await bot.app.retry((await bot.events("message.inbound"))[0])
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await until(lambda: len(runs) == 2)
            await _erased(bot)
            go.set()
        bot.clock.advance(60)
        await bot.core.pump()
        assert runs == [False, False]
        assert words.found() == set()
        assert await bot.events("message.outbound") == []


async def test_no_turn_begins_with_what_is_on_its_way_out(
    tmp_path: Path, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure of many events takes a while: what is still there is given to nobody."""
    bot, runs = talk(tmp_path / "bot.db"), list[bool]()
    real, may_go = erasing.carry_on, list[bool]()
    monkeypatch.setattr(erasing, "carry_on", lambda tx: bool(may_go) and real(tx))
    async with bot.core:

        @bot.app.on("message.inbound", name="h")
        async def handler(message: Message) -> None:
            runs.append(message.event.erased)

        await bot.says(words.plant("said"))
        await _erased(bot)
        await bot.core.pump()
        assert runs == []
        may_go.append(True)
        await bot.core.runtime.write(erasing.carry_on)
        bot.clock.advance(60)
        await bot.core.pump()
        assert runs == [True]


async def test_what_goes_on_in_such_a_turn_is_told_so(tmp_path: Path) -> None:
    """A task that the handler has left behind may say nothing in its name."""
    bot, refused, kept = talk(tmp_path / "bot.db"), list[str](), list[Any]()
    async with bot.core:

        @bot.app.on("message.inbound", name="h")
        async def handler(message: Message) -> None:
            kept.append(message)
            if len(kept) == 1:
                await _erased(bot)
                message.reply("hi")

        await bot.says("hello")
        await bot.core.pump()
        try:
            kept[0].reply("late")
        except BadInput as error:
            refused.append(str(error))
        assert "was erased meanwhile" in refused[0]


async def test_what_was_erased_before_is_no_reason(tmp_path: Path) -> None:
    """A name that was taken out of what somebody else has said: their turns go on as ever."""
    bot, begun = talk(tmp_path / "bot.db"), list[str]()
    async with bot.core:
        await bot.says("i am here", user="annabel")
        await bot.says("ask annabel", user="bob")
        await _erased(bot, "annabel")

        @bot.app.on("message.inbound", name="h", since="beginning")
        async def handler(message: Message) -> str:
            begun.append(message.text)
            return f"re {message.text}"

        await bot.core.pump()
        assert len(begun) == 2
        assert len(await bot.events("message.outbound")) == 2


@pytest.mark.parametrize("again", [False, True])
async def test_who_was_named_by_another_is_not_named_again(
    core: Outeract,
    app: App,
    plain: PlatformConnection,
    words: Words,
    clock: ManualClock,
    again: bool,
) -> None:
    """What goes out of somebody else's words during their turn is not said in its answer, in none of its runs."""
    name, go, heard = words.plant("her name"), anyio.Event(), list[str]()

    @app.on("message.inbound", name="h", attempts=1)
    async def handler(message: Message) -> str:
        heard.append(message.text)
        if again and len(heard) == 1:
            raise ValueError("not today")
        await go.wait()
        return f"you said {message.text}"

    ann = Party("ann", aliases=(Alias("username", name),))
    await take(core, plain, said("m1", "bob", f"hear @{name}"))
    if again:
        await core.pump()
        await app.retry((await app.events.page(type_is("message.inbound"))).nodes[0])
    await take(core, plain, said("m0", ann, "hi"))
    async with anyio.create_task_group() as group:
        group.start_soon(core.pump)
        await until(lambda: len(heard) == 2 + again)
        await app.people.erase(await app.people.by_external_id(plain, "ann"))
        go.set()
    clock.advance(60)
    await core.pump()
    assert sorted(heard[2 + again :]) == ["", "hear @[erased]"]
    assert words.found() == set()
