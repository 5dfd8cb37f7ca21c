"""Planning: what is said fits what a platform shows, and whatever does not is named.

Knows: `plan`, parts and their JSON, kinds of files. Does not know: sending.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from attrs import evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.slack import Slack
from outeract_adapters.slack import markup as slack
from outeract_adapters.telegram import Telegram
from outeract_adapters.telegram.outbound import markup as telegram
from outeract_adapters.whatsapp import WhatsApp
from outeract_adapters.whatsapp import markup as whatsapp
from outeract_core._domain.planning.kinds import kind_of, kind_of_mime, mime_of
from outeract_core._domain.planning.parts import Part, dump_parts, load_parts
from outeract_core._domain.planning.plan import Plan, in_one, plan, whole
from outeract_core.adapter import Manifest
from outeract_core.content import (
    Attachment,
    Button,
    Contact,
    Content,
    FileKind,
    Location,
    Menu,
    MenuRow,
    Template,
)
from outeract_core.errors import BadInput, FileTooLarge, Unsupported
from outeract_core.text import to_plain
from outeract_core.text.split import unit_length

MB = 1024 * 1024
PNG, MP3 = Attachment(b"\x89PNG\r\n\x1a\n"), Attachment(b"ID3")
PDF = Attachment(b"%PDF-1.7", filename="a.pdf")
PLAIN = Manifest(platform="pigeon", text_limit=280)
RICH = Manifest(
    platform="rich",
    text_limit=200,
    caption_limit=50,
    capabilities=frozenset(
        {"text", "media", "buttons", "quick_replies", "menu", "album", "format"}
    ),
    media=dict.fromkeys(("image", "video", "document", "audio", "voice"), (MB, ())),
    caption_kinds=frozenset({"image", "document"}),
    interactive_limit=100,
    header_limit=10,
    footer_limit=10,
    buttons=3,
    menu_rows=5,
    album=3,
)


def on(manifest: Manifest, content: Content, sizes: tuple[int, ...] = ()) -> Plan:
    """The plan for a platform with this manifest, that writes marks as WhatsApp does."""
    return plan(content, manifest, whatsapp.render, sizes)


def buttons(count: int, title: str = "Button") -> list[Button]:
    """That many buttons."""
    return [Button(f"id-{n}", f"{title} {n}") for n in range(count)]


def menu(count: int, **more: Any) -> Menu:
    """A menu of so many rows."""
    return Menu("Open", [MenuRow(f"row-{n}", f"Row {n}", **more) for n in range(count)])


# ── text ──────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_one_part_that_replies() -> None:
    """A text within the limit is one part, rendered and plain, and carries the reply."""
    made = on(RICH, Content("**hi** _you_", format="markdown"))
    assert made == Plan((Part("*hi* _you_", "hi you", reply=True),))


def test_plain_text_is_not_read_as_markdown() -> None:
    """Plain text stays as it stands."""
    assert on(RICH, Content("**hi**")).parts[0].text == "**hi**"


def test_a_long_text_is_split_and_only_the_first_part_replies() -> None:
    """A text over the limit becomes several parts in order; the reference is on the first."""
    made = on(RICH, Content("word " * 100))
    assert [part.reply for part in made.parts] == [True, False, False]
    assert " ".join(part.plain for part in made.parts).split() == ["word"] * 100


def test_the_limit_counts_what_the_platform_counts() -> None:
    """Where the visible text counts, markup and hidden addresses cost nothing; else they do."""
    content = Content("[" + "a" * 190 + "](https://e.org/abc)", format="markdown")
    assert len(on(RICH, content).parts) > 1
    assert len(on(evolve(RICH, text_counts="plain"), content).parts) == 1
    emoji = Content("😀" * 150)
    assert len(on(RICH, emoji).parts) == 1
    assert len(on(evolve(RICH, text_unit="utf16"), emoji).parts) == 2
    assert len(on(evolve(RICH, text_unit="bytes"), emoji).parts) == 3


def test_without_a_limit_nothing_is_split() -> None:
    """A platform without a limit takes any text in one part."""
    assert len(on(evolve(RICH, text_limit=None), Content("x" * 100_000)).parts) == 1


def test_formatting_that_cannot_be_shown_is_named() -> None:
    """On a platform without formatting, a formatted text degrades, and a plain one does not."""
    assert on(PLAIN, Content("**a**", format="markdown")).degraded == ("formatting as plain text",)
    assert on(PLAIN, Content("a\nb", format="markdown")).degraded == ()


def test_broken_surrogates_never_reach_a_platform() -> None:
    """Lone surrogates, which cannot be sent as UTF-8, become U+FFFD."""
    content = Content("a\ud83d", header="b\ud83d", buttons=[Button("id", "c\ud83d")])
    made = on(RICH, content)
    (part,) = made.parts
    assert (part.text, part.header, part.buttons[0].title) == ("a\ufffd", "b\ufffd", "c\ufffd")
    assert made.degraded == ()


def test_a_blank_message_is_refused() -> None:
    """A message in which nothing can be seen is no message."""
    with pytest.raises(BadInput, match="blank"):
        on(RICH, Content(" \n "))


# ── header and footer ─────────────────────────────────────────────────────────────────────────


def test_header_and_footer_stand_in_the_text() -> None:
    """Without choices there is no other place for them, so they are above and below the text."""
    made = on(RICH, Content("text", header="Head", footer="Foot"))
    assert made.parts == (Part("*Head*\n\ntext\n\nFoot", "Head\n\ntext\n\nFoot", reply=True),)


def test_header_and_footer_stand_beside_choices() -> None:
    """Beside choices they go to the platform's own places, if they are short enough for them."""
    content = Content("text", header="Head", footer="A long footer", buttons=buttons(1))
    (part,) = on(RICH, content).parts
    assert (part.text, part.header, part.footer) == ("text\n\nA long footer", "Head", None)
    (part,) = on(evolve(RICH, header_limit=0), content).parts
    assert (part.text, part.header) == ("*Head*\n\ntext\n\nA long footer", None)


