"""Door two: carries an adapter's flow over HTTP. The only import of httpx.

Knows: requests, deadlines, what an interrupted request means, who may have how many at once.
Does not know: platforms, retries, what a reply says, which addresses are private (`addresses.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import httpx
from attrs import field, frozen

from .._domain.rules.guard import guarded
from ..adapter import Call, Download, Flow, OutgoingFile, Reply
from ..errors import (
    Ambiguous,
    FileTooLarge,
    PrivateAddress,
    Rejected,
    SendError,
    Transient,
    Unreachable,
)
from .addresses import origin, public_address
from .departure import Departure, check_headers
from .proxies import Proxies
from .slots import FairSlots

T = TypeVar("T")

REPLY_LIMIT = 16 * 1024 * 1024
_CHECKED_FOR = 60.0
_REDIRECTS = 5
_CONNECT = 10.0
"""Seconds for a connection to stand; what fails within them has certainly not been sent."""
DOWNLOAD_WITHIN = 600.0
"""Seconds for a whole file, however slowly it drips."""
REQUESTS, REQUESTS_EACH = 100, 25
"""Requests at once: of everybody, and of one connection."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@frozen
class Network:
    """How the network is reached. `transport`: an httpx transport instead of all others (tests).

    proxies         by scheme and host, as the environment or the host says.
    verify          a CA bundle's path or an `ssl.SSLContext` instead of the public authorities.
    cert            a client certificate: a path, or (certificate, key[, password]).
    allow_private   let requests go to private addresses.
    """

    transport: Any = None
    proxies: Proxies = field(factory=Proxies)
    verify: Any = True
    cert: Any = None
    allow_private: bool = False

    def open(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        """A transport without a limit of its own: who may have how many is decided before it."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=REQUESTS)
        return httpx.AsyncHTTPTransport(
            retries=0,
            proxy=proxy,
            verify=self.verify,
            cert=self.cert,
            limits=limits,
            trust_env=False,
        )


class Http:
    """The clients of one host program; opened on first use.

    `console`: what is called for `console:` URLs. `downloads`: files at once, in all and for each.
    """

    def __init__(
        self, network: Network | None = None, *, console: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self._network = network = network or Network()
        self._transports: dict[str | None, Any] = {}
        self._client: httpx.AsyncClient | None = None
        self._loop: Any = None
        self._allow_private = network.allow_private or network.transport is not None
        self._console = console or _print_text
        self._trusted: set[tuple[str, int]] = set()
        self._checked: dict[str, float] = {}
        self._slots = FairSlots(REQUESTS, REQUESTS_EACH)

    def trust(self, base_url: str) -> None:
        """Requests to this origin are wanted by the host, wherever it is."""
        self._trusted.add(origin(base_url))

    async def run(
        self, flow: Flow[T], *, by: Hashable = None, waiting: bool = False,
        departure: Departure | None = None,
    ) -> T:  # fmt: skip
        """Drive a flow to its result. What it raises passes through; network errors are thrown in.

        `by`: the connection, whose share of the requests it is. `waiting`: a long poll, which only
        waits nearly all the time and takes nobody's place. `departure` is asked before each request
        leaves, and told when it does.
        """
        way = Departure() if departure is None else departure
        try:
            with guarded:
                call = next(flow)
            while True:
                try:
                    reply = await self._within(call, by, waiting, way)
                except SendError as error:
                    with guarded:
                        call = flow.throw(error)
                else:
                    with guarded:
                        call = flow.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            with suppress(Exception), guarded:  # it was left before its end: by what counts more
                flow.close()

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        client, transports = self._client, list(self._transports.values())
        self._client, self._transports = None, {}
        for each in [*transports, *([] if client is None else [client])]:
            await each.aclose()

    # ── one request ───────────────────────────────────────────────────────────────────────────

    async def _within(self, call: Call, by: Hashable, waiting: bool, way: Departure) -> Reply:
        if call.url.startswith("console:"):
            await way.ready(call.timeout)
            way.go()
            with guarded:
                answer = self._console(call.json)
            return Reply(200, {"content-type": "application/json"}, json.dumps(answer).encode())
        self._open()
        if waiting:
            return await self._in_time(call, way)
        async with self._slots.hold(by):
            return await self._in_time(call, way)

    async def _in_time(self, call: Call, way: Departure) -> Reply:
        """The reply within the call's time. What has left and is not whole by then may have arrived."""
        request = await self._made(call, way)
        await way.ready(call.timeout)
        before = way.gone
        with anyio.move_on_after(call.timeout):
            return await self._send(request, way)
        kind = Ambiguous if way.gone > before else Transient
        raise kind(f"no whole answer within {call.timeout:g} seconds")

    async def _made(self, call: Call, way: Departure) -> httpx.Request:
        """The request. Raises Rejected when none can be made of the call: nothing has left."""
        try:
            await self._check(call.url)
            request = await _request(self._open(), call, way)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError, TypeError) as error:
            raise Rejected(f"the request cannot be made: {type(error).__name__}") from None
        except OSError as error:
            raise Transient(f"a file cannot be read: {error.strerror}") from None
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise Rejected("the request cannot be made: its URL is not one of http or https")
        check_headers(request.headers.raw)
        return request

    async def _send(self, request: httpx.Request, way: Departure) -> Reply:
        before = way.gone
        if self._network.transport is not None:
            way.go()  # a transport of the host's own does not tell
        try:
            response = await self._hand_over(request)
            try:
                body = await _limited(response)
            finally:
                await response.aclose()
        except _NOT_SENT as error:
            raise Unreachable(f"no connection ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            kind = Ambiguous if way.gone > before else Transient
            raise kind(f"the connection broke off ({type(error).__name__})") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, body)

    def _open(self) -> httpx.AsyncClient:
        """The client of the running loop: connections do not outlive the loop that made them."""
        loop = anyio.lowlevel.current_token()
        if self._client is None or loop != self._loop:
            self._loop, self._transports = loop, {}
            self._slots = FairSlots(REQUESTS, REQUESTS_EACH)
            self._client = httpx.AsyncClient(transport=self._transport(None), trust_env=False)
        return self._client

    def _transport(self, proxy: str | None) -> Any:
        if self._network.transport is not None:
            return self._network.transport
        if proxy not in self._transports:
            self._transports[proxy] = self._network.open(proxy)
        return self._transports[proxy]

    async def _hand_over(self, request: httpx.Request) -> httpx.Response:
        """Straight to the transport: the client would log the URL, which may hold a token."""
        proxy = self._network.proxies.of(request.url.scheme, _named(request))
        response: httpx.Response = await self._transport(proxy).handle_async_request(request)
        response.request = request
        return response

    # ── downloads ─────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def download(self, download: Download, limit: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The chunks of a file. Raises FileTooLarge, PrivateAddress and the SendErrors."""
        ends = anyio.current_time() + DOWNLOAD_WITHIN
        response = await self._follow(download.call)
        try:
            _check_download(response, download, limit)
            async with aclosing(_chunks(response, limit, ends)) as chunks:
                yield chunks
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
                timeout=_patience(call.timeout),
            )
            try:
                response = await self._hand_over(request)
            except httpx.HTTPError as error:
                raise Transient(f"no download ({type(error).__name__})") from None
            if not response.is_redirect:
                return response
            await response.aclose()
            target = str(httpx.URL(url).join(response.headers["location"]))
            if origin(target) != origin(url):
                headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
            url = target
        raise Rejected("the download was redirected too often")

    async def _pin(self, url: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """The URL with its checked address in place of its name, so that it cannot change."""
        if self._allow_private or origin(url) in self._trusted:
            return url, {}, {}
        host, port = origin(url)
        address = await public_address(host, port)
        if address == host:
            return url, {}, {}
        parts = urlsplit(url)
        shown = f"[{address}]" if ":" in address else address
        pinned = parts._replace(netloc=shown if parts.port is None else f"{shown}:{parts.port}")
        return pinned.geturl(), {"Host": parts.netloc.rpartition("@")[2]}, {"sni_hostname": host}

    async def _check(self, url: str) -> None:
        """Raises PrivateAddress unless the address is public, trusted, or private ones are allowed."""
        host, port = origin(url)
        if self._allow_private or (host, port) in self._trusted:
            return
        now = time.monotonic()
        if self._checked.get(host, 0.0) < now:
            try:
                await public_address(host, port)
            except PrivateAddress as error:
                raise Rejected(str(error)) from error
            self._checked[host] = now + _CHECKED_FOR


def _print_text(message: Any) -> Any:
    print(message.get("text", ""), flush=True)  # noqa: T201 - the console platform's very purpose
    return {"id": message.get("id")}


async def _request(client: httpx.AsyncClient, call: Call, way: Departure) -> httpx.Request:
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
        call.method, call.url, headers=dict(call.headers), params=call.params,
        timeout=_patience(call.timeout), extensions={"trace": way.trace}, **body,
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


async def _chunks(response: httpx.Response, limit: int, ends: float) -> AsyncGenerator[bytes, None]:
    size = 0
    async with aclosing(_pieces(response)) as pieces:
        async for chunk in pieces:
            size += len(chunk)
            if size > limit:
                raise FileTooLarge(f"more than the limit of {limit} bytes")
            if anyio.current_time() > ends:
                raise Transient(f"only {size} bytes within {DOWNLOAD_WITHIN:g} seconds")
            yield chunk


async def _pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    async for piece in response.aiter_bytes():
        yield piece


def _patience(seconds: float) -> httpx.Timeout:
    """How long each step may take; a connection stands soon or not at all."""
    return httpx.Timeout(seconds, connect=min(seconds, _CONNECT), pool=None)


def _named(request: httpx.Request) -> str:
    """The host by its name, also where the URL has its checked address."""
    name: str = request.extensions.get("sni_hostname", request.url.host)
    return name
