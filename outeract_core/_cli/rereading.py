"""The command that reads the past again: reparse.

Knows: which connection is meant, how far it has come, how to go on.
Does not know: how an item is read, what is written of it.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from functools import partial

import anyio

from .._api.maintenance.rereading import Reparsed
from .._api.outeract import Outeract
from .._store.records.conn import Conn
from ..errors import BadInput
from .opening import Progress, opened


def reparse(options: argparse.Namespace) -> int:
    """Run today's parser over what was kept of one connection's past."""
    progress, last = Progress("read"), [Reparsed(position=options.after)]

    def told(done: Reparsed) -> None:
        last[0] = done
        progress(f"{done.read:,}, {done.changed:,} understood better")

    with opened(options.file) as core:
        conn = _conn(core, options.connection)
        work = partial(
            core.reparse, conn.entity, since=_time(options.since), after=options.after,
            progress=told,
        )  # fmt: skip
        try:
            done = anyio.run(work)
        except KeyboardInterrupt:
            progress.end()
            print(f"broken off; go on with --after {last[0].position}")
            return 130
    progress.end()
    _show(done, options.json)
    return 0


def _show(done: Reparsed, as_json: bool) -> None:
    if as_json:
        print(json.dumps({
            "read": done.read, "changed": done.changed, "unreadable": done.unreadable,
            "position": done.position,
        }))  # fmt: skip
        return
    lost = f", {done.unreadable:,} cannot be read" if done.unreadable else ""
    print(f"{done.read:,} items read again, {done.changed:,} understood better{lost}")


def _conn(core: Outeract, which: str) -> Conn:
    """The connection of this id or name. Raises BadInput for none and for several."""
    conns = core.runtime.conns()
    found = [c for c in conns if which in (str(c.entity.id), c.entity.name)]
    found = found or [c for c in conns if c.platform == which]
    if len(found) != 1:
        names = ", ".join(f"{c.entity.name} ({c.entity.id})" for c in found or conns)
        what = "several connections are" if found else "no connection is"
        raise BadInput(f"{what} called {which!r:.80}; give the id of one: {names}")
    return found[0]


def _time(given: str | None) -> datetime | None:
    """A time as ISO 8601 has it; without a zone it is local. Raises BadInput."""
    try:
        return None if given is None else datetime.fromisoformat(given).astimezone()
    except ValueError:
        raise BadInput(
            f"--since is a time like 2026-05-01 or 2026-05-01T12:00, not {given!r:.80}"
        ) from None
