"""Who may speak to the WhatsApp webhook: signatures over raw bytes, and the handshake."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters import meta
from outeract_adapters.whatsapp import WhatsApp
from outeract_core.adapter import Inbound, Settings
from outeract_core.errors import MissingSecret, SignatureError
from tests.support.shared import shared
from tests.support.whatsapp.samples import CONFIG, NOW, request, samples, whatsapp


def inbound(body: bytes, signature: str | None, **headers: str) -> Inbound:
    """A POST with this signature header."""
    given = {} if signature is None else {"x-hub-signature-256": signature}
    return Inbound("POST", {**given, **headers}, {}, body, NOW)


def sign(body: bytes, secret: str) -> str:
    """The header that Meta would send, by the standard library alone."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("vector", "secret", "signature"),
    [
        ("meta_self_made", "app_secret", "x_hub_signature_256"),
        ("x_hub_signature_256_github_published", "secret", "signature"),
    ],
)
def test_published_vectors(vector: str, secret: str, signature: str) -> None:
    """The scheme's published vector, and Meta's scheme computed elsewhere, are accepted as they are."""
    told = json.loads(shared("signatures/vectors.json").read_text())[vector]
    body = told["body"].encode()
    meta.verify(inbound(body, told[signature]), told[secret])
    with pytest.raises(SignatureError):
        meta.verify(inbound(body + b"\n", told[signature]), told[secret])
    with pytest.raises(SignatureError):
        meta.verify(inbound(body, told[signature]), told[secret] + "x")


def test_the_raw_bytes_are_signed() -> None:
    """The same JSON written differently (an emoji unescaped, another space) is refused."""
    body = json.dumps(samples()["text"]["body"]).encode()
    assert b"\\ud83d" in body
    signature = sign(body, CONFIG["app_secret"])
    whatsapp().verify(inbound(body, signature))
    for other in (
        json.dumps(json.loads(body), ensure_ascii=False).encode(),
        json.dumps(json.loads(body), separators=(",", ":")).encode(),
    ):
        with pytest.raises(SignatureError):
            whatsapp().verify(inbound(other, signature))


@pytest.mark.parametrize(
    "signature",
    [
        None, "", " ", "sha256=", "sha256=é", "\udcff", "sha256=\ud800", "0" * 64,
        "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=" + "0" * 63,
    ],
)  # fmt: skip
def test_bad_headers(signature: str | None) -> None:
    """A header that is missing, empty, not ASCII, of another scheme or wrong is refused."""
    with pytest.raises(SignatureError):
        whatsapp().verify(inbound(b"{}", signature))


def test_the_legacy_header_counts_for_nothing() -> None:
    """A right SHA-1 signature alone does not let anything in."""
    old = hmac.new(CONFIG["app_secret"].encode(), b"{}", hashlib.sha1).hexdigest()
    with pytest.raises(SignatureError):
        whatsapp().verify(inbound(b"{}", None, **{"x-hub-signature": f"sha1={old}"}))


@pytest.mark.parametrize("other", ["verify_token", "access_token"])
def test_only_the_app_secret_signs(other: str) -> None:
    """Neither the verify token nor the access token is the key."""
    with pytest.raises(SignatureError):
        whatsapp().verify(request({}, CONFIG[other]))


def test_an_empty_secret_is_closed() -> None:
    """Without an app secret everything is refused, also what is signed with an empty one."""
    adapter = WhatsApp(Settings("whatsapp", None, {**CONFIG, "app_secret": ""}))
    with pytest.raises(MissingSecret):
        adapter.verify(inbound(b"{}", sign(b"{}", "")))
    with pytest.raises(SignatureError):
        meta.verify(inbound(b"{}", sign(b"{}", "")), "")


@settings(max_examples=50)
@given(
    body=st.binary(max_size=200),
    at=st.integers(0),
    secret=st.text(min_size=1, max_size=20).filter(str.isprintable),
)
def test_any_change_is_noticed(body: bytes, at: int, secret: str) -> None:
    """What was signed is accepted; with one bit of it changed it is refused."""
    signature = sign(body, secret)
    meta.verify(inbound(body, signature), secret)
    if body:
        at %= len(body)
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(SignatureError):
            meta.verify(inbound(changed, signature), secret)


# ── the handshake ─────────────────────────────────────────────────────────────────────────────


def get(**query: str) -> Inbound:
    """The GET with which Meta registers a webhook."""
    told = {f"hub.{name}": value for name, value in query.items()}
    return Inbound("GET", {}, told, b"", NOW)


def test_challenge() -> None:
    """The right token brings the challenge back as plain text."""
    token = CONFIG["verify_token"]
    found: Any = whatsapp().handshake(
        get(mode="subscribe", verify_token=token, challenge="1158201444")
    )
    assert (found.status, found.body) == (200, b"1158201444")
    assert found.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "token", ["", "wrong", "é", "\udcff", CONFIG["app_secret"], CONFIG["access_token"]]
)
def test_wrong_token(token: str) -> None:
    """Any other token is answered with 403 and without the challenge."""
    found: Any = whatsapp().handshake(get(mode="subscribe", verify_token=token, challenge="115"))
    assert found.status == 403
    assert b"115" not in found.body


def test_missing_token() -> None:
    """A GET without a token is refused; a connection without one says what to give."""
    found: Any = whatsapp().handshake(get(mode="subscribe", challenge="115"))
    assert found.status == 403
    with pytest.raises(MissingSecret, match="verify_token"):
        whatsapp(verify_token="").handshake(get(mode="subscribe", verify_token="", challenge="1"))


def test_no_handshake() -> None:
    """Deliveries, and GETs that ask for nothing, are no handshakes."""
    adapter = whatsapp(verify_token="")
    assert adapter.handshake(request(samples()["text"]["body"])) is None
    assert adapter.handshake(get()) is None
    assert adapter.handshake(get(mode="unsubscribe")) is None


def test_secrets_do_not_show() -> None:
    """No secret is in the repr of the adapter or in a refusal."""
    with pytest.raises(SignatureError) as caught:
        whatsapp().verify(inbound(b"{}", "sha256=" + "0" * 64))
    shown = repr(whatsapp()) + str(caught.value) + repr(whatsapp()._graph)
    assert not any(CONFIG[name] in shown for name in WhatsApp.manifest.secrets)
