"""The library in the host's process: one file, its applications, and the work that goes on in it.

Knows: how the parts are put together, started and stopped.
Does not know: what any of them does. Nothing starts behind the host's back.
"""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anyio

from .._domain.rules.tenant_names import check_text
from .._domain.values.ids import Clock, IdSource, utc_now, uuid7
from .._handlers.current import not_in_a_turn
from .._io import forgetting
from .._io.database import Database
from .._io.disk.file_store import LIMIT, Folder
from .._io.disk.place import place
from .._io.opening import Checkpoints, Options, default_checkpoints
from .._io.plugins import Plugins
from .._io.processes.grace import GRACE as GRACE
from .._io.processes.shutdown import Shutdown, first
from .._io.runtime import Runtime
from .._io.secrets.keeping import opened, renewed
from .._io.secrets.key import given
from .._io.secrets.references import References, Secrets, SecretSource
from .._io.tenant import application
from .._io.threads.aside import loaded, to_the_end
from .._io.web.tls import reach
from ..errors import BadInput
from . import later
from .app import App
from .asking import WITHIN
from .maintenance.indexing import idle
from .replaying import Replaying
from .timing import hand_over
from .working import BODY_LIMIT

if TYPE_CHECKING:
    from .._inbound.web import Asgi, Wsgi
    from ..adapter import Adapter, Response
    from ..tenancy import Quotas, Secret
    from .doing.checking import Check
    from .maintenance.backup import Backup
    from .maintenance.export import Progress
    from .maintenance.import_file import ImportLimits
    from .pumped import Pumped


class Organisation:
    """A top-level tenant: `core.organisation("acme").app("support")`."""

    def __init__(self, core: Outeract, name: str) -> None:
        self._core = core
        self.name = name

    def app(self, name: str, *, quotas: Quotas | None = None, **config: str) -> App:
        """The application `name` of this organisation; see `Outeract.app`."""
        return self._core.app(name, organisation=self.name, quotas=quotas, **config)


