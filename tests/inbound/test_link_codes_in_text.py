"""Link codes inside what people write: found, used, refused, and confirmed when all could read them.

Knows: `link_code_auto_detect`, groups, signed webhooks. Does not know: the rules for codes themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core._domain.rules.link_code import find_code
from outeract_core.errors import ConfirmationRequired, UsedUpCode
from outeract_core.model import Event, PlatformConnection, PlatformUser
from outeract_core.testing import FakePlatform, ManualClock, sign_whatsapp
from tests.support.store.platform import events, kinds, party, said, take

SECRET, NUMBER = "app-secret-of-meta", "106540352242922"


@pytest.fixture
def app(core: Outeract) -> App:
    """An application that looks for codes."""
    return core.app("support", link_code_auto_detect="enabled")


@pytest.fixture
async def alice(core: Outeract, app: App, plain: PlatformConnection) -> PlatformUser:
    """Somebody who asks for codes."""
    await take(core, plain, said("from alice", "alice"))
    return await app.people.by_external_id(plain, "alice")


async def _same(app: App, plain: PlatformConnection, *names: str) -> bool:
    found = [await app.people.by_external_id(plain, name) for name in names]
    return len({who.user_id for who in found}) == 1


async def _reasons(app: App) -> list[str]:
    found = [event for event in await events(app) if event.event_type == "link_code.refused"]
    return [event.payload["reason"] for event in found]


# ── by a signed webhook ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """WhatsApp, to write webhooks as Meta does."""
    with FakePlatform() as fake:
        yield fake


def _whatsapp(app: App, fake: FakePlatform) -> PlatformConnection:
    return app.connect(
        "whatsapp", access_token="token-of-meta", app_secret=SECRET, verify_token="verify",
        phone_number_id=NUMBER, base_url=fake.url,
    )  # fmt: skip


@pytest.mark.anyio
async def test_a_code_in_a_signed_message_links(
    core: Outeract, app: App, fake: FakePlatform, alice: PlatformUser
) -> None:
    """Bob writes Alice's code on WhatsApp; in the commit of his message he becomes Alice's user."""
    whatsapp = _whatsapp(app, fake)
    code = await app.people.link_code(alice)
    payload = fake.whatsapp.say("16505551234", f"here it is: {code}!", phone_number_id=NUMBER)
    address = whatsapp.webhook_id, whatsapp.webhook_secret
    forged, body = sign_whatsapp(payload, "somebody-elses-secret")
    refused = await core.ingest(*address, headers=forged, body=body)
    assert refused.status == 401
    assert (await kinds(app))[-1] == "link_code.generated"
    headers, body = sign_whatsapp(payload, SECRET)
    for _ in range(3):
        assert (await core.ingest(*address, headers=headers, body=body)).status == 200
    assert (await kinds(app))[-3:] == ["message.inbound", "link_code.activation", "user.merged"]
    inbound, activation, _merged = (await events(app))[-3:]
    bob = app.sender_of(inbound)
    assert bob is not None
    assert bob.user_id == alice.user_id
    caused = await app.events.page(q.has_edge("triggered_by", inbound))
    assert [event.id for event in caused] == [activation.id]


@pytest.mark.anyio
async def test_without_the_config_a_code_is_only_text(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """With `link_code_auto_detect` off nothing is tried; switched on, the next message counts."""
    core.app("support", link_code_auto_detect="disabled")
    code = await app.people.link_code(alice)
    await take(core, plain, said("m1", "bob", code))
    assert (await kinds(app))[-1] == "message.inbound"
    core.app("support", link_code_auto_detect="enabled")
    await take(core, plain, said("m2", "bob", code))
    assert await _same(app, plain, "alice", "bob")


@pytest.mark.anyio
async def test_a_refused_code_loses_no_message(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """A wrong code is recorded beside the message that carried it; seven tries, five looked at."""
    wrong = "1234-5678-9012-3456"
    answers = [await take(core, plain, said(f"m{n}", "bob", f"is it {wrong}?")) for n in range(7)]
    assert {answer.status for answer in answers} == {200}
    assert await _reasons(app) == ["bad_checksum"] * 5 + ["too_many_attempts"] * 2
    await take(core, plain, said("right", "bob", await app.people.link_code(alice)))
    assert (await _reasons(app))[-1] == "too_many_attempts"
    refused = [event for event in await events(app) if event.event_type == "link_code.refused"]
    message = await app.events.by_external_id(plain, "m3")
    assert refused[3].origin_event_id == message.id


@pytest.mark.anyio
async def test_only_what_people_write_counts(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """A code in the bot's own echo, or typed by its owner, links nobody."""
    code = await app.people.link_code(alice)
    mine = said("echo", "bob", f"Your code: {code}")
    await take(core, plain, evolve(mine, sender=None, chat=party("bob"), echo=True))
    assert (await kinds(app))[-1] == "message.outbound"
    await take(core, plain, said("own", "alice", code))
    assert await _reasons(app) == ["own_code"]


