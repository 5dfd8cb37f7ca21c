"""The reactions that a bot may set.

Knows: the list of the Bot API, and that people write the same emoji in several ways.
Does not know: messages, requests.
"""

from __future__ import annotations

from outeract_core.errors import Rejected

from .fields import Object

__all__ = ["ALLOWED", "reaction"]

ALLOWED = (
    "❤", "👍", "👎", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩", "🙏", "👌",
    "🕊", "🤡", "🥱", "🥴", "😍", "🐳", "❤\u200d🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔", "🤨", "😐",
    "🍓", "🍾", "💋", "🖕", "😈", "😴", "😭", "🤓", "👻", "👨\u200d💻", "👀", "🎃", "🙈", "😇", "😨", "🤝", "✍",
    "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿", "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾",
    "🤷\u200d♂", "🤷", "🤷\u200d♀", "😡",
)  # fmt: skip
"""Bot API 10.3, ReactionTypeEmoji."""

_CUSTOM = "custom_emoji:"
_TONES = {ord("\ufe0f"): None, ord("\ufe0e"): None, **dict.fromkeys(range(0x1F3FB, 0x1F400))}


def reaction(emoji: str) -> Object:
    """The reaction as Telegram wants it: without variation selectors and skin tones.

    `custom_emoji:<id>` names one that is a picture. Raises Rejected for what no bot can set.
    """
    custom = emoji.removeprefix(_CUSTOM)
    if custom != emoji and custom.isascii() and custom.isdigit():
        return {"type": "custom_emoji", "custom_emoji_id": custom}
    bare = emoji.translate(_TONES)
    if bare not in ALLOWED:
        raise Rejected(f"{emoji!r:.40} is no reaction of Telegram's; it has {' '.join(ALLOWED)}")
    return {"type": "emoji", "emoji": bare}
