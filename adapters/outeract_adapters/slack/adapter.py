"""The Slack adapter: its manifest, its signature check, and where everything else is found.

Knows: the limits of Slack, request signing, the handshake.
Does not know: how events are read (`parse.py`) or messages sent (`send.py`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from outeract_core.adapter import (
    Download,
    Flow,
    Health,
    Inbound,
    Manifest,
    MessageRef,
    Outgoing,
    Profile,
    Recipient,
    Response,
    Sent,
    Settings,
)
from outeract_core.errors import ParseError, SignatureError
from outeract_core.events import Fact, Unparsed
from outeract_core.model import Alias
from outeract_core.text import Document

from . import acts, markup, naming, parse, send
from .api import DEFAULT_BASE, Api
from .fields import text

__all__ = ["Slack"]

_GIGABYTE = 1024**3
_KINDS = ("image", "video", "audio", "voice", "document", "sticker")
_WINDOW = 300
"""Slack docs, "Verifying requests": seconds that a request's time may differ from ours."""


class Slack:
    """A bot of one Slack workspace."""

    manifest: ClassVar[Manifest] = Manifest(
        platform="slack",
        text_limit=4000,
        text_unit="characters",
        text_counts="rendered",
        caption_limit=4000,
        caption_kinds=frozenset(_KINDS),
        header_limit=150,
        footer_limit=2000,
        capabilities=frozenset({
            "text", "media", "reply", "thread", "react", "edit", "delete", "mark_read", "buttons",
            "quick_replies", "menu", "groups", "album", "format",
        }),
        media=dict.fromkeys(_KINDS, (_GIGABYTE, ())),
        buttons=25,
        button_title=75,
        menu_rows=100,
        menu_title=75,
        menu_description=75,
        menu_button=75,
        menu_section=75,
        album=10,
        album_kinds=(frozenset(_KINDS),),
        config={
            "bot_token": "the bot's token, xoxb-…",
            "signing_secret": "the app's signing secret (Basic Information)",
            "bot_user_id": "the bot's user id, U…, to recognise its own messages",
            "bot_id": "the bot's id, B…, for the same",
            "app_id": "the app's id, A…, for the same; requests of another app are refused",
            "team_id": "the workspace, T…, or organisation, E…; unless given that of the token",
            "base_url": f"where the Web API is, {DEFAULT_BASE} unless given",
        },
        secrets=frozenset({"bot_token", "signing_secret"}),
        required=("bot_token", "signing_secret"),
        credentials=frozenset({
            "token", "event.token", "**.bot_access_token", "**.response_url", "**.trigger_id",
            "**.interactivity_pointer", "**.interactor.secret",
        }),
        reply="place",
        in_words=False,
        account_key="team_id",
        webhook="shared",
        identity=("bot_token",),
        idempotency="reconcile",
        pace_chat=1.0,
        answers=frozenset({"root"}),
        names=frozenset({"attachments", "message_blocks", "previews"}),
        forwards=frozenset({"forward", "forwards"}),
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = Api(settings)

    # ── in ────────────────────────────────────────────────────────────────────────────────────

    def verify(self, inbound: Inbound) -> None:
        """Check `X-Slack-Signature` (v0) and the age of the request. Raises SignatureError.

        Slack docs, "Verifying requests": HMAC-SHA256 with the signing secret over
        `v0:<X-Slack-Request-Timestamp>:<raw body>`; older or newer than 300 s is a replay.
        """
        given = _header(inbound, "x-slack-signature")
        at = _header(inbound, "x-slack-request-timestamp")
        if not (at.isdigit() and len(at) <= 12):
            raise SignatureError("X-Slack-Request-Timestamp is not a time in seconds")
        if abs(inbound.received_at.timestamp() - int(at)) > _WINDOW:
            raise SignatureError(f"the request's time differs by more than {_WINDOW} s from ours")
        secret = self._settings.secret("signing_secret").encode()
        base = b"v0:" + at + b":" + inbound.body
        expected = b"v0=" + hmac.new(secret, base, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(expected, given):
            raise SignatureError("X-Slack-Signature does not fit body and signing_secret")
        self._check_app(inbound)

    def _check_app(self, inbound: Inbound) -> None:
        """An app of the same secret is not ours, when we know which one is."""
        ours = self._settings.get("app_id")
        if not ours:
            return
        try:
            _, body = parse.decode(inbound.body)
        except ParseError:
            return
        theirs = text(body, "api_app_id")
        if theirs is not None and theirs != ours:
            raise SignatureError("the request is of another app than app_id")

    def handshake(self, inbound: Inbound) -> Response | None:
        """Answer `url_verification` with its challenge as text; it is signed like all the rest."""
        if b"url_verification" not in inbound.body:
            return None
        try:
            kind, body = parse.decode(inbound.body)
        except ParseError:
            return None
        if kind != "event" or body.get("type") != "url_verification":
            return None
        self.verify(inbound)
        challenge = (text(body, "challenge") or "").encode("utf-8", "replace")
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, challenge)

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """The facts of an event, an interaction or a slash command. Raises ParseError."""
        return parse.facts(inbound, self._settings)

    def reread(self, raw: Any, at: datetime) -> Iterable[Fact | Unparsed]:
        """The facts of what was kept of an event, an interaction or a command. Raises ParseError."""
        return parse.again(raw, at, self._settings)

    def acknowledge(self, inbound: Inbound) -> Response:
        """An empty 200; `block_suggestion` wants options at once, and gets an empty list.

        Slack docs, "block_suggestion": an answer without `options` shows the person an error.
        """
        try:
            kind, body = parse.decode(inbound.body)
        except ParseError:
            return Response()
        if kind != "interaction" or body.get("type") != "block_suggestion":
            return Response()
        return Response(200, {"content-type": "application/json"}, b'{"options":[]}')

    def normalise(self, external_id: str, kind: str) -> str | Alias:
        """The one form of an id. Raises BadInput."""
        return naming.normalise(external_id, kind)

    # ── out ───────────────────────────────────────────────────────────────────────────────────

    def render(self, document: Document) -> str:
        """The document as mrkdwn."""
        return markup.render(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Post a message, or share files with their caption. Raises a SendError."""
        flow = send.upload if outgoing.files else send.post
        return flow(self._api, outgoing)

    def find(self, outgoing: Outgoing) -> Flow[Sent | None]:
        """Look in the history for a message whose outcome is unknown. Raises Ambiguous."""
        return send.find(self._api, outgoing)

    def fetch(self, handle: Mapping[str, Any]) -> Flow[Download]:
        """The request for an inbound file's bytes. Raises Rejected when Slack has none."""
        return acts.fetch(self._api, handle)

    def react(self, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
        """Set or remove a reaction, named by emoji or `:name:`. Raises a SendError."""
        return acts.react(self._api, message, emoji, remove)

    def edit(self, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
        """Replace a message's text and blocks. Raises a SendError."""
        return acts.edit(self._api, message, outgoing)

    def delete(self, message: MessageRef) -> Flow[None]:
        """Delete a message of the bot. Raises a SendError."""
        return acts.delete(self._api, message)

    def mark_read(self, message: MessageRef) -> Flow[None]:
        """Move the bot's read mark. Raises a SendError."""
        return acts.mark_read(self._api, message)

    def profile(self, of: Recipient) -> Flow[Profile]:
        """The name of a person or channel, the picture of a person. Raises a SendError."""
        return acts.profile(self._api, of)

    def identify(self) -> Flow[str | None]:
        """The workspace, or the organisation, that the token is of. Raises a SendError."""
        return acts.identify(self._api)

    def check(self) -> Flow[Health]:
        """Whether the token works, and what it may not do. Raises Transient or Throttled."""
        return acts.check(self._api)


def _header(inbound: Inbound, name: str) -> bytes:
    try:
        value = inbound.header(name)
    except UnicodeEncodeError:
        value = None
    if not value:
        raise SignatureError(f"no {name} header")
    return value
