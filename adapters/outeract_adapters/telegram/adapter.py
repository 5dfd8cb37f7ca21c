"""The Telegram adapter: its manifest, its secret's check, and where everything else is found.

Knows: the limits of the Bot API, which config it takes.
Does not know: how updates are read (`inbound/parse.py`) or messages sent (`outbound/send.py`).
"""

from __future__ import annotations

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
    Polled,
    Profile,
    Recipient,
    Sent,
    Settings,
)
from outeract_core.errors import SignatureError
from outeract_core.events import Fact, Unparsed
from outeract_core.text import Document

from . import health, naming
from .api import DEFAULT_BASE, Api
from .inbound import parse, poll
from .inbound.people import Us
from .outbound import acts, markup, send
from .outbound.compose import CAPTION, TEXT
from .outbound.keyboards import BUTTONS
from .outbound.media import ALBUM, MEDIA, SMALLER

__all__ = ["Telegram"]

_HEADER = "x-telegram-bot-api-secret-token"


class Telegram:
    """A bot, as @BotFather makes them."""

    manifest: ClassVar[Manifest] = Manifest(
        platform="telegram",
        text_limit=TEXT,
        text_unit="utf16",
        text_counts="plain",
        one_reaction=True,
        caption_limit=CAPTION,
        capabilities=frozenset({
            "text", "media", "reply", "thread", "react", "edit", "delete", "typing", "buttons",
            "quick_replies", "menu", "location", "contacts", "groups", "album", "format",
        }),
        media=MEDIA,
        type_limits=SMALLER,
        buttons=BUTTONS,
        button_title=64,
        menu_rows=BUTTONS,
        menu_title=64,
        menu_description=0,
        menu_section=0,
        lacks={"channel": frozenset({"quick_replies"})},
        album=ALBUM,
        config={
            "token": "the bot's token from @BotFather, 123456789:AA…",
            "webhook_secret_token": "1 to 256 of A-Z, a-z, 0-9, _ and -; given to setWebhook as secret_token",
            "bot_id": "the number before the token's colon, to recognise the bot's own messages",
            "username": "the bot's @username, to tell its commands and mentions from others'",
            "base_url": f"where the Bot API is, {DEFAULT_BASE} unless given",
        },
        secrets=frozenset({"token", "webhook_secret_token"}),
        required=("token",),
        account_key="bot_id",
        identity=("token", "bot_id"),
        webhook="dedicated",
        idempotency="none",
        pace_connection=1 / 30,
        pace_chat=1.0,
        keeps=24 * 3600.0,
        deletes=48 * 3600.0,
        answers=frozenset({"reply_to_message", "external_reply", "quote"}),
        names=frozenset({
            "pinned_message", "user", "users", "new_chat_members", "new_chat_member",
            "new_chat_participant", "old_chat_member", "left_chat_member", "left_chat_participant",
            "members", "contact", "contacts", "via_bot", "users_shared", "voter_chat", "actor_chat",
            "content",
        }),
        forwards=frozenset({
            "forward_origin", "forward_from", "forward_from_chat", "forward_sender_name",
            "forward_signature", "forward",
        }),
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = Api(settings)
        self._us = Us.of(settings)

    # ── in ────────────────────────────────────────────────────────────────────────────────────

    def verify(self, inbound: Inbound) -> None:
        """Check `X-Telegram-Bot-Api-Secret-Token`. Raises SignatureError, MissingSecret.

        Bot API, setWebhook: the header holds the `secret_token` as it is. Nothing signs the body
        and nothing has a time in it: a replay verifies, and only the keys recognise it.
        """
        expected = self._settings.secret("webhook_secret_token").encode("utf-8", "surrogatepass")
        try:
            given = inbound.header(_HEADER)
        except UnicodeEncodeError:
            given = None
        if not given:
            raise SignatureError(f"no {_HEADER} header")
        if not hmac.compare_digest(expected, given):
            raise SignatureError(f"{_HEADER} is not the webhook_secret_token")

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """The facts of an update. Raises ParseError."""
        return parse.facts(inbound, self._us)

    def reread(self, raw: Any, at: datetime) -> Iterable[Fact | Unparsed]:
        """The facts of an update that was kept; one that is none any more becomes Unparsed."""
        return parse.update_facts(raw, self._us, at)

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        """What has come since `cursor`, waiting up to `wait` seconds. Raises a SendError."""
        return poll.poll(self._api, self._us, cursor, wait)

    def normalise(self, external_id: str, kind: str) -> str:
        """The one form of an id. Raises BadInput."""
        del kind  # a number tells by itself
        return naming.normalise(external_id)

    # ── out ───────────────────────────────────────────────────────────────────────────────────

    def render(self, document: Document) -> str:
        """The document as Telegram HTML."""
        return markup.render(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Post the message, with its files in the same request. Raises a SendError."""
        return send.send(self._api, outgoing)

    def edit(self, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
        """Replace text or caption, and the buttons. Raises a SendError."""
        return acts.edit(self._api, message, outgoing)

    def delete(self, message: MessageRef) -> Flow[None]:
        """Delete a message. Raises a SendError."""
        return acts.delete(self._api, message)

    def react(self, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
        """Set or remove the bot's one reaction. Raises a SendError."""
        return acts.react(self._api, message, emoji, remove)

    def typing(self, to: Recipient, message: MessageRef | None) -> Flow[None]:
        """Show that the bot is writing, for 5 seconds. Raises a SendError."""
        return acts.typing(self._api, to, message)

    def answer(self, action: Mapping[str, Any]) -> Flow[None]:
        """Tell Telegram that a press has arrived. Raises a SendError."""
        return acts.answer(self._api, action)

    def fetch(self, handle: Mapping[str, Any]) -> Flow[Download]:
        """The request for an inbound file's bytes. Raises a SendError."""
        return acts.fetch(self._api, handle)

    def profile(self, of: Recipient) -> Flow[Profile]:
        """The name and the picture of a person, group or channel. Raises a SendError."""
        return acts.profile(self._api, of)

    def check(self) -> Flow[Health]:
        """Whether the token works, and how updates come. Raises a SendError."""
        return health.check(self._api)
