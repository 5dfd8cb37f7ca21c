"""`outeract run BOT.py`: the store of a bot's file is found, served until a signal, and run anew on a change.

Knows: the forms in which a bot is written, a process of its own.
Does not know: how work ends in order (`tests/api/test_run.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from outeract_core._cli import main
from outeract_core._cli.reload import stamps
from outeract_core._cli.run import TURNS
from outeract_core.testing import FakePlatform
from tests.support.patience import PATIENCE, soon

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")

HEAD = """
import signal, sys, threading, time
from outeract_core import Outeract, blocking
"""
TOLD = """
@app.on("message.inbound", name="h")
def h(message):
    return "hi"

def served():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.01)
    print("loaded", sys.getswitchinterval(), flush=True)

threading.Thread(target=served, daemon=True).start()
"""
STORES = {
    "core": 'core = Outeract("a.db"); app = core.app("one")',
    "by another name": 'store = Outeract("a.db"); app = store.app("one")',
    "its application alone": 'app = Outeract("a.db").app("one")',
    "blocking": 'core = blocking.Outeract("a.db"); app = core.app("one")',
    "its application alone, blocking": 'app = blocking.Outeract("a.db").app("one")',
    "one of two": 'core = Outeract("a.db"); app = core.app("one"); other = Outeract("b.db")',
    "beside another application": 'core = Outeract("a.db"); app = core.app("one"); two = core.app("two")',
}


@contextmanager
def running(folder: Path, text: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The bot in a process of its own, which says a line when it is served."""
    (folder / "bot.py").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "outeract_core", "run", "bot.py", *more], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("served", ["", "core.run()", 'if __name__ == "__main__": core.run()'])
@pytest.mark.parametrize("form", STORES)
def test_a_bot_is_served_until_it_is_told(tmp_path: Path, form: str, served: str) -> None:
    """Whatever its store is called, and whether the file runs it by itself, SIGTERM ends it with 0."""
    if served and "core" not in form and form not in ("one of two", "beside another application"):
        served = ""
    text = f"{HEAD}{STORES[form]}\n{TOLD}\n{served}\n"
    with running(tmp_path, text) as process:
        assert line(process) == f"loaded {TURNS}"
        process.terminate()
        assert process.wait(PATIENCE) == 0, process.stderr.read() if process.stderr else ""


@pytest.mark.parametrize("form", ["core", "blocking"])
def test_a_signal_that_another_thread_was_given_ends_it_too(tmp_path: Path, form: str) -> None:
    """The system may give it to any thread; the main one, which waits, is not woken by it."""
    waits = (
        'sys._current_frames()[threading.main_thread().ident].f_code.co_name in ("wait", "select")'
    )
    text = f"{HEAD}{STORES[form]}\n{TOLD}".replace(
        "is signal.SIG_DFL:", f"is signal.SIG_DFL or not {waits}:"
    ).replace(
        'print("loaded"',
        'signal.pthread_kill(threading.get_ident(), signal.SIGTERM); print("loaded"',
    )
    with running(tmp_path, text) as process:
        assert line(process) == f"loaded {TURNS}"
        assert process.wait(PATIENCE) == 0, process.stderr.read() if process.stderr else ""


ENDS = {
    "run": 'core = Outeract("a.db"); app = core.app("one"){told}\ncore.run()',
    "serve": 'core = blocking.Outeract("a.db"); app = core.app("one"){told}\ncore.serve()',
    "serve, and close": 'core = blocking.Outeract("a.db"); app = core.app("one"){told}\ncore.serve(); core.close()',
    "serve within": 'with blocking.Outeract("a.db") as core:\n    app = core.app("one"){told}\n    core.serve()',
}


@pytest.mark.parametrize("form", ENDS)
def test_a_file_that_has_served_is_not_served_again(tmp_path: Path, form: str) -> None:
    """One signal ends it, with 0 and without a word."""
    told = TOLD.replace("\n", "\n    ") if "within" in form else TOLD
    with running(tmp_path, HEAD + ENDS[form].format(told=told)) as process:
        assert line(process) == f"loaded {TURNS}"
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("kind", ["Outeract", "blocking.Outeract"])
def test_a_file_that_has_closed_its_store_is_done(tmp_path: Path, kind: str) -> None:
    """What it does, it does by itself: a script."""
    with running(tmp_path, f'{HEAD}core = {kind}("a.db"); core.close()') as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")


