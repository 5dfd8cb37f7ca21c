"""The command line `outeract`.

Knows: the commands and their arguments.
Does not know: what a command does.

Read `printing` (the one way out), `opening` (what they share), `commands` (those that look), `doctor`, `keeping`, `moving`,
`undone`, `again`, `rereading`, `chat`, `run` with `reload`, then `demo` with `demo_cast` and `demo_report`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from .. import __version__
from ..errors import BadInput, OuteractError
from .printing import complain

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 not well, 2 wrong arguments or a refused file."""
    options = _parser().parse_args(arguments)
    try:
        _counts(options)
        code: int = options.run(options)
    except OuteractError as error:
        complain(f"outeract: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code


def _counts(options: argparse.Namespace) -> None:
    """Raises BadInput for a number of things below one."""
    for name, option in (("n", "-n"), ("depth", "--depth")):
        if getattr(options, name, 1) < 1:
            raise BadInput(f"{option} is 1 or more")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="outeract", description="Look into an outeract_core file, and try a bot in a terminal."
    )
    parser.add_argument("--version", action="version", version=f"outeract_core {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = _verb(verbs, "demo", "webhooks in, replies out, on a fresh file", "demo:run", file=False)
    demo.add_argument(
        "--keep", metavar="FILE", help="keep the database here, in place of any other"
    )
    demo.add_argument(
        "--recorded", metavar="FOLDER", help="also deliver recorded payloads from here"
    )
    doctor = _verb(verbs, "doctor", "config, secrets, health of the file, queues", "doctor:run")
    doctor.add_argument(
        "--deep",
        action="store_true",
        help="check every page and read every row: slow on a large file",
    )
    doctor.add_argument(
        "--online",
        action="store_true",
        help="also ask the platforms: credentials, webhooks, what is missing",
    )
    doctor.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="for all platforms (30)"
    )
    tail = _verb(verbs, "tail", "the newest events", "commands:tail")
    tail.add_argument("-n", type=int, default=20, help="how many (20)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as events arrive")
    tail.add_argument("--type", default="*", help="an event type or 'prefix.*'")
    recent = _verb(
        verbs, "conversations", "the most recently active conversations", "commands:recent"
    )
    recent.add_argument("-n", type=int, default=20, help="how many (20)")
    show = _verb(verbs, "show", "the whole story of one event", "commands:show")
    show.add_argument("event", help="its id")
    graph = _verb(verbs, "graph", "what an event is connected with", "commands:graph")
    graph.add_argument("event", help="the id of an event, user, platform user or file")
    graph.add_argument("--mermaid", action="store_true", help="as a Mermaid flowchart (default)")
    graph.add_argument("--dot", action="store_true", help="for Graphviz")
    graph.add_argument("--depth", type=int, default=3, help="how many edges away (3)")
    _listing(verbs)
    resend = _verb(verbs, "resend", "send a failed or unknown message again", "again:resend")
    resend.add_argument("event", help="the id of its message.outbound")
    resend.add_argument(
        "--marked", action="store_true", help="its text says that it may be a repetition"
    )
    _verb(verbs, "replay", "parse deliveries again that were not understood", "commands:replay")
    reparse = _verb(
        verbs, "reparse", "read what was kept of the past again, by today's parser",
        "rereading:reparse", app=False,
    )  # fmt: skip
    reparse.add_argument("connection", help="the connection's id or name")
    reparse.add_argument("--since", metavar="TIME", help="only what came since, e.g. 2026-05-01")
    reparse.add_argument("--after", type=int, default=0, help="go on behind this position")
    retry = _verb(
        verbs, "retry", "let handlers have an event again that they gave up", "commands:retry"
    )
    retry.add_argument("event", help="its id")
    backup = _verb(
        verbs, "backup", "copy the database and its files while it is in use", "keeping:backup",
        app=False,
    )  # fmt: skip
    backup.add_argument("target", help="where to; its files go beside it, into TARGET.files")
    backup.add_argument("--overwrite", action="store_true", help="replace an earlier copy")
    backup.add_argument("--no-files", action="store_true", help="the database alone")
    backup.add_argument("--link", action="store_true", help="hard links to files, where possible")
    rotate = _verb(
        verbs, "rotate", "give a connection's webhook a new address", "keeping:rotate", app=False
    )
    rotate.add_argument("connection", help="the connection's id or name")
    rotate.add_argument(
        "--overlap", type=float, default=24.0, metavar="HOURS",
        help="how long the address before is taken too (24)",
    )  # fmt: skip
    new_key = _verb(
        verbs, "new-key", "make a new key: every webhook has a new address", "keeping:new_key",
        app=False,
    )  # fmt: skip
    for verb in (doctor, rotate, new_key):
        verb.add_argument(
            "--key", metavar="NAME", help="the key that the program gives, as env:NAME or file:PATH"
        )
    export = _verb(
        verbs, "export", "write one application as lines of JSON", "moving:export", app=False
    )
    export.add_argument("application", help="the application, as NAME or ORGANISATION/NAME")
    export.add_argument("target", help="where to: packed when it ends in .gz, '-' is the output")
    export.add_argument("--no-files", action="store_true", help="without the bytes of files")
    export.add_argument("--key-file", metavar="FILE", help="sign it with what stands in this file")
    imported = _verb(
        verbs, "import", "put an exported application into a file, or go on with it",
        "moving:import_", app=False,
    )  # fmt: skip
    imported.add_argument("source", help="what export has written")
    imported.add_argument("--name", help="call the application so")
    imported.add_argument("--organisation", help="put it into this organisation")
    imported.add_argument("--key-file", metavar="FILE", help="refuse what was not signed with this")
    enable = _verb(
        verbs, "enable", "show what imported connections refer to, and let them be used",
        "moving:enable",
    )  # fmt: skip
    enable.add_argument("connection", nargs="?", help="its name (all that are disabled)")
    enable.add_argument("--yes", action="store_true", help="it is as it should be: use it")
    retention = _verb(
        verbs, "retention", "the rules of retention, and what they would drop", "keeping:retention"
    )
    retention.add_argument("--apply", action="store_true", help="drop it")
    chat = _verb(verbs, "chat", "talk to a bot in this terminal", "chat:run", json=False)
    chat.add_argument("bot", nargs="?", help="a Python file that registers handlers on `app`")
    run = _verb(verbs, "run", "serve a bot until SIGTERM", "run:run", file=False, json=False)
    run.add_argument("bot", help="a Python file that has a `core`, an Outeract")
    run.add_argument(
        "--reload", action="store_true", help="run it anew whenever a file beside it changes"
    )
    return parser


