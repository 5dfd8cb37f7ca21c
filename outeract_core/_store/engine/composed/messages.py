"""Messages and all that stands around them, asked by one statement.

Knows: the named statements that ask for each of it by keys, which of them finds its keys with another.
Does not know: which messages are wanted, what is made of their rows (`reading/standing.py`).
"""

from __future__ import annotations

from ....driver import Dialect
from ..dialect import SQLITE, translated
from ..statements import over
from .together import Arm, Together

__all__ = ["listed", "messages"]


def listed(dialect: Dialect = SQLITE, name: str = "keys") -> str:
    """The query that yields a list as `value`."""
    return translated(f"SELECT j.value FROM {{each {name}}} j", dialect)


def messages(keys: str, dialect: Dialect = SQLITE, *, people: bool = False) -> Together:
    """The messages whose keys a query yields as `value`; with `people` also the platform users of a list of that name,
    and who has spoken first where one of them is a group.

    Apart, in this order: events, each with who said it; changes, ends, platform users, files, receipts, parts, what is
    not yet due, speakers; all as their statements give them.
    """

    def of(name: str, table: str) -> str:
        return over(name, "keys", table, dialect)

    common = {
        "said(value, sent, sender)": _SAID.format(keys=keys),
        "changes(message, position, type, at, payload, who, done)": of("changes_of_messages", "said"),
        "ends(source, type, target)": of("ends_of_messages", _EDITED),
    }  # fmt: skip
    arms = {
        over("events_by_key", "keys", "said", dialect, beside="j.sender"): "nbnnnntttnnnntnbnn",
        "SELECT * FROM changes": "nnnntnn",
        "SELECT * FROM ends": "nnn",
        of("pusers_by_key", f"({_PEOPLE + _ASKED * people})"): "nbbnttttntt",
        of("files_by_key", _FILES): "nbbttnttn",
        of("receipts_of_messages", _SENT): "nntt",
        of("parts_of_messages", _SENT): "nntt",
        of("not_yet_due", _SENT): "nn",
    }
    if people:
        common["asked(value)"] = listed(dialect, "people")
        common["spoken(peer, puser)"] = of("first_speakers", "asked")
        arms["SELECT * FROM spoken"] = "nn"
    return Together(common, [Arm(sql, columns) for sql, columns in arms.items()])


_SAID = """
SELECT w.value, (SELECT d.event FROM delivery d WHERE d.event = w.value),
  (SELECT g.dst FROM edge g WHERE g.src = w.value AND g.type = :sent_by LIMIT 1) FROM ({keys}) w"""
_SENT = "(SELECT sent AS value FROM said WHERE sent IS NOT NULL)"
"""Of what was heard there are no receipts, and none are looked for."""
_EDITED = "(SELECT value FROM said UNION ALL SELECT position FROM changes WHERE type = :edited)"
_FILES = "(SELECT target AS value FROM ends WHERE type = :attachment)"
_PEOPLE = "SELECT sender AS value FROM said UNION SELECT who FROM changes"
_ASKED = " UNION SELECT value FROM asked UNION SELECT puser FROM spoken"
