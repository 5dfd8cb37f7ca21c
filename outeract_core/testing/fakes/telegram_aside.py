"""Ephemeral messages as api.telegram.org keeps them: seen by one member of a group and the bot.

Knows: their numbers, who may be answered and for how long.
Does not know: other messages, HTTP. Source: Bot API 10.3, "Ephemeral messages and commands".
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["Asides", "NotAllowedError", "aside_of"]

PRESSED = 15 * 60
"""Seconds for which a press can be answered; not documented, and no shorter than a bot takes."""
ANSWERABLE = 15
"""Seconds after a command or a press in which a bot that is no admin may answer it."""


class NotAllowedError(Exception):
    """Why Telegram would refuse."""


def aside_of(params: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters of an ephemeral message, in the words of 10.3 or of 10.2; None for others."""
    told = params.get("ephemeral_message_parameters")
    told = json.loads(told) if isinstance(told, str) else told
    if told:
        return dict(told)
    names = ("receiver_user_id", "callback_query_id")
    former = {name: params[name] for name in names if params.get(name)}
    return former if "receiver_user_id" in former else None


class Asides:
    """What was said aside. `admin`: whether the bot may write to any member at any time."""

    def __init__(self) -> None:
        self.admin = False
        self._last = 0
        self._heard: dict[tuple[str, int], tuple[int, int]] = {}
        self._presses: dict[str, int] = {}
        self._said: dict[tuple[str, int, int], dict[str, Any]] = {}

    def heard(self, chat: str, user: int, at: int) -> int:
        """A person says something aside to the bot; its number."""
        self._last += 1
        self._heard[chat, self._last] = (user, at)
        return self._last

    def pressed(self, query: str, at: int) -> None:
        """A person has pressed a button."""
        self._presses[query] = at

    def answered(self, query: str, now: int) -> bool:
        """Whether a press can be answered: it was told, not long ago."""
        return now - self._presses.get(query, -PRESSED - 1) <= PRESSED

    def check(self, params: dict[str, Any], chat: str, now: int) -> dict[str, Any] | None:
        """The parameters, where it is ephemeral. Raises NotAllowedError."""
        told, answered = aside_of(params), _answered(params)
        if told is None:
            if answered is not None:
                raise NotAllowedError("a reply to an ephemeral message must be ephemeral")
            return None
        if not chat.startswith("-"):
            raise NotAllowedError("ephemeral messages can be sent only to groups and supergroups")
        user, at = self._heard.get((chat, answered or 0), (None, 0))
        if answered is not None and (user != told["receiver_user_id"] or now - at > ANSWERABLE):
            raise NotAllowedError("message to be replied not found")
        pressed = self._presses.get(str(told.get("callback_query_id")), -ANSWERABLE - 1)
        if not (self.admin or answered is not None or now - pressed <= ANSWERABLE):
            raise NotAllowedError("not enough rights to send ephemeral messages")
        return told

    def keep(self, chat: str, user: int, message: dict[str, Any]) -> dict[str, Any]:
        """The message as it is answered: without an id that others could see."""
        self._last += 1
        receiver = {"id": user, "is_bot": False, "first_name": f"Person {user}"}
        aside = {"message_id": 0, "ephemeral_message_id": self._last, "receiver_user": receiver}
        self._said[chat, user, self._last] = message = {**message, **aside}
        return message

    def change(self, method: str, params: dict[str, Any]) -> bool:
        """`editEphemeralMessage…` and `deleteEphemeralMessage`. Raises NotAllowedError."""
        names = ("receiver_user_id", "ephemeral_message_id")
        user, shown = (int(params.get(name) or 0) for name in names)
        key = str(params.get("chat_id")), user, shown
        if key not in self._said:
            raise NotAllowedError(
                "message to edit not found" if "edit" in method else "message to delete not found"
            )
        if "delete" in method:
            del self._said[key]
        else:
            texts = ("text", "caption", "reply_markup")
            self._said[key] |= {name: params[name] for name in texts if name in params}
        return True


def _answered(params: dict[str, Any]) -> int | None:
    told = params.get("reply_parameters")
    told = json.loads(told) if isinstance(told, str) else told
    known = told.get("ephemeral_message_id") if isinstance(told, dict) else None
    return known if isinstance(known, int) else None
