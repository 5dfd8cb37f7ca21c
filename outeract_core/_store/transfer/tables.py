"""What an export holds of each table: its columns, each with a word for what it means, and their order.

Knows: every table that belongs to an application, which columns are left out, what an older export lacks.
Does not know: lines of text, files, SQL, what the words behind a column allow (`values.py`) and what
becomes of a value that leaves its file (`relative.py`), the order of events and edges (`dump.py`, `load.py`).
"""

from __future__ import annotations

from attrs import field

from ..._domain.values.classes import frozen
from .values import Bounds, rule_of

FORMAT = 3
"""Version of the export format: raised with every change that an older library cannot read."""
READS = (1, 2, 3)
"""The versions that are read: 2 added `attempt` and `part`, 3 `profile`, and has no
secret of a webhook."""

LEFT_OUT = {
    # a process of the other machine
    "outbox": frozenset({"lease_until", "lease_owner", "lease_token", "arrives", "looks"}),
    "file": frozenset({"lease_until", "lease_owner", "lease_token"}),
    "profile": frozenset({"lease_until", "lease_owner", "lease_token"}),
}
"""Columns that are not exported."""

ADDED: dict[str, dict[str, int | None]] = {
    "puser": {"named": None}, "handled": {"unread": 0}, "retry": {"failure": None},
    "parked": {"failure": None}, "processed": {"unread": 0},
}  # fmt: skip
"""Columns that lines of an older export do not have, and what stands for them."""

DERIVED = frozenset({"entry", "search_span"})
"""Tables that follow from others: made again by the import, or when they are needed."""
GLOBAL = frozenset(
    {
        "meta",
        "counter",
        "kind",
        "organisation",
        "application",
        "migration",
        "foreign_delivery",
        "account_holder",
    }
)
"""Tables of the file: what an application needs of them stands in the header."""
FLEETING = frozenset({"lease", "importing", "profile_pause", "link_limit", "erasing", "dropping"})
"""Tables of processes at work and of their credentials, which mean nothing elsewhere, and of what is
done before an export begins."""
LOG = {
    "event": ("seq", "id", "conn", "type", "occurred_at", "created_at", "dk", "payload", "raw"),
    "edge": ("dst", "type", "src", "at"),
}
"""Tables with lines of their own shape."""


@frozen
class Column:
    """A column and the word for what it holds, which has a rule in `values.py`."""

    name: str
    role: str
    nullable: bool = False


