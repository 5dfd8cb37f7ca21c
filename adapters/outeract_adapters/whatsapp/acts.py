"""Flows upon what exists: reactions, read marks, typing, downloads.

Knows: the requests, and where WhatsApp refuses them.
Does not know: retries, HTTP, why the host wants it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from outeract_core.adapter import Download, Flow, MessageRef, Recipient
from outeract_core.errors import Rejected, Unsupported
from outeract_core.text.graphemes import boundary

from ..meta import Object, text
from ..meta_graph import Graph
from .compose import address

__all__ = ["fetch", "mark_read", "react", "typing"]


def react(graph: Graph, number: str, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
    """Set the bot's one reaction, or take it back (an empty emoji). Raises Unsupported for what is no emoji."""
    if not remove and not _is_emoji(emoji):
        raise Unsupported(f"{emoji!r:.60} is no reaction of WhatsApp's: give one emoji, e.g. '👍'")
    reaction = {"message_id": message.external_id, "emoji": "" if remove else emoji}
    body = {"messaging_product": "whatsapp", **address(message.chat), "type": "reaction"}
    call = graph.post(number, "messages", {**body, "reaction": reaction})
    yield from graph.ask(call, repeatable=True)


def _is_emoji(told: str) -> bool:
    """Whether it is one character as people see it, and a picture. Cloud API, "Reaction messages": any emoji."""
    first = unicodedata.category(told[0])
    keycap = told[0] in "0123456789#*" and told[-1] == "\u20e3"
    pictured = not told.isascii() and (first in ("So", "Sm", "Sk", "Po", "Pd") or told[0] == "ℹ")
    return (pictured or keycap) and not any(boundary(told, at) for at in range(1, len(told)))


def mark_read(graph: Graph, number: str, message: MessageRef) -> Flow[None]:
    """Two blue ticks on the message and all before it. Raises Unsupported in a group."""
    _direct(message.chat, "read marks")
    call = graph.post(number, "messages", _read(message.external_id))
    yield from graph.ask(call, repeatable=True)


def typing(graph: Graph, number: str, to: Recipient, message: MessageRef | None) -> Flow[None]:
    """Show "typing…" for 25 seconds at most; it always marks `message` read, too.

    Raises Unsupported in a group, and without the message that is being answered.
    """
    _direct(to, "typing")
    if message is None:
        raise Unsupported("WhatsApp shows typing only in answer to a message; name that message")
    body = {**_read(message.external_id), "typing_indicator": {"type": "text"}}
    yield from graph.ask(graph.post(number, "messages", body), repeatable=True)


def _read(external_id: str) -> Object:
    return {"messaging_product": "whatsapp", "status": "read", "message_id": external_id}


def _direct(to: Recipient, what: str) -> None:
    if to.kind == "group":
        raise Unsupported(f"WhatsApp has no {what} in groups")


def fetch(graph: Graph, number: str, handle: Mapping[str, Any]) -> Flow[Download]:
    """Where the bytes are: the media id leads to a URL that lives for 5 minutes."""
    told: Object = dict(handle)
    known, url = text(told, "id"), text(told, "url")
    if known is not None:
        call = graph.get(known, {"phone_number_id": number})
        told = yield from graph.ask(call, repeatable=True)
        url = text(told, "url")
    if url is None:
        raise Rejected("WhatsApp gave no address for this file; it keeps files for 30 days")
    page = (text(told, "mime_type") or "").startswith("text/html")
    return Download(graph.download(url), refuse=() if page else ("text/html",))
