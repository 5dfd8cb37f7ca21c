"""The same verbs for code without an event loop: scripts, notebooks, Flask, cron.

Knows: one event loop in a thread of its own, and how a verb is carried over to it.
Does not know: what the verbs do (`_api/app.py`, `_api/outeract.py`).

    from outeract_core.blocking import Outeract

    with Outeract("bot.db") as core:
        app = core.app("support")
        app.connect("telegram", token=Secret.env("TELEGRAM_TOKEN"))
        app.send(("telegram", "42"), "hello").wait("sent")
        core.pump()
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

import anyio.from_thread

from ._api import app, outeract
from ._api.doing.checking import Check
from ._api.maintenance.retention import Retention
from ._api.queries.conversations import Conversation, Conversations
from ._api.queries.events import Events
from ._api.queries.files import Files
from ._api.queries.graph import Graph
from ._api.queries.people import People
from ._domain.values.classes import frozen
from ._io.threads.loop import Loop
from ._outbound.handle import Delivery as AsyncDelivery
from .adapter import Adapter, Response
from .content import ContentLike
from .errors import StoreClosed
from .model import Application, Event, PlatformConnection
from .pages import Page
from .search import Hit
from .tenancy import Quotas

__all__ = ["App", "Delivery", "Organisation", "Outeract", "Subject"]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
W = TypeVar("W", bound="Carrier[Any]")


class Carrier(Generic[S]):
    """Something asynchronous, and the loop that it lives on."""

    def __init__(self, portal: Loop, inner: S) -> None:
        self._portal = portal
        self._inner = inner

    def __repr__(self) -> str:
        return repr(self._inner)

    def _carry(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async def run() -> Any:
            result = call(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return self._wrapped(self._portal.call(run))

    def _wrapped(self, value: Any) -> Any:
        """Results that have verbs of their own get blocking ones."""
        if isinstance(value, AsyncDelivery):
            return Delivery(self._portal, value)
        if isinstance(
            value, Conversation | Conversations | Events | Files | Graph | People | Retention
        ):
            return Subject(self._portal, value)
        if isinstance(value, AsyncIterator):
            return self._drawn(value)
        return value

    def _drawn(self, source: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield self._portal.call(source.__anext__)
            except StopAsyncIteration:
                return


def _blocking(
    verb: Callable[Concatenate[Any, P], Awaitable[R]],
) -> Callable[Concatenate[Carrier[Any], P], R]:
    """The same verb, waited for."""

    def call(self: Carrier[Any], /, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = self._carry(functools.partial(verb, self._inner), *args, **kwargs)
        return result

    functools.update_wrapper(call, verb)
    return call


class Subject(Carrier[Any]):
    """One of `events`, `conversations`, `graph`, `people`, `files`: each verb waits for its result."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return functools.partial(self._carry, value) if callable(value) else value


class Delivery(Carrier[AsyncDelivery]):
    """A message on its way; see `outeract_core.Delivery`."""

    state = _blocking(AsyncDelivery.state)
    wait = _blocking(AsyncDelivery.wait_at_work)
    cancel = _blocking(AsyncDelivery.cancel)

    @property
    def id(self) -> Any:
        """The id of its `message.outbound` event."""
        return self._inner.id


