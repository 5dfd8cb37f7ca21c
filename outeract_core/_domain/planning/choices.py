"""Fits buttons, quick replies and menus to a platform: as they are, as one another, or as text.

Knows: what a manifest says of choices, which of them can stand in for which.
Does not know: texts, files, parts.
"""

from __future__ import annotations

from attrs import evolve

from ...adapter import Manifest
from ...content import Button, Content, Menu, MenuRow
from ...errors import BadInput
from ...text.commonmark import unpaired
from ...text.graphemes import shorten
from ..values.classes import frozen

__all__ = ["Choices", "fit_choices"]

_OPENER = "Choose"
_QUICK_REPLIES = 13
"""Where a platform has quick replies and says no number: what Messenger takes."""


@frozen
class Choices:
    """What there is to choose, and the lines of text for what cannot be shown as anything else."""

    buttons: tuple[Button, ...] = ()
    quick_replies: tuple[Button, ...] = ()
    menu: Menu | None = None
    lines: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything to press."""
        return bool(self.buttons or self.quick_replies or self.menu)

    @property
    def titles(self) -> str:
        """What to say where a platform wants a text and none was given."""
        titles = [button.title for button in (*self.buttons, *self.quick_replies)]
        titles += [row.title for row in (self.menu.rows if self.menu else ())]
        return " · ".join(titles)


Step = tuple[Choices, tuple[str, ...]]
"""What a step gives: the choices as they are now, and notes on what it changed."""


def fit_choices(content: Content, manifest: Manifest) -> tuple[Choices, tuple[str, ...]]:
    """The content's choices as the platform can show them, and a note for whatever changed.

    More buttons than it takes become a menu, else numbered lines; a menu it has not becomes
    buttons, else lines. Raises BadInput for a menu without rows.
    """
    if content.menu is not None and not content.menu.rows:
        raise BadInput("a menu without rows; give at least one MenuRow")
    choices = Choices(content.buttons, content.quick_replies, content.menu)
    if not choices.any:
        return choices, ()
    notes: tuple[str, ...] = ()
    for step in (_swapped, _counted, _menued, _beside, _titled, _told):
        choices, more = step(choices, manifest)
        notes = (*notes, *more)
    return choices, notes


def _swapped(choices: Choices, manifest: Manifest) -> Step:
    """Quick replies and buttons in place of each other."""
    buttons, quick = choices.buttons, choices.quick_replies
    if quick and not _quick_limit(manifest) and manifest.buttons:
        swapped = evolve(choices, buttons=(*buttons, *quick), quick_replies=())
        return swapped, ("quick replies as buttons",)
    taps = _taps(buttons)
    if taps and not manifest.buttons and _quick_limit(manifest):
        links = tuple(button for button in buttons if button.url)
        swapped = evolve(choices, buttons=links, quick_replies=(*taps, *quick))
        return swapped, ("buttons as quick replies",)
    return choices, ()


def _quick_limit(manifest: Manifest) -> int:
    if "quick_replies" not in manifest.capabilities:
        return 0
    return manifest.quick_replies or manifest.buttons or _QUICK_REPLIES


def _counted(choices: Choices, manifest: Manifest) -> Step:
    """Too many of them: links as lines, and if that is not enough, all as a menu or as lines."""
    if _fit(len(choices.buttons), len(choices.quick_replies), manifest) and _linked(
        choices, manifest
    ):
        return choices, ()
    choices, notes = _unlinked(choices)
    buttons, quick = choices.buttons, choices.quick_replies
    if _fit(len(buttons), len(quick), manifest):
        return choices, notes
    taps, without = (*buttons, *quick), evolve(choices, buttons=(), quick_replies=())
    if choices.menu is None and len(taps) <= manifest.menu_rows:
        menu = Menu(_OPENER, [MenuRow(one.id, one.title) for one in taps])
        return evolve(without, menu=menu), (*notes, _many(len(taps), "button", "a menu"))
    numbered = tuple(f"{n}. {one.title}" for n, one in enumerate(taps, 1))
    lines = (*numbered, *without.lines)
    return evolve(without, lines=lines), (*notes, _many(len(taps), "button", "text"))


def _linked(choices: Choices, manifest: Manifest) -> bool:
    """Whether the buttons that open a page can stand where they are."""
    several = (*choices.buttons, *choices.quick_replies, *([choices.menu] if choices.menu else []))
    links = [one for one in several if isinstance(one, Button) and one.url]
    return manifest.links == "beside" or not links or len(several) == 1


def _unlinked(choices: Choices) -> Step:
    """Buttons that open a page as lines of text."""
    links = [one for one in (*choices.buttons, *choices.quick_replies) if one.url]
    lines = (*choices.lines, *map(_line, links))
    left = evolve(
        choices, buttons=_taps(choices.buttons), quick_replies=_taps(choices.quick_replies),
        lines=lines,
    )  # fmt: skip
    return left, (_many(len(links), "link button", "text"),) if links else ()


def _fit(buttons: int, quick: int, manifest: Manifest) -> bool:
    """Whether so many fit; without a number of their own quick replies count as buttons."""
    if manifest.quick_replies or not manifest.buttons:
        return buttons <= manifest.buttons and quick <= _quick_limit(manifest)
    return buttons + quick <= manifest.buttons


def _many(count: int, what: str, instead: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''} as {instead}"


def _taps(buttons: tuple[Button, ...]) -> tuple[Button, ...]:
    """Those whose press comes back; the others open a page."""
    return tuple(button for button in buttons if not button.url)


def _line(button: Button) -> str:
    return f"{button.title}: {button.url}"


# ── menus ─────────────────────────────────────────────────────────────────────────────────────


def _menued(choices: Choices, manifest: Manifest) -> Step:
    """A menu that the platform has not, or not as long: as buttons, or as lines."""
    menu = choices.menu
    if menu is None or len(menu.rows) <= manifest.menu_rows:
        return choices, ()
    without = evolve(choices, menu=None)
    buttons = tuple(Button(row.id, row.title) for row in menu.rows)
    told = tuple(f"{row.title}: {row.description}" for row in menu.rows if row.description)
    all_buttons, all_quick = (*choices.buttons, *buttons), (*choices.quick_replies, *buttons)
    lines = (*choices.lines, *told)
    if _fit(len(all_buttons), len(choices.quick_replies), manifest):
        return evolve(without, buttons=all_buttons, lines=lines), ("menu as buttons",)
    if _fit(len(choices.buttons), len(all_quick), manifest):
        return evolve(without, quick_replies=all_quick, lines=lines), ("menu as quick replies",)
    listed = (*choices.lines, *_listed(menu))
    return evolve(without, lines=listed), (f"menu of {len(menu.rows)} rows as text",)


def _beside(choices: Choices, manifest: Manifest) -> Step:
    """Buttons beside a menu where a message has one of the two: in the menu, or the menu as lines."""
    menu, taps = choices.menu, (*choices.buttons, *choices.quick_replies)
    if menu is None or not taps or manifest.links == "beside":
        return choices, ()
    if len(taps) + len(menu.rows) > manifest.menu_rows:
        listed = (*choices.lines, *_listed(menu))
        return evolve(choices, menu=None, lines=listed), (f"menu of {len(menu.rows)} rows as text",)
    rows = (*(MenuRow(one.id, one.title) for one in taps), *menu.rows)
    whole = evolve(choices, buttons=(), quick_replies=(), menu=Menu(menu.button, rows))
    return whole, (_many(len(taps), "button", "a menu"),)


def _listed(menu: Menu) -> list[str]:
    """The menu's rows, numbered, below the names of their sections."""
    lines, section = [f"{menu.button}:"], None
    for number, row in enumerate(menu.rows, 1):
        if row.section and row.section != section:
            lines.append(row.section)
        section = row.section
        more = f": {row.description}" if row.description else ""
        lines.append(f"{number}. {row.title}{more}")
    return lines


