"""No statement and no module goes round the doors of content: whoever adds one is told here.

Knows: every statement of the store, and the text of every module. Does not know: what lies in a file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from outeract_core import query as q
from outeract_core._domain.values.at_rest import COLUMNS
from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine.columns import without
from outeract_core._store.engine.composed.tables import adding
from outeract_core._store.engine.migrations import migrate
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.engine.statements import statement, texts
from outeract_core._store.reading import queries
from outeract_core._store.transfer import dump, storing
from outeract_core._store.transfer.tables import LOG, TABLES

ROOT = Path(__file__).resolve().parents[2] / "outeract_core"
CLEAR = {
    "search_text": "what full-text search is made of, and its index, are words: where content is to be "
    "hidden there is no index",
    "event_no_update": "SQLite itself compares what an erasure leaves of an event with what it was: a "
    "codec brings a trigger of its own, or leaves that to `engine/guards.py`",
}
"""Views and triggers of the file that look at content as it lies there, and why they may."""
BYTES = {
    "_domain/values/digests.py": "opens, and compares through the way that it is given",
    "_io/disk/file_store.py": "the door",
    "_api/maintenance/backup.py": "copies bytes as they lie, compared through the folder's way",
    "exchange.py": "an adapter's own file, outside of the folder",
}
"""Modules that open bytes by their digest."""
_INNER = r"[^()]*"
for _ in range(4):
    _INNER = rf"(?:[^()]|\({_INNER}\))*"
_DOOR = re.compile(rf"\b(payload|raw|name)_(in|out)\({_INNER}\)")
_CONTENT = "|".join(sorted({column for columns in COLUMNS.values() for column in columns}))


@pytest.fixture(scope="module")
def db() -> Iterator[Connection]:
    """A fresh file with an index."""
    fresh = Connection(apsw.Connection(":memory:"), ":memory:", uuid7)
    fresh.db.create_scalar_function("casefold", str, 1)
    migrate(fresh, 0)
    fresh.run(statement("search_create_unicode61"))
    yield fresh
    fresh.close()


def _composed(db: Connection) -> dict[str, str]:
    """What Python makes of pieces: exports, imports, filters."""
    made = {f"select {name}": dump.selected(table) for name, table in TABLES.items()}
    made |= {f"insert {name}": storing.adding_to(name).sql for name in TABLES}
    made |= {"insert event": adding("event", LOG["event"]).sql, "select event": dump.EVENTS}
    filters = (
        q.text_contains("x"), q.payload_path("a", "=", 1), q.payload_path("a", "exists"),
        q.payload_path("a", "!=", "b"), q.payload_path("a[any].b", "contains", "c"),
        q.payload_path("a", "=", None), q.payload_path("a[any]", "=", True),
    )  # fmt: skip
    for n, one in enumerate(filters):
        source, tests, _ = queries.compiled(db, 1, one)
        made[f"filter {n}"] = source.page(tests, newest=True)
    return made


def _shut(sql: str) -> str:
    """The statement with nothing in place of what passes a door, is only moved, or asked for presence."""
    shut = _DOOR.sub("NULL", sql)
    shut = re.sub(rf"\bexcluded\.({_CONTENT})\b", "NULL", shut)
    shut = re.sub(rf"coalesce\(NULL, ({_CONTENT})\)", "NULL", shut)
    return re.sub(rf"\b(?:\w+\.)?({_CONTENT}) IS (NOT )?NULL", "1", shut)


def read_around(db: Connection, sql: str) -> set[tuple[str, str]]:
    """Columns of content that SQLite would read for this statement, but for those behind a door."""
    found: set[tuple[str, str]] = set()

    def look(action: int, one: str, two: str, _base: str, within: str) -> int:
        if action == apsw.SQLITE_READ and two in COLUMNS.get(one, {}) and within not in CLEAR:
            found.add((one, two))
        return apsw.SQLITE_OK

    db.db.set_authorizer(look)
    try:
        db.db.execute("EXPLAIN " + _shut(sql).replace("?", "NULL"), _Nothing()).fetchall()
    finally:
        db.db.set_authorizer(None)
    return found


class _Nothing(dict[str, None]):
    """A value for every name."""

    def __missing__(self, _name: str) -> None:
        return None


def written_around(sql: str) -> set[tuple[str, str, str]]:
    """Table, column and value, where a value reaches a column of content by no door."""
    return {
        (table, column, value)
        for table, column, value in _assigned(sql)
        if column in COLUMNS.get(table, {}) and not _passes(value, COLUMNS[table][column], column)
    }


def _passes(value: str, door: str, column: str) -> bool:
    """By its door; or nothing comes in: a constant, what was there, what a row beside it brings."""
    inner = rf"(?:{door}_in\(.*\)|NULL|x?'[^']*'|excluded\.{column})"
    ways = rf"{inner}|coalesce\({door}_in\([^()]*\), {column}\)"
    ways += rf"|CASE WHEN {column} IS NULL THEN NULL ELSE {door}_in\([^()]*\) END"
    return re.fullmatch(ways, value, re.DOTALL) is not None


def _assigned(sql: str) -> Iterator[tuple[str, str, str]]:
    added = re.match(r"INSERT INTO (\w+)\(([^)]*)\)\s+(?:VALUES \(|SELECT )", sql)
    if added:
        values = _pieces(sql, added.end())
        yield from zip([added[1]] * 99, added[2].replace(" ", "").split(","), values, strict=False)
    for changed in re.finditer(r"(?:UPDATE (\w+)|DO UPDATE) SET ", " ".join(sql.split())):
        for piece in _pieces(" ".join(sql.split()), changed.end()):
            column, _, value = piece.partition(" = ")
            yield changed[1] or (added[1] if added else ""), column, value


def _pieces(sql: str, at: int) -> list[str]:
    """What stands between commas, up to where the list ends."""
    pieces, depth, start = [], 0, at
    for place in range(at, len(sql) + 1):
        rest = sql[place:]
        if depth == 0 and (
            not rest or rest[0] in ",)" or re.match(r"\s(WHERE|FROM|RETURNING)\s", rest)
        ):
            pieces.append(" ".join(sql[start:place].split()))
            if not rest or rest[0] != ",":
                return pieces
            start = place + 1
        depth += (rest[:1] == "(") - (rest[:1] == ")")
    return pieces


STATEMENTS = sorted(texts())


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_goes_round_a_door(db: Connection, name: str) -> None:
    """Content is read and written by its door, whatever the statement is for."""
    sql = texts()[name]
    assert written_around(sql) == set()
    if not sql.startswith("DROP") and not name.startswith("search_create"):
        assert read_around(db, sql) == set()


def test_nothing_that_is_composed_goes_round_a_door(db: Connection) -> None:
    """Nor what exports, imports and filters are made of."""
    for name, sql in _composed(db).items():
        assert written_around(sql) == set(), name
        assert read_around(db, sql) == set(), name


ROUND = {
    "SELECT payload FROM event WHERE seq = :seq": "read",
    "SELECT e.payload ->> '$.a', payload_out(e.payload) FROM event e": "read",
    "SELECT 1 FROM event e WHERE e.raw = :raw": "read",
    "SELECT * FROM puser": "read",
    "SELECT name FROM person ORDER BY name": "read",
    "DELETE FROM raw_delivery WHERE instr(body, :word)": "read",
    "UPDATE event SET raw = :raw WHERE seq = :seq": "written",
    "UPDATE person SET name = coalesce(:name, name) WHERE id = :id": "written",
    "UPDATE event SET payload = raw_in(:payload) WHERE seq = :seq": "written",
    "INSERT INTO attempt(event, n, kind, name, number, at, last, times, error) "
    "VALUES (:event, :n, :kind, :name, :number, :at, :at, 1, :error)": "written",
    "INSERT INTO retry(event, handler, attempt, due, error) VALUES (1, '', 1, 1, '') "
    "ON CONFLICT (event, handler) DO UPDATE SET error = :error": "written",
}
"""What somebody may write one day who has not heard of the doors."""


@pytest.mark.parametrize("sql", ROUND)
def test_who_goes_round_is_seen(db: Connection, sql: str) -> None:
    """A statement that reads or writes content without its door is found."""
    around = written_around(sql) if ROUND[sql] == "written" else read_around(db, sql)
    assert around


def test_views_and_triggers_that_see_content_are_named(db: Connection) -> None:
    """What the file itself looks at as it lies there is on the list, and nothing else is."""
    rows = db.script("SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')")
    looks = rf"\b(?:e|NEW|OLD|p|q)\.({_CONTENT})\b"
    content = {name for name, sql in rows if re.search(looks, sql)}
    unlike = {"kind_is_a_name"}  # the name of a type
    assert content - unlike == set(CLEAR)


def _is_prose(text: str) -> bool:
    return "\n" in text and text.count('"') > 1


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_no_text_in_a_module_names_content_without_a_door(path: Path) -> None:
    """SQL that Python puts together has its doors in the pieces."""
    bare = rf"(?<!_out\()\b(?:e|o|r|d|p|q|u|f|t)\.({_CONTENT})\b"
    named = rf"\b(?:FROM|INTO|UPDATE) (?:{'|'.join(COLUMNS)})\b"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = _DOOR.sub("NULL", node.value)
            assert not re.search(bare, text) or _is_prose(text), node.lineno
            if re.search(named, text) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", text):
                assert not re.search(rf"\b({_CONTENT.replace('|name', '')})\b", text), node.lineno


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_bytes_are_opened_by_the_folder(path: Path) -> None:
    """Who opens bytes by their digest, or makes a file in the folder, does it through its door."""
    text = path.read_text("utf-8")
    if path.relative_to(ROOT).as_posix() not in BYTES:
        assert not re.search(r"\bdigests\.(opened|read|verify)\(|\.part\(\)", text)


def test_without_a_codec_there_are_no_doors() -> None:
    """SQLite is given the text that it would be given if nobody had ever thought of doors."""
    for name in STATEMENTS:
        plain = without(texts()[name])
        assert not re.search(r"_(in|out)\(", plain), name
        assert plain.count("(") == plain.count(")"), name
    assert without("SELECT payload_out(e.payload), name_in(coalesce(raw_out((a)), b))") == (
        "SELECT e.payload, coalesce((a), b)"
    )
