"""Input that breaks careless code: texts, bodies, JSON of the wrong shape, error pages.

Knows: what platforms and attackers really send. Does not know: any platform, any adapter.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from ...adapter import Reply
from ...text.document import (
    Break,
    Bullets,
    Code,
    CodeBlock,
    Document,
    Heading,
    Link,
    Paragraph,
    Quote,
    Rule,
    Span,
    Str,
)

__all__ = ["BODIES", "DOCUMENT", "STATUSES", "TEXTS", "error_replies", "mutations"]

_MARKS = "*_~`|<>&[]()#+-=.!{}\\\"'/\n :@$%^ a1é日😀\u200d\u202e"


def _noise(count: int) -> tuple[str, ...]:
    chance = random.Random(20260101)  # noqa: S311 - the same texts in every run
    return tuple(
        "x" + "".join(chance.choices(_MARKS, k=chance.randrange(1, 40))) for _ in range(count)
    )


TEXTS: tuple[str, ...] = (
    "<b>bold</b> & <script>alert(1)</script>",
    "&lt;already escaped&gt; &amp;amp; &#0; &#xD800; &nope;",
    "*bold* _under_ ~strike~ ||spoiler|| `code` ```\nblock\n```",
    "``` never closed, *neither this _nor that",
    "<!channel> <@U012AB3CD> <https://example.org|click> </b> <a href='x",
    "[label](https://example.org/?a=b&c=d) ![image](x) \\*escaped\\*",
    "a\0b",
    "lone \ud83d surrogate \udc00",
    "family 👨‍👩‍👧‍👦 flags 🇩🇪 accents e\u0301 rtl \u202eabc zero\u200bwidth",
    "line\r\nline\rline\u2028line\u2029line\u0085line",
    "> quote\n# heading\n- list\n1. one\n| a | b |",
    "{}{0}{name}%s%(x)s$x${y}",
    "../../etc/passwd?x=1#y",
    "x" * 5000,
    *_noise(200),
)
"""None is blank: whatever renders one must leave something to read."""

DOCUMENT: Document = (
    Heading(1, (Str("Heading & <more>"),)),
    Paragraph((
        Span("bold", (Str("bold "), Span("italic", (Str("both"),)))), Break(),
        Span("strike", (Str("gone"),)), Span("underline", (Str("under"),)),
        Span("spoiler", (Str("secret"),)), Code("a < b `c`"),
        Link("https://example.org/?a=1&b=(2)", (Str("a ]( link"),)),
    )),
    Quote((Paragraph((Str("quoted"),)), Quote((Paragraph((Str("twice"),)),)))),
    Bullets(((Paragraph((Str("one"),)), Bullets(((Paragraph((Str("deeper"),)),),))),)),
    Bullets(((Paragraph((Str("first"),)),), (Paragraph((Str("second"),)),)), start=3),
    CodeBlock("print('```')\n<tag>", "python"),
    Rule(),
)  # fmt: skip
"""Every kind of block and inline node once, nested where it may be."""

BODIES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"hello there",
    "half of JSON": b'{"entry": [{"changes": ',
    "null": b"null",
    "a number": b"17",
    "a text": b'"text"',
    "a list": b"[]",
    "a list of numbers": b"[1, 2, 3]",
    "a list of lists": b"[[[]]]",
    "an empty object": b"{}",
    "an unknown object": b'{"nothing": {"we": "know"}}',
    "NUL bytes": b"\0\0\0",
    "a NUL inside": b'{"a": "\\u0000"}',
    "a lone surrogate": b'{"type": "\\ud800", "message": {"text": "\\udfff"}}',
    "invalid UTF-8": b'{"a": "\xff\xfe\xc3"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "nested 100 000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "lists 100 000 deep": b"[" * 100_000,
    "a huge integer": b'{"update_id": ' + b"9" * 5000 + b"}",
    "NaN": b'{"timestamp": NaN, "a": Infinity}',
    "the same key twice": b'{"a": 1, "a": {"b": []}}',
    "a form": b"payload=%7B%22a%22&b=&b=1&%ff=%00",
}

WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, "", "x", "\0\ud800", [], [None], [[]], {}, {"x": None},
)  # fmt: skip

STATUSES = (400, 401, 403, 404, 409, 413, 429, 500, 502, 503)


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """(where, copy of `value`) with each member in turn missing or of another type."""
    for path in _paths(value):
        where = "".join(f"[{step!r}]" for step in path)
        yield f"without {where}", _changed(value, path, None, remove=True)
        for wrong in WRONG:
            yield f"{wrong!r:.20} at {where}", _changed(value, path, wrong, remove=False)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps: Any = ()
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = range(len(value))
    for step in steps:
        yield (*path, step)
        yield from _paths(value[step], (*path, step))


def _changed(value: Any, path: tuple[Any, ...], wrong: Any, *, remove: bool) -> Any:
    whole = copy.deepcopy(value)
    at = whole
    for step in path[:-1]:
        at = at[step]
    if remove:
        del at[path[-1]]
    else:
        at[path[-1]] = wrong
    return whole


def error_replies(status: int) -> Iterator[Reply]:
    """Replies of this status as platforms, proxies and broken servers give them."""
    for body in _CUT_BODIES if status < 300 else ():
        yield Reply(status, {"content-type": "application/json"}, body)
    for retry_after in ("", "7", "soon", "-1", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT"):
        yield Reply(status, {"retry-after": retry_after}, b"")
    for body in _ERROR_BODIES:
        yield Reply(status, {"content-type": "application/json"}, body)
    yield Reply(status, {"content-type": "text/html"}, b"<html><h1>Bad Gateway</h1></html>")


_ERROR_BODIES: tuple[bytes, ...] = (
    b"", b"null", b"[]", b'"error"', b"17", b"{}", b"{", b"\xff\xfe", b"NaN",
    b'{"ok": false}', b'{"ok": false, "error": null}', b'{"ok": false, "error": {"a": []}}',
    b'{"ok": false, "error_code": "x", "description": 3, "parameters": 7}',
    b'{"ok": false, "error_code": 400, "description": null, "parameters": {"retry_after": "x"}}',
    b'{"ok": false, "error_code": 429, "parameters": {"retry_after": -5}, "retry_after": -5}',
    b'{"ok": false, "error_code": 429, "parameters": {"retry_after": 1e999}, "retry_after": NaN}',
    b'{"error": "x"}', b'{"error": []}', b'{"error": {"code": "x", "message": 5}}',
    b'{"error": {"code": null, "error_data": 1, "message": null}}', b'{"code": {}, "message": []}',
    b'{"result": null, "messages": [], "ts": 1, "channel": []}',
)  # fmt: skip

_CUT_BODIES: tuple[bytes, ...] = (
    b'{"ok": true}', b'{"ok": true, "result": 5}', b'{"ok": true, "result": {}}',
    b'{"ok": true, "ts": null, "channel": 5}', b'{"ok": true, "messages": 5, "files": [null]}',
    b'{"messages": [null]}', b'{"messages": [{}], "contacts": [5]}', b'{"id": [], "url": {}}',
)  # fmt: skip
"""What looks like a success and is none."""
