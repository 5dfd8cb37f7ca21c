"""An export as a whole that was made to harm: bombs, forged signatures, foreign numbers, live connections."""

from __future__ import annotations

import base64
import gzip
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, ImportLimits, Outeract, blocking
from outeract_core._api.maintenance import import_file
from outeract_core.errors import BadInput, ConnectionDisabled, InvalidExport, NotFound
from tests.support.store.platform import connect, said, take
from tests.support.transfer import resealed

from .test_imports import Bank

pytestmark = pytest.mark.anyio
KEY = "a key that only the two of us have"


@pytest.fixture
async def lines(core: Outeract, app: App, tmp_path: Path) -> list[bytes]:
    """The export of a small application: two people, a file, a message that waits."""
    plain = connect(core, app)
    await take(core, plain, said("m1", "ann", "hello"), said("m2", "bob", "hello too"))
    await app.files.add(b"a picture", filename="p.png")
    await app.emit("order.created", {"n": 1})
    await app.send((plain, "ann"), "an answer that waits")
    await app.export(tmp_path / "a.ndjson")
    return (tmp_path / "a.ndjson").read_bytes().splitlines(keepends=True)


def replaced(lines: list[bytes], old: str, new: str, table: str = "") -> bytes:
    """The file with something replaced in the first line of a table that has it."""
    start = f'{{"{table}'.encode()
    at = next(n for n, one in enumerate(lines) if one.startswith(start) and old.encode() in one)
    return resealed(
        [*lines[:at], lines[at].replace(old.encode(), new.encode(), 1), *lines[at + 1 :]]
    )


async def refused(bank: Bank, data: bytes, match: str, **more: Any) -> None:
    """It is refused with these words, and leaves nothing."""
    (bank.folder / "in.ndjson").write_bytes(data)
    with pytest.raises(InvalidExport, match=match):
        await bank.core.import_app(bank.folder / "in.ndjson", **more)
    assert bank.look() == bank.before


# ── bounds ────────────────────────────────────────────────────────────────────────────────────

BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a line without end": ("a line is too long.*line=", lambda: b'{"person":"' + b"a" * (40 << 20)),
    "blanks": (
        "too much stands between two checks.*block=",
        lambda: (b" " * 1023 + b"\n") * (80 << 10),
    ),
    "empty lines": ("too many lines.*lines=", lambda: b"\n" * 600_000),
}


@pytest.mark.parametrize("kind", BOMBS)
async def test_a_bomb_is_refused_while_it_is_read(
    lines: list[bytes], tmp_path: Path, kind: str
) -> None:
    """A small packed file that unpacks to lines or blocks without end is refused in little memory."""
    match, body = BOMBS[kind]
    packed = gzip.compress(lines[0] + body(), 9)
    assert len(packed) < 200_000
    async with Bank(tmp_path) as bank:
        tracemalloc.start()
        await refused(bank, packed, match)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 120 << 20


