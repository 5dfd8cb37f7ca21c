"""Door two: carries an adapter's flow over HTTP. The only import of httpx.

Knows: requests, time-outs, what an interrupted request means, which addresses are private.
Does not know: platforms, retries, what a reply says.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import httpx

from ..adapter import Call, Download, Flow, OutgoingFile, Reply
from ..errors import Ambiguous, FileTooLarge, PrivateAddress, Rejected, SendError, Transient

T = TypeVar("T")

REPLY_LIMIT = 16 * 1024 * 1024
_CHECKED_FOR = 60.0
_REDIRECTS = 5
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Http:
    """One client for one host program; opened on first use.

    `transport`: an httpx transport (tests). `allow_private`: let requests go to private addresses.
    `console`: what is called for `console:` URLs.
    """

    def __init__(
        self,
        transport: Any = None,
        *,
        allow_private: bool = False,
        console: Callable[[Any], Any] | None = None,
    ) -> None:
        self._given = transport
        self._transport: Any = None
        self._client: httpx.AsyncClient | None = None
        self._loop: Any = None
        self._allow_private = allow_private or transport is not None
        self._console = console or _print_text
        self._trusted: set[tuple[str, int]] = set()
        self._checked: dict[str, float] = {}

    def trust(self, base_url: str) -> None:
        """Requests to this origin are wanted by the host, wherever it is."""
        self._trusted.add(_origin(base_url))

    async def run(self, flow: Flow[T]) -> T:
        """Drive a flow to its result. What it raises passes through; network errors are thrown in."""
        try:
            call = next(flow)
            while True:
                try:
                    reply = await self._send(call)
                except SendError as error:
                    call = flow.throw(error)
                else:
                    call = flow.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ── one request ───────────────────────────────────────────────────────────────────────────

    async def _send(self, call: Call) -> Reply:
        if call.url.startswith("console:"):
            answer = self._console(call.json)
            return Reply(200, {"content-type": "application/json"}, json.dumps(answer).encode())
        await self._check(call.url)
        request = await _request(self._open(), call)
        try:
            response = await self._hand_over(request)
            try:
                body = await _limited(response)
            finally:
                await response.aclose()
        except _NOT_SENT as error:
            raise Transient(f"no connection ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise Ambiguous(f"the connection broke off ({type(error).__name__})") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, body)

    def _open(self) -> httpx.AsyncClient:
        """The client of the running loop: connections do not outlive the loop that made them."""
        loop = anyio.lowlevel.current_token()
        if self._client is None or loop != self._loop:
            self._loop = loop
            self._transport = self._given or httpx.AsyncHTTPTransport(retries=0)
            self._client = httpx.AsyncClient(transport=self._transport)
        return self._client

    async def _hand_over(self, request: httpx.Request) -> httpx.Response:
        """Straight to the transport: the client would log the URL, which may hold a token."""
        transport: httpx.AsyncBaseTransport = self._transport
        response = await transport.handle_async_request(request)
        response.request = request
        return response

    # ── downloads ─────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def download(self, download: Download, limit: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The chunks of a file. Raises FileTooLarge, PrivateAddress and the SendErrors."""
        response = await self._follow(download.call)
        try:
            _check_download(response, download, limit)
            yield _chunks(response, limit)
        except httpx.HTTPError as error:
            raise Transient(f"the download broke off ({type(error).__name__})") from None
        finally:
            await response.aclose()

    async def _follow(self, call: Call) -> httpx.Response:
        """Follow redirects by hand: every address is checked, credentials stay with their host."""
        url, headers = call.url, dict(call.headers)
        for _ in range(_REDIRECTS):
            pinned, extra, extensions = await self._pin(url)
            request = self._open().build_request(
                call.method,
                pinned,
                headers={**headers, **extra},
                extensions=extensions,
                timeout=call.timeout,
            )
            try:
                response = await self._hand_over(request)
            except httpx.HTTPError as error:
                raise Transient(f"no download ({type(error).__name__})") from None
            if not response.is_redirect:
                return response
            await response.aclose()
            target = str(httpx.URL(url).join(response.headers["location"]))
            if _origin(target) != _origin(url):
                headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
            url = target
        raise Rejected("the download was redirected too often")

    async def _pin(self, url: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """The URL with its checked address in place of its name, so that it cannot change."""
        if self._allow_private or _origin(url) in self._trusted:
            return url, {}, {}
        host, port = _origin(url)
        address = await _public_address(host, port)
        if address == host:
            return url, {}, {}
        parts = urlsplit(url)
        shown = f"[{address}]" if ":" in address else address
        pinned = parts._replace(netloc=shown if parts.port is None else f"{shown}:{parts.port}")
        return pinned.geturl(), {"Host": parts.netloc.rpartition("@")[2]}, {"sni_hostname": host}

    async def _check(self, url: str) -> None:
        """Raises PrivateAddress unless the address is public, trusted, or private ones are allowed."""
        host, port = _origin(url)
        if self._allow_private or (host, port) in self._trusted:
            return
        now = time.monotonic()
        if self._checked.get(host, 0.0) < now:
            try:
                await _public_address(host, port)
            except PrivateAddress as error:
                raise Rejected(str(error)) from error
            self._checked[host] = now + _CHECKED_FOR


def _print_text(message: Any) -> Any:
    print(message.get("text", ""), flush=True)  # noqa: T201 - the console platform's very purpose
    return {"id": message.get("id")}


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or (80 if parts.scheme == "http" else 443)


async def _public_address(host: str, port: int) -> str:
    """An address of `host`, all of which must be public."""
    try:
        found = await anyio.getaddrinfo(host, port, type=1)
    except OSError as error:
        raise Transient(f"the name {host} cannot be resolved") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise PrivateAddress(
                f"{host} leads to the private address {address}; "
                "allow it with Outeract(..., allow_private_addresses=True) if that is meant"
            )
    return addresses[0]


async def _request(client: httpx.AsyncClient, call: Call) -> httpx.Request:
    body: dict[str, Any] = {}
    if call.json is not None:
        body["json"] = call.json
    if call.form is not None:
        body["data"] = dict(call.form)
    if call.content is not None:
        body["content"] = await _bytes(call.content)
    if call.files:
        body["files"] = [
            (name, (file.filename, await _bytes(file), file.mime_type)) for name, file in call.files
        ]
    return client.build_request(
        call.method, call.url, headers=dict(call.headers), params=call.params, timeout=call.timeout, **body
    )  # fmt: skip


async def _bytes(content: bytes | OutgoingFile) -> bytes:
    if isinstance(content, bytes):
        return content
    return await anyio.to_thread.run_sync(content.read)


async def _limited(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > REPLY_LIMIT:
            raise Ambiguous(f"the reply is larger than {REPLY_LIMIT} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _check_download(response: httpx.Response, download: Download, limit: int) -> None:
    status = response.status_code
    if status >= 400:
        kind = Transient if status in (408, 425, 429) or status >= 500 else Rejected
        raise kind(f"the download was answered with {status}", code=status)
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in download.refuse:
        raise Rejected(
            f"the platform sent a page ({content_type}) instead of the file; check the scopes"
        )
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise FileTooLarge(f"{announced} bytes are more than the limit of {limit}")


async def _chunks(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > limit:
            raise FileTooLarge(f"more than the limit of {limit} bytes")
        yield chunk
