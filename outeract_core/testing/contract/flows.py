"""Every flow that an adapter may have, ready to start with plausible arguments.

Knows: the optional protocols, what a part of a message may hold, the samples of the subject.
Does not know: what a flow must do (`outbound.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, get_args

import pytest

from ... import adapter as protocols
from ...adapter import Adapter, Flow, MessageRef, Outgoing, OutgoingFile, Recipient
from ...content import Button, Contact, FileKind, Location, Menu, MenuRow, Template
from ...text.commonmark import plain
from ..flows import drive
from .subject import Subject

__all__ = ["TOKEN", "VERBS", "Flows", "Start", "sends"]

EVENT_ID = "019b76da-a800-7000-8000-000000000001"
TOKEN = f"{EVENT_ID.replace('-', '')}.0"

Start: TypeAlias = Callable[[Adapter], Flow[Any]]

_ABILITIES: dict[str, Any] = {
    "react": protocols.CanReact, "unreact": protocols.CanReact, "edit": protocols.CanEdit,
    "delete": protocols.CanDelete, "mark_read": protocols.CanMarkRead, "typing": protocols.CanType,
    "answer": protocols.CanAnswer, "fetch": protocols.CanFetch, "check": protocols.CanCheck,
    "find": protocols.CanFind, "poll": protocols.CanPoll,
    "profile": protocols.CanProfile, "identify": protocols.CanIdentify,
}  # fmt: skip
_BODIES = (
    "text", *(f"media {kind}" for kind in get_args(FileKind)), "album", "buttons", "quick_replies", "menu", "location", "contacts",
    "template", "reply", "thread",
)  # fmt: skip
VERBS = (*(f"send {name}" for name in _BODIES), *_ABILITIES)


class Flows(Subject):
    """Starts flows by name."""

    def verbs(self) -> list[str]:
        """The flows that manifest and class claim; all that there are when the class is not found."""
        try:
            return [verb for verb in VERBS if self._claims(verb)]
        except (AssertionError, ImportError, AttributeError):
            return list(VERBS)

    def _claims(self, verb: str) -> bool:
        name, _, body = verb.partition(" ")
        if not body:
            return issubclass(self.type(), _ABILITIES[name])
        capability, _, kind = body.partition(" ")
        known = not kind or kind in self.manifest.media
        return known and capability in self.manifest.capabilities

    def start(self, verb: str) -> Start:
        """What starts the flow of this name; skips when no sample has what it needs."""
        name, _, body = verb.partition(" ")
        if not body:
            return self._optional(name)
        capability, _, kind = body.partition(" ")
        return sends(self.outgoing(self.to(), "Hello", **self._shape(capability, kind)))

    def outgoing(self, to: Recipient, text: str, **more: Any) -> Outgoing:
        """One part that says `text`."""
        rendered = self.make().render(plain(text))
        return Outgoing(TOKEN, EVENT_ID, 0, 1, to, text=rendered, plain=text, **more)

    def _optional(self, name: str) -> Start:
        if name == "fetch":
            handle = self._handle()
            return lambda a: a.fetch(handle)  # type: ignore[attr-defined]
        if name == "answer":
            action = self.first("message.action")
            if action is None:
                pytest.skip("no sample holds a message.action")
            return lambda a: a.answer(action.payload)  # type: ignore[attr-defined]
        text, to, inbound = self.outgoing(self.to(), "Hello"), self.to(), self._inbound()
        own = self._own() if name in ("edit", "delete") else inbound
        flows: dict[str, Callable[[Any], Flow[Any]]] = {
            "react": lambda a: a.react(inbound, "👍", False),
            "unreact": lambda a: a.react(inbound, "👍", True),
            "edit": lambda a: a.edit(own, text),
            "delete": lambda a: a.delete(own),
            "mark_read": lambda a: a.mark_read(inbound),
            "typing": lambda a: a.typing(to, inbound),
            "check": lambda a: a.check(),
            "find": lambda a: a.find(text),
            "poll": lambda a: a.poll(None, 0.0),
            "profile": lambda a: a.profile(to),
            "identify": lambda a: a.identify(),
        }
        return flows[name]

    def _handle(self) -> Any:
        for _, fact in self.facts():
            if fact.files:
                return fact.files[0].handle
        return pytest.skip("no sample holds a file")

    def _inbound(self) -> MessageRef:
        fact = self.first("message.inbound")
        assert fact is not None  # noqa: S101 - to() has made sure
        return MessageRef(str(fact.key), self.to(), payload=fact.payload)

    def _own(self) -> MessageRef:
        sent, _ = drive(self.start("send text")(self.make()), self.replies)
        return MessageRef(str(sent.external_id), self.to(), outbound=True)

    def _shape(self, capability: str, kind: str) -> dict[str, Any]:
        limit, rows = self.manifest.buttons, [MenuRow("one", "One"), MenuRow("two", "Two")]
        shapes: dict[str, Callable[[], dict[str, Any]]] = {
            "text": dict,
            "media": lambda: {"files": (self._file(kind),)},
            "album": lambda: {"files": (self._file(), self._file())},
            "buttons": lambda: {"buttons": _buttons(limit)},
            "quick_replies": lambda: {"quick_replies": _buttons(limit or 3)},
            "menu": lambda: {"menu": Menu("Choose", rows)},
            "location": lambda: {"location": Location(52.5, 13.4, "Berlin", "Mitte")},
            "contacts": lambda: {"contacts": (Contact("Ada Lovelace", ["+441632960000"]),)},
            "template": lambda: {"template": Template("hello")},
            "reply": lambda: {"reply_to": self._inbound().external_id},
            "thread": lambda: {"thread": self._thread()},
        }
        return shapes[capability]()

    def _thread(self) -> str:
        roots = (fact.thread for _, fact in self.facts() if fact.thread)
        return next(roots, self._inbound().external_id)

    def _file(self, kind: str = "") -> OutgoingFile:
        """A file of this kind, or of the first that the platform takes, pictures before all else."""
        media = self.manifest.media
        kind = kind or ("image" if "image" in media else min(media))
        mime = next(iter(media[kind][1]), "application/octet-stream")
        return OutgoingFile(f"file.{mime.rpartition('/')[2]}", mime, kind, 4, data=b"data")


def sends(outgoing: Outgoing) -> Start:
    """What starts the flow that sends this part."""
    return lambda adapter: adapter.send(outgoing)


def _buttons(limit: int) -> tuple[Button, ...]:
    return tuple(Button(f"id-{n}", f"Choice {n}") for n in range(min(limit, 3)))