async def test_what_unpacks_to_much_more_than_it_is_is_refused(
    lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The total is bounded by the size of the packed file; the error says how to raise it."""
    monkeypatch.setattr(import_file, "_SMALL", 1 << 20)
    line = b'{"person":{"x":"' + b"a" * 3_000 + b'"}}\n'
    packed = gzip.compress(resealed([lines[0], *([line] * 4_000), b'{"end":{"lines":1}}\n']), 9)
    async with Bank(tmp_path) as bank:
        await refused(bank, packed, "it unpacks to too much.*total=")
        more = ImportLimits(total=1 << 30)
        await refused(bank, packed, "person", limits=more)


async def test_limits_can_be_lowered_and_raised(lines: list[bytes], tmp_path: Path) -> None:
    """A host that trusts a file raises the limit that the error names; one that does not lowers it."""
    async with Bank(tmp_path) as bank:
        await refused(
            bank,
            b"".join(lines),
            "a line is too long|too much stands",
            limits=ImportLimits(block=500),
        )
        assert await bank.takes(b"".join(lines), limits=ImportLimits(block=1 << 20)) is not None
    with pytest.raises(ValueError, match="1"):
        ImportLimits(line=0)


async def test_a_file_larger_than_the_hosts_limit_is_refused(
    lines: list[bytes], tmp_path: Path
) -> None:
    """`file_limit=` holds for imports as for downloads, whatever size the line says."""
    async with Bank(tmp_path) as bank:
        bank.core.runtime.folder.limit = 5
        await refused(bank, b"".join(lines), "file_limit")
        await refused(bank, replaced(lines, '"size":9', '"size":4', "bytes"), "does not follow")


# ── signatures ────────────────────────────────────────────────────────────────────────────────


async def signed(app: App, path: Path, key: str | bytes = KEY) -> bytes:
    """The export, signed."""
    await app.export(path, key=key)
    return path.read_bytes()


async def test_a_signed_export_says_so(app: App, lines: list[bytes], tmp_path: Path) -> None:
    """With the key it is verified, without it is said that nobody has; an unsigned one is called so."""
    data = await signed(app, tmp_path / "s.ndjson")
    for number, (given, key, told) in enumerate(
        [(data, KEY, "verified"), (data, None, "unverified"), (b"".join(lines), None, "no")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with Bank(folder) as bank:
            moved = await bank.takes(given, key=key)
            assert moved is not None
            assert moved.imported is not None
            assert moved.imported.signed == told
            assert moved.imported.sha256 in given.decode()


async def test_what_was_not_signed_with_the_key_is_refused(
    app: App, lines: list[bytes], tmp_path: Path
) -> None:
    """Another key, no signature, a signature of something else, one byte changed: nothing is written."""
    data = await signed(app, tmp_path / "s.ndjson")
    theirs = data.splitlines(keepends=True)
    changed = resealed([*theirs[:-3], theirs[-3], *theirs[-2:]]).replace(b"hello", b"hullo", 1)
    resigned = resealed(changed.splitlines(keepends=True))
    stripped = resigned.replace(b',"hmac":"' + theirs[-1].split(b'"hmac":"')[1][:64] + b'"', b"")
    odd = data.replace(b'"hmac":"', b'"hmac":"\xc3\xa9')
    async with Bank(tmp_path) as bank:
        await refused(bank, data, "not by this key", key="another key of the same length!!!!")
        await refused(bank, b"".join(lines), "not signed", key=KEY)
        await refused(bank, resigned, "not by this key", key=KEY)
        await refused(bank, resealed(stripped.splitlines(keepends=True)), "not signed", key=KEY)
        await refused(bank, odd, "not by this key", key=KEY)
        for key in ("short", b"", 7):
            with pytest.raises((BadInput, TypeError)):
                await bank.core.import_app(tmp_path / "s.ndjson", key=key)  # type: ignore[arg-type]
        assert bank.look() == bank.before


async def test_a_file_that_changes_while_it_is_read_is_refused(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was believed is what is taken: a file that is written to after its signature was compared is not."""
    await signed(app, tmp_path / "s.ndjson")
    await app.emit("order.created", {"word": "good"})
    data = await signed(app, tmp_path / "s.ndjson")
    path = tmp_path / "in.ndjson"
    wanted = import_file.Rereading.lines

    def evil(self: import_file.Rereading, block: import_file.Block) -> list[str]:
        path.write_bytes(data.replace(b"good", b"evil"))
        return wanted(self, block)

    async with Bank(tmp_path) as bank:
        monkeypatch.setattr(import_file.Rereading, "lines", evil)
        await refused(bank, data, "changed while it was read", key=KEY)


# ── other tenants ─────────────────────────────────────────────────────────────────────────────


async def test_a_digest_is_no_right_to_somebody_elses_bytes(
    lines: list[bytes], tmp_path: Path
) -> None:
    """Whoever knows the SHA-256 of another tenant's file cannot read it by naming it in an export."""
    async with Bank(tmp_path) as bank:
        own, theirs = hashlib.sha256(b"a picture").hexdigest(), str(bank.file.sha256)
        text = (
            b"".join(lines)
            .decode()
            .replace(f'"sha256":"{own}","status"', f'"sha256":"{theirs}","status"')
        )
        moved = await bank.takes(resealed(text.encode().splitlines(keepends=True)))
        assert moved is not None
        found = bank.core.runtime.database.read(
            lambda tx: tx.dynamic("SELECT uid, status, sha256 FROM file WHERE id >> 40 = 2", {})
        )
        assert [(row[1], row[2]) for row in found] == [("failed", None)]
        assert await bank.stranger.files.read(bank.file) == b"the stranger's bytes"


async def test_a_digest_that_is_named_twice_brings_no_bytes(
    lines: list[bytes], tmp_path: Path
) -> None:
    """Who reads a line may see the first name, and who checks the bytes the second: neither is given."""
    own = hashlib.sha256(b"a picture").hexdigest()
    async with Bank(tmp_path) as bank:
        theirs = str(bank.file.sha256)
        row, name = f'"sha256":"{own}","status"', f'{{"sha256":"{own}","at":0'
        text = b"".join(lines).decode().replace(row, row.replace(own, theirs))
        twice = f'{{"sha256":"{theirs}","at":0,"sha256":"{own}"'
        forged = resealed(text.replace(name, twice).encode().splitlines(keepends=True))
        moved = await bank.takes(forged)
        if moved is not None:
            found = bank.core.runtime.database.read(
                lambda tx: tx.dynamic("SELECT status, sha256 FROM file WHERE id >> 40 = 2", {})
            )
            assert list(found) == [("failed", None)]


@pytest.mark.parametrize("what", ["missing", "another shape", "other bytes"])
async def test_bytes_must_come_to_be_there(lines: list[bytes], tmp_path: Path, what: str) -> None:
    """A line that says it brings bytes and does not is refused, or its file has no bytes."""
    own = hashlib.sha256(b"a picture").hexdigest()
    data = base64.b64encode(b"a picture").decode()
    new = {
        "missing": f'{{"sha256":"{own}","at":0,"missing":true}}',
        "another shape": f'{{"sha256":"{own}","at":0,"size":9,"data":"{data}","more":1}}',
        "other bytes": f'{{"sha256":"{own}","at":0,"size":9,"data":"{data[::-1]}"}}',
    }[what]
    async with Bank(tmp_path) as bank:
        old = f'{{"sha256":"{own}","at":0,"size":9,"data":"{data}"}}'
        await refused(bank, replaced(lines, old, new, "bytes"), "piece|SHA-256")


async def test_connections_that_are_announced_must_come_first(
    lines: list[bytes], tmp_path: Path
) -> None:
    """An export that has more connections in its header than lines would own the next one of the file."""
    async with Bank(tmp_path) as bank:
        await refused(
            bank, replaced(lines, '"connections":1', '"connections":5'), "connections stand before"
        )
        more = connect(bank.core, bank.stranger, "more")
        await take(bank.core, more, said("x", "ann"))
        assert [one.name for one in bank.stranger.connections()] == ["plain", "more"]


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("puser", '"person":', '"person":999999,"was":'),
        ("event", '["sent_by",', '["sent_by",1],["sent_by",'),
        ("delivery", '"event":', '"event":2,"was":'),
        ("outeract", '"system_person":1', '"system_person":2'),
        ("event", '"type":"order.created"', '"type":"Order Created"'),
        ("event", '["sent_by"', '["sent by"'),
        ("event", '"type":"order.created"', f'"type":"{"a" * 1001}"'),
    ],
)
async def test_what_refers_to_nothing_is_refused_whole(
    lines: list[bytes], tmp_path: Path, table: str, old: str, new: str
) -> None:
    """Rows that name others that are not there, or types that the API refuses, leave nothing behind."""
    async with Bank(tmp_path) as bank:
        (bank.folder / "in.ndjson").write_bytes(replaced(lines, old, new, table))
        if (table, old) == ("event", '["sent_by",'):
            assert await bank.takes(replaced(lines, old, new, table)) is not None  # an edge more
        else:
            assert await bank.takes(replaced(lines, old, new, table)) is None


