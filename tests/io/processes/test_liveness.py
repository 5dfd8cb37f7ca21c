"""Who still lives: containers with one host name, numbers given out again, locks that outlive nobody.

Knows: systems of a test's making, real locks. Does not know: what is held.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from attrs import evolve

from outeract_core._io.processes import windows
from outeract_core._io.processes.liveness import Liveness
from outeract_core._io.processes.process import UNTOLD, Process, System, alive, read

WEB = Process("web", 1, "100", "4026532001", "b00t")


class Container(System):
    """A process namespace of a test: which numbers run there, and since when."""

    def __init__(self, here: Process, running: dict[int, str] | None = None) -> None:
        self.here = here
        self.running = {here.pid: here.started, **(running or {})}

    def exists(self, pid: int) -> bool | None:
        return pid in self.running

    def started(self, pid: int) -> str:
        return self.running.get(pid, UNTOLD)


@pytest.mark.parametrize(
    ("other", "lives"),
    [
        (WEB, True),
        (evolve(WEB, pid=7, started="5"), True),
        (evolve(WEB, pid=7, started="4"), False),  # the number was given out again
        (evolve(WEB, pid=8), False),
        (evolve(WEB, space="4026532999"), None),  # number 1 of another container
        (evolve(WEB, host="db", space="4026532999"), None),
        (evolve(WEB, boot="bef0re"), False),  # the machine was started anew since
        (evolve(WEB, boot="bef0re", host="db"), None),  # another machine, perhaps
        (evolve(WEB, host="other", pid=7, started="5"), True),  # the host was renamed
        (evolve(WEB, boot=UNTOLD, host="db"), None),
        (evolve(WEB, boot=UNTOLD, pid=8), False),
        (evolve(WEB, pid=7, started=UNTOLD), True),
    ],
)
def test_what_follows_from_who_it_was(other: Process, lives: bool | None) -> None:
    """Boot, namespace, number and start together say whether it lives; else nobody can say."""
    assert alive(other, Container(WEB, {7: "5"})) is lives


def test_names_are_read_back() -> None:
    """What is written under a lease says who wrote it; what 0.1.0 wrote says too little."""
    assert read(WEB.named("abc")).process == WEB
    assert read("web:17:0a1b2c3d").process is None
    assert not Liveness(None).gone(f"{System().here.host}:999999:0a1b2c3d")
    assert not Liveness(None).gone("nonsense")


@pytest.mark.skipif(sys.platform == "win32", reason="locks as POSIX has them")
def test_containers_with_one_host_name_do_not_take_each_other_for_dead(tmp_path: Path) -> None:
    """Each is process 1 of its own namespace; what tells them apart is the lock, as long as it is held."""
    path = str(tmp_path / "bot.db")
    one = Liveness(path, Container(WEB))
    other = Liveness(path, Container(evolve(WEB, space="4026532999", started="900")))
    assert not other.gone(one.name)  # no file yet: nobody knows
    one.hold()
    assert not other.gone(one.name)
    assert list(tmp_path.iterdir()) != []
    os.close(one._lock or 0)  # as the kernel does at a crash
    one._lock = None
    assert other.gone(one.name)
    assert list(tmp_path.iterdir()) == []


def test_what_this_process_has_closed_is_gone_at_once(tmp_path: Path) -> None:
    """Two openings of one process: the closed one is known to be, the open one is not."""
    path = str(tmp_path / "bot.db")
    one, other = Liveness(path), Liveness(path)
    one.hold()
    assert not other.gone(one.name)
    one.close()
    assert other.gone(one.name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_linux_tells_all_of_it() -> None:
    """Host, number, start, namespace and boot of this very process."""
    here = System().here
    assert here.pid == os.getpid()
    assert UNTOLD not in (here.started, here.space, here.boot)
    assert alive(here, System()) is True
    assert alive(evolve(here, started="1"), System()) is False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_process_that_was_killed_and_not_waited_for_is_dead() -> None:
    """A zombie has a number, and does nothing any more."""
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    system = System()
    assert alive(evolve(system.here, pid=pid, started=system.started(pid)), system) is False
    os.waitpid(pid, 0)


class Kernel32:
    """What kernel32 answers, for a process that runs, has ended, is not there or is somebody else's."""

    def __init__(self, handle: int, code: int = 259, error: int = 0) -> None:
        self.handle, self.code, self.error = handle, code, error
        self.closed = 0

    def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:  # noqa: N802
        return self.handle

    def GetLastError(self) -> int:  # noqa: N802
        return self.error

    def GetExitCodeProcess(self, handle: int, code: object) -> int:  # noqa: N802
        code._obj.value = self.code  # type: ignore[attr-defined]
        return 1

    def CloseHandle(self, handle: int) -> None:  # noqa: N802
        self.closed += 1


@pytest.mark.parametrize(
    ("kernel", "lives"),
    [
        (Kernel32(4), True),
        (Kernel32(4, code=0), False),
        (Kernel32(0, error=87), False),
        (Kernel32(0, error=5), None),
    ],
)
def test_windows_is_asked_without_a_signal(kernel: Kernel32, lives: bool | None) -> None:
    """A process that may not be opened lives, as far as one knows."""
    assert windows.exists(4711, kernel) is lives
    assert kernel.closed == (kernel.handle != 0)
