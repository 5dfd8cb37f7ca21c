"""What one open file shares: database, connections with their adapters, wake-ups, the host's options.

Knows: which adapter serves which connection, who waits for which kind of work.
Does not know: how work is done (`_receiver`, `_sender`, `_dispatcher`, `_downloader`).
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from attrs import evolve, field

from .._domain.rules.guard import guarded
from .._domain.values.classes import define
from .._domain.values.codec import clean
from .._domain.values.ids import to_ms
from .._store.records.conn import Conn
from .._store.writing import tenants
from ..driver import Tx, Whose
from ..errors import ConnectionDisabled, DiskFull, NotFound, StoreBusy, StoreError
from .database import Database
from .disk.file_store import Folder
from .handed import Handed
from .log import Log
from .plugins import Plugins, broken
from .processes.grace import Grace
from .processes.liveness import Liveness
from .processes.ownership import Ownership
from .quotas import Meters
from .rests import Rests
from .secrets.configs import Texts
from .secrets.key import Key
from .secrets.mended import Mended
from .secrets.references import Secrets
from .secrets.striking import struck
from .steady import steady
from .threads.aside import loaded
from .threads.handover import HandOver, measured
from .troubles import Troubles
from .wakeup import Via, call, waiter

if TYPE_CHECKING:
    from ..adapter import Adapter
    from .web.http import Http

T = TypeVar("T")
_WEBHOOK_ID = re.compile(r"[!-~]{1,64}")
_ACCOUNT = 255
"""Longer accounts are nobody's."""
_STRANGERS, _STRANGE = 4096, 1000
"""Ids that nobody has are remembered: how many, for how many milliseconds."""
WORK = ("handlers", "outbox", "files", "poll", "profiles")
_PATIENCE, _PAUSE = 60, 1.0
"""How often, and after how many seconds, a busy or full store is tried again."""