# ── in a group ────────────────────────────────────────────────────────────────────────────────


async def _public(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> tuple[str, str]:
    """Bob has typed Alice's code in a group: the code, and the one that Alice was sent."""
    code = await app.people.link_code(alice)
    await take(core, plain, said("in group", "bob", f"mine is {code}", group="friends"))
    return code, await _confirmation(app, alice)


async def _confirmation(app: App, alice: PlatformUser) -> str:
    """The code that waits to be sent to Alice; what is remembered of the message has none."""
    (event,) = await app.events.page(
        q.has_edge("sent_to", alice) & q.type_is("message.outbound"), first=1
    )
    assert find_code(event.text) is None
    rows = app.runtime.database.read(
        lambda tx: tx.dynamic("SELECT parts FROM outbox ORDER BY id DESC LIMIT 1", {})
    )
    found = find_code(repr(rows))
    assert found is not None
    return found


@pytest.mark.anyio
async def test_a_public_code_has_to_be_confirmed(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """A code typed in a group links nobody; Alice is told in private and confirms with another code."""
    code, second = await _public(core, app, plain, alice)
    assert second != code
    assert not await _same(app, plain, "alice", "bob")
    message: Event = (await app.events.page(q.type_is("message.outbound"))).nodes[0]
    assert second not in message.text
    assert (await (await app.conversations.of(message)).page()).nodes[0].id == message.id
    assert (await core.pump()).sent == 1
    await take(core, plain, said("confirmed", "alice", f"yes {second}"))
    assert await _same(app, plain, "alice", "bob")
    assert await _reasons(app) == []
    await take(core, plain, said("too late", "carol", code), said("twice", "alice", second))
    assert await _reasons(app) == ["used_up", "used_up"]
    assert not await _same(app, plain, "alice", "carol")


@pytest.mark.anyio
async def test_only_alice_can_confirm_and_only_in_private(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """The second code is worth nothing to Bob, to a third person, or in the group itself."""
    _code, second = await _public(core, app, plain, alice)
    for number, (who, group) in enumerate(
        [("bob", None), ("carol", None), ("bob", "friends"), ("alice", "friends")]
    ):
        await take(core, plain, said(f"try {number}", who, second, group=group))
        assert (await _reasons(app))[number:] == ["unknown"]
    assert not await _same(app, plain, "alice", "bob")
    assert not await _same(app, plain, "alice", "carol")
    await take(core, plain, said("confirmed", "alice", second))
    assert await _same(app, plain, "alice", "bob")
    assert not await _same(app, plain, "alice", "carol")


@pytest.mark.anyio
async def test_a_confirmation_has_an_end(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser, clock: ManualClock
) -> None:
    """After its minutes, or those of the code that it confirms: refused."""
    fresh = await app.people.link_code(alice, minutes=60)
    await take(core, plain, said("again", "bob", fresh, group="friends"))
    third = await _confirmation(app, alice)
    clock.advance(15 * 60)
    await take(core, plain, said("too late", "alice", third))
    assert (await _reasons(app))[-1] == "expired"
    assert not await _same(app, plain, "alice", "bob")


@pytest.mark.anyio
async def test_nobody_can_be_flooded_with_confirmations(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """A good code typed in a group again and again: one message, for it is spent; attempts count."""
    code = await app.people.link_code(alice)
    for number in range(8):
        await take(core, plain, said(f"m{number}", "bob", code, group="friends"))
    assert (await kinds(app)).count("message.outbound") == 1
    assert await _reasons(app) == ["used_up"] * 4 + ["too_many_attempts"] * 3


@pytest.mark.anyio
async def test_activation_by_hand_knows_groups_too(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """The host that activates a code out of a group message is told that it must be confirmed."""
    core.app("support", link_code_auto_detect="disabled")
    code = await app.people.link_code(alice)
    await take(core, plain, said("g", "bob", code, group="friends"), said("p", "bob", code))
    bob = await app.people.by_external_id(plain, "bob")
    in_group, in_private = [await app.events.by_external_id(plain, key) for key in ("g", "p")]
    with pytest.raises(ConfirmationRequired, match="second one"):
        await app.people.activate_link_code(code, bob, event=in_group)
    assert (await kinds(app))[-1] == "message.outbound"
    assert not await _same(app, plain, "alice", "bob")
    with pytest.raises(UsedUpCode, match="seen in a group"):
        await app.people.activate_link_code(code, bob, event=in_private)
    user = await app.people.activate_link_code(
        await app.people.link_code(alice), bob, event=in_private
    )
    assert user.id == alice.user_id
