"""Who and what is in the fake Slack workspace, and what its bot may read of it.

Knows: users, channels, bots, the scopes of the methods that read them, refusals in Slack's words.
Does not know: messages, HTTP. Source of shapes: docs.slack.dev, users.info, conversations.info.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Directory", "RefusedError"]

_KINDS = {"C": "channels:read", "G": "groups:read", "D": "im:read"}


class RefusedError(Exception):
    """A refusal: Slack's name of it, and what is told beside it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.more = more


class Directory:
    """The workspace `team`, whose bot is the user `bot`. `scopes`: what the token may do."""

    def __init__(
        self, scopes: Callable[[], set[str]], team: str, bot: str, bot_id: str, app: str
    ) -> None:
        self._scopes = scopes
        self._team, self._bots = team, {bot_id: {"name": "fakebot", "app_id": app, "user_id": bot}}
        self._people: dict[str, dict[str, Any]] = {}
        self._channels: dict[str, dict[str, Any]] = {}
        self.met(bot)

    # ── who is here ──

    def met(self, user: str) -> None:
        """A user is in the workspace, under a name made of the id unless it has another."""
        if user not in self._people:
            self.called(user, f"Person {user}")

    def called(self, user: str, name: str, picture: str | None = None) -> dict[str, Any]:
        """From now on this user is shown so; the user object, as `user_change` tells it."""
        profile = {"display_name": name, "real_name": f"{name} Doe"}
        if picture is not None:
            profile["image_192"] = picture
        person = {
            "id": user, "team_id": self._team, "name": user.lower(), "deleted": False,
            "real_name": f"{name} Doe", "is_bot": self._is_bot(user), "profile": profile,
        }  # fmt: skip
        self._people[user] = person
        return person

    def seen(self, channel: str) -> None:
        """A channel is in the workspace, under a name made of the id unless it has another."""
        if channel not in self._channels:
            self.titled(channel, f"channel-{channel.lower()}")

    def titled(self, channel: str, name: str) -> dict[str, Any]:
        """From now on this channel is called so; what `channel_rename` tells of it."""
        self._channels[channel] = {"name": name, "name_normalized": name}
        return {"id": channel, "name": name, "created": 1360782804}

    def _is_bot(self, user: str) -> bool:
        return any(bot["user_id"] == user for bot in self._bots.values())

    # ── what the bot asks ──

    def users_info(self, params: dict[str, Any]) -> dict[str, Any]:
        """One user."""
        self._need("users:read")
        user = str(params.get("user") or "")
        if user not in self._people:
            raise RefusedError("user_not_found")
        return {"user": self._people[user]}

    def bots_info(self, params: dict[str, Any]) -> dict[str, Any]:
        """One bot."""
        self._need("users:read")
        bot = str(params.get("bot") or "")
        if bot not in self._bots:
            raise RefusedError("bot_not_found")
        icons = {"image_72": "https://avatars.slack-edge.com/bot_72.png"}
        return {"bot": {"id": bot, "deleted": False, **self._bots[bot], "icons": icons}}

    def conversations_info(self, params: dict[str, Any]) -> dict[str, Any]:
        """One channel; of a direct conversation who is on its other side."""
        channel = str(params.get("channel") or "")
        self._need(_KINDS.get(channel[:1], "channels:read"))
        if channel.startswith("D"):
            return {"channel": {"id": channel, "is_im": True, "user": f"U{channel[1:]}"}}
        if channel not in self._channels:
            raise RefusedError("channel_not_found")
        about = {"id": channel, "is_im": False, "is_private": channel.startswith("G")}
        return {"channel": {**about, **self._channels[channel]}}

    def _need(self, scope: str) -> None:
        if scope not in self._scopes():
            provided = ",".join(sorted(self._scopes()))
            raise RefusedError("missing_scope", needed=scope, provided=provided)
