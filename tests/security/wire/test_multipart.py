"""What people have named does not become a header of a form.

Knows: names and types with line breaks, quotes, halves of characters. Does not know: platforms.
"""

from __future__ import annotations

import email
from email.message import Message

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.values.names import safe_filename, safe_mime
from outeract_core._io.web.http import Http, Network
from outeract_core.adapter import Call, Flow, OutgoingFile, Reply
from outeract_core.errors import Rejected

pytestmark = pytest.mark.anyio
NASTY = [
    "image/png\r\nX-Forged: 1", "image/png\nX-Forged: 1", "a\r\n\r\nbody", "text/html; x=\"\r\nX-Forged: 1\"",
    "x\x85y/z", "\u2028/x", "no type", "", "a/b/c", "image/png\x00", "a" * 400 + "/b", "\ud800/x", "image /png",
]  # fmt: skip


def parts(request: httpx.Request) -> list[Message]:
    """The parts of a form, as a server reads them."""
    head = b"content-type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    read = email.message_from_bytes(head + request.content)
    payload = read.get_payload()
    assert isinstance(payload, list)
    return [one for one in payload if isinstance(one, Message)]


async def posted(name: str, mime: str, field: str = "photo") -> httpx.Request:
    """The request that carries such a file."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    def flow() -> Flow[Reply]:
        file = OutgoingFile(name, mime, "image", 5, data=b"bytes")
        return (yield Call("POST", "https://api.example/x", files=((field, file),)))

    door = Http(Network(transport=httpx.MockTransport(answer), allow_private=True))
    try:
        await door.run(flow())
    finally:
        await door.aclose()
    return seen[0]


@pytest.mark.parametrize("text", NASTY)
async def test_no_type_or_name_is_a_header(text: str) -> None:
    """Whoever wrote it, and from whichever door it came: one part, of the headers that we write."""
    for name, mime in ((text, "image/png"), ("a.png", text), (text, text)):
        (part,) = parts(await posted(name, mime))
        assert sorted(part.keys()) == ["Content-Disposition", "Content-Type"]
        assert "Forged" not in part["Content-Type"]
        assert part.get_payload() == "bytes"


@pytest.mark.parametrize("field", ["a\r\nX-Forged: 1", 'a"; x="b'])
async def test_no_field_name_is_a_header(field: str) -> None:
    """The name of a field is an adapter's, and yet it breaks out of nothing."""
    try:
        request = await posted("a.png", "image/png", field)
    except Rejected:
        return
    (part,) = parts(request)
    assert sorted(part.keys()) == ["Content-Disposition", "Content-Type"]


@given(st.text(max_size=300))
def test_what_passes_stands_on_one_line(text: str) -> None:
    """One rule for names and one for types: what passes it can be written into a header as it is."""
    for passed in (safe_filename(text), safe_mime(text)):
        if passed is not None:
            assert len(passed.splitlines()) == 1
            assert not set(passed) & set("\r\n\0\x1b\x7f\x85\u2028\u202e")
