"""Every built-in adapter passes the contract that the library ships for third parties."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime

from attrs import evolve

from outeract_core.testing import (
    AdapterContract,
    Sample,
    post,
    reply,
    sign_slack,
    sign_telegram,
    sign_whatsapp,
)
from tests.support.places import ROOT

AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SECONDS = int(AT.timestamp())
CONSOLE = {"user": "ada"}
TELEGRAM = {
    "token": "123456789:AAtelegram-bot-token",
    "webhook_secret_token": "telegram-webhook-secret",
    "base_url": "https://api.telegram.example",
}
WHATSAPP = {
    "access_token": "EAAwhatsapp-access-token",
    "app_secret": "whatsapp-app-secret",
    "verify_token": "whatsapp-verify-token",
    "phone_number_id": "106540352242922",
    "base_url": "https://graph.example",
    "api_version": "v23.0",
}
SLACK = {
    "bot_token": "xoxb-slack-bot-token",
    "signing_secret": "slack-signing-secret",
    "base_url": "https://slack.example/api",
}


class TestConsole(AdapterContract):
    """The terminal: no webhook, no limits, nothing that can be refused."""

    platform = "console"
    config = CONSOLE
    schemes = ("console",)

    def samples(self):
        lines = {
            "typed": (b"hello\n", "message.inbound"),
            "typed with umlauts": ("Grüße 👋\r\n".encode(), "message.inbound"),
            "wrapped": (b'{"user": "you", "text": "hi", "n": 7}', "message.inbound"),
            "a press": (b'{"user": "you", "text": "/press yes", "n": 8}', "message.action"),
            "JSON that is just text": (b'{"colour": "blue"}', "message.inbound"),
        }
        for name, (line, kind) in lines.items():
            yield Sample(name, post(({}, line), AT), (kind,))

    def replies(self, call):
        return reply({"id": call.json["id"]})


class TestTelegram(AdapterContract):
    """A shared secret in a header, one update per request."""

    platform = "telegram"
    signs_body = False
    config = TELEGRAM

    def samples(self):
        person = {"id": 42, "is_bot": False, "first_name": "Ada", "username": "ada"}
        chat = {"id": 42, "type": "private", "first_name": "Ada"}
        group = {"id": -1001234567890, "type": "supergroup", "title": "Engines", "is_forum": True}
        message = {"message_id": 5, "date": SECONDS, "chat": chat, "from": person}
        photo = [
            {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 90, "file_size": 9},
            {"file_id": "large", "file_unique_id": "l", "width": 900, "height": 900},
        ]
        topic = {"message_thread_id": 3, "is_topic_message": True}
        updates = {
            "text": ({"message": {**message, "text": "hi <b> & 👍"}}, "message.inbound"),
            "photo": (
                {"message": {**message, "photo": photo, "caption": "look"}},
                "message.inbound",
            ),
            "topic": (
                {"message": {**message, **topic, "chat": group, "text": "in a topic"}},
                "message.inbound",
            ),
            "edit": (
                {"edited_message": {**message, "text": "ho", "edit_date": SECONDS + 9}},
                "message.edited",
            ),
            "press": (
                {
                    "callback_query": {
                        "id": "9",
                        "from": person,
                        "chat_instance": "1",
                        "data": "yes",
                        "message": {**message, "text": "?"},
                    }
                },
                "message.action",
            ),
            "reaction": (
                {
                    "message_reaction": {
                        "chat": chat,
                        "message_id": 5,
                        "date": SECONDS,
                        "user": person,
                        "old_reaction": [],
                        "new_reaction": [{"type": "emoji", "emoji": "👍"}],
                    }
                },
                "message.reaction_added",
            ),
        }
        for number, (name, (update, kind)) in enumerate(updates.items(), 1000):
            signed = sign_telegram(
                {"update_id": number, **update}, self.config["webhook_secret_token"]
            )
            yield Sample(name, post(signed, AT), (kind,))

    def tampered(self):
        for sample in self.samples():
            secret = sample.inbound.headers["x-telegram-bot-api-secret-token"]
            for wrong in (secret + "x", secret[:-1], secret.upper(), self.config["token"]):
                headers = {
                    **sample.inbound.headers,
                    "x-telegram-bot-api-secret-token": wrong,
                }
                yield evolve(sample.inbound, headers=headers)

    def replies(self, call):
        method = call.url.rpartition("/")[2]
        chat = {"id": 42, "type": "private", "first_name": "Ada"}
        message = {"message_id": 77, "date": SECONDS, "chat": chat, "text": "Hello"}
        results = {
            "getMe": {"id": 1, "is_bot": True, "first_name": "Bot", "username": "the_bot"},
            "getFile": {"file_id": "large", "file_unique_id": "l", "file_path": "photos/1.jpg"},
            "getUpdates": [],
            "getChat": chat,
            "getWebhookInfo": {
                "url": "",
                "has_custom_certificate": False,
                "pending_update_count": 0,
            },
            "sendMediaGroup": [message, {**message, "message_id": 78}],
            "sendChatAction": True,
            "setMessageReaction": True,
            "answerCallbackQuery": True,
            "deleteMessage": True,
        }
        return reply({"ok": True, "result": results.get(method, message)})


class TestWhatsApp(AdapterContract):
    """An HMAC over the body; messages and receipts in one envelope."""

    platform = "whatsapp"
    account = "106540352242922"
    config = WHATSAPP

    def _signed(self, **value):
        metadata = {"display_phone_number": "15550783881", "phone_number_id": self.account}
        change = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        payload = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [{"field": "messages", "value": change}]}],
        }  # fmt: skip
        return post(sign_whatsapp(payload, self.config["app_secret"]), AT)

    def samples(self):
        contacts = [{"profile": {"name": "Ada"}, "wa_id": "491701234567"}]
        about = {"from": "491701234567", "timestamp": str(SECONDS)}
        text = {**about, "id": "wamid.A", "type": "text", "text": {"body": "Grüße 👋 <&>"}}
        image = {
            **about,
            "id": "wamid.B",
            "type": "image",
            "image": {
                "id": "1003383421387256",
                "mime_type": "image/jpeg",
                "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "caption": "look",
            },
        }
        press = {
            **about,
            "id": "wamid.C",
            "type": "interactive",
            "context": {"from": "15550783881", "id": "wamid.X"},
            "interactive": {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}},
        }
        reaction = {
            **about,
            "id": "wamid.D",
            "type": "reaction",
            "reaction": {"message_id": "wamid.X", "emoji": "👍"},
        }
        told = {"id": "wamid.X", "timestamp": str(SECONDS), "recipient_id": "491701234567"}
        statuses = [{**told, "status": s} for s in ("sent", "delivered", "read")]
        batches = {
            "text": ([text], ("message.inbound",)),
            "image": ([image], ("message.inbound",)),
            "press": ([press], ("message.action",)),
            "reaction": ([reaction], ("message.reaction_added",)),
            "batch": ([text, image], ("message.inbound", "message.inbound")),
        }
        for name, (messages, kinds) in batches.items():
            yield Sample(name, self._signed(contacts=contacts, messages=messages), kinds)
        kinds = ("message.sent", "message.delivered", "message.read")
        yield Sample("statuses", self._signed(statuses=statuses), kinds)

    def tampered(self):
        sample = next(iter(self.samples())).inbound
        payload = json.loads(sample.body)
        for secret in ("other-app-secret", self.config["verify_token"]):
            yield post(sign_whatsapp(payload, secret), AT)
        plain = json.dumps(payload, ensure_ascii=False).encode()
        yield evolve(sample, body=plain)
        digest = sample.headers["x-hub-signature-256"].removeprefix("sha256=")
        for wrong in (digest, f"sha1={digest}", f"sha256={digest[:-2]}", f"sha256={digest}00"):
            yield evolve(sample, headers={**sample.headers, "x-hub-signature-256": wrong})

    def replies(self, call):
        body = call.json or {}
        if call.method == "GET":
            return reply(
                {
                    "id": "1003383421387256",
                    "messaging_product": "whatsapp",
                    "url": "https://lookaside.fbsbx.com/media",
                    "mime_type": "image/jpeg",
                    "file_size": 4,
                    "sha256": "00" * 32,
                    "display_phone_number": "15550783881",
                    "verified_name": "Engines",
                }
            )
        if call.url.endswith("/media"):
            return reply({"id": "555"})
        if body.get("status") == "read":
            return reply({"success": True})
        contact = {"input": body.get("to"), "wa_id": "491701234567"}
        return reply(
            {
                "messaging_product": "whatsapp",
                "contacts": [contact],
                "messages": [{"id": "wamid.OUT"}],
            }
        )


class TestSlack(AdapterContract):
    """An HMAC over time and body; JSON events and form-encoded interactions at one URL."""

    platform = "slack"
    config = SLACK

    def _event(self, number, event, at=SECONDS):
        payload = {
            "token": "z",
            "team_id": "T1",
            "api_app_id": "A1",
            "type": "event_callback",
            "event_id": f"Ev{number}",
            "event_time": SECONDS,
            "event": event,
            "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
        }
        return post(sign_slack(payload, self.config["signing_secret"], at), AT)

    def samples(self):
        ts = f"{SECONDS}.000100"
        message = {
            "type": "message",
            "channel": "D1",
            "channel_type": "im",
            "user": "U1",
            "text": "hi &lt;you&gt;",
            "ts": ts,
            "event_ts": ts,
            "team": "T1",
        }
        file = {
            "id": "F1",
            "name": "a.txt",
            "mimetype": "text/plain",
            "size": 4,
            "mode": "hosted",
            "url_private": "https://slack.example/files/a.txt",
            "url_private_download": "https://slack.example/files/a.txt",
        }
        reaction = {
            "type": "reaction_added",
            "user": "U1",
            "reaction": "thumbsup",
            "item": {"type": "message", "channel": "D1", "ts": ts},
            "event_ts": ts,
        }
        shared = {**message, "subtype": "file_share", "files": [file]}
        reply_to = {**message, "channel": "C1", "channel_type": "channel", "thread_ts": "1.000001"}
        press = {
            "type": "block_actions",
            "user": {"id": "U1", "username": "ada", "team_id": "T1"},
            "team": {"id": "T1"},
            "channel": {"id": "D1", "name": "directmessage"},
            "container": {"type": "message", "message_ts": ts, "channel_id": "D1"},
            "actions": [
                {
                    "type": "button",
                    "action_id": "yes",
                    "block_id": "b",
                    "value": "yes",
                    "text": {"type": "plain_text", "text": "Yes"},
                    "action_ts": ts,
                }
            ],
        }
        yield Sample("text", self._event(1, message), ("message.inbound",))
        yield Sample("file", self._event(2, shared), ("message.inbound",))
        yield Sample("thread", self._event(3, reply_to), ("message.inbound",))
        yield Sample("reaction", self._event(4, reaction), ("message.reaction_added",))
        signed = sign_slack(press, self.config["signing_secret"], AT, form=True)
        yield Sample("press", post(signed, AT), ("message.action",))

    def tampered(self):
        sample = next(iter(self.samples())).inbound
        event = json.loads(sample.body)
        secret = self.config["signing_secret"]
        for late in (-301, 301, -86400):
            yield post(sign_slack(event, secret, SECONDS + late), AT)
        yield post(sign_slack(event, self.config["bot_token"], SECONDS), AT)
        moved = {**sample.headers, "x-slack-request-timestamp": str(SECONDS + 1)}
        yield evolve(sample, headers=moved)
        shorter = {**sample.headers, "x-slack-signature": sample.headers["x-slack-signature"][3:]}
        yield evolve(sample, headers=shorter)

    def replies(self, call):
        ts = f"{SECONDS}.000200"
        file = {"id": "F9", "url_private": "https://slack.example/files/a.txt", "size": 4}
        found = {
            "ok": True,
            "channel": "D1",
            "ts": ts,
            "message": {"ts": ts, "text": "Hello", "type": "message"},
            "messages": [],
            "has_more": False,
            "upload_url": "https://slack.example/upload/F9",
            "file_id": "F9",
            "file": file,
            "files": [file],
            "user_id": "UBOT",
            "bot_id": "B1",
            "team_id": "T1",
            "team": "Engines",
            "user": "bot",
        }
        if call.url.endswith("users.info"):
            found["user"] = {"id": "U1", "profile": {"real_name": "Ada Lovelace"}}
        if call.url.endswith("conversations.info"):
            found["channel"] = {"id": "C1", "name": "engines"}
        if call.url.endswith("conversations.open"):
            found["channel"] = {"id": "D1"}
        return reply(found)


def test_every_built_in_adapter_is_here():
    """Whatever the project registers as a platform has a contract test in this file."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        registered = tomllib.load(stream)["project"]["entry-points"]["outeract_core.adapters"]
    assert {found.platform for found in AdapterContract.__subclasses__()} >= set(registered)
