"""A copy of the file, a backup or an export opens no door: addresses follow from a key that is not in them.

Knows: what an attacker may hold: the database, its log, a copy, an export, a pickle, an old address.
Does not know: platforms, how requests are served.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import shutil
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from outeract_core import Outeract, PlatformConnection, Secret, blocking
from outeract_core._cli import main
from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine import migrations, opening
from outeract_core.errors import BadInput, MissingSecret, NotFound
from outeract_core.testing import ManualClock

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
KEY = "k" * 40
LINE = b'{"user":"ann","text":"hello","n":1}'
SECOND = timedelta(seconds=1)


async def knock(core: Outeract, where: PlatformConnection, secret: str | None = None) -> int:
    """What is answered at an address."""
    given = where.webhook_secret if secret is None else secret
    return (await core.ingest(where.webhook_id, given, body=LINE)).status


def everything(*folders: Path) -> bytes:
    """All bytes of all files, keys excepted."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join(path.read_bytes() for path in files if not path.name.endswith(".key"))


# ── what a copy is good for ───────────────────────────────────────────────────────────────────


async def test_no_copy_of_the_file_opens_a_door(tmp_path: Path) -> None:
    """Not the database, its log, a backup, an export: none has an address, nor what it follows from."""
    (tmp_path / "live").mkdir()
    (tmp_path / "copies").mkdir()
    async with Outeract(tmp_path / "live" / "a.db") as core:
        app = core.app("a")
        where = app.connect("console")
        assert await knock(core, where) == 200
        second = app.rotate(where)
        assert await knock(core, second) == 200
        await core.backup(tmp_path / "copies" / "b.db")
        await app.export(tmp_path / "copies" / "a.jsonl")
        found = everything(tmp_path)
        key = (tmp_path / "live" / "a.db.key").read_text().strip()
        for secret in (where.webhook_secret, second.webhook_secret, key):
            assert secret.encode() not in found
            assert bytes.fromhex(key) not in found
        assert not list((tmp_path / "copies").glob("*.key"))
    async with Outeract(tmp_path / "copies" / "b.db") as thief:
        stolen = thief.app("a").connections()[0]
        with pytest.raises(MissingSecret, match=r"b\.db\.key is not there"):
            _ = stolen.webhook_path
        assert await knock(thief, stolen, second.webhook_secret) == 503
        assert not (tmp_path / "copies" / "b.db.key").exists()


async def test_an_address_is_in_no_pickle_copy_or_dictionary(tmp_path: Path) -> None:
    """Nor in a repr; what was unpickled says where to ask."""
    async with Outeract(tmp_path / "a.db") as core:
        where = core.app("a").connect("console")
        secret = where.webhook_secret
        pickled = pickle.dumps(where)
        shown = repr(where) + str(where) + repr(attrs.asdict(where)) + repr(attrs.astuple(where))
        assert secret not in shown
        assert secret.encode() not in pickled
        assert KEY not in shown
        for other in (pickle.loads(pickled), copy.deepcopy(where)):
            assert (other.id, other.webhook_id) == (where.id, where.webhook_id)
            assert other == where
            with pytest.raises(MissingSecret, match="connections"):
                _ = other.webhook_path
        with pytest.raises(TypeError):
            pickle.dumps(core.runtime.key)
        assert (tmp_path / "a.db.key").read_text().strip() not in repr(core.runtime.key)


async def test_it_is_shown_at_every_start(tmp_path: Path) -> None:
    """The same address after a restart, in another process's opening, and for the host's key elsewhere."""
    paths = set()
    for _ in range(2):
        async with Outeract(tmp_path / "a.db") as core, Outeract(tmp_path / "a.db") as other:
            paths.add(core.app("a").connect("console").webhook_path)
            paths.add(other.app("a").connections()[0].webhook_path)
    assert len(paths) == 1


def test_programs_that_open_a_new_file_at_once_have_one_key(tmp_path: Path) -> None:
    """Whoever is faster: no address is given out that another one does not know."""
    opened: list[Outeract] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        barrier.wait()
        opened.append(Outeract(tmp_path / "a.db"))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {(core.runtime.key.fault, core.runtime.key.mark) for core in opened}
    for core in opened:
        core.close()
    assert len(found) == 1
    assert found.pop()[0] is None


