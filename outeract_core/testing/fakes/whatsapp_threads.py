"""The chat threads of a WhatsApp number: who wrote when, what is in each, what will not arrive.

Knows: the 24-hour window, what can be reacted to, which statuses follow. Meta accepts all of it with a
200 and tells the failure later, in a status.
Does not know: shapes, HTTP (`whatsapp.py`). Source: Meta's pages "Reaction messages" (131009, and no
status but `sent`), "Error codes" (131047), and "Contextual replies": what answers an unknown message
is delivered without its bubble, so nothing is refused for its `context`.
"""

from __future__ import annotations

from typing import Any

from .record import Received, World

__all__ = ["FAILURES", "Threads"]

FAILURES = {
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131053: "Media upload error",
}
"""Meta's titles of the failures that a status tells here."""
_WINDOW = 24 * 3600
_REACTABLE = 30 * 24 * 3600
_NAMES = ("group_id", "from", "from_user_id", "from_parent_user_id")

Thread = tuple[str, str]
"""A business number, and a name of the person or group."""


class Threads:
    """By business number and person or group. `closed`: also to those who have never written."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names: dict[Thread, str] = {}
        self._wrote: dict[Thread, int] = {}
        self._said: dict[Thread, tuple[str, int]] = {}
        self._heard: set[Thread] = set()
        self._failures: dict[str, int] = {}
        self.closed = False

    def heard(self, number: str, message: dict[str, Any]) -> None:
        """A person has written: the window is open, under each of the names that the message tells."""
        names = [str(message[name]) for name in _NAMES if message.get(name)]
        names = names[:1] if message.get("group_id") else names
        main = next(
            (self._names[number, name] for name in names if (number, name) in self._names), names[0]
        )
        self._names |= dict.fromkeys(((number, name) for name in names), main)
        self._wrote[number, main] = self._world.seconds
        self._keep(number, main, str(message["id"]), str(message["type"]))
        self._heard.add((number, str(message["id"])))

    def has_heard(self, number: str, wamid: str) -> bool:
        """Whether a person has sent the number this message, so that it can be marked as read."""
        return (number, wamid) in self._heard

    def accepted(
        self, number: str, to: str, wamid: str, params: dict[str, Any], *, fit: bool = True
    ) -> None:
        """The bot has said it, and it is known whether it will arrive; `fit`: its files can be shown so."""
        thread, kind = self._thread(number, to), str(params.get("type", "text"))
        code = self._failure(thread, kind, params) or (None if fit else 131053)
        if code is None:
            self._keep(number, to, wamid, kind)
        else:
            self._failures[wamid] = code

    def failure(self, wamid: str) -> int:
        """The code with which this message fails; undeliverable, where a test lets it fail."""
        return self._failures.get(wamid, 131026)

    def told(self, message: Received, statuses: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the wanted statuses that follow this message; what cannot arrive `failed`."""
        if message.id in self._failures:
            return ("failed",) if statuses else ()
        untold = ("delivered", "read") if message.method == "reaction" else ()
        return tuple(status for status in statuses if status not in untold)

    def _failure(self, thread: Thread, kind: str, params: dict[str, Any]) -> int | None:
        if kind != "template" and not self._open(thread):
            return 131047
        if kind == "reaction" and not self._reactable(thread, params["reaction"]):
            return 131009
        return None

    def _open(self, thread: Thread) -> bool:
        wrote = self._wrote.get(thread)
        if wrote is None:
            return not self.closed
        return self._world.seconds - wrote <= _WINDOW

    def _reactable(self, thread: Thread, reaction: Any) -> bool:
        wamid = str(reaction.get("message_id")) if isinstance(reaction, dict) else ""
        name, at = self._said.get((thread[0], wamid), ("", 0))
        here = self._thread(thread[0], name) == thread
        return here and self._world.seconds - at <= _REACTABLE

    def _keep(self, number: str, name: str, wamid: str, kind: str) -> None:
        """Reactions are no messages that could be reacted to."""
        if kind != "reaction":
            self._said[number, wamid] = name, self._world.seconds

    def _thread(self, number: str, name: str) -> Thread:
        return number, self._names.get((number, name), name)
