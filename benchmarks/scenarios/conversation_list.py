"""list: the 50 conversations with the newest messages, with last message, unread and whose they are.

Knows: the goals. Does not know: how anyone reads.

`list_used` also looks at what a list of chats shows: id and name of each, text and time of its last
message, unread; so nothing is gained by putting work off.

Floors: `raw` reads the conversations, their last events with state and
what has happened to them, the platform users with their
users and connections, and all aliases (two statements); `bare` the conversations and event rows.
Peers: the ORM as authors write it groups the whole history; tuned it reads the library's kept
state; networkx, which looks at every edge, takes part when the whole file is in memory; LadybugDB.
"""

from __future__ import annotations

import anyio

from ..ground import held
from ..measure import Options, Result, at_least, at_most

NAMES = ("list", "list_used")


def run(options: Options) -> Result:
    """Times, ratios and goals."""
    race = anyio.run(held.raced, options, NAMES)
    growth = anyio.run(held.grown, options, NAMES)
    goals = [
        at_most("list of raw", race.of("list", "raw"), 3.0),
        at_least("list: tuned ORM slower", race.slower("list", "orm_tuned"), 6.0),
    ]
    return held.told(options, race, growth, NAMES, goals)
