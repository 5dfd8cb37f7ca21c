"""Units of work on the rules of retention: added, listed, changed, taken away.

Knows: the row of a rule, and of the messages that it has passed by.
Does not know: what falls under a rule (`retention.py`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from ..._domain.rules.patterns import fits
from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ...driver import Statement, Tx
from ...errors import BadInput, NotFound
from ...model import ConnectionId
from ...retention import RetentionRule
from ..engine.statements import statement
from ..writing import tombstones

_RuleRow = tuple[int, bytes, str, int, int, bytes | None, int, int, int]

ADD: Statement[Any] = statement("retention_add")
RULES: Statement[_RuleRow] = statement("retention_rules")
DROP: Statement[Any] = statement("retention_drop")
PASSED_BY_DROP: Statement[Any] = statement("passed_by_drop")
PASSED_BY_COUNT: Statement[tuple[int]] = statement("passed_by_count")

SPARED = ("user.", "link_code.", "system.identity_changed", *tombstones.OWN)
"""Who is who, and what was dropped by what: never dropped."""


@frozen
class Rule:
    """A rule as the units need it: integer keys; `keep` in milliseconds."""

    number: int
    keep: int
    conn: int
    position: int
    entity: RetentionRule

    @property
    def covers_deliveries(self) -> bool:
        """Deliveries that were not understood may be messages, and go with them."""
        return fits(self.entity.pattern, "message.inbound")


def keep(tx: Tx, app: int, pattern: str, ms: int, conn: int, raw_only: bool) -> RetentionRule:
    """Add a rule, or give the rule of this pattern and connection another time."""
    if pattern.startswith(SPARED):
        raise BadInput(f"{pattern} tells who is who, and is always kept")
    scope = {"pattern": pattern, "conn": conn, "raw_only": int(raw_only)}
    tx.run(ADD, uid=tx.new_id().bytes, app=app, keep=ms, now=tx.now, **scope)
    same = (pattern, conn, raw_only)
    found = [r for r in rules(tx, app) if (r.entity.pattern, r.conn, r.entity.raw_only) == same]
    return found[0].entity


def rules(tx: Tx, app: int) -> list[Rule]:
    """The rules of an application, oldest first."""
    return [_rule(row) for row in tx.all(RULES, app=app)]


def _kept_for(number: int, ms: int) -> timedelta:
    stored.moment(ms, "retention", number)  # what reaches beyond every time is no span either
    return timedelta(milliseconds=ms)


def _rule(row: _RuleRow) -> Rule:
    number, uid, pattern, ms, conn, conn_uid, raw_only, position, created_at = row
    connection = (
        None if conn_uid is None else ConnectionId(stored.uid(conn_uid, "connection", conn))
    )
    entity = RetentionRule(
        stored.uid(uid, "retention", number), pattern, _kept_for(number, ms), connection, bool(raw_only),
        stored.moment(created_at, "retention", number),
    )  # fmt: skip
    return Rule(number, ms, conn, position, entity)


def remove(tx: Tx, app: int, rule: UUID) -> None:
    """Take a rule away; what it has dropped stays dropped. Raises NotFound."""
    for known in rules(tx, app):
        if known.entity.id == rule:
            tx.run(DROP, id=known.number)
            tx.run(PASSED_BY_DROP, rule=known.number)
            return
    raise NotFound(f"no rule {rule} in this application")


def passed_by(tx: Tx, rule: Rule) -> int:
    """How many messages the rule has passed by because they are still to be sent."""
    row = tx.one(PASSED_BY_COUNT, rule=rule.number)
    return 0 if row is None else row[0]
