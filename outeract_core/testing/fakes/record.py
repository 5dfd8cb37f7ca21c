"""What a fake platform saw: requests taken apart, and messages that would have reached somebody.

Knows: query strings, forms, JSON and multipart bodies; the lock that all players share.
Does not know: any platform, sockets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from functools import cached_property
from threading import Condition
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["Answer", "Received", "Request", "Upload", "World", "answer_json", "groups"]


@dataclass(frozen=True)
class Upload:
    """One file of a multipart body."""

    filename: str
    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived. Header names are lower case; `path` is without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: datetime

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a url-encoded or multipart body that are not files."""
        if self._type == "application/x-www-form-urlencoded":
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        return {name: data.decode() for name, filename, _, data in self._parts if filename is None}

    @cached_property
    def files(self) -> dict[str, Upload]:
        """The files of a multipart body by field name."""
        return {
            name: Upload(filename, mime, data)
            for name, filename, mime, data in self._parts
            if filename is not None
        }

    @cached_property
    def params(self) -> dict[str, Any]:
        """Query, form and JSON members together, as an API that takes any of them reads it."""
        members = self.json if isinstance(self.json, dict) else {}
        return {**self.query, **self.form, **members}

    @property
    def bearer(self) -> str | None:
        """The token of an `Authorization: Bearer` header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    @property
    def _type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def _parts(self) -> list[tuple[str, str | None, str, bytes]]:
        return (
            list(_multipart(self.headers["content-type"], self.body)) if self._is_multipart else []
        )

    @property
    def _is_multipart(self) -> bool:
        return self._type == "multipart/form-data"


def _multipart(content_type: str, body: bytes) -> Iterator[tuple[str, str | None, str, bytes]]:
    """(name, filename, MIME type, data) of every part, RFC 7578."""
    outer = Message()
    outer["content-type"] = content_type
    boundary = str(outer.get_param("boundary", "")).encode()
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        inner = Message()
        for line in head.decode().strip().split("\r\n"):
            name, _, value = line.partition(":")
            inner[name.strip()] = value.strip()
        field_name = inner.get_param("name", "", "content-disposition")
        mime = inner.get_content_type() if inner["content-type"] else "application/octet-stream"
        yield str(field_name), inner.get_filename(), mime, data


@dataclass(frozen=True)
class Received:
    """A message that a fake platform accepted.

    text         as a reader would see it; marks of bold and the like stay on WhatsApp and Slack.
    id           as the platform answered it: a message id, wamid or ts.
    chat         chat id, phone number or channel that the platform delivered to.
    correlation  the sender's own token as far as the platform carries one (WhatsApp
                 `biz_opaque_callback_data`, Slack `metadata.event_payload`, of that its `token` if it has one).
    params       everything that the request said.
    """

    platform: str
    method: str
    chat: str
    text: str
    id: str
    at: datetime
    correlation: Any = None
    files: tuple[Upload, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for two messages that a person could not tell apart, or that carry one token."""
        said: Any = self.text, tuple(hashlib.sha256(file.data).digest() for file in self.files)
        if not (self.text or self.files):
            said = json.dumps(dict(self.params), sort_keys=True, default=str)
        token = json.dumps(self.correlation, sort_keys=True, default=str)
        return self.platform, self.chat, self.method, token, said


def groups(messages: Iterable[Received]) -> list[tuple[Received, ...]]:
    """The messages with their copies, in the order in which each came first."""
    found: dict[tuple[Any, ...], list[Received]] = {}
    for message in messages:
        found.setdefault(message.identity, []).append(message)
    return [tuple(copies) for copies in found.values()]


@dataclass(frozen=True)
class Answer:
    """What to answer; `body` as it goes over the wire."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_json(value: Any, status: int = 200) -> Answer:
    """`value` as a JSON answer."""
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(status, json.dumps(value).encode(), headers)


@dataclass
class World:
    """What the players of one fake share. `changed` is the lock, and woken by every change.

    told  called with each message that was accepted, in the thread that accepted it.
    """

    clock: Callable[[], datetime]
    url: str = ""
    closed: bool = False
    received: list[Received] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    told: Callable[[Received], object] = lambda _: None

    @property
    def seconds(self) -> int:
        """Unix time."""
        return int(self.clock().timestamp())

    def receive(self, message: Received) -> None:
        """Note a message that was accepted."""
        with self.changed:
            self.received.append(message)
            self.changed.notify_all()
        self.told(message)

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Wait up to `timeout` seconds until `until()` holds; whether it does."""
        with self.changed:
            return self.changed.wait_for(lambda: self.closed or until(), timeout) and until()
