"""An erasure reaches what was done because of somebody, and takes no more than the host has said.

Knows: what a host may say of its own events, turns, what waits to be sent. Does not know: platforms
(`test_grep.py` has those).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core.errors import BadInput
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import events, said, take
from tests.support.store.words import Words

pytestmark = pytest.mark.anyio


async def _alice(app: App, plain: PlatformConnection) -> Any:
    return await app.people.by_external_id(plain, "alice")


async def test_what_others_were_still_to_be_told_is_taken_back(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """The bot was about to pass on what somebody has said: it is neither kept nor sent."""

    @app.on("message.inbound", name="relay")
    async def relay(message: Any) -> None:
        later = clock() + timedelta(hours=1)
        await app.send((plain, "bob"), f"alice says {message.text}", not_before=later)

    await take(core, plain, said("m1", text=words.plant("text"), group="g"))
    await core.pump()
    assert words.found() == {"text"}
    await app.people.erase(await _alice(app, plain))
    clock.advance(7200)
    assert (await core.pump()).sent == 0
    assert words.found() == set()


async def test_what_was_joined_in_one_turn_goes_together(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> None:
    """What came of a burst goes with any message of it, and what is kept of its failure too."""
    tried = []

    @app.on("message.inbound", name="echo")
    async def echo(message: Any) -> str:
        tried.append(message.text)
        if len(tried) == 1:
            raise ValueError(message.text)
        return str(message.text)

    await take(core, plain, said("m1", "bob", "hello"), said("m2", "bob", words.plant("about her")))
    passed = (await events(app))[1]
    await take(core, plain, said("m3", "bob", "bye"))
    await core.pump()
    await app.edge(passed, "quotes", await _known(core, app, plain))
    await app.people.erase(await _alice(app, plain))
    assert "\n" in tried[0]
    assert words.found() == set()
    assert [e.text for e in await events(app) if e.event_type == "message.inbound"][-2] == "bye"


async def _known(core: Outeract, app: App, plain: PlatformConnection) -> Any:
    await take(core, plain, said("known", "alice", "me"))
    return await _alice(app, plain)


# ── the host's own events ─────────────────────────────────────────────────────────────────────


@pytest.fixture
async def own(core: Outeract, app: App, plain: PlatformConnection, words: Words) -> Words:
    """Somebody's words in an event of the host's own, which was emitted in their turn."""

    @app.on("message.inbound", name="note")
    async def note(message: Any) -> None:
        await app.emit("note.taken", {"number": 7, "words": [message.text, {"by": "x"}]})

    await take(core, plain, said("m1", text=words.plant("text")))
    await core.pump()
    return words


async def _note(app: App) -> Any:
    return next(e for e in await events(app) if e.event_type == "note.taken").payload


async def test_it_is_replaced_unless_the_host_says_otherwise(
    app: App, plain: PlatformConnection, own: Words
) -> None:
    """Without a rule it goes, and its type and edges stay."""
    await app.people.erase(await _alice(app, plain))
    assert await _note(app) == {"erased": True}
    assert own.found() == set()


async def test_the_host_may_keep_it(app: App, plain: PlatformConnection, own: Words) -> None:
    """What must be kept for other reasons is, and nothing else with it; the first pattern counts."""
    rules: Any = {"note.*": "keep", "*": "replace"}
    done = await app.people.erase(await _alice(app, plain), own_events=rules)
    assert (await _note(app))["number"] == 7
    assert done.quotes == 0
    assert [e.event_type for e in await events(app) if e.erased] == ["message.inbound"]


async def test_the_host_may_take_a_part_out(
    app: App, plain: PlatformConnection, own: Words
) -> None:
    """A function says what stays: each value is as it was, or is marked."""
    rules: Any = {"note.taken": lambda told: {**told, "words": "[erased]"}}
    done = await app.people.erase(await _alice(app, plain), own_events=rules)
    assert await _note(app) == {"number": 7, "words": "[erased]"}
    assert done.quotes == 1
    assert own.found() == set()


async def test_a_function_may_have_all_of_it_go(
    app: App, plain: PlatformConnection, own: Words
) -> None:
    """None is as `replace`."""
    await app.people.erase(
        await _alice(app, plain), own_events={"note.taken": lambda _told: None}
    )  # fmt: skip
    assert await _note(app) == {"erased": True}


@pytest.mark.parametrize(
    "result",
    [
        {"number": 8, "words": "[erased]"}, {"number": 7}, {}, [], "x", {"number": 7, "words": "gone"},
        {"number": 7, "words": "[erased]", "more": 1},
    ],
)  # fmt: skip
async def test_an_erasure_is_no_way_to_rewrite_an_event(
    app: App, plain: PlatformConnection, own: Words, result: Any
) -> None:
    """A function that changes a value without saying so is refused, and nothing was erased."""
    before = await events(app)
    with pytest.raises(BadInput, match=r"note\.taken"):
        await app.people.erase(
            await _alice(app, plain), own_events={"note.taken": lambda _told: result}
        )
    assert await events(app) == before


@pytest.mark.parametrize(
    "rules", [{"message.*": "keep"}, {"user.erased": "keep"}, {"note.*": "hide"}, {"No te": "keep"}]
)
async def test_rules_are_for_the_hosts_own_events(
    app: App, plain: PlatformConnection, own: Words, rules: Any
) -> None:
    """The library's own types, other words and bad patterns are refused before anything is done."""
    before = await events(app)
    with pytest.raises(BadInput):
        await app.people.erase(await _alice(app, plain), own_events=rules)
    assert await events(app) == before
