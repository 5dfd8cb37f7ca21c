"""kill -9 in a loop during ingest, handlers and sends: nothing acknowledged lost, nothing doubled.

Knows: how the child is started and killed, what must be in the file at the end.
Does not know: how the library keeps its promise.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import apsw

from outeract_core.testing import FakePlatform

from ..ground.crash_child import payload
from ..measure import Options, Result
from ..progress import progress

DRAIN_WITHIN = 300.0
"""Seconds that the last start may take to finish what the killed ones left."""


def run(options: Options) -> Result:
    """`lost`: acknowledged, but without event or reply. `doubled`: more than one of either."""
    with FakePlatform() as fake:
        path = options.scratch / "crash.db"
        acknowledged: set[int] = set()
        chance = random.Random(options.runs)
        for number in range(options.runs):
            progress(f"kill {number + 1} of {options.runs}; {len(acknowledged)} acknowledged")
            life = _life(path, fake.url, max(acknowledged, default=0), chance.uniform(0.05, 0.6))
            acknowledged |= life
        progress("the last start finishes what is left")
        _drain(path, fake.url)
        found = _judged(path, acknowledged)
        copies = sum(len(group) - 1 for group in fake.duplicates("whatsapp"))
    progress("")
    extra = {
        "runs": options.runs, "acknowledged": len(acknowledged), **found,
        "platform": {"accepted": len(fake.sent("whatsapp")), "copies": copies},
    }  # fmt: skip
    well = not (found["lost"] or found["doubled"] or found["problems"] or copies)
    return Result("crash", len(acknowledged), extra=extra, well=well)


def _start(path: Path, url: str, first: int, *more: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.ground.crash_child",
        str(path),
        url,
        str(first),
        *more,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)


def _life(path: Path, url: str, first: int, seconds: float) -> set[int]:
    """One start and its end; the numbers of the webhooks that it acknowledged."""
    child = _start(path, url, first)
    assert child.stdout is not None
    begun = child.stdout.readline()
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    told = begun + child.stdout.read()
    child.wait()
    lines = [line.split() for line in told.decode().split("\n")[:-1]]
    return {int(words[1]) for words in lines if words and words[0] == "ack"}


def _drain(path: Path, url: str) -> None:
    child = _start(path, url, 0, "drain")
    try:
        child.communicate(timeout=DRAIN_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    if child.returncode:
        raise AssertionError(f"the last start ended with {child.returncode}")


def _judged(path: Path, acknowledged: set[int]) -> dict[str, Any]:
    """What plain SQL says about the file, the library not asked."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    inbound = Counter(_numbers(db, "message.inbound"))
    replies = Counter(_numbers(db, "message.outbound"))
    handled = db.execute(
        "SELECT count(*) FROM (SELECT g.dst FROM edge g JOIN kind k ON k.id = g.type JOIN event e"
        " ON e.seq = g.src JOIN kind t ON t.id = e.type WHERE k.name = 'triggered_by' AND"
        " t.name = 'message.outbound' GROUP BY g.dst HAVING count(*) > 1)"
    ).fetchall()[0][0]
    unknown = db.execute(
        "SELECT count(*) FROM delivery WHERE status NOT IN ('sent', 'delivered', 'read')"
    ).fetchall()[0][0]
    problems = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    db.close()
    keys = {_key(number): number for number in acknowledged}
    return {
        "lost": sum(1 for key in keys if not inbound[key] or not replies[key]),
        "doubled": sum(count - 1 for count in [*inbound.values(), *replies.values()] if count > 1)
        + handled,
        "outcome_unknown": unknown,
        "problems": problems,
    }


def _key(number: int) -> str:
    text: str = payload(number)["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"]
    return text


def _numbers(db: apsw.Connection, kind: str) -> list[str]:
    """The texts of all events of a type, a reply's without its first words."""
    rows = db.execute(
        "SELECT e.payload ->> '$.message.text' FROM event e JOIN kind k ON k.id = e.type"
        " WHERE k.name = ?",
        (kind,),
    )
    return [text.removeprefix("echo of ") for (text,) in rows]
