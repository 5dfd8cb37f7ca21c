"""The values that pass between core and an adapter: what came in, what is to go out, what came of it.

Knows: their shapes. Does not know: who makes them, any platform, any socket.

Authors of adapters find all of them in `outeract_core.adapter`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar

from attrs import field

from ._domain.values import digests
from ._domain.values.classes import frozen
from ._domain.values.quick import quick
from .content import Button, Contact, Location, Menu, Template
from .events import Fact, FileRef, Unparsed

__all__ = [
    "Call",
    "Download",
    "Finding",
    "Flow",
    "Health",
    "Inbound",
    "MessageRef",
    "Outgoing",
    "OutgoingFile",
    "Polled",
    "Profile",
    "Recipient",
    "Reply",
    "Response",
    "Sent",
]

T = TypeVar("T")


# ── in ────────────────────────────────────────────────────────────────────────────────────────


@frozen
class Inbound:
    """An HTTP request as it arrived. Header names are lower case; `body` is raw."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime
    _parsed: list[Any] = field(factory=list, init=False, repr=False, eq=False)

    def header(self, name: str) -> bytes | None:
        """The header as bytes (so that a non-ASCII value can be compared), or None."""
        value = self.headers.get(name.lower())
        if value is None:
            return None
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")

    def json(self) -> Any:
        """The body as strict JSON: NaN and Infinity are refused. Raises ValueError.

        Each call gives the same object; do not change it.
        """
        if not self._parsed:
            self._parsed.append(_json(self.body))
        return self._parsed[0]

    def as_sent(self, item: Any) -> Any:
        """The body's own bytes when `item` is all that `json()` has given, else `item`."""
        whole = bool(self._parsed) and item is self._parsed[0] and isinstance(item, dict | list)
        return self.body if whole and _encoding(self.body) == "utf-8" else item


def _json(body: bytes) -> Any:
    """What the quick decoder refuses, Python's own judges: it takes a lone surrogate, and UTF-16."""
    fast = quick()
    if fast is not None:
        try:
            return fast.read(body)
        except fast.refuses:
            pass
    try:
        return _DECODER.decode(body.decode(_encoding(body), "surrogatepass"))
    except RecursionError:
        raise ValueError("the JSON is nested too deep to be read") from None


def _encoding(body: bytes) -> str:
    """UTF-8, or what else RFC 4627 section 3 tells from the first bytes."""
    if body[:1] in _OPENING and body[1:2] != b"\0":
        return "utf-8"
    return json.detect_encoding(body)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_OPENING = (b"{", b"[")
_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@frozen
class Response:
    """What to answer to the platform."""

    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


# ── out ───────────────────────────────────────────────────────────────────────────────────────


