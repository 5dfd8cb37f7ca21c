"""Door one: hands units of work to one writer thread, and lets readers read.

Knows: threads, group commit, when to checkpoint, what to do when a COMMIT fails.
Does not know: what a unit does, SQL, platforms.

The writer takes what is queued, opens one transaction, runs every unit, commits once and wakes all. When a unit
raises, the batch is run again with each unit in a savepoint of its own, so that only the bad one fails. When COMMIT
raises, its outcome is unknown: the file is opened again and asked for the batch's mark.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread

from .._domain.values.ids import to_ms
from .._domain.values.paths import shown_path
from .._store.engine import sqlite, wal
from .._store.engine.limits import bounded, light
from .._store.engine.migrations import migrate, refuse_newer
from .._store.engine.opening import in_memory, open_writer
from .._store.engine.reader import Reader, open_reader
from .._store.engine.translating import TooLarge, TooLong, as_ours, translated
from .._store.engine.writer import Writer
from ..driver import Tx, Whose
from ..errors import StoreBroken, StoreClosed
from .checkpointer import Beside
from .disk.marks import Marks, Nowhere, gone
from .opening import Idle, Options, default_checkpoints
from .processes.process import forks
from .readers import Readers
from .threads.arrivals import Arrivals
from .threads.aside import aside
from .wakeup import waiter
from .write_queue import Share, Ticket, Unit, fail, run, wake

__all__ = ["BATCH", "Database", "Options", "Share", "Ticket", "Unit", "default_checkpoints"]

T = TypeVar("T")
BATCH = 512
_GLANCE = 50_000
"""Steps of SQLite's machine (a millisecond or two) that a query may take in the event loop."""
_BREATH, _LONG_BREATH = 0.005, 0.1
"""Seconds without a ticket after which the writer is idle; the long one beside a host that computes, where to look costs who brings the next."""


