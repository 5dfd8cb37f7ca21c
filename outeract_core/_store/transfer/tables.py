"""What an export holds of each table, and how its columns become independent of one file's numbers.

Knows: every table that belongs to an application, what each of its columns means, which are left out.
Does not know: lines of text, files, what the words behind a column allow (`values.py`), the order of
events and edges in the log (`dump.py`, `load.py`).

A key becomes its number within the application, a connection its rank, an event type its name, bytes
become hexadecimal. On the way in the same is undone, with a range check, so that no line can lead
into another application.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from ..._domain.values.at_rest import COLUMNS, Door
from ...driver import Statement
from .values import NODES, Bounds, rule_of

FORMAT = 3
"""Version of the export format: raised with every change that an older library cannot read."""
READS = (1, 2, 3)
"""The versions that are read: 2 added `attempt` and `part`, 3 `profile`, and has no
secret of a webhook."""

PAUSED = 1 << 60
"""Milliseconds that work is put off while it is being imported, so that nobody begins it."""

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
class Remap:
    """Where an application's numbers begin: keys at `base`, up to `last` of them; connections."""

    app: int
    base: int
    last: int
    conns: int
    count: int


@frozen
class Column:
    """A column and the word for what it holds, which has a rule in `values.py`."""

    name: str
    role: str
    nullable: bool = False


