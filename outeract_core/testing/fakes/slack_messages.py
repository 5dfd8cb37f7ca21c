"""The messages of each channel as Slack has them: which there are, whose, with whose reactions.

Knows: timestamps, what the bot may change, reactions, refusals in Slack's words.
Does not know: how a message is made (`slack.py`), HTTP. Source: docs.slack.dev, the errors of
chat.update, chat.delete, reactions.add, reactions.remove.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .limits.slack import MOST_REACTIONS
from .slack_directory import RefusedError

__all__ = ["Messages"]

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")

Key = tuple[str, str]


class Messages:
    """What people and the bot have said, by channel and ts; there is nothing else."""

    def __init__(self) -> None:
        self._posts: dict[Key, dict[str, Any]] = {}
        self._heard: set[Key] = set()
        self._reactions: set[tuple[Key, str]] = set()
        self.emoji: set[str] | None = None

    def heard(self, channel: str, ts: str) -> None:
        """A person has said it."""
        self._heard.add((channel, ts))

    def keep(self, channel: str, message: dict[str, Any]) -> None:
        """The bot has said it."""
        self._posts[channel, message["ts"]] = message

    def post(self, channel: str, ts: str) -> dict[str, Any]:
        """The bot's message."""
        return self._posts[channel, ts]

    def posts(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        """The bot's messages, in the order in which they were said."""
        yield from self._posts.items()

    # ── changes ──

    def edited(self, channel: str, ts: str, changed: dict[str, Any]) -> dict[str, Any]:
        """The bot's message with `changed`."""
        key = self._own(channel, ts, "update")
        self._posts[key] = self._posts[key] | changed
        return self._posts[key]

    def deleted(self, channel: str, ts: str) -> None:
        """The bot's message is gone, and with it what was put under it."""
        key = self._own(channel, ts, "delete")
        del self._posts[key]
        self._reactions = {one for one in self._reactions if one[0] != key}

    def reacted(self, channel: str, ts: str, name: str) -> None:
        """The bot's reaction is there."""
        one = self._there(channel, ts), self._named(name)
        if one in self._reactions:
            raise RefusedError("already_reacted")
        if sum(key == one[0] for key, _name in self._reactions) >= MOST_REACTIONS:
            raise RefusedError("too_many_reactions")
        self._reactions.add(one)

    def unreacted(self, channel: str, ts: str, name: str) -> None:
        """The bot's reaction is not there any more."""
        one = self._there(channel, ts), self._named(name)
        if one not in self._reactions:
            raise RefusedError("no_reaction")
        self._reactions.remove(one)

    def _own(self, channel: str, ts: str, verb: str) -> Key:
        key = self._there(channel, ts)
        if key not in self._posts:
            raise RefusedError(f"cant_{verb}_message")
        return key

    def _there(self, channel: str, ts: str) -> Key:
        key = channel, ts
        if key not in self._posts and key not in self._heard:
            raise RefusedError("message_not_found")
        return key

    def _named(self, name: str) -> str:
        """A name that the workspace has; a colon, an emoji itself or nothing is none."""
        known = self.emoji is None or name.partition("::")[0] in self.emoji
        if not (_NAME.fullmatch(name) and known):
            raise RefusedError("invalid_name")
        return name
