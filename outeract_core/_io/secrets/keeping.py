"""A file and its key come together: found, made on first use, or made anew.

Knows: that the file keeps a mark of its key, and that two programs may open a new file at once.
Does not know: what follows from a key (`key.py`).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from ..._store.records import doors
from ...driver import Tx
from ...errors import MissingSecret
from ..database import Database
from ..disk.place import Place
from . import key
from .key import Key
from .references import Secrets


def path_of(place: Place) -> Path:
    """Where the key of a file lies, unless the host gives one."""
    return Path(f"{place.files}.key")


def opened(database: Database, place: Place, secrets: Secrets, own: Key | None) -> Key:
    """The key of this file; `own`: the host's. What is wrong with it is its `fault`."""
    mark = database.read(doors.mark)
    if own is None:
        own = key.in_memory(secrets) if place.memory else key.beside(path_of(place), mark, secrets)
    own = own.known_by(mark)
    if own.fault is None and (mark is None or (mark[1], own.whose) == ("file", "host")):
        mine = (own.mark, own.whose)

        def unit(tx: Tx) -> tuple[bytes, str] | None:
            if doors.mark(tx) == mark:
                doors.set_mark(tx, *mine)
            return doors.mark(tx)

        own = own.known_by(database.write_now(unit, app=None))  # the file has one key
    return own


def renewed(runtime: Any, place: Place, own: Key | None) -> Key:
    """A new key, or the host's own in place of another. Raises MissingSecret when it cannot be written."""
    made = own
    if made is None:
        path, secrets = path_of(place), runtime.secrets
        memory = place.memory
        made = key.in_memory(secrets) if memory else key.made(path, secrets, replace=True)
    if made.fault is not None:
        raise MissingSecret(made.fault)
    unit = partial(doors.set_mark, value=made.mark, whose=made.whose)
    runtime.database.write_now(unit, app=None)  # the file has one key
    return made
