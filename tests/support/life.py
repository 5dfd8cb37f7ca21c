"""A whole life: two people and a bot on every platform that is shipped, through the fakes.

Knows: what people and platforms do, and which words are whose. Does not know: what is tested with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import define

from outeract_core import App, Outeract, PlatformConnection
from outeract_core.content import Attachment, Content
from outeract_core.testing import (
    FakePlatform,
    ManualClock,
    sign_slack,
    sign_telegram,
    sign_whatsapp,
)
from tests.support.needles import Needles

__all__ = ["NUMBER", "SECRETS", "Life", "Person", "lived"]

NUMBER = "100000000000001"
GROUP, CHANNEL = -1001234567890, "C0LIFE00001"
SECRETS = {
    "telegram token": "424242:zTelegramTokenOfTheLife", "telegram secret": "zTelegramHookOfTheLife",
    "slack token": "xoxb-zSlackTokenOfTheLife", "slack secret": "zSlackSigningOfTheLife",
    "whatsapp token": "zWhatsAppTokenOfTheLife", "whatsapp secret": "zWhatsAppAppSecretOfTheLife",
    "whatsapp verify": "zWhatsAppVerifyOfTheLife",
}  # fmt: skip
HANDED = {
    "response_url": "https://hooks.slack.com/zResponseUrlOfTheLife",
    "trigger_id": "13345.zTriggerIdOfTheLife",
    "token": "zVerificationOfTheLife",
}
"""Credentials that Slack hands over with what it delivers."""


@define
class Person:
    """Somebody who is on all platforms; the ids are of plain letters and digits."""

    key: str
    telegram: int
    slack: str
    phone: str
    console: str
    name: str

    def user(self) -> dict[str, Any]:
        """As Telegram describes them."""
        return {
            "id": self.telegram, "is_bot": False, "first_name": self.name,
            "username": f"user{self.key}{self.telegram}",
        }  # fmt: skip


@define
class Life:
    """An open store in which people live."""

    core: Outeract
    app: App
    fake: FakePlatform
    clock: ManualClock
    needles: Needles
    conns: dict[str, PlatformConnection]
    lines: int = 0
    update: int = 5000
    message: int = 700

    # ── deliveries ──

    async def _take(self, platform: str, signed: Any, status: int = 200) -> None:
        headers, body = signed
        conn = self.conns[platform]
        answer = await self.core.ingest(
            conn.webhook_id, conn.webhook_secret, "POST", headers, {}, body
        )
        assert answer.status == status, (platform, answer)

    async def telegram(self, update: Mapping[str, Any]) -> None:
        """An update."""
        self.update += 1
        told = {"update_id": self.update, **update}
        await self._take("telegram", sign_telegram(told, SECRETS["telegram secret"]))

    async def slack(self, payload: Any, *, form: bool = False) -> None:
        """An event, or with `form` an interaction or a command."""
        signed = sign_slack(payload, SECRETS["slack secret"], self.clock(), form=form)
        await self._take("slack", signed)

    async def whatsapp(self, payload: Any) -> None:
        """A webhook."""
        await self._take("whatsapp", sign_whatsapp(payload, SECRETS["whatsapp secret"]))

    async def types(self, who: Person, text: str) -> None:
        """Somebody types a line on the console."""
        self.lines += 1
        line = {"user": who.console, "text": text, "n": self.lines}
        await self._take("console", ({}, json.dumps(line).encode()))

    # ── telegram ──

    def tg(self, who: Person, chat: int | None = None, **more: Any) -> dict[str, Any]:
        """A message of somebody's, alone with the bot or in a chat."""
        self.message += 1
        place = {"id": who.telegram, "type": "private", "first_name": who.name}
        if chat is not None:
            place = {"id": chat, "type": "supergroup", "title": "Everybody"}
        at = int(self.clock().timestamp())
        return {"message_id": self.message, "date": at, "chat": place, "from": who.user(), **more}

    def said(self, who: Person, what: str) -> str:
        """Words of theirs."""
        return f"well {self.needles.plant(who.key, what)} indeed"

    async def alone_on_telegram(self, who: Person) -> None:
        """They write, edit, send a file, share a card, press, react and use a code."""
        first = self.tg(who, text=self.said(who, "telegram text"))
        await self.telegram({"message": first})
        edited = {**first, "edit_date": first["date"] + 1, "text": self.said(who, "telegram edit")}
        await self.telegram({"edited_message": edited})
        data = self.needles.plant(who.key, "bytes on telegram").encode() * 9
        name = self.needles.plant(who.key, "file name on telegram") + ".txt"
        there = self.fake.telegram.add_file(data, name)
        document = {"file_id": there, "file_unique_id": f"u{there}", "file_name": name,
                    "mime_type": "text/plain", "file_size": len(data)}  # fmt: skip
        caption = self.said(who, "caption on telegram")
        await self.telegram({"message": self.tg(who, document=document, caption=caption)})
        voice = {"file_id": self.fake.telegram.add_file(b"voice of " + data, "v.ogg"),
                 "file_unique_id": f"v{there}", "mime_type": "audio/ogg", "duration": 2}  # fmt: skip
        await self.telegram({"message": self.tg(who, voice=voice)})
        card = {"phone_number": f"+{who.phone}", "first_name": who.name, "user_id": who.telegram}
        await self.telegram({"message": self.tg(who, contact=card)})
        broken = {**self.tg(who), "text": {"not": self.needles.plant(who.key, "not understood")}}
        await self.telegram({"message": broken})

    async def group_on_telegram(self, who: Person, other: Person) -> None:
        """They speak in a group; the other replies, quotes, forwards, pins, mentions, adds, reacts."""
        asked = self.tg(who, GROUP, text=self.said(who, "telegram group"))
        await self.telegram({"message": asked})
        await self.core.pump()
        reply = self.tg(other, GROUP, text=self.said(other, f"reply to {who.key}"))
        quote = {"text": asked["text"], "position": 0, "is_manual": True}
        await self.telegram({"message": {**reply, "reply_to_message": asked, "quote": quote}})
        bots = self.fake.sent("telegram")[-1]
        ours = {**self.tg(other, GROUP), "message_id": int(bots.id), "text": bots.text,
                "from": {"id": 424242, "is_bot": True, "first_name": "Bot"}}  # fmt: skip
        echoed = self.tg(other, GROUP, text=self.said(other, f"reply to the bot on {who.key}"))
        await self.telegram({"message": {**echoed, "reply_to_message": ours}})
        for origin in (
            {"type": "user", "sender_user": who.user(), "date": asked["date"]},
            {"type": "hidden_user", "sender_user_name": who.name, "date": asked["date"]},
        ):
            passed = self.tg(other, text=asked["text"], forward_origin=origin)
            await self.telegram({"message": passed})
        answered = {"origin": {"type": "user", "sender_user": who.user(), "date": asked["date"]}}
        far = self.tg(other, text=self.said(other, f"far reply to {who.key}"))
        await self.telegram({"message": {**far, "external_reply": answered, "quote": quote}})
        await self.telegram({"message": self.tg(other, GROUP, pinned_message=asked)})
        await self.telegram({"message": self.tg(other, GROUP, new_chat_members=[who.user()])})
        await self.telegram({"message": self.tg(other, GROUP, left_chat_member=who.user())})
        await self._mentioned(who, other)
        card = {"phone_number": f"+{who.phone}", "first_name": who.name, "user_id": who.telegram}
        await self.telegram({"message": self.tg(other, contact=card)})
        reaction = {
            "chat": asked["chat"], "message_id": asked["message_id"], "user": other.user(),
            "date": asked["date"], "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": "👍"}],
        }  # fmt: skip
        await self.telegram({"message_reaction": reaction})

    async def _mentioned(self, who: Person, other: Person) -> None:
        called = f"@{who.user()['username']}"
        words = self.said(other, f"mention of {who.key}")
        at = [{"type": "mention", "offset": 0, "length": len(called)}]
        await self.telegram(
            {"message": self.tg(other, GROUP, text=f"{called} {words}", entities=at)}
        )
        linked = [{"type": "text_mention", "offset": 0, "length": 4, "user": who.user()}]
        words = self.said(other, f"link to {who.key}")
        await self.telegram({"message": self.tg(other, GROUP, text=words, entities=linked)})

    # ── slack ──

    async def on_slack(self, who: Person, other: Person) -> None:
        """They write, edit, delete, send a command; the other answers, forwards and mentions."""
        said = self.fake.slack.say
        payload = said(who.slack, self.said(who, "slack text"), CHANNEL)
        root = payload["event"]
        await self.slack({**payload, "token": HANDED["token"]})
        await self.slack(said(who.slack, self.said(who, "slack alone")))
        more = {"thread_ts": root["ts"], "parent_user_id": who.slack, "root": root}
        await self.slack(
            said(other.slack, self.said(other, f"thread of {who.key}"), CHANNEL, **more)
        )
        share = {"is_share": True, "author_id": who.slack, "author_name": who.name,
                 "text": root["text"], "channel_id": CHANNEL, "ts": root["ts"],
                 "fallback": root["text"]}  # fmt: skip
        await self.slack(said(other.slack, "", CHANNEL, attachments=[share]))
        unfurled = {"from_url": "https://e.org", "author_id": who.slack, "text": root["text"]}
        words = self.said(other, f"link to a message of {who.key}")
        await self.slack(said(other.slack, words, CHANNEL, attachments=[unfurled]))
        pasted = {**share, "is_share": False, "is_msg_unfurl": True, "from_url": "https://e.org/p1"}
        words = self.said(other, f"pasted link to a message of {who.key}")
        await self.slack(said(other.slack, words, CHANNEL, attachments=[pasted]))
        words = f"{self.said(other, f'slack mention of {who.key}')} <@{who.slack}>"
        named = said(other.slack, "", CHANNEL)
        named["event"]["text"] = words
        await self.slack(named)
        now = {**root, "text": self.said(who, "slack edit"), "edited": {"ts": root["ts"]}}
        await self._hidden("message_changed", root, message=now, previous_message=root)
        await self._hidden("message_deleted", root, deleted_ts=root["ts"], previous_message=now)
        form = {"user_id": who.slack, "channel_id": CHANNEL, "channel_name": "everybody",
                "team_id": root["team"], "command": "/note", "text": self.said(who, "command"),
                "api_app_id": payload["api_app_id"], **HANDED}  # fmt: skip
        await self.slack(urlencode(form).encode(), form=True)

    async def _hidden(self, subtype: str, root: Mapping[str, Any], **more: Any) -> None:
        event = {"type": "message", "subtype": subtype, "hidden": True, "channel": CHANNEL,
                 "channel_type": "channel", "ts": root["ts"], "event_ts": root["ts"], **more}  # fmt: skip
        await self.slack(self.fake.slack._event(event))

    # ── whatsapp, console, the host's own ──

    async def on_whatsapp(self, who: Person, other: Person) -> None:
        """They write and send a picture; the other answers them and sends their card."""
        say = self.fake.whatsapp.say
        about = {"phone_number_id": NUMBER}
        first = say(who.phone, self.said(who, "whatsapp text"), **about)
        change = first["entry"][0]["changes"][0]["value"]
        change["contacts"][0]["profile"]["name"] = who.name
        await self.whatsapp(first)
        data = self.needles.plant(who.key, "bytes on whatsapp").encode() * 9
        media = self.fake.whatsapp.add_media(data, "image/png")
        image = {"id": media, "mime_type": "image/png", "caption": self.said(who, "wa caption")}
        await self.whatsapp(say(who.phone, "", type="image", image=image, **about))
        context = {"from": who.phone, "id": change["messages"][0]["id"]}
        words = self.said(other, f"whatsapp reply to {who.key}")
        await self.whatsapp(say(other.phone, words, context=context, **about))
        card = {"name": {"formatted_name": who.name}, "phones": [{"phone": f"+{who.phone}", "wa_id": who.phone}]}  # fmt: skip
        await self.whatsapp(say(other.phone, "", type="contacts", contacts=[card], **about))
        broken = say(who.phone, self.needles.plant(who.key, "kept on whatsapp"), **about)
        broken["entry"][0]["changes"][0]["value"]["messages"][0]["type"] = 5
        await self.whatsapp(broken)
        forged = sign_whatsapp(say(who.phone, self.said(who, "forged"), **about), "another")
        await self._take("whatsapp", forged, 401)

    async def by_the_host(self, who: Person, puser: Any) -> None:
        """The host notes things about somebody, tells them something, gives them a code."""
        plant = self.needles.plant
        await self.app.emit("order.created", {"for": plant(who.key, "order")}, edges={"by": puser})
        await self.app.emit("call.made", {"to": f"+{who.phone}", "note": f"rang {who.phone} back"})
        code = await self.app.people.link_code(puser)
        self.needles.keep("codes", f"code of {who.key}", code)
        await self.telegram({"message": self.tg(who, GROUP, text=f"is it {code} or what")})
        file = Attachment(
            plant(who.key, "bytes of the bot").encode() * 9,
            plant(who.key, "name of the bot") + ".txt",
        )
        told = Content(plant(who.key, "the bot's words"), files=(file,))
        await self.app.send(puser, told, metadata={"note": plant(who.key, "metadata")})
        await self.core.pump()


