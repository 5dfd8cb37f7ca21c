"""Writes the pages that follow from the code: API, command line, platforms, the life of a delivery.

Knows: the parsers of the command line, manifests, the table of statuses.
Does not know: docstrings (`docstrings.py`), the pages that people write.

    python docs/generate.py         write them
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from outeract_core._cli import _parser
from outeract_core._domain.rules import delivery
from outeract_core._domain.rules.delivery import EVENT_STATUS, RANK, Progress, advance

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

from docstrings import NOTE, api, code  # type: ignore[import-not-found]  # noqa: E402


def pages() -> dict[Path, str]:
    """Every generated page as it should be."""
    delivery = DOCS / "explanation" / "delivery.md"
    return {
        DOCS / "reference" / "api.md": api(),
        DOCS / "reference" / "command-line.md": command_line(),
        DOCS / "reference" / "platforms.md": platforms(),
        delivery: between(delivery.read_text("utf-8"), "life", life()),
    }


# ── the command line ──────────────────────────────────────────────────────────────────────────


def command_line() -> str:
    """Every command with its arguments."""
    parser = _parser()
    text = [
        NOTE,
        "# Command line\n",
        f"{parser.description} `outeract` and `python -m outeract_core` are the same.\n",
    ]
    text += [
        "Exit code 0: done; 1: something is not well; 2: wrong arguments or a refused file; 130: interrupted.",
        "Only `demo`, `chat` and `import` create a file. `EVENT` is an id, as `tail` prints it.\n",
    ]
    (choices,) = [a.choices for a in parser._actions if a.choices]
    for name, verb in dict(choices).items():
        text += [
            f"## outeract {name}\n",
            f"{sentence(verb.description)}\n",
            code(usage(name, verb)),
            "| argument | meaning |",
            "|---|---|",
        ]
        text += [f"| `{argument(a)}` | {a.help} |" for a in verb._actions if a.dest != "help"]
        text += [""]
    return "\n".join(text)


def usage(name: str, verb: argparse.ArgumentParser) -> str:
    """One line with everything that may be given."""
    words = [
        f"[{argument(a)}]" if a.option_strings or a.nargs == "?" else argument(a)
        for a in verb._actions
        if a.dest != "help"
    ]
    return " ".join(["outeract", name, *words])


def argument(action: argparse.Action) -> str:
    """`FILE`, `--json`, `-n N`."""
    if not action.option_strings:
        return action.dest.upper()
    option = ", ".join(action.option_strings)
    return option if action.nargs == 0 else f"{option} {action.metavar or action.dest.upper()}"


def sentence(text: str | None) -> str:
    """With a capital and a full stop."""
    return f"{(text or '')[:1].upper()}{(text or '')[1:]}."


# ── platforms ─────────────────────────────────────────────────────────────────────────────────


def platforms() -> str:
    """What the manifests of the built-in adapters say."""
    entries = [
        e
        for e in entry_points(group="outeract_core.adapters")
        if e.value.startswith("outeract_adapters.")
    ]
    manifests = [e.load().manifest for e in sorted(entries, key=lambda e: e.name)]
    names = [m.platform for m in manifests]
    text = [
        NOTE,
        "# Platforms side by side\n",
        "From the manifests; each platform has a page of its own: "
        + ", ".join(f"[{n}]({n}.md)" for n in names)
        + ".\n",
    ]
    text += ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    facts: dict[str, Callable[[Any], Any]] = {
        "text limit": lambda m: "none" if m.text_limit is None else f"{m.text_limit} {m.text_unit}",
        "counted": lambda m: m.text_counts,
        "caption limit": lambda m: "as text" if m.caption_limit is None else m.caption_limit,
        "buttons": lambda m: m.buttons,
        "button title": lambda m: m.button_title,
        "menu rows": lambda m: m.menu_rows,
        "files in one message": lambda m: m.album,
        "webhook": lambda m: m.webhook,
        "unknown outcome": lambda m: m.idempotency,
        "pace per connection, seconds": lambda m: round(m.pace_connection, 4),
        "pace per chat, seconds": lambda m: m.pace_chat,
    }
    text += [
        f"| {label} | " + " | ".join(str(read(m)) for m in manifests) + " |"
        for label, read in facts.items()
    ]
    text += [
        "\nWhat `unknown outcome` means: `native`: a repeated request is harmless; `reconcile`: the platform can be asked; `none`: the outcome stays unknown.\n",
        "## Capabilities\n",
    ]
    text += ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    every = sorted(set().union(*(m.capabilities for m in manifests)))
    text += [
        f"| {c} | " + " | ".join("yes" if c in m.capabilities else "" for m in manifests) + " |"
        for c in every
    ]
    text += [
        "\nA capability that a platform lacks is said in words where words can say it, and named in the payload's `degraded`; else `send` raises `Unsupported`.\n"
    ]
    return "\n".join(text)


# ── the life of a delivery ────────────────────────────────────────────────────────────────────


def life() -> str:
    """The diagram and the table, both from `advance`."""
    way = [s for s in sorted(RANK, key=RANK.__getitem__) if s not in ("failed", "cancelled")]
    arrows = [
        *zip(way, way[1:], strict=False),
        *((s, "failed") for s in way),
        ("queued", "cancelled"),
    ]
    lines = ["stateDiagram-v2", "  [*] --> queued"]
    for start, end in arrows:
        assert delivery.further(start, end) == end, (start, end)
        lines.append(f"  {start} --> {end}")
    kinds = list(EVENT_STATUS)
    table = [
        "| from | " + " | ".join(f"`{kind.removeprefix('message.')}`" for kind in kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    for start in RANK:
        ends = [after(start, kind) for kind in kinds]
        table.append(
            f"| **{start}** | " + " | ".join("·" if end == start else end for end in ends) + " |"
        )
    return "```mermaid\n" + "\n".join(lines) + "\n```\n\n" + "\n".join(table)


def after(status: str, kind: str) -> str:
    """Where a message of one part stands after one more child event."""
    told = EVENT_STATUS[kind]
    return advance(Progress(status), told, 0, None, [told]).status


def between(page: str, name: str, text: str) -> str:
    """The page with what stands between two marks replaced."""
    start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
    assert start in page and end in page, f"the page has no marks for {name}"
    before, _, rest = page.partition(start)
    return f"{before}{start}\n\n{text}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
