"""Who may speak to the Telegram webhook: one shared secret in a header, compared as bytes."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core.adapter import Inbound
from outeract_core.errors import MissingSecret, SignatureError
from outeract_core.testing import post, sign_telegram
from tests.support.telegram.samples import CONFIG, NOW, samples, telegram

SECRET = CONFIG["webhook_secret_token"]
HEADER = "x-telegram-bot-api-secret-token"


def inbound(value: str | None, body: bytes = b"{}") -> Inbound:
    """A POST with this value in the header."""
    return Inbound("POST", {} if value is None else {HEADER: value}, {}, body, NOW)


def test_the_secret_lets_in() -> None:
    """What Telegram delivers, with the secret that setWebhook was given, is accepted."""
    telegram().verify(post(sign_telegram(samples()["text"]["body"], SECRET), NOW))
    telegram().verify(inbound(SECRET))


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "é", "\udcff", "\0", SECRET.upper(), SECRET[:-1], SECRET + "x",
        f" {SECRET}", f"{SECRET}\n", "Bearer " + SECRET, CONFIG["token"], "x" * 10_000,
    ],
)  # fmt: skip
def test_anything_else_does_not(value: str | None) -> None:
    """A header that is missing, empty, not ASCII or anything but the secret is refused."""
    with pytest.raises(SignatureError):
        telegram().verify(inbound(value))


@given(st.text(max_size=40).filter(lambda text: text != SECRET))
def test_no_text_but_the_secret(value: str) -> None:
    """Only the secret itself lets in."""
    with pytest.raises(SignatureError):
        telegram().verify(inbound(value))


@pytest.mark.parametrize("given_secret", ["", None])
@pytest.mark.parametrize("value", [None, "", "x", SECRET])
def test_without_a_secret_nobody_gets_in(given_secret: str | None, value: str | None) -> None:
    """A connection without webhook_secret_token refuses everything, the empty header too."""
    with pytest.raises((MissingSecret, SignatureError)):
        telegram(webhook_secret_token=given_secret).verify(inbound(value))


def test_bytes_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is the standard library's, over bytes of both sides."""
    seen: list[tuple[Any, Any]] = []
    real = hmac.compare_digest

    def watched(one: Any, other: Any) -> bool:
        seen.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    with pytest.raises(SignatureError):
        telegram().verify(inbound("wröng"))
    assert seen == [(SECRET.encode(), "wröng".encode())]


def test_a_secret_that_is_no_ascii() -> None:
    """Telegram takes no such secret, but it does not break the comparison."""
    telegram(webhook_secret_token="gehéim").verify(inbound("gehéim"))
    with pytest.raises(SignatureError):
        telegram(webhook_secret_token="gehéim").verify(inbound("geheim"))


def test_the_refusal_tells_no_secret() -> None:
    """Whoever is refused learns nothing."""
    with pytest.raises(SignatureError) as caught:
        telegram().verify(inbound("wrong"))
    assert SECRET not in f"{caught.value!r} {caught.value}"
    assert SECRET not in repr(inbound(SECRET).body)
