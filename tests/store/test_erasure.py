"""Erasure: what a person has left cannot be read any more, and everything else is as before.

Knows: what a person leaves where, the bytes of the files. Does not know: how it is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from outeract_core import App, Outeract
from outeract_core._api.queries.people import Erased
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.transfer import rebuild
from outeract_core._store.writing import files
from outeract_core._store.writing.files import Download
from outeract_core.content import Attachment, Content
from outeract_core.errors import BadInput, FileError, NotFound, UnknownCode
from outeract_core.events import Fact, FileRef, Party
from outeract_core.model import Alias, PlatformConnection, PlatformUser
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, events, external_name, kinds, said, status, take
from tests.support.store.words import Words


async def _who(app: App, connection: PlatformConnection, name: str) -> PlatformUser:
    return await app.people.by_external_id(connection, name)


async def _left_by(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> PlatformUser:
    """Somebody leaves a word in every place there is; that somebody."""
    plant = words.plant
    ext, alias = plant("external id"), plant("alias")
    who = Party(ext, "person", plant("name"), plant("picture"), (Alias("username", alias),))
    file = FileRef({"id": plant("handle")}, plant("filename"), "image/png")
    first = said("m1", who, plant("text"), files=(file,))
    raw = {"item": plant("raw")}
    await take(core, plain, evolve(first, raw=raw), said("m2", who, plant("in a group"), group="g"))
    await take(core, plain, said("m3", evolve(who, name=plant("newer name")), "x" * 9000))
    edit = {"message": {"text": plant("edit"), "type": "text", "role": "user"}}
    child: dict[str, Any] = {"sender": Party(ext), "target": "m1"}
    await take(
        core, plain,
        Fact("message.edited", "e1", edit, raw={"raw": plant("raw of the edit")}, **child),
        Fact("message.transcribed", "t1", {"text": plant("transcript")}, target="m1"),
        Fact("message.reaction_added", "r1", {"emoji": plant("emoji")}, **child),
        Fact("system.identity_changed", "i1", {"to": plant("identity")}, sender=Party(ext)),
    )  # fmt: skip
    return await _who(app, plain, ext)


async def _answered(core: Outeract, app: App, puser: PlatformUser, words: Words) -> None:
    """The bot has answered, in short and at length, with a file, and an order was placed."""
    plant = words.plant
    await app.send(puser, plant("answer"))
    await app.send(puser, f"{'x' * 6000} {plant('long answer')} {'x' * 6000}")
    file = Attachment(plant("sent file").encode() * 500, plant("sent filename") + ".txt")
    await app.send(puser, Content("see", files=(file,)), metadata={"note": plant("metadata")})
    await core.pump()
    await app.emit("order.created", {"for": plant("order")}, edges={"placed_by": puser})


# ── unreadable ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_nothing_of_a_person_can_be_read(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> None:
    """After `erase` no file of the store holds a word that the person left or was told."""
    puser = await _left_by(core, app, plain, words)
    await _answered(core, app, puser, words)
    await app.send(puser, words.plant("pending"), key=words.plant("idempotency key"))
    assert words.found() == words.all()
    await app.people.erase(puser)
    assert words.found() - {"idempotency key"} == set()
    core.close()
    assert words.found() - {"idempotency key"} == set()


@pytest.mark.anyio
async def test_what_a_handler_choked_on_is_erased_too(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """Tracebacks that quote a message go with it, waiting for a retry or given up."""

    @app.on("message.inbound", name="once", attempts=1)
    def once(message: Any) -> None:
        raise ValueError(message.text)

    @app.on("message.*", name="often")
    def often(message: Any) -> None:
        raise ValueError(message.text or message.event.payload["text"])

    transcript = {"text": words.plant("transcript")}
    await take(core, plain, said("m1", text=words.plant("text")))
    await take(core, plain, Fact("message.transcribed", "t1", transcript, target="m1"))
    for _ in range(8):
        await core.pump()
        clock.advance(3600)
    assert "system.handler_failed" in await kinds(app)
    assert words.found() == {"text", "transcript"}
    await app.people.erase(await _who(app, plain, "alice"))
    assert words.found() == set()


@pytest.mark.anyio
async def test_the_structure_stays(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> None:
    """Events, types, times, edges and counts are as before; only `user.erased` has been added."""
    puser = await _left_by(core, app, plain, words)
    await _answered(core, app, puser, words)
    before, drawn = await events(app), _edges(core)
    counted = await (await app.conversations.of(puser)).summary()
    done = await app.people.erase(puser)
    after = await events(app)
    assert [_skeleton(e) for e in after[:-1]] == [_skeleton(e) for e in before]
    assert set(_edges(core)) - set(drawn) == {_about(core, done, puser)}
    assert set(drawn) <= set(_edges(core))
    summary = await (await app.conversations.of(puser)).summary()
    assert summary is not None
    assert counted is not None
    assert (summary.inbound, summary.outbound) == (counted.inbound, counted.outbound)
    assert core.runtime.database.read(lambda tx: rebuild.check(tx)) == []


def _skeleton(event: Any) -> tuple[Any, ...]:
    return (
        event.id, event.event_type, event.position, event.occurred_at, event.created_at,
        event.status, event.origin_event_id, event.connection_id,
    )  # fmt: skip


def _edges(core: Outeract) -> list[Any]:
    return core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT dst, src FROM edge ORDER BY 1, 2", {})
    )


def _about(core: Outeract, done: Erased, puser: PlatformUser) -> tuple[int, int]:
    (person,) = core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT id FROM person WHERE uid = :uid", {"uid": puser.user_id.bytes})
    )  # fmt: skip
    return person[0], done.event.position


@pytest.mark.anyio
async def test_an_erasure_is_an_event(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """It says who, how many events and files, and when; the erased events say only that they are."""
    puser = await _left_by(core, app, plain, words)
    clock.advance(60)
    done = await app.people.erase(puser)
    assert done.event.event_type == "user.erased"
    assert done.event.payload == {
        "user_id": str(puser.user_id), "events": done.events, "quotes": done.quotes, "files": done.files,
    }  # fmt: skip
    assert done.event.created_at == clock()
    erased = [e for e in await events(app) if e.erased]
    assert erased == [e for e in await events(app) if e.payload == {"erased": True}]
    assert len(erased) == done.events
    assert all(event.raw is None and event.text == "" for event in erased)
    who = await app.people.platform_user(puser)
    assert (who.name, who.profile_picture_url, who.aliases) == (None, None, ())
    assert who.external_id.startswith("erased:")
    assert (await app.people.user(puser.user_id)).name is None


# ── files ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_files_go_unless_somebody_else_has_them(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Bytes that only this person was sent are dropped; those that others have too stay."""
    other = core.app("other")
    foreign = connect(core, other, "others")
    alone, shared, abroad = b"for alice alone", b"for alice and bob", b"for alice and mallory"
    kept: dict[bytes, Any] = {}
    for data, pairs in (
        (alone, [(app, plain, "alice")]),
        (shared, [(app, plain, "alice"), (app, plain, "bob")]),
        (abroad, [(app, plain, "alice"), (other, foreign, "mallory")]),
    ):
        for handle, connection, name in pairs:
            content = Content("see", files=(Attachment(data, "f.txt"),))
            sent = await handle.send((connection, name), content)
            kept[data] = (handle, (await handle.files.of(sent.id))[0])
    alices = (await app.files.of((await events(app))[0].id))[0]
    done = await app.people.erase(await _who(app, plain, "alice"))
    assert done.files == 3
    with pytest.raises(FileError, match="erased"):
        await app.files.read(alices)
    assert not core.runtime.folder.path(str(alices.sha256)).exists()
    for data in (shared, abroad):
        handle, file = kept[data]
        assert await handle.files.read(file) == data


