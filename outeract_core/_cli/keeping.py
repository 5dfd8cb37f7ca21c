"""The commands that keep and drop: backup, retention; and those for what opens: rotate, new-key.

Knows: how each answer is printed, for people and as JSON.
Does not know: how a copy is made, what a rule drops.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from functools import partial
from typing import Any, Literal

import anyio

from .._api.app import App
from ..retention import Dropped
from .opening import Progress, applications, one_connection, opened
from .printing import give, say


def backup(options: argparse.Namespace) -> int:
    """Copy the file while others use it."""
    progress = Progress("copied")
    files: bool | Literal["link"] = "link" if options.link else not options.no_files

    def told(done: int, total: int) -> None:
        progress(f"{done:,} of {total:,} bytes")

    with opened(options.file) as core:
        done = anyio.run(
            partial(
                core.backup, options.target, files=files, overwrite=options.overwrite, progress=told
            )
        )
    progress.end()
    if options.json:
        give({
            "path": str(done.path), "bytes": done.size, "files": done.files, "missing": done.missing,
        })  # fmt: skip
    else:
        lost = f", {done.missing} files were not there" if done.missing else ""
        say(f"{done.path}: {done.size:,} bytes, {done.files} files{lost}")
    return 0


def rotate(options: argparse.Namespace) -> int:
    """Give a connection's webhook a new address, and print it."""
    with opened(options.file, options.key) as core:
        conn = one_connection(core, options.connection)
        app = next(one for one in applications(core, None) if one.key == conn.app)
        overlap = timedelta(hours=options.overlap)
        made = app.rotate(conn.entity, overlap=overlap)
        facts = {"connection": str(made.id), "webhook_path": made.webhook_path}
    if options.json:
        give(facts)
    else:
        say(f"{made.platform}/{made.name}: {made.webhook_path}")
    return 0


def new_key(options: argparse.Namespace) -> int:
    """Make a new key in place of one that was lost or seen, and print every new address."""
    with opened(options.file, options.key) as core:
        core.new_key()
        for app in applications(core, None):
            for conn in app.connections():
                where = f"{app.organisation}/{app.name} {conn.platform}/{conn.name}"
                facts = {"connection": str(conn.id), "webhook_path": conn.webhook_path}
                give(facts) if options.json else say(f"{where}: {conn.webhook_path}")
    return 0


def retention(options: argparse.Namespace) -> int:
    """The rules of every application, and what they would drop, or (`--apply`) have dropped."""
    with opened(options.file) as core:
        for app in applications(core, options.app):
            found = anyio.run(partial(app.retention.apply, dry_run=not options.apply))
            for done in found:
                _show(app, done, options)
            if not found and not options.json:
                say(f"{app.organisation}/{app.name}: no rules, everything is kept")
    return 0


def _show(app: App, done: Dropped, options: argparse.Namespace) -> None:
    if options.json:
        give({"app": f"{app.organisation}/{app.name}", **_facts(done)})
        return
    rule, verb = done.rule, "dropped" if options.apply else "would drop"
    where = "" if rule.connection_id is None else f" on {rule.connection_id}"
    what = "raw items" if rule.raw_only else "events"
    waits = f", {done.unsent} wait to be sent" if done.unsent else ""
    waits += ", more waits for handlers" if done.unhandled else ""
    say(
        f"{app.organisation}/{app.name} {rule.pattern}{where}, kept for {rule.keep_for}: {verb} "
        f"{done.events} {what}, {done.files} files, {done.deliveries} deliveries{waits}"
    )


def _facts(done: Dropped) -> dict[str, Any]:
    rule = done.rule
    return {
        "rule": str(rule.id), "pattern": rule.pattern, "seconds": rule.keep_for.total_seconds(),
        "connection": None if rule.connection_id is None else str(rule.connection_id),
        "raw_only": rule.raw_only, "events": done.events, "files": done.files,
        "deliveries": done.deliveries, "unsent": done.unsent, "unhandled": done.unhandled,
    }  # fmt: skip