class Database:
    """One file: one writer thread, readers beside it."""

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.options = options
        self._forks, self._id = forks(), random.getrandbits(60) | 1
        self._batch = 0
        self._queue: Arrivals[Ticket[Any]] = Arrivals(lambda: self._writer.waits.late())
        self._broken: BaseException | None = None
        self._closed = False
        self._truncate = self._fresh = False
        self._gate = threading.Lock()
        far = partial(wal.without_log, path, options.vfs, self._id)
        watched = Nowhere if in_memory(path) else Marks
        self._marks = watched(path, lambda: self._readers.length(), standing=far)
        self._turn: AbstractContextManager[Any] = (
            threading.RLock() if in_memory(path) else nullcontext()
        )
        self._writer = self._open()
        migrate(self._writer, self._now())
        self._marks.lineage = self._writer.marked(0)
        self._readers = Readers(self._reader)
        self._beside = Beside(self._open, options.busy_timeout, self._marks.kept)
        self._watch = self._reader()
        self._seen = self._watch.data_version()
        self._marks.moved()
        self._thread = threading.Thread(target=self._loop, name="outeract-writer", daemon=True)
        self._thread.start()

    @property
    def file(self) -> str | None:
        """Its path; None of a database in memory, which no other process can see."""
        return None if in_memory(self.path) else self.path

    # ── the host's side ───────────────────────────────────────────────────────────────────────

    async def write(self, unit: Unit[T], *, app: Whose = None, durable: bool = False) -> T:
        """Run `unit` in a transaction. A cancelled wait leaves it whole or absent. `app`: the application that it is
        for; None: it concerns the file as a whole. `durable`: the disk has it, and all before it, also where the
        host has chosen to wait for no disk.
        """
        self._usable()
        via, wake, woken = waiter()
        ticket = Ticket(unit, wake, via, durable, app)
        self._queue.put(ticket)
        await woken
        return ticket.take()

    def begin(self, unit: Unit[Any], failed: Callable[[BaseException], None], app: Whose) -> None:
        """Have `unit` run soon, and wait for nothing. `failed` is told, in the writer's thread."""
        ticket: Ticket[Any] = Ticket(unit, whose=app)
        ticket.done = lambda: None if ticket.error is None else failed(ticket.error)
        self._usable()
        self._queue.put(ticket)

    def write_now(self, unit: Unit[T], *, app: Whose = None) -> T:
        """Run `unit` and wait for it in this thread."""
        event = threading.Event()
        ticket = Ticket(unit, event.set, whose=app)
        self._usable()
        self._queue.put(ticket)
        event.wait()
        return ticket.take()

    def read(self, query: Unit[T], like: object = None) -> T:
        """Run a bounded query here and now: it costs less than a hop to another thread. `like`: the function
        that asks, where `query` is only made of it.
        """
        with self._turn, self._borrowed() as reader:
            return self._read(reader, query, like)

    def read_light(self, query: Unit[T], like: object, largest: int) -> T:
        """The same. Raises TooLarge, before it is read, for a value of more bytes than `largest`."""
        with self._turn, self._borrowed() as reader, light(reader.db, largest):
            return self._read(reader, query, like)

    def _read(self, reader: Reader, query: Unit[T], like: object = None) -> T:
        try:
            return self._readers.ask(reader, query, self._now(), like)
        except sqlite.FAULTS as error:
            if (moved := self._marks.moved()) is not None:  # it is no damage
                raise gone(moved) from error
            with translated(self.path):
                raise

    def glance(self, query: Unit[T]) -> T | None:
        """Run a query that is small nearly always, here and now; None when it turns out long or large."""
        try:
            with self._turn, self._borrowed() as one, bounded(one.db, _GLANCE), light(one.db):
                return self._read(one, query)
        except (TooLong, TooLarge):
            return None

    async def traverse(self, query: Unit[T]) -> T:
        """Run a query of unknown size in a worker thread."""
        return await anyio.to_thread.run_sync(self.read, query)

    async def ask(self, query: Unit[T]) -> T:
        """The same, stopped when it is cancelled, or takes too long. Raises ReadTimeout."""
        return await aside(lambda: self.read(query), self.options.read_timeout)

    async def truncate_log(self) -> None:
        """Move everything into the file and cut the log to nothing, as far as readers allow."""

        def ask(_tx: Tx) -> None:
            self._truncate = True

        await self.write(ask, app=None)  # the log is one for all

    def changed(self) -> bool:
        """Whether anybody, another process included, has committed since the last call."""
        self.here()
        with self._turn, self._gate:
            version = self._watch.data_version()
            changed, self._seen = version != self._seen, version
        return changed

    def verify(self) -> None:
        """Raises StoreBroken when the file is no longer there, NewerSchema when it was upgraded."""
        self._usable()
        if (moved := self._marks.moved()) is not None:
            self._broken = gone(moved)
            raise StoreBroken(str(self._broken))
        with self._turn, self._gate:
            refuse_newer(self._watch)

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that opened it."""
        return self._forks != forks()

    def here(self) -> None:
        """Raises StoreClosed in a process that was forked: nothing that is open goes on in it."""
        if self.forked:
            raise StoreClosed(
                f"{shown_path(self.path)} was opened before a fork; open it after the fork, and close it before"
            )

    def close(self) -> None:
        """Finish what is queued, checkpoint, close. Harmless when repeated."""
        if self._closed or self.forked:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self._beside.close()
        self._readers.close()
        with self._gate:
            self._watch.close()
        self._end_writer()

    # ── the writer's side ─────────────────────────────────────────────────────────────────────

    def _readable(self) -> None:
        if self._forks != forks():
            self.here()
        if self._closed:
            told = f"{shown_path(self.path)} was closed; open it again with Outeract(path)"
            raise StoreClosed(told)

    def _borrowed(self) -> AbstractContextManager[Reader]:
        self._readable()
        return self._readers.borrowed()

    def _usable(self) -> None:
        self._readable()
        if self._broken is not None:
            raise self._is_broken()

    def _is_broken(self) -> StoreBroken:
        told = f"{shown_path(self.path)}: {self._broken}; close and open it again"
        return StoreBroken(str(self._broken) if isinstance(self._broken, StoreBroken) else told)

    def _loop(self) -> None:
        while True:
            ticket = self._next()
            if ticket is None:
                return
            batch, last = self._queue.portion(ticket, BATCH)
            self._commit(batch)
            self._queue.done(batch)
            asked = self._truncate
            if asked:  # those who asked for a short log wait until it is short
                self._checkpoint()
            wake(batch)
            self._fresh = True
            if not asked:
                self._checkpoint()
            if last:
                return

    def _next(self) -> Ticket[Any] | None:
        """The next ticket. While none comes, idle work is done, chunk by chunk."""
        wait = _LONG_BREATH if self._writer.waits.lately else _BREATH
        while self._fresh:
            try:
                return self._queue.get(timeout=wait)
            except queue.Empty:
                self._checkpoint(idle=True)
                self._fresh = self._idle()
                wait = 0
        return self._queue.get()

    def _idle(self) -> bool:
        """One chunk, in a transaction of its own; whether there may be more. A fault can wait."""
        work = self.options.idle
        if work is None or self._broken is not None or not self._due(work):
            return False
        self._commit([ticket := Ticket(work.chunk)])
        self._truncate = self._truncate or bool(ticket.result)
        self._checkpoint()
        return ticket.error is None

    def _due(self, work: Idle) -> bool:
        """Whether there is such work. It is asked on the writer's connection, which nobody waits for."""
        try:
            self._writer.begin_read(self._now())
            try:
                return work.due(self._writer)
            finally:
                self._writer.end_read()
        except Exception:
            self._writer.rollback()
            return False

    def _commit(self, batch: list[Ticket[Any]]) -> None:
        if self._broken is not None:
            return fail(batch, self._is_broken())
        try:
            with self._turn:
                self._attempt(batch)
        except BaseException as error:
            if self._broken is None:
                self._writer.rollback()
            fail([t for t in batch if t.error is None], as_ours(self.path, error))

    def _attempt(self, batch: list[Ticket[Any]], optimistic: bool = True) -> None:
        try:
            self._writer.harden(any(ticket.durable for ticket in batch))
            self._begin(len(batch) if optimistic else 0)
            run(self._writer, batch)
            self._writer.flush(self._id, self._batch)
        except BaseException as error:
            repeats = self._writer.repeats(error)
            self._writer.rollback()
            if repeats:
                self._attempt(batch, optimistic=False)
                return
            if sqlite.is_fatal(error) or len(batch) == 1:
                with translated(self.path):
                    raise
            self._one_by_one(batch)
        self._finish(batch)

    def _one_by_one(self, batch: list[Ticket[Any]]) -> None:
        self._begin()
        for ticket in batch:
            saved = self._writer.begin_part(ticket.whose)
            try:
                with translated(self.path):
                    ticket.result = ticket.unit(self._writer)
            except BaseException as error:
                ticket.error = error
                if not self._writer.db.in_transaction:
                    raise
                self._writer.undo_part(saved)
            self._writer.end_part()
        self._writer.flush(self._id, self._batch)

    def _begin(self, units: int = 0) -> None:
        self._writer.begin(self._now(), units)
        self._batch += 1

    def _finish(self, batch: list[Ticket[Any]]) -> None:
        try:
            self._writer.commit()
        except BaseException as error:
            if not self._landed():
                fail([t for t in batch if t.error is None], as_ours(self.path, error))
            return
        if (moved := self._marks.moved()) is not None:  # the next start will not look there
            self._broken = gone(moved)
            raise self._broken
        self._writer.settle()

    def _landed(self) -> bool:
        """A COMMIT has failed: reopen the file and look whether its mark is there."""
        try:
            calls = self._writer.pending_calls()
            self._writer.abandon()
            self._writer = self._open()
            landed = self._writer.marked(self._id) == self._batch
        except BaseException as error:
            self._broken = error
            raise StoreBroken(
                f"{shown_path(self.path)}: the outcome of a commit is unknown: {error}"
            ) from error
        if landed:
            for call in calls:
                call()
        return landed

    def _checkpoint(self, idle: bool = False) -> None:
        if self._broken is not None:
            return
        try:
            pages = self._writer.log.pages
            mode = self.options.checkpoints(pages, idle)
            if self._truncate:
                mode, self._truncate = "TRUNCATE", False
            if mode == "BESIDE":
                self._beside.ask(pages)
            elif mode is not None:
                self._beside.make(self._writer, mode)
        except Exception:
            self._writer.log.put_off()  # it holds everything; the next one tries again

    # ── connections ───────────────────────────────────────────────────────────────────────────

    def _now(self) -> int:
        return to_ms(self.options.clock())

    def _open(self) -> Writer:
        o = self.options
        return open_writer(self.path, o.vfs, o.durability, int(o.busy_timeout * 1000), o.ids)

    def _reader(self) -> Reader:
        if isinstance(self._broken, StoreBroken):
            raise self._broken  # under that name there is another file now
        o = self.options
        return open_reader(self.path, o.vfs, int(o.busy_timeout * 1000), o.ids)

    def _end_writer(self) -> None:
        try:
            self._writer.forget_writer(self._id)
            wal.checkpoint(self._writer, "TRUNCATE")
        except Exception:  # noqa: S110 - what was acknowledged is in the log already
            pass
        self._writer.close()
