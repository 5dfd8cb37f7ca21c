"""What an export holds of each table, and how its columns become independent of one file's numbers.

Knows: every table that belongs to an application, what each of its columns means, which are left out.
Does not know: lines of text, files, the order of events and edges in the log (`transfer_out`, `_in`).

A key becomes its number within the application, a connection its rank, an event type its name, bytes
become hexadecimal. On the way in the same is undone, with a range check, so that no line can lead
into another application.
"""

from __future__ import annotations

from attrs import field, frozen

from ...driver import Statement

FORMAT = 2
"""Version of the export format: raised with every change that an older library cannot read."""
READS = (1, 2)
"""The versions that are read: 2 added the lines of `attempt` and `part`."""

PAUSED = 1 << 60
"""Milliseconds that work is put off while it is being imported, so that nobody begins it."""

LEFT_OUT = {
    # a process of the other machine
    "outbox": frozenset({"lease_until", "lease_owner", "lease_token", "arrives", "looks"}),
    "file": frozenset({"lease_until", "lease_owner", "lease_token"}),
}
"""Columns that are not exported."""

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
FLEETING = frozenset({"lease", "importing"})
"""Tables of processes at work, which mean nothing elsewhere."""
LOG = {
    "event": ("seq", "id", "conn", "type", "occurred_at", "created_at", "dk", "payload", "raw"),
    "edge": ("dst", "type", "src", "at"),
}
"""Tables with lines of their own shape."""


@frozen
class Remap:
    """Where an application's numbers begin: keys at `base`, up to `last` of them; connections."""

    base: int
    last: int
    conns: int
    count: int


@frozen
class Column:
    """A column and what it holds: `plain`, or one of `_OUT` and `_IN`."""

    name: str
    role: str


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
    pairs = (text.partition(":") for text in columns.split())
    return Table(name, tuple(Column(n, role or "plain") for n, _, role in pairs), scope, order)


_RULES = "t.rule IN (SELECT r.id FROM retention r WHERE r.app = :app)"
BEFORE = (
    _table("connection", "id:conn uid:bytes app:app platform name account config status "
           "system_puser:node0 webhook_id webhook_secret poll_cursor created_at", "app", "id"),
    _table("event_schema", "app:app name version description json_schema created_at", "app",
           "name, t.version"),
    _table("person", "id:node uid:bytes name system merged_into:node created_at", "id", "id"),
    _table("puser", "id:node uid:bytes person:node conn:conn ext address kind name picture "
           "created_at", "id", "id"),
    _table("alias", "conn:conn value type puser:node", "conn", "value, t.type"),
    _table("moved", "puser:node event:node at previous:node current:node", "puser",
           "puser, t.event"),
    _table("file", "id:node uid:bytes conn:conn event:node filename mime size sha256 status handle "
           "due:due attempt error created_at", "id", "id"),
)  # fmt: skip
"""What stands before the events."""
AFTER = (
    _table("conversation", "peer:node last:node inbound outbound unread read_upto:node0 conn:conn",
           "peer", "peer"),
    _table("participant", "peer:node puser:node messages", "peer", "peer, t.puser"),
    _table("delivery", "event:node status parts sent_at delivered_at read_at failed_at reason",
           "event", "event"),
    _table("receipt", "conn:conn ext event:node part status", "conn", "ext"),
    _table("part", "event:node part status at", "event", "event, t.part"),
    _table("waiting", "conn:conn ext src:node type:kind", "conn",
           "ext, t.src, (SELECT k.name FROM kind k WHERE k.id = t.type)"),
    _table("outbox", "id:node conn:conn lane:node verb event:node parts:parts done due:due attempt "
           "expires sandbox state error waits", "id", "id"),
    _table("send_key", "app:app key event:node", "app", "key"),
    _table("cursor", "app:app name position:position", "app", "name"),
    _table("handled", "event:node handler unread", "event", "event, t.handler"),
    _table("retry", "event:node handler attempt due error", "event", "event, t.handler"),
    _table("parked", "event:node handler reason at", "event", "event, t.handler"),
    _table("processed", "event:node at", "event", "event"),
    _table("attempt", "event:node n kind name number at last times error", "event", "event, t.n"),
    _table("raw_delivery", "id:number uid:bytes conn:conn received_at method headers query "
           "body:bytes state error digest:bytes", "conn", "id"),
    _table("link_code", "hash:bytes event:node puser:node expires uses max_uses confirms:node "
           "activator:node", "event", "hash"),
    _table("link_attempt", "puser:node since attempts", "puser", "puser"),
    _table("erasure", "event:node raw_only by:node", "event", "event, t.raw_only"),
    _table("retention", "id:number uid:bytes app:app pattern conn:conn0 raw_only keep "
           "position:node0 created_at", "app", "id"),
    _table("passed_by", "rule:rule event:node", _RULES, "rule, t.event"),
)  # fmt: skip
"""What stands after them: state and work."""
TABLES = {table.name: table for table in (*BEFORE, *AFTER)}