@frozen
class Table:
    """A table, its columns in the order of a line, what tells whose its rows are, the order of its lines.

    scope   the column that tells it: a key, or `app`, `conn`, `rule`.
    """

    name: str
    columns: tuple[Column, ...]
    scope: str
    order: tuple[str, ...]
    names: tuple[str, ...] = field(init=False)
    shown: tuple[Column, ...] = field(init=False)

    @names.default
    def _(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @shown.default
    def _(self) -> tuple[Column, ...]:
        """The columns that stand in a line."""
        return tuple(column for column in self.columns if column.role not in _SILENT)

    @property
    def by_connection(self) -> bool:
        """Whether its rows are read connection by connection."""
        return self.scope == "conn"

    @property
    def kind(self) -> str | None:
        """The column that holds the name of an event or edge type."""
        return next((column.name for column in self.columns if column.role == "kind"), None)


_SILENT = ("app", "number")
"""Columns that a line does without: the application itself, and a row's number in its file."""


def _table(name: str, columns: str, scope: str, order: str) -> Table:
    """`columns`: NAME:WORD, with a `?` behind it where there may be nothing."""
    pairs = (text.partition(":") for text in columns.split())
    found = [Column(column, word.rstrip("?"), word.endswith("?")) for column, _, word in pairs]
    for column in found:
        if column.role != "app":
            rule_of(column.role, Bounds(1, 1))  # a column without a rule is no column
    return Table(name, tuple(found), scope, tuple(order.split()))


BEFORE = (
    _table("connection", "id:conn uid:uid app:app platform:word name:label account:id? "
           "config:object status:disabled system_puser:node0 webhook_id:token webhook_version:count "
           "webhook_until:time? webhook_old:digest? poll_cursor:json? created_at:time", "app", "id"),
    _table("event_schema", "app:app name:kind_name version:count description:text? "
           "json_schema:json created_at:time", "app", "name version"),
    _table("person", "id:own uid:uid name:id? system:flag merged_into:person? created_at:time",
           "id", "id"),
    _table("puser", "id:own uid:uid person:person conn:conn ext:id address:id kind:puser_kind "
           "name:id? picture:id? named:flag? created_at:time", "id", "id"),
    _table("alias", "conn:conn value:id type:word puser:puser", "conn", "value type"),
    _table("moved", "puser:puser event:event at:time previous:person current:person", "puser",
           "puser event"),
    _table("profile", "puser:puser conn:conn kind:puser_kind due:due? fetched_at:time? attempt:count "
           "error:text? picture:file? version:id?", "puser", "puser"),
    _table("file", "id:own uid:uid conn:conn? event:event? filename:filename? mime:mime? "
           "size:count? sha256:digest? status:file_status handle:object? due:due? attempt:count "
           "error:text? created_at:time", "id", "id"),
)  # fmt: skip
"""What stands before the events."""
AFTER = (
    _table("conversation", "peer:puser last:event inbound:count outbound:count unread:count "
           "read_upto:node0 conn:conn", "peer", "peer"),
    _table("participant", "peer:puser puser:puser messages:count", "peer", "peer puser"),
    _table("delivery", "event:event status:status parts:count sent_at:time? delivered_at:time? "
           "read_at:time? failed_at:time? reason:text?", "event", "event"),
    _table("receipt", "conn:conn ext:id event:event part:count status:status", "conn", "ext"),
    _table("part", "event:event part:count status:status at:time", "event", "event part"),
    _table("waiting", "conn:conn ext:id src:event type:kind", "conn",
           "ext src type"),
    _table("outbox", "id:node conn:conn lane:puser verb:word event:event? parts:parts done:count "
           "due:due attempt:count expires:time? sandbox:flag state:queue error:text? waits:flag",
           "id", "id"),
    _table("send_key", "app:app key:id event:event", "app", "key"),
    _table("cursor", "app:app name:id position:position", "app", "name"),
    _table("enrolled", "app:app handler:text position:position joined:flag left_behind:count "
           "older:flag at:time", "app", "handler"),
    _table("handled", "event:event handler:id unread:flag", "event", "event handler"),
    _table("retry", "event:event handler:id attempt:count due:time error:text failure:id?", "event",
           "event handler"),
    _table("parked", "event:event handler:id reason:word at:time failure:id?", "event",
           "event handler"),
    _table("processed", "event:event at:time unread:flag", "event", "event"),
    _table("attempt", "event:event n:count kind:attempted name:id number:count at:time last:time "
           "times:count error:text", "event", "event n"),
    _table("raw_delivery", "id:number uid:uid conn:conn received_at:time method:method "
           "headers:object query:object body:body state:kept error:text? digest:hash", "conn",
           "id"),
    _table("link_code", "hash:hash event:event puser:puser expires:time uses:count max_uses:count "
           "confirms:event? activator:puser?", "event", "hash"),
    _table("link_attempt", "puser:puser since:time attempts:count", "puser", "puser"),
    _table("erasure", "event:event raw_only:reach by:event", "event", "event raw_only"),
    _table("retention", "id:number uid:uid app:app pattern:pattern conn:conn0 raw_only:flag "
           "keep:count position:node0 created_at:time", "app", "id"),
    _table("passed_by", "rule:rule event:event", "rule", "rule event"),
)  # fmt: skip
"""What stands after them: state and work."""
TABLES = {table.name: table for table in (*BEFORE, *AFTER)}
