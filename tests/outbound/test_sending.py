"""Sending: the intent is on disk before anything leaves, nothing is sent twice, faults are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from attrs import define

from outeract_core import App, Attachment, Button, Content, Outeract, PlatformConnection, Template
from outeract_core.errors import BadInput, DeliveryTimeout, NotFound, Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_slack
from tests.support.bots import NUMBER, SECRET, deliver, statuses, talk, whatsapp, writes
from tests.support.patience import BRIEFLY
from tests.support.store.opening import Held

pytestmark = pytest.mark.anyio
ANN = "14155550100"


@define
class Line:
    """A bot on the fake WhatsApp."""

    core: Outeract
    app: App
    fake: FakePlatform
    connection: PlatformConnection
    clock: ManualClock


@pytest.fixture
async def line(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[Line]:
    """A bot on a fresh fake WhatsApp."""
    with FakePlatform(clock=clock) as fake:
        yield Line(core, app, fake, whatsapp(app, fake), clock)


async def test_send_returns_when_the_intent_is_on_disk(line: Line) -> None:
    """Before any request the message, its edges and its outbox row are there; `pump` delivers it."""
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "hello")
    assert line.fake.sent() == []
    assert (await delivery.state()).status == "queued"
    await line.core.pump()
    assert [m.text for m in line.fake.sent()] == ["hello"]
    assert (await delivery.wait("sent")).status == "sent"
    peer = await line.app.people.by_external_id("whatsapp", f"+{ANN}")
    assert (await line.app.conversations.of(peer)) is not None


async def test_what_was_claimed_is_sent_when_the_sender_is_cancelled(line: Line) -> None:
    """A sender that is told to end while it takes up work does that work; nothing stays leased."""
    await line.app.send(("whatsapp", f"+{ANN}"), "hello")
    held = Held()
    async with anyio.create_task_group() as group:
        group.start_soon(line.core.runtime.database.write, held)
        await held.busy()
        async with anyio.create_task_group() as sender:
            sender.start_soon(line.core._sender.run)
            await wait_all_tasks_blocked()
            sender.cancel_scope.cancel()
            held.release()
    await line.core.pump()
    assert [m.text for m in line.fake.sent()] == ["hello"]


async def test_statuses_come_back_and_are_folded(line: Line) -> None:
    """sent, delivered, read of the platform become child events and the derived status."""
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "hello")
    await line.core.pump()
    await statuses(line.core, line.connection, line.fake)
    state = await delivery.state()
    assert state.status == "read"
    assert state.sent_at
    assert state.delivered_at
    assert state.read_at
    story = await line.app.explain(delivery.id)
    kinds = {moment.event.event_type for moment in story.moments}
    assert kinds >= {"message.sent", "message.delivered", "message.read"}


async def test_the_same_key_sends_once(line: Line) -> None:
    """An idempotency key gives the first message back, also after it was delivered."""
    first = await line.app.send(("whatsapp", f"+{ANN}"), "pay", key="invoice-1")
    await line.core.pump()
    again = await line.app.send(("whatsapp", f"+{ANN}"), "pay", key="invoice-1")
    await line.core.pump()
    assert first.id == again.id
    assert len(line.fake.sent()) == 1


async def test_throttling_waits_as_long_as_the_platform_asks(line: Line) -> None:
    """A refusal for speed is no failure: the message leaves when the time is over."""
    line.fake.throttle(1, after=30)
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "slow")
    await line.core.pump()
    assert (await delivery.state()).status == "queued"
    line.clock.advance(3600)
    await line.core.pump()
    assert (await delivery.state()).status == "sent"
    assert len(line.fake.sent()) == 1


async def test_a_refusal_for_good_is_a_failure_with_its_reason(line: Line) -> None:
    """What the platform will never accept becomes `message.failed`; the next message leaves."""
    line.fake.refuse(1)
    first = await line.app.send(("whatsapp", f"+{ANN}"), "no")
    second = await line.app.send(("whatsapp", f"+{ANN}"), "yes")
    await line.core.pump()
    state = await first.state()
    assert state.status == "failed"
    assert state.reason
    assert (await second.state()).status == "sent"


async def test_an_answer_that_was_lost_is_told_as_unknown_and_never_repeated(line: Line) -> None:
    """The platform did it, the answer is gone: no second attempt, and its status settles it."""
    line.fake.drop(1, done=True)
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "once")
    await line.core.pump()
    assert (await delivery.state()).status == "unknown"
    line.clock.advance(3600)
    await line.core.pump()
    assert len(line.fake.sent()) == 1
    await statuses(line.core, line.connection, line.fake)
    assert (await delivery.state()).status == "read"


async def test_a_failure_told_later_settles_an_unknown_outcome(line: Line) -> None:
    """A `failed` status that carries our token finds its message although its id was never seen."""
    line.fake.drop(1, done=True)
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "once")
    await line.core.pump()
    message = line.fake.sent()[0]
    await deliver(line.core, line.connection, line.fake.whatsapp.status(message, "failed"))
    assert (await delivery.state()).status == "failed"


async def test_order_is_kept_in_a_conversation_while_its_head_waits(line: Line) -> None:
    """A message that must wait holds back its own conversation, and no other."""
    line.fake.throttle(1, after=20)
    for text in ("1", "2", "3"):
        await line.app.send(("whatsapp", f"+{ANN}"), text)
    await line.core.pump()
    for _ in range(5):
        line.clock.advance(60)
        await line.core.pump()
    assert [m.text for m in line.fake.sent()] == ["1", "2", "3"]


async def test_a_message_for_later_waits_and_holds_nobody_up(line: Line) -> None:
    """`not_before` delays one message; the others of the conversation overtake it."""
    later = line.clock() + timedelta(hours=1)
    await line.app.send(("whatsapp", f"+{ANN}"), "later", not_before=later)
    await line.app.send(("whatsapp", f"+{ANN}"), "now")
    await line.core.pump()
    assert [m.text for m in line.fake.sent()] == ["now"]
    line.clock.advance(3601)
    await line.core.pump()
    assert [m.text for m in line.fake.sent()] == ["now", "later"]


async def test_an_expired_message_is_cancelled(line: Line) -> None:
    """What could not begin in time is never sent, and says so."""
    line.fake.throttle(1, after=3600)
    delivery = await line.app.send(
        ("whatsapp", f"+{ANN}"), "soup is ready", expires=line.clock() + timedelta(minutes=5)
    )
    await line.core.pump()
    line.clock.advance(7200)
    await line.core.pump()
    assert (await delivery.state()).status == "cancelled"
    assert line.fake.sent() == []


async def test_a_message_can_be_taken_back_until_it_leaves(line: Line) -> None:
    """`cancel` is True before the request and False after it."""
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "oops")
    assert await delivery.cancel()
    await line.core.pump()
    assert line.fake.sent() == []
    assert (await delivery.state()).status == "cancelled"
    other = await line.app.send(("whatsapp", f"+{ANN}"), "fine")
    await line.core.pump()
    assert not await other.cancel()


async def test_a_sandbox_message_takes_the_whole_path_but_no_request(line: Line) -> None:
    """The same events, marked, and nothing at the platform."""
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "dry", sandbox=True)
    await line.core.pump()
    assert line.fake.requests == []
    assert (await delivery.state()).status == "sent"
    event = await line.app.events.get(delivery.id)
    assert event.payload["sandbox"] is True


async def test_long_text_leaves_in_parts_with_a_receipt_each(line: Line) -> None:
    """Nothing is cut off: the parts join to the text; only what is missing is sent again."""
    text = "\n".join(f"line {number} of a long story" for number in range(400))
    line.fake.drop(0)
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), text)
    await line.core.pump()
    parts = [m.text for m in line.fake.sent()]
    assert len(parts) > 1
    assert "".join("".join(parts).split()) == "".join(text.split())
    sent = [e async for e in line.app.events.all(type_is("message.sent"))]
    assert [e.payload["part"] for e in sent] == list(range(len(parts)))
    plan = await line.app.can(("whatsapp", f"+{ANN}"), text)
    assert len(plan.parts) == len(parts)
    assert (await delivery.state()).status == "sent"


async def test_a_part_that_was_throttled_is_the_only_one_repeated(line: Line) -> None:
    """A retry begins at the part that is missing."""
    text = "\n".join(f"line {number} of a long story" for number in range(400))
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), text)
    line.fake.fail(0)
    count = len((await line.app.can(("whatsapp", f"+{ANN}"), text)).parts)
    line.fake.throttle(1, after=1)
    for _ in range(4):
        await line.core.pump()
        line.clock.advance(120)
    assert len(line.fake.sent()) == count
    assert line.fake.duplicates() == []
    assert (await delivery.state()).status == "sent"


async def test_refused_credentials_hold_the_connection_and_say_so(line: Line) -> None:
    """Nothing fails while the token is wrong: it waits, and the connection's state is an event."""
    line.fake.fail(1, status=401, body={"error": {"code": 190, "message": "expired"}})
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "hello")
    await line.core.pump()
    assert (await delivery.state()).status == "queued"
    changed = [e async for e in line.app.events.all(type_is("system.connection_changed"))]
    assert [e.payload["status"] for e in changed] == ["unauthorised"]
    line.clock.advance(3600)
    await line.core.pump()
    assert (await delivery.state()).status == "sent"


