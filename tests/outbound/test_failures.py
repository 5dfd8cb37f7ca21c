"""Why a message failed stands in its event as a class from a closed list; statuses carry their time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from outeract_adapters.meta_graph import Codes
from outeract_adapters.slack.errors import _FAILURES as SLACK
from outeract_adapters.telegram.errors import _FAILURES as TELEGRAM
from outeract_adapters.whatsapp.codes import CODES
from outeract_core import App, Outeract
from outeract_core.adapter import Call, Flow, Outgoing, Sent
from outeract_core.errors import FAILURES, Failure, Rejected, Unauthorised, Unsupported, failure_of
from outeract_core.events import Fact, Party
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import (
    BASE,
    Loft,
    Pigeon,
    arrive,
    connect,
    everything,
    person,
    said,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A store whose requests all go to the loft."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
        transport=httpx.MockTransport(Loft()),
    ) as core:  # fmt: skip
        yield core


async def failed(app: App) -> dict[str, Any]:
    """The payload of the one `message.failed`."""
    (event,) = [e for e in await everything(app) if e.event_type == "message.failed"]
    payload: dict[str, Any] = event.payload
    return payload


@pytest.mark.parametrize("failure", [None, "blocked", "window_closed"])
async def test_a_refusal_has_its_class(core: Outeract, app: App, failure: Failure | None) -> None:
    """What the adapter makes of the refusal, else `rejected`; beside the platform's words and code."""

    class Strict(Pigeon):
        def send(self, outgoing: Outgoing) -> Flow[Sent]:
            yield Call("POST", f"{BASE}/send")
            raise Rejected("no", code=403, failure=failure)

    core.register("strict", Strict)
    conn = app.connect("strict")
    await app.send((conn, "ann"), "hello")
    await core.pump()
    told = await failed(app)
    assert (told["class"], told["reason"], told["code"]) == (failure or "rejected", "no", "403")
    assert isinstance(told["time"], int)


@pytest.mark.parametrize(("told", "wanted"), [({}, "rejected"), ({"class": "blocked"}, "blocked"),
                                              ({"class": "odd"}, "rejected")])  # fmt: skip
async def test_a_platforms_status_has_class_time_and_name(
    core: Outeract, app: App, told: dict[str, Any], wanted: str
) -> None:
    """A failure that a webhook tells has a class of the list, its time and its message's id."""
    conn = connect(core, app)
    await app.send((conn, "ann"), "hello")
    await core.pump()
    await arrive(core, conn, Fact(
        "message.failed", "s1", told, sender=Party("bot", "system"), target="out-1",
        occurred_at=said("x", "", "ann", at=60).occurred_at,
    ))  # fmt: skip
    found = await failed(app)
    assert (found["class"], found["external_message_id"]) == (wanted, "out-1")
    assert found["time"] == 1767225660000


def test_every_class_that_an_adapter_names_is_of_the_list() -> None:
    """The tables of the platforms hold no class that a host could not know."""
    named = [*CODES.failures.values(), *SLACK.values(), *(name for _phrase, name in TELEGRAM)]
    assert set(named) <= set(FAILURES)
    assert isinstance(CODES, Codes)
    assert CODES.failures[131047] == "window_closed"
    assert failure_of(Unsupported("x")) == "unsupported"
    assert failure_of(Unauthorised("x")) == "unauthorised"


async def test_where_one_reaction_is_all_a_new_one_takes_the_place(
    core: Outeract, app: App
) -> None:
    """`single` in a reaction: the person's other reactions to the message are gone."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    for n, emoji in enumerate("👍🎉"):
        payload = {"emoji": emoji, "single": True}
        await arrive(
            core, conn,
            Fact("message.reaction_added", f"r{n}", payload, sender=Party("ann"), target="m1"),
        )  # fmt: skip
    conversation = await app.conversations.of(await person(app, conn, "ann"))
    (message,) = (await conversation.page()).nodes
    assert [(one.emoji, one.count) for one in message.reactions] == [("🎉", 1)]