@frozen
class Call:
    """One HTTP request. Give at most one of `json`, `form`, `content`; `files` makes it multipart.

    `files`: (field name, file) pairs. `timeout`: seconds. `secret_url`: the URL holds a credential
    and must not appear in any log or error. Redirects are not followed.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = None
    form: Mapping[str, str] | None = None
    content: bytes | OutgoingFile | None = field(default=None, repr=False)
    files: tuple[tuple[str, OutgoingFile], ...] = ()
    timeout: float = 30.0
    secret_url: bool = False


@frozen
class Reply:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON, or nested too deep to be read."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


Flow: TypeAlias = Generator[Call, Reply, T]


@frozen
class Recipient:
    """Where to send. `address` is the newest id of the party, `external_id` the one it was met by."""

    external_id: str
    address: str
    kind: str = "person"
    aliases: Mapping[str, str] = field(factory=dict)


@frozen
class OutgoingFile:
    """A file to upload: its bytes are read by core when the request is made. `size` in bytes.

    sha256    what the bytes at `path` must come to.
    source    what reads them, where they are core's to read: what lies at `path` may have another form.
    """

    filename: str
    mime_type: str
    kind: str
    size: int
    path: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    sha256: str | None = field(default=None, repr=False)
    source: Callable[[], bytes] | None = field(default=None, repr=False, eq=False)

    def read(self) -> bytes:
        """All bytes of the file. Raises FileError, ChecksumMismatch when they were changed, OSError."""
        if self.data is not None:
            return self.data
        if self.source is not None:
            return self.source()
        if self.sha256 is not None:
            return digests.read(Path(self.path or ""), digests.Digest(self.sha256))
        with open(self.path or "", "rb") as stream:
            return stream.read()


@frozen
class Outgoing:
    """One part of one message, fitted to the platform by core.

    token     unique to (message, part) and the same on every attempt: the idempotency key.
    text      rendered by the adapter's own `render`; `plain` is the same without any markup.
    literal   nothing in the text is formatted: it is to be shown as it stands.
    files     at most one, unless the manifest says `album`; `text` is then its caption.
    answers   external id of the message or press that it came of, on this connection, quoted or not.
    """

    token: str
    event_id: str
    part: int
    parts: int
    to: Recipient
    text: str = ""
    plain: str = ""
    files: tuple[OutgoingFile, ...] = ()
    buttons: tuple[Button, ...] = ()
    quick_replies: tuple[Button, ...] = ()
    menu: Menu | None = None
    location: Location | None = None
    contacts: tuple[Contact, ...] = ()
    template: Template | None = None
    header: str | None = None
    footer: str | None = None
    reply_to: str | None = None
    thread: str | None = None
    answers: str | None = None
    attempt: int = 1
    literal: bool = False
    metadata: Mapping[str, Any] = field(factory=dict)


Slot: TypeAlias = Literal["text", "caption"]
"""Where the words of a message stand: they are its text, or below its file."""


@frozen
class MessageRef:
    """A message that exists on the platform: `external_id` as in its fact, and its conversation.

    `slot`: where the words of this very message stand, as it was sent; None where that is not known.
    """

    external_id: str
    chat: Recipient
    outbound: bool = False
    payload: Mapping[str, Any] = field(factory=dict)
    slot: Slot | None = None


@frozen
class Sent:
    """A receipt. `external_id`: as facts will name it, or None when the platform gives none yet.

    `aliases`: further external ids of the same message (an album has several).
    `address`: the recipient's new address, when the platform gave another than the one asked.
    """

    external_id: str | None
    aliases: tuple[str, ...] = ()
    address: str | None = None
    raw: Any = None


@frozen
class Polled:
    """The yield of one poll. `cursor`: JSON to hand to the next call, stored with the facts.

    `skipped`: how many items the platform has numbered between the cursor that was given and the
    first of these, below zero when it numbers anew; None when that cannot be seen.
    """

    facts: Sequence[Fact | Unparsed]
    cursor: Any
    skipped: int | None = None


@frozen
class Download:
    """How to get a file's bytes. `refuse`: content types that mean an error page."""

    call: Call
    refuse: tuple[str, ...] = ()


@frozen
class Profile:
    """What a platform shows of a person or a place; what it does not tell is None.

    picture_url  where the picture is, for everybody who has the address: no part of it is a secret.
    picture      the picture as a file that is still at the platform, where it has no such address.
    version      changes when `picture` does; the same is not fetched again.
    """

    name: str | None = None
    picture_url: str | None = None
    picture: FileRef | None = None
    version: str | None = None


@frozen
class Finding:
    """One thing that was found, and what to do about it. No secret is in it.

    level   `error`: something does not work; `warning`: something is missing, or will not last;
            `info`: how it is set up.
    """

    level: Literal["error", "warning", "info"]
    what: str
    remedy: str | None = None

    def __str__(self) -> str:
        return self.what if self.remedy is None else f"{self.what}; {self.remedy}"


@frozen
class Health:
    """What an adapter's `check` has found: the account as the platform names it, and remarks.

    ok       whether the platform takes the credentials.
    remarks  findings; a text alone is a warning.
    """

    ok: bool
    account: str | None = None
    name: str | None = None
    remarks: tuple[Finding | str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The remarks, each as a finding; of refused credentials the texts are errors."""
        level: Literal["error", "warning"] = "warning" if self.ok else "error"
        return tuple(Finding(level, one) if isinstance(one, str) else one for one in self.remarks)