class Outeract(Replaying):
    """One store in this process.

    path            the database file; created and migrated on first use. `~` is the home folder; a
                    relative path is made absolute now, and so are those given to verbs later.
                    `:memory:`: no file, for one process (tests, notebooks); gone when it is closed.
    durability      `full`: what was acknowledged survives power loss; `normal`: the last moments
                    may be lost on power loss (never on a crash), and writes are faster.
    busy_timeout    seconds to wait for another process's write.
    read_timeout    seconds that a heavy read may take before it is stopped (ReadTimeout); None: for ever.
    secrets         more sources of secrets, for `Secret("vault", "name")`: {"vault": lambda name: …}. When
                    one raises, what needs the secret waits, as for one that is not there.
    references      what text in a config may refer to as a secret: prefixes such as `["env:BOT_"]`, or
                    `"code"`: nothing, only a `Secret` does. None: everything; then no config may come
                    from somebody who must not read what this program can read.
    key             what webhook addresses and link codes follow from: a `Secret` of 32 random characters or
                    more. None: `PATH.key`, made on first use; it is in no backup.
    transcribe      a callable (path, mime type) → text, for applications with transcription on.
    search          how texts are cut for `App.search`: `unicode61` (words), `trigram` (any three
                    characters, for CJK and parts of words), None (no search, no index kept).
    allow_private_addresses   let requests go to addresses that are not public.
    proxy           a proxy's URL, for everything; `""`: none; None: as HTTPS_PROXY, NO_PROXY, … say now.
    verify, cert    a CA bundle's path or an `ssl.SSLContext`; a client certificate: a path, or
                    (certificate, key[, password]). They are read now.
    file_limit, body_limit    bytes: the largest file, the largest webhook body.
    clock, ids, vfs, checkpoints, transport   seams for tests: a clock (→ aware UTC), a source of
                    UUIDv7, an apsw VFS name, a checkpoint policy, an httpx transport.

    After a fork every verb raises StoreClosed in the child: open it after, close it before. Raises BadInput,
    StoreError and its kinds: OldSQLite, NewerSchema, NotOurFile, ReadOnlyStore, DiskFull.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, durability: str = "full", busy_timeout: float = 5.0,
        secrets: Mapping[str, SecretSource] | None = None, references: References = None,
        key: Secret | None = None, transcribe: Callable[[Path, str | None], Any] | None = None,
        search: str | None = "unicode61", allow_private_addresses: bool = False,
        proxy: str | None = None, verify: Any = True, cert: Any = None, file_limit: int = LIMIT,
        read_timeout: float | None = 60.0, body_limit: int = BODY_LIMIT,
        console: Callable[[Any], Any] | None = None,
        clock: Clock = utc_now, ids: IdSource = uuid7, vfs: str | None = None,
        checkpoints: Checkpoints = default_checkpoints, transport: Any = None,
    ) -> None:  # fmt: skip
        def open_http() -> Any:
            from .._io.web.http import Http, Network

            network = Network(transport, way[0], way[1], allow_private_addresses)
            return Http(network, console=console)

        seams = clock, ids, durability, busy_timeout, vfs, checkpoints, idle(search), read_timeout
        self._place = place(path)
        self.path = self._place.path
        kept = Secrets(secrets, self._place.at, references)
        way = reach(proxy, verify, cert, self._place.at, kept.hide)
        self._own_key = None if key is None else given(key, kept)
        database = Database(self._place.name, Options(*seams))
        self.runtime = Runtime(
            database, Plugins(), kept, opened(database, self._place, kept, self._own_key),
            Folder(self._place.files, file_limit), open_http, self._place.at, transcribe=transcribe,
            search=search,
        )  # fmt: skip
        try:
            self.runtime.reload()
            forgetting.begin(self.runtime)
        except BaseException:  # a file that is damaged is not left open
            self.runtime.database.close()
            raise
        self._at_work(body_limit)

    def __repr__(self) -> str:
        return f"<Outeract {self._place}>"

    # ── tenants ───────────────────────────────────────────────────────────────────────────────

    def organisation(self, name: str) -> Organisation:
        """The organisation called `name`; it is made with its first application."""
        return Organisation(self, name)

    def app(
        self, name: str, *, organisation: str = "default", quotas: Quotas | None = None, **config: str
    ) -> App:  # fmt: skip
        """The application `name`, made on first use. `config`: `auto_mark_read`, `overlap`,
        `link_code_auto_detect`, `transcription`; what is not named stays as it is in the file.
        `quotas`: of what it may use in this process; None: as before, at first no limits.
        Names are printable, of at most 200 characters, without a slash. Raises BadInput for one that is
        not (unless the file has it already), and for an unknown config name or value.
        """
        check_text("an application", name)
        check_text("an organisation", organisation)
        key, entity = application(self.runtime.database, organisation, name, config)
        app = self._apps.get(key)
        if app is None:
            app = self._apps[key] = App(self.runtime, key, entity, organisation)
            app._opened_by = self  # noqa: SLF001 - it is ours
            self.runtime.ownership.changed()
        app.entity = entity
        self.runtime.meters.set(key, quotas)
        self.runtime.reload()
        return app

    async def import_app(
        self, path: str | os.PathLike[str], *, name: str | None = None,
        organisation: str | None = None, progress: Progress | None = None,
        key: str | bytes | None = None, limits: ImportLimits | None = None,
    ) -> App:  # fmt: skip
        """Put an application that `App.export` has written into this file, perhaps under another name.

        Interrupted, it goes on when it is called again with the same file; before it is whole it
        cannot be opened. What is refused leaves nothing. Its connections arrive disabled: see
        `App.enable`. `App.imported` tells whether the file was signed.

        progress    told (done, of), in nodes.
        key         what it was signed with: anything that was not signed by it is refused.
        limits      for a file that you trust and that is larger than `ImportLimits` allow.

        Raises InvalidExport, BadInput, UnfinishedImport, OSError.
        """
        import_app = await loaded(later.importing)
        done = await import_app(self.runtime, path, name, organisation, progress, key, limits)
        app = self.app(done.name, organisation=done.organisation)
        app.imported = done
        return app

    def register(self, platform: str, adapter: type[Adapter]) -> None:
        """Use an adapter class without an entry point (a bot's own platform, tests)."""
        self.runtime.plugins.register(platform, adapter)

    def platforms(self) -> list[str]:
        """The platforms that can be connected."""
        return self.runtime.plugins.names()

    def new_key(self) -> None:
        """A new key for this file, in place of one that was lost or seen; or that of `key`. Every
        webhook has a new address to be registered; link codes are void; other programs that have the
        file open must start again. Raises MissingSecret.
        """
        self.runtime.take(renewed(self.runtime, self._place, self._own_key))

    # ── in ────────────────────────────────────────────────────────────────────────────────────

    async def ingest(
        self, webhook_id: str, secret: str, method: str = "POST",
        headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:  # fmt: skip
        """Hand over a platform's request as it arrived; answer with what comes back.

        2xx means committed. 4xx: refused, nothing stored. 429, 503: deliver again. Raises StoreClosed after a fork.
        """
        self.runtime.database.here()
        receiver = await self._to_receive()
        return await receiver.webhook(webhook_id, secret, method, headers or {}, query or {}, body)

    @property
    def asgi(self) -> Asgi:
        """An ASGI app for `/webhooks/{webhook_id}/{webhook_secret}`; mount it anywhere."""
        from .._inbound.web import Asgi

        return Asgi(self.ingest, self._receiver)

    @property
    def wsgi(self) -> Wsgi:
        """A WSGI app for the same path."""
        from .._inbound.web import Wsgi

        return Wsgi(self.ingest, self._receiver)

    hand_over = hand_over

    # ── work ──────────────────────────────────────────────────────────────────────────────────

    async def pump(self, rounds: int = 1000, *, raise_errors: bool = False) -> Pumped:
        """Do everything that is due now, then return: poll, fetch files, run handlers, send; and apply
        the rules of retention, once an hour.

        For scripts and cron jobs. What goes wrong in one place stops nothing else: it is logged, told
        as the connection's state, and in `Pumped.troubles`. While another process works for an
        application, that one does it (`Pumped.elsewhere`). Raises LeaseHeld when this program has
        handlers and all of its applications are worked for elsewhere, and StoreError when the file
        itself cannot be worked on.

        raise_errors   for tests: afterwards, raise the first error that a handler, a poll or a step
                       has raised, as it was raised. Everything else was done by then.
        """
        return await (await self._to_work()).pump(rounds, raise_errors=raise_errors)

    async def drain(
        self, timeout: float = 60.0, *, raise_errors: bool = False  # noqa: ASYNC109
    ) -> Pumped:  # fmt: skip
        """`pump` while anything is due within `timeout` seconds: what a platform's pace spreads, what is
        tried again, what `not_before` holds back. All rounds as one report.

        It ends early when nothing that is left falls due in time: see `Pumped.next_due`. Raises BadInput,
        and what `pump` raises.
        """
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
            raise BadInput(f"timeout is a number of seconds, 0 or more, not {timeout!r:.40}")
        return await (await self._to_work()).drain(timeout, raise_errors=raise_errors)

    async def backup(
        self, path: str | os.PathLike[str], *, files: bool | Literal["link"] = True,
        overwrite: bool = False, progress: Callable[[int, int], None] | None = None,
    ) -> Backup:  # fmt: skip
        """Copy the database to `path` and its files to `PATH.files`, while everything goes on.

        Everything that was committed before the call is in it. It appears under its name when it is
        complete, and then opens as it is.

        files       `"link"`: hard links instead of copies, where the file system can; False: none.
        overwrite   replace an earlier copy of that name.
        progress    called in a worker thread with bytes (done, total); what it raises ends the copy.

        Raises BadInput (there already, the file itself, no such folder), StoreError and its kinds.
        """
        backup = await loaded(later.copying)
        return await backup(self.runtime, path, files, overwrite, progress)

    async def serve(self, *, wait: bool = True, grace: float = GRACE) -> None:
        """Poll, run handlers, fetch files and send until cancelled.

        Applications, connections and handlers that are added meanwhile are taken up. Several
        processes share the applications of the file, each about as many; one that has ended is
        replaced at once. What fails is logged, told as the connection's state and tried again, after
        pauses of 1 to 60 seconds; the others go on.

        wait    False: raise LeaseHeld when another process runs the handlers.
        grace   seconds that requests under way have once it is cancelled; what is not sent by then is
                settled at the next start, by asking the platform, or as `message.unknown`. Handlers that
                run are cancelled at once: their turns are rolled back and run again.

        Raises BadInput, StoreBroken, NewerSchema, NotOurFile: nothing but a new start mends these.
        """
        await (await self._to_work()).serve(wait, _seconds(grace))

    def run(self, *, backend: str = "asyncio", grace: float = GRACE) -> None:
        """`serve` until Ctrl-C or SIGTERM, for a program that has no loop of its own.

        The first signal ends it in order, as cancelling `serve` does. It returns when all is given back:
        at the latest when the grace is over, or at a second signal. What runs for a second longer all
        the same (a handler that blocks the event loop, or catches its own cancellation) ends with the
        process, with status 128 and the signal's number, 143 for SIGTERM.

        grace   seconds that requests under way have. Less than what a service manager waits.

        Raises BadInput, and what `serve` raises.
        """
        try:
            self.until_told(lambda work: anyio.run(self._open_until, work, backend=backend), grace)
        except KeyboardInterrupt:
            self.close()

    async def _open_until(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self:
            await work()

    def until_told(self, run: Callable[[Callable[[], Awaitable[None]]], Any], grace: float) -> None:
        """`serve` on the event loop on which `run` runs what it is given, until a signal ends it."""
        with Shutdown(_seconds(grace), self._last_words) as shutdown:

            async def work() -> None:
                async with anyio.create_task_group() as group:
                    shutdown.steps(group.cancel_scope.cancel, self.runtime.grace.over)
                    await self.serve(grace=math.inf)

            try:
                run(work)
            except BaseExceptionGroup as error:
                raise first(error) from None

    def _last_words(self) -> None:
        """In a moment the process ends by force."""
        running = ", ".join(self._running()) or "something"
        self.runtime.log.error("serve", f"ended while it still ran after its grace: {running}")
        self.close()

    async def check(self, app: App | None = None, *, timeout: float = WITHIN) -> list[Check]:  # noqa: ASYNC109
        """`App.check` for every connection of `app`, or of all applications that were opened here, side
        by side; in the order in which they were made.

        timeout   seconds for all of them together; nobody's trouble hides another's answer.

        Raises BadInput, StoreError.
        """
        of_apps = await loaded(later.checking)
        return await of_apps(self.runtime, [*self._apps] if app is None else [app.key], timeout)

    # ── end ───────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Give back leases, finish what was queued for the writer, close the file. Harmless twice."""
        not_in_a_turn(self.runtime)
        self.runtime.ownership.close()
        self.runtime.database.close()
        if self._place.memory and not self.runtime.database.forked:
            import shutil

            shutil.rmtree(self.runtime.folder.root, ignore_errors=True)

    async def aclose(self) -> None:
        """`close`, and give back network connections. The loop goes on while the file is put in order."""
        not_in_a_turn(self.runtime)
        if not self.runtime.database.forked:
            await self.runtime.aclose_http()
        await to_the_end(self.close)

    async def __aenter__(self) -> Outeract:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        with anyio.CancelScope(shield=True):
            await self.aclose()


def _seconds(grace: float) -> float:
    if isinstance(grace, bool) or not isinstance(grace, int | float) or not grace >= 0:
        raise BadInput(f"grace is a number of seconds, 0 or more, not {grace!r}")
    return float(grace)
