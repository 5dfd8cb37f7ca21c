"""Requests to the Web API, in the three forms that it takes.

Knows: the base URL, the token's place, which form which method wants.
Does not know: what the answers mean (`errors.py`).

Slack docs, "Web API": JSON needs `charset=utf-8` and a token in the header; methods that read, and
those for files, take a query or a form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from outeract_core.adapter import Call, Settings

__all__ = ["DEFAULT_BASE", "Api"]

DEFAULT_BASE = "https://slack.com/api/"
_HOSTS = ("slack.com", "slack-files.com", "slack-gov.com")
_UPLOAD_TIMEOUT = 300.0


@frozen
class Api:
    """The Web API as one connection calls it."""

    settings: Settings

    @property
    def base(self) -> str:
        """The URL before the method's name; it ends in a slash."""
        return str(self.settings.get("base_url") or DEFAULT_BASE).rstrip("/") + "/"

    @property
    def bearer(self) -> dict[str, str]:
        """The header that carries the bot token."""
        return {"authorization": f"Bearer {self.settings.secret('bot_token')}"}

    def json(self, method: str, body: Mapping[str, Any]) -> Call:
        """A method that writes."""
        headers = {**self.bearer, "content-type": "application/json; charset=utf-8"}
        return Call("POST", self.base + method, headers=headers, json=dict(body))

    def form(self, method: str, fields: Mapping[str, str]) -> Call:
        """A method for files."""
        return Call("POST", self.base + method, headers=self.bearer, form=dict(fields))

    def query(self, method: str, params: Mapping[str, str]) -> Call:
        """A method that reads."""
        return Call("GET", self.base + method, headers=self.bearer, params=dict(params))

    def download(self, url: str) -> Call:
        """The bytes of a file of Slack's."""
        return Call("GET", url, headers=self.bearer, timeout=_UPLOAD_TIMEOUT)

    def trusts(self, url: str) -> bool:
        """Whether the token may be sent there: to Slack over TLS, or where `base_url` points."""
        parts, own = urlsplit(url), urlsplit(self.base)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        host = parts.hostname or ""
        known = any(host == one or host.endswith(f".{one}") for one in _HOSTS)
        return parts.scheme == "https" and known
