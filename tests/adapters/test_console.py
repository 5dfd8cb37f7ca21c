"""The console: what a typed line means, how a message looks, and the way to the terminal."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_adapters.console import Console
from outeract_core import Content, Outeract
from outeract_core._io.web.http import Http
from outeract_core.adapter import Inbound, Outgoing, OutgoingFile, Recipient, Settings
from outeract_core.content import Button, Contact, Location, Menu, MenuRow, Template
from outeract_core.errors import ParseError, Rejected, Transient
from outeract_core.events import Fact
from outeract_core.testing import drive, post, reply

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def console(**config: Any) -> Console:
    """An adapter with this config."""
    return Console(Settings("console", None, config))


def line(body: bytes | str | dict[str, Any], at: datetime = NOW) -> Inbound:
    """A line as it is handed in; a dict as JSON."""
    if isinstance(body, dict):
        body = json.dumps(body)
    return post(({}, body.encode() if isinstance(body, str) else body), at)


def read(body: bytes | str | dict[str, Any], **config: Any) -> Fact:
    """What a line says."""
    (fact,) = console(**config).parse(line(body))
    assert isinstance(fact, Fact)
    return fact


# ── lines ─────────────────────────────────────────────────────────────────────────────────────


def test_a_typed_line_is_a_message():
    """The text without its line end, from the user of the connection, with no key to repeat."""
    fact = read("Grüße 👋\r\n")
    assert (fact.kind, fact.key, fact.occurred_at) == ("message.inbound", None, NOW)
    assert fact.sender is not None
    assert (fact.sender.external_id, fact.chat) == ("you", None)
    assert fact.payload["message"] == {"type": "text", "text": "Grüße 👋", "role": "user"}
    assert fact.payload["external_message_id"] is None


def test_a_line_as_json_names_its_user_and_its_number():
    """`n` and the user make the key, so that the same line twice is one message."""
    fact = read({"user": "ada", "text": "hi", "n": 7})
    assert (fact.key, fact.payload["external_message_id"]) == ("7:ada", "7:ada")
    assert fact.sender is not None
    assert (fact.sender.external_id, fact.sender.name) == ("ada", "ada")
    assert read({"user": "ada", "text": "hi", "n": "7"}).key == fact.key
    assert read({"user": "bob", "text": "hi", "n": 7}).key != fact.key


@pytest.mark.parametrize("n", [None, True, "", 1.5, [], {}])
def test_what_is_no_number_makes_no_key(n: Any):
    """Without a usable `n` the line is read, and may repeat."""
    fact = read({"text": "hi", "n": n})
    assert (fact.key, fact.payload["message"]["text"]) == (None, "hi")


@pytest.mark.parametrize("user", [None, "", 5, ["ada"]])
def test_the_user_falls_back_to_the_config(user: Any):
    """Who types is said by the line, else by the connection's config, else it is `you`."""
    for config, wanted in (({}, "you"), ({"user": "eve"}, "eve")):
        sender = read({"text": "hi", "user": user}, **config).sender
        assert sender is not None
        assert sender.external_id == wanted


@pytest.mark.parametrize(
    "text", ['{"colour": "blue"}', '{"text": 5}', "{", '["text"]', '{"a":' * 5000, "{} and so on"]
)
def test_other_json_is_just_text(text: str):
    """Somebody who types JSON to the bot says JSON."""
    assert read(text).payload["message"]["text"] == text


def test_a_press_is_an_action():
    """`/press ID` presses the button with this id; the shape is that of every platform."""
    fact = read({"user": "ada", "text": " /press buy now ", "n": 8})
    assert fact.kind == "message.action"
    assert fact.payload == {
        "platform": "console", "type": "button", "id": "buy now", "external_message_id": "8:ada",
    }  # fmt: skip
    assert read("/press yes").kind == "message.action"
    assert read("/presses").kind == read("press yes").kind == "message.inbound"


@pytest.mark.parametrize("text", ["", "\n", "  \r\n", '{"text": ""}', '{"text": " "}'])
def test_a_blank_line_says_nothing(text: str):
    """It is refused with a hint instead of being a message without words."""
    with pytest.raises(ParseError, match="/press"):
        list(console().parse(line(text)))


def test_the_time_is_in_utc():
    """A host in another zone hands in its own time; the fact has it in UTC."""
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    (fact,) = console().parse(line("hi", berlin))
    assert isinstance(fact, Fact)
    assert (fact.occurred_at, fact.occurred_at and fact.occurred_at.tzinfo) == (NOW, UTC)


@given(st.binary())
def test_any_bytes_are_a_message_or_blank(body: bytes):
    """Whatever a terminal delivers becomes one fact that can be stored, or is blank."""
    try:
        (fact,) = console().parse(line(body))
    except ParseError:
        return
    assert isinstance(fact, Fact)
    json.dumps([dict(fact.payload), fact.raw])


