"""One store in one event loop after another, as scripts and notebooks use it."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Outeract
from outeract_core.testing import FakePlatform
from tests.support.bots import whatsapp
from tests.support.patience import PATIENCE, until

ANN = "+14155550100"


@pytest.mark.parametrize("backends", [["asyncio", "asyncio", "trio"], ["trio", "trio", "asyncio"]])
def test_one_store_may_be_used_in_one_event_loop_after_another(
    tmp_path: Path, backends: list[str]
) -> None:
    """A script that calls `anyio.run` several times sends each time: no connection outlives its loop."""
    with FakePlatform() as fake:
        core = Outeract(tmp_path / "a.db")
        app = core.app("support")
        whatsapp(app, fake)
        for number, backend in enumerate(backends):

            async def main(text: str = f"hello {number}") -> str:
                delivery = await app.send(("whatsapp", ANN), text)
                await core.pump()
                return (await delivery.state()).status

            assert anyio.run(main, backend=backend) == "sent"
        core.close()
        assert [m.text for m in fake.sent()] == ["hello 0", "hello 1", "hello 2"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_pumping_beside_a_server_does_not_cut_its_connections(tmp_path: Path, backend: str) -> None:
    """Connections are closed with the last of the work, not under somebody's request."""

    async def main(core: Outeract, fake: FakePlatform) -> None:
        app = core.app("support")
        whatsapp(app, fake)
        async with anyio.create_task_group() as group:
            group.start_soon(core.serve)
            for number in range(20):
                delivery = await app.send(("whatsapp", f"{ANN}{number}"), "hello")
                await core.pump()
                assert (await delivery.wait("sent", timeout=PATIENCE)).status == "sent"
            group.cancel_scope.cancel()

    with FakePlatform() as fake:
        core = Outeract(tmp_path / "a.db")
        anyio.run(main, core, fake, backend=backend)
        core.close()
        assert len(fake.sent()) == 20


@pytest.mark.anyio
async def test_what_is_added_while_serving_is_taken_up(tmp_path: Path) -> None:
    """A new tenant with a polled connection and a handler is heard and answered without a restart."""
    with FakePlatform() as fake:
        async with Outeract(tmp_path / "a.db") as core, anyio.create_task_group() as group:
            group.start_soon(core.serve)
            await anyio.lowlevel.checkpoint()
            app = core.app("newcomer")
            app.connect("telegram", token="42:tests", poll=True, base_url=fake.url)
            app.on("message.inbound", name="h")(lambda message: f"re {message.text}")
            fake.telegram.say(1001, "hello")
            await until(fake.sent)
            group.cancel_scope.cancel()
        assert [m.text for m in fake.sent()] == ["re hello"]
