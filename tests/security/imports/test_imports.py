"""An export as an attacker would write it: every value of every line, and the file as a whole."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core._store.transfer import load, tables, values
from outeract_core._store.transfer.relative import Remap
from outeract_core._store.transfer.values import Bounds
from outeract_core.errors import (
    BadInput,
    InvalidExport,
    OuteractError,
)
from tests.support.store.opening import raw
from tests.support.store.platform import Plain, connect, said, take
from tests.support.transfer import confirm, exported_whole, resealed, tables_of

pytestmark = pytest.mark.anyio
LINES = [*tables.TABLES, "event", "edge", "bytes"]
NOBODY = "f" * 64
HOSTILE: list[Any] = [
    "/etc/passwd", "../../../etc/passwd", "file:///etc/passwd", "C:\\Windows\\win.ini", "\0", "a\0b",
    "", " ", "\ud800", "\x1b]52;c;aGk=\x07", "\u202e", "a\nb", "x" * 100_000, NOBODY, "F" * 64,
    "0" * 32, -1, 0, 1, 7, 2**31, 2**53 + 1, 2**63, 10**400, 1.5, float("nan"), float("inf"), True,
    None, [], {}, [1], {"a": 1}, "null", "{}", "[]", '{"a":', "[" * 900 + "]" * 900, "NaN",
    '{"n":' + "9" * 5000 + "}", "DROP TABLE event", "message.inbound", "Message Inbound", "*",
]  # fmt: skip
"""What stands in place of a value: paths, controls, the wrong type, too large, too deep, too long."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of the export of an application in which everything has happened."""
    return exported_whole(tmp_path_factory.mktemp("original")).splitlines(keepends=True)


def bounds_of(lines: list[bytes]) -> Bounds:
    """What the header says."""
    header = json.loads(lines[0])["outeract"]
    return Bounds(header["last"], header["connections"])


def last_of(lines: list[bytes], table: str) -> int:
    """Where the last line of this kind stands."""
    return max(n for n, line in enumerate(lines) if line.startswith(f'{{"{table}":'.encode()))


def fields(line: bytes, table: str) -> list[str]:
    """The fields of a line."""
    return list(json.loads(line)[table])


def with_values(line: bytes, table: str, more: dict[str, Any]) -> bytes:
    """The line with other values; the texts of an event stay where they are."""
    head, text = json.loads(line)[table], line.decode()
    rest = text[text.index(',"payload') :] if table == "event" else "}\n"
    return f'{{"{table}":{json.dumps({**head, **more})}{rest}'.encode()


class Bank:
    """A file with a tenant of its own, into which somebody imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = folder / "host.txt"

    async def __aenter__(self) -> Bank:
        self.host.write_bytes(b"the host's own")
        self.core = Outeract(self.folder / "bank.db", durability="normal")
        self.core.register("plain", Plain)
        self.stranger = self.core.app("stranger", organisation="theirs")
        self.connection = connect(self.core, self.stranger)
        await take(self.core, self.connection, said("m1", "mallory", "a word of the stranger"))
        self.file = await self.stranger.files.add(b"the stranger's bytes")
        self.before = self.look()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.core.aclose()

    def look(self) -> dict[str, Any]:
        """Every row of every table that is not the newcomer's, and every file."""
        found: dict[str, Any] = {}
        with raw(self.folder / "bank.db") as db:
            db.set_busy_timeout(5000)
            for table in sorted(tables_of(self.folder / "bank.db") - {"kind", "counter", "lease"}):
                found[table] = [
                    row for row in db.execute(f"SELECT * FROM {table}") if _old(table, row)
                ]
            found["triggers"] = list(
                db.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")
            )
        found["files"] = {
            path: path.read_bytes() for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.startswith(("bank.db", "in.ndjson"))
        }  # fmt: skip
        return found

    async def takes(self, data: bytes, **more: Any) -> App | None:
        """The import, or None when it was refused: then everything is as it was before."""
        (self.folder / "in.ndjson").write_bytes(data)
        try:
            app = await self.core.import_app(self.folder / "in.ndjson", **more)
        except (InvalidExport, BadInput):
            assert self.look() == self.before, "what was refused has left something"
            return None
        return app


def _old(table: str, row: tuple[Any, ...]) -> bool:
    """Whether a row was there before: of the first application, or of the file."""
    return not any(type(value) is int and value >> 40 == 2 for value in row)


