"""What people wrote, as it may be shown: one way for each place where it can be more than words.

Knows: a terminal and a log (one line stays one line), Mermaid, DOT, errors of others that cannot be put into words.
Does not know: who wrote it, what is shown. JSON needs nothing: written in ASCII it cannot leave its quotes.
"""

from __future__ import annotations

import re
import traceback

from ...errors import OuteractError

__all__ = ["BREAKS", "UNSEEN", "block", "dot", "line", "mermaid", "plainly", "traced", "worded"]

BREAKS = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Whatever somebody takes for the end of a line."""
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f"
UNSEEN = re.compile(
    f"({_FLAG})|[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b\u2060-\u206f\u202a-\u202e\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control, override and tag characters, C1 and ESC among them; the flags of England, Scotland and Wales
are seen."""
_MERMAID = re.compile(r"[&\"<>#`*~\\]")
_INDENT = "  "


def line(text: str, most: int | None = None) -> str:
    """One line of at most `most` characters, for a terminal, a log or a label; what is not seen is told."""
    shown = UNSEEN.sub(_told, BREAKS.sub(" ", text).replace("\t", " "))
    return shown if most is None or len(shown) <= most else shown[: most - 1] + "…"


def block(text: str) -> str:
    """Several lines, each further to the right than any of ours: none can be taken for one of them."""
    return "\n".join(f"{_INDENT}{line(each)}".rstrip() for each in BREAKS.split(text))


def worded(error: BaseException) -> str:
    """An error of others: its class and what it says; one that raises when it is asked says nothing."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception as broke:
        return f"{type(error).__name__}, which cannot say what was wrong ({type(broke).__name__})"


def plainly(error: BaseException) -> str:
    """An error of ours in its own words, one of others with its class."""
    return str(error) if isinstance(error, OuteractError) else worded(error)


def traced(error: BaseException, frames: int | None = None) -> str:
    """The error with its traceback, of each exception the last `frames`; what cannot be written down is told."""
    limit = None if frames is None else -frames
    try:
        return "".join(traceback.format_exception(error, limit=limit))
    except Exception as broke:
        return f"{worded(error)}\nIts traceback cannot be written down ({type(broke).__name__}).\n"


def mermaid(text: str) -> str:
    """A Mermaid string: `#35;` is how it writes the character 35 (flowchart syntax, entity codes)."""
    return '"' + _MERMAID.sub(lambda found: f"#{ord(found[0])};", line(text)) + '"'


def dot(text: str) -> str:
    """A Graphviz string: backslashes and entities would mean something in a label."""
    safe = line(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe}"'


def _told(found: re.Match[str]) -> str:
    return found[1] or "\ufffd"
