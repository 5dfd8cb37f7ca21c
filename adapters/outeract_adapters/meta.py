"""What Meta's platforms share on the way in: signature, handshake, envelope, lenient reading.

Knows: `X-Hub-Signature-256`, `hub.challenge`, `{object, entry: [{id, time, …}]}`, Meta's times.
Does not know: WhatsApp, Messenger or Instagram; requests to the Graph API (`meta_graph.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from outeract_core.adapter import Inbound, Response
from outeract_core.errors import ParseError, SignatureError
from outeract_core.events import Fact, Unparsed

from .members import Object, many, obj, text

__all__ = [
    "Object", "digest", "each", "entries", "handshake", "many", "obj", "text", "time_of", "verify",
]  # fmt: skip

Found: TypeAlias = Iterable[Fact | Unparsed]
T = TypeVar("T")

_WRONG = (
    ParseError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
_PREFIX = b"sha256="


# ── who speaks ────────────────────────────────────────────────────────────────────────────────


def verify(inbound: Inbound, app_secret: str) -> None:
    """Check `X-Hub-Signature-256` over the raw bytes. Raises SignatureError.

    Meta, webhooks: `sha256=` and the hex HMAC-SHA256 of the body *as it was sent* (unicode is
    escaped there) by the app secret: not the verify token, not the access token. There is no time
    in it, so a replay verifies; only the keys of the facts recognise one.
    """
    try:
        given = inbound.header("x-hub-signature-256")
    except UnicodeEncodeError:
        given = None
    if not given:
        raise SignatureError("no X-Hub-Signature-256 header")
    if not app_secret:
        raise SignatureError("an empty app_secret signs nothing; give the app's secret")
    expected = (
        _PREFIX + hmac.new(app_secret.encode(), inbound.body, hashlib.sha256).hexdigest().encode()
    )
    if not hmac.compare_digest(expected, given):
        raise SignatureError("X-Hub-Signature-256 does not fit body and app_secret")


def handshake(inbound: Inbound, verify_token: Callable[[], str]) -> Response | None:
    """The answer to `GET ?hub.mode=subscribe`, or None when the request is something else.

    Meta, webhooks: the challenge goes back as plain text when the verify token is ours, and 403
    otherwise. `verify_token` is only called for a handshake; MissingSecret passes through.
    """
    if inbound.method != "GET" or inbound.query.get("hub.mode") != "subscribe":
        return None
    plain = {"content-type": "text/plain; charset=utf-8"}
    given = inbound.query.get("hub.verify_token", "").encode("utf-8", "replace")
    if not hmac.compare_digest(verify_token().encode(), given):
        return Response(403, plain, b"the verify token is not the one of this connection")
    challenge = inbound.query.get("hub.challenge", "")
    return Response(200, plain, challenge.encode("utf-8", "replace"))


# ── the envelope ──────────────────────────────────────────────────────────────────────────────


def entries(inbound: Inbound, kind: str) -> list[Any]:
    """`entry[]` of a body whose `object` is `kind`. Raises ParseError."""
    try:
        body = inbound.json()
    except (ValueError, RecursionError) as error:
        raise ParseError(f"not JSON: {type(error).__name__}") from error
    found = body.get("object") if isinstance(body, dict) else None
    if found != kind:
        raise ParseError(f"the body's 'object' is {found!r:.80}, not {kind!r}")
    entry = body.get("entry")
    if not isinstance(entry, list) or not entry:
        raise ParseError("a body without any entry")
    return entry


def each(items: Any, read: Callable[[Any], Found]) -> Iterator[Fact | Unparsed]:
    """What `read` makes of every item; one that it cannot read becomes Unparsed, alone."""
    if not isinstance(items, list):
        yield Unparsed(items, f"a list was expected, not {type(items).__name__}")
        return
    for item in items:
        try:
            found = list(read(item))
        except _WRONG as error:
            yield Unparsed(item, f"{type(error).__name__}: {error}")
        else:
            yield from found


def digest(*parts: Any) -> str:
    """A short name for something that has no id of its own: equal content, equal name."""
    whole = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def time_of(value: Any) -> datetime | None:
    """Unix time as a datetime in UTC, or None when it is none.

    WhatsApp sends seconds as a *string*, Messenger milliseconds as a number, test deliveries mix
    both: from 100 000 000 000 on it is taken for milliseconds.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if type(value) is not int or not 0 < value < 10**14:
        return None
    seconds, rest = divmod(value, 1000) if value >= 10**11 else (value, 0)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
