"""The one way in which content leaves the log: an event says so, a row names it, a tombstone stays.

Knows: the rows that the file's triggers ask for, which files are attached to nothing that stays.
Does not know: why content goes (`_store/transfer/erasure.py`, `_store/transfer/retention.py`); the bytes of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...driver import Statement, Tx
from ..engine.statements import statement
from . import files, search

ERASURE: Statement[Any] = statement("erasure_add")
TOMBSTONE: Statement[Any] = statement("tombstone")
RAW_TOMBSTONE: Statement[Any] = statement("raw_tombstone")
REDACT: Statement[Any] = statement("redact")
RETRY_ERASE: Statement[Any] = statement("retry_erase")
ATTEMPTS_ERASE: Statement[Any] = statement("attempts_erase")
HOLDERS: Statement[tuple[int]] = statement("holders")
FILE: Statement[tuple[str | None, str]] = statement("file_facts")
FILE_ERASE: Statement[Any] = statement("file_erase")
DROPPING_ADD: Statement[Any] = statement("dropping_add")

OWN = ("user.erased", "system.retention_applied")
"""What says that content has gone stays itself."""
NOTES = ("file.inbound", "system.file_stored", "system.file_failed", "message.transcribed")
"""What is only said about a file does not keep it."""


def bury(tx: Tx, events: list[int], by: int) -> None:
    """Payload and raw item of these events go; the event `by`, a later one, says so."""
    search.unindex(tx, events)
    tx.run(ERASURE, events=events, raw_only=0, by=by)
    tx.run(TOMBSTONE, events=events)
    forget_tries(tx, events)


def forget_tries(tx: Tx, events: list[int]) -> None:
    """What went wrong at these events may quote them."""
    tx.run(RETRY_ERASE, events=events)
    tx.run(ATTEMPTS_ERASE, events=events)


def redact(tx: Tx, changes: Sequence[tuple[int, str | None, str | None]], by: int) -> None:
    """Single values of these events go: (event, its payload, its raw item) as they are from now on."""
    events = [event for event, _payload, _raw in changes]
    search.unindex(tx, events)
    tx.run(ERASURE, events=events, raw_only=2, by=by)
    for event, payload, raw in changes:
        tx.run(REDACT, event=event, payload=payload, raw=raw)
    forget_tries(tx, events)
    search.index_again(tx, events)


def bury_raw(tx: Tx, events: list[int], by: int) -> None:
    """The raw items of these events go, and nothing else."""
    tx.run(ERASURE, events=events, raw_only=1, by=by)
    tx.run(RAW_TOMBSTONE, events=events)


def unheld(tx: Tx, events: list[int]) -> list[int]:
    """Files that nothing readable will show any more once these events are gone."""
    gone = set(events)
    attached = {file for _s, _t, file in tx.expand(events, [tx.kind("attachment")], inward=False)}
    return [file for file in sorted(attached) if _is_there(tx, file) and _only_by(tx, file, gone)]


def _is_there(tx: Tx, file: int) -> bool:
    row = tx.one(FILE, id=file)
    return row is not None and row[1] != "erased"


def _only_by(tx: Tx, file: int, gone: set[int]) -> bool:
    """Whether all that shows the file is in `gone`; asked newest first, so that one look tells."""
    notes = [tx.kind(name) for name in NOTES]
    rows = tx.all(
        HOLDERS, file=file, attachment=tx.kind("attachment"), notes=notes, limit=len(gone) + 1
    )
    return gone.issuperset(row[0] for row in rows)


def drop_files(tx: Tx, nodes: list[int]) -> tuple[str, ...]:
    """The nodes lose name and bytes; the hashes of bytes that no other node has, which are noted until
    they are out of the folder.
    """
    hashes = set()
    for node in nodes:
        row = tx.one(FILE, id=node)
        tx.run(FILE_ERASE, id=node)
        hashes.add(None if row is None else row[0])
    unused = sorted(h for h in hashes if h is not None and not files.is_used(tx, h))
    tx.many(DROPPING_ADD, [(sha256,) for sha256 in unused])
    return tuple(unused)
