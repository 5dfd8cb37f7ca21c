"""The command that reads the past again: reparse.

Knows: which connection is meant, how far it has come, how to go on.
Does not know: how an item is read, what is written of it.
"""

from __future__ import annotations

import argparse
from functools import partial

import anyio

from .._api.maintenance.rereading import Reparsed
from .opening import Progress, moment, one_connection, opened
from .printing import give, say


def reparse(options: argparse.Namespace) -> int:
    """Run today's parser over what was kept of one connection's past."""
    progress, last = Progress("read"), [Reparsed(position=options.after)]

    def told(done: Reparsed) -> None:
        last[0] = done
        progress(f"{done.read:,}, {done.changed:,} understood better")

    with opened(options.file) as core:
        conn = one_connection(core, options.connection)
        work = partial(
            core.reparse, conn.entity, since=moment(options.since, "--since"), after=options.after,
            progress=told,
        )  # fmt: skip
        try:
            done = anyio.run(work)
        except KeyboardInterrupt:
            progress.end()
            say(f"broken off; go on with --after {last[0].position}")
            return 130
    progress.end()
    _show(done, options.json)
    return 0


def _show(done: Reparsed, as_json: bool) -> None:
    if as_json:
        give({
            "read": done.read, "changed": done.changed, "unreadable": done.unreadable,
            "position": done.position,
        })  # fmt: skip
        return
    lost = f", {done.unreadable:,} cannot be read" if done.unreadable else ""
    say(f"{done.read:,} items read again, {done.changed:,} understood better{lost}")