# ── rotation ──────────────────────────────────────────────────────────────────────────────────


async def test_an_address_is_changed_with_an_overlap(core: Outeract, clock: ManualClock) -> None:
    """The new one is taken at once, the old one until its end; nothing else of the connection changes."""
    app = core.app("a")
    old = app.connect("console")
    new = app.rotate("console", overlap=timedelta(hours=2))
    assert (new.id, new.webhook_id) == (old.id, old.webhook_id)
    assert new.webhook_secret != old.webhook_secret
    assert [await knock(core, one) for one in (old, new)] == [200, 200]
    clock.advance(2 * 3600 - 1)
    assert [await knock(core, one) for one in (old, new)] == [200, 200]
    clock.advance(1)
    assert [await knock(core, one) for one in (old, new)] == [404, 200]
    assert app.connect("console").webhook_path == new.webhook_path


async def test_an_address_that_has_leaked_ends_now(core: Outeract, clock: ManualClock) -> None:
    """And stays ended when the clock is set back; twice changed, the first one is ended too."""
    app = core.app("a")
    first = app.connect("console")
    second = app.rotate(first, overlap=timedelta(0))
    assert [await knock(core, one) for one in (first, second)] == [404, 200]
    clock.advance(-86_400)
    assert [await knock(core, one) for one in (first, second)] == [404, 200]
    third = app.rotate(second)
    fourth = app.rotate(third)
    assert [await knock(core, one) for one in (first, second, third, fourth)] == [
        404,
        404,
        200,
        200,
    ]


async def test_another_process_hears_of_a_change_within_a_second(
    tmp_path: Path, clock: ManualClock
) -> None:
    """What was ended is refused there as well, what is new is taken and shown."""
    async with (
        Outeract(tmp_path / "a.db", clock=clock) as one,
        Outeract(tmp_path / "a.db", clock=clock) as other,
    ):
        old = one.app("a").connect("console")
        theirs = other.app("a")
        assert await knock(other, old) == 200
        new = one.app("a").rotate(old, overlap=timedelta(0))
        clock.advance(1)
        assert [await knock(other, each) for each in (old, new)] == [404, 200]
        assert theirs.connections()[0].webhook_path == new.webhook_path


@pytest.mark.parametrize("overlap", [-SECOND, timedelta(days=367), 5, None, "1h"])
async def test_an_overlap_has_bounds(overlap: Any, core: Outeract) -> None:
    """Nothing changes for one that is no time, or without end."""
    app = core.app("a")
    where = app.connect("console")
    with pytest.raises(BadInput, match="overlap"):
        app.rotate(where, overlap=overlap)
    assert app.connections()[0].webhook_path == where.webhook_path


async def test_nobody_changes_an_address_of_another_application(core: Outeract) -> None:
    """Whatever of it they hold."""
    theirs = core.app("theirs").connect("console")
    mine = core.app("mine")
    for which in (theirs, theirs.id, "console", str(theirs.id)):
        with pytest.raises((NotFound, BadInput)):
            mine.rotate(which)
    assert await knock(core, theirs) == 200


@pytest.mark.parametrize(
    "guess", ["", "-", "x" * 32, "\ud800", "é" * 16, "a" * 100_000, None], ids=ascii
)
async def test_a_guess_opens_nothing(guess: str | None, core: Outeract) -> None:
    """404 for every one, at a known id and at an unknown one, and with the version that is to come."""
    app = core.app("a")
    where = app.connect("console")
    text = core.runtime.key.webhook(where.webhook_id, 2) if guess is None else guess
    assert await knock(core, where, text) == 404
    assert (await core.ingest("nobody", text, body=LINE)).status == 404
    other = app.connect("console", name="other")
    assert await knock(core, where, other.webhook_secret) == 404


def test_both_facades_have_it(tmp_path: Path) -> None:
    """Without a loop too."""
    with blocking.Outeract(tmp_path / "a.db") as core:
        app = core.app("a")
        old = app.connect("console")
        new = app.rotate(old, overlap=timedelta(0))
        assert core.ingest(old.webhook_id, old.webhook_secret, body=LINE).status == 404
        assert core.ingest(new.webhook_id, new.webhook_secret, body=LINE).status == 200


