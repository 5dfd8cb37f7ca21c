"""A call becomes a request: one that can be written down, and goes to the address that was looked at.

Knows: bodies, parts of forms, headers, what is an address on the web.
Does not know: how a request travels, what comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import httpx
from attrs import field

from ..._domain.values.classes import frozen
from ..._domain.values.names import safe_filename, safe_mime
from ...adapter import Call, OutgoingFile
from ...errors import Rejected
from .addresses import Origin
from .answers import CODINGS
from .departure import Departure, check_headers

CONNECT = 10.0
"""Seconds for a connection to stand; what fails within them has certainly not been sent."""
_SCHEMES = ("http", "https")


@frozen
class Pinned:
    """Where a request goes, and by which name it is asked for there."""

    url: httpx.URL = field(repr=False)
    headers: dict[str, str] = field(factory=dict)
    extensions: dict[str, Any] = field(factory=dict)


def port(url: httpx.URL) -> int:
    return url.port or (80 if url.scheme == "http" else 443)


def origin_of(url: httpx.URL) -> Origin:
    """Scheme, host and port. Raises Rejected for what is no address on the web."""
    if url.scheme not in _SCHEMES or not url.host:
        raise Rejected("the request cannot be made: its URL is not one of http or https")
    return url.scheme, url.raw_host.decode("ascii"), port(url)


def url_of(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """The URL, which may stand relative to another. Raises Rejected for what is none."""
    try:
        return httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise Rejected(f"the request cannot be made: {type(error).__name__}") from None


async def request_of(
    client: httpx.AsyncClient, call: Call, pinned: Pinned, way: Departure
) -> httpx.Request:
    body: dict[str, Any] = {}
    if call.json is not None:
        body["json"] = call.json
    if call.form is not None:
        body["data"] = dict(call.form)
    if call.content is not None:
        body["content"] = await _bytes(call.content)
    if call.files:
        body["files"] = [(name, await _part(file)) for name, file in call.files]
    return client.build_request(
        call.method, pinned.url, headers=_headers(call.headers, CODINGS, pinned),
        params=call.params, timeout=patience(call.timeout),
        extensions={"trace": way.trace, **pinned.extensions}, **body,
    )  # fmt: skip


def request_for_bytes(
    client: httpx.AsyncClient, call: Call, pinned: Pinned, headers: Mapping[str, str]
) -> httpx.Request:
    """The request for a file's bytes, as they are. Raises Rejected when none can be made."""
    try:
        request = client.build_request(
            call.method, pinned.url, headers=_headers(headers, "identity", pinned),
            timeout=patience(call.timeout), extensions=pinned.extensions,
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        raise Rejected(f"the request cannot be made: {type(error).__name__}") from None
    check_headers(request.headers.raw)
    return request


def _headers(given: Mapping[str, str], codings: str, pinned: Pinned) -> dict[str, str]:
    """What an adapter asks for, but for what is ours to say: whom we ask, and what we can unpack."""
    theirs = {k: v for k, v in given.items() if k.lower() not in ("host", "accept-encoding")}
    return {**theirs, "Accept-Encoding": codings, **pinned.headers}


async def _part(file: OutgoingFile) -> tuple[str, bytes, str]:
    """One file of a multipart body, under a name and a type that can stand in its header."""
    name, mime = safe_filename(file.filename) or "file", safe_mime(file.mime_type)
    return name, await _bytes(file), mime or "application/octet-stream"


async def _bytes(content: bytes | OutgoingFile) -> bytes:
    if isinstance(content, bytes):
        return content
    return await anyio.to_thread.run_sync(content.read)


def patience(seconds: float) -> httpx.Timeout:
    """How long each step may take; a connection stands soon or not at all."""
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT), pool=None)


def named(request: httpx.Request) -> str:
    """The host by its name, also where the URL has its checked address."""
    name: str = request.extensions.get("sni_hostname", request.url.host)
    return name