async def test_verbs_on_messages_reach_the_platform(line: Line) -> None:
    """react, mark_read and typing are requests about the message, and leave their events."""
    await writes(line.core, line.connection, line.fake, "hi")
    inbound = (await line.app.events.page(type_is("message.inbound"))).nodes[0]
    await line.app.react(inbound, "👍")
    await line.app.typing(inbound)
    await line.app.mark_read(inbound)
    await line.core.pump()
    bodies = [r.json for r in line.fake.requests if r.json]
    assert any(b.get("type") == "reaction" and b["reaction"]["emoji"] == "👍" for b in bodies)
    assert any(b.get("status") == "read" for b in bodies)
    assert any("typing_indicator" in b for b in bodies)
    conversation = await line.app.conversations.of(inbound)
    assert await conversation.unread() == 0
    with pytest.raises(Unsupported):
        await line.app.edit(await _sent(line), "other words")
    with pytest.raises(BadInput):
        await line.app.delete(inbound)


async def _sent(line: Line) -> object:
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "mine")
    return delivery.id


async def test_replies_quote_and_stay_in_the_thread(line: Line) -> None:
    """`reply` carries the platform's id of the message that it answers."""
    await writes(line.core, line.connection, line.fake, "question")
    inbound = (await line.app.events.page(type_is("message.inbound"))).nodes[0]
    delivery = await line.app.reply(inbound, "answer")
    await line.core.pump()
    body = line.fake.requests[-1].json
    assert body["context"]["message_id"] == inbound.external_message_id
    found = await line.app.graph.walk(delivery.id, types=["reply_to"], depth=1)
    assert [e.id for e in found.events][1:] == [inbound.id]


