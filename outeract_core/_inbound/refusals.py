"""What a platform is answered when its delivery is not taken, and what the host is told of it.

Knows: which error leads to which answer; that a platform delivers again and again, so that what stays the
same is told once until a delivery is taken, and that what strangers send is not told.
Does not know: how a delivery is verified, read or kept.
"""

from __future__ import annotations

from attrs import field

from .._domain.values.classes import define
from .._io.runtime import Runtime
from ..adapter import Response
from ..errors import (
    BodyTooLarge,
    MissingSecret,
    OverQuota,
    SignatureError,
    StoreError,
    UnknownPlatform,
    UnknownWebhook,
    WebhookError,
)

_PLAIN = {"content-type": "text/plain"}


@define(eq=False)
class Refusals:
    """Those of one open file. `where` is the id of a webhook."""

    runtime: Runtime
    _told: dict[str, str] = field(factory=dict)

    def answer(self, where: str, error: Exception) -> Response:
        """What follows from an error: refused for good, or to be delivered again."""
        if isinstance(error, UnknownWebhook):
            return Response(error.status, _PLAIN, _short(error))
        if isinstance(error, OverQuota):  # told by `quotas.py`, once for each window
            return Response(429, {"retry-after": str(error.after)}, b"deliver again later")
        if isinstance(error, WebhookError):
            remedy = " (body_limit=)" if isinstance(error, BodyTooLarge) else ""
            self._tell(where, f"was refused: {error}{remedy}")
            return Response(error.status, _PLAIN, _short(error))
        if isinstance(error, MissingSecret | UnknownPlatform):
            self._tell(where, f"cannot be taken yet, and may be delivered again: {error}")
            return Response(503, {"retry-after": "60"}, b"not ready; `outeract doctor` tells why")
        if isinstance(error, StoreError):
            self._tell(where, f"could not be stored, and may be delivered again: {error}")
            return Response(503, {"retry-after": "5"}, b"the store is unavailable; deliver again")
        text = f"a delivery was refused, and may be delivered again: {type(error).__name__}"
        self.runtime.log.error("inbound", text, error)
        return Response(500, _PLAIN, b"it could not be read")

    def unread(self, where: str, answer: Response) -> Response:
        """The server's side could not read the request whole: the same answer, and it is told."""
        remedy = " (body_limit=)" if answer.status == 413 else ""
        self._tell(where, f"was answered {answer.status}: {answer.body.decode()}{remedy}")
        return answer

    def taken(self, where: str) -> None:
        """A delivery came in: what goes wrong next is told anew."""
        self._told.pop(where, None)

    def _tell(self, where: str, text: str) -> None:
        name = self._name(where)
        if name is not None and self._told.get(where) != text:
            self._told[where] = text
            self.runtime.log.warning("inbound", f"{name}: a delivery {text}")

    def _name(self, where: str) -> str | None:
        """The connection's; None for an address that nobody has, which strangers may make up."""
        try:
            conn = self.runtime.by_webhook(where)
        except StoreError:
            return "a webhook"
        return None if conn is None else f"{conn.platform}/{conn.entity.name}"


def _short(error: WebhookError) -> bytes:
    return b"" if isinstance(error, SignatureError) else str(error).encode("utf-8", "replace")[:200]
