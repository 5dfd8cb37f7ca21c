"""Messages of every kind that Telegram can be asked to send.

Knows: one message of each shape, and those that do not fit. Does not know: what is tested with them.
"""

from __future__ import annotations

from outeract_core.adapter import Outgoing
from outeract_core.content import Button, Contact, Location, Menu, MenuRow
from outeract_core.testing.contract.hostile import DOCUMENT
from tests.support.telegram.calls import ADA, CHANNEL, CUSTOMER, GROUP, OLD_GROUP, PUBLIC, file, out

__all__ = ["EVERY", "MENU", "YES_NO"]

YES_NO = (Button("yes", "Yes"), Button("no", "No"))
SHOP = Button("shop", "Open the shop", "https://shop.example/?a=1")
MENU = Menu("Pick one", [MenuRow("s", "Small", "fits a cat"), MenuRow("l", "Large")])
BERLIN = Location(52.5, 13.4, "Berlin", "Mitte")
GRACE = Contact("Grace Brewster Hopper", ["+441632960000", "+441632960001"], ["grace@example.org"])
EVERY: dict[str, Outgoing] = {
    "text": out("Hello <you> & me"),
    "formatted text": out(DOCUMENT),
    "text to a group": out("hello", GROUP),
    "text to a channel": out("hello", CHANNEL),
    "text to a public channel": out("hello", PUBLIC),
    "text for a business account": out("hello", CUSTOMER),
    "text in a topic": out("hello", GROUP, thread="300:-1001234567890"),
    "text in reply": out("sure", reply_to="5:42"),
    "text in reply to another chat's": out("sure", GROUP, reply_to="12:-1009876543210"),
    "text with header and footer": out("hello", header="News & more", footer="Bye"),
    "text with options": out("hello", metadata={
        "silent": True, "protect_content": True, "allow_paid_broadcast": True,
        "message_effect_id": "5104841245755180586", "message_thread_id": 300,
        "link_preview": {"url": "https://e.org", "prefer_small_media": True, "nonsense": 1}}),
    "text without preview": out("https://e.org", metadata={"link_preview": False}),
    **{f"{kind} without caption": out("", files=(file(kind),))
       for kind in ("image", "video", "audio", "voice", "document", "sticker")},
    **{f"{kind} with caption": out("A caption", files=(file(kind),))
       for kind in ("image", "video", "audio", "voice", "document", "sticker")},
    "a GIF": out("wow", files=(file("image", "image/gif"),)),
    "a video note": out("see", files=(file("video"),), metadata={"send_as": "video_note"}),
    "a caption above": out("see", files=(file("image"),), metadata={"show_caption_above_media": True}),
    "an album": out("see", files=(file("image"), file("video"), file("image"))),
    "an album without words": out("", files=(file("document"), file("document"))),
    "an album in reply, in a topic": out("see", GROUP, files=(file("audio"), file("audio")),
                                         reply_to="9:-1001234567890", thread="300:-1001234567890"),
    "an album with buttons": out("see", files=(file("image"), file("image")), buttons=YES_NO),
    "an album with buttons, wordless": out("", files=(file("image"), file("image")), buttons=YES_NO),
    "files that make no album": out("see", files=(file("image"), file("document"), file("voice"))),
    "two albums": out("see", files=(file("image"), file("image"), file("document"), file("document"))),
    "twelve pictures": out("see", files=tuple(file("image") for _ in range(12))),
    "a long caption": out("x" * 1025, files=(file("image"),)),
    "buttons": out("Sure?", buttons=YES_NO),
    "buttons and a link": out("Sure?", buttons=(*YES_NO, SHOP)),
    "buttons under a picture": out("Sure?", buttons=YES_NO, files=(file("image"),)),
    "buttons under a picture, wordless": out("", buttons=YES_NO, files=(file("image"),)),
    "buttons below a place": out("", buttons=YES_NO, location=BERLIN),
    "quick replies": out("Sure?", quick_replies=YES_NO),
    "quick replies in a group": out("Sure?", GROUP, quick_replies=YES_NO, reply_to="9:-1001234567890"),
    "quick replies in a channel": out("Sure?", CHANNEL, quick_replies=YES_NO),
    "quick replies for a business account": out("Sure?", CUSTOMER, quick_replies=YES_NO),
    "quick replies with a link": out("Sure?", quick_replies=(*YES_NO, SHOP)),
    "no more quick replies": out("Done.", metadata={"remove_keyboard": True}),
    "menu": out("Which size?", menu=MENU),
    "menu without words": out("", menu=MENU),
    "menu and buttons": out("Which size?", menu=MENU, buttons=YES_NO, quick_replies=(SHOP,)),
    "location": out("", location=Location(52.5, 13.4)),
    "venue": out("", location=BERLIN),
    "venue without address": out("", OLD_GROUP, location=Location(52.5, 13.4, "Berlin")),
    "location and words": out("here", ADA, location=BERLIN),
    "contact": out("", contacts=(Contact("Ada Lovelace", ["+441632960000"]),)),
    "contact with more": out("", contacts=(GRACE,)),
    "contact without a number": out("", contacts=(Contact("Ada", (), ["ada@example.org"]),)),
    "two contacts": out("", contacts=(GRACE, Contact("Ada", ["+441632960002"]))),
}  # fmt: skip
