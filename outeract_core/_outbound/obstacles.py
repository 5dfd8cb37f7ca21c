"""What is known beforehand to fail: looked at by `send` before anything is written, and told by `can`.

Knows: who has blocked the bot, messaging windows, and what an adapter refuses before its first request.
Does not know: routes, plans, what the platform itself will answer.

An adapter is pure, so a flow can be begun and left: what it refuses without asking anybody it will
refuse in every attempt.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from attrs import evolve

from .._domain.planning.kinds import mime_of, moves
from .._domain.planning.parts import Part
from .._domain.planning.plan import Plan
from .._domain.values.classes import frozen
from .._domain.values.ids import from_ms
from .._io.runtime import Runtime
from .._store.reading import states
from .._store.reading.routes import PEER
from .._store.records.conn import Conn
from .._store.writing import claims
from ..adapter import Adapter, Flow, Manifest, Outgoing, OutgoingFile, Recipient
from ..content import Attachment, Content
from ..driver import Tx
from ..errors import Rejected, Unsupported
from ..events import Party
from ..model import File


@frozen
class Verdict:
    """Whether a verb would be taken, as far as is known. `reasons`: why not, in the verb's own words."""

    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it would."""
        return not self.reasons


_TOKEN = "rehearsal"  # noqa: S105 - stands for the token of a message that is not there yet


def obstacles(
    runtime: Runtime, conn: Conn, to: int | Party, content: Content, planned: Plan,
    reached: Collection[int] = (),
) -> tuple[str, ...]:  # fmt: skip
    """Why the platform would not take this message, as far as that is known; empty when it may.

    `reached`: who has not blocked the bot, as was looked up a moment ago.
    """
    adapter = runtime.adapter(conn)
    found = [] if to in reached else [*_blocked(runtime, conn, to)]
    found += _closed(runtime, adapter, to, content)
    found += _still(runtime, adapter.manifest, content, planned)
    if any(map(_special, planned.parts)) or content.metadata:
        whom = recipient(runtime, to)
        found += _refused_parts(adapter, whom, content, planned)
    return tuple(dict.fromkeys(found))


def refusal(begin: Callable[[], Flow[Any]]) -> str | None:
    """What a flow refuses before its first request, or None. Nothing is requested."""
    try:
        flow = begin()
        try:
            next(flow)
        finally:
            flow.close()
    except (Rejected, Unsupported) as error:
        return str(error)
    except Exception:  # a secret that is missing now, say: no reason that the message is wrong
        return None
    return None


def window_until(runtime: Runtime, adapter: Adapter, to: int | Party) -> int | None:
    """When the window closes that the person's last message has opened (ms); None: never opened."""
    window = adapter.manifest.window
    if window is None or not isinstance(to, int):
        return None

    def query(tx: Tx) -> int | None:
        peer = tx.one(PEER, id=to)
        at = states.last_heard(tx, to) if peer is not None and peer[2] == "person" else None
        return None if at is None else at + int(window * 1000)

    return runtime.database.read(query)


def _blocked(runtime: Runtime, conn: Conn, to: int | Party) -> Iterator[str]:
    """Who has said that nothing more shall come, and has not written since. Who was never met has said
    nothing: whoever is known is a number here.
    """
    if not isinstance(to, int):
        return
    since = runtime.database.read(lambda tx: states.blocked_since(tx, to))
    if since is not None:
        yield (
            f"nothing reaches this person since {from_ms(since):%Y-%m-%d %H:%M} UTC: {conn.platform} "
            "said that they have blocked the bot, or are gone; it ends when they write again or let "
            "the bot in"
        )


def _closed(runtime: Runtime, adapter: Adapter, to: int | Party, content: Content) -> Iterator[str]:
    """A window that was open and is closed; somebody who never wrote here may have elsewhere."""
    if content.template is not None:
        return
    until = window_until(runtime, adapter, to)
    if until is not None and until <= runtime.now():
        yield (
            f"the messaging window closed at {from_ms(until):%Y-%m-%d %H:%M} UTC: "
            f"{adapter.manifest.platform} takes only a template until the person writes again"
        )


def there(runtime: Runtime, manifest: Manifest, to: int | Party, content: Content) -> Manifest:
    """The platform as it is towards this recipient, as far as that matters to the content."""
    if not manifest.lacks or not (content.buttons or content.quick_replies or content.menu):
        return manifest
    return manifest.towards(recipient(runtime, to).kind)


_HEAD = 32


def _still(
    runtime: Runtime, manifest: Manifest, content: Content, planned: Plan
) -> Iterator[str]:  # fmt: skip
    """Stickers that do not move and are larger than such may be."""
    most = manifest.still_sticker
    for file, kind in zip(content.files, planned.kinds, strict=False):
        if most is None or kind != "sticker":
            continue
        size, head = _looked(runtime, file)
        if size > most and not moves(head):
            yield (
                f"{file.filename or 'the sticker'} has {size} bytes and does not move; "
                f"{manifest.platform} takes {most} of such a sticker at most: make it smaller"
            )


def _looked(runtime: Runtime, attachment: Attachment) -> tuple[int, bytes]:
    """How large a file is and how it begins; 0 when its bytes are not here."""
    source = attachment.source
    if isinstance(source, bytes):
        return len(source), source[:_HEAD]
    if isinstance(source, File):
        found = runtime.folder.path(source.sha256) if source.sha256 else None
    else:
        found = Path(source)
    try:
        with open(found or "", "rb") as stream:
            return os.fstat(stream.fileno()).st_size, stream.read(_HEAD)
    except OSError:
        return 0, b""


def _special(part: Part) -> bool:
    """Whether a part is more than text, of which every platform takes as much as its limit says."""
    return bool(
        part.buttons or part.quick_replies or part.menu or part.location or part.contacts
        or part.template or part.files
    )  # fmt: skip


def _refused_parts(
    adapter: Adapter, to: Recipient, content: Content, planned: Plan
) -> Iterator[str]:
    for number, part in enumerate(planned.parts):
        files = tuple(_file(content, planned, index) for index in part.files)
        said = evolve(
            as_sent(part, number, to, len(planned.parts)), files=files,
            metadata=dict(content.metadata),
        )  # fmt: skip
        found = refusal(lambda said=said: adapter.send(said))  # type: ignore[misc]
        if found is not None:
            yield found


def recipient(runtime: Runtime, to: int | Party) -> Recipient:
    """Whom an adapter is told to reach."""
    if isinstance(to, Party):
        return Recipient(to.external_id or "", to.external_id or "", to.kind)
    found = runtime.database.read(lambda tx: tx.by_keys(claims.RECIPIENTS, [to]))
    return Recipient(*found[0][1:]) if found else Recipient("", "")


def as_sent(part: Part, number: int, to: Recipient, parts: int = 1) -> Outgoing:
    """The part as the adapter will be given it, with a stand-in for what is not there yet."""
    return Outgoing(
        token=_TOKEN, event_id=_TOKEN, part=number, parts=parts,
        to=to, text=part.text, plain=part.plain,
        buttons=part.buttons, quick_replies=part.quick_replies, menu=part.menu,
        location=part.location, contacts=part.contacts, template=part.template,
        header=part.header, footer=part.footer, literal=part.literal,
    )  # fmt: skip


def _file(content: Content, planned: Plan, index: int) -> OutgoingFile:
    attachment = content.files[index]
    name = attachment.filename or getattr(attachment.source, "filename", None) or "file"
    return OutgoingFile(name, mime_of(attachment), planned.kinds[index], 1, data=b"\0")