def test_a_header_stays_on_top_of_a_long_text() -> None:
    """When a text with choices is split, its header is above the first part, not the last."""
    content = Content("word " * 60, header="Head", footer="Foot", buttons=buttons(1))
    first, *_, last = on(RICH, content).parts
    assert first.text.startswith("*Head*\n\nword")
    assert (last.header, last.footer) == (None, "Foot")


# ── choices ───────────────────────────────────────────────────────────────────────────────────


def test_choices_stand_on_the_last_part_within_its_limit() -> None:
    """Buttons go below the last text, which keeps to the limit of texts with buttons."""
    *before, last = on(RICH, Content("word " * 60, buttons=buttons(2))).parts
    assert all(not part.buttons and len(part.text) <= 200 for part in before)
    assert len(last.buttons) == 2
    assert len(last.text) <= 100


def test_too_many_buttons_become_a_menu() -> None:
    """More buttons than there is room for are the rows of a menu."""
    made = on(RICH, Content("pick", buttons=buttons(4)))
    assert made.parts[0].menu == Menu(
        "Choose", [MenuRow(f"id-{n}", f"Button {n}") for n in range(4)]
    )
    assert made.degraded == ("4 buttons as a menu",)


def test_too_many_even_for_a_menu_become_lines() -> None:
    """More than a menu holds are numbered lines."""
    made = on(RICH, Content("pick", buttons=buttons(6)))
    assert made.parts[0].text.startswith("pick\n\n1. Button 0\n2. Button 1\n")
    assert made.degraded == ("6 buttons as text",)


def test_choices_on_a_platform_without_any_become_lines() -> None:
    """Buttons, links and menus are lines of text where nothing can be pressed."""
    content = Content(
        "pick",
        buttons=[Button("a", "Yes"), Button("b", "Site", "https://e.org")],
        menu=Menu("More", [MenuRow("c", "One", "first", "Top"), MenuRow("d", "Two", None, "Top")]),
    )
    made = on(PLAIN, content)
    assert made.parts[0].text == (
        "pick\n\n1. Yes\nSite: https://e.org\nMore:\nTop\n1. One: first\n2. Two"
    )
    assert made.degraded == (
        "1 link button as text", "1 button as text", "menu of 2 rows as text",
    )  # fmt: skip


