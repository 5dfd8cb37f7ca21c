"""Files go to Telegram by the method of their kind, alone or as albums, and no caption is lost."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_core.adapter import Outgoing
from outeract_core.content import Location
from outeract_core.errors import Rejected
from outeract_core.testing import drive
from tests.support.telegram.bodies import YES_NO
from tests.support.telegram.calls import calls, faults, file, method, no, ok, out, params, sent
from tests.support.telegram.samples import telegram


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (file("image"), "sendPhoto"), (file("video"), "sendVideo"), (file("audio"), "sendAudio"),
        (file("voice"), "sendVoice"), (file("document"), "sendDocument"),
        (file("sticker"), "sendSticker"), (file("image", "image/gif"), "sendAnimation"),
        (file("image", "image/tiff"), "sendDocument"), (file("image", "image/PNG; x=y"), "sendPhoto"),
        (file("image", size=11 * 1024**2), "sendDocument"),
        (file("video", "video/quicktime"), "sendDocument"), (file("voice", "audio/wav"), "sendDocument"),
        (file("voice", "audio/mpeg"), "sendVoice"), (file("sticker", "image/png"), "sendDocument"),
    ],
)  # fmt: skip
def test_methods_for_files(one: Any, expected: str) -> None:
    """Each kind has its method; what does not fit its kind is a document."""
    (call,) = calls(out("", files=(one,)))
    assert method(call) == expected
    ((name, part),) = call.files
    assert f"send{name.title().replace('_', '')}" == expected
    assert part is one
    assert call.form is not None
    assert all(isinstance(value, str) for value in call.form.values())


def test_send_as() -> None:
    """The host may ask for another kind; one that there is not is refused by name."""
    (call,) = calls(out("", files=(file("video"),), metadata={"send_as": "video_note"}))
    assert method(call) == "sendVideoNote"
    with pytest.raises(Rejected, match="video_note"):
        calls(out("", files=(file("video"),), metadata={"send_as": "hologram"}))


def test_album() -> None:
    """Pictures and videos go in one request, the caption on the first; each has its receipt."""
    outgoing = out("see <this>", files=(file("image"), file("video")), reply_to="5:42")
    receipt, (call,) = drive(telegram().send(outgoing), [ok([sent(77), sent(78)])])
    assert method(call) == "sendMediaGroup"
    assert params(call)["media"] == [
        {"type": "photo", "media": "attach://file0", "caption": "see &lt;this&gt;", "parse_mode": "HTML"},
        {"type": "video", "media": "attach://file1"},
    ]  # fmt: skip
    assert [name for name, _ in call.files] == ["file0", "file1"]
    assert params(call)["reply_parameters"]["message_id"] == 5
    assert (receipt.external_id, receipt.aliases) == ("77:42", ("78:42",))


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("image image", ["sendMediaGroup"]),
        ("image document", ["sendPhoto", "sendDocument"]),
        ("document document audio audio", ["sendMediaGroup", "sendMediaGroup"]),
        ("image voice image", ["sendPhoto", "sendVoice", "sendPhoto"]),
        ("voice voice", ["sendVoice", "sendVoice"]),
        (" ".join(["image"] * 12), ["sendMediaGroup", "sendMediaGroup"]),
        (" ".join(["image"] * 11), ["sendMediaGroup", "sendPhoto"]),
    ],
)
def test_files_together(kinds: str, expected: list[str]) -> None:
    """Neighbours that Telegram lets into one album go together, in order; the others alone."""
    made = calls(out("", files=tuple(map(file, kinds.split()))))
    assert [method(call) for call in made] == expected
    assert sum(len(call.files) for call in made) == len(kinds.split())


@pytest.mark.parametrize(
    ("outgoing", "expected"),
    [
        (out("x", files=(file("image"),)), ["sendPhoto"]),
        (out("x", files=(file("sticker"),)), ["sendSticker", "sendMessage"]),
        (out("x" * 1024, files=(file("image"),)), ["sendPhoto"]),
        (out("x" * 1025, files=(file("image"),)), ["sendPhoto", "sendMessage"]),
        (out("😀" * 512, files=(file("image"),)), ["sendPhoto"]),
        (out("😀" * 513, files=(file("image"),)), ["sendPhoto", "sendMessage"]),
        (out("x", files=(file("image"), file("image")), buttons=YES_NO), ["sendMediaGroup", "sendMessage"]),
        (out("", files=(file("image"), file("image")), buttons=YES_NO), ["sendMediaGroup", "sendMessage"]),
        (out("", files=(file("image"),), buttons=YES_NO), ["sendPhoto"]),
        (out("", location=Location(1, 2), buttons=YES_NO), ["sendLocation"]),
        (out("x", location=Location(1, 2)), ["sendLocation", "sendMessage"]),
    ],
)  # fmt: skip
def test_where_words_go(outgoing: Outgoing, expected: list[str]) -> None:
    """Words are a caption where there is room for them (1024 UTF-16 units), else a message of their own."""
    made = calls(outgoing)
    assert [method(call) for call in made] == expected
    said = [call for call in made if "caption" in str(call.form) or "text" in params(call)]
    assert len(said) == (1 if outgoing.text or len(outgoing.files) > 1 else 0)
    keyboards = ["reply_markup" in params(call) for call in made]
    assert keyboards == [False] * (len(made) - 1) + [bool(outgoing.buttons)]


def test_a_picture_that_telegram_cannot_read() -> None:
    """A picture of impossible size is sent as a document, with the same caption."""
    bad = no(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    outgoing = out("see", files=(file("image"),), metadata={"show_caption_above_media": True})
    _, (first, second) = drive(telegram().send(outgoing), [bad, ok(sent())])
    assert (method(first), method(second)) == ("sendPhoto", "sendDocument")
    assert params(second)["caption"] == "see"
    assert faults(second) == []
