"""Units of work on link codes: generate, activate, confirm; every refusal counts and is recorded.

Knows: the rules of the specification, section 5: who may use which code, when, how often.
Does not know: how a code looks (`_domain/rules/link_code.py`), how a confirmation reaches its receiver.

A refusal is a value, not an exception, so that the attempt itself is committed; the façade raises it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field

from ..._domain.rules import link_code as codes
from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import app_of, span
from ...driver import Statement, Tx
from ...errors import (
    BadChecksum,
    BadInput,
    ConfirmationRequired,
    ExpiredCode,
    ForeignCode,
    LinkCodeError,
    OwnCode,
    TooManyAttempts,
    UnknownCode,
    UsedUpCode,
)
from ..engine.statements import statement
from ..records.log import append, id_of, link
from . import identity

_CodeRow = tuple[int, int, int, int, int, int | None, int | None]

ADD: Statement[Any] = statement("link_code_add")
BY_HASH: Statement[_CodeRow] = statement("link_code_by_hash")
BY_EVENT: Statement[_CodeRow] = statement("link_code_by_event")
USE: Statement[Any] = statement("link_code_use")
ATTEMPTS: Statement[tuple[int, int]] = statement("link_attempt_get")
ATTEMPT_SET: Statement[Any] = statement("link_attempt_set")
ATTEMPT_DROP: Statement[Any] = statement("link_attempt_drop")
SPEND: Statement[Any] = statement("link_code_spend")
LIMIT: Statement[tuple[int, int]] = statement("link_limit_get")
LIMIT_SET: Statement[Any] = statement("link_limit_set")

_REASONS: dict[type[LinkCodeError], str] = {
    BadChecksum: "bad_checksum",
    UnknownCode: "unknown",
    ForeignCode: "other_application",
    ExpiredCode: "expired",
    UsedUpCode: "used_up",
    OwnCode: "own_code",
    TooManyAttempts: "too_many_attempts",
}
Confirm = Callable[[Tx, int, str, int], None]
"""confirm(tx, platform user, code, cause): bring a confirmation code to somebody in private."""


@frozen
class Code:
    """A code's row. `confirms`: the code that this one confirms; `activator`: who had typed that."""

    event: int
    puser: int
    expires: int
    uses: int
    max_uses: int
    confirms: int | None
    activator: int | None


@frozen
class Attempt:
    """What came of a code: `refusal`, or the `user.merged` event (None: both were one already).

    `limited`: with it the application has come to its limit.
    """

    refusal: LinkCodeError | None = None
    merged: int | None = None
    activation: int | None = None
    limited: bool = False


@frozen
class Try:
    """An attempt as made: `puser` typed `code`, in `event` if it was a message, perhaps in a group.

    `key`: what codes are hashed with; it is not in the file. `others`: codes that were seen with it.
    """

    puser: int
    code: str
    key: bytes = field(repr=False)
    event: int | None = None
    public: bool = False
    others: tuple[str, ...] = ()


def generate(
    tx: Tx, app: int, key: bytes, puser: int, minutes: int = codes.MINUTES, uses: int = codes.USES,
    confirms: int | None = None, activator: int | None = None,
) -> tuple[int, str]:  # fmt: skip
    """A code for a platform user: the key of `link_code.generated`, and the code. Raises BadInput."""
    row = tx.one(identity.PUSER, id=puser)
    if row is None or row[4] != "person":
        raise BadInput(
            "a link code is made for a person's platform user, not for a group or the bot"
        )
    while True:
        code = codes.new_code()
        hashed = codes.code_hash(key, code)
        if tx.one(BY_HASH, hash=hashed) is None:
            break
    payload = {
        "code": hashed.hex(), "expiry_minutes": minutes, "max_uses": uses,
        "generated_by_platform_user_id": str(stored.uid(row[1], "puser", "")),
    }  # fmt: skip
    event = _appended(tx, app, "link_code.generated", payload)
    link(tx, event, "sent_to", puser)
    if confirms is not None:
        link(tx, event, "origin", confirms)
    tx.run(
        ADD, hash=hashed, event=event, puser=puser, expires=tx.now + minutes * 60_000,
        max_uses=uses, confirms=confirms, activator=activator,
    )  # fmt: skip
    return event, code


def activate(tx: Tx, app: int, attempt: Try, confirm: Confirm) -> Attempt:
    """Somebody has typed a code: link the two persons, ask for confirmation, or refuse.

    What was seen in a group is public for ever: whatever comes of the attempt, the code is spent.
    """
    done = _activate(tx, app, attempt, confirm)
    if attempt.public:
        lo, hi = span(app)
        for code in {attempt.code, *attempt.others}:
            tx.run(SPEND, hash=codes.code_hash(attempt.key, code.strip()), lo=lo, hi=hi)
    return done


