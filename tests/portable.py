"""`python3 -m tests.portable`: does PostgreSQL understand the named statements, and what is composed?

Knows: how the answer is printed, and when it is a fault. Does not know: how it is asked.
"""

from __future__ import annotations

import json
import signal
import sys

from outeract_core._store.engine.statements import texts
from tests.support.portable.asked import OWN, answers
from tests.support.portable.composed import composed
from tests.support.portable.schema import make
from tests.support.portable.server import postgres
from tests.support.portable.words import POSTGRES


def main() -> int:
    """What is wrong, then what is SQLite's own and why; on the last line the figures as JSON."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    with (
        postgres() as db
    ):  # whoever ends it while the server comes up waits until that can be stopped
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        if ended:
            return 143
        make(db)
        found = answers(db, texts(POSTGRES), OWN, composed(POSTGRES))
    for name, why in found.wrong.items():
        print(f"WRONG {name}: {why}\n")
    for name, why in found.own.items():
        print(f"own   {name}: {why}")
    print(json.dumps(found.summary))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
