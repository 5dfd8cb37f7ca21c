"""kill -9 and SIGSTOP in a loop, two processes on one file, slow platforms: nothing lost, nothing doubled.

Knows: how the children are started, stopped and killed. Does not know: how the library keeps its
promise, what must be true in the end (`ground/crash_verdict.py`).
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from attrs import Factory, define

from ..ground.crash_verdict import judged
from ..ground.slow import SlowPlatform
from ..measure import Options, Result
from ..progress import progress

STUCK = 600.0
"""Seconds after which the last start, which finishes what the killed ones left, must have got on."""
LONG_STOP = 130.0
"""Seconds: longer than every lease. Once in a bench of twenty runs or more."""
STOPPED = 0.3
"""How often a process is stopped for a while before the end of its life."""


@define
class Lives:
    """The processes of one bench, and what they have told."""

    path: Path
    url: str
    chance: random.Random
    told: set[int] = Factory(set)
    second: subprocess.Popen[bytes] | None = None
    kills: int = 0
    stops: int = 0

    def one(self, long: bool, alone: bool) -> None:
        """One start of the program that ingests, beside another that works on the file too, or `alone`, computing."""
        if alone:
            self.end()
        elif self.second is None:
            self.second = self._start("serve")
        role = self.chance.choice(("crowd", "host")) if alone else "ingest"
        child = self._start(role, max(self.told, default=-1) + 1)
        assert child.stdout is not None
        begun = child.stdout.readline() + child.stdout.readline()  # it serves, and has acknowledged
        time.sleep(self.chance.uniform(0.05, 1.0))
        if long or self.chance.random() < STOPPED:
            self._stop(
                self.chance.choice([child, self.second or child]),
                LONG_STOP if long else self.chance.uniform(0.2, 2.0),
            )
        os.kill(child.pid, signal.SIGKILL)
        self.kills += 1
        self._heard(begun + child.stdout.read())
        child.wait()
        if self.chance.random() < 0.5:
            self.end()

    def end(self) -> None:
        """The second one is killed too."""
        if self.second is not None:
            self.second.kill()
            self.second.wait()
            self.second, self.kills = None, self.kills + 1

    def drain(self) -> None:
        """The last start finishes what is left."""
        child = self._start("drain")
        assert child.stdout is not None
        told, since = b"", time.monotonic()
        while select.select([child.stdout], [], [], 60)[0]:
            line = child.stdout.readline()
            if not line:
                break
            if line != told:
                told, since = line, time.monotonic()
                progress(f"the last start finishes what is left: {line.decode().strip()}")
            elif time.monotonic() - since > STUCK:
                break
        self._ended(child, told)

    @staticmethod
    def _ended(child: subprocess.Popen[bytes], told: bytes) -> None:
        try:
            status = child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            raise AssertionError(f"the last start has not got on from {told!r}") from None
        if status:
            raise AssertionError(f"the last start ended with {status} after {told!r}")

    def _stop(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        """It stands still, wherever it is, and goes on beside the other."""
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGCONT)
        self.stops += 1
        time.sleep(self.chance.uniform(0.05, 0.5))

    def _start(self, role: str, first: int = 0) -> subprocess.Popen[bytes]:
        module = "benchmarks.ground.crash_child"
        command = [sys.executable, "-m", module, str(self.path), self.url, str(first), role]
        out = subprocess.DEVNULL if role == "serve" else subprocess.PIPE
        return subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def _heard(self, told: bytes) -> None:
        lines = [line.split() for line in told.decode().split("\n")[:-1]]
        self.told |= {int(words[1]) for words in lines if words and words[0] == "ack"}


def run(options: Options) -> Result:
    """See `crash_verdict.Verdict` for what is counted."""
    with SlowPlatform(options.runs) as fake:
        lives = Lives(options.scratch / "crash.db", fake.url, random.Random(options.runs))
        try:
            for number in range(options.runs):
                progress(f"run {number + 1} of {options.runs}; {len(lives.told)} acknowledged")
                lives.one(number == 10 and options.runs >= 20, number % 4 == 3)
        finally:
            lives.end()
        progress("the last start finishes what is left")
        lives.drain()
        found = judged(lives.path, lives.told, fake)
    progress("")
    extra = {
        **found.as_dict(), "runs": options.runs, "kills": lives.kills, "stops": lives.stops,
        "acknowledged": len(lives.told),
    }  # fmt: skip
    return Result("crash", len(lives.told), extra=extra, well=found.well)
