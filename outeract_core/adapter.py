"""The plug point: what a platform adapter is, and every value that passes through it.

Knows: the protocol between core and an adapter: bytes in, facts out; intent in, requests out.
Does not know: any platform, any socket, the store.

An adapter is pure. It verifies and parses what core received, and it sends by *flows*: generators
that yield `Call`s and are sent `Reply`s. It cannot open a connection, sleep or retry, so the same
adapter runs on asyncio, trio, a thread, or in a test. It is registered under its platform's name
in the entry-point group `outeract_core.adapters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from attrs import evolve, field

from ._domain.values.classes import frozen
from .errors import MissingSecret
from .events import Fact, Unparsed
from .exchange import (
    Call,
    Download,
    Finding,
    Flow,
    Health,
    Inbound,
    MessageRef,
    Outgoing,
    OutgoingFile,
    Polled,
    Profile,
    Recipient,
    Reply,
    Response,
    Sent,
)
from .model import Alias
from .text.document import Document

__all__ = [
    "Adapter",
    "CanAcknowledge",
    "CanAnswer",
    "CanCheck",
    "CanDelete",
    "CanEdit",
    "CanFetch",
    "CanFind",
    "CanHandshake",
    "CanIdentify",
    "CanMarkRead",
    "CanNormalise",
    "CanPoll",
    "CanProfile",
    "CanReact",
    "CanReread",
    "CanType",
    "Call",
    "Download",
    "Finding",
    "Flow",
    "Health",
    "Inbound",
    "Manifest",
    "MessageRef",
    "OutgoingFile",
    "Outgoing",
    "Polled",
    "Profile",
    "Recipient",
    "Reply",
    "Response",
    "Sent",
    "Settings",
]


# ── the manifest ──────────────────────────────────────────────────────────────────────────────


@frozen
class Manifest:
    """What a platform can do, as data; core plans by it and never asks the adapter.

    text_unit    what `text_limit` counts: code points, UTF-16 units or UTF-8 bytes.
    text_counts  `plain`: the limit holds for what the reader sees; `rendered`: for the markup too.
    capabilities names out of: text, media, reply, thread, react, edit, delete, typing, mark_read,
                 buttons, quick_replies, menu, location, contacts, template, groups, album,
                 delivered (tells of delivery), read (tells of reading), format.
    media        kind → (size limit in bytes, accepted MIME types; empty = all).
    caption_limit  as `text_limit`, for the text below a file; None: `text_limit` holds for it too.
    caption_kinds  which kinds of files can have a caption.
    interactive_limit  as `text_limit`, for a text with buttons or a menu; None: the same.
    header_limit, footer_limit  code points of a header or footer beside buttons or a menu;
                 0: there is no such place, and core writes them into the text.
    buttons, button_title, menu_rows, menu_title, menu_description: limits, in code points.
    menu_button, menu_section: limits of the label that opens a menu and of a section's name; None: none.
                 A section or a description (`menu_description`) of 0 has no place, and core writes it
                 into the text.
    lacks        kind of recipient → capabilities that the platform has only towards others.
    type_limits  (kind, MIME type) → bytes, where less than others of the kind; `still_sticker`: of one
                 that does not move.
    links        whether a button that opens a page can stand `beside` others, or `alone` only (then
                 a message has buttons or a menu, not both).
    unique_titles  whether buttons of one message must be called differently: equal ones are numbered.
    quick_replies  how many quick replies; 0: they count as buttons.
    album        how many files one message can have; `album_kinds`: which kinds may share it.
    reply        a `quote` on the first part, or a `place` (a thread below) where every part goes.
    literal      whether plain text is shown as it stands; else what looks like marks may be read as such.
    in_words     whether marks hold inside a word, too.
    one_reaction a person, and the bot, has one reaction to a message: a new one replaces it.
    config       name → what it means; `secrets`: names of secrets; `required`: to be given to `connect`.
    account_key  the config name of the account's id (what `Fact.account` names).
    identity     config names, secret or not, that no two connections of a file may have in common:
                 they would be one account, whose every event would come twice.
    credentials  members of what the platform sends that open something to whoever reads them: by their
                 way from the top (`event.token`), or at any depth (`**.response_url`). Core strikes
                 them before `parse` and before anything is kept, and hands them to the handler.
    webhook      `dedicated` (one URL per connection), `shared` (routed by `Fact.account`), `none`.
    idempotency  what a repeated send does: `native` (the token makes it harmless), `reconcile`
                 (`find` can tell), `none` (an unknown outcome stays unknown).
    pace         seconds between requests of a connection, and between messages to one chat; who was
                 quiet may send some at once (5 seconds' worth).
    keeps        seconds for which the platform keeps what is not polled; None: for ever, or nothing
                 is polled. Whoever polls later than that, and sees items skipped, gets a `system.gap`.
    deletes      seconds for which the bot can delete what it has sent; None: for ever.
    window       seconds after a person's last message; later only a template is sent. None: no rule.
    answers, names, forwards  members of `Fact.raw` and payloads, at any depth, with words or names of others
                 than the sender: what is answered or quoted; who has joined, whose card it is; whose words
                 the whole message is. An erasure of whom they name marks them, or drops the message.
    """

    platform: str
    text_limit: int | None
    text_unit: Literal["characters", "utf16", "bytes"] = "characters"
    text_counts: Literal["plain", "rendered"] = "rendered"
    caption_limit: int | None = None
    caption_kinds: frozenset[str] = frozenset({"image", "video", "audio", "voice", "document"})
    interactive_limit: int | None = None
    header_limit: int = 0
    footer_limit: int = 0
    capabilities: frozenset[str] = frozenset({"text"})
    media: Mapping[str, tuple[int, tuple[str, ...]]] = field(factory=dict)
    buttons: int = 0
    button_title: int = 20
    menu_rows: int = 0
    menu_title: int = 24
    menu_description: int = 72
    menu_button: int | None = None
    menu_section: int | None = None
    lacks: Mapping[str, frozenset[str]] = field(factory=dict)
    still_sticker: int | None = None
    type_limits: Mapping[tuple[str, str], int] = field(factory=dict)
    links: Literal["beside", "alone"] = "beside"
    unique_titles: bool = False
    quick_replies: int = 0
    album: int = 1
    album_kinds: tuple[frozenset[str], ...] = (
        frozenset({"image", "video"}),
        frozenset({"audio"}),
        frozenset({"document"}),
    )
    reply: Literal["quote", "place"] = "quote"
    literal: bool = True
    in_words: bool = True
    one_reaction: bool = False
    config: Mapping[str, str] = field(factory=dict)
    secrets: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    account_key: str | None = None
    identity: tuple[str, ...] = ()
    credentials: frozenset[str] = frozenset()
    webhook: Literal["dedicated", "shared", "none"] = "dedicated"
    idempotency: Literal["native", "reconcile", "none"] = "none"
    pace_connection: float = 0.0
    pace_chat: float = 0.0
    keeps: float | None = None
    window: float | None = None
    deletes: float | None = None
    answers: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    forwards: frozenset[str] = frozenset()

    def towards(self, kind: str) -> Manifest:
        """The platform as it is towards a recipient of this kind (`person`, `group`, `channel`)."""
        missing = self.lacks.get(kind, frozenset())
        if not missing:
            return self
        return evolve(
            self, capabilities=self.capabilities - missing,
            buttons=0 if "buttons" in missing else self.buttons,
            quick_replies=0 if "quick_replies" in missing else self.quick_replies,
            menu_rows=0 if "menu" in missing else self.menu_rows,
        )  # fmt: skip


@frozen
class Settings:
    """What one connection was given. Secrets are resolved when asked for, never kept or shown.

    `webhook_path`: the path under which the host takes its webhooks; a secret is in it.
    """

    platform: str
    account: str | None = None
    config: Mapping[str, Any] = field(factory=dict, repr=False)
    resolve: Callable[[str], str] = field(default=lambda reference: reference, repr=False)
    webhook_path: str | None = field(default=None, repr=False)

    def get(self, name: str, default: Any = None) -> Any:
        """A config value that is not a secret."""
        return self.config.get(name, default)

    def secret(self, name: str) -> str:
        """The secret behind config `name`. Raises MissingSecret when none was given or it is empty."""
        reference = self.config.get(name)
        value = self.resolve(reference) if reference else ""
        if not value:
            raise MissingSecret(
                f"{self.platform}: no {name}; give it to connect(), e.g. {name}='env:NAME'"
            )
        return value


# ── the adapter ───────────────────────────────────────────────────────────────────────────────


class Adapter(Protocol):
    """What every platform must have. One instance serves one connection."""

    manifest: ClassVar[Manifest]

    def __init__(self, settings: Settings) -> None: ...

    def verify(self, inbound: Inbound) -> None:
        """Check the signature over the raw bytes. Raises SignatureError; fails closed."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """The facts of a verified request. What raises becomes a kept, unparsed delivery."""

    def render(self, document: Document) -> str:
        """The document in the platform's markup, escaped."""

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Deliver one part. Raises a SendError that says whether to try again."""


@runtime_checkable
class CanHandshake(Protocol):
    """Answers a set-up request (Meta `hub.challenge`, Slack `url_verification`)."""

    def handshake(self, inbound: Inbound) -> Response | None:
        """The answer, or None when this is no handshake. Called before `verify`: it must check
        for itself what the platform lets it check. Raises SignatureError.
        """


@runtime_checkable
class CanAcknowledge(Protocol):
    """Answers a delivery with something else than an empty 200."""

    def acknowledge(self, inbound: Inbound) -> Response:
        """The answer, given after the commit."""


@runtime_checkable
class CanReread(Protocol):
    """Reads again what was kept of an item that a former version of it has parsed.

    Without it core takes `Fact.raw` for the body of a request: so an adapter may keep these whole.
    """

    def reread(self, raw: Any, at: datetime) -> Iterable[Fact | Unparsed]:
        """The facts of one `Fact.raw`, as JSON gives it; `at`: when it had come, for what tells no
        time of its own. What raises counts as not readable any more.
        """


@runtime_checkable
class CanPoll(Protocol):
    """Fetches what a host without a public URL would miss."""

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        """What is new since `cursor` (None at first), waiting up to `wait` seconds for it.
        Core commits the facts with the new cursor before it calls again.
        """


@runtime_checkable
class CanFind(Protocol):
    """Looks up whether an attempt with an unknown outcome arrived."""

    def find(self, outgoing: Outgoing) -> Flow[Sent | None]:
        """Its receipt, or None when it certainly did not arrive. Raises Ambiguous when unsure."""


@runtime_checkable
class CanFetch(Protocol):
    """Finds where an inbound file's bytes are."""

    def fetch(self, handle: Mapping[str, Any]) -> Flow[Download]:
        """The request that yields the bytes; core makes it, streams, limits and checks it."""


@runtime_checkable
class CanProfile(Protocol):
    """Knows what the platform shows of somebody: a name, a picture. Core asks in the background, of
    those with whom there is a conversation, and never for a whole directory.
    """

    def profile(self, of: Recipient) -> Flow[Profile]:
        """What is shown of this person, group or channel. Raises a SendError: Rejected for whom the
        platform does not tell of, Unauthorised where the connection may ask of nobody of this kind.
        """


@runtime_checkable
class CanReact(Protocol):
    """Sets or removes the bot's own reaction."""

    def react(self, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
        """Already done counts as done."""


@runtime_checkable
class CanEdit(Protocol):
    """Replaces the text of a message that the bot sent."""

    def edit(self, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
        """What the platform calls "not modified" counts as done."""


@runtime_checkable
class CanDelete(Protocol):
    """Deletes a message that the bot sent."""

    def delete(self, message: MessageRef) -> Flow[None]:
        """Already gone counts as done."""


@runtime_checkable
class CanIdentify(Protocol):
    """Finds out whose its credentials are, where one address serves several accounts."""

    def identify(self) -> Flow[str | None]:
        """The account's id, as `Fact.account` names it. Asked at the first delivery to a connection
        that was given no account, while the platform waits: one quick request. Raises a SendError.
        """


@runtime_checkable
class CanMarkRead(Protocol):
    """Tells the platform that a message was read."""

    def mark_read(self, message: MessageRef) -> Flow[None]:
        """Everything up to `message`, where the platform works that way."""


@runtime_checkable
class CanType(Protocol):
    """Shows that the bot is writing."""

    def typing(self, to: Recipient, message: MessageRef | None) -> Flow[None]:
        """`message`: the one that is being answered, where the platform needs it."""


@runtime_checkable
class CanAnswer(Protocol):
    """Must tell the platform that a button press arrived (Telegram's spins until then)."""

    def answer(self, action: Mapping[str, Any]) -> Flow[None]:
        """`action`: the payload of the `message.action`. Core queues it for every action."""


@runtime_checkable
class CanNormalise(Protocol):
    """Knows the one form in which the platform writes ids. Everything that names somebody passes it:
    what comes in, what `send` is given, what is looked up.
    """

    def normalise(self, external_id: str, kind: str) -> str | Alias:
        """The id in its one form; again applied, it changes nothing. `kind`: person, group, channel.

        An Alias where it is no id of theirs, but a name that leads to them (a direct channel).
        Raises BadInput, saying what the platform takes, for what cannot be an id there.
        """


@runtime_checkable
class CanCheck(Protocol):
    """Asks the platform whether the connection can work: `App.check`, `outeract doctor --online`."""

    def check(self) -> Flow[Health]:
        """A few cheap requests without effect: whose the credentials are, what they may not do, how
        events come. Refused credentials are an answer (`ok=False`). Raises a SendError when the
        platform cannot be asked.
        """