def test_buttons_and_quick_replies_stand_in_for_each_other() -> None:
    """Where there is only one of the two, the other becomes it; links cannot be quick replies."""
    both = Content("pick", quick_replies=buttons(2))
    only_buttons = evolve(RICH, capabilities=RICH.capabilities - {"quick_replies"})
    made = on(only_buttons, both)
    assert (made.parts[0].buttons, made.parts[0].quick_replies) == (tuple(buttons(2)), ())
    assert made.degraded == ("quick replies as buttons",)
    only_quick = evolve(PLAIN, capabilities=frozenset({"text", "quick_replies"}), quick_replies=5)
    linked = Content("pick", buttons=[*buttons(2), Button("u", "Site", "https://e.org")])
    made = on(only_quick, linked)
    assert made.parts[0].quick_replies == tuple(buttons(2))
    assert made.parts[0].text == "pick\n\nSite: https://e.org"
    assert made.degraded == ("buttons as quick replies", "1 link button as text")


def test_quick_replies_have_a_number_of_their_own_where_the_manifest_says_so() -> None:
    """Without one they count as buttons; with one both can be full."""
    content = Content("pick", buttons=buttons(3), quick_replies=buttons(3, "Quick"))
    assert on(RICH, content).degraded == ("6 buttons as text",)
    made = on(evolve(RICH, quick_replies=3), content)
    assert (len(made.parts[0].buttons), len(made.parts[0].quick_replies)) == (3, 3)
    assert made.degraded == ()


def test_a_menu_becomes_buttons_and_keeps_its_descriptions() -> None:
    """Without menus, rows are buttons while there is room, and their descriptions are lines."""
    bare = evolve(RICH, menu_rows=0)
    made = on(bare, Content("pick", menu=menu(3, description="more")))
    assert [button.id for button in made.parts[0].buttons] == ["row-0", "row-1", "row-2"]
    assert made.parts[0].text == "pick\n\nRow 0: more\nRow 1: more\nRow 2: more"
    assert made.degraded == ("menu as buttons",)
    assert on(bare, Content("pick", menu=menu(4))).degraded == ("menu of 4 rows as text",)


def test_long_titles_are_cut_and_named() -> None:
    """A title over its limit ends in an ellipsis; a row's whole title moves to its description."""
    made = on(RICH, Content("pick", buttons=[Button("a", "x" * 30)]))
    assert made.parts[0].buttons == (Button("a", "x" * 19 + "…"),)
    assert made.degraded == (f"button title shortened to '{'x' * 19}…'",)
    rows = [MenuRow("a", "y" * 30, "why")]
    shown = on(RICH, Content("pick", menu=Menu("Open", rows))).parts[0].menu
    assert shown == Menu("Open", [MenuRow("a", "y" * 23 + "…", "y" * 30 + ": why")])


@pytest.mark.parametrize(
    ("rows", "lines", "notes"),
    [
        ([("Tea", None, None)], [], ()),
        ([("Tea", "hot", None), ("Ice", None, None)], ["• Tea: hot"], ("menu descriptions in the text",)),
        (
            [("Tea", None, "Hot"), ("Mate", None, "Hot"), ("Ice", "cold", "Cold"), ("Pie", None, None)],
            ["Hot", "• Tea", "• Mate", "Cold", "• Ice: cold", "• Pie"],
            ("menu sections in the text", "menu descriptions in the text"),
        ),
    ],
)  # fmt: skip
def test_sections_and_descriptions_without_a_place_stand_in_the_text(
    rows: list[tuple[str, str | None, str | None]], lines: list[str], notes: tuple[str, ...]
) -> None:
    """Telegram has rows alone: all else of a menu is said in words, and told."""
    menu = Menu("Choose", [MenuRow(f"id{n}", *row) for n, row in enumerate(rows)])
    made = on(Telegram.manifest, Content("pick", menu=menu))
    assert made.degraded == notes
    (part,) = made.parts
    assert part.plain == "\n\n".join(["pick", *(["\n".join(lines)] if lines else [])])
    assert part.menu is not None
    assert [(row.title, row.description, row.section) for row in part.menu.rows] == [
        (title, None, None) for title, _, _ in rows
    ]


