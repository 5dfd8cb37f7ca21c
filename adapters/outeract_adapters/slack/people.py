"""Who is who in a Slack event: ourselves, the author, the place.

Knows: which items are our own, how users, bots, channels and direct messages become parties.
Does not know: what an event means.

A direct message has a channel of its own (`D…`) beside the user (`U…`): the user carries it as
the alias `dm_channel`, so that what names only the channel still finds the person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from outeract_core.adapter import Settings
from outeract_core.events import Fact, Party, Unparsed
from outeract_core.model import Alias

from .fields import Object, many, name, obj, text

__all__ = ["Place", "Us", "author", "installation", "of_installation", "parties", "person", "shown"]

BOT = Party("system", "system")
SLACKBOT = "USLACKBOT"
"""Slack's own bot, with one id in every workspace; it is not marked as a bot."""


@frozen
class Us:
    """The ids under which Slack shows this app's own bot."""

    users: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings, envelope: Object) -> Us:
        """From `bot_user_id`, `bot_id` and `app_id` of the connection and what the delivery says.

        Events API: `authorizations[]` names an installation that sees the event; with
        `is_bot: true` its `user_id` is our bot, otherwise it is the person who installed the app.
        """
        bots = (one for one in many(envelope, "authorizations") if one.get("is_bot") is True)
        users = {name(one, "user_id") for one in bots}
        users |= {settings.get("bot_user_id"), settings.account}
        apps = {settings.get("app_id"), name(envelope, "api_app_id")}
        return cls(_known(users), _known({settings.get("bot_id")}), _known(apps))

    def wrote(self, item: Object) -> bool:
        """Whether our own bot is the author. Modern bots have no subtype: only ids tell.

        The most exact id that both sides know decides; the app alone is the last resort, since
        one app may be installed in both workspaces of a shared channel.
        """
        user = name(item, "user") or name(item, "bot_profile", "user_id")
        if user and self.users:
            return user in self.users
        bot = name(item, "bot_id")
        if bot and self.bots:
            return bot in self.bots
        app = name(item, "app_id") or name(item, "bot_profile", "app_id")
        return bot is not None and app in self.apps

    def mentioned(self, mrkdwn: str) -> bool:
        """Whether the text calls our bot by name."""
        return any(f"<@{user}>" in mrkdwn or f"<@{user}|" in mrkdwn for user in self.users)


def _known(ids: set[str | None]) -> frozenset[str]:
    return frozenset(one for one in ids if one)


@frozen
class Place:
    """A conversation. `app_mention` has no `channel_type`: then the id's first letter tells."""

    channel: str
    type: str | None = None
    title: str | None = None

    @property
    def direct(self) -> bool:
        """Whether it is the direct conversation of one person with our bot."""
        return self.channel.startswith("D") or self.type in ("im", "app_home")

    @property
    def alias(self) -> Alias:
        """The name by which a direct conversation finds its person."""
        return Alias("dm_channel", self.channel)

    @property
    def party(self) -> Party:
        """The other side: a channel, a group direct message, or the person behind `D…`."""
        if self.direct:
            return Party(None, "person", aliases=(self.alias,))
        return Party(self.channel, "group" if self.type == "mpim" else "channel", self.title)


def parties(writer: Party | None, place: Place, ours: bool) -> tuple[Party | None, Party | None]:
    """`(sender, chat)` as a fact wants them.

    Slackbot, or an app without a user, also writes in the direct conversation of a person with our
    bot: that makes it the sender, never the person whose conversation it is.
    """
    if ours:
        return BOT, place.party
    if not place.direct or writer is None or not _converses(writer):
        return writer, place.party
    return evolve(writer, aliases=(*writer.aliases, place.alias)), None


def _converses(writer: Party) -> bool:
    """Whether it is a user with whom our bot can have a direct conversation: no `B…`, not Slackbot."""
    known = writer.external_id
    return known is not None and known != SLACKBOT and not known.startswith("B")


def author(item: Object) -> Party | None:
    """Who wrote a message: a user, or a bot that has only a `bot_id`.

    A `bot_id` beside a user is a property of the message and no name of the user: an app that posts
    with people's own tokens has one `bot_id` for all of them. What such an app calls itself
    (`username`, `bot_profile`) is the user's name only where the profile is said to be theirs.
    """
    user, bot = name(item, "user"), name(item, "bot_id")
    profile, app = obj(item, "user_profile"), obj(item, "bot_profile")
    if user is None:
        title = text(item, "username") or text(app, "name")
        return None if bot is None else Party(bot, name=title, bot=True)
    own = text(app, "name") if name(app, "user_id") == user else None
    called = text(profile, "display_name") or text(profile, "real_name") or own
    robot = bot is not None or user == SLACKBOT
    return Party(user, "person", called, text(profile, "image_72"), bot=robot)


def person(user: object) -> Party | None:
    """A user as other events and interactions name them: an id, or an object.

    An interaction tells only a handle (`username`), which nobody sees in Slack: it is no name.
    """
    if isinstance(user, str):
        known = name({"id": user}, "id")
        return None if known is None else Party(known, bot=known == SLACKBOT)
    known = name(user, "id")
    if known is None:
        return None
    robot = known == SLACKBOT or (isinstance(user, dict) and user.get("is_bot") is True)
    picture = text(user, "profile", "image_192")
    return Party(known, "person", shown(user), picture, bot=robot)


def shown(user: object) -> str | None:
    """What Slack shows as a user's name: the one that they have chosen, else the whole one."""
    return (
        text(user, "profile", "display_name") or text(user, "profile", "real_name")
        or text(user, "real_name")
    )  # fmt: skip


# ── which installation ────────────────────────────────────────────────────────────────────────


def installation(body: Object) -> str | None:
    """The id of the workspace (`T…`) or organisation (`E…`), or None when nothing says it.

    Slack docs, "Events API": `authorizations[0]` is an installation that sees the event; in a shared
    channel `team_id` may be another workspace's. An app that is installed for a whole organisation
    has its `enterprise_id`.
    """
    authorised = many(body, "authorizations")
    if authorised:
        return _of(authorised[0], "enterprise_id", "team_id") or name(body, "team_id")
    whole = body.get("is_enterprise_install") in (True, "true")
    if whole:
        return name(body, "enterprise", "id") or name(body, "enterprise_id")
    return (
        name(body, "view", "app_installed_team_id") or name(body, "team", "id")
        or name(body, "team_id")
    )  # fmt: skip


def _of(item: Object, enterprise: str, team: str) -> str | None:
    whole = item.get("is_enterprise_install") is True
    return (name(item, enterprise) if whole else None) or name(item, team) or name(item, enterprise)


def of_installation(
    found: Iterable[Fact | Unparsed], account: str | None
) -> Iterator[Fact | Unparsed]:
    """Each of them with the installation that it is for."""
    for one in found:
        yield one if account is None else evolve(one, account=account)
