"""The messages of each chat as api.telegram.org has them: which there are, whose, what fits which.

Knows: numbers, what can be edited by which method and deleted until when, refusals in Telegram's words.
Does not know: how a message is made (`telegram.py`), HTTP. Source: Bot API 10.3, and TDLib's words.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .record import World

__all__ = ["FIRST_MESSAGE_ID", "Chats", "RefusedError"]

FIRST_MESSAGE_ID = 1000
"""Outbound ids start above this: those up to it are messages of people, which a test makes up."""
_DELETABLE = 48 * 3600
_CAPTIONED = ("photo", "document", "video", "audio", "voice", "animation")
_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
_LISTED = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 "
    "🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 "
    "🤷\u200d♂ 🤷 🤷\u200d♀ 😡"
)
_REACTIONS = frozenset(_LISTED.split(" "))


class RefusedError(Exception):
    """What Telegram answers instead."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status


class Chats:
    """Every chat's messages. `closed`: by chat, why nothing can be sent there (403); `direct`: of the direct
    messages of a channel, the topics that there are.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._last: dict[str, int] = defaultdict(lambda: FIRST_MESSAGE_ID)
        self._posts: dict[tuple[str, int], dict[str, Any]] = {}
        self._heard: set[tuple[str, int]] = set()
        self._gone: set[tuple[str, int]] = set()
        self._threads: set[tuple[str, int]] = set()
        self.closed: dict[str, str] = {}
        self.direct: dict[str, set[int]] = {}

    def number(self, chat: str) -> int:
        """The number of the chat's next message."""
        with self._world.changed:
            self._last[chat] += 1
            return self._last[chat]

    def knows(self, chat: str) -> bool:
        """Whether the bot has ever been in it."""
        return chat in self._last

    def heard(self, chat: str, number: int, thread: int | None = None) -> None:
        """A person has said it, in that topic."""
        self._heard.add((chat, number))
        if thread is not None:
            self._threads.add((chat, thread))

    def keep(self, chat: str, message: dict[str, Any]) -> None:
        """The bot has said it."""
        self._posts[chat, message["message_id"]] = message

    def open(self, chat: str) -> None:
        """Raises RefusedError where nothing can be sent."""
        if chat in self.closed:
            raise RefusedError(403, f"Forbidden: {self.closed[chat]}")

    def answered(self, chat: str, told: Any) -> None:
        """Raises RefusedError for a reply to what is not there, unless it may go without."""
        number = told.get("message_id") if isinstance(told, dict) else None
        if number and not told.get("allow_sending_without_reply"):
            self._there(str(told.get("chat_id") or chat), int(number), "be replied")

    def threaded(self, chat: str, thread: int) -> None:
        """Raises RefusedError for a topic that is not there: as with messages, a test may make up small ones."""
        if thread > FIRST_MESSAGE_ID and (chat, thread) not in self._threads:
            raise RefusedError(400, "Bad Request: message thread not found")

    def directed(self, chat: str, topic: int) -> None:
        """Raises RefusedError where a channel's direct messages are meant, and no person's topic in them: Bot API,
        sendMessage, requires one there (Telegram's words for it are not documented).
        """
        if chat in self.direct and topic not in self.direct[chat]:
            raise RefusedError(400, "Bad Request: direct messages topic not found")

    # ── changes ──

    def edited(self, params: dict[str, Any], changed: dict[str, Any], field: str) -> dict[str, Any]:
        """The bot's message with `changed`; `field`: `text`, `caption` or `` for the keyboard alone."""
        key = self._there(*_which(params), "edit")
        before = self._posts.get(key)
        if before is None:
            raise RefusedError(400, "Bad Request: message can't be edited")
        if not _fits(before, field):
            raise RefusedError(400, f"Bad Request: there is no {field} in the message to edit")
        kept = {name: value for name, value in before.items() if name != "reply_markup"}
        after = kept | changed
        if _same(before, after):
            raise RefusedError(400, f"Bad Request: {_SAME}")
        self._posts[key] = after | {"edit_date": self._world.seconds}
        return self._posts[key]

    def deleted(self, params: dict[str, Any]) -> None:
        """A message is gone. Bot API, deleteMessage: within 48 hours."""
        key = self._there(*_which(params), "delete")
        date = self._posts.get(key, {}).get("date", self._world.seconds)
        if self._world.seconds - date > _DELETABLE:
            raise RefusedError(400, "Bad Request: message can't be deleted for everyone")
        self.forget(*key)

    def forget(self, chat: str, number: int) -> None:
        """A message is not there any more, whoever has deleted it."""
        self._gone.add((chat, number))
        self._posts.pop((chat, number), None)

    def all_deleted(self, chat: str, numbers: list[int]) -> None:
        """Bot API, deleteMessages: 1 to 100 of them; what is not found is skipped."""
        if not 1 <= len(numbers) <= 100:
            raise RefusedError(400, "Bad Request: message identifiers are not specified")
        for number in numbers:
            if (chat, number) in self._posts:
                self.deleted({"chat_id": chat, "message_id": number})

    def reacted(self, params: dict[str, Any], reactions: list[Any]) -> None:
        """The bot's reactions, of which a bot has one at most."""
        self._there(*_which(params), "react")
        emoji = [one.get("emoji") for one in reactions if one.get("type") == "emoji"]
        if not _REACTIONS.issuperset(emoji):
            raise RefusedError(400, "Bad Request: REACTION_INVALID")
        if len(reactions) > 1:
            raise RefusedError(400, "Bad Request: REACTIONS_TOO_MANY")

    def _there(self, chat: str, number: int, verb: str) -> tuple[str, int]:
        """The message, if there is one: said, or of a number that a test has made up for a person."""
        key = chat, number
        made_up = 0 < number <= FIRST_MESSAGE_ID
        if key in self._gone or not (key in self._posts or key in self._heard or made_up):
            raise RefusedError(400, f"Bad Request: message to {verb} not found")
        return key


def _which(params: dict[str, Any]) -> tuple[str, int]:
    return str(params.get("chat_id")), int(params.get("message_id") or 0)


def _fits(message: dict[str, Any], field: str) -> bool:
    """Whether the method for `field` is one for this message."""
    if field == "caption":
        return any(name in message for name in _CAPTIONED)
    return not field or field in message


def _same(before: dict[str, Any], after: dict[str, Any]) -> bool:
    fields = ("text", "caption", "entities", "caption_entities", "reply_markup")
    return all((before.get(name) or None) == (after.get(name) or None) for name in fields)
