"""The command line tells people and programs what a file holds, and its demo runs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from outeract_core._cli import commands, main
from outeract_core._cli.opening import applications, opened
from outeract_core._io.threads import handover
from tests.support.bots import talk
from tests.support.patience import PATIENCE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one conversation."""
    import anyio

    async def fill() -> None:
        bot = talk(tmp_path / "a.db")
        async with bot.core:
            bot.app.on("message.inbound", name="h")(lambda message: f"re {message.text}")
            await bot.says("hello [world]")
            await bot.core.pump()

    anyio.run(fill)
    return tmp_path / "a.db"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    main([*arguments, "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_doctor_finds_a_healthy_file_well(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Config, secrets, health and depths are told; all well is exit code 0."""
    assert main(["doctor", str(file)]) == 0
    assert "all is well" in capsys.readouterr().out
    (found,) = _json(capsys, "doctor", str(file))
    assert found["problems"] == []
    assert found["queues"]["queued"] == 0
    assert found["file"]["projections"] == []


def test_doctor_tells_since_when_handlers_are_known_and_what_they_left_behind(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name, for people and for programs; it is no problem."""
    from outeract_core import Outeract

    core = Outeract(file)
    core.app("support").on("message.inbound", name="later")(print)
    core.close()
    (found,) = _json(capsys, "doctor", str(file))
    (app,) = found["applications"]
    assert [(one["name"], one["left_behind"]) for one in app["handlers"]] == [
        ("h", 0),
        ("later", 1),
    ]
    assert main(["doctor", str(file)]) == 0
    out = capsys.readouterr().out
    assert "handler h: known since" in out
    assert "1 events before that were left behind" in out


def test_doctor_says_what_to_do_where_threads_wait_for_each_other(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Advice, not a problem: the process is well, and could be quicker."""
    monkeypatch.setattr(handover, "_late", lambda *_: 0.007)
    assert main(["doctor", str(file)]) == 0
    assert "! something computes in this program: threads wait 7.0 ms" in capsys.readouterr().out
    (found,) = _json(capsys, "doctor", str(file))
    assert found["hand_over"]["milliseconds"] == pytest.approx(7.0)


def test_doctor_tells_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing secret is a problem with a remedy, exit code 1, and no secret is printed."""
    from outeract_core import Outeract

    monkeypatch.setenv("WA_TOKEN", "a-very-secret-token")
    core = Outeract(tmp_path / "b.db")
    core.app("x").connect(
        "whatsapp", access_token="env:WA_TOKEN", app_secret="env:NOT_THERE",
        verify_token="env:WA_TOKEN", phone_number_id="1",
    )  # fmt: skip
    core.close()
    assert main(["doctor", str(tmp_path / "b.db")]) == 1
    out = capsys.readouterr().out
    assert "NOT_THERE" in out
    assert "a-very-secret-token" not in out


def test_tail_conversations_show_and_graph_tell_of_the_same_events(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command has a form for people and one for programs."""
    events = _json(capsys, "tail", str(file), "--type", "message.*")
    assert [e["type"] for e in events] == ["message.inbound", "message.outbound", "message.sent"]
    (conversation,) = _json(capsys, "conversations", str(file))
    assert (conversation["inbound"], conversation["outbound"]) == (1, 1)
    event = events[1]["id"]
    (story,) = _json(capsys, "show", str(file), event)
    assert story["event"]["id"] == event
    assert main(["show", str(file), event]) == 0
    assert "re hello [world]" in capsys.readouterr().out
    (graph,) = _json(capsys, "graph", str(file), event)
    assert len(graph["nodes"]) >= 5
    for flag, start in (("--mermaid", "flowchart"), ("--dot", "digraph")):
        assert main(["graph", str(file), event, flag]) == 0
        assert capsys.readouterr().out.startswith(start)
    assert main(["replay", str(file)]) == 0


def test_wrong_input_is_an_error_on_stderr(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there is not created; unknown ids and applications exit with 2."""
    for arguments in (
        ["tail", str(tmp_path / "none.db")],
        ["show", str(file), "00000000-0000-7000-8000-000000000000"],
        ["tail", str(file), "--app", "nobody"],
    ):
        assert main(arguments) == 2
        assert capsys.readouterr().err.startswith("outeract: ")
    assert not (tmp_path / "none.db").exists()


def test_chat_answers_lines_from_a_bots_file(tmp_path: Path) -> None:
    """`outeract chat FILE BOT` pipes stdin through the bot to stdout, and the file remembers."""
    bot = tmp_path / "bot.py"
    bot.write_text(
        "@app.on('message.inbound')\ndef shout(message):\n    return message.text.upper()\n"
    )
    for line, expected in (("hello\n", "HELLO"), ("again\n", "AGAIN")):
        done = subprocess.run(
            [sys.executable, "-m", "outeract_core", "chat", str(tmp_path / "c.db"), str(bot)],
            input=line, capture_output=True, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines() == [expected]
    assert main(["chat", str(tmp_path / "c.db"), str(tmp_path / "nobot.py")]) == 2


def test_the_demo_ends_with_its_one_line(tmp_path: Path) -> None:
    """The main job on a fresh file: everything in is out, nothing lost, nothing doubled."""
    done = subprocess.run(
        [sys.executable, "-m", "outeract_core", "demo", "--keep", str(tmp_path / "d.db")],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "ok:"
    assert last[1] == last[3] != "0"
    assert last[5:] == ["0", "lost,", "0", "doubled"]
    assert "flowchart" in done.stdout
    assert (tmp_path / "d.db").exists()


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` is complete, and an unknown command is refused."""
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    for command in (
        "demo", "doctor", "tail", "conversations", "show", "graph", "replay", "chat", "backup",
        "retention",
    ):  # fmt: skip
        assert command in out
    with pytest.raises(SystemExit):
        main(["dance"])


def test_doctor_counts_what_went_wrong_and_its_commands_can_be_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Failed, parked, retrying; a line that is typed as it stands gives the second chance."""
    from outeract_core.blocking import Outeract
    from outeract_core.errors import Rejected

    def refusing(_message: Any) -> Any:
        raise Rejected("nobody there")

    path = str(tmp_path / "my bot.db")
    with Outeract(path, console=refusing) as core:
        app = core.app("x")
        where = app.connect("console")

        def broken(_message: object) -> None:
            raise ValueError("no")

        app.on("message.inbound", name="gives_up", attempts=1)(broken)
        app.on("message.inbound", name="goes_on", attempts=9)(broken)
        core.ingest(
            where.webhook_id, where.webhook_secret, body=b'{"user":"ann","text":"hi","n":1}'
        )
        app.send(("console", "ann"), "pay")
        core.pump()
    (found,) = _json(capsys, "doctor", path)
    assert found["last_day"] == {"failed": 1, "unknown": 0, "parked": 1, "hung": 0}
    assert found["queues"]["retrying"] == 1
    assert main(["doctor", path]) == 1
    out = capsys.readouterr().out
    assert "1 turns have failed and are run again" in out
    typed = [f"outeract {verb} '{path}' " for verb in ("retry", "resend")]
    events = [found["newest"][kind] for kind in ("parked", "failed")]
    for start, event in zip(typed, events, strict=True):
        assert start + event in out
        assert main([*shlex.split(start)[1:], event]) == 0
    capsys.readouterr()
    (after,) = _json(capsys, "doctor", path)
    assert after["queues"]["parked"] == 0


def test_resend_queues_what_has_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From outside the bot's program; what has not failed is refused with the reason, exit code 2."""
    from outeract_core.blocking import Outeract
    from outeract_core.errors import Rejected

    def refusing(_message: Any) -> Any:
        raise Rejected("nobody there")

    with Outeract(tmp_path / "b.db", console=refusing) as core:
        app = core.app("x")
        app.connect("console")
        event = str(app.send(("console", "ann"), "pay").id)
        assert core.pump().failed == 1
    (told,) = _json(capsys, "resend", str(tmp_path / "b.db"), event, "--marked")
    assert told["status"] == "queued"
    assert main(["resend", str(tmp_path / "b.db"), told["event"]]) == 2
    assert "still on its way" in capsys.readouterr().err


def test_resend_says_what_had_arrived_and_what_was_sent_again_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a message in two parts one had arrived; asked again when the repetition has left, it says so."""
    from outeract_core import Attachment, Content
    from outeract_core.blocking import Outeract
    from outeract_core.testing import FakePlatform

    path = str(tmp_path / "b.db")
    with FakePlatform() as fake:
        with Outeract(path) as core:
            app = core.app("x")
            app.connect("telegram", token="1:t", base_url=fake.url)
            long = Content("long " * 500, files=[Attachment(b"abc", "x.txt")])
            event = str(app.send(("telegram", "7"), long).id)
            fake.drop(1, "sendMessage", done=True)
            assert core.pump().unknown == 1
        assert main(["resend", path, event, "--marked"]) == 0
        told = capsys.readouterr().out
        assert "leaves when" in told
        assert "1 of the 2 parts" in told
        with Outeract(path) as core:
            core.app("x").connect("telegram", token="1:t", base_url=fake.url)
            assert core.pump().sent == 1
        assert main(["resend", path, event]) == 0
        assert "sent: it was sent again before" in capsys.readouterr().out


def test_tail_shows_what_was_raised_and_leaves_nothing_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler's traceback stands below its event, indented; more events than a page are all shown."""
    from outeract_core.blocking import Outeract

    path = str(tmp_path / "b.db")
    with Outeract(path) as core:
        app = core.app("x")
        where = app.connect("console")

        @app.on("message.inbound", attempts=1)
        def answer(message: Any) -> None:
            raise ValueError("no answer")

        core.ingest(where.webhook_id, where.webhook_secret, body=b"hello")
        core.pump()
        for number in range(5):
            app.emit("order.created", {"number": number})
    assert main(["tail", path]) == 0
    shown = capsys.readouterr().out
    assert "\n  Traceback" in shown
    assert "\n  ValueError: no answer" in shown
    monkeypatch.setattr(commands, "_PAGE", 2)
    assert len(_json(capsys, "tail", path, "-n", "6")) == 6
    with opened(path) as core:
        apps = applications(core, None)
        commands._show_new(apps, None, {app.key: 0 for app in apps}, as_json=True)
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_doctor_says_when_the_disk_is_full(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can look all the same, and not all is well."""
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=4_096))
    assert main(["doctor", str(file)]) == 1
    assert "✗ the disk is full, 4,096 bytes are left" in capsys.readouterr().out


def test_a_quick_doctor_does_not_read_everything_and_a_deep_one_does(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A payload that is no JSON any more is found by `--deep`, with its table; the file stays as it is."""
    import apsw

    db = apsw.Connection(str(file))
    triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
    for name, _sql in triggers:
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE event SET payload = 'no json' WHERE seq = (SELECT max(seq) FROM event)")
    for _name, sql in triggers:
        db.execute(sql)
    db.close()
    assert main(["doctor", str(file)]) == 0
    capsys.readouterr()
    assert main(["doctor", str(file), "--deep"]) == 1
    assert "damage in the table event" in capsys.readouterr().out


def test_doctor_online_asks_the_platforms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection's answer, for people and for programs; what does not work is exit code 1."""
    from outeract_core import Outeract
    from outeract_core.testing import FakePlatform

    monkeypatch.setenv("SLACK_TOKEN", "xoxb-a-very-secret-token")
    with FakePlatform() as fake:
        core = Outeract(tmp_path / "b.db")
        core.app("x").connect("console")
        core.app("x").connect(
            "slack",
            bot_token="env:SLACK_TOKEN",
            signing_secret="env:SLACK_TOKEN",
            base_url=fake.url,
        )
        core.app("y").connect("telegram", token="given as text: 1:AA", poll=True)
        core.close()
        arguments = ["doctor", str(tmp_path / "b.db"), "--online"]
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert "asked: default/x console: works, you" in out
        assert "asked: default/x slack: works, fakebot U0FAKEBOT" in out
        assert "asked: default/y telegram: not known" in out
        assert "! default/y telegram: token:" in out
        assert "✓ all is well" in out
        fake.slack.scopes -= {"chat:write"}
        assert main([*arguments, "--app", "x", "--timeout", "20"]) == 1
        out = capsys.readouterr().out
        assert "✗ default/x slack: no scope chat:write" in out
        assert "default/y" not in out
        assert "a-very-secret-token" not in out
        (found,) = _json(capsys, *arguments)
    told = {one["connection"]: one["ok"] for one in found["online"]}
    assert told == {"default/x console": True, "default/x slack": False, "default/y telegram": None}
    assert {"level", "what", "remedy"} == set(found["online"][1]["findings"][0])
    assert main([*arguments, "--timeout", "0"]) == 2


def test_a_damaged_page_is_store_corrupt_with_a_remedy(file: Path) -> None:
    """Never a decode error, nor SQLite's own."""
    import apsw

    from outeract_core.blocking import Outeract
    from outeract_core.errors import StoreCorrupt

    db = apsw.Connection(str(file))
    page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'event'").fetchone()[0]
    size = db.execute("PRAGMA page_size").fetchone()[0]
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    raw = bytearray(file.read_bytes())
    raw[(page - 1) * size : page * size] = b"\x5a" * size
    file.write_bytes(raw)
    with Outeract(file) as core, pytest.raises(StoreCorrupt, match="backup"):
        core.app("support").events.page()


def test_chat_ends_with_a_status_that_tells_of_a_raised_handler(tmp_path: Path) -> None:
    """The traceback stands on stderr, the exit code is 1."""
    bot = tmp_path / "bot.py"
    bot.write_text(
        "@app.on('message.inbound')\ndef broken(message):\n    raise ZeroDivisionError\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "outeract_core", "chat", str(tmp_path / "c.db"), str(bot)],
        input="hello\n", capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "broken" in done.stderr
