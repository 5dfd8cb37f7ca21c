"""Telegram keeps the contract of all adapters."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from outeract_core.adapter import Call, Inbound, Reply
from outeract_core.testing import AdapterContract, Sample, post, sign_telegram
from tests.support.telegram.calls import answers, method, ok
from tests.support.telegram.samples import CONFIG, NOW, request, samples

ELSEWHERE = {**CONFIG, "base_url": "https://api.telegram.example"}


class TestTelegram(AdapterContract):
    """What core relies on."""

    platform = "telegram"
    signs_body = False
    config = ELSEWHERE

    def samples(self) -> Iterable[Sample]:
        """Every sample of the repository, a picture first."""
        found = samples()
        for name in sorted(found, key=lambda name: (name != "photo", name)):
            secret = self.config["webhook_secret_token"]
            inbound = post(sign_telegram(found[name]["body"], secret), NOW)
            yield Sample(name, inbound, tuple(fact["kind"] for fact in found[name]["facts"]))

    def tampered(self) -> Iterable[Inbound]:
        """With the bot's token, in another case, cut, prolonged, and in a header of another name."""
        body, secret = samples()["text"]["body"], CONFIG["webhook_secret_token"]
        for wrong in (CONFIG["token"], secret.upper(), secret[:-1], secret + "x", secret + " "):
            yield request(body, wrong)
        yield evolve(request(body), headers={"x-telegram-bot-api-secret": secret})

    def replies(self, call: Call) -> Reply:
        """The Bot API when all goes well."""
        known = {
            "getMe": {"id": 777000111, "is_bot": True, "first_name": "Bot", "username": "fake_bot"},
            "getWebhookInfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
            "getFile": {"file_id": "L", "file_unique_id": "u", "file_path": "photos/1.jpg"},
            "getUpdates": [],
            "getChat": {
                "id": 7, "type": "private", "first_name": "Ann",
                "photo": {"big_file_id": "B", "big_file_unique_id": "b"},
            },
        }  # fmt: skip
        done = ("sendChatAction", "setMessageReaction", "answerCallbackQuery", "deleteMessage")
        name = method(call)
        return ok(known[name]) if name in known else ok() if name in done else answers(call)