CHOICES = [
    {"buttons": [Button("a", "Yes"), Button("b", "No")]},
    {"quick_replies": [Button("a", "Yes")]},
    {"menu": Menu("Choose", [MenuRow("a", "Yes", "really")])},
    {"buttons": [Button("a", "Page", url="https://example.org")]},
]


@pytest.mark.parametrize("manifest", [WhatsApp.manifest, Telegram.manifest, Slack.manifest])
@pytest.mark.parametrize("kind", ["person", "group", "channel"])
@pytest.mark.parametrize("choices", CHOICES)
def test_what_a_place_does_not_have_is_told_and_said(
    manifest: Manifest, kind: str, choices: dict[str, Any]
) -> None:
    """Whatever cannot be pressed there stands in the text, with a note; whatever can is pressed."""
    there = manifest.towards(kind)
    made = on(there, Content("pick", **choices))
    pressed = [part for part in made.parts if part.buttons or part.quick_replies or part.menu]
    words = "\n".join(part.plain for part in made.parts)
    titles = [one.title for one in (*choices.get("buttons", ()), *choices.get("quick_replies", ()))]
    titles += [row.title for row in choices["menu"].rows] if "menu" in choices else []
    if not pressed:
        assert all(title in words for title in titles)
        assert made.degraded
    if manifest.platform == "whatsapp" and kind != "person":
        assert not pressed
    if (manifest.platform, kind) == ("telegram", "channel") and "quick_replies" in choices:
        assert made.degraded == ("quick replies as buttons",)


@pytest.mark.parametrize(
    "text", ["![a cat](https://a/b.png)", "> see ![](https://a/b.png)", "* **![x](u)**"]
)
def test_a_picture_in_a_text_is_told_to_be_a_link(text: str) -> None:
    """No platform shows a picture in the middle of a text; a link that is one says nothing."""
    assert "picture in the text as a link" in on(RICH, Content(text, format="markdown")).degraded
    link = text.replace("![", "[")
    assert (
        "picture in the text as a link" not in on(RICH, Content(link, format="markdown")).degraded
    )


def test_an_empty_menu_is_refused() -> None:
    """A menu without rows is a mistake, not a message."""
    with pytest.raises(BadInput, match="without rows"):
        on(RICH, Content("pick", menu=Menu("Open", [])))


def test_choices_without_a_text_get_one() -> None:
    """Where no text was given for the choices, their titles are the text."""
    made = on(evolve(RICH, capabilities=RICH.capabilities | {"location"}),
              Content(location=Location(0.0, 0.0), buttons=buttons(2)))  # fmt: skip
    assert [part.location for part in made.parts] == [Location(0.0, 0.0), None]
    assert made.parts[1].text == "Button 0 · Button 1"


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def shapes(made: Plan) -> list[tuple[tuple[int, ...], str]]:
    """Files and text of each part."""
    return [(part.files, part.plain) for part in made.parts]


def test_a_text_that_fits_is_the_caption() -> None:
    """Text is the caption of the only file; too long for that, it follows."""
    assert shapes(on(RICH, Content("cap", files=[PNG]))) == [((0,), "cap")]
    assert shapes(on(RICH, Content("x" * 51, files=[PNG]))) == [((0,), ""), ((), "x" * 51)]


def test_kinds_without_captions_are_followed_by_the_text() -> None:
    """Where the platform shows no caption below a kind, the text is a part of its own."""
    assert shapes(on(RICH, Content("cap", files=[MP3]))) == [((0,), ""), ((), "cap")]
    made = on(WhatsApp.manifest, Content("cap", files=[evolve(MP3, kind="voice")]))
    assert shapes(made) == [((0,), ""), ((), "cap")]


def test_files_that_can_be_grouped_share_a_part() -> None:
    """Neighbours of kinds that may share an album do, up to its size; the text is on the first."""
    files = [PNG, PNG, PNG, PNG, PDF, PDF, MP3]
    assert shapes(on(RICH, Content("cap", files=files))) == [
        ((0, 1, 2), "cap"), ((3,), ""), ((4, 5), ""), ((6,), ""),
    ]  # fmt: skip
    single = evolve(RICH, album=1)
    assert shapes(on(single, Content("cap", files=files[:2]))) == [((0,), "cap"), ((1,), "")]
    mixed = evolve(RICH, album_kinds=(frozenset({"image", "document"}),))
    assert shapes(on(mixed, Content("cap", files=[PNG, PDF]))) == [((0, 1), "cap")]


