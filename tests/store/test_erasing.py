"""An erasure of very many events: decided at once, carried out in pieces, and never left half done.

Knows: real processes, SIGKILL, every byte of the folder. Does not know: what is whose.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from attrs import evolve

from outeract_core import App, Outeract
from outeract_core._api.queries.people import Erased
from outeract_core._io import forgetting
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.transfer import erasing
from outeract_core._store.writing import tombstones
from outeract_core.content import Attachment, Content
from outeract_core.events import Party
from outeract_core.model import Alias, PlatformConnection
from tests.support.patience import until
from tests.support.store.opening import raw
from tests.support.store.platform import connect, said, take
from tests.support.store.process import other
from tests.support.store.words import Words
from tests.support.transfer import is_well

pytestmark = pytest.mark.anyio
processes = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX here")


async def left(
    core: Outeract, plain: PlatformConnection, words: Words, count: int, who: str = "ann"
) -> list[str]:
    """Somebody has said so many words; bob has answered, by the name that they are called."""
    planted = [words.plant(f"{who} {n}") for n in range(count)]
    name = words.plant(f"{who}'s name")
    party = Party(who, aliases=(Alias("username", name),))
    await take(core, plain, *(said(f"{who}{n}", party, word) for n, word in enumerate(planted)))
    await take(core, plain, said(f"to {who}", "bob", f"hear, hear @{name}"))
    return planted


async def erase(app: App, plain: PlatformConnection, who: str = "ann") -> Erased:
    """Somebody is forgotten."""
    return await app.people.erase(await app.people.by_external_id(plain, who))


async def quiet(core: Outeract) -> None:
    """Wait until the writer, left alone, has nothing more to erase."""
    database = core.runtime.database
    await until(lambda: not database.read(erasing.is_due))
    database.write_now(lambda _tx: None)  # behind what it does after its last piece


# ── pieces ────────────────────────────────────────────────────────────────────────────────────


async def test_many_events_go_in_pieces(
    core: Outeract,
    app: App,
    plain: PlatformConnection,
    words: Words,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No commit takes out more than a piece, others write in between, and at the end all is gone."""
    monkeypatch.setattr(erasing, "PIECE", 10)
    await left(core, plain, words, 45)
    await app.search("planted")
    counts: list[int] = []
    real = tombstones.bury

    def bury(tx: Any, events: list[int], by: int) -> None:
        counts.append(len(events))
        real(tx, events, by)

    monkeypatch.setattr(tombstones, "bury", bury)
    done = await erase(app, plain)
    assert done.events == sum(counts) == 45
    assert max(counts) == 10
    assert words.found() == set()
    assert not core.runtime.database.read(erasing.is_due)
    assert [hit.event.text for hit in await app.search("hear")] == ["hear, hear @[erased]"]
    assert core.runtime.database.write_now(_faults) == [("ok",)]


def _faults(tx: Connection) -> list[Any]:
    return tx.script("PRAGMA integrity_check")


