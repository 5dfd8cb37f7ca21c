"""What slack.com takes of a message: counts and lengths of Block Kit, of attachments and metadata.

Knows: the table; what reads only a query or a form. Does not know: channels, whose message it is. Source:
docs.slack.dev, "Block Kit reference", chat.postMessage and chat.update.
"""

from __future__ import annotations

from .rules import Limit

__all__ = ["LIMITS", "MOST_REACTIONS", "READING", "UPDATES", "blocks_too_long"]

MOST_REACTIONS = 23
"""So many different emoji one user may put under a message."""
READING = frozenset({
    "users.info", "bots.info", "conversations.info", "conversations.history", "conversations.replies",
    "files.info", "files.getUploadURLExternal",
})  # fmt: skip
"""Methods that take no JSON: what stands in such a body is not read."""
_TOO_LONG = 13_200
"""Characters of the words of all blocks together; not documented, but measured by others, without menus and buttons."""

_BLOCKS = frozenset({
    "section", "header", "actions", "context", "divider", "image", "input", "file", "video",
    "rich_text", "markdown", "table", "context_actions", "call",
})  # fmt: skip
_BUTTON = "blocks.*(type=actions).elements.*(type=button)"
_BESIDE = "blocks.*(type=section).accessory(type=button)"
_SELECT = "blocks.*(type=actions).elements.*(type=static_select)"


def _block(where: str, **holds: object) -> Limit:
    return Limit(f"blocks.*{where}", "invalid_blocks", **holds)  # type: ignore[arg-type]


def _of(where: str, **holds: object) -> Limit:
    return Limit(where, "invalid_blocks", **holds)  # type: ignore[arg-type]


def _button(where: str) -> tuple[Limit, ...]:
    return (
        _of(f"{where}.text", needed=True),
        _of(f"{where}.text.type", among=frozenset({"plain_text"})),
        _of(f"{where}.text.text", needed=True, least=1, most=75),
        _of(f"{where}.value", most=2000),
        _of(f"{where}.url", most=3000, like=r"\w+:\S+"),
        _of(f"{where}.action_id", most=255),
        _of(f"{where}.style", among=frozenset({"primary", "danger"})),
    )


def _options(where: str) -> tuple[Limit, ...]:
    return (
        _of(f"{where}.text.text", needed=True, least=1, most=75),
        _of(f"{where}.value", needed=True, least=1, most=150),
        _of(f"{where}.description.text", most=75),
    )


LIMITS: tuple[Limit, ...] = (
    Limit("text", "msg_too_long", most=40_000),
    Limit("blocks", "invalid_blocks", most=50),
    Limit("attachments", "too_many_attachments", most=100),
    Limit("metadata.event_type", "invalid_metadata_format", needed=True, least=1, most=255),
    Limit("metadata.event_payload", "invalid_metadata_format", needed=True),
    _block(".type", needed=True, among=_BLOCKS),
    _block(".block_id", most=255, unique="siblings"),
    _block("(type=section)", holds=("text", "fields")),
    _block("(type=section).text.text", needed=True, least=1, most=3000),
    _block("(type=section).text.type", among=frozenset({"plain_text", "mrkdwn"})),
    _block("(type=section).fields", least=1, most=10),
    _block("(type=section).fields.*.text", needed=True, least=1, most=2000),
    _block("(type=header).text", needed=True),
    _block("(type=header).text.type", among=frozenset({"plain_text"})),
    _block("(type=header).text.text", needed=True, least=1, most=150),
    _block("(type=context).elements", needed=True, least=1, most=10),
    _block("(type=context).elements.*(type=mrkdwn|plain_text).text", needed=True, least=1, most=3000),
    _block("(type=image).image_url", most=3000),
    _block("(type=image).alt_text", needed=True, least=1, most=2000),
    _block("(type=markdown).text", needed=True, least=1, most=12_000),
    _block("(type=table).rows", needed=True, least=1, most=100),
    _block("(type=table).rows.*", least=1, most=20),
    _block("(type=actions).elements", needed=True, least=1, most=25),
    _block("(type=actions).elements.*.action_id", unique="siblings"),
    *_button(_BUTTON),
    *_button(_BESIDE),
    _of(_SELECT, holds=("options", "option_groups")),
    _of(f"{_SELECT}.placeholder.text", needed=True, least=1, most=150),
    _of(f"{_SELECT}.options", least=1, most=100),
    _of(f"{_SELECT}.option_groups", least=1, most=100),
    _of(f"{_SELECT}.option_groups.*.label.text", needed=True, least=1, most=75),
    _of(f"{_SELECT}.option_groups.*.options", needed=True, least=1, most=100),
    *_options(f"{_SELECT}.options.*"),
    *_options(f"{_SELECT}.option_groups.*.options.*"),
    _of("blocks.*(type=actions).elements.*(type=overflow).options", needed=True, least=1, most=5),
)  # fmt: skip
"""Of chat.postMessage and chat.update. Each row: where, Slack's error, what holds."""
UPDATES = (Limit("text", "msg_too_long", most=4000),)
"""Of chat.update alone: what was posted longer cannot be changed to be as long."""


_NO_WORDS = ("type", "block_id", "accessory", "image_url", "url")


def blocks_too_long(blocks: object) -> bool:
    """Whether all texts of the blocks are too long together (`msg_blocks_too_long`)."""
    return _length(blocks) > _TOO_LONG


def _length(value: object) -> int:
    if isinstance(value, dict):
        words = value.items() if value.get("type") != "actions" else ()
        return sum(_length(one) for name, one in words if name not in _NO_WORDS)
    if isinstance(value, list):
        return sum(map(_length, value))
    return len(value) if isinstance(value, str) else 0
