"""What came back: the bytes of an answer, unpacked, counted and timed while they come.

Knows: limits, what a download may look like. Does not know: who asked, where it came from.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import anyio
import httpx

from ...adapter import Download
from ...errors import Ambiguous, FileTooLarge, Rejected, Transient
from .answers import unpacked

REPLY_LIMIT = 16 * 1024 * 1024
DOWNLOAD_WITHIN = 600.0
"""Seconds for a whole file, however slowly it drips."""


async def read(response: httpx.Response) -> bytes:
    """The whole body. Raises Ambiguous: it was answered, and what, cannot be read."""
    try:
        return await _limited(response)
    except Rejected as error:
        raise Ambiguous(error.reason) from None
    finally:
        await response.aclose()


async def _limited(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async with aclosing(_pieces(response)) as pieces:
        async for chunk in pieces:
            size += len(chunk)
            if size > REPLY_LIMIT:
                raise Ambiguous(f"the reply is larger than {REPLY_LIMIT} bytes")
            chunks.append(chunk)
    return b"".join(chunks)


def check_download(response: httpx.Response, download: Download, limit: int) -> None:
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


async def chunks(response: httpx.Response, limit: int, ends: float) -> AsyncGenerator[bytes, None]:
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
    """What comes out of a body. Who stops in the middle leaves nothing open."""
    body: Any = aiter(cast("AsyncIterator[bytes]", response.stream))
    coding = response.headers.get("content-encoding", "")
    try:
        async with aclosing(unpacked(coding, body)) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        if hasattr(body, "aclose"):
            await body.aclose()