# ── how a message looks ───────────────────────────────────────────────────────────────────────


def shown(text: str = "", **more: Any) -> str:
    """What is written for one part."""
    outgoing = Outgoing("t.0", "t", 0, 1, Recipient("ada", "ada"), text, text, **more)
    sent, (call,) = drive(console().send(outgoing), [reply({"id": "out:t.0"})])
    assert (call.method, call.url, sent.external_id) == ("POST", "console://stdout", "out:t.0")
    assert (call.json["id"], call.json["to"]) == ("out:t.0", "ada")
    written: str = call.json["text"]
    return written


def test_everything_has_a_line():
    """Header, text, choices with what to type for them, and footer stand below each other."""
    buttons = (Button("yes", "Yes"), Button("site", "Site", "https://example.org"))
    menu = Menu("Drinks", (MenuRow("tea", "Tea", "green", "Hot"), MenuRow("ice", "Ice")))
    text = shown(
        "Well?", header="Head", footer="Foot", buttons=buttons, menu=menu, reply_to="7:ada"
    )
    assert text.split("\n") == [
        "(in reply to 7:ada)", "Head", "Well?", "Drinks:", "  1. Yes (/press yes)",
        "  2. Site: https://example.org", " Hot", "  3. Tea, green (/press tea)", " ",
        "  4. Ice (/press ice)", "Foot",
    ]  # fmt: skip


def test_what_cannot_be_shown_is_described():
    """Files, places, cards and templates are one line each."""
    file = OutgoingFile("a.png", "image/png", "image", 4, path="pictures/a.png")
    text = shown(
        files=(file,), location=Location(52.5, 13.4, "Berlin"), template=Template("hello", "de"),
        contacts=(Contact("Ada", ["+441632960000"], ["ada@example.org"]),),
    )  # fmt: skip
    assert text.split("\n") == [
        "[image: a.png, image/png, 4 bytes, pictures/a.png]", "[location: Berlin, 52.500000 13.400000]",
        "[contact: Ada, +441632960000, ada@example.org]", "[template: hello (de)]",
    ]  # fmt: skip


@given(st.text())
def test_no_text_commands_the_terminal(text: str):
    """Escape sequences, bells, carriage returns and direction marks are made visible."""
    written = shown(f"a{text}")
    assert written.encode()
    assert not set(written) & {
        *map(chr, range(9)),
        *map(chr, range(11, 32)),
        "\x7f",
        "\x9b",
        "\u202e",
    }


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (404, Rejected), (408, Transient), (429, Transient), (500, Transient)]
)  # fmt: skip
def test_a_terminal_that_refuses(status: int, error: type[Exception]):
    """What may pass is tried again; writing the same id twice shows nothing new."""
    outgoing = Outgoing("t.0", "t", 0, 1, Recipient("ada", "ada"), "hi", "hi")
    with pytest.raises(error):
        drive(console().send(outgoing), [reply(None, status)])


# ── through core ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_core_carries_it_to_the_terminal():
    """`console:` makes no connection: it calls what the host gave, or prints."""
    outgoing = Outgoing("t.0", "t", 0, 1, Recipient("ada", "ada"), "hi", "hi")
    written: list[Any] = []

    def write(message: Any) -> Any:
        written.append(message)
        return {"id": message["id"]}

    assert (await Http(console=write).run(console().send(outgoing))).external_id == "out:t.0"
    assert written == [{"id": "out:t.0", "to": "ada", "text": "hi"}]
    with redirect_stdout(io.StringIO()) as out:
        await Http().run(console().send(outgoing))
    assert out.getvalue() == "hi\n"


@pytest.mark.anyio
async def test_a_bot_answers_in_the_terminal(tmp_path, capsys):
    """A line comes in as the chat command hands it in, twice; the handler's answer is printed once."""
    async with Outeract(tmp_path / "bot.db") as core:
        app = core.app("support")
        connection = app.connect("console")

        @app.on("message.inbound")
        def echo(message):
            return Content(f"You said: {message.text}", buttons=(Button("more", "More"),))

        @app.on("message.action")
        def press(message):
            return f"Pressed {message.payload['id']}"

        for text, n in (("hello", "1"), ("hello", "1"), ("/press more", "2")):
            typed = json.dumps({"user": "you", "text": text, "n": n}).encode()
            answer = await core.ingest(
                connection.webhook_id, connection.webhook_secret, "POST", {}, {}, typed
            )
            assert answer.status == 200
            await core.pump()
    printed = capsys.readouterr().out
    assert printed == "You said: hello\n  1. More (/press more)\nPressed more\n"
