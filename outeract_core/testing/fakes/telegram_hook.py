"""A bot's webhook as api.telegram.org keeps it: what setWebhook takes, what getWebhookInfo tells.

Knows: which URLs and secrets are taken, what is remembered. Does not know: updates, HTTP. Source: Bot
API 10.3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .limits.telegram import ON_REQUEST

__all__ = ["BadWebhookError", "brought", "described", "replaced"]

_HTTPS = re.compile(r"https://[^/:]+(:(443|80|88|8443))?(/|$)")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TOLD = (
    "allowed_updates", "max_connections", "ip_address", "last_error_date", "last_error_message",
)  # fmt: skip


class BadWebhookError(Exception):
    """Why Telegram would refuse."""


def replaced(webhook: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """setWebhook: https on four ports only; `allowed_updates` that is left out stays as it was."""
    url, secret = str(params.get("url") or ""), params.get("secret_token")
    if url and not _HTTPS.match(url):
        raise BadWebhookError("bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not _SECRET.fullmatch(str(secret)):
        raise BadWebhookError("secret token contains unallowed characters")
    kept = {k: v for k, v in webhook.items() if k == "allowed_updates"}
    return {**kept, **params, "url": url}


def brought(webhook: Mapping[str, Any], update: Mapping[str, Any]) -> bool:
    """Whether an update is of a kind that the bot has asked for; by an empty list, or never, for all but a few."""
    allowed = webhook.get("allowed_updates") or []
    allowed = json.loads(allowed) if isinstance(allowed, str) else allowed
    kinds = [name for name in update if name != "update_id"]
    return any(kind in allowed if allowed else kind not in ON_REQUEST for kind in kinds)


def described(webhook: Mapping[str, Any], pending: int) -> dict[str, Any]:
    """WebhookInfo: it never says whether there is a secret token, nor which."""
    told = {k: webhook[k] for k in _TOLD if webhook.get(k)}
    if isinstance(told.get("allowed_updates"), str):
        told["allowed_updates"] = json.loads(told["allowed_updates"])
    waiting = {"pending_update_count": pending, "has_custom_certificate": False}
    return {"url": webhook["url"], **told, **waiting}
