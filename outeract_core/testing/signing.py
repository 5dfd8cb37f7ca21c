"""Inbound requests as the platforms sign them, for tests and demos.

Knows: three signature schemes and the header names that carry them.
Does not know: what a payload means, who receives it.

Each `sign_*` returns (headers, body): the body is bytes, exactly those that were signed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

from ..adapter import Inbound

__all__ = ["Signed", "post", "sign_slack", "sign_telegram", "sign_whatsapp"]

Signed: TypeAlias = tuple[dict[str, str], bytes]
"""Headers and body of a signed request."""

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


def sign_telegram(update: Any, secret_token: str) -> Signed:
    """An update of the Bot API. Bot API, setWebhook: the secret stands in the header as it is."""
    headers = {"content-type": _JSON, "x-telegram-bot-api-secret-token": secret_token}
    return headers, _body(update)


def sign_whatsapp(payload: Any, app_secret: str) -> Signed:
    """A webhook of the Cloud API. Meta, webhooks: HMAC-SHA256 of the raw body by the app secret."""
    body = _body(payload)
    digest = _hmac(app_secret, body)
    return {"content-type": _JSON, "x-hub-signature-256": f"sha256={digest}"}, body


def sign_slack(
    payload: Any, signing_secret: str, timestamp: float | datetime, *, form: bool = False
) -> Signed:
    """An event, or with `form` an interaction (`payload=<json>`) or slash command (given as bytes).

    `timestamp`: Unix seconds or an aware time; receivers refuse what is 5 minutes old.
    Slack, verifying requests: HMAC-SHA256 of `v0:{timestamp}:{raw body}` by the signing secret.
    """
    if form and not isinstance(payload, bytes | str):
        payload = urlencode({"payload": json.dumps(payload)})
    body = _body(payload)
    at = timestamp.timestamp() if isinstance(timestamp, datetime) else timestamp
    stamp = str(int(at))
    digest = _hmac(signing_secret, b"v0:" + stamp.encode() + b":" + body)
    return {
        "content-type": _FORM if form else _JSON,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={digest}",
    }, body


def post(signed: Signed, at: datetime, query: Mapping[str, str] | None = None) -> Inbound:
    """The signed request as core would hand it to an adapter. `at`: when it arrived, aware."""
    headers, body = signed
    return Inbound("POST", headers, query or {}, body, at)


def _body(payload: Any) -> bytes:
    """Bytes as they are, text as UTF-8, all else as JSON with escaped unicode, as Meta sends it."""
    if isinstance(payload, bytes):
        return payload
    return payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()


def _hmac(secret: str, data: bytes) -> str:
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
