"""What an answer is packed in: one coding at most, unpacked while it streams, never more than asked for.

Knows: gzip and deflate. Does not know: requests, what an answer says, how much one wants of it.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from ...errors import Rejected

CODINGS = "gzip, deflate"
"""What a request says that it takes."""
_PIECE = 65_536
_RAW, _ANY = -zlib.MAX_WBITS, zlib.MAX_WBITS | 32
"""Windows: bare deflate; what begins with a header of zlib or gzip."""


async def unpacked(coding: str, body: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces of a body, each of 64 KiB at most when it was packed.

    `coding`: the value of `content-encoding`. Raises Rejected for more than one, for one that was not
    asked for, and for a body that is not packed as it says.
    """
    names = [name for one in coding.lower().split(",") if (name := one.strip()) != "identity"]
    wanted = [name for name in names if name]
    if not wanted:
        async for piece in body:
            yield piece
        return
    if len(wanted) > 1 or wanted[0] not in ("gzip", "x-gzip", "deflate"):
        raise Rejected(
            f"the answer is packed as {coding!a:.60}; one of gzip and deflate is understood"
        )
    unpack = _Unpack(wanted[0] == "deflate")
    async for piece in body:
        for part in unpack.pieces(piece):
            yield part
    unpack.end()


class _Unpack:
    """One stream that is unpacked. Servers call both kinds of deflate by this name: RFC 9110, 8.4.1.2."""

    def __init__(self, deflate: bool) -> None:
        self._bare = deflate
        self._stream: zlib._Decompress | None = None

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What comes out of these bytes. Raises Rejected."""
        try:
            while packed:
                if self._stream is None or self._stream.eof:
                    self._stream = zlib.decompressobj(self._window(packed))
                piece = self._stream.decompress(packed, _PIECE)
                packed = self._stream.unconsumed_tail or self._stream.unused_data
                if piece:
                    yield piece
        except zlib.error:
            raise Rejected("the answer is not packed as it says") from None

    def end(self) -> None:
        """There is no more. Raises Rejected when it broke off in the middle."""
        if self._stream is not None and not self._stream.eof:
            raise Rejected("the answer breaks off: what it is packed in has no end")

    def _window(self, packed: bytes) -> int:
        return _RAW if self._bare and packed[0] & 0x0F != 0x08 else _ANY
