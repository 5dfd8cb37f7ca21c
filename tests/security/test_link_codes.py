"""Link codes are of no use to whoever reads a group, a copy of the file, or guesses with many hands.

Knows: who may see a code, and what they may hold. Does not know: how a link is made.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._domain.rules.link_code import (
    APP_ATTEMPTS,
    STRUCK,
    checksum,
    find_codes,
    new_code,
    strike,
)
from outeract_core.errors import (
    BadInput,
    ConfirmationRequired,
    MissingSecret,
    TooManyAttempts,
    UnknownCode,
    UsedUpCode,
)
from outeract_core.events import Unparsed
from outeract_core.model import PlatformConnection, PlatformUser
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import talk, whatsapp
from tests.support.store.opening import raw
from tests.support.store.platform import events, said, take

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]


@pytest.fixture
def app(core: Outeract) -> App:
    """An application that looks for codes."""
    return core.app("support", link_code_auto_detect="enabled")


@pytest.fixture
async def alice(core: Outeract, app: App, plain: PlatformConnection) -> PlatformUser:
    """Somebody who asks for codes."""
    await take(core, plain, said("from alice", "alice"), said("from bob", "bob"))
    return await app.people.by_external_id(plain, "alice")


async def _reasons(app: App) -> list[str]:
    found = [event for event in await events(app) if event.event_type == "link_code.refused"]
    return [event.payload["reason"] for event in found]


@pytest.mark.parametrize("who", ["bob", "alice", "a stranger whose tries are used up"])
async def test_a_code_that_was_seen_in_a_group_is_spent(
    who: str, core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """Typed there by the one it was for, its owner, or somebody who is refused: no reader can use it."""
    code = await app.people.link_code(alice, minutes=600, uses=100)
    for n in range(5 if who.startswith("a stranger") else 0):
        await take(core, plain, said(f"w{n}", who, new_code()))
    await take(core, plain, said("g", who, f"look: {code}", group="friends"))
    await take(core, plain, said("private", "carol", code))
    carol = await app.people.by_external_id(plain, "carol")
    assert (await _reasons(app))[-1] == "used_up"
    assert carol.user_id != alice.user_id
    with pytest.raises(UsedUpCode):
        await app.people.activate_link_code(code, carol)


async def test_every_code_in_a_group_message_is_spent(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser
) -> None:
    """Not only the one that is tried; and by hand, when the message is named."""
    codes = [await app.people.link_code(alice) for _ in range(3)]
    await take(core, plain, said("g", "bob", " and ".join(codes), group="friends"))
    carol = await app.people.by_external_id(plain, "bob")
    for code in codes:
        with pytest.raises(UsedUpCode):
            await app.people.activate_link_code(code, carol)
    core.app("support", link_code_auto_detect="disabled")
    fourth = await app.people.link_code(alice)
    await take(core, plain, said("h", "carol", fourth, group="friends"))
    message = await app.events.by_external_id(plain, "h")
    carol = await app.people.by_external_id(plain, "carol")
    with pytest.raises(ConfirmationRequired):
        await app.people.activate_link_code(fourth, carol, event=message)
    with pytest.raises(UsedUpCode):
        await app.people.activate_link_code(fourth, carol)


async def test_a_code_in_a_message_is_written_nowhere(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser, tmp_path: Path
) -> None:
    """Not in payload, raw item, index, kept delivery, export, backup or log; the message still links."""
    codes = [await app.people.link_code(alice) for _ in range(3)]
    await take(core, plain, said("m1", "bob", f"here: {codes[0]}!"))
    await take(core, plain, said("m2", "carol", f"{codes[1]} here", group="friends"))
    await take(core, plain, Unparsed({"text": codes[2], "n": 1}, f"what is {codes[2]}?"))
    bob = await app.people.by_external_id(plain, "bob")
    assert bob.user_id == alice.user_id
    message = await app.events.by_external_id(plain, "m1")
    assert message.text == f"here: {STRUCK}!"
    assert [hit.event.id for hit in (await app.search("here")).nodes]
    await app.export(tmp_path / "a.jsonl.gz")
    await core.backup(tmp_path / "copy.db")
    found = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    found.append(gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()))
    for code in codes:
        for form in (code, code.replace("-", "")):
            assert not [data for data in found if form.encode() in data]


async def test_a_code_that_the_bot_hands_out_is_kept_nowhere(
    tmp_path: Path, clock: ManualClock
) -> None:
    """It reaches whom it is for, and is in no payload, index, export or file once it has left."""
    bot = talk(tmp_path / "a.db", clock, link_code_auto_detect="enabled")
    async with bot.core:
        app = bot.app
        await bot.says("hello", user="ann")
        ann = await app.people.by_external_id(bot.connection, "ann")
        code = await app.people.link_code(ann)
        sent = await app.send(ann, f"Type this in private: {code}")
        await bot.core.pump()
        await app.export(tmp_path / "a.jsonl")
        event = await app.events.get(sent.id)
        assert event.text == f"Type this in private: {STRUCK}"
        assert not (await app.search(code)).nodes
    assert code in " ".join(bot.terminal.texts)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            for form in (code, code.replace("-", "")):
                assert form.encode() not in path.read_bytes(), path


async def test_a_confirmation_is_kept_nowhere(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser, tmp_path: Path
) -> None:
    """What the library itself sends is sent with its code, and remembered without it."""
    first = await app.people.link_code(alice)
    await take(core, plain, said("g", "bob", f"my code is {first}", group="friends"))
    queued = core.runtime.database.read(lambda tx: tx.dynamic("SELECT parts FROM outbox", {}))
    (code,) = find_codes(repr(queued))
    await core.pump()
    (event,) = [one async for one in app.events.all(type_is("message.outbound"))]
    assert STRUCK in event.text
    assert event.status == "sent"
    await app.export(tmp_path / "a.jsonl")
    await core.runtime.database.truncate_log()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or code.encode() not in path.read_bytes(), path
    await take(core, plain, said("private", "alice", code))
    bob = await app.people.by_external_id(plain, "bob")
    assert bob.user_id == (await app.people.by_external_id(plain, "alice")).user_id


async def test_a_message_whose_code_is_gone_is_not_sent_again(
    core: Outeract, app: App, alice: PlatformUser, clock: ManualClock
) -> None:
    """Dots are no code: who resends is told to make another."""
    code = await app.people.link_code(alice)
    with FakePlatform(clock=clock) as fake:
        whatsapp(app, fake)
        fake.refuse(1)
        sent = await app.send(("whatsapp", "+14155550100"), f"here: {code}")
        await core.pump()
        assert (await sent.state()).status == "failed"
        with pytest.raises(BadInput, match="make another"):
            await app.resend(sent.id)


@given(
    st.lists(st.integers(0, 9999), min_size=3, max_size=3),
    st.text(max_size=20),
    st.integers(0, 9999),
)
def test_what_is_struck_is_a_code_and_nothing_else(
    groups: list[int], around: str, wrong: int
) -> None:
    """In whatever text it stands, spelt with or without hyphens; a card number stays; JSON stays JSON."""
    code = "-".join(f"{group:04}" for group in (*groups, checksum(groups)))
    digits, sides = code.replace("-", ""), around.replace("-", "").strip("0123456789")
    value = {
        "text": f"{sides} {code} {sides}",
        "tel": [digits, int("9" + digits[1:])],
        "n": code.replace("-", " "),
    }
    text = json.dumps(value, ensure_ascii=False)
    assert code in find_codes(text)
    struck = strike(text, find_codes(text))
    json.loads(struck)
    assert code not in struck
    assert digits not in struck
    other = "-".join(f"{group:04}" for group in (*groups, wrong))
    if wrong != checksum(groups):
        assert strike(other, find_codes(other)) == other


async def test_hashes_cannot_be_tried_with_what_is_in_a_copy(
    core: Outeract, app: App, alice: PlatformUser, tmp_path: Path
) -> None:
    """No value of the file, as a key or beside the code, makes the hash that stands for it."""
    code = await app.people.link_code(alice)
    await core.backup(tmp_path / "copy.db")
    with raw(tmp_path / "copy.db") as db:
        hashes = {row[0] for row in db.execute("SELECT hash FROM link_code")}
        values = [row[0] for row in db.execute("SELECT value FROM meta")]
    assert len(hashes) == 1
    keys = [v if isinstance(v, bytes) else str(v).encode() for v in values] + [b""]
    for key in keys:
        assert hmac.digest(key, code.encode(), "sha256") not in hashes
        assert hashlib.sha256(key + code.encode()).digest() not in hashes
    await app.export(tmp_path / "a.jsonl")
    assert b"code_key" not in (tmp_path / "a.jsonl").read_bytes()


async def test_without_the_key_no_code_is_given_or_taken(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A copy without its key links nobody, and says why; messages come in all the same."""
    from tests.support.store.platform import connect

    async with Outeract(tmp_path / "a.db", clock=clock) as core:
        app = core.app("a", link_code_auto_detect="enabled")
        plain = connect(core, app)
        await take(core, plain, said("m", "alice"), said("n", "bob"))
        code = await app.people.link_code(await app.people.by_external_id(plain, "alice"))
    (tmp_path / "a.db.key").unlink()
    async with Outeract(tmp_path / "a.db", clock=clock) as core:
        app = core.app("a")
        plain = connect(core, app)
        bob = await app.people.by_external_id(plain, "bob")
        with pytest.raises(MissingSecret, match=r"a\.db\.key"):
            await app.people.activate_link_code(code, bob)
        with pytest.raises(MissingSecret, match=r"a\.db\.key"):
            await app.people.link_code(bob)
        core.new_key()
        plain = app.connections()[0]
        with pytest.raises(UnknownCode):
            await app.people.activate_link_code(code, bob)
        assert (await take(core, plain, said("o", "bob", "still here"))).status == 200


