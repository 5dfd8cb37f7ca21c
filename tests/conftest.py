"""What every test may ask for: both event loops, a clock that stands still, an open store.

Knows: fixtures. Does not know: what is tested.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.chance import drawn_alike, the_same_order
from tests.support.loops import MARK, of_one_loop
from tests.support.store.platform import connect
from tests.support.store.template import quickly
from tests.support.store.walls import walled
from tests.support.store.words import Words


def pytest_addoption(parser: pytest.Parser) -> None:
    """One more option."""
    parser.addoption("--both-loops", action="store_true", help="every test on asyncio and on trio")


def pytest_configure(config: pytest.Config) -> None:
    """One more mark, and what is drawn is drawn alike."""
    config.addinivalue_line("markers", MARK)
    drawn_alike(config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Nor does the order of tasks differ from run to run."""
    the_same_order(item)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What knows no event loop runs on one of both."""
    if not config.getoption("--both-loops"):
        left = of_one_loop(items)
        gone = {id(item) for item in left}
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if id(item) not in gone]


@pytest.fixture(scope="session", autouse=True)
def _quick_files() -> Iterator[None]:
    """New files are copies of a migrated one in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outeract_core._io.database.migrate", quickly)
        yield


@pytest.fixture(scope="session", autouse=True)
def _walls() -> Iterator[None]:
    """No unit of work writes a row of an application that it has not named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outeract_core._io.database.open_writer", walled)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_shape_of_a_statement() -> Iterator[None]:
    """Nor is anything put together because this machine is busy: steps and plans are those of the statement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outeract_core._store.engine.seen.waits.A_WHILE", 0.0)
        yield


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Tests marked `anyio` run on both."""
    return request.param


@pytest.fixture
def clock() -> ManualClock:
    """Time as the test decides."""
    return ManualClock()


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """An empty store in a fresh folder."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True
    ) as core:
        yield core


@pytest.fixture
def app(core: Outeract) -> App:
    """An application of it."""
    return core.app("support")


@pytest.fixture
def plain(core: Outeract, app: App) -> PlatformConnection:
    """A connection of it on the test platform."""
    return connect(core, app)


@pytest.fixture
def words(tmp_path: Path) -> Words:
    """Words to plant in the store."""
    return Words(tmp_path)