# ── titles ────────────────────────────────────────────────────────────────────────────────────


def _titled(choices: Choices, manifest: Manifest) -> Step:
    """Titles within their limits; a row's whole title goes on in its description."""
    notes: list[str] = []

    def fitted(button: Button) -> Button:
        title = _shortened(button.title, manifest.button_title, "button title", notes)
        return evolve(button, title=title)

    menu = choices.menu
    if menu is not None:
        rows = [_row(row, manifest, notes) for row in menu.rows]
        menu = Menu(_within(menu.button, manifest.menu_button, "menu label", notes), rows)
    buttons, quick = tuple(map(fitted, choices.buttons)), tuple(map(fitted, choices.quick_replies))
    titles = [one.title for one in (*buttons, *quick)]
    if manifest.unique_titles and len(set(titles)) < len(titles):
        notes.append("equal button titles numbered")
    return evolve(choices, buttons=buttons, quick_replies=quick, menu=menu), tuple(notes)


def _told(choices: Choices, manifest: Manifest) -> Step:
    """Sections and descriptions that have no place in a menu, in words above it."""
    menu = choices.menu
    if menu is None:
        return choices, ()
    sections = manifest.menu_section == 0 and any(row.section for row in menu.rows)
    descriptions = manifest.menu_description == 0 and any(row.description for row in menu.rows)
    if not (sections or descriptions):
        return choices, ()
    rows = [evolve(row, section=row.section if sections else None) for row in menu.rows]
    shown = [row for row in rows if sections or row.description]
    lines = (*choices.lines, *_rows(shown))
    bare = [
        evolve(
            row, section=None if sections else row.section,
            description=None if descriptions else row.description,
        )
        for row in menu.rows
    ]  # fmt: skip
    notes = ("menu sections in the text",) * sections
    notes += ("menu descriptions in the text",) * descriptions
    return evolve(choices, menu=Menu(menu.button, bare), lines=lines), notes


def _rows(rows: list[MenuRow]) -> list[str]:
    """The rows below the names of their sections."""
    lines, section = [], None
    for row in rows:
        if row.section and row.section != section:
            lines.append(row.section)
        section = row.section
        lines.append(f"• {row.title}" + (f": {row.description}" if row.description else ""))
    return lines


def _within(text: str, limit: int | None, what: str, notes: list[str]) -> str:
    return text if limit is None else _shortened(text, limit, what, notes)


def _row(row: MenuRow, manifest: Manifest, notes: list[str]) -> MenuRow:
    title, told = _shortened(row.title, manifest.menu_title, "menu title", notes), row.description
    if title != row.title:
        told = f"{row.title}: {told}" if told else row.title
    if told and manifest.menu_description:
        told = _shortened(told, manifest.menu_description, "menu description", notes)
    limit = manifest.menu_section or None
    section = row.section and _within(row.section, limit, "menu section", notes)
    return evolve(row, title=title, description=told, section=section)


def _shortened(text: str, limit: int, what: str, notes: list[str]) -> str:
    whole = unpaired(text)
    short = shorten(whole, limit)
    if short != whole:
        notes.append(f"{what} shortened to {short!r}")
    return short