def behave(app: App) -> None:
    """The bot: it answers with what it was told, notes it, and two of its handlers fail: one at once, one that tries again."""

    @app.on("message.inbound", name="echo")
    async def echo(message: Any) -> str:
        await app.emit("note.taken", {"words": message.text})
        return f"you said: {message.text}"

    @app.on("note.taken", name="relay")
    async def relay(event: Any) -> None:
        await app.emit("note.relayed", {"again": event.payload["words"]})

    @app.on("message.inbound", name="faulty", attempts=1)
    def faulty(message: Any) -> None:
        raise ValueError(f"cannot bear {message.text}")

    @app.on("note.relayed", name="patient")
    def patient(event: Any) -> None:
        raise ValueError(f"still cannot bear {event.payload['again']}")


def person(key: str, number: int, needles: Needles) -> Person:
    """Somebody whose names and ids can be looked for."""
    who = Person(
        key, 7_300_000_000 + number, f"U0{key.upper()}{number:05d}", f"1415555{number:04d}",
        f"typist{key}{number}", needles.plant(key, "name"),
    )  # fmt: skip
    needles.keep(f"{key}'s ids", "telegram id", str(who.telegram))
    needles.keep(f"{key}'s ids", "telegram username", f"user{key}{who.telegram}")
    needles.keep(f"{key}'s ids", "slack id", who.slack)
    needles.keep(f"{key}'s ids", "phone", who.phone)
    needles.keep(f"{key}'s ids", "console", who.console)
    return who