@frozen
class Table:
    """A table, its columns in the order of a line, whose rows it has, and the order of its lines.

    scope   `COLUMN` is a key (`node`), a connection (`conn`), or the application (`app`); else SQL.
    """

    name: str
    columns: tuple[Column, ...]
    scope: str
    order: str
    names: tuple[str, ...] = field(init=False)

    @names.default
    def _(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def by_connection(self) -> bool:
        """Whether its rows are read connection by connection."""
        return self.scope == "conn"

    @property
    def kind(self) -> str | None:
        """The column that holds the name of an event or edge type."""
        return next((column.name for column in self.columns if column.role == "kind"), None)


def _table(name: str, columns: str, scope: str, order: str) -> Table:
    """`columns`: NAME:WORD, with a `?` behind it where there may be nothing."""
    pairs = (text.partition(":") for text in columns.split())
    found = [Column(column, word.rstrip("?"), word.endswith("?")) for column, _, word in pairs]
    for column in found:
        if column.role != "app":
            rule_of(column.role, Bounds(1, 1))  # a column without a rule is no column
    return Table(name, tuple(found), scope, order)


_RULES = "t.rule IN (SELECT r.id FROM retention r WHERE r.app = :app)"
BEFORE = (
    _table("connection", "id:conn uid:uid app:app platform:word name:label account:id? "
           "config:object status:disabled system_puser:node0 webhook_id:token webhook_version:count "
           "webhook_until:time? webhook_old:digest? poll_cursor:json? created_at:time", "app", "id"),
    _table("event_schema", "app:app name:kind_name version:count description:text? "
           "json_schema:json created_at:time", "app", "name, t.version"),
    _table("person", "id:own uid:uid name:id? system:flag merged_into:person? created_at:time",
           "id", "id"),
    _table("puser", "id:own uid:uid person:person conn:conn ext:id address:id kind:puser_kind "
           "name:id? picture:id? named:flag? created_at:time", "id", "id"),
    _table("alias", "conn:conn value:id type:word puser:puser", "conn", "value, t.type"),
    _table("moved", "puser:puser event:event at:time previous:person current:person", "puser",
           "puser, t.event"),
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
    _table("participant", "peer:puser puser:puser messages:count", "peer", "peer, t.puser"),
    _table("delivery", "event:event status:status parts:count sent_at:time? delivered_at:time? "
           "read_at:time? failed_at:time? reason:text?", "event", "event"),
    _table("receipt", "conn:conn ext:id event:event part:count status:status", "conn", "ext"),
    _table("part", "event:event part:count status:status at:time", "event", "event, t.part"),
    _table("waiting", "conn:conn ext:id src:event type:kind", "conn",
           "ext, t.src, (SELECT k.name FROM kind k WHERE k.id = t.type)"),
    _table("outbox", "id:node conn:conn lane:puser verb:word event:event? parts:parts done:count "
           "due:due attempt:count expires:time? sandbox:flag state:queue error:text? waits:flag",
           "id", "id"),
    _table("send_key", "app:app key:id event:event", "app", "key"),
    _table("cursor", "app:app name:id position:position", "app", "name"),
    _table("enrolled", "app:app handler:text position:position joined:flag left_behind:count "
           "older:flag at:time", "app", "handler"),
    _table("handled", "event:event handler:id unread:flag", "event", "event, t.handler"),
    _table("retry", "event:event handler:id attempt:count due:time error:text failure:id?", "event",
           "event, t.handler"),
    _table("parked", "event:event handler:id reason:word at:time failure:id?", "event",
           "event, t.handler"),
    _table("processed", "event:event at:time unread:flag", "event", "event"),
    _table("attempt", "event:event n:count kind:attempted name:id number:count at:time last:time "
           "times:count error:text", "event", "event, t.n"),
    _table("raw_delivery", "id:number uid:uid conn:conn received_at:time method:method "
           "headers:object query:object body:body state:kept error:text? digest:hash", "conn",
           "id"),
    _table("link_code", "hash:hash event:event puser:puser expires:time uses:count max_uses:count "
           "confirms:event? activator:puser?", "event", "hash"),
    _table("link_attempt", "puser:puser since:time attempts:count", "puser", "puser"),
    _table("erasure", "event:event raw_only:reach by:event", "event", "event, t.raw_only"),
    _table("retention", "id:number uid:uid app:app pattern:pattern conn:conn0 raw_only:flag "
           "keep:count position:node0 created_at:time", "app", "id"),
    _table("passed_by", "rule:rule event:event", _RULES, "rule, t.event"),
)  # fmt: skip
"""What stands after them: state and work."""
TABLES = {table.name: table for table in (*BEFORE, *AFTER)}

# ── out ───────────────────────────────────────────────────────────────────────────────────────

_RANKS = """WITH ranks(id, n) AS MATERIALIZED (
  SELECT c.id, row_number() OVER (ORDER BY c.id) FROM connection c WHERE c.app = :app)
"""
_NODE = "{0} - :lo"
_BYTES = "lower(hex({0}))"
_OUT = {
    **dict.fromkeys(NODES, _NODE),
    **dict.fromkeys(("uid", "hash", "body"), _BYTES),
    "node0": "CASE WHEN {0} = 0 THEN 0 ELSE {0} - :lo END",
    "position": _NODE,
    "conn0": "coalesce(c.n, 0)",
    "kind": "(SELECT k.name FROM kind k WHERE k.id = {0})",
    "rule": "(SELECT lower(hex(r.uid)) FROM retention r WHERE r.id = {0})",
    "parts": "CASE WHEN json_array_length({0}, '$.files') > 0 THEN json_set({0}, '$.files', "
    "json((SELECT json_group_array(j.value - :lo) FROM json_each({0}, '$.files') j))) || '' ELSE {0} END",
}
_SILENT = ("app", "number")
"""Columns that a line does without: the application itself, and a row's number in its file."""


def shown(table: Table) -> tuple[Column, ...]:
    """The columns that stand in a line."""
    return tuple(column for column in table.columns if column.role not in _SILENT)


def door_of(table: Table, column: Column) -> Door | None:
    """The door that the content of a column passes."""
    return COLUMNS.get(table.name, {}).get(column.name)


def select(table: Table) -> str:
    """SQL for the lines of a table, in order; `:app`, `:lo`, `:hi`, or `:conn` and its `:rank`."""
    ranked = None if table.by_connection else _ranked(table)
    values = ", ".join(f"'{c.name}', {_out(table, c)}" for c in shown(table))
    join = f"LEFT JOIN ranks c ON c.id = t.{ranked}" if ranked else ""
    return (
        f"{_RANKS if ranked else ''}SELECT json_object('{table.name}', json_object({values})) "
        f"FROM {table.name} t {join} WHERE {_where(table)} ORDER BY t.{table.order}"
    )


def _ranked(table: Table) -> str | None:
    """The column that names a connection."""
    return next((c.name for c in table.columns if c.role in ("conn", "conn0")), None)


def _out(table: Table, column: Column) -> str:
    if column.role == "conn":
        return ":rank" if table.by_connection else "c.n"
    door, stored = door_of(table, column), f"t.{column.name}"
    return _OUT.get(column.role, "{0}").format(stored if door is None else f"{door}_out({stored})")


def _where(table: Table) -> str:
    if table.scope in ("app", "conn"):
        return f"t.{table.scope} = :{table.scope}"
    if table.scope in table.names:
        return f"t.{table.scope} >= :lo AND t.{table.scope} < :hi"
    return table.scope


# ── in ────────────────────────────────────────────────────────────────────────────────────────

_WRONG = "'no such number'"
"""What a STRICT table refuses in place of a number out of range."""


def insert(table: Table, app: int, remap: Remap) -> Statement[None]:
    """The statement that takes the values of a line, in the order of `shown`."""
    numbers = {column.name: number for number, column in enumerate(shown(table), 1)}
    kept = [column for column in table.columns if column.role != "number"]
    values = [
        str(app)
        if column.role == "app"
        else _passing(table, column, f"?{numbers[column.name]}", remap)
        for column in kept
    ]
    names = ", ".join(column.name for column in kept)
    sql = f"INSERT INTO {table.name}({names}) VALUES ({', '.join(values)})"
    return Statement(f"transfer_{table.name}", sql)


def _passing(table: Table, column: Column, value: str, to: Remap) -> str:
    """The value as its column takes it, through its door where it has one."""
    door, taken = door_of(table, column), _in(column.role, value, to)
    return taken if door is None else f"{door}_in({taken})"


def insert_event(remap: Remap) -> Statement[None]:
    """The statement for an event: number, id, connection, type, times, dedupe key, texts."""
    key, conn = _in("node", "?1", remap), _in("conn", "?3", remap)
    names = ", ".join(LOG["event"])
    payload, raw = (
        f"CASE WHEN ?{n} IS NULL OR json_valid(?{n}) THEN {door}_in(?{n}) ELSE x'' END"
        for n, door in ((8, "payload"), (9, "raw"))
    )
    sql = f"INSERT INTO event({names}) VALUES ({key}, ?2, {conn}, ?4, ?5, ?6, ?7, {payload}, {raw})"
    return Statement("transfer_event", sql)


def insert_edge(remap: Remap) -> Statement[None]:
    """The statement for an edge: target, type, source, time."""
    target, source = _in("node", "?1", remap), _in("node", "?3", remap)
    names = ", ".join(LOG["edge"])
    return Statement(
        "transfer_edge", f"INSERT INTO edge({names}) VALUES ({target}, ?2, {source}, ?4)"
    )


def _in(role: str, value: str, to: Remap) -> str:
    nothing = f"WHEN {value} IS NULL THEN NULL"
    node = f"WHEN {value} BETWEEN 1 AND {to.last} THEN {to.base} + {value} ELSE {_WRONG} END"
    conn = f"WHEN {value} BETWEEN 1 AND {to.count} THEN {to.conns} + {value} ELSE {_WRONG} END"
    if role in NODES:
        return f"CASE {nothing} {node}"
    return {
        "node0": f"CASE WHEN {value} = 0 THEN 0 {node}",
        "position": f"CASE WHEN {value} = 0 THEN {to.base} {node}",
        "conn": f"CASE {nothing} {conn}",
        "conn0": f"CASE WHEN {value} = 0 THEN 0 {conn}",
        "kind": f"(SELECT id FROM kind WHERE name = {value})",
        **dict.fromkeys(("uid", "hash", "body"), f"unhex({value})"),
        "rule": f"(SELECT id FROM retention WHERE uid = unhex({value}) AND app = {to.app})",
        "due": f"{value} + {PAUSED}",
        "disabled": "'disabled'",
        "parts": f"CASE WHEN json_array_length({value}, '$.files') > 0 THEN json_set({value}, "
        f"'$.files', json((SELECT json_group_array({to.base} + j.value) "
        f"FROM json_each({value}, '$.files') j))) ELSE {value} END",
    }.get(role, value)


# ── out again ─────────────────────────────────────────────────────────────────────────────────


def where(table: Table) -> str:
    """Which rows are an application's, for `t` and `:app`, `:lo`, `:hi`."""
    if table.by_connection:
        return "t.conn IN (SELECT c.id FROM connection c WHERE c.app = :app)"
    return _where(table)


def deletions() -> Iterator[str]:
    """SQL that removes all rows of an application, what refers to others first."""
    for table in reversed(AFTER):
        yield f"DELETE FROM {table.name} AS t WHERE {where(table)}"
    for name, key in (("entry", "peer"), ("edge", "src"), ("event", "seq")):
        yield f"DELETE FROM {name} WHERE {key} >= :lo AND {key} < :hi"
    for table in reversed(BEFORE):
        yield f"DELETE FROM {table.name} AS t WHERE {where(table)}"
