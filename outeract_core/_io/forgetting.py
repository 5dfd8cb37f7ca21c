"""What was decided to be forgotten is carried out: content in pieces, bytes out of the folder.

Knows: that a program may be killed at any point, and that the next one goes on there.
Does not know: what is decided, by an erasure or a rule of retention (`_store/transfer`).
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread

from .._store.transfer import erasing
from ..driver import Tx
from .runtime import Runtime

__all__ = ["begin", "drop", "finish"]


def begin(runtime: Runtime) -> None:
    """A file was opened: the writer goes on with what was left of an erasure; bytes go at once."""
    database = runtime.database
    if database.read(erasing.is_due):
        database.write_now(_nothing, app=None)  # nothing is written, the writer wakes up
    noted = database.read(erasing.to_drop)
    for sha256 in noted.unused:
        runtime.folder.drop(sha256)
    if noted.all:
        database.write_now(partial(erasing.dropped, noted=noted), app=None)  # bytes are shared


def _nothing(_tx: Tx) -> None:
    """A unit that wakes the writer."""


async def finish(runtime: Runtime) -> None:
    """Return when nothing is left to be erased, whoever has begun it: one short commit after the other."""
    if runtime.database.read(erasing.is_due):
        while await runtime.write(erasing.carry_on, app=None):  # whosever erasure is due
            pass


async def drop(runtime: Runtime) -> None:
    """Take out of the folder what no file has any more."""
    noted = await runtime.database.traverse(erasing.to_drop)
    for sha256 in noted.unused:
        await anyio.to_thread.run_sync(runtime.folder.drop, sha256)
    if noted.all:
        await runtime.write(partial(erasing.dropped, noted=noted), app=None)  # bytes are shared