def _listing(verbs: Any) -> None:
    """The two commands that list and count what came to nothing."""
    deliveries = _verb(
        verbs, "deliveries", "messages that were not delivered, the newest first",
        "undone:deliveries",
    )  # fmt: skip
    deliveries.add_argument("--status", choices=("failed", "unknown"), help="only these (both)")
    turns = _verb(
        verbs, "turns", "turns that handlers gave up or that are run again, the newest first",
        "undone:turns",
    )  # fmt: skip
    turns.add_argument("--status", choices=("parked", "retrying"), help="only these (both)")
    turns.add_argument("--handler", help="only this one's")
    for verb in (deliveries, turns):
        verb.add_argument("--connection", help="only on this one: its id or name")
        verb.add_argument("--since", metavar="TIME", help="ended so since, e.g. 2026-05-01")
        verb.add_argument("--until", metavar="TIME", help="ended so before")
        verb.add_argument("-n", type=int, default=20, help="how many (20)")
        verb.add_argument("--count", action="store_true", help="count them by kind and time")
        verb.add_argument(
            "--every", type=float, default=24.0, metavar="HOURS", help="count in spans of (24)"
        )


def _verb(
    verbs: Any, name: str, text: str, target: str, *, file: bool = True, json: bool = True,
    app: bool = True,
) -> argparse.ArgumentParser:  # fmt: skip
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    if file:
        verb.add_argument("file", help="the database file")
    if file and app:
        verb.add_argument("--app", help="an application, as NAME or ORGANISATION/NAME")
    if json:
        verb.add_argument("--json", action="store_true", help="for programs")
    verb.set_defaults(run=_lazy(target))
    return verb


def _lazy(target: str) -> Command:
    """Import a command's module only when it is run."""

    def run(options: argparse.Namespace) -> int:
        from importlib import import_module

        module, _, name = target.partition(":")
        command: Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command(options)

    return run
