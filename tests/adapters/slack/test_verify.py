"""Slack's signature and handshake: only what Slack signed lately is let in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from outeract_core.adapter import CanHandshake, Inbound
from outeract_core.errors import MissingSecret, SignatureError
from outeract_core.testing import post, sign_slack
from tests.support.shared import shared
from tests.support.slack.samples import CONFIG, NOW, request, samples, slack

SECRET = CONFIG["signing_secret"]


class At(Clock):
    """The SDK's clock, standing still."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> float:
        return self._at.timestamp()


def accepts(inbound: Inbound, secret: str = SECRET) -> bool:
    """Whether our adapter lets the request in."""
    try:
        slack(signing_secret=secret).verify(inbound)
    except SignatureError:
        return False
    return True


def sdk_accepts(inbound: Inbound, secret: str = SECRET) -> bool:
    """Whether slack_sdk's verifier does."""
    verifier = SignatureVerifier(secret, At(inbound.received_at))
    return verifier.is_valid_request(inbound.body, dict(inbound.headers))


def changed(inbound: Inbound, body: bytes | None = None, **headers: str | None) -> Inbound:
    """The request with another body or other headers (None takes one away)."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    merged = {**inbound.headers, **names}
    kept = {name: value for name, value in merged.items() if value is not None}
    body = inbound.body if body is None else body
    return Inbound("POST", kept, {}, body, inbound.received_at)


def test_the_published_vector():
    """The example in Slack's documentation verifies at its time, and not an hour later."""
    vector = json.loads(shared("signatures/vectors.json").read_text())["slack"]
    at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    headers = {
        "x-slack-signature": vector["signature"],
        "x-slack-request-timestamp": vector["timestamp"],
    }
    for seconds, good in ((0, True), (300, True), (-300, True), (301, False), (3600, False)):
        late = at + timedelta(seconds=seconds)
        inbound = Inbound("POST", headers, {}, vector["body"].encode(), late)
        assert accepts(inbound, vector["signing_secret"]) is good


@pytest.mark.parametrize("name", samples())
def test_the_sdk_agrees_on_every_sample(name: str):
    """Valid, tampered, resigned, old and unsigned: slack_sdk's verifier and ours say the same."""
    good = request(samples()[name])
    signature, at = good.headers["x-slack-signature"], good.headers["x-slack-request-timestamp"]
    old = post(sign_slack(good.body, SECRET, NOW - timedelta(seconds=301)), NOW)
    early = post(sign_slack(good.body, SECRET, NOW + timedelta(seconds=301)), NOW)
    other = post(sign_slack(good.body, "another-secret", NOW), NOW)
    bad = [
        changed(good, body=good.body + b" "),
        changed(good, x_slack_signature=None),
        changed(good, x_slack_request_timestamp=None),
        changed(good, x_slack_signature=signature[3:]),
        changed(good, x_slack_signature=signature.upper()),
        changed(good, x_slack_request_timestamp=str(int(at) + 1)),
        old,
        early,
        other,
    ]
    assert accepts(good)
    assert sdk_accepts(good)
    for inbound in bad:
        assert not accepts(inbound)
        assert not sdk_accepts(inbound)


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1).filter(str.strip), st.text(), st.integers(-400, 400))
def test_the_sdk_agrees_on_anything(secret: str, body: str, skew: int):
    """For any secret, body and clock difference the two verifiers say the same."""
    try:
        data, _ = body.encode(), secret.encode()
    except UnicodeEncodeError:
        return
    inbound = post(sign_slack(data, secret, NOW + timedelta(seconds=skew)), NOW)
    assert accepts(inbound, secret) == sdk_accepts(inbound, secret) == (abs(skew) <= 300)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "é",
        "\udcff",
        chr(0xD800),
        "v0=",
        "v1=00",
        "9" * 5000,
        "-1",
        "1e9",
        "nan",
        "１２３",
        "\0",
    ],
)
def test_nonsense_in_a_header_is_refused(value: str):
    """Neither header may hold nonsense: it is refused as unsigned, never an exception of its own."""
    good = request(samples()["message_direct"])
    assert not accepts(changed(good, x_slack_signature=value))
    assert not accepts(changed(good, x_slack_request_timestamp=value))


def test_bytes_are_signed_not_text():
    """The signature covers raw bytes, also those that are no UTF-8."""
    assert accepts(post(sign_slack(b"\xff\xfe\0{", SECRET, NOW), NOW))


def test_an_empty_secret_fails_closed():
    """Without a signing secret nothing is accepted, also not what is signed with an empty one."""
    inbound = post(sign_slack(b"{}", "", NOW), NOW)
    for config in ({"signing_secret": ""}, {"signing_secret": None}):
        with pytest.raises(MissingSecret):
            slack(**config).verify(inbound)


def test_errors_do_not_tell_the_secret():
    """A refusal says what is wrong and holds neither secret nor expected signature."""
    good = request(samples()["message_direct"])
    with pytest.raises(SignatureError) as refused:
        slack().verify(changed(good, body=b"{}"))
    assert SECRET not in str(refused.value)
    assert "v0=" not in str(refused.value)


# ── handshake ─────────────────────────────────────────────────────────────────────────────────


CHALLENGE = {"token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
             "type": "url_verification"}  # fmt: skip


def test_url_verification_is_answered():
    """The challenge comes back as plain text."""
    adapter = slack()
    assert isinstance(adapter, CanHandshake)
    answer = adapter.handshake(post(sign_slack(CHALLENGE, SECRET, NOW), NOW))
    assert answer is not None
    assert (answer.status, answer.body) == (200, CHALLENGE["challenge"].encode())
    assert answer.headers["content-type"].startswith("text/plain")


def test_url_verification_must_be_signed():
    """A stranger's challenge is not echoed."""
    with pytest.raises(SignatureError):
        slack().handshake(post(sign_slack(CHALLENGE, "another-secret", NOW), NOW))


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"url_verification", b'["url_verification"]', b'{"x": "url_verification"',
     b'{"type":"event_callback","text":"url_verification"}', b"payload=%22url_verification%22"],
)  # fmt: skip
def test_everything_else_is_no_handshake(body: bytes):
    """Only the JSON object of that type is a handshake, whatever else holds the word."""
    assert slack().handshake(post(sign_slack(body, SECRET, NOW), NOW)) is None


def test_messages_are_no_handshake():
    """No sample is taken for a handshake."""
    for sample in samples().values():
        assert slack().handshake(request(sample)) is None
