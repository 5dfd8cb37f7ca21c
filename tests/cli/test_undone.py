"""What came to nothing is listed and counted on the command line, for people and for programs."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core._cli import main
from outeract_core.blocking import Outeract
from outeract_core.errors import Rejected
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import whatsapp


def refusing(_message: dict[str, Any]) -> Any:
    """A terminal that takes nothing."""
    raise Rejected("nobody there")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Two applications; three messages and two kinds of turns came to nothing in one of them."""
    clock = ManualClock()
    with FakePlatform(clock=clock) as fake, Outeract(
        tmp_path / "my bot.db", console=refusing, clock=clock, allow_private_addresses=True
    ) as core:  # fmt: skip
        core.app("quiet").connect("console", name="silent")
        app = core.app("x")
        where = app.connect("console")
        whatsapp(app._inner, fake)

        def broken(_message: object) -> None:
            raise ValueError("no")

        app.on("message.inbound", name="gives_up", attempts=1)(broken)
        app.on("message.inbound", name="goes_on", attempts=9)(broken)
        body = b'{"user":"ann","text":"hi","n":1}'
        core.ingest(where.webhook_id, where.webhook_secret, body=body)
        app.send(("console", "ann"), "first")
        core.pump()
        clock.advance(timedelta(days=2).total_seconds())
        app.send(("console", "ann"), "second")
        core.pump()
        clock.advance(3600)
        fake.drop(1)
        app.send(("whatsapp", "+14155550100"), "perhaps")
        core.pump()
    return str(tmp_path / "my bot.db")


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    """What a program reads."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_messages_are_listed_and_counted(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By status, connection and time; with class and reason; as many as are asked for."""
    listed = found(capsys, "deliveries", file)
    assert [one["status"] for one in listed] == ["unknown", "failed", "failed"]
    assert listed[1]["reason"] == "nobody there"
    assert listed[1]["connection"] == "console/console"
    assert found(capsys, "deliveries", file, "-n", "1") == listed[:1]
    assert found(capsys, "deliveries", file, "--status", "failed") == listed[1:]
    assert found(capsys, "deliveries", file, "--since", listed[1]["at"]) == listed[:2]
    assert found(capsys, "deliveries", file, "--until", listed[1]["at"]) == listed[2:]
    assert found(capsys, "deliveries", file, "--connection", "silent") == []
    assert found(capsys, "deliveries", file, "--connection", "console") == listed[1:]
    assert found(capsys, "deliveries", file, "--app", "quiet") == []
    counts = found(capsys, "deliveries", file, "--count")
    assert sum(one["count"] for one in counts) == 3
    assert len(counts) == 3
    whole = found(capsys, "deliveries", file, "--count", "--every", str(24 * 3650))
    assert sorted((one["status"], one["count"]) for one in whole) == [("failed", 2), ("unknown", 1)]
    assert main(["deliveries", file]) == 0
    out = capsys.readouterr().out
    assert out.count("nobody there") == 2
    assert listed[0]["event"] in out.splitlines()[0]


