"""An import: the application that was exported, equal in everything, in another file."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core.errors import BadInput, NotFound
from outeract_core.events import Fact
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock, SequentialIds
from tests.store.test_projection import START, STEP, History
from tests.support.store.platform import connect, external_name, said, take
from tests.support.transfer import PICTURE, confirm, everything, full, is_well

anyio_test = pytest.mark.anyio


@pytest.fixture
async def exported(core: Outeract, app: App, clock: ManualClock, tmp_path: Path) -> Path:
    """The export of an application in which everything has happened."""
    await full(core, app, clock)
    await app.export(tmp_path / "a.ndjson")
    return tmp_path / "a.ndjson"


def opened(path: Path, clock: ManualClock | None = None) -> Outeract:
    """Another file."""
    return Outeract(path, clock=clock or ManualClock(), durability="normal")


@anyio_test
async def test_the_first_application_of_a_file_comes_out_equal_row_by_row(
    core: Outeract, exported: Path, tmp_path: Path
) -> None:
    """Where keys can be the same they are: every table has the very rows that it had."""
    async with opened(tmp_path / "new.db") as other:
        confirm(other, await other.import_app(exported))
        assert is_well(other)
    core.close()
    ours, theirs = everything(tmp_path / "bot.db"), everything(tmp_path / "new.db")
    for table, wanted in ours.items():
        assert wanted, f"the test has nothing in {table}"
        assert theirs[table] == wanted, table


@anyio_test
async def test_exporting_what_was_imported_gives_the_same_lines(
    exported: Path, tmp_path: Path
) -> None:
    """Beside other applications, with other numbers for everything, the export is the same bytes."""
    async with opened(tmp_path / "new.db") as other:
        first = other.app("first", organisation="theirs")
        await take(other, connect(other, first), said("m1"), said("m2", "mallory"))
        await other.app("second", organisation="theirs").emit("own.type", {})
        app = confirm(other, await other.import_app(exported))
        assert app.key == 3
        await app.export(tmp_path / "b.ndjson")
        assert is_well(other)
    assert (tmp_path / "b.ndjson").read_bytes() == exported.read_bytes()


@anyio_test
async def test_files_come_with_their_bytes(exported: Path, tmp_path: Path) -> None:
    """Bytes are in the other file's folder, under their SHA-256, and nothing else is."""
    async with opened(tmp_path / "new.db") as other:
        app = await other.import_app(exported)
        found = [p for p in (tmp_path / "new.db.files").rglob("*") if p.is_file()]
        assert sorted(p.read_bytes() for p in found) == sorted([PICTURE, b""])
        stored = await other.runtime.database.traverse(
            lambda tx: tx.dynamic("SELECT uid FROM file WHERE size = :n", {"n": len(PICTURE)})
        )
        from uuid import UUID

        assert await app.files.read(UUID(bytes=stored[0][0])) == PICTURE


@anyio_test
async def test_a_moved_application_goes_on_where_it_was(
    core: Outeract, app: App, clock: ManualClock, exported: Path, tmp_path: Path
) -> None:
    """Webhooks, dedupe, replies to old messages, waiting messages and, with the key, link codes go on."""
    before = app.connections()[0]
    carol = await app.people.by_external_id(before, "carol")
    code = await app.people.link_code(carol)
    await app.export(tmp_path / "b.ndjson")
    core.close()
    shutil.copy(tmp_path / "bot.db.key", tmp_path / "new.db.key")
    async with opened(tmp_path / "new.db", clock) as other:
        connect(other, other.app("first"), "another")
        moved = confirm(other, await other.import_app(tmp_path / "b.ndjson"))
        (connection, _second) = moved.connections()
        assert connection == before
        count = await moved.events.count()
        await take(other, connection, said("late", "ann"))
        assert await moved.events.count() == count
        await take(other, connection, said("new", "ann", reply_to="late"))
        new = await moved.events.by_external_id(connection, "new")
        assert len((await moved.graph.walk(new, types=["reply_to"], depth=1)).edges) == 1
        ann = await moved.people.by_external_id(connection, "ann")
        assert (await moved.people.activate_link_code(code, ann)).id
        clock.advance(1001 * 86_400)
        assert (await other.pump()).sent >= 2


@anyio_test
async def test_it_can_be_called_by_another_name(exported: Path, tmp_path: Path) -> None:
    """Name and organisation may be chosen; nothing else changes."""
    async with opened(tmp_path / "new.db") as other:
        app = confirm(other, await other.import_app(exported, name="moved", organisation="acme"))
        assert (app.organisation, app.name) == ("acme", "moved")
        await app.export(tmp_path / "b.ndjson")
    one, two = exported.read_text().split("\n"), (tmp_path / "b.ndjson").read_text().split("\n")
    assert [
        n for n, (a, b) in enumerate(zip(one, two, strict=True)) if a != b and "sha256" not in a
    ] == [0]
    assert '"name":"moved"' in two[0]


@anyio_test
async def test_packed_files_and_files_without_bytes_can_be_imported(
    app: App, exported: Path, tmp_path: Path
) -> None:
    """Gzip is unpacked; an export without bytes has file nodes without bytes, as who signed it says."""
    key = "between the two of us, and nobody else"
    await app.export(tmp_path / "b.ndjson.gz", files=False, key=key)
    async with opened(tmp_path / "new.db") as other:
        moved = confirm(other, await other.import_app(tmp_path / "b.ndjson.gz", key=key))
        await moved.export(tmp_path / "c.ndjson.gz", files=False, key=key)
    assert (tmp_path / "b.ndjson.gz").read_bytes() == (tmp_path / "c.ndjson.gz").read_bytes()
    assert not (tmp_path / "new.db.files").exists()
    assert exported.exists()