async def test_files_of_every_source_are_sent(line: Line, tmp_path: Path) -> None:
    """Bytes, a path and a file node of the store; the same bytes are kept once."""
    path = tmp_path / "note.txt"
    path.write_text("from disk")
    node = await line.app.files.add(b"from a node", filename="node.txt", mime_type="text/plain")
    for source in (b"from memory", path, node):
        attachment = Attachment(source, filename="note.txt", mime_type="text/plain")
        await line.app.send(("whatsapp", f"+{ANN}"), Content(files=[attachment]))
    await line.core.pump()
    got = [upload.data for m in line.fake.sent() for upload in m.files]
    assert got == [b"from memory", b"from disk", b"from a node"]


async def test_buttons_are_offered_and_a_press_is_an_action(line: Line) -> None:
    """A press comes back as `message.action`, about the message with the buttons."""
    buttons = [Button("yes", "Yes"), Button("no", "No")]
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), Content("Sure?", buttons=buttons))
    await line.core.pump()
    sent = line.fake.sent()[0]
    await writes(
        line.core, line.connection, line.fake, "", type="interactive", context={"id": sent.id},
        interactive={"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}},
    )  # fmt: skip
    action = (await line.app.events.page(type_is("message.action"))).nodes[0]
    assert action.payload["id"] == "yes"
    assert action.origin_event_id == delivery.id


async def test_bad_arguments_write_nothing(line: Line) -> None:
    """Every refusal leaves the log as it was."""
    before = await line.app.events.count()
    naive = line.clock().replace(tzinfo=None)
    tries = [
        (NotFound, {"to": ("nowhere", "1"), "content": "x"}),
        (BadInput, {"to": ("whatsapp", ""), "content": "x"}),
        (BadInput, {"to": ("whatsapp", "+1", "planet"), "content": "x"}),
        (BadInput, {"to": ("whatsapp", "+1"), "content": 42}),
        (BadInput, {"to": ("whatsapp", "+1"), "content": "x", "not_before": naive}),
        (BadInput, {"to": "not an id", "content": "x"}),
        (BadInput, {"to": ("whatsapp", "+1"), "content": Content()}),
        (BadInput, {"to": ("whatsapp", "+1"), "content": "\u200b\n"}),
    ]
    for error, arguments in tries:
        with pytest.raises(error):
            await line.app.send(**arguments)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        Content(buttons=[Button("a", "A")])
    assert await line.app.events.count() == before


async def test_waiting_for_a_status_ends_with_a_clear_error(line: Line) -> None:
    """`wait` gives up after its time and says that the message is still on its way."""
    delivery = await line.app.send(("whatsapp", f"+{ANN}"), "hello")
    with pytest.raises(DeliveryTimeout, match="still on its way"):
        await delivery.wait("read", timeout=BRIEFLY)


async def test_a_user_is_reached_where_they_were_last_active_or_where_via_says(
    line: Line,
) -> None:
    """Sending to a user picks the last active route; `via` names platforms in order."""
    line.app.connect("console")
    await writes(line.core, line.connection, line.fake, "hi")
    person = await line.app.people.by_external_id("whatsapp", f"+{ANN}")
    other = await line.app.send(("console", "ann"), "hello there")
    here = await line.app.people.by_external_id("console", "ann")
    await line.app.people.merge(here, person)
    user = await line.app.people.user(person)
    await line.app.send(user, "default route", sandbox=True)
    await line.app.send(user, "by wish", via=["whatsapp"], sandbox=True)
    events = [e async for e in line.app.events.all(type_is("message.outbound"))]
    assert [e.platform for e in events if e.id != other.id] == ["console", "whatsapp"]
    with pytest.raises(NotFound):
        await line.app.send(user, "nowhere", via=["telegram"])
    for placed in (("console", "ann"), here, here.id, other.id):
        with pytest.raises(BadInput, match="via chooses"):
            await line.app.send(placed, "somewhere", via=["whatsapp"])


async def test_can_tells_the_route_and_what_stands_in_the_way(line: Line) -> None:
    """A closed messaging window and a stranger need a template; an open one tells until when."""
    stranger = await line.app.can(("whatsapp", f"+{ANN}"), "hello")
    assert stranger.to is None
    assert stranger.needs_template
    await writes(line.core, line.connection, line.fake, "hi")
    person = await line.app.people.by_external_id("whatsapp", f"+{ANN}")
    open_ = await line.app.can(person, "hello")
    assert (open_.to, open_.connection, len(open_.parts)) == (person, line.connection, 1)
    assert open_.window_until == line.clock() + timedelta(hours=24)
    assert not open_.needs_template
    line.clock.advance(25 * 3600)
    assert (await line.app.can(person, "hello")).needs_template
    assert not (await line.app.can(person, Content(template=Template("hi")))).needs_template


async def test_a_missing_secret_is_waited_for(tmp_path: Path, clock: ManualClock) -> None:
    """A secret that is not there delays the message; it is no failure, and its value shows nowhere."""
    with FakePlatform(clock=clock) as fake:
        async with Outeract(tmp_path / "b.db", clock=clock) as core:
            app = core.app("support")
            app.connect(
                "whatsapp", access_token="env:NO_SUCH_VARIABLE", app_secret=SECRET,
                verify_token="x-verify-x", phone_number_id=NUMBER, base_url=fake.url,
            )  # fmt: skip
            delivery = await app.send(("whatsapp", f"+{ANN}"), "hello")
            await core.pump()
            assert (await delivery.state()).status == "queued"
            story = str(await app.explain(delivery.id))
            assert "NO_SUCH_VARIABLE" in story
            assert SECRET not in story


async def test_secrets_given_as_text_are_not_in_the_file(tmp_path: Path) -> None:
    """A literal secret lives in memory only."""
    with FakePlatform() as fake:
        async with Outeract(tmp_path / "b.db") as core:
            whatsapp(core.app("support"), fake)
    assert SECRET.encode() not in (tmp_path / "b.db").read_bytes()


async def test_the_console_needs_no_network(tmp_path: Path) -> None:
    """On the console a message is printed once, whatever happens in between."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        await bot.app.send(("console", "ann"), "hello")
        await bot.core.pump()
        await bot.core.pump()
    assert bot.terminal.texts == ["hello"]


async def test_a_reply_in_a_thread_whose_root_was_never_seen_stays_in_it(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """A bot that is called into an old Slack thread answers there, not in the channel."""
    with FakePlatform(clock=clock) as fake:
        slack = app.connect(
            "slack", bot_token="xoxb-tests", signing_secret="slack-secret", base_url=fake.url
        )
        app.on("message.inbound", name="h")(lambda message: "here")
        root = f"{clock().timestamp() - 1000:.6f}"
        payload = fake.slack.say("U1", "come here", channel="C1", thread_ts=root)
        headers, body = sign_slack(payload, "slack-secret", clock())
        answer = await core.ingest(
            slack.webhook_id, slack.webhook_secret, "POST", headers, {}, body
        )
        assert answer.status == 200
        await core.pump()
        sent = [r for r in fake.requests if r.path.endswith("chat.postMessage")]
        assert [r.params["thread_ts"] for r in sent] == [root]
