"""What a refusal of the Bot API means: wait, give up, call the host, or nobody knows.

Knows: error codes, and the descriptions that say more than their code.
Does not know: requests, what a flow tries in place of a refused one (`outbound/send.py`).

Bot API, "Making requests": `error_code` is the HTTP status, the description is for people and may
change; so every description that is not known is judged by its code.
"""

from __future__ import annotations

from typing import Any

from outeract_core.adapter import Call, Flow
from outeract_core.errors import (
    Ambiguous,
    Failure,
    Rejected,
    SendError,
    Throttled,
    Transient,
    Unauthorised,
)

from .api import Answer, Api

__all__ = ["ask", "refusal"]

_REMEDIES = (
    ("chat not found", "the person has never written to this bot, or it is not in that chat"),
    ("bot was blocked", "the person has blocked the bot; only they can undo that"),
    ("user is deactivated", "the account was deleted"),
    ("can't initiate conversation", "the person must write to the bot first"),
    ("can't send messages to bots", "the bot must be allowed to talk to other bots"),
    ("bot was kicked", "the bot was removed from the chat; an admin must add it again"),
    ("bot is not a member", "an admin must add the bot to the chat"),
    ("not enough rights", "an admin must give the bot this right"),
    ("message thread not found", "the topic was deleted, or the group has no topics any more"),
    ("topic_closed", "the topic is closed"),
    ("message can't be edited", "it is not the bot's own, or too old"),
    ("message can't be deleted", "it is older than 48 hours, or the bot lacks the right"),
    ("reaction_invalid", "the chat does not allow this reaction"),
    ("button_data_invalid", "a button's id must have 1 to 64 bytes"),
    ("webhook is active", "remove the webhook (deleteWebhook), or do not poll"),
    ("other getupdates request", "another program polls with the same token; stop one of them"),
    ("file is too big", "bots can fetch files of up to 20 MB"),
    ("request entity too large", "bots can send files of up to 50 MB"),
)  # fmt: skip
_FAILURES: tuple[tuple[str, Failure], ...] = (
    ("bot was blocked", "blocked"),
    ("can't initiate conversation", "window_closed"),
    ("user is deactivated", "unknown_recipient"),
    ("chat not found", "unknown_recipient"),
    ("message thread not found", "unknown_recipient"),
    ("request entity too large", "too_large"),
    ("is too big", "too_large"),
    ("is too long", "too_large"),
    ("bot was kicked", "forbidden"),
    ("bot is not a member", "forbidden"),
    ("can't send messages to bots", "forbidden"),
    ("not enough rights", "forbidden"),
    ("topic_closed", "forbidden"),
    ("reaction_invalid", "unsupported"),
    ("message to ", "gone"),
    ("message can't be", "gone"),
)
_CLOSED = ("bot was blocked", "user is deactivated")
"""Of a person: nothing reaches them until they write again."""
_NO_SUCH_BOT = "no bot has this token; ask @BotFather for a valid one"


def ask(
    api: Api, call: Call, *, repeatable: bool, scope: str = "chat", done: tuple[str, ...] = ()
) -> Flow[Any]:
    """Make a call; its result. Raises a SendError.

    repeatable  whether a second attempt does no harm: then an unclear outcome is only Transient.
    scope       what waits after too many requests: `chat` or `connection`.
    done        phrases of descriptions that say "it already is so", in lower case.
    """
    answer = yield from api.reach(call, repeatable=repeatable)
    if answer.ok or (answer.code == 400 and answer.says(*done)):
        return answer.result
    raise refusal(answer, repeatable=repeatable, scope=scope)


def refusal(answer: Answer, *, repeatable: bool, scope: str = "chat") -> SendError:
    """The error behind an answer that is not ok."""
    reason, code = _reason(answer), answer.code
    if code == 429:
        return Throttled(reason, after=answer.after, scope=scope, code=code)
    if code == 401 or (code == 404 and answer.description == "Not Found"):
        return Unauthorised(f"{reason}; {_NO_SUCH_BOT}", code=code)
    if code == 409 or (answer.spoken and code in (500, 503)):
        return Transient(reason, code=code)
    if 400 <= code < 500 and code != 408:
        failure = next((name for phrase, name in _FAILURES if answer.says(phrase)), None)
        return Rejected(reason, code=code, failure=failure, closed=answer.says(*_CLOSED))
    return (Transient if repeatable else Ambiguous)(reason, code=code)


def _reason(answer: Answer) -> str:
    """Telegram's words, and what can be done about it."""
    parts = [f"Telegram: {answer.description}"]
    parts += [remedy for phrase, remedy in _REMEDIES if answer.says(phrase)][:1]
    if answer.moved_to is not None:
        parts.append(f"the group is now the supergroup {answer.moved_to}")
    return "; ".join(parts)
