"""The console: talk to the bot in a terminal, with nothing but the library.

Knows: what a typed line means, how a message looks where nothing can be formatted or clicked.
Does not know: stdin and stdout; core's `chat` command feeds lines in and routes `console:` out.

Each line is one `Inbound`, either as it was typed or as JSON `{"user": …, "text": …, "n": …}`.
A message goes out as `POST console://stdout` with JSON `{"id", "to", "text"}`; whoever writes it
answers 200. Writing the same `id` again must show nothing, so that a repeated send is harmless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any, ClassVar

from attrs import frozen

from outeract_core.adapter import (
    Call,
    Flow,
    Health,
    Inbound,
    Manifest,
    Outgoing,
    Reply,
    Sent,
    Settings,
)
from outeract_core.content import Button, Contact, Location, MenuRow, Template
from outeract_core.errors import ParseError, Rejected, Transient
from outeract_core.events import Fact, Party, Unparsed, message
from outeract_core.text import Document, to_plain

__all__ = ["Console"]

OUT = "console://stdout"

_PRESS = re.compile(r"/press\s+(?P<id>\S.*)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves cursors, changes colours or direction, or cannot be written as UTF-8."""
_ANY_SIZE = (2**40, ())
_KINDS = ("image", "video", "audio", "voice", "document", "sticker")


@frozen
class _Line:
    user: str
    text: str
    key: str | None


class Console:
    """One terminal as a platform."""

    manifest: ClassVar[Manifest] = Manifest(
        platform="console",
        text_limit=None,
        caption_kinds=frozenset(_KINDS),
        header_limit=1000,
        footer_limit=1000,
        capabilities=frozenset({
            "text", "format", "media", "reply", "buttons", "quick_replies", "menu", "location",
            "contacts", "template",
        }),
        media=dict.fromkeys(_KINDS, _ANY_SIZE),
        buttons=99,
        button_title=200,
        menu_rows=99,
        menu_title=200,
        menu_description=200,
        config={"user": "who types lines that do not name a user; `you` unless given"},
        webhook="none",
        idempotency="native",
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self._user = str(settings.get("user") or "you")

    # ── in ────────────────────────────────────────────────────────────────────────────────────

    def verify(self, inbound: Inbound) -> None:
        """Accept: a line comes from the host's own terminal, and there is no network to distrust."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """A line as a message, or `/press ID` as a press of that button.

        Only a line with an `n` has a key, so only such a line is recognised when it comes again.
        Raises ParseError for a blank line.
        """
        line = self._read(inbound.body)
        if not line.text.strip():
            raise ParseError("a blank line says nothing; type a text or /press ID")
        pressed = _PRESS.fullmatch(line.text.strip())
        if pressed:
            payload = {"platform": "console", "type": "button", "id": pressed["id"]}
        else:
            payload = message("console", line.key or "", "text", line.text)
        yield Fact(
            kind="message.action" if pressed else "message.inbound",
            key=line.key,
            payload={**payload, "external_message_id": line.key},
            raw=inbound.body.decode("utf-8", "replace"),
            occurred_at=inbound.received_at.astimezone(UTC),
            sender=Party(line.user, name=line.user),
        )

    def _read(self, body: bytes) -> _Line:
        typed = body.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
        told = _object(typed)
        text = told.get("text")
        if not isinstance(text, str):
            return _Line(self._user, typed, None)
        user, n = told.get("user"), told.get("n")
        name = user if isinstance(user, str) and user else self._user
        counted = isinstance(n, int | str) and not isinstance(n, bool) and n != ""
        return _Line(name, text, f"{n}:{name}" if counted else None)

    # ── out ───────────────────────────────────────────────────────────────────────────────────

    def render(self, document: Document) -> str:
        """The document as plain text."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Write one message. Raises Rejected or Transient when the terminal does not take it."""
        external_id = f"out:{outgoing.token}"
        text = _clean("\n".join(_lines(outgoing)))
        reply = yield Call(
            "POST", OUT, json={"id": external_id, "to": outgoing.to.address, "text": text}
        )
        _check(reply)
        return Sent(external_id)

    def check(self) -> Flow[Health]:
        """Nothing is asked: a terminal has no credentials, and its lines come from the host."""
        yield from ()
        return Health(True, account=self._user)


def _check(reply: Reply) -> None:
    """A repeated line is harmless here, so whatever may pass is tried again."""
    if 200 <= reply.status < 300:
        return
    reason = f"the terminal answered {reply.status}"
    if 400 <= reply.status < 500 and reply.status not in (408, 429):
        raise Rejected(reason, code=reply.status)
    raise Transient(reason, code=reply.status)


def _object(text: str) -> dict[str, Any]:
    """The JSON object that a line is, or an empty one when it is just text."""
    if not text.startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# ── how a message looks ───────────────────────────────────────────────────────────────────────


def _lines(outgoing: Outgoing) -> Iterator[str]:
    if outgoing.reply_to is not None:
        yield f"(in reply to {outgoing.reply_to})"
    if outgoing.header:
        yield outgoing.header
    if outgoing.text:
        yield outgoing.text
    yield from _extras(outgoing)
    yield from _choices(outgoing)
    if outgoing.footer:
        yield outgoing.footer


def _extras(outgoing: Outgoing) -> Iterator[str]:
    for file in outgoing.files:
        where = f", {file.path}" if file.path else ""
        yield f"[{file.kind}: {file.filename}, {file.mime_type}, {file.size} bytes{where}]"
    if outgoing.location is not None:
        yield f"[location: {_place(outgoing.location)}]"
    for contact in outgoing.contacts:
        yield f"[contact: {_card(contact)}]"
    if outgoing.template is not None:
        yield f"[template: {_filled(outgoing.template)}]"


def _choices(outgoing: Outgoing) -> Iterator[str]:
    """Numbered, each with what to type for it."""
    choices: list[Button | MenuRow] = [*outgoing.buttons, *outgoing.quick_replies]
    if outgoing.menu is not None:
        yield f"{outgoing.menu.button}:"
        choices += outgoing.menu.rows
    section = None
    for number, choice in enumerate(choices, 1):
        if isinstance(choice, MenuRow) and choice.section != section:
            section = choice.section
            yield f" {section or ''}"
        yield f"  {number}. {_choice(choice)}"


def _choice(choice: Button | MenuRow) -> str:
    if isinstance(choice, Button) and choice.url:
        return f"{choice.title}: {choice.url}"
    more = f", {choice.description}" if isinstance(choice, MenuRow) and choice.description else ""
    return f"{choice.title}{more} (/press {choice.id})"


def _place(location: Location) -> str:
    named = [part for part in (location.name, location.address) if part]
    return ", ".join([*named, f"{location.latitude:.6f} {location.longitude:.6f}"])


def _card(contact: Contact) -> str:
    return ", ".join([contact.name, *contact.phones, *contact.emails])


def _filled(template: Template) -> str:
    components = f" {json.dumps(list(template.components))}" if template.components else ""
    return f"{template.name} ({template.language}){components}"


def _clean(text: str) -> str:
    """The text with everything that could command the terminal made visible as U+FFFD."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))