def test_what_is_not_served_is_said(tmp_path: Path) -> None:
    """A file with two stores: which one it is."""
    text = f"{HEAD}{STORES['one of two']}\n{TOLD}"
    with running(tmp_path, text) as process:
        assert line(process) == f"loaded {TURNS}"
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert "has 2 stores; <Outeract" in errors


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "no stores"),
        (f'{HEAD}a, b = Outeract("a.db"), Outeract("b.db")', "2 stores"),
    ],
)
def test_what_has_no_store_says_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    """A file without one, or with several of which none is `core`, is refused with the remedy."""
    with running(tmp_path, text) as process:
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert told in error
    assert "core = Outeract" in error
    assert "Traceback" not in error


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A mistyped name is an error of one line."""
    told = subprocess.run(
        [sys.executable, "-m", "outeract_core", "run", "bto.py"], cwd=tmp_path, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (2, "outeract: there is no Python file bto.py\n")


def test_a_change_runs_it_anew(tmp_path: Path) -> None:
    """A file that was changed is run again; one that is broken is waited for until it is mended."""
    text = f"{HEAD}{STORES['core']}\n{TOLD}"
    with running(tmp_path, text, "--reload") as process:
        assert line(process) == f"loaded {TURNS}"
        (tmp_path / "bot.py").write_text(text.replace("loaded", "changed"))
        assert line(process) == f"changed {TURNS}"
        (tmp_path / "bot.py").write_text("this is no Python")
        assert process.stderr is not None
        assert any("waiting for a change" in said for said in process.stderr)
        (tmp_path / "bot.py").write_text(text.replace("loaded", "mended"))
        assert line(process) == f"mended {TURNS}"
        process.terminate()
        assert process.wait(PATIENCE) == 0


NEIGHBOUR = "def shout(message):\n    return message.text.upper()\n"


@pytest.mark.parametrize(
    ("bot", "told", "said"),
    [
        ("from near import shout\napp.on('message.inbound')(shout)", "", "HI"),
        ("from near import shout\napp.on('message.inbound', process=True)(shout)", "", "HI"),
        (f"{NEIGHBOUR}app.on('message.inbound', process=True)(shout)", "without its `app`", ""),
    ],
    ids=["a neighbour", "in a process", "its own in a process"],
)
def test_a_bot_to_chat_with_has_neighbours(tmp_path: Path, bot: str, told: str, said: str) -> None:
    """They are imported from its folder; a worker process finds what stands in them, and nothing that needs `app`."""
    (tmp_path / "near.py").write_text(NEIGHBOUR)
    (tmp_path / "bot.py").write_text(bot)
    done = subprocess.run(
        [sys.executable, "-m", "outeract_core", "chat", str(tmp_path / "a.db"), str(tmp_path / "bot.py")],
        input="hi\n", text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert told in done.stderr
    assert done.stdout.strip() == said


def test_a_bot_that_would_hide_a_module_is_refused(tmp_path: Path) -> None:
    """Everything else in the process would find the bot under that name."""
    (tmp_path / "random.py").write_text(STORES["core"])
    assert main(["run", str(tmp_path / "random.py")]) == 2


COMPUTES = """
from outeract_core import Outeract

core = Outeract("a.db", allow_private_addresses=True)
app = core.app("one")
app.connect("telegram", token="42:tests", poll=True, base_url=URL)

@app.on("message.inbound", name="h", process=True)
def h(message):
    with open("told", "w") as file:
        file.write(f"{message.text} in {__name__}")
"""


@pytest.mark.parametrize("more", [(), ("--reload",)], ids=["alone", "reloaded"])
def test_what_computes_has_its_process(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Its worker finds the handler in the bot's file, however the command was started."""
    os.mkfifo(tmp_path / "told")
    with FakePlatform() as fake:
        fake.telegram.say(1001, "hi")
        with running(tmp_path, COMPUTES.replace("URL", repr(fake.url)), *more) as process:
            assert (tmp_path / "told").read_text() == "hi in bot"
            process.terminate()
            assert process.wait(PATIENCE) == 0


@pytest.mark.anyio
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system tells of no other's end")
async def test_a_bot_does_not_outlive_what_runs_it_anew(tmp_path: Path) -> None:
    """Also when that is killed, and can end nobody any more."""
    text = f"{HEAD}import os\n{STORES['core']}\n{TOLD.replace('loaded', 'loaded {os.getpid()}').replace('print(', 'print(f')}"
    with running(tmp_path, text.replace(", sys.getswitchinterval()", ""), "--reload") as process:
        bot = os.pidfd_open(int(line(process).split()[1]))
        process.kill()
        with soon():
            await anyio.wait_readable(bot)
        os.close(bot)


def test_only_python_files_that_are_seen_count(tmp_path: Path) -> None:
    """The database beside the bot changes all the time, and hidden folders are none of its business."""
    for name in ("bot.py", "a.db", ".venv/lib/b.py", "parts/c.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert {Path(name).name for name in stamps(tmp_path)} == {"bot.py", "c.py"}
