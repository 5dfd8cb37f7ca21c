"""Handlers that compute: plain functions at the top level of a module, which a worker process can find.

Knows: what each is given is a value. Does not know: the store, or which test asks.
"""

from __future__ import annotations

import os
import signal
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