def test_a_file_with_its_own_caption_goes_alone() -> None:
    """Each file keeps its own caption, and the text of the message follows them."""
    files = [PNG, evolve(PNG, caption="mine"), PNG]
    assert shapes(on(RICH, Content(files=files))) == [((0,), ""), ((1,), "mine"), ((2,), "")]
    long = evolve(PNG, caption="y" * 60)
    assert shapes(on(RICH, Content("cap", files=[long]))) == [
        ((0,), ""), ((), "y" * 60), ((), "cap"),
    ]  # fmt: skip
    spoken = evolve(MP3, caption="listen")
    assert shapes(on(RICH, Content(files=[spoken]))) == [((0,), ""), ((), "listen")]


def test_buttons_go_with_a_single_file_and_menus_never() -> None:
    """Buttons stand below the caption of one file; an album or a menu leaves them to the text."""
    (one,) = on(RICH, Content("cap", files=[PNG], buttons=buttons(1))).parts
    assert (one.files, len(one.buttons)) == ((0,), 1)
    album = on(RICH, Content("cap", files=[PNG, PNG], buttons=buttons(1)))
    assert shapes(album) == [((0, 1), ""), ((), "cap")]
    assert album.parts[1].buttons
    with_menu = on(RICH, Content("cap", files=[PNG], menu=menu(2)))
    assert shapes(with_menu) == [((0,), ""), ((), "cap")]
    assert with_menu.parts[1].menu
    spoken = on(RICH, Content(files=[MP3], buttons=buttons(1)))
    assert shapes(spoken) == [((0,), ""), ((), "Button 0")]


@pytest.mark.parametrize(
    ("file", "size", "kind", "note"),
    [
        (PNG, MB, "image", ()),
        (PNG, 6 * MB, "document", ("image as document",)),
        (Attachment(b"x", kind="voice", mime_type="audio/ogg; codecs=opus"), 1, "voice", ()),
        (Attachment(b"x", kind="sticker", mime_type="image/png"), 1, "image", ("sticker as image",)),
        (Attachment(b"x", filename="a.mp4"), 17 * MB, "document", ("video as document",)),
        (PDF, 1, "document", ()),
    ],
)  # fmt: skip
def test_a_file_is_sent_as_a_kind_that_takes_it(
    file: Attachment, size: int, kind: str, note: tuple[str, ...]
) -> None:
    """What a kind does not take, by type or size, goes as the next best kind, and is named."""
    made = on(WhatsApp.manifest, Content(files=[file]), (size,))
    assert (made.kinds, made.degraded) == ((kind,), note)


def test_a_file_that_nothing_takes_is_refused() -> None:
    """Too large for every kind, of no accepted type, or on a platform without files."""
    webp = Attachment(b"x", filename="a.webp")  # in stickers only
    for unknown in (
        webp,
        Attachment(b"GIF89a"),
        Attachment(b"?"),
        Attachment(b"x", filename="a.mkv"),
    ):
        with pytest.raises(Unsupported, match="convert it to"):
            on(WhatsApp.manifest, Content(files=[unknown]))
    with pytest.raises(FileTooLarge, match="104857600 at most"):
        on(WhatsApp.manifest, Content(files=[PDF]), (101 * MB,))
    pictures = evolve(RICH, media={"image": (MB, ("image/png",))})
    with pytest.raises(Unsupported, match="no document of type application/pdf: it takes image"):
        on(pictures, Content(files=[PDF]))
    with pytest.raises(Unsupported, match="convert it to image/png"):
        on(pictures, Content(files=[Attachment(b"GIF89a")]))
    with pytest.raises(Unsupported, match="no files; send a link"):
        on(PLAIN, Content("cap", files=[PNG]))


# ── places, cards, templates ──────────────────────────────────────────────────────────────────


