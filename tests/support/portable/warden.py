"""A folder whose server does not outlive whoever has begun it, however that one dies.

Knows: that a pipe ends with the last process that could write into it; which processes name a folder in their
command line. Does not know: what serves the folder, how it is ended in order.

What was being made when its maker died is still on its way, so a look that finds nobody is repeated.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from tests.support.places import ROOT

_LOOKS, _BETWEEN = 3, 0.2
"""So many looks in a row find nobody, so many seconds apart."""
_GRACE = 2.0
"""Seconds that who is told to end has, before they are killed."""


@contextmanager
def folder() -> Iterator[Path]:
    """A fresh folder. A process beside this one takes it away, and ends who serves it, when this one is gone."""
    made = Path(tempfile.mkdtemp(prefix="outeract-pg-"))
    command = [sys.executable, "-m", __name__, str(made)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True):
        try:
            yield made
        finally:
            shutil.rmtree(made)


def end(served: Path) -> None:
    """End who serves a folder, and take it away."""
    looks = 0
    while looks < _LOOKS:
        found = list(_serving(str(served)))
        looks = 0 if found else looks + 1
        for process in found:
            _quit(process)
        shutil.rmtree(served, ignore_errors=True)
        Event().wait(_BETWEEN)


def _serving(served: str) -> Iterator[Any]:
    import psutil  # comes with the wheel

    for process in psutil.process_iter(["cmdline"]):
        if process.pid != os.getpid() and served in " ".join(process.info["cmdline"] or ()):
            yield process


def _quit(process: Any) -> None:
    """At once, but with those that it has begun."""
    import psutil

    try:
        process.send_signal(signal.SIGQUIT)
        process.wait(_GRACE)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        pass


if __name__ == "__main__":
    sys.stdin.buffer.read()
    if Path(sys.argv[1]).exists():
        end(Path(sys.argv[1]))
