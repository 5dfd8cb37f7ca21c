"""timeline: the latest 50 messages of a user with three platform users, from the user's id.

Knows: the goals. Does not know: how anyone reads.

Floors: both look up the platform users and merge their three indexes in one statement; `raw` reads
the columns that a message as it stands is made of, `bare` the event rows alone. The same peers as for a page.
"""

from __future__ import annotations

import anyio

from ..ground import held
from ..measure import Options, Result, at_most

NAMES = ("timeline",)


def run(options: Options) -> Result:
    """Times, ratios and goals."""
    race = anyio.run(held.raced, options, NAMES)
    growth = anyio.run(held.grown, options, NAMES)
    goals = [at_most("timeline of raw", race.of("timeline", "raw"), 2.5)]
    return held.told(options, race, growth, NAMES, goals)