async def test_a_refused_import_can_be_done_again_right(lines: list[bytes], tmp_path: Path) -> None:
    """A refused file occupies no name: the right one can be imported under it at once."""
    async with Bank(tmp_path) as bank:
        late = len(lines) - 4
        await refused(
            bank, resealed([*lines[:late], b'{"person":{"id":1}}\n', *lines[late:]]), "person"
        )
        moved = await bank.takes(b"".join(lines))
        assert moved is not None
        assert moved.name == "support"


# ── connections ───────────────────────────────────────────────────────────────────────────────


async def test_imported_connections_do_nothing_until_they_are_confirmed(
    lines: list[bytes], tmp_path: Path
) -> None:
    """No message leaves, no webhook and no poll is taken, no server is trusted; then, confirmed, all."""
    evil = replaced(
        lines, '"config":"{}"', '"config":"{\\"base_url\\":\\"http://evil.example\\",\\"poll\\":true}"', "connection"
    )  # fmt: skip
    async with Bank(tmp_path) as bank:
        moved = await bank.takes(evil)
        assert moved is not None
        (connection,) = moved.connections()
        assert connection.status == "disabled"
        assert connection.config["base_url"] == "http://evil.example"
        assert (await take(bank.core, connection, said("m9"))).status == 503
        assert (await bank.core.pump()).sent == 0
        assert not bank.core.runtime.http._guard._trusted
        conn = next(one for one in bank.core.runtime.conns(moved.key))
        with pytest.raises(ConnectionDisabled, match=r"app\.enable"):
            bank.core.runtime.ready(conn)
        moved.enable(connection)
        assert (await take(bank.core, connection, said("m9"))).status == 200
        assert (await bank.core.pump()).sent == 1


