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
from tests.support.store.platform import connect
from tests.support.store.template import quickly
from tests.support.store.words import Words


@pytest.fixture(scope="session", autouse=True)
def _quick_files() -> Iterator[None]:
    """New files are copies of a migrated one in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outeract_core._io.database.migrate", quickly)
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