def test_turns_are_listed_and_counted(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By status, handler and class, with the next attempt of those that are run again."""
    listed = found(capsys, "turns", file)
    assert [(one["handler"], one["status"], one["class"]) for one in listed] == [
        ("goes_on", "retrying", "ValueError"), ("gives_up", "parked", "ValueError"),
    ]  # fmt: skip
    assert listed[0]["due"] > listed[0]["at"]
    assert listed[1]["due"] is None
    assert found(capsys, "turns", file, "--status", "parked") == listed[1:]
    assert found(capsys, "turns", file, "--handler", "goes_on") == listed[:1]
    assert found(capsys, "turns", file, "--until", listed[1]["at"]) == []
    counts = found(capsys, "turns", file, "--count")
    assert {(one["handler"], one["status"], one["count"]) for one in counts} >= {
        ("gives_up", "parked", 1)
    }
    assert main(["turns", file, "--count"]) == 0
    assert "gives_up" in capsys.readouterr().out
    assert main(["turns", file]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "attempt" in lines[0]
    assert "ValueError" in lines[1]


def test_what_the_doctor_names_can_be_typed(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of its advice is one, and lists what the doctor has counted."""
    monkeypatch.setattr("outeract_core._io.runtime.Runtime.now", lambda _self: _NOW)
    main(["doctor", file])
    out = capsys.readouterr().out
    typed = re.findall(r"outeract (?:deliveries|turns) '[^']+' --status \w+", out)
    assert {line.split()[-1] for line in typed} == {"failed", "unknown", "parked", "retrying"}
    for line in typed:
        assert found(capsys, *shlex.split(line)[1:]), line


_NOW = int((ManualClock()() + timedelta(hours=12)).timestamp() * 1000)


@pytest.mark.parametrize(
    "wrong",
    [
        ["-n", "0"], ["-n", "-1"], ["--every", "0"], ["--every", "nan"], ["--every", "inf"],
        ["--every", "-3"], ["--since", "yesterday"], ["--until", "1d"], ["--connection", "nobody"],
        ["--app", "nobody"], ["--connection", "console", "--app", "quiet", "--count"],
        ["--since", "2026-05-02", "--until", "2026-05-01"], ["--handler", "gives_upp"],
        ["--handler", "gives_up", "--app", "quiet"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["deliveries", "turns"])
def test_what_was_mistyped_is_refused_by_name(
    file: str, capsys: pytest.CaptureFixture[str], command: str, wrong: list[str]
) -> None:
    """Exit code 2 and one line that says what is wrong; never a traceback, never an empty list."""
    if wrong[0] == "--handler" and command == "deliveries":
        pytest.skip("no handler is asked for there")
    code = main([command, file, *wrong])
    assert (code, *capsys.readouterr()) == (
        main([command, file, "--count", *wrong]),
        *capsys.readouterr(),
    )
    code = main([command, file, "--count", *wrong])
    told = capsys.readouterr()
    if wrong[:2] == ["--connection", "console"]:
        assert (code, told.out) == (0, "")  # the platform of the one connection of `quiet`
        return
    assert code == 2
    assert told.err.startswith("outeract: ")
    assert told.out == ""


@pytest.mark.parametrize(
    ("command", "arguments", "many"),
    [
        ("turns", ["--handler", "gives_up"], 1), ("turns", ["--handler", "goes_on"], 1), ("turns", [], 2),
        ("turns", ["--status", "parked"], 1), ("turns", ["--status", "retrying"], 1),
        ("turns", ["--status", "retrying", "--handler", "gives_up"], 0),
        ("deliveries", ["--status", "failed"], 2), ("deliveries", ["--status", "unknown"], 1),
    ],
)  # fmt: skip
def test_what_is_counted_is_what_is_listed(
    file: str, capsys: pytest.CaptureFixture[str], command: str, arguments: list[str], many: int
) -> None:
    """Every filter holds for the counts, too; a handler that has nothing undone is known."""
    assert len(found(capsys, command, file, *arguments)) == many
    assert sum(one["count"] for one in found(capsys, command, file, "--count", *arguments)) == many


WRONG: dict[str, list[str]] = {
    "tail": ["-n", "-1"], "tail none": ["-n", "0"], "tail type": ["--type", "message.inbond"], "tail app": ["--app", "nobody"],
    "conversations": ["-n", "0"], "conversations app": ["--app", "nobody"], "doctor": ["--app", "nobody"],
    "retention": ["--app", "nobody"], "replay": ["--app", "nobody"], "enable": ["nobody"], "show": [ID := "019b76da-a800-7000-8000-0000000000ff"],
    "graph": [ID], "graph depth": [ID, "--depth", "0"], "retry": [ID], "resend": [ID], "show no id": ["x"],
    "reparse": ["nobody"], "reparse since": ["silent", "--since", "yesterday"], "rotate": ["nobody"],
    "export": ["nobody", "-"],
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG)
def test_no_command_is_silent_about_what_does_not_exist(
    file: str, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    """Exit code 2 and a line that names it: an application, a connection, an event, a type, a number, a time."""
    assert main([which.partition(" ")[0], file, *WRONG[which]]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("outeract: ")
    assert told.out == ""
