"""The commands that move an application: export, import, and enable for what has arrived.

Knows: how progress and the outcome are shown; that import makes the file when it is not there; that
what a connection refers to is shown before it is used.
Does not know: what is written and read.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from .._api.maintenance.export import Target
from .._api.outeract import Outeract
from .._store.records.conn import DISABLED
from ..errors import BadInput
from .opening import Progress, applications, one, opened
from .printing import give, say, tell


def export(options: argparse.Namespace) -> int:
    """Write an application to a file, or to standard output."""
    to_stdout = options.target == "-"
    target: Target = sys.stdout.buffer if to_stdout else options.target
    progress = Progress("exported")
    with opened(options.file) as core:
        app = one(core, options.application)
        write = partial(
            app.export, target, files=not options.no_files,
            progress=lambda done, of: progress(_share(done, of)), key=_key(options.key_file),
        )  # fmt: skip
        try:
            done = anyio.run(write)
        except OSError as error:
            raise BadInput(f"{options.target} cannot be written: {error.strerror}") from error
    progress.end()
    if to_stdout:
        sys.stdout.buffer.flush()
    elif options.json:
        give({
            "events": done.events, "files": done.files, "missing": done.missing,
            "lines": done.lines, "sha256": done.sha256,
        })  # fmt: skip
    else:
        missing = f"; the bytes of {done.missing} files were not there" if done.missing else ""
        say(f"{done.events:,} events, {done.files:,} files in {done.lines:,} lines{missing}")
    return 0


def import_(options: argparse.Namespace) -> int:
    """Put an exported application into a file; go on with an import that was interrupted."""
    progress = Progress("imported")
    core = Outeract(options.file)
    try:
        read = partial(
            core.import_app, options.source, name=options.name, organisation=options.organisation,
            progress=lambda done, of: progress(_share(done, of)), key=_key(options.key_file),
        )  # fmt: skip
        app = anyio.run(read)
        events = anyio.run(app.events.count)
    except OSError as error:
        raise BadInput(f"{options.source} cannot be read: {error.strerror}") from error
    finally:
        core.close()
    progress.end()
    signed = app.imported.signed if app.imported else "no"
    disabled = [one.name for one in app.connections() if one.status == DISABLED]
    if options.json:
        give({
            "application": f"{app.organisation}/{app.name}", "events": events, "signed": signed,
            "disabled": disabled,
        })  # fmt: skip
    else:
        say(f"{app.organisation}/{app.name}: {events:,} events; {_SIGNED[signed]}")
        if disabled:
            say(f"disabled until you have looked: outeract enable {options.file} --app {app.name}")
    return 0


_SIGNED = {
    "verified": "signed with your key",
    "unverified": "signed, and not compared with any key",
    "no": "not signed",
}


def enable(options: argparse.Namespace) -> int:
    """Show what disabled connections refer to; with `--yes`, let them be used. 1: some are left."""
    with opened(options.file) as core:
        found = [
            (app, connection)
            for app in applications(core, options.app)
            for connection in app.connections()
            if connection.status == DISABLED and options.connection in (None, connection.name)
        ]
        if options.connection is not None and not found:
            raise BadInput(f"no disabled connection is called {options.connection!r}")
        if options.yes:
            for app, connection in found:
                app.enable(connection)
    shown = [
        {"application": f"{app.organisation}/{app.name}", "platform": connection.platform,
         "name": connection.name, "account": connection.account, "config": connection.config,
         "enabled": options.yes}
        for app, connection in found
    ]  # fmt: skip
    if options.json:
        give(shown)
    else:
        tell(_connections(shown))
    return 0 if options.yes or not found else 1


def _connections(shown: list[dict[str, Any]]) -> list[str]:
    """What each would use: every name and server, so that a strange one is seen."""
    lines = []
    for each in shown:
        lines.append(f"{each['application']}: {each['platform']}/{each['name']}")
        if each["account"]:
            lines.append(f"  account: {each['account']!a}")
        lines += [f"  {name!a}: {value!a}" for name, value in sorted(each["config"].items())]
    done = (
        "enabled"
        if shown and shown[0]["enabled"]
        else "not enabled: again with --yes if all is right"
    )
    return [*lines, done] if shown else ["no connection is disabled"]


def _key(path: str | None) -> bytes | None:
    """What is in the file, without the line break that an editor has put behind it."""
    if path is None:
        return None
    try:
        return Path(path).read_bytes().strip()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _share(done: int, of: int) -> str:
    return f"{done:,} of {of:,}"