@pytest.mark.anyio
async def test_a_node_that_another_message_shows_stays(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A file node that was forwarded to somebody else is not erased with its first receiver."""
    file = await app.files.add(b"forwarded", filename="f.txt")
    for name in ("alice", "bob"):
        await app.send((plain, name), Content("see", files=(Attachment(file),)))
    done = await app.people.erase(await _who(app, plain, "alice"))
    assert done.files == 0
    assert await app.files.read(file) == b"forwarded"


@pytest.mark.anyio
async def test_a_download_that_ends_later_brings_nothing_back(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A file erased while it was being fetched stays erased, whatever the fetch came to."""
    database, conn = core.runtime.database, core.runtime.conns(app.key)[0]
    ends: dict[str, Callable[[Connection, Download], object]] = {
        "stored": lambda tx, one: files.stored(tx, conn, one, 1, "ab", None, transcribe=False),
        "failed": lambda tx, one: files.failed(tx, conn, one, "secret"),
        "again": lambda tx, one: files.again(tx, one, 0, "secret"),
        "transcribed": lambda tx, one: files.transcribed(tx, conn, one, "secret"),
        "mumbled": lambda tx, one: files.not_transcribed(tx, conn, one, "secret"),
    }
    for name, end in ends.items():
        await take(core, plain, said(name, files=(FileRef({"id": 1}, "secret.txt"),)))
        (download,) = await database.write(lambda tx: files.claim(tx, "me", _shares(core), 1000))
        await app.people.erase(await _who(app, plain, "alice"))
        before = await kinds(app)
        await database.write(partial(_ended, end, download))
        assert await kinds(app) == before
        assert await database.write(lambda tx: files.claim(tx, "me", _shares(core), 1000)) == []
        (file,) = await app.files.of(await app.events.by_external_id(plain, name))
        assert (file.status, file.sha256, file.filename) == ("erased", None, None)


def _ended(
    end: Callable[[Connection, Download], object], download: Download, tx: Connection
) -> None:
    end(tx, download)


# ── what is under way, and what comes after ───────────────────────────────────────────────────


@pytest.mark.anyio
async def test_what_was_still_to_be_sent_is_cancelled(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Pending messages to the person are cancelled and never leave; those to others do."""
    mine = await app.send((plain, "alice"), "hi")
    later = await app.send((plain, "alice"), "later", not_before=clock())
    theirs = await app.send((plain, "bob"), "hi")
    await app.people.erase(await _who(app, plain, "alice"))
    assert (await core.pump()).sent == 1
    states = [(await app.events.get(each.id)).status for each in (mine, later, theirs)]
    assert states == ["cancelled", "cancelled", "sent"]


@pytest.mark.anyio
async def test_what_was_erased_does_not_come_back(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """The platform delivers it all again: every message is known, nothing is stored."""
    facts = [said("m1", text="secret"), said("m2", text="secret", group="g")]
    sent = await app.send((plain, "alice"), "hi")
    await take(core, plain, *facts)
    await core.pump()
    name = external_name(f"{sent.id.hex}.0")
    before_receipts = status("delivered", name)
    await take(core, plain, before_receipts)
    await app.people.erase(await _who(app, plain, "alice"))
    before = await events(app)
    echo = evolve(said(name), sender=None, chat=Party("alice"), echo=True)
    await take(core, plain, *facts, before_receipts, echo)
    assert await events(app) == before
    await take(core, plain, status("read", name))
    assert (await app.events.get(sent.id)).status == "read"


@pytest.mark.anyio
async def test_who_comes_back_is_somebody_new(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A new message after the erasure makes a new platform user and a new user, with nothing known."""
    await take(core, plain, said("m1"))
    old = await _who(app, plain, "alice")
    await app.people.erase(old)
    with pytest.raises(NotFound):
        await _who(app, plain, "alice")
    await take(core, plain, said("m2"))
    new = await _who(app, plain, "alice")
    assert new.id != old.id
    assert new.user_id != old.user_id
    page = await (await app.conversations.of(new)).page()
    assert [event.external_message_id for event in page] == ["m2"]


@pytest.mark.anyio
async def test_others_are_not_touched(core: Outeract, app: App, plain: PlatformConnection) -> None:
    """The others in the group, the answer to them, and a namesake in another application stay."""
    other = core.app("other")
    foreign = connect(core, other, "others")
    await take(core, foreign, said("m1", text="abroad"))
    await take(
        core, plain, said("m1", text="gone", group="g"), said("m2", "bob", "stays", group="g")
    )
    await app.send(await _who(app, plain, "g"), "to all")
    theirs = await events(other)
    await app.people.erase(await _who(app, plain, "alice"))
    assert await events(other) == theirs
    assert (await _who(other, foreign, "alice")).name == "Alice"
    assert [e.text for e in await events(app) if e.event_type.startswith("message.")] == [
        "", "stays", "to all",
    ]  # fmt: skip
    assert (await _who(app, plain, "bob")).name == "Bob"


@pytest.mark.anyio
async def test_a_merged_person_is_erased_as_one(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> None:
    """With a user go all who were merged into it; a user that is merged away is not erased alone."""
    for name in ("alice", "bob", "carol"):
        await take(core, plain, said(name, Party(name, name=words.plant(name)), words.plant(f"by {name}")))  # fmt: skip
    alice, bob, carol = [await _who(app, plain, name) for name in ("alice", "bob", "carol")]
    await app.people.merge(alice, bob)
    await app.people.merge(bob, carol)
    before = len(await events(app))
    with pytest.raises(BadInput, match="merged into"):
        await app.people.erase(alice.user_id)
    assert len(await events(app)) == before
    await app.people.erase(carol)
    assert words.found() == set()
    merged = [e for e in await events(app) if e.event_type == "user.merged"]
    assert [e.payload["source_user_id"] for e in merged] == [str(p.user_id) for p in (alice, bob)]


@pytest.mark.anyio
async def test_codes_of_the_erased_are_void(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A link code made for somebody erased is as if never given out."""
    await take(core, plain, said("m1"), said("m2", "bob"))
    code = await app.people.link_code(await _who(app, plain, "alice"))
    await app.people.erase(await _who(app, plain, "alice"))
    with pytest.raises(UnknownCode):
        await app.people.activate_link_code(code, await _who(app, plain, "bob"))


@pytest.mark.anyio
async def test_erasures_may_repeat_and_refuse_the_bot(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Erasing twice is harmless and recorded; the system user cannot be erased."""
    await take(core, plain, said("m1"))
    alice = await _who(app, plain, "alice")
    for _ in range(2):
        assert (await app.people.erase(alice)).events == 1
    assert Counter(await kinds(app))["user.erased"] == 2
    with pytest.raises(BadInput, match="system user"):
        await app.people.erase(await _who(app, plain, "system"))


def _shares(core: Outeract) -> dict[int, int]:
    """Nine files of each connection."""
    return {conn.id: 9 for conn in core.runtime.conns()}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["ann\0odd", 'ann"odd', "ann\\odd", "änn.odd", "ann\x01odd"])
async def test_a_name_is_found_however_json_writes_it(
    core: Outeract, app: App, plain: PlatformConnection, name: str
) -> None:
    """What only the payload of an event knows of a person is looked for as it stands there."""
    told = {"message": {"text": "hi", "type": "text", "role": "user", "username": name}}
    await take(core, plain, Fact("message.inbound", "m1", told, sender=Party("alice")))
    await take(core, plain, said("m2", "bob", f"ask {name} about it"))
    await app.people.erase(await _who(app, plain, "alice"))
    texts = [
        event.payload["message"]["text"]
        for event in await events(app)
        if "message" in event.payload
    ]
    assert texts == ["ask [erased] about it"]
