"""The fake platform: judged by python-telegram-bot, spoilt on purpose, steered from outside."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.client import BadStatusLine, RemoteDisconnected
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from outeract_adapters.slack import Slack
from outeract_adapters.whatsapp import WhatsApp
from outeract_core.adapter import Settings
from outeract_core.testing import FakePlatform, post
from tests.support.patience import BRIEFLY, PATIENCE
from tests.support.pictures import jpeg

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
TOKEN = "123456789:AAfake"
DIRECT = build_opener(ProxyHandler({}))
HELLO = {"chat_id": 42, "text": "hi"}


@pytest.fixture
def fake():
    """A fake platform whose clock stands still."""
    with FakePlatform(clock=lambda: NOW, telegram_token=TOKEN) as platform:
        yield platform


def ask(url: str, body=None, timeout: float = PATIENCE, **headers: str):
    """(status, headers, JSON) of a request."""
    data = None if body is None else json.dumps(body).encode()
    told = {"content-type": "application/json", **headers}
    try:
        with DIRECT.open(Request(url, data, told), timeout=timeout) as answer:
            return answer.status, answer.headers, json.loads(answer.read() or b"null")
    except HTTPError as error:
        with error:
            return error.code, error.headers, json.loads(error.read() or b"null")


def telegram(fake, method: str = "sendMessage", body=HELLO, **more):
    """What Telegram answers."""
    return ask(f"{fake.url}/bot{TOKEN}/{method}", body, **more)


def whatsapp(fake, text: str = "hi", token: str = "t.0", **more):
    """What Meta answers to a text."""
    body = {
        "messaging_product": "whatsapp", "to": "491700000001", "type": "text",
        "text": {"body": text}, "biz_opaque_callback_data": token,
    }  # fmt: skip
    return ask(f"{fake.url}/v23.0/106540352242922/messages", body, authorization="Bearer x", **more)


def slack(fake, text: str = "hi", token: str = "t.0", **more):
    """What Slack answers to a text."""
    metadata = {"event_type": "outeract_message", "event_payload": {"token": token}}
    body = {"channel": "C1", "text": text, "metadata": metadata}
    return ask(f"{fake.url}/chat.postMessage", body, authorization="Bearer x", **more)


SENDERS = {"telegram": telegram, "whatsapp": whatsapp, "slack": slack}


# ── judged by python-telegram-bot ─────────────────────────────────────────────────────────────


def with_bot(fake, use, token: str = TOKEN):
    """Run `use(bot)` with a real client."""

    async def go():
        async with Bot(token, f"{fake.url}/bot", f"{fake.url}/file/bot") as bot:
            return await use(bot)

    return asyncio.run(go())


def test_a_bot_talks(fake):
    """The client reads every answer: text with entities, picture, album, edits, reactions, deletion."""

    async def use(bot):
        keys = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
        said = await bot.send_message(
            42, "<b>hi</b> 😀 <i>you</i>", "HTML", reply_markup=keys,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )  # fmt: skip
        assert (said.text, [e.offset for e in said.entities]) == ("hi 😀 you", [0, 6])
        assert said.reply_markup == keys
        photo = await bot.send_photo(-100123, jpeg(90, 60), caption="look", filename="a.jpg")
        assert photo.caption == "look"
        file = await bot.get_file(photo.photo[-1].file_id)
        assert bytes(await file.download_as_bytearray()) == jpeg(90, 60)
        edited = await bot.edit_message_text("ho", 42, said.message_id)
        assert edited.edit_date == NOW
        with pytest.raises(BadRequest, match="not modified"):
            await bot.edit_message_text("ho", 42, said.message_id)
        assert await bot.set_message_reaction(42, said.message_id, "👍")
        assert await bot.delete_message(42, said.message_id)
        with pytest.raises(BadRequest, match="not found"):
            await bot.delete_message(42, said.message_id)

    with_bot(fake, use)
    assert [message.text for message in fake.sent("telegram")] == ["hi 😀 you", "look"]
    assert fake.sent("telegram")[1].files[0].data == jpeg(90, 60)


def test_a_bot_hears(fake):
    """Updates come once they are said, until the next offset confirms them; a webhook ends polling."""
    fake.telegram.say(42, "hello")

    async def use(bot):
        (update,) = await bot.get_updates()
        assert (update.message.text, update.message.chat.id) == ("hello", 42)
        assert await bot.get_updates(offset=update.update_id + 1) == ()
        assert await bot.set_webhook("https://bot.example/hook", secret_token="s")
        assert (await bot.get_webhook_info()).url == "https://bot.example/hook"
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()

    with_bot(fake, use)


def test_a_bot_is_refused(fake, monkeypatch):
    """The client takes our refusals for what they mean."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    fake.throttle(1, "sendMessage", after=7)
    fake.refuse(1, "sendMessage")
    fake.drop(1, "sendMessage")
    fake.hang(1, "sendMessage")

    async def use(bot):
        with pytest.raises(RetryAfter) as slow:
            await bot.send_message(42, "hi")
        assert slow.value.retry_after.total_seconds() == 7
        with pytest.raises(Forbidden):
            await bot.send_message(42, "hi")
        with pytest.raises(NetworkError):
            await bot.send_message(42, "hi")
        with pytest.raises(TimedOut):
            await bot.send_message(42, "hi", read_timeout=BRIEFLY)

    with_bot(fake, use)
    with pytest.raises(InvalidToken):
        with_bot(fake, lambda bot: bot.get_me(), token="1:wrong")
    assert len(fake.wait(2, "telegram", timeout=PATIENCE)) == 2