class App(Carrier[app.App]):
    """One application; see `outeract_core.App`. Handlers are registered with `on` as usual."""

    _opened_by: Outeract | None = None
    react = _blocking(app.App.react)
    edit = _blocking(app.App.edit)
    delete = _blocking(app.App.delete)
    mark_read = _blocking(app.App.mark_read)
    typing = _blocking(app.App.typing)
    can = _blocking(app.App.can)
    can_react = _blocking(app.App.can_react)
    can_edit = _blocking(app.App.can_edit)
    can_delete = _blocking(app.App.can_delete)
    emit = _blocking(app.App.emit)
    event_schema = _blocking(app.App.event_schema)
    edge = _blocking(app.App.edge)
    explain = _blocking(app.App.explain)
    retry = _blocking(app.App.retry)
    export = _blocking(app.App.export)
    cancel = _blocking(app.App.cancel)
    deliveries = _blocking(app.App.deliveries)
    delivery_counts = _blocking(app.App.delivery_counts)
    turns = _blocking(app.App.turns)
    turn_counts = _blocking(app.App.turn_counts)
    check = _blocking(app.App.check)

    def send(self, to: Any, content: ContentLike, **options: Any) -> Delivery:
        """See `outeract_core.App.send`."""
        delivery: Delivery = self._carry(self._inner.send, to, content, **options)
        return delivery

    def reply(self, event: Event | UUID, content: ContentLike, **options: Any) -> Delivery:
        """See `outeract_core.App.reply`."""
        delivery: Delivery = self._carry(self._inner.reply, event, content, **options)
        return delivery

    def search(self, words: str, *, within: Any = None, **options: Any) -> Page[Hit]:
        """See `outeract_core.App.search`."""
        within = within._inner if isinstance(within, Subject) else within  # noqa: SLF001
        found: Page[Hit] = self._carry(self._inner.search, words, within=within, **options)
        return found

    def resend(self, event: Event | UUID, *, marked: bool | str = False) -> Delivery:
        """See `outeract_core.App.resend`."""
        delivery: Delivery = self._carry(self._inner.resend, event, marked=marked)
        return delivery

    def delivery(self, event: Event | UUID) -> Delivery:
        """See `outeract_core.App.delivery`."""
        delivery: Delivery = self._carry(self._inner.delivery, event)
        return delivery

    def connect(self, platform: str, **config: Any) -> PlatformConnection:
        """See `outeract_core.App.connect`."""
        return self._inner.connect(platform, **config)

    def enable(self, connection: PlatformConnection) -> PlatformConnection:
        """See `outeract_core.App.enable`."""
        return self._inner.enable(connection)

    @property
    def imported(self) -> Any:
        """See `outeract_core.App`."""
        return self._inner.imported

    def rotate(self, connection: Any, **options: Any) -> PlatformConnection:
        """See `outeract_core.App.rotate`."""
        return self._inner.rotate(connection, **options)

    def on(
        self, pattern: str, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """See `outeract_core.App.on`."""
        return self._inner.on(pattern, **options)

    def connections(self) -> list[PlatformConnection]:
        """See `outeract_core.App.connections`."""
        return self._inner.connections()

    @property
    def id(self) -> UUID:
        """The application's id."""
        return self._inner.id

    @property
    def name(self) -> str:
        """The application's name."""
        return self._inner.name

    @property
    def organisation(self) -> str:
        """The name of its organisation."""
        return self._inner.organisation

    @property
    def entity(self) -> Application:
        """The application as the file has it."""
        return self._inner.entity

    @property
    def config(self) -> Mapping[str, Any]:
        """The application config: every name with its value, defaults included."""
        return self._inner.config

    @property
    def events(self) -> Subject:
        """Events: pages, filters, single ones."""
        return Subject(self._portal, self._inner.events)

    @property
    def conversations(self) -> Subject:
        """Conversations: recent ones, pages, context, analytics."""
        return Subject(self._portal, self._inner.conversations)

    @property
    def graph(self) -> Subject:
        """The graph: neighbours, walks, paths."""
        return Subject(self._portal, self._inner.graph)

    @property
    def people(self) -> Subject:
        """Users and platform users: merge, link codes, erase."""
        return Subject(self._portal, self._inner.people)

    @property
    def retention(self) -> Subject:
        """What is kept for how long: rules, and their application."""
        return Subject(self._portal, self._inner.retention)

    @property
    def files(self) -> Subject:
        """The bytes of file nodes."""
        return Subject(self._portal, self._inner.files)


@frozen
class Organisation:
    """A top-level tenant: `core.organisation("acme").app("support")`."""

    _core: Outeract
    name: str

    def app(self, name: str, **options: Any) -> App:
        """The application `name` of this organisation; see `outeract_core.Outeract.app`."""
        return self._core.app(name, organisation=self.name, **options)


class Outeract(Carrier[outeract.Outeract]):
    """One store, for code without a loop; the arguments are those of `outeract_core.Outeract`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._stack = ExitStack()
        portal = self._stack.enter_context(anyio.from_thread.start_blocking_portal())
        try:
            super().__init__(Loop(portal), outeract.Outeract(*args, **kwargs))
        except BaseException:
            self._stack.close()
            raise

    replay = _blocking(outeract.Outeract.replay)
    pump = _blocking(outeract.Outeract.pump)
    drain = _blocking(outeract.Outeract.drain)
    backup = _blocking(outeract.Outeract.backup)
    hand_over = _blocking(outeract.Outeract.hand_over)
    reparse = _blocking(outeract.Outeract.reparse)

    @property
    def path(self) -> str:
        """The file, from the root."""
        return self._inner.path

    def organisation(self, name: str) -> Organisation:
        """See `outeract_core.Outeract.organisation`."""
        return Organisation(self, name)

    def register(self, platform: str, adapter: type[Adapter]) -> None:
        """See `outeract_core.Outeract.register`."""
        self._inner.register(platform, adapter)

    def platforms(self) -> list[str]:
        """The platforms that can be connected."""
        return self._inner.platforms()

    def check(self, app: App | None = None, **options: Any) -> list[Check]:
        """See `outeract_core.Outeract.check`."""
        inner = None if app is None else app._inner  # noqa: SLF001
        found: list[Check] = self._carry(self._inner.check, inner, **options)
        return found

    def import_app(self, path: Any, **options: Any) -> App:
        """See `outeract_core.Outeract.import_app`."""
        return self._opened(self._carry(self._inner.import_app, path, **options))

    def new_key(self) -> None:
        """See `outeract_core.Outeract.new_key`."""
        self._inner.new_key()

    def app(self, name: str, *, quotas: Quotas | None = None, **config: str) -> App:
        """See `outeract_core.Outeract.app`."""
        return self._opened(self._inner.app(name, quotas=quotas, **config))

    def _opened(self, inner: Any) -> App:
        """An application keeps its store open, also when nothing else of it is kept."""
        found = App(self._portal, inner)
        found._opened_by = self  # noqa: SLF001 - it is ours
        return found

    def ingest(self, *args: Any, **kwargs: Any) -> Response:
        """See `outeract_core.Outeract.ingest`."""
        response: Response = self._carry(self._inner.ingest, *args, **kwargs)
        return response

    @property
    def wsgi(self) -> Any:
        """A WSGI app for `/webhooks/{webhook_id}/{webhook_secret}`."""
        return self._inner.wsgi

    def serve(self, *, grace: float = outeract.GRACE) -> None:
        """Work until Ctrl-C or SIGTERM, which end it as they end `outeract_core.Outeract.run`, or until
        another thread calls `close`.

        Raises BadInput, and what `outeract_core.Outeract.serve` raises.
        """
        try:
            self._inner.until_told(self._portal.call, grace)
        except (KeyboardInterrupt, CancelledError):
            return

    def close(self) -> None:
        """Close the file and end the loop. Harmless twice, and in a child."""
        if self._portal.forked:
            return
        with suppress(StoreClosed):
            self._carry(self._inner.aclose)
        self._stack.close()

    def __enter__(self) -> Outeract:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
