"""Makes an intent of what the host wants to say: route, plan, payload; everything but the commit.

Knows: content, routes, the adapter's manifest, the options of `send`.
Does not know: transactions, delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import anyio.to_thread
from attrs import evolve, field

from .._domain.planning.kinds import UNKNOWN, mime_of
from .._domain.planning.parts import told_parts
from .._domain.planning.plan import Plan, plan
from .._domain.rules.naming import meant
from .._domain.values.classes import frozen
from .._domain.values.ids import maybe_ms, span, to_ms
from .._domain.values.names import safe_filename, safe_mime
from .._io.connections import connection
from .._io.runtime import Runtime
from .._io.threads.aside import aside
from .._store.reading import routes
from .._store.records import nodes
from .._store.records.conn import Conn
from .._store.writing import people
from .._store.writing.sending import Intent, OutFile
from ..content import Attachment, Content, ContentLike
from ..driver import Tx
from ..errors import BadInput, NotFound, Unsupported
from ..events import Party
from ..model import File, PlatformUserKind
from .obstacles import obstacles, there

T = TypeVar("T")


@frozen
class Options:
    """The options of `send`, as given. `not_before` and `expires` are aware times."""

    reply_to: Any = None
    thread: Any = None
    cause: Any = None
    metadata: Mapping[str, Any] | None = None
    key: str | None = None
    not_before: datetime | None = None
    expires: datetime | None = None
    sandbox: bool = False
    via: Sequence[str] = ()


@frozen
class Draft:
    """An intent whose new files are not in the folder yet."""

    intent: Intent
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)


@frozen
class Target:
    """A connection and whom to reach on it."""

    conn: Conn
    to: int | Party


def target(runtime: Runtime, app: int, to: Any, via: Sequence[str]) -> Target:
    """Where `to` is. A (connection, external id) pair may name somebody never met."""
    return _aimed(runtime, app, to, Options(via=via))[0]


_References: TypeAlias = tuple[int | None, int | None, int | None, str | None]
"""What it answers, a message of its thread, what has led to it; the name of what opens the thread."""


def _aimed(runtime: Runtime, app: int, to: Any, options: Options) -> tuple[Target, _References]:
    """Where `to` is, and what the options refer to: looked up in one go."""
    read = runtime.database.read
    if options.via and isinstance(to, Target | tuple):
        raise BadInput(routes.PLACED)
    if isinstance(to, Target):
        if (options.reply_to, options.thread) == (None, None) and isinstance(options.cause, int):
            return to, (None, None, options.cause, None)
        return to, read(lambda tx: _references(tx, runtime, app, to.conn, options))
    root = getattr(to, "root", None)  # what is said to a thread is said in it
    if root is not None and options.thread is None:
        options = evolve(options, thread=root)
    to = getattr(to, "peer", to)
    if isinstance(to, tuple):
        aim = _by_external_id(runtime, app, to)
        return read(lambda tx: (_met(tx, aim), _references(tx, runtime, app, aim.conn, options)))
    platforms = {conn.id: conn.platform for conn in runtime.conns(app)}

    def query(tx: Tx) -> tuple[routes.Route, _References]:
        found = routes.route(tx, app, to, platforms, options.via)
        return found, _references(tx, runtime, app, runtime.conn(found.conn), options)

    found, references = read(query)
    return Target(runtime.conn(found.conn), found.peer), references


_KINDS: dict[str, PlatformUserKind] = {"person": "person", "group": "group", "channel": "channel"}


def _by_external_id(runtime: Runtime, app: int, pair: tuple[Any, ...]) -> Target:
    if len(pair) not in (2, 3):
        raise BadInput("give (connection, external id) or (connection, external id, kind)")
    kind = pair[2] if len(pair) == 3 else "person"
    if kind not in _KINDS:
        raise BadInput(f"kind is person, group or channel, not {kind!r}")
    conn = connection(runtime, app, pair[0])
    return Target(conn, meant(runtime.adapter(conn), pair[1], _KINDS[kind]))


def _met(tx: Tx, aim: Target) -> Target:
    """The same, as the platform user that is known by this name: all that is known of them counts."""
    party = cast("Party", aim.to)
    names = [party.external_id, *(alias.value for alias in party.aliases)]
    known = (people.find(tx, aim.conn, name) for name in names if name is not None)
    found = next((key for key in known if key is not None), None)
    return aim if found is None else Target(aim.conn, found)


_LIGHT = 20_000
"""The weight of a content that is composed in the event loop, in a millisecond or two."""


async def beside(content: ContentLike, work: Callable[[], T]) -> T:
    """Do what plans a content: here, or in a worker thread when there is much to be read and cut."""
    weight = content.weight if isinstance(content, Content) else len(str(content))
    return work() if weight <= _LIGHT else await aside(work)


def compose(
    runtime: Runtime, app: int, to: Any, content: ContentLike, options: Options,
    reached: Collection[int] = (),
) -> Draft:  # fmt: skip
    """The draft of a message. `reached`: of whom it is known that they take messages. Raises BadInput,
    NotFound, Unsupported; nothing is written.
    """
    content = Content.of(content)
    where, references = _aimed(runtime, app, to, options)
    adapter = runtime.adapter(where.conn)
    manifest = there(runtime, adapter.manifest, where.to, content)
    planned = plan(content, manifest, adapter.render, sizes_of(content))
    found = obstacles(runtime, where.conn, where.to, content, planned, reached)
    if found:
        raise Unsupported("; ".join(found))
    payload = payload_of(where.conn, content, planned, options)
    if references[3] is not None:
        payload["thread"] = references[3]
    clock = runtime.database.options.clock
    intent = Intent(
        id=runtime.database.options.ids(to_ms(clock())), conn=where.conn, to=where.to,
        payload=payload, parts=told_parts(planned.parts),
        metadata={**content.metadata, **(options.metadata or {})}, key=options.key,
        due=maybe_ms(options.not_before) or 0, expires=maybe_ms(options.expires) or None,
        kinds=tuple(planned.kinds), sandbox=options.sandbox, reply_to=references[0], thread=references[1], cause=references[2],
    )  # fmt: skip
    return Draft(intent, content.files)


def payload_of(
    conn: Conn, content: Content, planned: Plan, options: Options
) -> dict[str, Any]:  # fmt: skip
    """The payload of the `message.outbound` that a content becomes."""
    payload: dict[str, Any] = {
        "type": content.type, "message": content.message(), "platform": conn.platform,
        "external_message_id": None, "parts": len(planned.parts),
    }  # fmt: skip
    if planned.degraded:
        payload["degraded"] = list(planned.degraded)
    if options.sandbox:
        payload["sandbox"] = True
    if options.metadata:
        payload["metadata"] = dict(options.metadata)
    return payload


def _references(
    tx: Tx, runtime: Runtime, app: int, conn: Conn, options: Options
) -> _References:  # fmt: skip
    """What it answers, in which thread, and why. An answer stands where what it answers stands."""
    reply_to = thread = None
    if options.thread is not None:
        thread = routes.message_on(tx, app, options.thread, conn.id, "thread")
    if options.reply_to is not None:
        reply_to, below = routes.answered(tx, app, options.reply_to, conn.id)
        opens = runtime.adapter(conn).manifest.reply == "place"
        thread = thread or routes.thread_below(tx, below, opens=opens)
    cause = options.cause
    if cause is not None and not isinstance(cause, int):
        cause = nodes.key(tx, app, cause, "event")
    elif cause is not None and not span(app)[0] <= cause < span(app)[1]:
        raise NotFound("the cause is no event of this application")
    opened = None if thread is None else routes.opened_by(tx, thread)
    return reply_to, thread, cause, opened


def sizes_of(content: Content) -> tuple[int, ...]:
    """How large each file is, in bytes. Raises BadInput for one that cannot be read."""
    sizes = tuple(map(_size, content.files))
    for attachment, size in zip(content.files, sizes, strict=True):
        if not size:
            raise BadInput(
                f"the file {attachment.filename or getattr(attachment.source, 'name', None) or ''} is "
                "empty; no platform takes that: send a file with something in it"
            )
    return sizes


def _size(attachment: Attachment) -> int:
    source = attachment.source
    if isinstance(source, File):
        if source.status != "stored":
            raise BadInput(
                f"the file {source.id} is {source.status}; only a stored one can be sent"
            )
        return source.size or 0
    if isinstance(source, bytes):
        return len(source)
    if not isinstance(source, str | Path):
        raise BadInput(f"a file is given as a path, as bytes or as a File, not {source!r:.80}")
    try:
        return Path(source).stat().st_size
    except OSError as error:
        raise BadInput(f"the file {source} cannot be read: {error.strerror}") from None


async def finish(runtime: Runtime, app: int, draft: Draft) -> Intent:
    """Put the draft's files into the folder. Raises FileError, BadInput."""
    if not draft.attachments:
        return draft.intent
    files = [await _file(runtime, app, attachment) for attachment in draft.attachments]
    return evolve(draft.intent, files=tuple(files))


async def _file(runtime: Runtime, app: int, attachment: Attachment) -> OutFile:
    source, mime = attachment.source, safe_mime(mime_of(attachment)) or UNKNOWN
    given = attachment.filename or (source.name if isinstance(source, Path) else None)
    name = safe_filename(given) or "file"
    if isinstance(source, File):
        key = runtime.database.read(lambda tx: nodes.key(tx, app, source, "file"))
        return OutFile(
            key, name if given else safe_filename(source.filename) or "file", mime,
            source.size or 0, source.sha256 or "",
        )  # fmt: skip
    stored = await anyio.to_thread.run_sync(runtime.folder.keep, source)
    return OutFile(None, name, mime, stored.size, stored.sha256)