def test_places_and_cards_become_words_where_they_must() -> None:
    """A place is its name and a link to a map, a card its numbers, on a platform without them."""
    content = Content(
        location=Location(52.5, 13.4, "Home", "Street 1"),
        contacts=[Contact("Ada", ["+441632960000"], ["ada@e.org"])],
    )
    made = on(PLAIN, content)
    assert made.parts[0].text == (
        "Home\nStreet 1\nhttps://www.openstreetmap.org/?mlat=52.500000&mlon=13.400000\n\n"
        "Ada, +441632960000, ada@e.org"
    )
    assert made.degraded == ("location as text", "contacts as text")
    made = on(WhatsApp.manifest, content)
    assert [(part.location, part.contacts) for part in made.parts] == [
        (content.location, ()), (None, content.contacts),
    ]  # fmt: skip
    assert made.degraded == ()


def test_a_template_goes_alone_and_its_text_goes_where_there_are_none() -> None:
    """With templates the text is left out, and named; without them it is what is sent."""
    content = Content("Hello", template=Template("hello"), buttons=buttons(1))
    made = on(WhatsApp.manifest, content)
    assert made.parts == (Part(template=Template("hello"), reply=True),)
    assert made.degraded == ("text and buttons left out beside the template",)
    made = on(RICH, content)
    assert (made.parts[0].text, made.degraded) == ("Hello", ("template left out",))
    with pytest.raises(Unsupported, match="give text beside the template"):
        on(RICH, Content(template=Template("hello")))


# ── what always holds ─────────────────────────────────────────────────────────────────────────

