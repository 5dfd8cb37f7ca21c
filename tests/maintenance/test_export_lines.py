"""The lines of an export, character by character: their form is public, and other programs read it."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._store.transfer.tables import TABLES
from outeract_core.testing import ManualClock
from tests.store.test_projection import START
from tests.support.older import OLDER
from tests.support.store import spelt
from tests.support.store.opening import raw
from tests.support.store.platform import connect, said, take
from tests.support.transfer import confirm, full

from .test_import import STEPS, Story

GOLDEN = Path(__file__).parents[1] / "support" / "samples" / "exports" / "everything.ndjson"
"""What a version that let SQLite make the lines has written of an application in which everything has happened."""
KEY = "between the two of us, and nobody else"
OF_0_1_0 = "b295ce91ac8f3d250c574e6e26a7c3576097246a309db084f186b0278b8e383e"
"""SHA-256 of all lines but the last that the same version has written of the file of 0.1.0."""


def _between(path: Path) -> list[str]:
    """The lines of an export between its header and its end, without checks and bytes of files."""
    found = path.read_text("utf-8").split("\n")[1:-2]
    return [line for line in found if not line.startswith(('{"check"', '{"bytes"'))]


@pytest.mark.anyio
async def test_what_an_earlier_version_has_written_is_written_again(tmp_path: Path) -> None:
    """Imported and exported: the same bytes, signature included."""
    async with Outeract(tmp_path / "new.db", durability="normal") as core:
        app = confirm(core, await core.import_app(GOLDEN, key=KEY))
        await app.export(tmp_path / "again.ndjson", files=False, key=KEY)
    assert (tmp_path / "again.ndjson").read_bytes() == GOLDEN.read_bytes()
    of_each = {line[2 : line.index('":')] for line in _between(GOLDEN)}
    assert of_each == {*TABLES, "event", "edge"}


@pytest.mark.anyio
async def test_a_file_of_0_1_0_is_exported_as_it_was(tmp_path: Path) -> None:
    """Its lines have the checksum that they had when it was recorded."""
    shutil.copy(OLDER / "0.1.0" / "store.db", tmp_path / "store.db")
    async with Outeract(tmp_path / "store.db") as core:
        app = core.app("support", organisation="acme")
        done = await app.export(tmp_path / "a.ndjson", files=False)
    assert done.sha256 == OF_0_1_0


@pytest.mark.anyio
async def test_each_line_is_what_sqlite_makes_of_its_row(
    core: Outeract, app: App, clock: ManualClock, tmp_path: Path
) -> None:
    """An application in which everything has happened, beside another one whose numbers are in the way."""
    other = core.app("other")
    await take(core, connect(core, other), said("m1", "mallory"))
    await full(core, app, clock)
    await app.export(tmp_path / "a.ndjson", files=False)
    assert _between(tmp_path / "a.ndjson") == spelt.lines(Path(core.path), app.key)


ODD = [
    "", "\x01\x1f\x7f\x85", "\u2028\u2029", 'a"b\\c/d', "\t\n\r\x08\x0c", "\U0001f600\uffff", "%s %d {0}",
]  # fmt: skip
TEXTS = ["{}", "[1.50,1e2]", '{"a" : 1}', '{"a":\n1}', "no JSON", "NaN", '"\\ud800"', "", "01",
         f'{{"n":{"9" * 5000}}}', '{"a":1}{"b":2}', " 1 ", "\ufeff1", "-", "1.", "[" * 400 + "]" * 400,
         '"\x01"', "{'a':1}", "[1,]", "+1", "0x10", ".5", "Infinity", "-Infinity", "tru", "null"]  # fmt: skip
"""As a payload may lie in a file that others have written into."""


@pytest.mark.anyio
async def test_odd_characters_are_spelt_as_sqlite_spells_them(
    core: Outeract, app: App, clock: ManualClock, tmp_path: Path
) -> None:
    """Controls, separators, texts that are no JSON or look like it: names, payloads, raw items."""
    plain = connect(core, app)
    await take(core, plain, *(said(f"m{n}", f"p{n}") for n in range(len(TEXTS))))
    core.close()
    with raw(tmp_path / "bot.db") as db:
        db.execute("DROP TRIGGER event_no_update")
        for n, text in enumerate(TEXTS):
            where = {"text": text, "dk": f"m{n}"}
            db.execute("UPDATE event SET payload = :text WHERE dk = :dk", where)
            db.execute("UPDATE event SET raw = iif(seq % 3 = 0, NULL, :text) WHERE dk = :dk", where)
        for n, text in enumerate(ODD):
            db.execute("UPDATE puser SET name = ? WHERE ext = ?", (text, f"p{n}"))
            db.execute("UPDATE event SET dk = ? WHERE dk = ?", (text + "odd", f"m{n}"))
    async with Outeract(tmp_path / "bot.db", clock=clock) as again:
        await again.app("support").export(tmp_path / "a.ndjson", files=False)
    assert _between(tmp_path / "a.ndjson") == spelt.lines(tmp_path / "bot.db", app.key)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(STEPS, min_size=1, max_size=25))
def test_any_history_is_written_as_sqlite_would(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    """Whatever happened, in each of two applications of a file."""
    folder = tmp_path_factory.mktemp("lines")

    async def play() -> None:
        clock = ManualClock(START)
        async with Outeract(folder / "a.db", clock=clock, durability="normal") as core:
            story = await Story.of(core, clock, steps)
            for app in story.apps:
                await app.export(folder / "a.ndjson", files=False)
                assert _between(folder / "a.ndjson") == spelt.lines(folder / "a.db", app.key)

    try:
        anyio.run(play)
    finally:
        shutil.rmtree(folder)
