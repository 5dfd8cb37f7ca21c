"""Nothing is shortened in silence: what a reader chooses from is whole, or the plan says what is not."""

from __future__ import annotations

import json
import random

import pytest

from outeract_adapters.slack import Slack
from outeract_adapters.slack.blocks import blocks
from outeract_adapters.telegram import Telegram
from outeract_adapters.whatsapp import WhatsApp
from outeract_adapters.whatsapp.choices import interactive
from outeract_core._domain.planning.parts import Part
from outeract_core._domain.planning.plan import plan
from outeract_core.adapter import Manifest, Outgoing, Recipient
from outeract_core.content import Button, Content, Menu, MenuRow
from outeract_core.text.flatten import flatten

MANIFESTS = [Slack.manifest, Telegram.manifest, WhatsApp.manifest]


def words(rng: random.Random, most: int) -> str:
    """A title of any length."""
    return "".join(rng.choice("abcdefgh") for _ in range(rng.randint(1, most)))


def content(rng: random.Random) -> Content:
    """Anything to choose from."""
    buttons = [
        Button(f"b{n}", words(rng, 100), rng.choice([None, None, f"https://example.org/{n}"]))
        for n in range(rng.randint(0, 5))
    ]
    rows = [
        MenuRow(f"r{n}", words(rng, 100), rng.choice([None, words(rng, 100)]), words(rng, 100))
        for n in range(rng.randint(1, 12))
    ]
    menu = Menu(words(rng, 180), rows) if rng.random() < 0.6 else None
    return Content("choose", buttons=buttons, menu=menu)


def titles(of: Content) -> list[tuple[str, str]]:
    """Everything that a reader chooses from, by the word that a note has for it."""
    found = [("button", one.title) for one in of.buttons]
    if of.menu is not None:
        found.append(("menu label", of.menu.button))
        for row in of.menu.rows:
            found += [("menu title", row.title), ("menu section", row.section or "")]
            found.append(("menu description", row.description or ""))
    return found


def outgoing(part: Part) -> Outgoing:
    """The part as an adapter is given it."""
    return Outgoing(
        "t", "e", 0, 1, Recipient("+14155550100", "+14155550100"), part.text, part.plain,
        buttons=part.buttons, quick_replies=part.quick_replies, menu=part.menu,
        header=part.header, footer=part.footer,
    )  # fmt: skip


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: one.platform)
@pytest.mark.parametrize("seed", range(150))
def test_what_is_shortened_is_told(manifest: Manifest, seed: int) -> None:
    """Every title, label, section and description is in the parts, or a note names its kind."""
    asked = content(random.Random(seed))
    planned = plan(asked, manifest, flatten)
    shown = "".join(part.plain + repr((part.buttons, part.menu)) for part in planned.parts)
    notes = " ".join(planned.degraded)
    for kind, title in titles(asked):
        turned = (
            "menu as" in notes or "menu of" in notes or "as text" in notes or "as a menu" in notes
        )
        assert title in shown or f"{kind}" in notes or turned, (kind, title, planned.degraded)


@pytest.mark.parametrize("seed", range(150))
def test_adapters_shorten_nothing_that_was_planned(seed: int) -> None:
    """What a plan comes to stands in the request as it is: the limits are the same on both sides."""
    asked = content(random.Random(seed))
    for manifest, build in ((WhatsApp.manifest, interactive), (Slack.manifest, blocks)):
        planned = plan(asked, manifest, flatten)
        for part in planned.parts:
            if not (part.buttons or part.menu):
                continue
            said = json.dumps(build(outgoing(part)), ensure_ascii=False)
            several = [] if part.menu is None else [one.section for one in part.menu.rows]
            expected = [one.title for one in part.buttons]
            if part.menu is not None:
                expected += [part.menu.button, *(row.title for row in part.menu.rows), *several]
            assert [one for one in expected if one and one not in said] == []
