"""The command that gives a message a second chance: resend.

Knows: how the answer is printed. Does not know: what may be sent again (`_outbound/again.py`).
"""

from __future__ import annotations

import argparse
from functools import partial

import anyio

from .commands import holder
from .opening import opened
from .printing import give, say

_FOLLOWS = {
    "queued": "it leaves when the bot's program runs",
    "sending": "its request is under way",
}
_ARRIVED = ("sent", "delivered", "read")


def resend(options: argparse.Namespace) -> int:
    """Queue a failed or unknown message again; the program that sends takes it up."""
    with opened(options.file) as core:
        app = holder(core, options.app, options.event)
        made = anyio.run(partial(app.resend, options.event, marked=options.marked))
        status = anyio.run(made.state).status
        before = anyio.run(app.delivery(options.event).state).parts
    if options.json:
        give({"event": str(made.id), "resent": options.event, "status": status})
    else:
        say(f"{made.id} {status}: {_FOLLOWS.get(status, 'it was sent again before')}")
        arrived = sum(part.status in _ARRIVED for part in before)
        if arrived:
            say(
                f"{arrived} of the {len(before)} parts of the first had arrived; the whole is said again"
            )
    return 0
