"""The commands that keep and drop do what they say, and say what they did.

Knows: what people and programs read. Does not know: how a copy is made, what a rule drops.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from outeract_core import blocking
from outeract_core._cli import main
from tests.support.bots import talk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one conversation."""

    async def fill() -> None:
        bot = talk(tmp_path / "a.db")
        async with bot.core:
            bot.app.on("message.inbound", name="h")(lambda message: f"re {message.text}")
            await bot.says("hello")
            await bot.core.pump()

    anyio.run(fill)
    return tmp_path / "a.db"


def test_backup_copies_and_refuses(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`backup` says what it has written; an existing target is an error, unless overwritten."""
    copy = tmp_path / "copy.db"
    assert main(["backup", str(file), str(copy)]) == 0
    assert capsys.readouterr().out.startswith(f"{copy}: ")
    assert main(["backup", str(file), str(copy)]) == 2
    assert "there already" in capsys.readouterr().err
    assert main(["backup", str(file), str(copy), "--overwrite", "--no-files", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"path": str(copy), "bytes": copy.stat().st_size, "files": 0, "missing": 0}
    assert main(["doctor", str(copy)]) == 1
    assert "copy.db.key is not there" in capsys.readouterr().out
    shutil.copy(f"{file}.key", f"{copy}.key")
    assert main(["doctor", str(copy)]) == 0


def test_retention_shows_and_applies(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--apply` nothing goes; with it, what was shown goes."""
    assert main(["retention", str(file)]) == 0
    assert "no rules" in capsys.readouterr().out
    with blocking.Outeract(file) as core:
        core.app("support").retention.keep("message.inbound", timedelta())
    for option, verb in ((), "would drop"), (("--apply",), "dropped"):
        assert main(["retention", str(file), *option]) == 0
        assert f": {verb} 1 events" in capsys.readouterr().out
    assert main(["retention", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pattern"], told["seconds"], told["events"]) == ("message.inbound", 0, 0)


def test_reparse_reads_the_past_again(tmp_path, capsys):
    """`outeract reparse` tells how many items it has read; a name that fits none is told as such."""
    from outeract_core import Outeract
    from outeract_core._cli import main

    path = str(tmp_path / "bot.db")
    with_file = Outeract(path)
    with_file.app("support").connect("slack", bot_token="t", signing_secret="s", name="desk")
    with_file.close()
    assert main(["reparse", path, "desk", "--json"]) == 0
    assert '"read": 0, "changed": 0' in capsys.readouterr().out
    assert main(["reparse", path, "slack", "--since", "2026-01-01"]) == 0
    assert "0 items read again" in capsys.readouterr().out
    assert main(["reparse", path, "nobody"]) == 2
    assert main(["reparse", path, "desk", "--since", "soon"]) == 2
