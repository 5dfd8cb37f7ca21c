"""The turns of a history: messages and what happened between them, in order, each with its speaker.

Knows: roles, speakers, platforms, pieces. Does not know: how anything reads in words, budgets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve

from ...conversation import Role, Turn
from ...model import Event, File, PlatformUser
from ...standing import Standing
from ..values.classes import frozen
from .happened import words_of_action, words_of_own, words_of_reaction
from .shown import labels, mark
from .words import Words, words_of


@frozen
class Happened:
    """Something in a history that is no message: a press, a command, an event of the host's own."""

    event: Event
    role: Role
    sender: PlatformUser | None = None


@frozen
class _Line:
    """One turn in the making. `sender`: whose words they are, None for the bot's and the host's."""

    position: int
    role: Role
    event: Event
    words: Words
    sender: PlatformUser | None = None
    platform: str | None = None
    files: tuple[File, ...] = ()


def turns(
    messages: Sequence[Standing],
    happened: Sequence[Happened] = (),
    *,
    named: bool,
    parts: bool = False,
) -> list[Turn]:
    """The turns of a history, oldest first, of messages and what else happened between them.

    `named`: each text begins with its speaker. Where a history goes over several platforms each turn
    says on which it was.
    """
    names = labels(_everybody(messages, happened))
    lines = [
        *(_said(message, names) for message in messages if message.said),
        *_answers(messages, names),
        *_others(messages, happened),
    ]
    lines = [line for line in lines if line.role in ("tool", "system") or line.words.lines]
    lines.sort(key=lambda line: line.position)
    several = len({line.platform for line in lines if line.platform}) > 1
    return [_turn(line, names, named, several, parts) for line in lines]


def _everybody(
    messages: Sequence[Standing], happened: Sequence[Happened]
) -> Iterable[PlatformUser]:
    """Everybody who is named anywhere, the bot left out."""
    for message in messages:
        quoted = message.quoted
        some = [message.sender, None if quoted is None else quoted.sender]
        some += [reacted.by for reacted in message.now.reacted]
        some += [press.by for press in message.now.presses]
        yield from (one for one in some if one is not None and one.kind != "system")
    for each in happened:
        if each.sender is not None and each.sender.kind != "system":
            yield each.sender


def _said(message: Standing, names: Mapping[Any, str]) -> _Line:
    role: Role = "assistant" if message.event_type == "message.outbound" else "user"
    return _Line(
        message.position, role, message, words_of(message, names),
        message.sender if role == "user" else None, message.platform, message.files,
    )  # fmt: skip


def _answers(messages: Sequence[Standing], _names: Mapping[Any, str]) -> Iterable[_Line]:
    """People's reactions upon what the bot has said."""
    for message in messages:
        if message.event_type == "message.outbound" and message.said:
            for one in message.now.reacted:
                if one.by is not None and one.by.kind != "system":
                    yield _Line(
                        one.position, "user", message, words_of_reaction(one, message), one.by,
                        message.platform,
                    )  # fmt: skip


def _others(messages: Sequence[Standing], happened: Sequence[Happened]) -> Iterable[_Line]:
    """Presses, and the host's own events."""
    about = {press.position: message for message in messages for press in message.now.presses}
    for one in happened:
        at = one.event.position
        if one.event.event_type == "message.action":
            words = words_of_action(one.event, about.get(at))
            yield _Line(at, one.role, one.event, words, one.sender, one.event.platform)
        else:
            yield _Line(at, one.role, one.event, Words(text=words_of_own(one.event)), None, None)


def _turn(line: _Line, names: Mapping[Any, str], named: bool, several: bool, parts: bool) -> Turn:
    content = _content(line, names, named, several)
    files = tuple(file for file in line.files if file.status == "stored")
    turn = Turn(line.role, content, line.event, files)
    return evolve(turn, parts=(_text_part(content), *map(_file_part, files))) if parts else turn


def _content(line: _Line, names: Mapping[Any, str], named: bool, several: bool) -> str:
    if line.event.event_type.partition(".")[0] != "message":
        return line.words.text
    platform = line.platform if several else None
    if named and line.role == "user":
        who = "" if line.sender is None else names.get(line.sender.id, "")
        head = " ".join(filter(None, [who or "somebody", platform and mark(platform)]))
        return f"{head}: " + line.words.lines.replace("\n", "\n  ")
    words = line.words
    return evolve(words, before=(mark(platform), *words.before)).lines if platform else words.lines


def _text_part(content: str) -> Mapping[str, Any]:
    return {"type": "text", "text": content}


def _file_part(file: File) -> Mapping[str, Any]:
    image = (file.mime_type or "").startswith("image/")
    return {
        "type": "image" if image else "file", "file_id": str(file.id), "filename": file.filename,
        "mime_type": file.mime_type, "size": file.size,
    }  # fmt: skip