async def test_all_of_an_application_guess_within_a_limit(
    core: Outeract, app: App, plain: PlatformConnection, alice: PlatformUser, clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Identities are cheap: together they guess so often, then nobody does; told once, and it passes."""
    code = await app.people.link_code(alice, minutes=60)
    for n in range(APP_ATTEMPTS // 5):
        tries = [said(f"{n}.{m}", f"s{n}", new_code()) for m in range(5)]
        await take(core, plain, *tries)
    limited = [event for event in await events(app) if event.event_type == "link_code.limited"]
    assert [event.payload for event in limited] == [{"attempts": APP_ATTEMPTS, "minutes": 15}]
    (told,) = [one.getMessage() for one in caplog.records if "link codes" in one.getMessage()]
    assert told.startswith(f"{app.organisation}/{app.name}: ")
    bob = await app.people.by_external_id(plain, "bob")
    with pytest.raises(TooManyAttempts):
        await app.people.activate_link_code(code, bob)
    other = core.app("other")
    from tests.support.store.platform import connect

    theirs = connect(core, other, "theirs")
    await take(core, theirs, said("x", "xaver"), said("y", "yvonne"))
    xaver, yvonne = [await other.people.by_external_id(theirs, one) for one in ("xaver", "yvonne")]
    await other.people.activate_link_code(await other.people.link_code(xaver), yvonne)
    clock.advance(15 * 60)
    assert (await app.people.activate_link_code(code, bob)).id == alice.user_id
