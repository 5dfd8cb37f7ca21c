"""Whom TLS believes and who we are in it: read when a file is opened, refused there when it cannot be used.

Knows: a certificate that is its own authority, made for these tests (its key is nobody's secret).
Does not know: requests.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._io.web.tls import authorities
from outeract_core.errors import BadInput

CERT = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUbz6R+uyAZtHJn3cK8KC0N3QE2rcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTA3NDAwNFoYDzIxMjYxMTA1
MDc0MDA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASf028HetWEaVHez/e0Tt4fD5y2Fg0Knoqh79aAak5Fd76sLDh/gfHY
TkkYSOumchULZYyZ1yxGUTnQcLIUsJOFo28wbTAdBgNVHQ4EFgQU1YW5+KZXnMaw
dfiH0GKnQsuJrHowHwYDVR0jBBgwFoAU1YW5+KZXnMawdfiH0GKnQsuJrHowDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAI+zT0IneAH4SpcK6pLfYCbpBn9tUOu82GxF2ERj2sP4AiBM
wV38so199uNQ0JxlfHSypdFMTQXXnwWfFB+X3I9DXQ==
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgk9lbKgKxzGumokHw
m7UY559OT7HwShQwLf4l88BJ/rmhRANCAASf028HetWEaVHez/e0Tt4fD5y2Fg0K
noqh79aAak5Fd76sLDh/gfHYTkkYSOumchULZYyZ1yxGUTnQcLIUsJOF
-----END PRIVATE KEY-----
"""
LOCKED = """\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,E9C33D5D93CD55E1587B07902FF7947D

UNwZpYaq6ZoOZJvKTCfPvxlz7guUB87i6d8LSDVqt35RQs+4tL8zjDcUMFBScVbu
02VpwrcGHR9uJWWQEXE3/vjXd7185ScHy8WcdBzI1ge3qdZi3Gc/iYTOfxCwJVcR
Goc4N1eVbCX45XqPARRB2oRlyeeVsGzLHKr83aLW1VY=
-----END EC PRIVATE KEY-----
"""
"""The same key behind the password "word"."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as a host may name them."""
    (tmp_path / "cert.pem").write_text(CERT)
    (tmp_path / "key.pem").write_text(KEY)
    (tmp_path / "both.pem").write_text(CERT + KEY)
    (tmp_path / "locked.pem").write_text(LOCKED)
    (tmp_path / "letter.txt").write_text("no certificate")
    return tmp_path


def _context(folder: Path, verify: Any, cert: Any, hidden: list[str] | None = None) -> Any:
    hide: Callable[[str], object] = str if hidden is None else hidden.append
    return authorities(verify, cert, folder.joinpath, hide)


def _shake_hands(client: ssl.SSLContext, folder: Path, *, asked: bool) -> bool:
    """Whether both sides are content, and with the client's certificate if it is `asked` for."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "both.pem")
    if asked:
        serving.verify_mode = ssl.CERT_REQUIRED
        serving.load_verify_locations(folder / "cert.pem")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(back, there, server_hostname="localhost"),
        serving.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return not asked or sides[1].getpeercert() is not None


@pytest.mark.parametrize(
    "cert",
    [
        "both.pem",
        Path("both.pem"),
        ("cert.pem", "key.pem"),
        ("cert.pem", "locked.pem", "word"),
        ["both.pem"],
    ],
    ids=str,
)
@pytest.mark.parametrize("verify", ["cert.pem", Path("cert.pem"), False], ids=str)
def test_who_we_are_is_shown_whomever_we_believe(folder: Path, verify: Any, cert: Any) -> None:
    """A bundle of one's own and a client certificate go together."""
    assert _shake_hands(_context(folder, verify, cert), folder, asked=True)


@pytest.mark.parametrize(
    ("verify", "good"), [(True, False), ("cert.pem", True), (False, True)], ids=str
)
def test_only_who_is_believed_is_spoken_to(folder: Path, verify: Any, *, good: bool) -> None:
    """The public authorities do not know our own server; a context of the host's stays as it is."""
    made = _context(folder, verify, None)
    made = ssl.create_default_context() if made is True else made
    assert _shake_hands(made, folder, asked=False) == good
    assert _context(folder, made, None) is made


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"verify": "nowhere.pem"}, "verify=.*nowhere.pem.*No such file"),
        ({"verify": "letter.txt"}, "verify=.*letter.txt.*no certificate"),
        ({"verify": 5}, "verify= is"),
        ({"cert": "nowhere.pem"}, "cert=.*nowhere.pem.*No such file"),
        ({"cert": "cert.pem"}, "cert=.*cert.pem.*key"),
        ({"cert": ("cert.pem", "letter.txt")}, "cert=.*cert.pem.*key"),
        ({"cert": ("cert.pem", "locked.pem")}, "cert=.*cert.pem.*password"),
        ({"cert": ("cert.pem", "locked.pem", "wrong-word")}, "cert=.*cert.pem.*password"),
        ({"cert": ()}, "cert= is"),
        ({"cert": 5}, "cert= is"),
        ({"cert": (None, "key.pem")}, "cert= is"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_when_the_file_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], told: str
) -> None:
    """With the path and the reason, and before a message can come to harm by it."""
    monkeypatch.chdir(folder)
    with pytest.raises(BadInput, match=told) as caught:
        Outeract("bot.db", **options)
    assert "wrong-word" not in str(caught.value)
    assert not (folder / "bot.db").exists()


def test_the_password_of_a_key_is_hidden(folder: Path) -> None:
    """It stands in no log and no traceback that is kept."""
    hidden: list[str] = []
    _context(folder, True, ("cert.pem", "locked.pem", "word"), hidden)
    assert hidden == ["word"]
