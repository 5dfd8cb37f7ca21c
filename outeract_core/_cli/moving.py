"""The commands that move an application: export, import.

Knows: how progress and the outcome are shown; that import makes the file when it is not there.
Does not know: what is written and read.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

import anyio

from .._api.maintenance.export import Target
from .._api.outeract import Outeract
from ..errors import BadInput
from .opening import Progress, one, opened


def export(options: argparse.Namespace) -> int:
    """Write an application to a file, or to standard output."""
    to_stdout = options.target == "-"
    target: Target = sys.stdout.buffer if to_stdout else options.target
    progress = Progress("exported")
    with opened(options.file) as core:
        app = one(core, options.application)
        write = partial(
            app.export, target, files=not options.no_files,
            progress=lambda done, of: progress(_share(done, of)),
        )  # fmt: skip
        try:
            done = anyio.run(write)
        except OSError as error:
            raise BadInput(f"{options.target} cannot be written: {error.strerror}") from error
    progress.end()
    if to_stdout:
        sys.stdout.buffer.flush()
    elif options.json:
        print(json.dumps({
            "events": done.events, "files": done.files, "missing": done.missing,
            "lines": done.lines, "sha256": done.sha256,
        }))  # fmt: skip
    else:
        missing = f"; the bytes of {done.missing} files were not there" if done.missing else ""
        print(f"{done.events:,} events, {done.files:,} files in {done.lines:,} lines{missing}")
    return 0


def import_(options: argparse.Namespace) -> int:
    """Put an exported application into a file; go on with an import that was interrupted."""
    progress = Progress("imported")
    core = Outeract(options.file)
    try:
        read = partial(
            core.import_app, options.source, name=options.name, organisation=options.organisation,
            progress=lambda done, of: progress(_share(done, of)),
        )  # fmt: skip
        app = anyio.run(read)
        events = anyio.run(app.events.count)
    except OSError as error:
        raise BadInput(f"{options.source} cannot be read: {error.strerror}") from error
    finally:
        core.close()
    progress.end()
    if options.json:
        print(json.dumps({"application": f"{app.organisation}/{app.name}", "events": events}))
    else:
        print(f"{app.organisation}/{app.name}: {events:,} events")
    return 0


def _share(done: int, of: int) -> str:
    return f"{done:,} of {of:,}"
