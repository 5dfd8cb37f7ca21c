"""Talk to a bot in this terminal: typed lines are the inbound messages, its messages are printed.

Knows: stdin, how a bot's file is loaded.
Does not know: what a line means (the console adapter does), how the bot answers.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial

import anyio
import anyio.to_thread

from .._api.app import App
from .._api.message import Message
from .._api.outeract import Outeract
from ..errors import BadInput
from ..model import PlatformConnection
from .printing import complain
from .run import loaded, take_turns


def run(options: argparse.Namespace) -> int:
    """Chat until the input ends; 1 when a handler, or anything else, has raised meanwhile."""
    take_turns()
    return anyio.run(partial(_chat, options.file, options.app or "console", options.bot))


async def _chat(path: str, name: str, bot: str | None) -> int:
    """What is raised is printed at once, by the log: to stderr, unless the bot's file says otherwise."""
    async with Outeract(path) as core:
        with core.runtime.log.listening() as raised:
            await _talk(core, name, bot)
    if raised:
        complain(f"outeract: {len(raised)} errors, see above")
    return 1 if raised else 0


async def _talk(core: Outeract, name: str, bot: str | None) -> None:
    app = core.app(name)
    connection = app.connect("console")
    _load(app, bot)
    async with anyio.create_task_group() as group:
        group.start_soon(core.serve)
        await _listen(core, connection)
        group.cancel_scope.cancel()
    await core.pump()


def _load(app: App, bot: str | None) -> None:
    """Run the bot's file, which finds the application as `app`; without one, an echo answers."""
    if bot is None:
        app.on("message.inbound", name="echo")(_echo)
        return
    module = loaded(bot, app=app)
    if not app.handlers:
        raise BadInput(f"{bot} registers no handler; use @app.on('message.inbound')")
    for handler in app.handlers:
        if handler.process and handler.call.__module__ == module.__name__:
            raise BadInput(
                f"{bot}: {handler.name} has process=True, and a worker process would read this file without its "
                "`app`: let the function stand in a file beside it, or open a store in it for `outeract run`"
            )


def _echo(message: Message) -> str:
    return f"You said: {message.text}"


async def _listen(core: Outeract, connection: PlatformConnection) -> None:
    """Each line becomes a message, numbered so that it is one even if it comes twice."""
    while True:
        line = await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
        if not line:
            return
        if line.strip():
            typed = {"user": "you", "text": line.rstrip("\r\n"), "n": str(time.time_ns())}
            body = json.dumps(typed).encode()
            await core.ingest(
                connection.webhook_id, connection.webhook_secret, "POST", {}, {}, body
            )