async def test_a_few_go_at_once(
    core: Outeract,
    app: App,
    plain: PlatformConnection,
    words: Words,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What fits in one piece goes with the decision, in one commit."""
    await left(core, plain, words, 20)
    kept: list[int] = []

    def note(tx: Connection) -> bool:
        kept.append(len(tx.script("SELECT event FROM erasing")))
        return real(tx)

    real = erasing.carry_on
    monkeypatch.setattr(erasing, "carry_on", note)
    await erase(app, plain)
    assert kept == [21]
    assert words.found() == set()


async def test_what_a_cancelled_call_leaves_is_done_by_itself(
    core: Outeract,
    app: App,
    plain: PlatformConnection,
    words: Words,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever stops waiting stops nothing: the writer goes on when nothing else is to be done."""
    monkeypatch.setattr(erasing, "PIECE", 5)
    await left(core, plain, words, 40)
    with anyio.CancelScope() as scope:

        async def cut(runtime: Any) -> None:
            await runtime.write(erasing.carry_on)
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        monkeypatch.setattr(forgetting, "finish", cut)
        await erase(app, plain)
    assert scope.cancelled_caught
    await quiet(core)
    assert words.found() == set()


async def test_nothing_comes_back_that_left_meanwhile(
    core: Outeract,
    app: App,
    plain: PlatformConnection,
    words: Words,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event that was to be marked, and is dropped by a rule before its piece comes, stays dropped."""
    monkeypatch.setattr(erasing, "PIECE", 3)
    await left(core, plain, words, 3)
    ann = await app.people.by_external_id(plain, "ann")
    (answer,) = [e async for e in app.events.all() if "hear, hear" in e.text]
    real = erasing.carry_on

    def once(tx: Connection) -> bool:
        if tx.script("SELECT count(*) FROM erasing WHERE payload IS NOT NULL") == [(1,)]:
            tombstones.bury(tx, [answer.position], _newest(tx))
        return real(tx)

    monkeypatch.setattr(erasing, "carry_on", once)
    await app.people.erase(ann)
    assert (await app.events.get(answer.id)).erased
    assert words.found() == set()


def _newest(tx: Connection) -> int:
    newest: int = tx.script("SELECT max(seq) FROM event")[0][0]
    return newest


async def test_an_export_has_nothing_that_is_to_go(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, tmp_path: Path
) -> None:
    """An export and a backup that begin while an erasure is under way wait until it is done."""
    planted = await left(core, plain, words, 5)
    await _decided(core, app, plain)
    await app.export(tmp_path / "all.jsonl")
    assert not any(word in (tmp_path / "all.jsonl").read_text() for word in planted)
    await left(core, plain, words, 5, "cid")
    await _decided(core, app, plain, "cid")
    await core.backup(tmp_path / "copy.db")
    assert words.found() == set()


async def _decided(core: Outeract, app: App, plain: PlatformConnection, who: str = "ann") -> None:
    """An erasure is decided, and no piece of it is done: as if its program were killed there."""
    database, real = core.runtime.database, erasing.carry_on
    database.options = evolve(database.options, idle=None)
    ann = await app.people.by_external_id(plain, who)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasing, "carry_on", lambda _tx: False)
        patch.setattr(erasing, "is_due", lambda _tx: False)
        await app.people.erase(ann)
    assert erasing.carry_on is real
    assert database.read(erasing.is_due)


async def test_one_erasure_is_done_before_the_next_is_decided(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> None:
    """Two people are named in one message: the second erasure takes its name out of what the first has left."""
    await left(core, plain, words, 3)
    await left(core, plain, words, 3, "cid")
    names = [words.word(f"{who}'s name") for who in ("ann", "cid")]
    await take(core, plain, said("both", "bob", " and ".join(f"@{name}" for name in names)))
    await _decided(core, app, plain)
    await erase(app, plain, "cid")
    assert words.found() == set()
    (both,) = [e async for e in app.events.all() if e.text.startswith("@")]
    assert both.text == "@[erased] and @[erased]"


# ── killed ────────────────────────────────────────────────────────────────────────────────────


@processes
async def test_what_was_begun_goes_on_after_a_kill(tmp_path: Path, words: Words) -> None:
    """Killed in the middle, the next program that opens the file goes on by itself, and all is gone."""
    path = tmp_path / "bot.db"
    async with Outeract(path) as core:
        await left(core, connect(core, core.app("support")), words, 350)
    with other("erase", path, "ann") as process:
        for _ in range(2):
            assert process.hear() == "piece"
            process.go()
        assert process.hear() == "piece"
        process.kill()
    with raw(path) as db:
        ((pending,),) = db.execute("SELECT count(*) FROM erasing").fetchall()
    assert 0 < pending < 351
    async with Outeract(path) as core:
        await quiet(core)
        assert words.found() == set()
        assert is_well(core)
        (told,) = [
            e async for e in core.app("support").events.all() if e.event_type == "user.erased"
        ]
        assert (told.payload["events"], told.payload["quotes"]) == (350, 1)


async def test_bytes_go_that_a_killed_program_has_left(tmp_path: Path) -> None:
    """Between the commit and the folder a program may die: who opens the file takes the bytes out."""
    path = tmp_path / "bot.db"
    async with Outeract(path) as core:
        app = core.app("support")
        plain = connect(core, app)
        kept = await app.files.add(b"still there", filename="kept")
        file = Content("see", files=(Attachment(b"bytes of hers", "a.txt"),))
        await app.send((plain, "ann"), file)
        core.runtime.folder.drop = lambda _digest: None  # type: ignore[method-assign]
        await erase(app, plain)
        await core.runtime.database.write(
            lambda tx: tx.dynamic(
                "INSERT INTO dropping SELECT :gone UNION SELECT :kept",
                {"gone": _digest(b"bytes of hers"), "kept": kept.sha256},
            )
        )
    blobs = {blob.read_bytes() for blob in Path(f"{path}.files").glob("??/*")}
    assert blobs == {b"still there", b"bytes of hers"}
    async with Outeract(path) as core:
        assert {b.read_bytes() for b in Path(f"{path}.files").glob("??/*")} == {b"still there"}
        assert core.runtime.database.read(erasing.to_drop).all == ()


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


# ── two ───────────────────────────────────────────────────────────────────────────────────────


@processes
async def test_two_processes_erase_the_same_person(tmp_path: Path, words: Words) -> None:
    """Both at once, another writes meanwhile: both come to an end, all is gone, and nothing else is."""
    path = tmp_path / "bot.db"
    async with Outeract(path) as core:
        await left(core, connect(core, core.app("support")), words, 450)
    with other("erased", path, "ann") as one, other("erased", path, "ann") as two:
        for process in (one, two):
            assert process.hear() == "open"
        for process in (one, two):
            process.go()
        counts = [int(process.hear()) for process in (one, two)]
        assert [process.ended() for process in (one, two)] == [0, 0]
    assert counts == [450, 450]
    assert words.found() == set()
    async with Outeract(path) as core:
        assert is_well(core)
        assert not core.runtime.database.read(erasing.is_due)
        (bob,) = [
            e async for e in core.app("support").events.all() if e.text.startswith("hear, hear")
        ]
        assert not bob.erased


@processes
async def test_one_erases_who_goes_on_talking_to_another(tmp_path: Path, words: Words) -> None:
    """What somebody says before they are forgotten goes; what they say after is said by somebody new."""
    path = tmp_path / "bot.db"
    async with Outeract(path) as core:
        await left(core, connect(core, core.app("support")), words, 250)
    with other("talk", path, "ann", "120") as talks, other("erased", path, "ann") as erases:
        for process in (talks, erases):
            assert process.hear() == "open"
        for process in (talks, erases):
            process.go()
        assert talks.hear() == "done"
        assert int(erases.hear()) >= 250
    assert words.found() == set()
    async with Outeract(path) as core:
        app = core.app("support")
        plain = connect(core, app)
        (told,) = [e async for e in app.events.all() if e.event_type == "user.erased"]
        talked = [e async for e in app.events.all() if e.event_type == "message.inbound"][-120:]
        for event in talked:
            by = await app.people.platform_user((await app.explain(event)).sender)
            is_new = by.external_id == "ann"
            assert event.erased is not is_new
            assert event.text.startswith("talkedof") is is_new
            assert (event.position > told.position) or event.erased
        assert is_well(core)
        assert plain.name
