"""An application: the handle through which a host says and hears everything.

Knows: the verbs, and that inside a handler they join its turn.
Does not know: how a message is composed, delivered, stored or read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from .._domain.values.codec import encode
from .._handlers.current import CURRENT
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._io.threads.aside import loaded
from .._outbound.joining import at_hand, joins
from .._outbound.verbs import Verbs
from .._store.records import rows
from .._store.records.log import newest, target_of
from ..driver import Tx
from ..errors import BadInput
from ..model import Application, Event, EventId, EventSchema, PlatformUser
from . import later
from .asking import Checking
from .chances import Chances
from .connecting import Connecting
from .hearing import Hearing
from .moving import Moving
from .subjects import Unread, unread

if TYPE_CHECKING:
    from .._handlers.turn import Effect, Turn
    from .._outbound.handle import Delivery
    from .._outbound.preview import Prospect
    from ..content import ContentLike
    from ..conversation import Role
    from ..graph import Explanation
    from ..pages import Page
    from ..search import Hit
    from ..standing import Standing
    from .doing.emitting import Emitting
    from .maintenance.retention import Retention
    from .queries.conversations import Conversations
    from .queries.events import Events
    from .queries.files import Files
    from .queries.graph import Graph
    from .queries.people import People
    from .queries.search import Order

T = TypeVar("T")


class App(Verbs, Hearing, Chances, Checking, Connecting, Moving):
    """One application (tenant). Everything read or written through it stays within it.

    events, conversations, graph, people, files, retention: what can be asked, by subject.
    """

    def __init__(self, runtime: Runtime, key: int, entity: Application, organisation: str) -> None:
        self.runtime = runtime
        self.key = key
        self.entity = entity
        self.organisation = organisation
        self.tenant = Tenant(runtime.database, key, entity.id)
        self._opened_by: Any = None
        self._subjects: dict[Callable[..., Any], Any] = {}
        self.handlers = []
        self.opened = runtime.database.read(lambda tx: newest(tx, key))

    @property
    def events(self) -> Events:
        """What happened: single events, pages by filter, all of them in turn."""
        return self._subject(later.events)

    @property
    def conversations(self) -> Conversations:
        """What was said: the recent conversations, a person's, a thread."""
        return self._subject(later.conversations)

    @property
    def graph(self) -> Graph:
        """How it hangs together: walks, paths, the whole story of one message."""
        return self._subject(later.graph)

    @property
    def people(self) -> People:
        """Who it was: users, platform users, merges, link codes, erasure."""
        return self._subject(later.people)

    @property
    def files(self) -> Files:
        """Files that came in or went out."""
        return self._subject(later.files)

    @property
    def retention(self) -> Retention:
        """Rules by which old content is dropped."""
        return self._subject(later.retention)

    def _subject(self, load: Callable[[], Callable[[Any], T]]) -> T:
        made: T | None = self._subjects.get(load)
        if made is None:
            if unread(load):
                return cast("T", Unread(self, load))
            made = self._subjects[load] = load()(self)
        return made

    @property
    def id(self) -> UUID:
        """The application's id."""
        return self.entity.id

    @property
    def name(self) -> str:
        """The application's name."""
        return self.entity.name

    @property
    def config(self) -> Mapping[str, Any]:
        """The application config: every name with its value, defaults included."""
        config: Mapping[str, Any] = self.entity.config
        return config

    def __repr__(self) -> str:
        return f"<App {self.organisation}/{self.name}>"

    # ── saying ────────────────────────────────────────────────────────────────────────────────

    @joins
    async def send(
        self, to: Any, content: ContentLike, *, reply_to: Event | UUID | None = None,
        thread: Event | UUID | None = None, metadata: Mapping[str, Any] | None = None,
        key: str | None = None, not_before: datetime | None = None,
        expires: datetime | None = None, sandbox: bool = False, via: Sequence[str] = (),
        cause: Event | UUID | None = None,
    ) -> Delivery:  # fmt: skip
        """Say something; returns as soon as the intent is on disk.

        to          a platform user, group, user, conversation, event (its conversation), an id of
                    one, or (connection, external id) for somebody never met.
        reply_to    the message that is answered; `thread`: the root, or any message, of the thread to
                    write in.
        key         idempotency: the same key again gives the first message back, whatever became
                    of it; what has failed is sent again by `resend`.
        not_before, expires   aware times; a message not begun by `expires` is cancelled.
        sandbox     the whole path, but no request to the platform.
        via         platforms in order of preference, when `to` is a user.
        cause       the event that this is `triggered_by`.

        Inside a handler it joins the turn: it is committed when the handler returns.
        Raises BadInput, NotFound, Unsupported, FileTooLarge; then nothing was written.
        """
        say, options = await at_hand(self, later.saying)
        return await say(self, self._turn(), to, content, options(
            reply_to, thread, cause, metadata, key, not_before, expires, sandbox, tuple(via)
        ))  # fmt: skip

    @joins
    async def reply(self, /, event: Event | UUID, content: ContentLike, **options: Any) -> Delivery:
        """Answer a message in its conversation, quoting it; `options` are those of `send`."""
        options.setdefault("reply_to", event)
        return await self.send(event, content, **options)

    async def can(self, to: Any, content: ContentLike, *, via: Sequence[str] = ()) -> Prospect:
        """What `send` would do: which route, how many parts, what degrades, what stands in the way.

        Raises what `send` would raise.
        """
        may = await at_hand(self, later.asking)
        return await may(self, to, content, via)

    # ── own events and edges ──────────────────────────────────────────────────────────────────

    @joins
    async def emit(
        self, event_type: str, payload: Any, *, edges: Mapping[str, Any] | None = None,
        origin: Event | UUID | None = None, occurred_at: datetime | None = None,
        context_role: Role | None = None, within: Any = None,
    ) -> EventId:  # fmt: skip
        """Append an event of your own, e.g. `order.created`; its id.

        `edges`: edge type → node or list of nodes. When the type has a schema the payload must
        satisfy it. `context_role`: `tool`, `system`, `assistant` or `user`: the event is shown as such
        by `context()` of the conversation `within` (a platform user, a message or a conversation;
        else that of `origin`, or of the message that is handled). Raises InvalidEvent (with every fault and its path), BadInput, NotFound; then
        nothing was written. Inside a handler it joins the turn.
        """
        text, edges = _payload(payload), None if edges is None else dict(edges)
        return await (await self._emitting()).emit(
            event_type, payload, text, edges, origin, occurred_at, context_role, within
        )

    async def event_schema(
        self, event_type: str, json_schema: Any, *, description: str | None = None
    ) -> EventSchema:
        """Require payloads of a custom type to satisfy a JSON Schema from now on.

        Raises InvalidEvent for a bad schema or a reserved type, MissingExtra without jsonschema.
        """
        _payload(json_schema, "schema")
        return await (await self._emitting()).event_schema(event_type, json_schema, description)

    @joins
    async def edge(self, source: Any, edge_type: str, target: Any) -> None:
        """Draw an edge of your own between two nodes. Raises BadInput, NotFound."""
        await (await self._emitting()).edge(source, edge_type, target)

    async def _emitting(self) -> Emitting:
        return (await at_hand(self, later.emitting))(self)

    async def explain(self, event: Event | UUID) -> Explanation:
        """The whole story of one message: what led to it, its attempts and statuses, what came of it."""
        return await self.graph.explain(event)

    # ── finding ───────────────────────────────────────────────────────────────────────────────

    async def search(
        self, words: str, *, within: Any = None, person: Any = None, since: datetime | None = None,
        until: datetime | None = None, order: Order = "newest", first: int = 20,
        after: str | None = None, before: str | None = None, total: bool = False,
    ) -> Page[Hit]:  # fmt: skip
        """Messages by their words, with edits and transcripts: the newest first, or the best (`rank`).

        words           `invoice "last month" remind* -paid OR refund`; anything may be typed.
        within          a platform user, group, user, event (its conversation) or conversation.
        person          who said it: a platform user, or a user on all platforms.
        since, until    aware times, since <= occurred < until.
        order           `rank` weighs the newest 1,000 hits, and `Page.ranked_of` says so when there are more.
        after, before   a cursor of an earlier page in the same order; `total`: count all hits.

        It finds what was committed before the call, also when it had to be indexed first (a file's
        first search indexes everything). Raises BadInput, NotFound.
        """
        search = await loaded(later.searching)
        found: Page[Hit] = await search(
            self.tenant, self.runtime.search, words, within=within, person=person, since=since,
            until=until, order=order, first=first, after=after, before=before, total=total,
        )  # fmt: skip
        return found

    # ── what the other parts of the library ask of an application ─────────────────────────────

    def new_id(self) -> UUID:
        """A fresh id from the injected source."""
        return self.runtime.database.options.ids(self.runtime.now())

    async def commit(self, unit: Effect) -> Any:
        """Commit a unit now, or together with the handler's turn that this runs in."""
        turn = self._turn()
        if turn is not None:
            turn.effects.append(unit)
            return None
        assert callable(unit)  # noqa: S101 - drafts are committed by `send`
        call: Callable[[Tx], Any] = unit
        result = await self.runtime.database.write(call, app=self.key)
        self.runtime.wake()
        return result

    @property
    def in_turn(self) -> bool:
        """Whether this runs inside a handler's turn of this application."""
        return self._turn() is not None

    @property
    def cause(self) -> int | None:
        """The event that the turn that this runs in is about."""
        turn = self._turn()
        return None if turn is None else turn.cause

    def _turn(self) -> Turn | None:
        turn = CURRENT.get()
        if turn is None or turn.tenant is not self.tenant:
            return None
        turn.still_counts()
        return None if turn.over else turn

    def events_at(self, keys: list[int]) -> list[Event]:
        """The events with these keys, in order."""
        return self.runtime.database.read(lambda tx: rows.events(tx, self.key, keys))

    def standing_of(self, events: Sequence[Event]) -> list[Standing]:
        """These messages as they stand now."""
        from .._store.reading.standing import of_keys

        keys = [event.position for event in events]
        return self.runtime.database.read(lambda tx: of_keys(tx, self.key, keys))

    def sender_of(self, event: Event) -> PlatformUser | None:
        """Who an event was sent by."""

        def query(tx: Tx) -> PlatformUser | None:
            sender = target_of(tx, event.position, "sent_by")
            return None if sender is None else rows.platform_user(tx, self.key, sender)

        return self.runtime.database.read(query)

    def on_processed(self, tx: Tx, events: list[int]) -> None:
        """What the config wants done once handlers are through with these events."""
        if self.config["auto_mark_read"] == "on_processing_complete":
            from .._store.reading.states import is_inbound
            from .._store.writing.handlers import may_be_read

            said = [key for key in events if is_inbound(tx, key)]
            self.mark_events(tx, [key for key in said if may_be_read(tx, key)])


_LARGEST = 16 * 1024 * 1024


def _payload(payload: Any, what: str = "payload") -> str:
    try:
        text = encode(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"the {what} is not JSON: {error}; nothing was written") from None
    if len(text) > _LARGEST:
        raise BadInput(
            f"the {what} has {len(text):,} characters of JSON, and an event at most {_LARGEST:,}: keep what "
            "is large as a file, and draw an edge to it"
        )
    return text