async def test_what_is_confirmed_is_what_was_seen(lines: list[bytes], tmp_path: Path) -> None:
    """A connection is confirmed with its config, by its own application; an id alone is not enough."""
    from attrs import evolve

    async with Bank(tmp_path) as bank:
        moved = await bank.takes(b"".join(lines))
        assert moved is not None
        (connection,) = moved.connections()
        with pytest.raises(BadInput, match="look at connections"):
            moved.enable(evolve(connection, config={"base_url": "https://right.example"}))
        with pytest.raises(BadInput, match="the connection itself"):
            moved.enable(connection.id)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            bank.stranger.enable(connection)
        assert moved.connections()[0].status == "disabled"
        assert moved.enable(connection).status == moved.enable(connection).status == "active"


async def test_to_connect_again_is_to_confirm(lines: list[bytes], tmp_path: Path) -> None:
    """A host that connects with a config of its own has said what it wants; the imported one is gone."""
    async with Bank(tmp_path) as bank:
        moved = await bank.takes(
            replaced(lines, '"config":"{}"', '"config":"{\\"keep_raw\\":false}"', "connection")
        )
        assert moved is not None
        again = connect(bank.core, moved)
        assert (again.status, again.config) == ("active", {})
        assert (await bank.core.pump()).sent == 1


def test_the_same_without_a_loop(tmp_path: Path) -> None:
    """Signed, imported and confirmed by the blocking verbs."""
    with blocking.Outeract(tmp_path / "a.db") as core:
        app = core.app("support")
        app.connect("console")
        app.export(tmp_path / "a.ndjson", key=KEY)
    with blocking.Outeract(tmp_path / "b.db") as core:
        with pytest.raises(InvalidExport):
            core.import_app(tmp_path / "a.ndjson", key=KEY[::-1])
        app = core.import_app(tmp_path / "a.ndjson", key=KEY)
        assert app.imported.signed == "verified"
        assert app.enable(app.connections()[0]).status == "active"
