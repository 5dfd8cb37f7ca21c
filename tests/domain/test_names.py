"""Names of files and MIME types: whatever is given, what is stored can stand in a header and a folder."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outeract_core._domain.values.names import safe_filename, safe_mime


@given(st.text(max_size=400))
@example("../../etc/passwd")
@example("a\r\nContent-Type: text/html\r\n\r\nx.png")
@example("invoice\u202efdp.exe")
def test_a_name_is_one_short_line_without_a_path(name: str) -> None:
    """No separator, no control or direction mark, no dots alone, at most 240 bytes; safe twice is safe."""
    safe = safe_filename(name)
    if safe is None:
        return
    assert not set(safe) & {"/", "\\", "\r", "\n", "\0", "\u202e"}
    assert safe.isprintable()
    assert safe.strip(". ")
    assert len(safe.encode("utf-8")) <= 240
    assert safe_filename(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("/etc/secret/report.pdf", "report.pdf"),
        ("C:\\Users\\ann\\Bild 1.jpg", "Bild 1.jpg"),
        ("..", None),
        ("a\nb.txt", "ab.txt"),
        ("日本語.txt", "日本語.txt"),
        (".env", ".env"),
        ("", None),
        (None, None),
    ],
)
def test_names_that_people_have(name: str | None, safe: str | None) -> None:
    """What is a name stays one."""
    assert safe_filename(name) == safe


def test_a_long_name_keeps_its_ending() -> None:
    """What kind of file it is can still be seen."""
    safe = safe_filename("x" * 500 + ".tar")
    assert safe is not None
    assert (len(safe), safe[-5:]) == (240, "x.tar")


@pytest.mark.parametrize(
    ("mime", "safe"),
    [
        ("image/png", True),
        ("audio/ogg; codecs=opus", True),
        ('text/plain; charset="utf-8"', True),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", True),
        ("image/png\r\nX-Evil: 1", False),
        ("image/png\n", False),
        ("image", False),
        ("", False),
        ("te xt/plain", False),
        ('a/b; x="\r"', False),
        (None, False),
    ],
)
def test_a_type_is_one_or_none(mime: str | None, safe: bool) -> None:
    """RFC 6838's words, parameters at most; nothing that could begin a line of its own."""
    assert safe_mime(mime) == (mime if safe else None)


@given(st.text(max_size=60))
def test_no_type_holds_a_line_break(mime: str) -> None:
    """Whatever is given."""
    found = safe_mime(mime)
    assert found is None or (found.isascii() and found.isprintable())