# ── planted faults ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("platform", SENDERS)
def test_a_throttled_request_is_not_done(fake, platform):
    """Too fast: a wait in the header or the body, nothing sent, and the next one goes through."""
    fake.throttle(1, after=3)
    status, headers, body = SENDERS[platform](fake)
    assert status in (400, 429)
    assert headers["retry-after"] == "3"
    if platform == "telegram":
        assert body["parameters"] == {"retry_after": 3}
    assert fake.sent() == []
    assert SENDERS[platform](fake)[0] == 200
    assert len(fake.sent(platform)) == 1


@pytest.mark.parametrize("platform", SENDERS)
def test_a_refusal_is_in_the_platforms_words(fake, platform):
    """For good: Telegram by status, Meta by code, Slack by `ok: false` in a 200."""
    fake.refuse(2)
    status, _, body = SENDERS[platform](fake)
    SENDERS[platform](fake)
    code = body.get("error_code") or body["error"]
    code = code["code"] if isinstance(code, dict) else code
    wanted = {
        "telegram": (403, 403),
        "whatsapp": (400, 131026),
        "slack": (200, "channel_not_found"),
    }
    assert (status, code) == wanted[platform]
    assert (fake.sent(), fake.calm()) == ([], 0)


@pytest.mark.parametrize("platform", SENDERS)
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("how", ["drop", "hang"])
def test_a_lost_answer_tells_nothing(fake, platform, done, how):
    """Closed or silent, the caller cannot know whether it was done; the fake knows."""
    getattr(fake, how)(1, done=done)
    with pytest.raises((BadStatusLine, RemoteDisconnected, TimeoutError)):
        SENDERS[platform](fake, timeout=BRIEFLY if how == "hang" else PATIENCE)
    assert len(fake.wait(int(done), platform, timeout=PATIENCE)) == int(done)


def test_faults_wait_for_their_path(fake):
    """A fault meets the first requests that it is meant for, in the order of planting."""
    fake.fail(1, "editMessageText", 500)
    fake.fail(1, "sendMessage", 502, {"a": 1}, {"x-why": "test"})
    fake.refuse(1, "sendMessage")
    status, headers, body = telegram(fake)
    assert (status, headers["x-why"], body) == (502, "test", {"a": 1})
    assert telegram(fake)[0] == 403
    assert telegram(fake)[0] == 200
    assert fake.calm() == 1
    assert [request.path.rpartition("/")[2] for request in fake.requests] == ["sendMessage"] * 3


# ── what came twice ───────────────────────────────────────────────────────────────────────────


def test_duplicates_are_told_by_their_token(fake):
    """The same words with different tokens are two messages; the same token again is a duplicate."""
    for send in (whatsapp, slack):
        send(fake, "ok", "a.0")
        send(fake, "ok", "b.0")
    assert fake.duplicates() == []
    whatsapp(fake, "ok", "b.0")
    ((first, again),) = fake.duplicates()
    assert (first.platform, first.correlation, again.correlation) == ("whatsapp", "b.0", "b.0")
    assert first.id != again.id


def test_without_a_token_content_and_recipient_tell(fake):
    """Telegram carries no token: the same words to the same chat are taken for a duplicate."""
    telegram(fake)
    telegram(fake, body={"chat_id": 43, "text": "hi"})
    telegram(fake, body={"chat_id": 42, "text": "ho"})
    for longitude in (1, 2):
        place = {"chat_id": 42, "latitude": 1, "longitude": longitude}
        telegram(fake, "sendLocation", place)
    assert fake.duplicates() == []
    fake.drop(1, done=True)
    with pytest.raises((BadStatusLine, RemoteDisconnected)):
        telegram(fake)
    ((first, again),) = fake.duplicates("telegram")
    assert (first.chat, first.text, again.text) == ("42", "hi", "hi")
    assert fake.duplicates("slack") == []


# ── what goes back ────────────────────────────────────────────────────────────────────────────


def test_statuses_come_back_signed(fake):
    """Each WhatsApp message leads to sent, delivered and read, signed as Meta signs."""
    heard = []
    fake.webhook("whatsapp", lambda headers, body: heard.append((headers, body)), "app-secret")
    whatsapp(fake, token="x.0")
    assert fake.settled()
    config = {"access_token": "token", "app_secret": "app-secret", "verify_token": "verify"}
    adapter = WhatsApp(Settings("whatsapp", "106540352242922", config))
    kinds = []
    for signed in heard:
        inbound = post(signed, NOW)
        adapter.verify(inbound)
        kinds += [(fact.kind, fact.correlation) for fact in adapter.parse(inbound)]
    assert kinds == [(f"message.{kind}", "x.0") for kind in ("sent", "delivered", "read")]


