"""The WhatsApp adapter: its manifest, its signature check, and where everything else is found.

Knows: the limits of the Cloud API, which config it takes.
Does not know: how webhooks are read (`parse.py`) or messages sent (`send.py`).
"""

from __future__ import annotations

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
    Recipient,
    Response,
    Sent,
    Settings,
)
from outeract_core.events import Fact, Unparsed
from outeract_core.model import Alias
from outeract_core.text import Document

from .. import meta
from ..meta_graph import HOST, VERSION, Graph
from . import acts, health, markup, naming, parse, send
from .choices import BODY
from .codes import CODES
from .compose import CAPTION

__all__ = ["WhatsApp"]


class WhatsApp:
    """A business number on the Cloud API."""

    manifest: ClassVar[Manifest] = Manifest(
        platform="whatsapp",
        text_limit=4096,
        text_unit="characters",
        text_counts="rendered",
        one_reaction=True,
        caption_limit=CAPTION,
        caption_kinds=frozenset({"image", "video", "document"}),
        interactive_limit=BODY,
        header_limit=60,
        footer_limit=60,
        capabilities=frozenset({
            "text", "media", "reply", "react", "typing", "mark_read", "buttons", "quick_replies",
            "menu", "location", "contacts", "template", "groups", "delivered", "read", "format",
        }),
        media=send.MEDIA,
        buttons=3,
        button_title=20,
        menu_rows=10,
        menu_title=24,
        menu_description=72,
        menu_button=20,
        menu_section=24,
        lacks=dict.fromkeys(("group", "channel"), frozenset({"buttons", "quick_replies", "menu"})),
        still_sticker=send.STILL,
        links="alone",
        unique_titles=True,
        config={
            "phone_number_id": "the number's id (WhatsApp > API Setup), not the number itself",
            "access_token": "a token with whatsapp_business_messaging, best of a system user",
            "app_secret": "the app's secret (App settings > Basic); it signs the webhooks",
            "verify_token": "a word of your own, to be typed in when the webhook is registered",
            "api_version": f"the version of the Graph API, {VERSION} unless given",
            "base_url": f"where the Graph API is, {HOST} unless given",
        },
        secrets=frozenset({"access_token", "app_secret", "verify_token"}),
        required=("phone_number_id", "access_token", "app_secret"),
        account_key="phone_number_id",
        literal=False,
        in_words=False,
        identity=("phone_number_id",),
        webhook="shared",
        idempotency="none",
        pace_connection=0.0125,
        window=24 * 3600.0,
        names=frozenset({"context", "contacts"}),
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._graph = Graph(settings, CODES)

    @property
    def _number(self) -> str:
        return str(self._settings.get("phone_number_id") or self._settings.account or "")

    # ── in ────────────────────────────────────────────────────────────────────────────────────

    def verify(self, inbound: Inbound) -> None:
        """Check `X-Hub-Signature-256` with the app secret. Raises SignatureError, MissingSecret."""
        meta.verify(inbound, self._settings.secret("app_secret"))

    def handshake(self, inbound: Inbound) -> Response | None:
        """Answer the GET with which a webhook is registered: the challenge, or 403."""
        return meta.handshake(inbound, lambda: self._settings.secret("verify_token"))

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """The facts of a webhook, of all numbers in it. Raises ParseError."""
        return parse.facts(inbound)

    def reread(self, raw: Any, at: datetime) -> Iterable[Fact | Unparsed]:
        """The facts of what was kept of one item. Raises ParseError."""
        return parse.again(raw, at)

    def normalise(self, external_id: str, kind: str) -> str | Alias:
        """The one form of an id. Raises BadInput."""
        return naming.normalise(external_id, kind)

    # ── out ───────────────────────────────────────────────────────────────────────────────────

    def render(self, document: Document) -> str:
        """The document in WhatsApp's marks."""
        return markup.render(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Upload the file if there is one, then post the message. Raises a SendError."""
        return send.send(self._graph, self._number, outgoing)

    def fetch(self, handle: Mapping[str, Any]) -> Flow[Download]:
        """The request for an inbound file's bytes. Raises a SendError."""
        return acts.fetch(self._graph, self._number, handle)

    def react(self, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
        """Set or remove the bot's reaction; there is one per message. Raises a SendError."""
        return acts.react(self._graph, self._number, message, emoji, remove)

    def mark_read(self, message: MessageRef) -> Flow[None]:
        """Mark a message read. Raises a SendError, Unsupported in a group."""
        return acts.mark_read(self._graph, self._number, message)

    def typing(self, to: Recipient, message: MessageRef | None) -> Flow[None]:
        """Show that the bot is writing; needs the message it answers. Raises Unsupported."""
        return acts.typing(self._graph, self._number, to, message)

    def check(self) -> Flow[Health]:
        """Whether the token works for this number, and whether its webhooks come. Raises a SendError."""
        return health.check(self._graph, self._number)