# ── out ───────────────────────────────────────────────────────────────────────────────────────

_RANKS = """WITH ranks(id, n) AS MATERIALIZED (
  SELECT c.id, row_number() OVER (ORDER BY c.id) FROM connection c WHERE c.app = :app)
"""
_OUT = {
    "node": "t.{0} - :lo",
    "node0": "CASE WHEN t.{0} = 0 THEN 0 ELSE t.{0} - :lo END",
    "position": "t.{0} - :lo",
    "conn0": "coalesce(c.n, 0)",
    "kind": "(SELECT k.name FROM kind k WHERE k.id = t.{0})",
    "bytes": "lower(hex(t.{0}))",
    "rule": "(SELECT lower(hex(r.uid)) FROM retention r WHERE r.id = t.{0})",
    "parts": "CASE WHEN json_array_length(t.{0}, '$.files') > 0 THEN json_set(t.{0}, '$.files', "
    "json((SELECT json_group_array(j.value - :lo) FROM json_each(t.{0}, '$.files') j))) || '' ELSE t.{0} END",
}
_SILENT = ("app", "number")
"""Columns that a line does without: the application itself, and a row's number in its file."""


def shown(table: Table) -> tuple[Column, ...]:
    """The columns that stand in a line."""
    return tuple(column for column in table.columns if column.role not in _SILENT)


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
    return _OUT.get(column.role, "t.{0}").format(column.name)


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
        str(app) if column.role == "app" else _in(column.role, f"?{numbers[column.name]}", remap)
        for column in kept
    ]
    names = ", ".join(column.name for column in kept)
    sql = f"INSERT INTO {table.name}({names}) VALUES ({', '.join(values)})"
    return Statement(f"transfer_{table.name}", sql)


def insert_event(remap: Remap) -> Statement[None]:
    """The statement for an event: number, id, connection, type, times, dedupe key, texts."""
    key, conn = _in("node", "?1", remap), _in("conn", "?3", remap)
    names = ", ".join(LOG["event"])
    sql = f"INSERT INTO event({names}) VALUES ({key}, ?2, {conn}, ?4, ?5, ?6, ?7, ?8, ?9)"
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
    return {
        "node": f"CASE {nothing} {node}",
        "node0": f"CASE WHEN {value} = 0 THEN 0 {node}",
        "position": f"CASE WHEN {value} = 0 THEN {to.base} {node}",
        "conn": f"CASE {nothing} {conn}",
        "conn0": f"CASE WHEN {value} = 0 THEN 0 {conn}",
        "kind": f"(SELECT id FROM kind WHERE name = {value})",
        "bytes": f"unhex({value})",
        "rule": f"(SELECT id FROM retention WHERE uid = unhex({value}))",
        "due": f"{value} + {PAUSED}",
        "parts": f"CASE WHEN json_array_length({value}, '$.files') > 0 THEN json_set({value}, "
        f"'$.files', json((SELECT json_group_array({to.base} + j.value) "
        f"FROM json_each({value}, '$.files') j))) ELSE {value} END",
    }.get(role, value)
