"""The facts: what an adapter says has happened, in the library's own words.

Knows: every built-in event type, the shape of a fact, the parties and files it names.
Does not know: bytes, signatures, HTTP, tables.

An adapter's `parse` yields facts; `_store/writing/ingest.py` makes events, people and edges of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field

from ._domain.values.classes import frozen
from .model import Alias, PlatformUserKind

__all__ = [
    "EVENT_TYPES",
    "NAME",
    "RESERVED",
    "Fact",
    "FileRef",
    "Party",
    "Relink",
    "Unparsed",
    "message",
]

NAME = re.compile(r"[a-z0-9_.]+")
RESERVED = ("message.", "file.", "user.", "link_code.", "system.")

EVENT_TYPES = (
    "message.inbound", "message.outbound",
    "message.sent", "message.delivered", "message.read", "message.failed", "message.unknown",
    "message.cancelled", "message.edited", "message.deleted", "message.reaction_added",
    "message.reaction_removed", "message.action", "message.transcribed",
    "file.inbound", "link_code.generated", "link_code.activation", "link_code.refused",
    "user.merged", "user.unmerged", "user.erased",
    "system.conversation_read", "system.delivery_unparsed", "system.handler_failed",
    "system.connection_changed", "system.identity_changed", "system.notice", "system.gap",
    "system.file_failed", "system.file_stored", "system.retention_applied",
    "message.reparsed",
    "system.handler_skipped", "system.handler_retried", "system.handler_hangs",
    "system.loop_stopped", "link_code.limited", "system.quota_reached",
)  # fmt: skip
"""Built-in types; a file interns them in this order, so append only."""


def _tuple(values: Sequence[Any] | None) -> tuple[Any, ...]:
    return tuple(values) if values else ()


@frozen
class Party:
    """Somebody or some place on one connection, as the platform names it.

    `external_id` may be None when only an alias is known (a WhatsApp user with a username);
    `aliases` then finds the platform user, or becomes its id. `name` None means "not told".
    `decisive`: the alias type that tells who it is where names disagree, because it is never given
    to somebody else (WhatsApp hands numbers on, but not a `bsuid`).
    `bot`: a program writes here, but not ours: another bot, or an app in somebody's name. Core tells it
    in the payload of what the party has done, as `sender_is_bot`.
    """

    external_id: str | None
    kind: PlatformUserKind = "person"
    name: str | None = None
    profile_picture_url: str | None = None
    aliases: tuple[Alias, ...] = field(default=(), converter=_tuple)
    decisive: str | None = None
    bot: bool = False


@frozen
class FileRef:
    """An inbound file that is still at the platform. `handle`: what `fetch` needs, JSON-able, no secrets.

    `size` in bytes; `sha256` in lower-case hex when the platform announces it.
    """

    handle: Mapping[str, Any]
    filename: str | None = None
    mime_type: str | None = None
    size: int | None = None
    sha256: str | None = None


@frozen
class Relink:
    """`previous` and `current` are the same platform user: a number, id or chat has changed."""

    previous: str
    current: str
    alias_type: str = "external_id"


@frozen
class Fact:
    """One thing that happened on a connection.

    kind         event type, one of EVENT_TYPES.
    key          the dedupe key: unique on the connection for ever; None only for what may repeat.
                 For a message it *is* the external message id that replies and statuses name.
                 Put the part that grows first ("<message_id>:<chat_id>"): ordered keys index faster.
    payload      normalised content; `message()` below makes that of a message.
    raw          the platform's own item: bytes of JSON as received, or a JSON value.
    occurred_at  the platform's time, aware; None means "now".
    sender       who did it; None when the platform does not say.
    chat         the group or channel; None for a direct conversation with `sender`.
                 For an echo or a status `sender` is the bot and `chat` is the other party.
    reply_to     external id of the message that this one answers.
    thread       external id of the root of its thread.
    target       external id of the message that this is about (status, edit, reaction, action).
    watermark    for `message.read`/`delivered` without ids: all outbound messages to `chat`
                 (or `sender`) up to this time.
    files        inbound files, still at the platform.
    echo         the bot's own message coming back.
    correlation  our own token that the platform gave back, `Outgoing.token`.
    account      the account id that the item belongs to, where one webhook serves several.
    relinks      identities that changed.
    profiles     how somebody is shown now, told by itself: names and pictures of those whom the
                 connection knows. A fact that changes nothing of anybody known leaves no event.
    """

    kind: str
    key: str | int | None
    payload: Mapping[str, Any]
    raw: Any = None
    occurred_at: datetime | None = None
    sender: Party | None = None
    chat: Party | None = None
    reply_to: str | None = None
    thread: str | None = None
    target: str | None = None
    watermark: datetime | None = None
    files: tuple[FileRef, ...] = field(default=(), converter=_tuple)
    echo: bool = False
    correlation: str | None = None
    account: str | None = None
    relinks: tuple[Relink, ...] = field(default=(), converter=_tuple)
    profiles: tuple[Party, ...] = field(default=(), converter=_tuple)


@frozen
class Unparsed:
    """One item of a delivery that was not understood; the others of its batch go on.

    `account`: as in a `Fact`. `raw`: where one URL serves several accounts, what the adapter's
    `reread` takes, since of a body of several owners each keeps only what is theirs.
    """

    raw: Any
    error: str
    account: str | None = None


def message(
    platform: str, external_message_id: str, type: str, text: str = "", **more: Any
) -> dict[str, Any]:
    """The payload of a `message.inbound`: `type`, `message`, `platform`, `external_message_id`.

    `more` goes into `message` beside type, text and role (location, contacts, forwarded, …);
    what is None is left out.
    """
    said = {name: value for name, value in more.items() if value is not None}
    body = {"type": type, "text": text, "role": "user", **said}
    return {
        "type": type,
        "message": body,
        "platform": platform,
        "external_message_id": external_message_id,
    }