# ── files from before ─────────────────────────────────────────────────────────────────────────


async def test_an_address_of_before_goes_on_until_it_is_changed(
    tmp_path: Path, clock: ManualClock
) -> None:
    """It cannot be read from the file any more; a new one is shown beside it."""
    secret = "an-address-secret-of-before"
    _as_before(tmp_path / "a.db", secret)
    async with Outeract(tmp_path / "a.db", clock=clock) as core:
        assert secret.encode() not in everything(tmp_path)
        app = core.app("a")
        where = app.connections()[0]
        assert where.webhook_secret != secret
        assert [await knock(core, where, one) for one in (secret, None)] == [200, 200]
        new = app.rotate(where, overlap=SECOND)
        assert [await knock(core, new, one) for one in (secret, None)] == [200, 200]
        clock.advance(1)
        assert [await knock(core, new, one) for one in (secret, None)] == [404, 200]
    assert secret.encode() not in everything(tmp_path)


def _as_before(path: Path, secret: str) -> None:
    """A file of schema 10, which had the secret, with one connection."""
    first = migrations.scripts()[:10]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrations, "scripts", lambda: first)
        writer = opening.open_writer(str(path), None, "full", 1000, uuid7)
        migrations.migrate(writer, 0)
    for sql in (
        "INSERT INTO organisation VALUES (1, x'01', 'default', 0)",
        "INSERT INTO application VALUES (1, randomblob(16), 1, 'a', '{}', 0, 0)",
        "UPDATE organisation SET uid = randomblob(16)",
        "INSERT INTO connection(uid, app, platform, name, config, status, system_puser, webhook_id, "
        "webhook_secret, created_at) VALUES (randomblob(16), 1, 'console', 'console', '{}', 'active', "
        f"(1 << 40) + 1, 'an-id-of-before', '{secret}', 0)",
        "INSERT INTO puser VALUES ((1 << 40) + 1, randomblob(16), 0, 1, '', '', 'system', NULL, NULL, 0)",
        "INSERT INTO counter VALUES (1, 9)",
    ):
        writer.script(sql)
    writer.close()


