"""Export and import work from the command line and without an event loop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from outeract_core import blocking
from outeract_core._cli import main
from outeract_core.errors import UnfinishedImport
from tests.support.bots import Terminal


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file with two applications."""
    with blocking.Outeract(tmp_path / "a.db", console=Terminal()) as core:
        for name in ("support", "sales"):
            app = core.app(name)
            app.connect("console")
            app.send(("console", "ann"), f"hello from {name}")
            app.files.add(name.encode(), filename="f.txt")
        core.pump()
    return str(tmp_path / "a.db")


def test_an_application_goes_through_a_file(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`export` and `import` say what they did, for people and for programs; the copy is equal."""
    target, new = str(tmp_path / "a.ndjson"), str(tmp_path / "new.db")
    assert main(["export", file, "support", target]) == 0
    assert "2 events, 1 files in" in capsys.readouterr().out
    assert main(["import", new, target]) == 0
    said_so = capsys.readouterr().out
    assert said_so.startswith(
        "default/support: 2 events; not signed\ndisabled until you have looked"
    )
    assert main(["enable", new]) == 1
    assert "console/console" in capsys.readouterr().out
    assert main(["enable", new, "console", "--yes"]) == 0
    assert capsys.readouterr().out.endswith("enabled\n")
    assert main(["enable", new]) == 0
    assert capsys.readouterr().out == "no connection is disabled\n"
    assert main(["export", new, "default/support", f"{target}2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["events"], said["files"], said["missing"]) == (2, 1, 0)
    assert Path(f"{target}2").read_bytes() == Path(target).read_bytes()
    assert main(["doctor", new]) == 0


def test_import_can_rename_and_says_so(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Name and organisation are options; `--no-files` leaves the bytes out."""
    target = str(tmp_path / "a.ndjson.gz")
    main(["export", file, "sales", target, "--no-files"])
    capsys.readouterr()
    arguments = ["import", str(tmp_path / "new.db"), target, "--json"]
    assert main([*arguments, "--name", "two", "--organisation", "acme"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "application": "acme/two", "events": 2, "signed": "no", "disabled": ["console"],
    }  # fmt: skip
    assert not (tmp_path / "new.db.files").exists()


def test_an_export_to_standard_output_is_nothing_but_the_export(file: str, tmp_path: Path) -> None:
    """`-` writes the same bytes to the output, for a pipe."""
    main(["export", file, "support", str(tmp_path / "a.ndjson")])
    command = [sys.executable, "-m", "outeract_core", "export", file, "support", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == (tmp_path / "a.ndjson").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "FILE", "nobody", "x.ndjson"], "no application nobody"),
        (["export", "FILE", "support", "nowhere/x.ndjson"], "nowhere/x.ndjson cannot be written"),
        (["import", "FILE", "nothing.ndjson"], "nothing.ndjson cannot be read"),
        (["import", "FILE", "FILE"], "line 1: this is no export of outeract_core"),
    ],
)
def test_what_cannot_be_done_is_told_with_exit_code_2(
    file: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """Wrong names, places and files are refused in one line."""
    assert main([file if one == "FILE" else one for one in arguments]) == 2
    assert words in capsys.readouterr().err


def test_commands_say_that_an_application_is_not_whole(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands that need an application name the unfinished import in place of not finding it."""

    def torn(_done: int, _of: int) -> None:
        raise KeyError("interrupted")

    target, new = tmp_path / "a.ndjson", str(tmp_path / "new.db")
    with blocking.Outeract(file) as core:
        assert core.app("support").export(target).events == 2
    with blocking.Outeract(new) as core:
        with pytest.raises(KeyError):
            core.import_app(target, progress=torn)
        with pytest.raises(UnfinishedImport):
            core.app("support")
    assert main(["tail", new]) == 2
    assert "default/support: run outeract import again" in capsys.readouterr().err
    assert main(["import", new, str(target)]) == 0
    assert main(["tail", new]) == 0


def test_what_was_imported_can_be_searched(file: str, tmp_path: Path) -> None:
    """Without a loop the same; the search index is made where the application has come to."""
    with blocking.Outeract(file) as core:
        core.app("sales").export(tmp_path / "a.ndjson")
    with blocking.Outeract(tmp_path / "new.db") as new:
        app = new.import_app(tmp_path / "a.ndjson", name="moved")
        assert app.name == "moved"
        assert [hit.event.text for hit in app._carry(app._inner.search, "hello")] == [
            "hello from sales"
        ]