async def lived(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> tuple[Life, Person, Person]:
    """The life of ann and bob, each of whom does the same; both are one person on all platforms."""
    needles = Needles()
    for name, secret in SECRETS.items():
        needles.keep("secrets", name, secret)
    for name, secret in HANDED.items():
        needles.keep("handed", name, secret)
    life = Life(core, app, fake, clock, needles, _connected(app, fake))
    behave(app)
    ann, bob = person("ann", 1234, needles), person("bob", 9876, needles)
    for who, other in ((ann, bob), (bob, ann)):
        await _lives(life, who, other)
    for _ in range(6):
        await core.pump()
        clock.advance(600)
    return life, ann, bob


async def _lives(life: Life, who: Person, other: Person) -> None:
    await life.alone_on_telegram(who)
    await life.group_on_telegram(who, other)
    await life.on_slack(who, other)
    await life.on_whatsapp(who, other)
    await life.types(who, life.said(who, "console text"))
    await life.core.pump()
    people = life.app.people
    names = (("slack", who.slack), ("whatsapp", f"+{who.phone}"), ("console", who.console))
    telegram = await people.by_external_id(life.conns["telegram"], str(who.telegram))
    for platform, name in names:
        there = await people.by_external_id(life.conns[platform], name)
        if there.user_id != telegram.user_id:
            await people.merge(there, await people.platform_user(telegram))
    await life.by_the_host(who, telegram)


def _connected(app: App, fake: FakePlatform) -> dict[str, PlatformConnection]:
    return {
        "telegram": app.connect(
            "telegram", token=SECRETS["telegram token"], base_url=fake.url, bot_id="424242",
            webhook_secret_token=SECRETS["telegram secret"],
        ),
        "slack": app.connect(
            "slack", bot_token=SECRETS["slack token"], base_url=fake.url,
            signing_secret=SECRETS["slack secret"],
        ),
        "whatsapp": app.connect(
            "whatsapp", access_token=SECRETS["whatsapp token"], base_url=fake.url,
            app_secret=SECRETS["whatsapp secret"], verify_token=SECRETS["whatsapp verify"],
            phone_number_id=NUMBER,
        ),
        "console": app.connect("console"),
    }  # fmt: skip
