"""Which process is this, and does another one still live? Host, boot, process namespace, number, start.

Knows: where each system tells these things, and what follows when one of them differs.
Does not know: what a process holds (`ownership.py`), lock files (`liveness.py`).

A number alone means nothing: containers have a namespace of their own each, and a number is given out
again. What a system does not tell is `-`, and who is unsure says None.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from ..._domain.values.classes import frozen
from . import windows

UNTOLD = "-"
_PROC = Path("/proc")


_forks = 0


def forks() -> int:
    """How many forks have led to this process: asked at every read and write, so no call of the system."""
    return _forks


def _forked() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@frozen
class Process:
    """One process. `host`, `boot`: the machine and its run; `space`: the process namespace;
    `started`: when it was started, in whatever the system counts in.
    """

    host: str
    pid: int
    started: str = UNTOLD
    space: str = UNTOLD
    boot: str = UNTOLD

    def named(self, token: str) -> str:
        """A name for what this process has opened; `token` tells two openings apart."""
        return ":".join((self.host, str(self.pid), self.started, self.space, self.boot, token))


@frozen
class Name:
    """A name, read: whose it is (None: of a form that says too little), and its token."""

    process: Process | None
    token: str


def read(name: str) -> Name:
    """The process behind a name. Earlier versions wrote host, number and token only."""
    pieces = name.split(":")
    if len(pieces) != 6 or not pieces[1].isdigit():
        return Name(None, pieces[-1])
    host, pid, started, space, boot, token = pieces
    return Name(Process(host, int(pid), started, space, boot), token)


class System:
    """What this system tells of processes. Tests put another one in its place."""

    here: Process

    def __init__(self) -> None:
        pid = os.getpid()
        host = _host().replace(":", "_") or UNTOLD
        self.here = Process(host, pid, self.started(pid), _space(), _boot())

    def exists(self, pid: int) -> bool | None:
        """Whether a process of our namespace has this number; a zombie is none any more."""
        if sys.platform == "win32":
            return windows.exists(pid)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True if _stat(pid) else None
        return _stat(pid)[:1] not in ("Z", "X")

    def started(self, pid: int) -> str:
        """When it was started, as the system counts."""
        if sys.platform == "win32":
            return windows.started(pid) or UNTOLD
        fields = _stat(pid).split()
        return fields[19] if len(fields) > 19 else UNTOLD


def alive(process: Process, system: System) -> bool | None:
    """Whether `process` still runs, as far as `system` can tell; None when it cannot."""
    here = system.here
    if UNTOLD not in (process.boot, here.boot):
        if process.boot != here.boot:
            return False if process.host == here.host else None
    elif process.host != here.host:
        return None
    if process.space != here.space:
        return None  # a number of another namespace: nothing here says who that is
    return _runs(process, system)


def _runs(process: Process, system: System) -> bool | None:
    found = system.exists(process.pid)
    if not found:
        return found
    started = system.started(process.pid)
    if UNTOLD in (started, process.started):
        return True if found else None
    return started == process.started


# ── where systems tell it ─────────────────────────────────────────────────────────────────────


@cache
def _boot() -> str:
    """The id of this run of the kernel (Linux: proc(5); macOS: sysctl kern.bootsessionuuid)."""
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid")[:18].replace("-", "") or UNTOLD
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:16]
    except OSError:
        return UNTOLD


def _host() -> str:
    """What the machine is called. (The module that has it everywhere brings the network with it.)"""
    if sys.platform == "win32":
        import socket

        return socket.gethostname()
    return os.uname().nodename


def _space() -> str:
    """The process namespace (Linux: namespaces(7)); other systems have one."""
    try:
        return str((_PROC / "self/ns/pid").readlink()).strip("pid:[]") or UNTOLD
    except (OSError, AttributeError):
        return UNTOLD


def _stat(pid: int) -> str:
    """What proc(5) tells of a process, from its state on; "" when it tells nothing."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].strip()


def _sysctl(name: str) -> str:
    import ctypes

    try:
        found, size = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
        if ctypes.CDLL(None).sysctlbyname(name.encode(), found, ctypes.byref(size), None, 0):
            return ""
        return found.value.decode("ascii", "replace")
    except (OSError, AttributeError):
        return ""
