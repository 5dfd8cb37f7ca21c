"""Requests to the Bot API, and what its answers say.

Knows: where the token stands, which form a request has, the shape of every answer.
Does not know: what a refusal leads to (`errors.py`), which method is called, or why.

Bot API, "Making requests": the token is part of the URL, so every URL is a secret; nested values in
a form are JSON texts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from outeract_core.adapter import Call, Flow, OutgoingFile, Reply, Settings
from outeract_core.errors import Ambiguous, Rejected, Transient

from .fields import Object, clean, number, obj, text

__all__ = ["DEFAULT_BASE", "Answer", "Api"]

DEFAULT_BASE = "https://api.telegram.org"
_UPLOAD_TIMEOUT = 300.0


@frozen
class Answer:
    """What a method was answered with.

    code      `error_code`, or the HTTP status where Telegram did not speak; 0 when it was done.
    spoken    whether it is the Bot API's own answer, not that of a proxy before it.
    after     seconds to wait, when it was too fast; `moved_to`: the chat's new id.
    """

    result: Any = None
    code: int = 0
    description: str = ""
    spoken: bool = True
    after: float | None = None
    moved_to: int | None = None

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.code == 0

    def says(self, *words: str) -> bool:
        """Whether the refusal's description has one of these phrases, in any case."""
        return any(word in self.description.lower() for word in words)


@frozen
class Api:
    """The Bot API as one connection calls it."""

    settings: Settings = field(repr=False)

    @property
    def base(self) -> str:
        """The URL before `/bot<token>`, without a slash at its end."""
        return str(self.settings.get("base_url") or DEFAULT_BASE).rstrip("/")

    @property
    def token(self) -> str:
        """The token as it stands in a URL. Raises MissingSecret."""
        return quote(self.settings.secret("token"), safe=":-_")

    def call(
        self,
        method: str,
        params: Mapping[str, Any],
        files: tuple[tuple[str, OutgoingFile], ...] = (),
        timeout: float = 30.0,
    ) -> Call:
        """A method: JSON, or multipart when there are files."""
        url, said = f"{self.base}/bot{self.token}/{method}", clean(dict(params))
        if not files:
            return Call("POST", url, json=said, timeout=timeout, secret_url=True)
        form = {name: _field(value) for name, value in said.items()}
        return Call("POST", url, form=form, files=files, timeout=_UPLOAD_TIMEOUT, secret_url=True)

    def download(self, path: str) -> Call:
        """The bytes behind a `file_path`. Raises Rejected when it leads elsewhere."""
        if path.startswith("/") or ".." in path.split("/"):
            raise Rejected(
                "getFile gave a path on the Bot API server's own disk (--local); it cannot be fetched"
            )
        url = f"{self.base}/file/bot{self.token}/{quote(clean(path))}"
        return Call("GET", url, timeout=_UPLOAD_TIMEOUT, secret_url=True)

    def reach(self, call: Call, *, repeatable: bool) -> Flow[Answer]:
        """The answer to a call; a connection that broke off hurts only what may not be repeated."""
        try:
            reply = yield call
        except Ambiguous as error:
            if repeatable:
                raise Transient(error.reason, code=error.code) from error
            raise
        return self.read(reply)

    def read(self, reply: Reply) -> Answer:
        """What a reply says. Telegram's words, without our token."""
        try:
            body = reply.json()
        except RecursionError:
            body = None
        told: Object = body if isinstance(body, dict) else {}
        if 200 <= reply.status < 300 and told.get("ok") is True and "result" in told:
            return Answer(told["result"])
        spoken = told.get("ok") is False and number(told, "error_code") is not None
        said = text(told, "description") or f"answered {reply.status} without a result"
        parameters = obj(told, "parameters")
        code = (number(told, "error_code") if spoken else reply.status) or 502
        secret = self.settings.secret("token")
        return Answer(
            None, code, said.replace(secret, "…"), spoken, _seconds(parameters, reply),
            number(parameters, "migrate_to_chat_id"),
        )  # fmt: skip


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _seconds(parameters: Object, reply: Reply) -> float | None:
    """Bot API, ResponseParameters: `retry_after` stands in the body; a proxy may use the header."""
    value = parameters.get("retry_after")
    if isinstance(value, bool) or not isinstance(value, int | float):
        told = reply.headers.get("retry-after", "").strip()
        value = float(told) if told.isascii() and told.isdigit() and len(told) < 7 else math.nan
    return float(value) if 0 <= value < 10**7 else None