async def life(core: Outeract, app: App, clock_folder: Path) -> None:
    """Everything that a host would do with what has arrived; what fails is the library's own error."""
    for event in [one async for one in app.events.all()][::4]:
        for act in (app.explain, app.graph.neighbours, app.files.of):
            await _tried(act, event)
    for one in (await app.conversations.recent(first=50)).nodes:
        talk = await app.conversations.of(one.peer)
        for look in (talk.page, talk.context, talk.analytics):
            await _tried(look)
    await _tried(app.search, "hello")
    await _tried(app.export, clock_folder / "again.ndjson")
    confirm(core, app)
    await core.pump()


async def _tried(act: Callable[..., Any], *args: Any) -> None:
    try:
        await act(*args)
    except OuteractError:
        pass


# ── every value of every line ─────────────────────────────────────────────────────────────────


def test_every_column_has_a_rule_and_every_rule_is_used() -> None:
    """A column that is added without a rule is an error when the library is imported."""
    with pytest.raises(KeyError):
        tables._table("person", "id:own uid:uid nick:nothing_of_the_kind", "id", "id")
    with pytest.raises(KeyError):
        tables._table("person", "id:own uid", "id", "id")
    used = {column.role for table in tables.TABLES.values() for column in table.columns}
    assert set(values.RULES) <= used | {"hash"}


def table_of(line: bytes) -> str:
    """What a line is of."""
    return str(next(iter(json.loads(line))))


def mutations(lines: list[bytes]) -> Iterator[tuple[str, str, int, int]]:
    """Every field of one line of each kind with every hostile value: kind, field, line, value."""
    for table in LINES:
        at = last_of(lines, table)
        for field in fields(lines[at], table):
            for number, value in enumerate(HOSTILE):
                if with_values(lines[at], table, {field: value}) != with_values(
                    lines[at], table, {}
                ):
                    yield table, field, at, number


def _refusal(line: bytes, bounds: Bounds) -> str | None:
    try:
        text = line.decode()[:-1]
        while True:
            try:
                load.parse([text], KINDS, bounds)
                return None
            except load.NewKind as new:
                KINDS[new.name] = len(KINDS)
    except load.BadLine as error:
        return str(error)


KINDS = load.Kinds()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_every_value_of_every_line_is_refused_by_name_or_harmless(
    original: list[bytes], tmp_path: Path
) -> None:
    """Each field, each hostile value: an error that names the field, or an application that does no harm.

    What the look at a line lets pass goes the whole way too: plain values in all fields at once, each
    field with another one, several times; what refers to something alone, one in twelve; and some of
    what is refused.
    """
    bounds, refused = bounds_of(original), 0
    alone: list[dict[int, bytes]] = []
    together: dict[int, dict[int, dict[str, Any]]] = {}
    for number, (table, field, at, value) in enumerate(mutations(original)):
        line = with_values(original[at], table, {field: HOSTILE[value]})
        told = None if table == "bytes" else _refusal(line, bounds)
        if told is not None:
            assert field in told or "texts" in told or "edge type" in told, (table, field, told)
            refused += 1
        if told is None and _role(table, field) in PLAIN:
            turn = (value + len(field) * 7 + at) % len(HOSTILE)
            if turn % 5 == 0:
                together.setdefault(turn, {}).setdefault(at, {})[field] = HOSTILE[value]
        elif number % (12 if told is None else 1500) == 0:
            alone.append({at: line})
    assert refused > 5000
    taken = [await _whole_way(original, tmp_path / f"a{n}", one) for n, one in enumerate(alone)]
    for value, lines in together.items():
        changed = {
            at: with_values(original[at], table_of(original[at]), more)
            for at, more in lines.items()
        }
        taken.append(await _whole_way(original, tmp_path / f"t{value}", changed))
    assert sum(taken) > 5


PLAIN = {"id", "text", "label", "filename", "mime", "time", "due", "count", "flag"}
"""Words for values that lead nowhere."""


def _role(table: str, field: str) -> str | None:
    columns = tables.TABLES[table].columns if table in tables.TABLES else ()
    return next((column.role for column in columns if column.name == field), None)


