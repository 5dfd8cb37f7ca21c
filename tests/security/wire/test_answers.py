"""An answer is as large as what is asked of it: what it is packed in does not make it larger.

Knows: the attacks of a server that answers. Does not know: platforms.
"""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._io.web import bodies
from outeract_core._io.web.answers import _Unpack, unpacked
from outeract_core._io.web.http import Http, Network
from outeract_core.adapter import Call, Download, Flow, Reply
from outeract_core.errors import Ambiguous, FileTooLarge, Rejected

pytestmark = pytest.mark.anyio
MEGA = 1024 * 1024


def door(body: bytes, coding: str | None, seen: list[httpx.Request] | None = None) -> Http:
    """A door behind which everything is answered so."""

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        headers = {} if coding is None else {"content-encoding": coding}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))

    return Http(Network(transport=httpx.MockTransport(answer), allow_private=True))


def ask() -> Flow[Reply]:
    """A flow of one request."""
    return (yield Call("POST", "https://api.example/x", json={}))


async def fetched(at: Http, limit: int) -> int:
    """The size of a download."""
    call = Call("GET", "https://api.example/f", headers={"accept-encoding": "br"})
    async with at.download(Download(call), limit) as chunks:
        return sum([len(chunk) async for chunk in chunks])


async def _in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def bare(body: bytes) -> bytes:
    """Deflate without a header, as some servers send it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("coding", ["deflate, deflate", "gzip,gzip", "identity, gzip, deflate", "deflate,"
                                    "deflate,deflate,deflate"])  # fmt: skip
async def test_nested_packing_is_refused(coding: str) -> None:
    """A few hundred bytes of deflate within deflate are read by nobody."""
    body = b"\0" * (64 * MEGA)
    for _ in range(2):
        body = zlib.compress(body, 9)
    for at in (door(body, coding),):
        with pytest.raises(Ambiguous):
            await at.run(ask())
        with pytest.raises(Rejected):
            await fetched(at, 1000)
        await at.aclose()


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "x-own"])
async def test_a_packing_that_was_not_asked_for_is_refused(coding: str) -> None:
    """What we did not say that we take is not guessed at, nor stored as a file."""
    at = door(b"bytes", coding)
    with pytest.raises(Ambiguous):
        await at.run(ask())
    with pytest.raises(Rejected):
        await fetched(at, 1000)
    await at.aclose()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_goes_off_in_small_pieces(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 MB in 200 kB: the limit stops it, and the memory is that of the limit."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    body = b"".join(packer.compress(b"\0" * MEGA) for _ in range(200)) + packer.flush()
    monkeypatch.setattr(bodies, "REPLY_LIMIT", MEGA)
    at = door(body, coding)
    tracemalloc.start()
    try:
        with pytest.raises(Ambiguous, match="larger"):
            await at.run(ask())
        with pytest.raises(FileTooLarge):
            await fetched(at, MEGA)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEGA
    await at.aclose()


async def test_downloads_ask_for_the_bytes_as_they_are() -> None:
    """Whatever an adapter says: a file is not packed on its way, so that its size is what is told."""
    seen: list[httpx.Request] = []
    at = door(b"bytes", None, seen)
    assert await fetched(at, 1000) == 5
    await at.run(ask())
    assert [one.headers.get_list("accept-encoding") for one in seen] == [
        ["identity"],
        ["gzip, deflate"],
    ]
    await at.aclose()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "body",
    [b"no packing at all", gzip.compress(b"x" * 5000)[:-9], b"\x1f"],
    ids=["not packed", "half", "a byte"],
)
async def test_what_is_not_packed_as_it_says_is_refused(coding: str, body: bytes) -> None:
    """Half a stream is no whole answer."""
    at = door(body, coding)
    with pytest.raises(Ambiguous):
        await at.run(ask())
    with pytest.raises(Rejected):
        await fetched(at, 10_000)
    await at.aclose()


@given(st.binary(max_size=3000), st.integers(1, 700), st.sampled_from(["gzip", "zlib", "bare"]))
def test_what_was_packed_comes_out(body: bytes, size: int, how: str) -> None:
    """Both kinds of deflate, several members of gzip, in pieces of any size."""
    packed = {"gzip": gzip.compress(body) * 2, "zlib": zlib.compress(body), "bare": bare(body)}[how]
    unpack = _Unpack(how != "gzip")
    out = b"".join(
        part
        for start in range(0, len(packed), size)
        for part in unpack.pieces(packed[start : start + size])
    )
    unpack.end()
    assert out == (body * 2 if how == "gzip" else body)


async def test_no_coding_is_no_packing() -> None:
    """`identity`, or nothing: the bytes pass as they came."""
    for coding in ("", "identity", " , "):
        assert b"".join([p async for p in unpacked(coding, _in_pieces(b"plain", 2))]) == b"plain"