async def test_an_export_of_before_is_taken_with_its_address(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Format 2 had the secret; of it the hash is kept."""
    async with Outeract(tmp_path / "a.db", clock=clock) as core:
        app = core.app("a")
        where = app.connect("console")
        await app.export(tmp_path / "a.jsonl")
    _rewrite(tmp_path / "a.jsonl", _with_secret)
    async with Outeract(tmp_path / "b.db", clock=clock) as core:
        app = await core.import_app(tmp_path / "a.jsonl")
        there = app.connections()[0]
        assert there.webhook_id == where.webhook_id
        conn = core.runtime.conns(app.key)[0]
        assert core._receiver._doors.opens(conn, "of-format-2")
        assert core._receiver._doors.opens(conn, there.webhook_secret)
    assert b"of-format-2" not in (tmp_path / "b.db").read_bytes()


def _rewrite(path: Path, change: Any) -> None:
    """Change its lines and make its checksums anew."""
    digest, out = hashlib.sha256(), []
    for n, text in enumerate(path.read_text().splitlines()):
        line = change(json.loads(text))
        for name in {"check", "end"} & set(line):
            line[name] |= {"lines": n, "sha256": digest.hexdigest()}
        out.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
        digest.update(out[-1].encode())
    path.write_text("".join(out))


def _with_secret(line: dict[str, Any]) -> dict[str, Any]:
    if "outeract" in line:
        line["outeract"]["format"] = 2
    if "connection" in line:
        for name in ("webhook_version", "webhook_until", "webhook_old"):
            del line["connection"][name]
        line["connection"]["webhook_secret"] = "of-format-2"
    return line


# ── the key ───────────────────────────────────────────────────────────────────────────────────


async def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    """0600 whatever the umask; a link in its place is not followed, an open one is told."""
    before = os.umask(0)
    try:
        async with Outeract(tmp_path / "a.db") as core:
            core.app("a").connect("console")
    finally:
        os.umask(before)
    key = tmp_path / "a.db.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    assert main(["doctor", str(tmp_path / "a.db")]) == 1
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    async with Outeract(tmp_path / "a.db") as core:
        with pytest.raises(MissingSecret, match="link"):
            _ = core.app("a").connections()[0].webhook_path
    (tmp_path / "planted").write_text("f" * 64)
    (tmp_path / "b.db.key").symlink_to(tmp_path / "planted")
    async with Outeract(tmp_path / "b.db") as core:
        with pytest.raises(MissingSecret, match="link"):
            _ = core.app("a").connect("console").webhook_path


LOST = {
    "it is gone": lambda key: key.unlink(),
    "it is another file's": lambda key: key.write_text("f" * 64),
    "it is cut off": lambda key: key.write_text(key.read_text()[:20]),
    "it is empty": lambda key: key.write_text(""),
    "it is no text": lambda key: key.write_bytes(bytes(range(128, 256))),
    "it is a folder": lambda key: (key.unlink(), key.mkdir()),
}


@pytest.mark.parametrize("how", LOST)
async def test_a_key_that_is_lost_is_told_where_it_is_needed(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file opens, reads and sends; addresses and the doctor say what to do; a new key mends it."""
    async with Outeract(tmp_path / "a.db") as core:
        old = core.app("a").connect("console")
        assert await knock(core, old) == 200
        secret = old.webhook_secret
    key = tmp_path / "a.db.key"
    LOST[how](key)
    async with Outeract(tmp_path / "a.db") as core:
        app = core.app("a")
        where = app.connect("console")
        with pytest.raises(MissingSecret, match=r"a\.db\.key"):
            _ = where.webhook_path
        assert await knock(core, where, secret) == 503
        await app.send(("console", "ann"), "hello")
        assert (await app.events.page()).nodes
    capsys.readouterr()
    assert main(["doctor", str(tmp_path / "a.db")]) == 1
    assert "a.db.key" in capsys.readouterr().out
    if key.is_dir():
        key.rmdir()
    assert main(["new-key", str(tmp_path / "a.db"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    async with Outeract(tmp_path / "a.db") as core:
        where = core.app("a").connections()[0]
        assert where.webhook_path == shown["webhook_path"]
        assert [await knock(core, where, one) for one in (None, secret)] == [200, 404]


async def test_the_host_may_keep_the_key_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then nothing lies beside the file, and an application that is moved keeps its address."""
    monkeypatch.setenv("THE_KEY", KEY)
    given = Secret.env("THE_KEY")
    async with Outeract(tmp_path / "a.db", key=given) as core:
        where = core.app("a").connect("console")
        path = where.webhook_path
        await core.app("a").export(tmp_path / "a.jsonl")
    assert KEY.encode() not in everything(tmp_path)
    assert not list(tmp_path.glob("*.key"))
    async with Outeract(tmp_path / "b.db", key=Secret.text(KEY)) as core:
        app = await core.import_app(tmp_path / "a.jsonl")
        assert app.connections()[0].webhook_path == path
    async with Outeract(tmp_path / "a.db") as core:
        with pytest.raises(MissingSecret, match="key="):
            _ = core.app("a").connections()[0].webhook_path
    async with Outeract(tmp_path / "a.db", key=Secret.text("x" * 40)) as core:
        with pytest.raises(MissingSecret, match="not that of this file"):
            _ = core.app("a").connections()[0].webhook_path
        core.new_key()
        assert await knock(core, core.app("a").connections()[0]) == 200
    shutil.copy(tmp_path / "a.db", tmp_path / "c.db")
    monkeypatch.setenv("THE_KEY", "x" * 40)
    assert main(["rotate", str(tmp_path / "c.db"), "console", "--key", "env:THE_KEY"]) == 0
    assert "/webhooks/" in capsys.readouterr().out


@pytest.mark.parametrize("key", ["k" * 40, Secret.text("short"), b"k" * 40, 5])
def test_a_key_that_is_none_is_refused(key: Any, tmp_path: Path) -> None:
    """A `Secret` of 32 characters or more, told before a file is made."""
    with pytest.raises(BadInput, match="key"):
        Outeract(tmp_path / "a.db", key=key)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    """An environment without it is a program that was started wrongly."""
    with pytest.raises(MissingSecret, match="NO_SUCH_KEY"):
        Outeract(tmp_path / "a.db", key=Secret.env("NO_SUCH_KEY"))
