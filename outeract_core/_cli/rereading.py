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
from ..errors import BadInput
from .opening import Progress, one_connection, opened


def reparse(options: argparse.Namespace) -> int:
    """Run today's parser over what was kept of one connection's past."""
    progress, last = Progress("read"), [Reparsed(position=options.after)]

    def told(done: Reparsed) -> None:
        last[0] = done
        progress(f"{done.read:,}, {done.changed:,} understood better")

    with opened(options.file) as core:
        conn = one_connection(core, options.connection)
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


def _time(given: str | None) -> datetime | None:
    """A time as ISO 8601 has it; without a zone it is local. Raises BadInput."""
    try:
        return None if given is None else datetime.fromisoformat(given).astimezone()
    except ValueError:
        raise BadInput(
            f"--since is a time like 2026-05-01 or 2026-05-01T12:00, not {given!r:.80}"
        ) from None