WORDS = st.lists(st.sampled_from(["qa", "qb", "**qc**", "`qd`", "\n\n", "- ", "😀"]), max_size=40)
TITLES = st.text("abc é", min_size=1, max_size=30)
BUTTONS = st.lists(
    st.builds(Button, st.uuids().map(str), TITLES, st.none() | st.just("https://e.org")),
    max_size=7,
)
FILES = st.lists(
    st.builds(
        evolve, st.sampled_from([PNG, PDF, MP3]), caption=st.none() | st.sampled_from(["x", "y" * 70])
    ),
    max_size=5,
)  # fmt: skip
ROWS = st.lists(
    st.builds(MenuRow, st.uuids().map(str), TITLES, st.none() | TITLES, st.none() | TITLES),
    min_size=1, max_size=8,
)  # fmt: skip


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Contents with anything in them."""
    return Content(
        text=" ".join(["qz", *draw(WORDS)]),
        format=draw(st.sampled_from(["plain", "markdown"])),
        files=draw(FILES),
        buttons=draw(BUTTONS),
        quick_replies=draw(BUTTONS),
        menu=draw(st.none() | st.builds(Menu, st.just("Open"), ROWS)),
        location=draw(st.none() | st.just(Location(0.0, -1.5, "Home"))),
        contacts=draw(st.lists(st.just(Contact("Ada", ["+1"])), max_size=2)),
        header=draw(st.none() | TITLES),
        footer=draw(st.none() | TITLES),
    )


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Platforms with any of the capabilities, and limits that agree with them."""
    some = draw(
        st.sets(st.sampled_from(["buttons", "quick_replies", "menu", "location", "contacts"]))
    )
    return evolve(
        RICH,
        capabilities=frozenset({"text", "media", *some}),
        buttons=draw(st.integers(1, 4)) if "buttons" in some else 0,
        quick_replies=draw(st.sampled_from([0, 5])) if "quick_replies" in some else 0,
        menu_rows=draw(st.integers(1, 8)) if "menu" in some else 0,
        text_unit=draw(st.sampled_from(["characters", "utf16", "bytes"])),
        album=draw(st.integers(1, 3)),
        header_limit=draw(st.sampled_from([0, 10])),
        interactive_limit=draw(st.sampled_from([None, 80])),
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(contents(), manifests())
def test_every_part_fits_and_comes_back_from_json(content: Content, manifest: Manifest) -> None:
    """No part is empty or over its limit, the first replies, and JSON gives back the same parts."""
    made = on(manifest, content)
    size = unit_length(manifest.text_unit)
    for part in made.parts:
        assert part.text or part.files or part.location or part.contacts
        choices = part.buttons or part.quick_replies or part.menu
        limit = (manifest.interactive_limit if choices else None) or manifest.text_limit or 0
        assert size(part.text) <= (min(limit, 50) if part.files else limit)
        assert len(part.files) <= manifest.album
        assert len(part.menu.rows if part.menu else ()) <= manifest.menu_rows
        assert len(part.buttons) <= manifest.buttons
    assert [part.reply for part in made.parts] == [True] + [False] * (len(made.parts) - 1)
    written = dump_parts(made.parts)
    assert load_parts(written) == load_parts(json.loads(written)) == made.parts


@settings(max_examples=100, deadline=None)
@given(contents(), manifests())
def test_nothing_is_dropped(content: Content, manifest: Manifest) -> None:
    """Every file, word, title, place and card is in a part, as itself or in words."""
    made = on(manifest, content)
    assert [n for part in made.parts for n in part.files] == list(range(len(content.files)))
    plain = "\n".join(part.plain for part in made.parts)
    bare = "".join(plain.split())
    said = [word.strip("*`") for word in content.text.split() if "q" in word]
    assert [at for at in said if at in bare] == said
    assert sum(bare.count(word) for word in ("qa", "qb", "qc", "qd")) == len(said) - 1
    shown = {one.id for part in made.parts for one in (*part.buttons, *part.quick_replies)}
    shown |= {row.id for part in made.parts for row in (part.menu.rows if part.menu else ())}
    asked = {one.id: one.title for one in (*content.buttons, *content.quick_replies)}
    asked |= {row.id: row.title for row in (content.menu.rows if content.menu else ())}
    for press, title in asked.items():
        assert press in shown or "".join(title.split()) in bare
    places = {part.header for part in made.parts} | {part.footer for part in made.parts}
    for words in (content.header or "", content.footer or ""):
        assert words in places or "".join(words.split()) in bare
    assert content.location is None or "Home" in bare or any(p.location for p in made.parts)
    assert bare.count("Ada,+1") + sum(len(p.contacts) for p in made.parts) == len(content.contacts)


@pytest.mark.parametrize(
    "manifest", [WhatsApp.manifest, Slack.manifest, PLAIN], ids=lambda m: m.platform
)
@settings(max_examples=40, deadline=None)
@given(content=contents())
def test_real_platforms_take_any_content(manifest: Manifest, content: Content) -> None:
    """On the platforms that there are, any content has a plan or a refusal that says why."""
    render = {"whatsapp": whatsapp.render, "slack": slack.render}.get(manifest.platform, to_plain)
    if manifest is PLAIN and content.files:
        with pytest.raises(Unsupported, match="no files"):
            plan(content, manifest, render)
        return
    made = plan(content, manifest, render)
    assert all(len(part.text) <= (manifest.text_limit or 0) for part in made.parts)


_PLATFORMS = {
    "telegram": (Telegram.manifest, telegram.render), "whatsapp": (WhatsApp.manifest, whatsapp.render),
    "slack": (Slack.manifest, slack.render), "plain": (PLAIN, to_plain), "rich": (RICH, to_plain),
    "bytes": (evolve(PLAIN, text_unit="bytes", text_counts="rendered"), whatsapp.render),
    "utf16": (evolve(PLAIN, text_unit="utf16", reply="place"), slack.render),
}  # fmt: skip
_SAID = st.one_of(
    st.text(), st.text(alphabet="*_~`> -1.)|ab \n<&\ud83d\ude00é", max_size=330),
    st.text(alphabet="a é😀", min_size=260, max_size=290),
)  # fmt: skip


@pytest.mark.parametrize("platform", _PLATFORMS)
@settings(max_examples=150, deadline=None)
@given(text=_SAID)
def test_a_text_alone_is_planned_as_all_else_is(platform: str, text: str) -> None:
    """The short way of what is said most comes to the same as the whole one, or is not gone."""
    manifest, render = _PLATFORMS[platform]
    content = Content(text)
    assert content.only_text
    short = in_one(content, manifest, render)
    assert short is None or short == whole(content, manifest, render)
    fits = unit_length(manifest.text_unit)(text) * 6 < (manifest.text_limit or 0)
    assert short is not None or not text.strip() or not fits


_BESIDE: dict[str, Any] = {
    "format": "markdown", "files": (PNG,), "buttons": (Button("a", "A"),), "header": "h",
    "quick_replies": (Button("a", "A"),), "location": Location(0, 0), "footer": "f",
    "contacts": (Contact("Ada"),), "menu": Menu("m", (MenuRow("r", "R"),)), "template": Template("t"),
}  # fmt: skip


@pytest.mark.parametrize(
    "member", [f.name for f in fields(Content) if f.name not in ("text", "metadata")]
)
def test_what_stands_beside_a_text_goes_the_whole_way(member: str) -> None:
    """Whatever a content may hold beside its text: a member that is new must be thought of."""
    assert not Content("text", **{member: _BESIDE[member]}).only_text


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────


def test_every_member_survives_json() -> None:
    """A part with everything in it, zeros and empty texts too, comes back the same."""
    full = Part(
        "t", "p", (0, 2), (Button("a", "A", "https://e.org"), Button("", "")), (Button("b", "B"),),
        menu(2, section="s"), Location(0.0, 0.0), (Contact("c", ["1"], ["2"], "3"),),
        Template("n", "de", [{"type": "body", "parameters": [{"text": "x"}]}]), "", "f", True,
    )  # fmt: skip
    assert load_parts(dump_parts([full, Part()])) == (full, Part())


def test_parts_are_short_in_json() -> None:
    """What a part does not have is not written."""
    assert json.loads(dump_parts([Part("a", "a", reply=True)])) == [
        {"text": "a", "plain": "a", "reply": True}
    ]


def test_what_json_cannot_say_is_refused() -> None:
    """A template's components must be JSON."""
    with pytest.raises((TypeError, ValueError)):
        dump_parts([Part(template=Template("n", components=[{"x": object()}]))])
    with pytest.raises(ValueError, match="JSON"):
        dump_parts([Part(location=Location(float("nan"), 0))])


# ── kinds of files ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file", "mime", "kind"),
    [
        (Attachment(b"", mime_type="Image/JPEG; q=1"), "Image/JPEG; q=1", "image"),
        (Attachment(Path("dir/Photo.JPG")), "image/jpeg", "image"),
        (Attachment(Path("dir/x.bin"), filename="song.m4a"), "audio/mp4", "audio"),
        (Attachment(Path("noext")), "application/octet-stream", "document"),
        (Attachment(Path("a.tar.gz")), "application/gzip", "document"),
        (Attachment(Path("a.svg")), "image/svg+xml", "document"),
        (Attachment(Path("a.md")), "text/markdown", "document"),
        (Attachment(b"\xff\xd8\xff\xe0"), "image/jpeg", "image"),
        (Attachment(b"RIFF\0\0\0\0WEBPVP8 "), "image/webp", "image"),
        (Attachment(b"RIFF\0\0\0\0WAVEfmt "), "audio/x-wav", "audio"),
        (Attachment(b"\0\0\0\x20ftypisom"), "video/mp4", "video"),
        (Attachment(b"\0\0\0\x20ftypM4A "), "audio/mp4", "audio"),
        (Attachment(b"OggS"), "audio/ogg", "audio"),
        (Attachment(b"OggS", kind="voice"), "audio/ogg", "voice"),
        (Attachment(b"%PDF-1.4", filename="a.unknown"), "application/pdf", "document"),
        (Attachment(b"PK\x03\x04", filename="a.docx"),
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document"),
        (Attachment(b""), "application/octet-stream", "document"),
    ],
)  # fmt: skip
def test_what_a_file_is(file: Attachment, mime: str, kind: str) -> None:
    """By what was said of it, by its name, by its first bytes, in this order."""
    assert (mime_of(file), kind_of(file)) == (mime, kind)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30), st.binary(max_size=20))
def test_any_file_has_a_kind(name: str, data: bytes) -> None:
    """Whatever a file is called and holds, it has a type and a kind."""
    file = Attachment(data, filename=name)
    assert "/" in mime_of(file)
    assert kind_of(file) in get_args(FileKind)
    assert kind_of_mime(name) in get_args(FileKind)
