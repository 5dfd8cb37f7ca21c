"""Messages of every kind that WhatsApp can be asked to send.

Knows: one message of each shape, and those that do not fit. Does not know: what is tested with them.
"""

from __future__ import annotations

from outeract_core.adapter import Outgoing
from outeract_core.content import Button, Contact, Location, Menu, MenuRow, Template
from tests.support.whatsapp.calls import GROUP, NAMELESS, file, out

__all__ = ["EVERY", "HEADER", "SHOP"]

YES_NO = (Button("yes", "Yes"), Button("no", "No"))
SHOP = Button("shop", "Open the shop", "https://shop.example/?a=1")
MENU = Menu("Pick one", [MenuRow("s", "Small", "fits a cat"), MenuRow("l", "Large")])
SECTIONS = Menu("Pick", [MenuRow("a", "A", section="One"), MenuRow("b", "B", section="Two"),
                         MenuRow("c", "C", section="One"), MenuRow("d", "D")])  # fmt: skip
HEADER = {"type": "header", "parameters": [{"type": "text", "text": "Ada"}]}
EVERY: dict[str, Outgoing] = {
    "text": out("Hello *you*"),
    "text with a link": out("see https://example.org"),
    "text to a user id": out("hello", NAMELESS),
    "text to a group": out("hello", GROUP),
    "text in reply": out("sure", reply_to="wamid.IN001"),
    "text with header and footer": out("hello", header="News", footer="Bye"),
    **{f"{kind} without caption": out("", files=(file(kind),))
       for kind in ("image", "video", "audio", "voice", "document", "sticker")},
    **{f"{kind} with caption": out("A caption", files=(file(kind),))
       for kind in ("image", "video", "audio", "voice", "document", "sticker")},
    "media by link": out("A cat", metadata={"media": {"type": "image", "link": "https://e.org/c"}}),
    "media by id": out("", metadata={"media": {"type": "document", "id": "7", "filename": "a.pdf"}}),
    "buttons": out("Sure?", buttons=YES_NO),
    "quick replies": out("Sure?", quick_replies=YES_NO),
    "buttons, header, footer": out("Sure?", buttons=YES_NO, header="Order", footer="No return"),
    "buttons under a picture": out("Sure?", buttons=YES_NO, files=(file("image"),)),
    "buttons under a picture, wordless": out("", buttons=YES_NO, files=(file("image"),)),
    "buttons after a voice": out("Sure?", buttons=YES_NO, files=(file("voice"),)),
    "five buttons": out("Which?", buttons=[Button(f"b{n}", f"Choice {n}") for n in range(5)]),
    "twelve buttons": out("Which?", buttons=[Button(f"b{n}", f"Choice {n}") for n in range(12)]),
    "a link button": out("Buy", buttons=(SHOP,)),
    "a link button among others": out("Buy", buttons=(*YES_NO, SHOP)),
    "menu": out("Which size?", menu=MENU),
    "menu in sections": out("Which?", menu=SECTIONS, header="Sizes", footer="in cm"),
    "menu after a picture": out("Which size?", menu=MENU, files=(file("image"),)),
    "menu too long": out("Which?", menu=Menu("Pick", [MenuRow(f"{n}", f"Row {n}") for n in range(11)])),
    "long titles": out("Which?", buttons=(Button("a", "A title that is much too long"),
                                          Button("b", "A title that is much too long")),
                       header="h" * 61, footer="f" * 61),
    "long rows": out("Which?", menu=Menu("An opener that is too long", [
        MenuRow("a", "A row's title that is too long", "d" * 80, "A section's title, too long"),
        MenuRow("b", "Another")])),
    "buttons in a group": out("Sure?", GROUP, buttons=YES_NO),
    "buttons under a long text": out("x" * 1025, buttons=YES_NO),
    "location": out("", location=Location(52.5, 13.4, "Berlin", "Mitte")),
    "bare location": out("", location=Location(52.5, 13.4)),
    "contacts": out("", contacts=(Contact("Ada King Lovelace", ["+441632960000"], ["ada@example.org"]),
                                  Contact("Grace"))),
    "template": out("", template=Template("hello_world", "en_US")),
    "template with parameters": out("", template=Template("order", "de", [HEADER])),
}  # fmt: skip