@anyio_test
async def test_an_application_that_is_there_is_not_written_over(
    core: Outeract, exported: Path, tmp_path: Path
) -> None:
    """A name that is taken is refused, and so is the same application twice in one file."""
    with pytest.raises(BadInput, match="there is an application default/support already"):
        await core.import_app(exported)
    with pytest.raises(BadInput, match="in the file already, as default/support"):
        await core.import_app(exported, name="copy")
    async with opened(tmp_path / "new.db") as other:
        await other.import_app(exported)
        with pytest.raises(BadInput, match="already"):
            await other.import_app(exported)
        with pytest.raises(BadInput, match="needs a name"):
            await other.import_app(exported, name="")
    with pytest.raises(FileNotFoundError):
        await core.import_app(tmp_path / "none.ndjson")


@anyio_test
async def test_progress_is_told(core: Outeract, app: App, tmp_path: Path) -> None:
    """It goes up with the blocks, to the number of nodes that the application has."""
    plain = connect(core, app)
    for start in range(0, 9000, 1000):
        await take(core, plain, *(said(f"m{start + n}", text="x" * 1000) for n in range(1000)))
    await app.export(tmp_path / "a.ndjson")
    told: list[tuple[int, int]] = []
    async with opened(tmp_path / "new.db") as other:
        await other.import_app(tmp_path / "a.ndjson", progress=lambda *n: told.append(n))
    assert len(told) >= 4
    assert told == sorted(told)
    assert told[-1] == (9004, 9004)


@anyio_test
async def test_more_rows_than_a_statement_takes_come_in_whole(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """A block with thousands of lines of a table, and an event with thousands of edges: the same lines again."""
    plain = connect(core, app)
    for start in range(0, 2500, 500):
        await take(core, plain, *(said(f"m{start + n}", f"p{n}") for n in range(500)))
    events = [event async for event in app.events.all()]
    await app.emit("order.created", {}, edges={"counts": events})
    await app.export(tmp_path / "a.ndjson")
    async with opened(tmp_path / "new.db") as other:
        moved = confirm(other, await other.import_app(tmp_path / "a.ndjson"))
        await moved.export(tmp_path / "b.ndjson")
        assert is_well(other)
    assert (tmp_path / "a.ndjson").read_bytes() == (tmp_path / "b.ndjson").read_bytes()


@anyio_test
async def test_types_that_the_file_does_not_know_are_learnt(tmp_path: Path, app: App) -> None:
    """Events and edges of the host's own types keep their types, in a file that has never seen them."""
    event = await app.emit("order.created", {})
    await app.edge(await app.emit("order.paid", {}), "pays_for", event)
    await app.export(tmp_path / "a.ndjson")
    async with opened(tmp_path / "new.db") as other:
        moved = await other.import_app(tmp_path / "a.ndjson")
        found = await moved.graph.walk(event, types=["pays_for"], direction="both", depth=1)
        assert {e.event_type for e in found.nodes} == {"order.created", "order.paid"}  # type: ignore[union-attr]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


class Story(History):
    """A history of one application, in which also words, texts and raw items are of every kind."""

    def __init__(self, core: Outeract, clock: ManualClock) -> None:
        super().__init__(core, clock)

    async def words(self, app: App, on: PlatformConnection, a: int, b: int) -> None:
        """An event of the host's, and one with a raw item as it came."""
        text = "".join(chr(n) for n in (a * 1234 + 33, b * 7919 + 0x2028, 10, 34, 92, 0x1F600 + a))
        await app.emit(f"own.type{a % 3}", {"text": text, "n": [a / 7, -b, None, True]})
        raw = f'{{"a" :\r\n {a}.0, "b":"\\u00{b}e\u2028" }}'.encode()
        await take(
            self.core, on, Fact("message.edited", f"words {self.count}", {"t": text}, raw=raw)
        )

    async def reaction(self, _app: App, on: PlatformConnection, a: int, b: int) -> None:
        """Somebody reacts to a message that may not be here yet."""
        fact = Fact("message.reaction_added", f"r{self.count}", {"emoji": "👍"}, target=f"m{a}")
        await take(self.core, on, fact)
        assert external_name(str(b))


STEPS = st.one_of(
    STEP,
    st.tuples(
        st.sampled_from(["words", "reaction"]), st.just(0), st.integers(0, 9), st.integers(0, 9)
    ),
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(STEPS, min_size=1, max_size=25))
def test_any_history_survives_the_move(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    """Whatever happened: exported, imported elsewhere and exported again, it is the same lines."""
    folder = tmp_path_factory.mktemp("move")

    async def play() -> None:
        clock = ManualClock(START)
        async with Outeract(folder / "a.db", clock=clock, durability="normal") as core:
            story = await Story.of(core, clock, steps)
            for app in story.apps:
                await app.export(folder / f"{app.name}.ndjson")
        async with Outeract(folder / "b.db", clock=clock, durability="normal") as other:
            for name in ("two", "one"):
                moved = confirm(other, await other.import_app(folder / f"{name}.ndjson"))
                await moved.export(folder / "again.ndjson")
                again, first = folder / "again.ndjson", folder / f"{name}.ndjson"
                assert again.read_bytes() == first.read_bytes()
            assert is_well(other)

    try:
        anyio.run(play)
    finally:
        shutil.rmtree(folder)


@anyio_test
async def test_a_node_of_the_other_file_is_not_found_by_its_number(
    exported: Path, tmp_path: Path
) -> None:
    """What was imported belongs to its application alone."""
    async with Outeract(tmp_path / "new.db", ids=SequentialIds()) as other:
        stranger = other.app("stranger")
        moved = await other.import_app(exported)
        event = (await moved.events.page(first=1)).nodes[0]
        with pytest.raises(NotFound):
            await stranger.events.get(event.id)
