"""Carries an adapter's flow over HTTP.

Knows: requests, deadlines, what an interrupted request means, who may have how many at once.
Does not know: platforms, retries, what a reply says, which addresses are private (`addresses.py`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import httpx
from attrs import field

from ..._domain.rules.guard import guarded
from ..._domain.values.classes import frozen
from ..._domain.values.sinks import BREAKS, line, worded
from ...adapter import Call, Download, Flow, Reply
from ...errors import (
    Ambiguous,
    BadInput,
    PrivateAddress,
    Rejected,
    SendError,
    Transient,
    Unreachable,
)
from ..slots import FairSlots
from ..threads.aside import aside
from . import bodies
from .addresses import AddressGuard
from .bodies import check_download, chunks, read
from .departure import Departure, check_headers
from .proxies import Proxies, checked
from .requests import (
    CONNECT,
    Pinned,
    named,
    origin_of,
    port,
    request_for_bytes,
    request_of,
    url_of,
)

T = TypeVar("T")

_REDIRECTS = 5
REQUESTS, REQUESTS_EACH = 200, 100
"""Requests at once: of everybody, and of one connection. Some systems give a process 256 files."""
_KEPT = 64
"""Names whose connections are kept open. More: each request has a connection of its own."""
_HARMLESS = frozenset({"accept", "accept-language", "user-agent", "range", "if-range"})
"""Headers that may be told to another origin. Any other may be a credential."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_PROXY_REFUSES = 407


@frozen
class Network:
    """How the network is reached. `transport`: an httpx transport instead of all others; what it is given
    has been looked at like everything else, and has the address in place of the name.

    proxies         by scheme and host, as the environment or the host says.
    verify          True, or an `ssl.SSLContext` instead of one that believes the public authorities.
    allow_private   let requests go to private addresses.
    """

    transport: Any = None
    proxies: Proxies = field(factory=Proxies)
    verify: Any = True
    allow_private: bool = False

    def open(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        """A transport without a limit of its own: who may have how many is decided before it."""
        if proxy is not None:
            checked(proxy, "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY")
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=REQUESTS)
        try:
            return httpx.AsyncHTTPTransport(
                retries=0,
                proxy=proxy,
                verify=self.verify,
                limits=limits,
                trust_env=False,
            )
        except Exception as error:
            raise BadInput(f"the network cannot be used as it is set up: {worded(error)}") from None


