"""explain(): the whole story of one message, also when it is not over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from outeract_core import App, Outeract
from outeract_core.errors import BadInput, NotFound
from outeract_core.events import Fact, Party
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import Loft, about, arrive, connect, event, person, said

pytestmark = pytest.mark.anyio


@pytest.fixture
def loft() -> Loft:
    """The platform's far end."""
    return Loft()


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock, loft: Loft) -> AsyncIterator[Outeract]:
    """A store whose requests all go to the loft."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
        transport=httpx.MockTransport(loft),
    ) as core:  # fmt: skip
        yield core


def status(kind: str, target: str, key: str, **payload: Any) -> Fact:
    """What the platform tells of a message that was sent."""
    told = {"external_message_id": target, **payload}
    return Fact(f"message.{kind}", key, told, sender=Party("bot", "system"), chat=Party("ann"),
                target=target)  # fmt: skip


async def test_an_answer_is_explained_from_question_to_reading(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """Question, answer, sent, delivered and read stand in order, with who said it to whom."""
    conn = connect(core, app)
    app.on("message.inbound", name="echo")(lambda message: f"You said {message.text}")
    await arrive(core, conn, said("m1", "hi", "ann", name="Ann"))
    await core.pump()
    clock.advance(10)
    await arrive(core, conn, status("delivered", "out-1", "s1"))
    clock.advance(10)
    await arrive(core, conn, status("read", "out-1", "s2"))
    question = await event(app, conn, "m1")
    answer = await event(app, conn, "out-1")
    story = await app.explain(answer)
    assert [m.what.split()[0] for m in story.moments] == [
        "message.inbound", "▶", "sent", "delivered", "read",
    ]  # fmt: skip
    assert [m.at for m in story.moments] == sorted(m.at for m in story.moments)
    assert story.event.status == "read"
    assert story.pending is None
    assert story.sender is not None
    assert story.sender.kind == "system"
    assert story.recipient == await person(app, conn, "ann")
    assert question in story.graph
    assert {e.edge_type for e in story.graph.edges} >= {
        "triggered_by",
        "origin",
        "sent_by",
        "sent_to",
    }
    from_the_question = await app.explain(question.id)
    assert answer.id in from_the_question.graph
    assert from_the_question.moments[0].what.startswith("▶ message.inbound hi")
    assert "Ann → " in str(from_the_question)


async def test_a_message_that_waits_says_for_what(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """Before it is sent the explanation names the state, the attempts and when it is due."""
    conn = connect(core, app)
    delivery = await app.send((conn, "ann"), "hello")
    story = await app.explain(delivery.id)
    assert story.event.status == "queued"
    assert story.pending is not None
    assert story.pending.startswith("queued, 0 attempts, due 2026-01-01 00:00:00")
    assert str(story).splitlines()[-1] == f"now: {story.pending}"
    await core.pump()
    story = await app.explain(delivery.id)
    assert (story.event.status, story.pending) == ("sent", None)


async def test_a_message_that_fails_says_why(core: Outeract, app: App, loft: Loft) -> None:
    """The platform's reason for a failure is part of the story."""
    conn = connect(core, app)
    delivery = await app.send((conn, "ann"), "hello")
    await core.pump()
    await arrive(core, conn, status("failed", "out-1", "s1", reason="number is gone"))
    story = await app.explain(delivery.id)
    assert story.event.status == "failed"
    assert story.moments[-1].what.endswith("number is gone")


async def test_a_handler_that_fails_is_part_of_the_story(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """While it is tried again the story says when; once it is given up it says so."""
    conn = connect(core, app)

    @app.on("message.inbound", name="clumsy", attempts=2)
    def clumsy(_message: Any) -> None:
        raise RuntimeError("oh no")

    await arrive(core, conn, said("m1", "hi", "ann"))
    await core.pump()
    message = await event(app, conn, "m1")
    story = await app.explain(message)
    assert story.pending is not None
    assert story.pending.startswith("handler clumsy failed 1 times, again at 2026-01-01")
    clock.advance(3600)
    await core.pump()
    story = await app.explain(message)
    assert story.pending is None
    assert (
        story.moments[-1].what == "  handler clumsy gave up after 2 attempts: RuntimeError: oh no"
    )
    assert story.moments[-2].what == "  handler clumsy, attempt 1 failed: RuntimeError: oh no"
    failure = story.moments[-1].event
    assert failure is not None
    assert "oh no" in failure.payload["traceback"]


async def test_edits_reactions_and_quotes_are_told(core: Outeract, app: App) -> None:
    """What others did to the message stands in its story, with the words or the emoji."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("m1", "helo", "ann"),
        about("message.edited", "e1", "m1", {"message": {"text": "hello"}}),
        about("message.reaction_added", "r1", "m1", {"emoji": "👍"}),
        said("m2", "what?", "bob", group="g1", reply_to="m1"),
    )  # fmt: skip
    story = await app.explain(await event(app, conn, "m1"))
    assert [m.what for m in story.moments] == [
        "▶ message.inbound helo", "  message.edited hello", "  message.reaction_added 👍",
        "  message.inbound what?",
    ]  # fmt: skip


async def test_the_story_goes_into_json(core: Outeract, app: App) -> None:
    """`to_json` holds the same moments, and is plain JSON."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "half \ud800\nline", "ann"))
    message = await event(app, conn, "m1")
    await app.send(message, "hello")
    story = await app.explain(message)
    told = story.to_json()
    assert json.loads(json.dumps(told)) == told
    assert [m["what"] for m in told["moments"]] == [m.what for m in story.moments]
    assert [m["event_id"] for m in told["moments"]] == [
        str(m.event.id) for m in story.moments if m.event
    ]
    assert (told["event"]["id"], told["event"]["status"]) == (str(message.id), "received")
    assert (told["sender"], told["recipient"]) == ("ann", "pigeon")


async def test_an_event_of_the_hosts_own_has_a_story(app: App) -> None:
    """Whatever its payload is; nobody sent it, nothing is pending."""
    for payload in ([1], "text", None, {"parts": "x"}):
        story = await app.explain(await app.emit("note", payload))
        assert (story.sender, story.recipient, story.pending) == (None, None, None)
        assert str(story).splitlines()[1] == "nobody → nobody"
        assert json.loads(json.dumps(story.to_json()))["event"]["payload"] == payload


async def test_only_events_of_this_application_are_explained(core: Outeract, app: App) -> None:
    """Another's event is NotFound, what is no event too, nonsense is BadInput."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    foreign = await core.app("other").emit("note", 1)
    for wrong in (foreign, app.id, (await person(app, conn, "ann")).id):
        with pytest.raises(NotFound):
            await app.explain(wrong)
    with pytest.raises(BadInput):
        await app.explain("m1")  # type: ignore[arg-type]
