"""Failures that a test plants in a fake platform, each in the platform's own words.

Knows: how Telegram, WhatsApp and Slack say "too fast" and "never", and that they cannot say "lost".
Does not know: requests that succeed, HTTP servers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .record import Answer, answer_json

__all__ = ["Fault", "Faults", "refused", "throttled"]


@dataclass
class Fault:
    """What happens to the next `left` requests whose path contains `path`.

    answer  what is answered, told the platform's name; None to hang up without an answer.
    done    without an answer: whether the request is carried out all the same.
    hang    without an answer: keep the connection open instead of closing it.
    """

    left: int
    path: str
    answer: Callable[[str], Answer] | None = None
    done: bool = False
    hang: bool = False

    def __post_init__(self) -> None:
        if type(self.left) is not int or not isinstance(self.path, str):
            raise TypeError(
                f"n is a whole number and path a text, not {self.left!r}, {self.path!r}"
            )


class Faults:
    """The planted faults, used up in the order in which they were planted."""

    def __init__(self) -> None:
        self._planted: list[Fault] = []

    def plant(self, fault: Fault) -> None:
        """Add one behind the others."""
        self._planted.append(fault)

    def take(self, path: str) -> Fault | None:
        """The fault that this request meets, or None."""
        for fault in self._planted:
            if fault.left > 0 and fault.path in path:
                fault.left -= 1
                return fault
        return None

    def clear(self) -> int:
        """Take back what is left; how many requests it would still have hit."""
        left, self._planted = sum(fault.left for fault in self._planted), []
        return left


def throttled(platform: str, after: int) -> Answer:
    """Too many requests: again in `after` seconds.

    Bot API: 429 with `parameters.retry_after` in the body. Slack: 429 and `Retry-After`. Cloud API:
    400 with code 130429 (its header is not documented, but sent here so that waits are short).
    """
    header = {"retry-after": str(after)}
    if platform == "telegram":
        words = f"Too Many Requests: retry after {after}"
        told = {"error_code": 429, "description": words, "parameters": {"retry_after": after}}
        return _json({"ok": False, **told}, 429, header)
    if platform == "whatsapp":
        return _json(_graph(130429, "Rate limit hit"), 400, header)
    return _json({"ok": False, "error": "ratelimited"}, 429, header)


def refused(platform: str) -> Answer:
    """No, and asking again does not help: the bot was blocked, the number has no WhatsApp, no channel."""
    if platform == "telegram":
        words = "Forbidden: bot was blocked by the user"
        return answer_json({"ok": False, "error_code": 403, "description": words}, 403)
    if platform == "whatsapp":
        return answer_json(_graph(131026, "Message undeliverable"), 400)
    return answer_json({"ok": False, "error": "channel_not_found"})


def _graph(code: int, title: str) -> dict[str, object]:
    told = {"message": f"(#{code}) {title}", "type": "OAuthException", "code": code}
    return {"error": {**told, "fbtrace_id": "A1b2C3"}}


def _json(body: object, status: int, headers: dict[str, str]) -> Answer:
    answer = answer_json(body, status)
    return Answer(answer.status, answer.body, {**answer.headers, **headers})
