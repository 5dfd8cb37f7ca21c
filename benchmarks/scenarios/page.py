"""page: the latest 50 messages of the largest conversation, and 50 from 60 % back, as objects.

Knows: the goals. Does not know: how anyone reads.

Floors: `raw` reads the columns that a message as it stands is made of (delivery state and processing
time joined; changes, senders, receipts),
`bare` the event rows alone. `page_used` also looks at id, time and text of each message, so that
nothing is gained by putting work off. Peers: SQLAlchemy's ORM as authors write it and tuned, its Core
(rows), networkx (that conversation in memory), LadybugDB.
"""

from __future__ import annotations

import anyio

from ..ground import held
from ..measure import Options, Result, at_least, at_most

NAMES = ("page", "page_used", "deep_page")


def run(options: Options) -> Result:
    """Times, ratios and goals."""
    race = anyio.run(held.raced, options, NAMES)
    growth = anyio.run(held.grown, options, NAMES)
    goals = [
        *(at_most(f"{name} of raw", race.of(name, "raw"), 3.0) for name in ("page", "deep_page")),
        at_least("page: tuned ORM slower", race.slower("page", "orm_tuned"), 5.0),
        at_least(
            "page: networkx slower",
            held.at_full_size(options, race.slower("page", "networkx")), 500.0,
        ),
    ]  # fmt: skip
    return held.told(options, race, growth, NAMES, goals)
