"""Handlers that compute: plain functions at the top level of a module, which a worker process can find.

Knows: what each is given is a value. Does not know: the store, or which test asks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from outeract_core import Attachment, Button, Content


def shout(message: Any) -> str:
    """What was said, louder, and whether this was another process."""
    return f"{message.text.upper()} from {message.sender.name} elsewhere: {os.getpid() != int(message.thread or 0)}"


def where(_message: Any) -> str:
    """The process's number."""
    return str(os.getpid())


def rich(message: Any) -> list[Content | str]:
    """More than a text."""
    file = Attachment(message.text.encode(), filename="a.txt", mime_type="text/plain")
    return [
        Content("with buttons", buttons=[Button("yes", "Yes")]),
        Content("a file", files=[file]),
    ]


def raises(_message: Any) -> NoReturn:
    """An error of its own."""
    raise Unportable("first", "second")


class Unportable(Exception):
    """It cannot be made anew out of its arguments, as many cannot."""

    def __init__(self, one: str, _two: str) -> None:
        super().__init__(one)


def leaves(_message: Any) -> NoReturn:
    """It asks the program to exit."""
    sys.exit(3)


def dies(_message: Any) -> NoReturn:
    """The process is gone, as when there is no memory left."""
    os._exit(9)


def gives_a_lambda(_message: Any) -> Any:
    """What cannot travel back."""
    return lambda: None


def uses_verbs(message: Any) -> None:
    """A value has no verbs."""
    message.reply("no")


def kills_its_program(message: Any) -> None:
    """The program has no time to say anything, and this does not end by itself."""
    Path(message.text).write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGKILL)
    while True:
        threading.Event().wait()


def hangs(message: Any) -> None:
    """It says where it is, and does not end."""
    Path(message.text).write_text(str(os.getpid()))
    while True:
        threading.Event().wait()


def interrupts(_message: Any) -> NoReturn:
    """As Ctrl-C raises it; but nobody sits at this keyboard."""
    raise KeyboardInterrupt


def stops(_message: Any) -> NoReturn:
    """What Python makes something else of, where a coroutine raises it."""
    raise StopIteration("over")


class Speechless(Exception):
    """It cannot say what it is, nor travel."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = lambda: None

    def __str__(self) -> str:
        raise ValueError


def says_nothing(_message: Any) -> NoReturn:
    """An error that raises when it is asked what it is."""
    raise Speechless


class Disguised(Exception):
    """Made anew it is no error any more."""

    def __reduce__(self) -> tuple[Any, ...]:
        return str, ("words",)


def disguises(_message: Any) -> NoReturn:
    """An error that arrives as a text."""
    raise Disguised


def raises_a_stranger(_message: Any) -> NoReturn:
    """An error of a module that the program has not loaded, and does not load for it."""
    import tests.support.stranger as there

    raise there.Strange("odd")


def starts_another(_message: Any) -> str:
    """A program that writes to its output, and one that reads its input to the end."""
    subprocess.run([sys.executable, "-c", "print('noise')"], check=True)
    read = [sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.read()))"]
    return f"read {subprocess.run(read, check=True).returncode}"


def writes_past_python(_message: Any) -> str:
    """As a library in C does."""
    os.write(1, b"noise\n")
    return "written"


def closes_its_output(_message: Any) -> str:
    """As a daemon does."""
    os.close(0)
    os.close(1)
    return "closed"
