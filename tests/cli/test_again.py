"""What handlers gave up is run again from the command line.

Knows: what people read. Does not know: how an event is given to a handler again.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from outeract_core import Message
from outeract_core._cli import main
from tests.support.bots import talk


def test_retry_runs_what_was_given_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The event is answered by the next pump; an id that nobody knows is an error, told as such."""
    file = tmp_path / "a.db"

    async def run(*, mended: bool) -> tuple[str, list[str]]:
        bot = talk(file)
        async with bot.core:

            @bot.app.on("message.inbound", name="h", attempts=1)
            def handler(message: Message) -> str:
                if not mended:
                    raise RuntimeError
                return f"re {message.text}"

            if not mended:
                await bot.says("hello")
            await bot.core.pump()
            (event,) = await bot.events("message.inbound")
            return str(event.id), bot.terminal.texts

    async def broken() -> tuple[str, list[str]]:
        return await run(mended=False)

    async def repaired() -> tuple[str, list[str]]:
        return await run(mended=True)

    event, said = anyio.run(broken)
    assert said == []
    assert main(["retry", str(file), event]) == 0
    capsys.readouterr()
    assert anyio.run(repaired) == (event, ["re hello"])
    assert main(["retry", str(file), "00000000-0000-7000-8000-000000000000"]) == 2
    assert "00000000-0000-7000-8000-000000000000" in capsys.readouterr().err
