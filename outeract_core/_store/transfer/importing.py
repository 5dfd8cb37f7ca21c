"""Units of work on an import as a whole: begun, carried on, finished, undone; and what is not finished.

Knows: that an application is not served before it is whole and sound, that what was refused leaves
nothing, and how two imports keep apart.
Does not know: rows (`load.py`, `storing.py`), files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..._domain.values.classes import frozen
from ..._domain.values.ids import SHIFT, span
from ...driver import Statement, Tx
from ...errors import BadInput, InvalidExport, LeaseLost, UnfinishedImport
from ..engine.composed.tables import removing
from ..engine.statements import statement
from ..writing import enrolment
from ..writing.tenants import STANDING
from . import soundness
from .relative import PAUSED, Remap
from .tables import AFTER, BEFORE
from .values import RULES, TIME, number

ALL: Statement[tuple[str, str]] = statement("importing_all")
BEGIN: Statement[Any] = statement("importing_begin")
MOVE: Statement[Any] = statement("importing_move")
END: Statement[Any] = statement("importing_end")
ORGANISATION: Statement[Any] = statement("import_organisation")
APPLICATION: Statement[Any] = statement("import_application")
SYSTEM: Statement[Any] = statement("import_system")
NUMBER: Statement[tuple[int]] = statement("import_number")
KNOWN: Statement[tuple[str, str]] = statement("import_known")
OUTBOX_DUE: Statement[Any] = statement("import_outbox_due")
FILE_DUE: Statement[Any] = statement("import_file_due")
NAMED: Statement[Any] = statement("import_named")
PROFILE_DUE: Statement[Any] = statement("import_profile_due")
COUNTER: Statement[Any] = statement("import_counter")
UNNAME: Statement[Any] = statement("import_unname")
UNKEY: Statement[Any] = statement("import_unkey")
UNPARENT: Statement[Any] = statement("import_unparent")


_GUARDS = ("event_no_delete", "edge_no_delete", "erasure_no_delete")
"""Triggers that keep the log: what was refused never was in it."""


@frozen
class Wanted:
    """What is to be imported: the header of the file, its SHA-256, and under which name."""

    header: dict[str, Any]
    source: str
    organisation: str
    name: str


@frozen
class Standing:
    """How far an import has come: lines and bytes of its file; where its numbers begin."""

    app: int
    line: int
    position: int
    remap: Remap


def begin(tx: Tx, wanted: Wanted) -> Standing:
    """Begin an import, or take it up where it was left. Raises BadInput, UnfinishedImport."""
    row = tx.one(NUMBER, name=wanted.name, organisation=wanted.organisation)
    if row is None:
        return _begun(tx, wanted)
    where = f"{wanted.organisation}/{wanted.name}"
    standing = tx.one(STANDING, app=row[0])
    if standing is None:
        raise BadInput(f"there is an application {where} already; import under another name")
    if standing[0] != wanted.source:
        raise UnfinishedImport(f"{where} is being imported from another file; go on with that one")
    return _standing(row[0], wanted.header, *standing[1:])


def _begun(tx: Tx, wanted: Wanted) -> Standing:
    header = wanted.header
    facts, parent = header["application"], header["organisation"]
    uid = bytes.fromhex(facts["uid"])
    known = tx.one(KNOWN, uid=uid)
    if known is not None:
        raise BadInput(
            f"this application is in the file already, as {known[0]}/{known[1]}: its ids may be "
            "there once; import it into another file"
        )
    tx.run(
        ORGANISATION, uid=bytes.fromhex(parent["uid"]), fresh=tx.new_id().bytes,
        name=wanted.organisation, created=parent["created_at"],
    )  # fmt: skip
    tx.run(
        APPLICATION, uid=uid, organisation=wanted.organisation, name=wanted.name,
        config=facts["config"], created=facts["created_at"],
    )  # fmt: skip
    row = tx.one(NUMBER, name=wanted.name, organisation=wanted.organisation)
    assert row is not None  # noqa: S101 - inserted above
    tx.run(SYSTEM, app=row[0], person=span(row[0])[0] + facts["system_person"])
    tx.run(BEGIN, app=row[0], source=wanted.source)
    standing = tx.one(STANDING, app=row[0])
    assert standing is not None  # noqa: S101
    return _standing(row[0], header, *standing[1:])


def _standing(app: int, header: dict[str, Any], line: int, position: int, conns: int) -> Standing:
    remap = Remap(app, span(app)[0], header["last"], conns, header["connections"])
    return Standing(app, line, position, remap)


def moved(tx: Tx, app: int, was: int, line: int, position: int) -> None:
    """Note how far it has come. Raises LeaseLost when another import has moved it meanwhile."""
    if not tx.changed(MOVE, app=app, was=was, line=line, position=position):
        raise LeaseLost("another import of this file has gone on with this application")


def finish(tx: Tx, standing: Standing, was: int) -> None:
    """Everything is here: work may begin, and the application is served. Raises InvalidExport."""
    app, (lo, hi) = standing.app, span(standing.app)
    moved(tx, app, was, 0, was)
    whole = soundness.connected(tx, app, standing.remap.count)
    wrong = None if whole else "connections are missing"
    wrong = wrong or next(soundness.faults(tx, app), None)
    if wrong is not None:
        raise InvalidExport(f"{wrong}; nothing was imported", line=1)
    tx.run(OUTBOX_DUE, paused=PAUSED, lo=lo, hi=hi)
    tx.run(FILE_DUE, paused=PAUSED, lo=lo, hi=hi)
    tx.run(PROFILE_DUE, paused=PAUSED, lo=lo, hi=hi)
    tx.run(NAMED, lo=lo, hi=hi)
    tx.run(COUNTER, app=app, last=standing.remap.last)
    enrolment.imported(tx, app)
    tx.run(END, app=app)
    tx.forget()


def undo(tx: Tx, app: int) -> None:
    """Take out what was written of an import that is refused, as if it had never begun."""
    lo, hi = span(app)
    with tx.unguarded(_GUARDS):
        for table, scope in _written():
            tx.dynamic(removing(table, scope), {"app": app, "lo": lo, "hi": hi})
    tx.run(END, app=app)
    tx.run(UNKEY, app=app)
    tx.run(UNNAME, app=app)
    tx.run(UNPARENT)
    tx.forget()


def _written() -> Iterator[tuple[str, str]]:
    """Every table that an import writes, and what tells whose its rows are; what refers comes first."""
    yield from ((table.name, table.scope) for table in reversed(AFTER))
    yield from (("entry", "peer"), ("edge", "src"), ("event", "seq"))
    yield from ((table.name, table.scope) for table in reversed(BEFORE))


def unfinished(tx: Tx) -> list[str]:
    """The applications that are not whole, as ORGANISATION/NAME."""
    return [f"{organisation}/{name}" for organisation, name in tx.all(ALL)]


def check_header(header: dict[str, Any]) -> None:
    """Raises KeyError, TypeError or ValueError when a field is not what its rule says."""
    parent, facts = header["organisation"], header["application"]
    for name, value, rule in (
        ("last", header["last"], number(0, (1 << SHIFT) - 1)),
        ("connections", header["connections"], number(0, 1 << 20)),
        ("organisation.name", parent["name"], RULES["label"]),
        ("organisation.uid", parent["uid"], RULES["uid"]),
        ("organisation.created_at", parent["created_at"], TIME),
        ("application.name", facts["name"], RULES["label"]),
        ("application.uid", facts["uid"], RULES["uid"]),
        ("application.config", facts["config"], RULES["object"]),
        ("application.system_person", facts["system_person"], number(1, header["last"])),
        ("application.created_at", facts["created_at"], TIME),
    ):
        if not rule.right((value,), nullable=False):
            raise ValueError(f"{name} is {rule.says}, not {value!r:.80}")


def config_of(header: dict[str, Any]) -> dict[str, str]:
    """The application's config as the header has it."""
    config: dict[str, str] = json.loads(header["application"]["config"])
    return config