def test_slack_shows_the_bot_its_own_messages(fake):
    """An accepted message comes back as an event that the adapter knows for its own."""
    heard = []
    fake.webhook("slack", lambda headers, body: heard.append((headers, body)), "signing")
    receipt = slack(fake, "<mine>", "x.0")[2]
    assert fake.settled()
    adapter = Slack(Settings("slack", None, {"bot_token": "t", "signing_secret": "signing"}))
    inbound = post(heard[0], NOW)
    adapter.verify(inbound)
    (fact,) = adapter.parse(inbound)
    assert (fact.echo, fact.correlation, fact.key) == (True, "x.0", f"{receipt['ts']}:C1")


def test_a_refused_webhook_comes_again(fake):
    """Over HTTP too: a 500 is not the end, nothing is lost, and the count is kept."""
    with FakePlatform() as hook:
        hook.fail(2)
        fake.webhook("whatsapp", f"{hook.url}/auth.test", "s", statuses=("failed",))
        whatsapp(fake)
        assert fake.settled()
        assert fake.courier.refusals == 2
        assert len({request.body for request in hook.requests}) == 1
        request = hook.requests[2]
    assert request.headers["x-hub-signature-256"].startswith("sha256=")
    status = request.json["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)


def test_a_raising_webhook_is_not_lost(fake):
    """An exception and a status are refusals; the delivery comes again until it is taken."""
    answers = [ValueError("not yet"), 503, 200]
    seen = []

    def hook(headers, body):
        seen.append(body)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    fake.webhook("telegram", hook, "secret")
    fake.deliver("telegram", fake.telegram.say(42, "hello"))
    assert fake.settled()
    assert (len(seen), len(set(seen)), fake.courier.refusals) == (3, 1, 2)
    with pytest.raises(LookupError):
        fake.deliver("slack", {})
    with pytest.raises(ValueError, match="no platform"):
        fake.webhook("pigeon", hook, "secret")


# ── from outside ──────────────────────────────────────────────────────────────────────────────


def test_another_process_steers_it():
    """As a process of its own it takes faults and tells what came, by plain HTTP."""
    command = [sys.executable, "-m", "outeract_core.testing"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        url = process.stdout.readline().strip()
        control = f"{url}/control"
        assert ask(f"{control}/drop", {"n": 1, "path": "sendMessage", "done": True})[0] == 200
        with pytest.raises((BadStatusLine, RemoteDisconnected)):
            ask(f"{url}/bot1:a/sendMessage", HELLO)
        ask(f"{url}/bot1:a/sendMessage", HELLO)
        assert len(ask(f"{control}/wait", {"count": 2})[2]["result"]) == 2
        ((first, again),) = ask(f"{control}/duplicates")[2]["result"]
        assert (first["text"], again["chat"], first["files"]) == ("hi", "42", [])
        assert ask(f"{control}/sent?platform=slack")[2] == {"result": []}
        said = ask(f"{control}/say", {"platform": "telegram", "chat_id": 42, "text": "yo"})
        assert said[2]["result"]["message"]["text"] == "yo"
        assert len(ask(f"{url}/bot1:a/getUpdates", {})[2]["result"]) == 1
        paths = [one["path"] for one in ask(f"{control}/requests")[2]["result"]]
        assert paths == ["/bot1:a/sendMessage"] * 2 + ["/bot1:a/getUpdates"]
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [("fly", {}, 404), ("drop", {"wings": 2}, 400), ("drop", {"n": "x"}, 400), ("drop", [1], 400),
     ("webhook", {"platform": "slack", "to": "no URL", "secret": "s"}, 400),
     ("say", {"platform": "pigeon"}, 400), ("wait", {"count": 1, "timeout": 0}, 408)],
)  # fmt: skip
def test_wrong_orders_are_refused(fake, verb, body, status):
    """A mistake in an order is said, and changes nothing."""
    told, _, answer = ask(f"{fake.url}/control/{verb}", body)
    assert told == status
    assert answer["error"]
    assert (fake.calm(), fake.requests) == (0, [])


@pytest.mark.anyio
async def test_it_works_inside_a_loop():
    """`async with` serves from threads while the loop goes on, and leaves no thread behind."""
    before = threading.active_count()
    async with FakePlatform() as fake:
        assert telegram(fake)[0] == 200
        assert fake.wait(1, timeout=0)
    assert threading.active_count() <= before


def test_a_port_can_be_kept():
    """A fake that comes back on the same port is found again."""
    with FakePlatform() as first:
        port = int(first.url.rpartition(":")[2])
    with FakePlatform(port=port) as again:
        assert again.url == first.url
        assert telegram(again)[0] == 200