async def _whole_way(original: list[bytes], folder: Path, changed: dict[int, bytes]) -> bool:
    """Import the file with these lines changed and live with it; whether it was taken."""
    folder.mkdir()
    lines = [changed.get(n, line) for n, line in enumerate(original)]
    async with Bank(folder) as bank:
        app = await bank.takes(resealed(lines))
        if app is not None:
            await life(bank.core, app, folder)
        after = bank.look()
        new = after["files"].keys() - bank.before["files"].keys() - {folder / "again.ndjson"}
        for path in new:  # bytes that it has brought itself, under their own name
            assert path.parts[-3] == "bank.db.files"
            assert path.name == hashlib.sha256(after["files"].pop(path)).hexdigest()
        after["files"].pop(folder / "again.ndjson", None)
        assert after["files"] == bank.before["files"], changed
        assert await bank.stranger.files.read(bank.file) == b"the stranger's bytes"
        assert after["event"] == bank.before["event"], changed
    shutil.rmtree(folder)
    return app is not None


# ── files of what is still to be sent ─────────────────────────────────────────────────────────

LAST = 50
WRONG_FILES = ["[0]", "[-1]", "[51]", "[1099511627777]", "[1.5]", '["1"]', "[true]", "[null]", "[[1]]",
               "7", '"1"', '{"1":1}', "true", "null", "[1,51]", '[1],"files":[51]']  # fmt: skip


@pytest.mark.parametrize("files", WRONG_FILES)
def test_what_waits_is_sent_with_files_of_its_own_application(
    original: list[bytes], files: str
) -> None:
    """A message to be sent cannot name a file that is not its application's, in whatever form."""
    line = original[last_of(original, "outbox")]
    changed = with_values(line, "outbox", {"parts": f'{{"parts":[],"files":{files}}}'})
    told = _refusal(changed, Bounds(LAST, 1))
    assert told is not None
    assert told.startswith("outbox.parts is a JSON object, its files a list of")


@pytest.mark.parametrize("files", ["[1]", "[50,1]", '[51],"files":[7]'])
def test_files_of_what_waits_get_the_numbers_of_this_file(files: str) -> None:
    """All of them, and what a reader of JSON would take is what was looked at."""
    (placed,) = Remap(2, 2 << 40, LAST, 0, 1).placing("parts", {})(
        [f'{{"a":1.50,"files":{files}}}']
    )
    found = json.loads(placed, object_pairs_hook=list)
    assert [name for name, _ in found] == ["a", "files"]
    assert found[1][1] == [(2 << 40) + n for n in json.loads(f'{{"files":{files}}}')["files"]]


# ── texts that are no JSON ────────────────────────────────────────────────────────────────────

NO_JSON = ["", " ", "no JSON", "NaN", "[Infinity]", "-", "01", "1.", ".5", "[1,]", "{'a':1}", '{"a":1}{"b":2}', '"\x01"',
           "tru", '{"a"}', "\ufeff{}", "{}\0", "[" * 600 + "]" * 600, "{}, 5", "x" * 5000]  # fmt: skip


@pytest.mark.parametrize("kind", ["order.created", "message.inbound"])
@pytest.mark.parametrize("text", NO_JSON, ids=range(len(NO_JSON)))
def test_payloads_and_raw_items_are_json(kind: str, text: str) -> None:
    """Of the host's own types too; the line is told, and which of both it is."""
    for name in ("payload", "raw"):
        texts = {"payload": '{"type":"text"}', "raw": "{}"} | {name: text}
        head = {"n": 1, "id": "0" * 32, "type": kind, "conn": None, "at": 0, "created": 0, "dk": None,
                "edges": [], "sizes": [len(texts["payload"]), len(texts["raw"])]}  # fmt: skip
        line = "".join(f',"{key}_text":{json.dumps(value)}' for key, value in texts.items())
        told = _refusal(f'{{"event":{json.dumps(head)}{line}}}\n'.encode(), Bounds(LAST, 1))
        assert told is not None
        assert told.startswith((f"event.{name} is no JSON", f"event.{name} is nested too deeply"))


async def test_a_rule_of_nobody_is_refused(original: list[bytes], tmp_path: Path) -> None:
    """What a rule has passed by belongs to a rule of the same export; the error says so."""
    at = last_of(original, "passed_by")
    changed = with_values(original[at], "passed_by", {"rule": "0" * 32})
    async with Bank(tmp_path) as bank:
        data = resealed([*original[:at], changed, *original[at + 1 :]])
        (tmp_path / "in.ndjson").write_bytes(data)
        with pytest.raises(InvalidExport, match=r"passed_by\.rule names a rule that is not there"):
            await bank.core.import_app(tmp_path / "in.ndjson")
        assert bank.look() == bank.before