@define(eq=False)
class Runtime:
    """One per `Outeract`. `copying`: how many backups are being made.

    `steady()`: milliseconds that only go forward, for intervals; `now()` is the time of day.
    `measure()`: how long threads wait for each other in this process; it blocks.
    """

    database: Database
    plugins: Plugins
    secrets: Secrets
    key: Key
    folder: Folder
    open_http: Callable[[], Http]
    at: Callable[[Any], Path] = Path
    push: Callable[[], Awaitable[None]] | None = field(init=False, default=None)
    """Does what is due, once, unless somebody in this process does already. None: nobody can."""
    report: Callable[[Conn, str, str], Awaitable[None]] | None = field(init=False, default=None)
    """Is told the state of a connection, and why, whenever it may have changed."""
    _lines: int = field(init=False, default=0)
    log: Log = field(init=False)
    troubles: Troubles = field(init=False, factory=Troubles)
    rests: Rests = field(init=False)
    handed: Handed = field(init=False)
    meters: Meters = field(init=False)
    texts: Texts = field(init=False)
    mended: Mended = field(init=False)
    steady: Callable[[], int] = field(init=False)
    liveness: Liveness = field(init=False)
    ownership: Ownership = field(init=False)
    grace: Grace = field(init=False, factory=Grace)
    transcribe: Callable[..., Any] | None = None
    measure: Callable[[], HandOver] = field(init=False, default=measured)
    copying: int = 0
    search: str | None = "unicode61"
    _http: Http | None = None
    _conns: dict[int, Conn] = field(factory=dict)
    _webhooks: dict[str, Conn] = field(factory=dict)
    _strangers: dict[str, int] = field(factory=dict)
    _adapters: dict[int, tuple[Conn, Adapter]] = field(factory=dict)
    _wakers: dict[str, list[tuple[Via, Callable[[], None]]]] = field(factory=dict)
    _woken: Counter[str] = field(factory=Counter)
    _everything: int = 0
    _full: bool = False
    _told: list[Callable[[int], None]] = field(factory=list)
    _gate: threading.Lock = field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self.handed = Handed(lambda: self.steady())
        self.meters = Meters(lambda: self.steady())
        self.log = Log(self._redact)
        self.texts = Texts(self.secrets)
        self.steady = steady(self.database.options.clock)
        self.rests = Rests(self.steady)
        self.mended = Mended(self.texts, self._secret_names, self.steady)
        self.liveness = Liveness(self.database.file)
        self.ownership = Ownership(self)

    def _secret_names(self, platform: str) -> frozenset[str]:
        return self.plugins.load(platform).manifest.secrets

    def _redact(self, text: str) -> str:
        return clean(struck(self.secrets.redact(text), self.handed.texts())) or ""

    @property
    def owner(self) -> str:
        """The name of this process, and of this opening, under every lease."""
        return self.liveness.name

    @property
    def http(self) -> Http:
        """The door to the network, opened on first use."""
        if self._http is None:
            from .web.loggers import strike

            strike(self.log)
            self._http = self.open_http()
            self._http.redact = self.log.redact
        return self._http

    def now(self) -> int:
        """The injected clock, in milliseconds."""
        return to_ms(self.database.options.clock())

    async def write(
        self, unit: Callable[[Tx], T], *, app: Whose = None, durable: bool = False,
        proof: bool = False,
    ) -> T:  # fmt: skip
        """`database.write` for background work: it waits while the store is busy or full.

        `app`: whose it is, None: the whole file's. `durable`: it survives power loss whatever the host
        has chosen. `proof`: what a platform has said of a request is known here alone, so it waits for
        as long as it takes.

        Raises what the unit raises, and StoreError when patience is at its end.
        """
        tried = 0
        while True:
            try:
                done = await self.database.write(unit, app=app, durable=durable)
            except (StoreBusy, DiskFull) as error:
                self._waits(error)
                tried += 1
                if tried > _PATIENCE and not proof:
                    raise
            else:
                self._waits(None)
                return done
            await anyio.sleep(_PAUSE)

    def called(self, app: int) -> str:
        """What an application is called, for people: `ORGANISATION/NAME`."""
        rows = self.database.read(lambda tx: tx.all(tenants.APPLICATIONS))
        names = (f"{organisation}/{name}" for key, name, organisation in rows if key == app)
        return next(names, f"application {app}")

    def begin(self, unit: Callable[[Tx], Any], what: str, *, app: int) -> None:
        """Have something sent that nobody waits for, and that is no loss: if it is not, it is logged."""

        def queued(tx: Tx) -> None:
            unit(tx)
            tx.after_commit(partial(self.wake, "outbox"))

        self.database.begin(
            queued,
            lambda error: self.log.warning("store", f"{what} was left out: {error}"),
            app=app,
        )

    def _waits(self, error: StoreError | None) -> None:
        """Told when work begins to wait for the store, and when it goes on."""
        if error is not None and not self._full:
            self.log.warning("store", f"work waits, and is tried again every second: {error}")
        elif error is None and self._full:
            self.log.info("store", "the store takes what is written again")
        self._full = error is not None

    @asynccontextmanager
    async def on_the_line(self) -> AsyncIterator[None]:
        """While requests may be made. With the last of it the door to the network is closed, so that no
        connection outlives its event loop.
        """
        if self._conns:
            await loaded(_network)
        self._lines += 1
        try:
            yield
        finally:
            self._lines -= 1
            if not self._lines:
                with anyio.CancelScope(shield=True):
                    await self.aclose_http()

    async def aclose_http(self) -> None:
        """Close the door to the network, if it was ever opened."""
        if self._http is not None:
            await self._http.aclose()

    # ── connections ───────────────────────────────────────────────────────────────────────────

    def reload(self) -> None:
        """Read the connections again (another process may have added some)."""
        found = {conn.id: conn for conn in self.database.read(self._connections)}
        self._conns = found
        self._webhooks = {conn.entity.webhook_id: conn for conn in found.values()}

    def take(self, key: Key) -> None:
        """From now on this is the file's key; adapters that know an address are made anew."""
        self.key = key
        self._adapters.clear()

    def _connections(self, tx: Tx) -> list[Conn]:
        return tenants.connections(tx, self._address)

    def _address(self, webhook_id: str, version: int) -> str:
        return self.key.webhook(webhook_id, version)

    def add(self, conn: Conn) -> Conn:
        """A connection was made or changed here; it, with its address."""
        conn = evolve(conn, entity=evolve(conn.entity, address=self._address))
        self._conns[conn.id] = self._webhooks[conn.entity.webhook_id] = conn
        for told in self._told:
            told(conn.id)
        self.rests.over(conn.id)
        self.try_at_once(conn.id)
        return conn

    def try_at_once(self, number: int) -> None:
        """A connection is another one than that which was refused, or works after all: nothing of it waits."""
        self._adapters.pop(number, None)
        self.rests.lift(number)
        self.wake("outbox", "files", "poll", "profiles")

    def on_changed(self, told: Callable[[int], None]) -> None:
        """`told` hears of each connection that the host has made or changed here."""
        self._told.append(told)

    def conn(self, number: int) -> Conn:
        """The connection with this number. Raises NotFound."""
        if number not in self._conns and self._has(number):
            self.reload()
        try:
            return self._conns[number]
        except KeyError:
            raise NotFound(f"no connection {number} in this file") from None

    def _has(self, number: int) -> bool:
        return self.database.read(lambda tx: tenants.has_number(tx, number))

    def conns(self, app: int | None = None) -> list[Conn]:
        """All connections, or those of one application."""
        return [conn for conn in self._conns.values() if app in (None, conn.app)]

    def by_webhook(self, webhook_id: str) -> Conn | None:
        """The connection behind a webhook id, or None."""
        if webhook_id not in self._webhooks and self._is_news(webhook_id):
            self.reload()
        return self._webhooks.get(webhook_id)

    def by_account(self, platform: str, account: str) -> list[Conn]:
        """The connections of this account that are not disabled, over all applications."""
        found = self._of_account(platform, account)
        if found or len(account) > _ACCOUNT or not account.isprintable():
            return found
        if self.database.read(lambda tx: tenants.has_account(tx, platform, account)):
            self.reload()
            found = self._of_account(platform, account)
        return found

    def _of_account(self, platform: str, account: str) -> list[Conn]:
        return [
            conn
            for conn in self._conns.values()
            if (conn.platform, conn.entity.account) == (platform, account) and not conn.disabled
        ]

    def _is_news(self, webhook_id: str) -> bool:
        """Whether the file has this id and we have not. Who asks for many that it has not costs a row each."""
        now = self.steady()
        if not _WEBHOOK_ID.fullmatch(webhook_id) or self._strangers.get(webhook_id, now) > now:
            return False
        if self.database.read(lambda tx: tenants.has_webhook(tx, webhook_id)):
            return True
        if len(self._strangers) >= _STRANGERS:
            self._strangers.clear()
        self._strangers[webhook_id] = now + _STRANGE
        return False

    def ready(self, conn: Conn) -> Adapter:
        """The adapter of a connection for what reaches a network, or was sent by one.

        Raises ConnectionDisabled, and UnknownPlatform when it is not installed.
        """
        if conn.disabled:
            raise ConnectionDisabled(
                f"{conn.platform} {conn.entity.name!r} was imported: look at its config, then "
                "app.enable(connection), or outeract enable"
            )
        return self.adapter(conn)

    def adapter(self, conn: Conn) -> Adapter:
        """The adapter of a connection for what it knows: names, abilities, how a body is read.

        Raises UnknownPlatform when it is not installed, BrokenAdapter.
        """
        known = self._adapters.get(conn.id)
        if known is not None and (known[0] is conn or known[0] == conn):
            return known[1]
        entity = conn.entity
        adapter = self.plugins.load(entity.platform)
        try:
            given = self.texts.settings(entity, adapter.manifest)
            with guarded:
                made = adapter(given)
        except Exception as error:
            raise broken(entity.platform, error) from error
        self._trust(conn)
        self._adapters[conn.id] = (conn, made)
        return made

    def _trust(self, conn: Conn) -> None:
        """The server that a connection names is trusted with what this connection asks, and with no more."""
        base_url = conn.entity.config.get("base_url")
        if base_url or self._http is not None:
            trusted = base_url and not conn.disabled
            self.http.trust(conn.id, str(base_url) if trusted else None)

    # ── wake-ups ──────────────────────────────────────────────────────────────────────────────

    def wake(self, *work: str) -> None:
        """There is work of these kinds (all kinds when none is named). Callable from any thread."""
        waiting: list[tuple[Via, Callable[[], None]]] = []
        with self._gate:
            if not work:
                self._everything += 1
            for kind in work:
                self._woken[kind] += 1
            for kind in self._wakers.keys() & (work or WORK):
                waiting += self._wakers.pop(kind)
        for via, waker in waiting:
            call(via, waker)

    def heard(self, kind: str) -> int:
        """How often there was work of this kind: kept before one looks, given to `wait` after it."""
        return self._woken[kind] + (self._everything if kind in WORK else 0)

    async def wait(self, kind: str, seconds: float, heard: int) -> None:
        """Until there is work of this kind since it was `heard`, or `seconds` are over."""
        via, wake, woken = waiter()
        entry = (via, wake)
        with self._gate:
            late = heard != self.heard(kind)
            self._wakers.setdefault(kind, []).append(entry)
        with anyio.move_on_after(0 if late else seconds):
            await woken
        with self._gate:
            waiting = self._wakers.get(kind, [])
            if entry in waiting:
                waiting.remove(entry)


def _network() -> Any:
    """The modules behind the door to the network: they are read before the first request, beside the loop."""
    from .web import http, loggers

    return http, loggers