def _activate(tx: Tx, app: int, attempt: Try, confirm: Confirm) -> Attempt:
    try:
        _limit(tx, app, attempt.puser)
        code = _known(tx, app, attempt)
    except LinkCodeError as refusal:
        return _refused(tx, app, attempt, refusal)
    if attempt.public and code.confirms is None:
        event, text = generate(
            tx,
            app,
            attempt.key,
            code.puser,
            codes.MINUTES,
            1,
            confirms=code.event,
            activator=attempt.puser,
        )
        confirm(tx, code.puser, text, event)
        return Attempt(ConfirmationRequired(
            "a code typed in a group can be read by all: the person it was made for has been sent"
            " a second one to confirm with"
        ))  # fmt: skip
    tx.run(ATTEMPT_DROP, puser=attempt.puser)
    return _linked(tx, app, attempt, code)


def _linked(tx: Tx, app: int, attempt: Try, code: Code) -> Attempt:
    """B's person goes into A's, whose code it was."""
    first = code if code.confirms is None else _by_event(tx, code.confirms)
    activator = attempt.puser if code.activator is None else code.activator
    for used in {code.event, first.event}:
        tx.run(USE, event=used)
    payload = {"link_code_event_id": str(id_of(tx, first.event))}
    activation = _appended(tx, app, "link_code.activation", payload)
    link(tx, activation, "origin", first.event)
    link(tx, activation, "sent_by", activator)
    if attempt.event is not None:
        link(tx, activation, "triggered_by", attempt.event)
    source, target = (identity.user_of(tx, who, None) for who in (activator, first.puser))
    merged = None if source == target else identity.merge(tx, app, source, target, activation)
    return Attempt(merged=merged, activation=activation)


def _known(tx: Tx, app: int, attempt: Try) -> Code:
    """The code, if this platform user may use it now. Raises LinkCodeError."""
    row = tx.one(BY_HASH, hash=codes.code_hash(attempt.key, codes.checked(attempt.code)))
    if row is None:
        raise UnknownCode("no such link code was given out")
    code = Code(*row)
    if app_of(code.event) != app:
        raise ForeignCode("that link code belongs to another application")
    _usable(tx, code)
    if code.confirms is not None:
        if attempt.puser != code.puser or attempt.public:
            raise UnknownCode("a confirmation is typed in private by the one who was sent it")
        _fresh(tx, _by_event(tx, code.confirms))
    elif identity.user_of(tx, attempt.puser, None) == identity.user_of(tx, code.puser, None):
        raise OwnCode("that is your own link code: type it where you are somebody else")
    return code


def _usable(tx: Tx, code: Code) -> None:
    if code.uses >= code.max_uses:
        raise UsedUpCode("that link code has been used already, or was seen in a group")
    _fresh(tx, code)


def _fresh(tx: Tx, code: Code) -> None:
    if tx.now >= code.expires:
        raise ExpiredCode("that link code is too old; ask for a new one")


def _by_event(tx: Tx, event: int) -> Code:
    row = tx.one(BY_EVENT, event=event)
    if row is None:
        raise UnknownCode("the code that this one confirms is gone")
    return Code(*row)


def _limit(tx: Tx, app: int, puser: int) -> None:
    """Every attempt counts; success forgets them. Raises TooManyAttempts, also for all of the app."""
    _within(tx, *_counted(tx, tx.one(LIMIT, app=app)), codes.APP_ATTEMPTS)
    since, attempts = _counted(tx, tx.one(ATTEMPTS, puser=puser))
    _within(tx, since, attempts, codes.ATTEMPTS)
    tx.run(ATTEMPT_SET, puser=puser, since=since, attempts=attempts + 1)


def _counted(tx: Tx, row: tuple[int, int] | None) -> tuple[int, int]:
    """Since when how many were tried, in the time that counts."""
    since, attempts = row or (tx.now, 0)
    return (since, attempts) if 0 <= tx.now - since < codes.WINDOW_MS else (tx.now, 0)


def _within(tx: Tx, since: int, attempts: int, most: int) -> None:
    if attempts >= most:
        after = (since + codes.WINDOW_MS - tx.now) / 1000
        raise TooManyAttempts(f"too many link codes tried; wait {after:.0f} seconds", after=after)


def _guessed(tx: Tx, app: int) -> bool:
    """A code that nobody was given: all of the application count together, and the limit is told once.

    Whether it is this one that comes to the limit.
    """
    since, attempts = _counted(tx, tx.one(LIMIT, app=app))
    tx.run(LIMIT_SET, app=app, since=since, attempts=attempts + 1)
    if attempts + 1 != codes.APP_ATTEMPTS:
        return False
    told = {"attempts": attempts + 1, "minutes": codes.WINDOW_MS // 60_000}
    _appended(tx, app, "link_code.limited", told)
    return True


def _refused(tx: Tx, app: int, attempt: Try, refusal: LinkCodeError) -> Attempt:
    event = _appended(tx, app, "link_code.refused", {"reason": _REASONS[type(refusal)]})
    link(tx, event, "sent_by", attempt.puser)
    if attempt.event is not None:
        link(tx, event, "origin", attempt.event)
    limited = isinstance(refusal, UnknownCode) and _guessed(tx, app)
    return Attempt(refusal, limited=limited)


def _appended(tx: Tx, app: int, kind: str, payload: dict[str, Any]) -> int:
    event = append(tx, app, kind, encode(payload))
    assert event is not None  # noqa: S101 - it has no dedupe key
    return event