class Http:
    """The clients of one host program; opened on first use.

    `console`: what is called for `console:` URLs. `downloads`: files at once, in all and for each.
    """

    def __init__(
        self, network: Network | None = None, *, console: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self._network = network = network or Network()
        self._transports: dict[tuple[str | None, str | None], Any] = {}
        self._client: httpx.AsyncClient | None = None
        self._loop: Any = None
        self._opening = anyio.Lock()
        self._guard = AddressGuard(network.allow_private)
        self._console = console or _print_text
        self._slots = FairSlots(REQUESTS, REQUESTS_EACH)
        self.redact: Callable[[str], str] = str
        """Takes secrets out of what adapters say of an attempt: platforms quote requests in their answers."""

    def trust(self, by: Hashable, base_url: str | None) -> None:
        """Requests of this connection to this origin are wanted by the host, wherever it is; to no other."""
        self._guard.trust(by, None)
        with suppress(Rejected):  # requests to it will say what is wrong
            self._guard.trust(by, None if base_url is None else origin_of(url_of(base_url)))

    async def run(
        self, flow: Flow[T], *, by: Hashable = None, waiting: bool = False,
        departure: Departure | None = None,
    ) -> T:  # fmt: skip
        """Drive a flow to its result. What it raises passes through, without secrets; network errors are thrown in.

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
        except Exception as error:
            _strike(error, self.redact)
            raise
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
            return await self._in_time(call, by, way)
        async with self._slots.hold(by):
            return await self._in_time(call, by, way)

    async def _in_time(self, call: Call, by: Hashable, way: Departure) -> Reply:
        """The reply within the call's time. What has left and is not whole by then may have arrived."""
        request = await self._made(call, by, way)
        await way.ready(call.timeout)
        before = way.gone
        with anyio.move_on_after(call.timeout):
            return await self._send(request, way)
        kind = Ambiguous if way.gone > before else Transient
        raise kind(f"no whole answer within {call.timeout:g} seconds")

    async def _made(self, call: Call, by: Hashable, way: Departure) -> httpx.Request:
        """The request. Raises Rejected when none can be made of the call: nothing has left."""
        try:
            pinned = await self._pin(url_of(call.url), by, call.timeout)
            request = await request_of(self._open(), call, pinned, way)
        except PrivateAddress as error:
            raise Rejected(str(error)) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError, TypeError) as error:
            raise Rejected(f"the request cannot be made: {type(error).__name__}") from None
        except OSError as error:
            raise Transient(f"a file cannot be read: {error.strerror}") from None
        check_headers(request.headers.raw)
        return request

    async def _send(self, request: httpx.Request, way: Departure) -> Reply:
        before = way.gone
        if self._network.transport is not None:
            way.go()  # a transport of the host's own does not tell
        try:
            response = await self._hand_over(request)
            body = await read(response)
        except _NOT_SENT as error:
            raise Unreachable(_no_connection(request, error)) from None
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
            self._opening = anyio.Lock()
            self._client = httpx.AsyncClient(  # it draws requests, and sends none
                transport=httpx.AsyncBaseTransport(), trust_env=False
            )
        return self._client

    async def _hand_over(self, request: httpx.Request) -> httpx.Response:
        """Straight to the transport: the client would log the URL, which may hold a token."""
        proxy, name = self._proxy(request.url, named(request)), named(request)
        pinned = name if name != request.url.host else None
        transport, ours = await self._transport(proxy, pinned)
        try:
            response: httpx.Response = await transport.handle_async_request(request)
        except BaseException as error:
            if isinstance(error, _NOT_SENT):
                self._guard.failed((request.url.scheme, name, port(request.url)))
            if not ours:
                await _let_go(transport)
            raise
        if response.status_code == _PROXY_REFUSES:
            await response.aclose()
            raise Unreachable(
                "the proxy wants other credentials (407): look at proxy= or HTTPS_PROXY"
            )
        response.request = request
        if not ours:
            response.stream = _Once(response.stream, transport)
        return response

    async def _transport(self, proxy: str | None, pinned: str | None) -> tuple[Any, bool]:
        """The transport, and whether it is kept. What was pinned for one name serves no other: the
        certificate of a connection was checked for that name alone.

        It is made beside the loop, one at a time: to read modules and authorities takes many milliseconds.
        """
        if self._network.transport is not None:
            return self._network.transport, True
        kept, key = self._transports, (proxy, pinned)
        if key in kept:
            return kept[key], True
        async with self._opening:
            if key not in kept:
                made = await aside(partial(self._network.open, proxy))
                if len(kept) >= _KEPT and pinned is not None:
                    return made, False
                kept[key] = made
        return kept[key], True

    def _proxy(self, url: httpx.URL, name: str) -> str | None:
        if self._network.transport is not None:
            return None
        return self._network.proxies.of(url.scheme, name)

    # ── downloads ─────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def download(
        self, download: Download, limit: int, *, by: Hashable = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The chunks of a file, which `by` asks for. Raises FileTooLarge, PrivateAddress and the SendErrors."""
        ends = anyio.current_time() + bodies.DOWNLOAD_WITHIN
        response = await self._follow(download.call, by)
        try:
            check_download(response, download, limit)
            async with aclosing(chunks(response, limit, ends)) as pieces:
                yield pieces
        except httpx.HTTPError as error:
            raise Transient(f"the download broke off ({type(error).__name__})") from None
        finally:
            await response.aclose()

    async def _follow(self, call: Call, by: Hashable) -> httpx.Response:
        """Follow redirects by hand: every address is checked, credentials stay with their origin."""
        url, headers = url_of(call.url), dict(call.headers)
        for _ in range(_REDIRECTS):
            try:
                pinned = await self._pin(url, by, call.timeout)
                request = request_for_bytes(self._open(), call, pinned, headers)
                response = await self._hand_over(request)
            except Unreachable as error:  # this one server, perhaps; not the platform
                raise Transient(error.reason) from None
            except httpx.HTTPError as error:
                raise Transient(f"no download ({type(error).__name__})") from None
            if not response.has_redirect_location:
                return response
            await response.aclose()
            target = url_of(response.headers["location"], url)
            if origin_of(target) != origin_of(url):
                headers = {k: v for k, v in headers.items() if k.lower() in _HARMLESS}
            url = target
        raise Rejected("the download was redirected too often")

    async def _pin(self, url: httpx.URL, by: Hashable, seconds: float) -> Pinned:
        """The URL with its checked address in place of its name, so that it cannot change.

        Through a proxy of the host's the name stays: it is the proxy that looks it up, also when
        nobody here knows it.
        Raises PrivateAddress, Rejected, Unreachable.
        """
        origin = origin_of(url)
        proxied, address = self._proxy(url, origin[1]) is not None, None
        with anyio.move_on_after(min(seconds, CONNECT)) as scope:
            address = await self._guard.address(origin, by, proxied=proxied)
        if scope.cancelled_caught:
            if not proxied:
                raise Unreachable(f"the name {origin[1]} is not resolved in time")
            self._guard.unknown(origin)
        if address in (None, origin[1]) or proxied:
            return Pinned(url)
        host = url.netloc.decode("ascii")
        return Pinned(url.copy_with(host=address), {"Host": host}, {"sni_hostname": origin[1]})


def _no_connection(request: httpx.Request, error: Exception) -> str:
    """Where nobody could be reached, and why: a certificate, say, or a proxy that refuses."""
    place = f"{named(request)}:{port(request.url)}"
    why = f"{type(error).__name__}: {error}".partition(" (_ssl.c")[0].rstrip(": ")
    return f"no connection to {place} ({why})"


class _Once(httpx.AsyncByteStream):
    """The body of an answer whose connection serves nobody else."""

    def __init__(self, body: Any, transport: Any) -> None:
        self._body, self._transport = body, transport

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = self._body.__aiter__()
        return pieces

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            await _let_go(self._transport)


def _strike(error: Exception, redact: Callable[[str], str]) -> None:
    """The error as it may be told and stored."""
    error.args = tuple(redact(one) if isinstance(one, str) else one for one in error.args)
    if isinstance(error, SendError):
        error.reason = redact(error.reason)
        error.code = None if error.code is None else redact(error.code)


async def _let_go(transport: Any) -> None:
    with anyio.CancelScope(shield=True):
        await transport.aclose()


def _print_text(message: Any) -> Any:
    shown = "\n".join(map(line, BREAKS.split(str(message.get("text", "")))))
    print(shown, flush=True)  # noqa: T201 - the console platform's very purpose
    return {"id": message.get("id")}
