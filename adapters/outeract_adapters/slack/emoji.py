"""Emoji and the names that Slack gives them.

Knows: the names that differ from Unicode's, skin tones, custom emoji.
Does not know: reactions, HTTP.

Slack names a reaction `thumbsup::skin-tone-2`, without colons around it. Where Slack's name is
Unicode's in lower case (`rocket`, `eyes`, `fire`) no table is needed; the rest stands below.
"""

from __future__ import annotations

import re
import unicodedata

from outeract_core.errors import Rejected

__all__ = ["from_slack", "to_slack"]

_NAMED = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "heart": "❤️", "joy": "😂",
    "smile": "😄", "smiley": "😃", "grinning": "😀", "grin": "😁", "laughing": "😆",
    "satisfied": "😆", "sweat_smile": "😅", "rolling_on_the_floor_laughing": "🤣",
    "slightly_smiling_face": "🙂", "wink": "😉", "blush": "😊", "heart_eyes": "😍",
    "sunglasses": "😎", "thinking_face": "🤔", "cry": "😢", "sob": "😭", "rage": "😡",
    "angry": "😠", "open_mouth": "😮", "scream": "😱", "tada": "🎉", "clap": "👏", "pray": "🙏",
    "ok_hand": "👌", "wave": "👋", "raised_hands": "🙌", "muscle": "💪", "point_up": "☝️",
    "white_check_mark": "✅", "heavy_check_mark": "✔️", "x": "❌", "question": "❓",
    "exclamation": "❗", "heavy_exclamation_mark": "❗", "warning": "⚠️", "zap": "⚡",
    "star": "⭐", "100": "💯", "hourglass": "⌛", "hourglass_flowing_sand": "⏳", "bulb": "💡",
    "boom": "💥", "collision": "💥", "speech_balloon": "💬", "memo": "📝", "pencil": "📝",
    "mag": "🔍", "lock": "🔒", "no_entry": "⛔", "no_entry_sign": "🚫", "arrow_up": "⬆️",
    "arrow_down": "⬇️", "arrow_left": "⬅️", "arrow_right": "➡️", "coffee": "☕", "beer": "🍺",
    "hankey": "💩", "poop": "💩", "see_no_evil": "🙈", "bug": "🐛", "dog": "🐶", "cat": "🐱",
    "broken_heart": "💔", "ok": "🆗", "email": "✉️", "phone": "☎️", "pushpin": "📌",
}  # fmt: skip
_PLAIN = "\ufe0f"
_NAMES: dict[str, str] = {}
for _name, _emoji in _NAMED.items():
    _NAMES.setdefault(_emoji.replace(_PLAIN, ""), _name)

_SHORTCODE = re.compile(r":?([^\s:]+(?:::skin-tone-[2-6])?):?")
_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_FIRST_PICTOGRAM = 0x1F300


def from_slack(name: str) -> str:
    """The emoji with this Slack name, or `:name:` for a custom or unknown one."""
    word, _, tone = name.partition("::skin-tone-")
    emoji = _NAMED.get(word) or _unicode(word)
    if emoji is None:
        return f":{name}:"
    if tone in ("2", "3", "4", "5", "6"):
        return emoji.replace(_PLAIN, "") + _TONES[int(tone) - 2]
    return emoji


def _unicode(word: str) -> str | None:
    try:
        found = unicodedata.lookup(word.replace("_", " ").upper())
    except (KeyError, UnicodeEncodeError):
        return None
    return found if len(found) == 1 and ord(found) >= _FIRST_PICTOGRAM else None


def to_slack(emoji: str) -> str:
    """The Slack name of an emoji, of `:name:` or of a bare name.

    Raises Rejected when no name can be found; Slack itself refuses names that it does not have
    (`invalid_name`).
    """
    bare = emoji.replace(_PLAIN, "")
    if len(bare) > 1 and bare[-1] in _TONES:
        return f"{to_slack(bare[:-1])}::skin-tone-{_TONES.index(bare[-1]) + 2}"
    if bare in _NAMES:
        return _NAMES[bare]
    if len(bare) == 1 and not bare.isalnum():
        return unicodedata.name(bare, "").lower().replace(" ", "_") or _unnamed(emoji)
    match = _SHORTCODE.fullmatch(emoji)
    if match is None or not (match[1].isascii() or emoji.startswith(":")):
        return _unnamed(emoji)
    return match[1]


def _unnamed(emoji: str) -> str:
    raise Rejected(f"no Slack name is known for {emoji!r}; give it as ':name:'")
