"""Every exception that the library raises on purpose.

Knows: what went wrong, and the remedy as data (`status`, `again`, `after`).
Does not know: who raises it, how it is stored, which platform it came from.

    OuteractError
    ├── BadInput                     the caller's arguments; nothing was written
    │   ├── InvalidEvent             type name or payload breaks a rule; `faults` has every path
    │   ├── InvalidCursor            a page cursor that this library did not make
    │   ├── InvalidExport            a file to be imported is none, damaged or cut off; `line`
    │   └── UnknownPlatform          no adapter is registered under that name
    │       └── BrokenAdapter        there is one, and it cannot be used, or two that claim the name
    ├── NotFound                     no such thing *in this application*
    ├── StoreError                   the file
    │   ├── OldSQLite  NewerSchema  NotOurFile  ReadOnlyStore  DiskFull  StoreBusy
    │   ├── StoreClosed  StoreBroken  StoreCorrupt (a NotOurFile)
    │   ├── UnfinishedImport         run the import again with the same file
    │   └── LeaseHeld  LeaseLost     another process runs these handlers
    ├── WebhookError                 an inbound request that is refused; `status` is the answer
    │   ├── SignatureError  UnknownWebhook  BodyTooLarge
    │   └── ParseError               verified, but not understood: kept and acknowledged
    ├── SendError                    what an adapter's flow says of an attempt
    │   ├── Rejected                 permanent: `message.failed`
    │   ├── Throttled                again after `after` seconds
    │   ├── Transient                again, with backoff
    │   ├── Ambiguous                it may have been done: `message.unknown`
    │   └── Unauthorised             the connection's credentials; the lane waits
    ├── Unsupported                  this platform has no such thing
    ├── MissingSecret (ConnectionDisabled)  MissingExtra  what the host must supply
    ├── LinkCodeError                each refusal of a link code, below
    │   ├── BadChecksum  UnknownCode  ExpiredCode  UsedUpCode  OwnCode
    │   └── ForeignCode  TooManyAttempts  ConfirmationRequired
    ├── FileError
    │   └── FileTooLarge  PrivateAddress  ChecksumMismatch
    ├── DeliveryTimeout              `wait()` ended before the status came
    ├── ReadTimeout                  a read took longer than `read_timeout`
    ├── HandlerTimeout               a handler took longer than its `timeout=`
    └── HandlerDied                  the worker process of a handler ended without an answer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

__all__ = [
    "Ambiguous", "BadChecksum", "BadInput", "BodyTooLarge", "ChecksumMismatch",
    "ConfirmationRequired", "ConnectionDisabled", "DeliveryTimeout", "DiskFull", "ExpiredCode", "FAILURES", "Failure",
    "FileError", "FileTooLarge", "ForeignCode", "HandlerDied", "HandlerTimeout", "InvalidCursor", "InvalidEvent",
    "InvalidExport", "LeaseHeld", "LeaseLost", "LinkCodeError", "MissingExtra", "MissingSecret",
    "NewerSchema", "NotFound", "NotOurFile", "OldSQLite", "OuteractError", "OwnCode",
    "ParseError", "PrivateAddress", "ReadOnlyStore", "ReadTimeout", "Rejected", "SendError", "SignatureError",
    "StoreBroken", "StoreBusy", "StoreClosed", "StoreCorrupt", "StoreError", "Throttled",
    "TooManyAttempts", "Transient", "Unauthorised", "UnfinishedImport", "UnknownCode",
    "UnknownPlatform", "UnknownWebhook", "Unreachable", "Unsupported", "UsedUpCode",
    "WebhookError",
]  # fmt: skip


class OuteractError(Exception):
    """The root: `except OuteractError` catches all that this library raises on purpose."""

    again: bool = False
    """Whether the same call may succeed later without anybody changing anything."""


class BadInput(OuteractError, ValueError):
    """The arguments of a call are wrong; nothing was written."""


class InvalidEvent(BadInput):
    """An event's type or payload breaks a rule. `faults`: one text per fault, each with its path."""

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join([message, *faults]))
        self.faults = tuple(faults)


class InvalidCursor(BadInput):
    """A page cursor that did not come from this library."""


class InvalidExport(BadInput):
    """A file that is to be imported is no export, or not as it was written. `line`: where it shows."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class UnknownPlatform(BadInput):
    """No adapter is registered under that name in the entry-point group `outeract_core.adapters`."""


class BrokenAdapter(UnknownPlatform):
    """A platform's adapter cannot be loaded, or two distributions claim its name; the others go on."""


class NotFound(OuteractError, LookupError):
    """No such thing in this application; what another application holds is not found either."""


class StoreError(OuteractError):
    """The file cannot do what was asked."""


class OldSQLite(StoreError):
    """SQLite below 3.51.3 can corrupt a file that two processes write (WAL-reset race)."""


class NewerSchema(StoreError):
    """The file was written by a newer outeract_core."""


class NotOurFile(StoreError):
    """The file is not an SQLite database, or belongs to another program."""


class StoreCorrupt(NotOurFile):
    """The file is damaged. `table`: where it shows, None when that is not known.

    The remedy: stop the program, keep a copy of the file with its `-wal`, look with `outeract doctor
    --deep`, and put the last backup into service.
    """

    def __init__(self, message: str, table: str | None = None) -> None:
        where = "" if table is None else f" in the table {table}"
        super().__init__(
            f"{message}: the file is damaged{where}; stop the program, keep a copy of the file and its "
            "-wal, look with `outeract doctor --deep`, and put the last backup into service"
        )
        self.table = table


class ReadOnlyStore(StoreError):
    """The file or its folder cannot be written."""


class DiskFull(StoreError):
    """No space left; nothing of the refused write is in the file. Free space, then call again."""

    again = True


class StoreBusy(StoreError):
    """Another process held the write lock for longer than the busy timeout."""

    again = True


class StoreClosed(StoreError):
    """The store was closed, or never opened."""


class StoreBroken(StoreError):
    """Two failures in a row while the truth of a commit was looked up; reopen the store."""


class UnfinishedImport(StoreError):
    """An application is not whole: its import was interrupted, and goes on when it is run again."""


class LeaseHeld(StoreError):
    """Another process runs the handlers of this application."""

    again = True


class LeaseLost(StoreError):
    """Another process took the lease while this one was away; its work was rolled back."""


class WebhookError(OuteractError):
    """An inbound request that is refused. `status`: the HTTP status to answer with."""

    status: int = 400


class SignatureError(WebhookError):
    """The signature is missing, malformed, wrong or too old. Nothing is stored."""

    status = 401


class UnknownWebhook(WebhookError):
    """No connection has this webhook id and secret."""

    status = 404


class BodyTooLarge(WebhookError):
    """The body is larger than the limit that the host has set."""

    status = 413


class OverQuota(WebhookError):
    """The application has had as much as its host lets it have; `after`: seconds until there is more."""

    status = 429

    def __init__(self, reason: str, after: int) -> None:
        super().__init__(reason)
        self.after = after


class ParseError(WebhookError):
    """Verified, but not understood. The delivery is kept and can be replayed."""

    status = 200


Failure = Literal[
    "rejected", "too_large", "unsupported", "blocked", "unknown_recipient", "window_closed",
    "forbidden", "template", "gone", "throttled", "unreachable", "unauthorised",
]  # fmt: skip
FAILURES: tuple[Failure, ...] = get_args(Failure)
"""Why a message failed, as a program can use it: the closed list of `class` in `message.failed`.

rejected           the platform refuses it, and says no more than its reason.
too_large          a text, file or request over the platform's limits.
unsupported        the platform has no such thing.
blocked            the person has blocked the bot, or stopped such messages.
unknown_recipient  nobody is reached at that address: never met, deactivated, deleted.
window_closed      outside of the time, or before the first word, in which one may write freely.
forbidden          the bot lacks a right, or is not in the place.
template           the template is missing, paused, or was filled in wrongly.
gone               the message or file that it is about is not there any more.
throttled          given up because the platform asked to wait again and again.
unreachable        given up because the platform was not reached, or failed by itself.
unauthorised       the connection's credentials or account.
"""


class SendError(OuteractError):
    """What an adapter's flow says of an attempt.

    `code`: the platform's own, for people to look up. `failure`: one of FAILURES, for programs.
    `closed`: whoever it was for is not reached any more until they write again: core remembers that.
    """

    failure: Failure = "rejected"

    def __init__(
        self, reason: str, *, code: str | int | None = None, failure: Failure | None = None,
        closed: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(reason)
        self.reason = reason
        self.closed = closed
        self.code = None if code is None else str(code)
        if failure is not None:
            self.failure = failure


class Rejected(SendError):
    """The platform will never accept this; it becomes `message.failed` with this reason."""


class Throttled(SendError):
    """Too fast. `after`: seconds to wait, or None for backoff; `scope`: `chat` or `connection`."""

    again = True
    failure = "throttled"

    def __init__(
        self,
        reason: str,
        *,
        after: float | None = None,
        scope: str = "chat",
        code: str | int | None = None,
    ) -> None:
        super().__init__(reason, code=code)
        self.after = after
        self.scope = scope


class Transient(SendError):
    """Not done, and certain not to have been done; worth another attempt."""

    again = True
    failure = "unreachable"


class Unreachable(Transient):
    """No connection to the platform stands: nothing has left, and other messages fare no better."""


class Ambiguous(SendError):
    """It may or may not have been done (a time-out after the request left, a 5xx)."""

    failure = "unreachable"


class Unauthorised(SendError):
    """The credentials of the connection are refused; everything on it waits for the host."""

    failure = "unauthorised"


class Unsupported(OuteractError):
    """The platform has no such thing (an edit on WhatsApp, say)."""


def failure_of(error: BaseException) -> Failure:
    """The class of a failure, from the error that it ended with."""
    if isinstance(error, SendError):
        return error.failure
    if isinstance(error, FileTooLarge):
        return "too_large"
    return "unsupported" if isinstance(error, Unsupported) else "rejected"


class MissingSecret(OuteractError):
    """A secret reference (`env:NAME`, `file:/path`, …) leads to nothing. The value is never shown."""


class ConnectionDisabled(MissingSecret):
    """The connection was imported, and nobody has confirmed its config: see `App.enable`."""


class MissingExtra(OuteractError, ImportError):
    """An optional package is needed for this; the text says which extra to install."""


class LinkCodeError(OuteractError):
    """A link code was refused; each reason is a class of its own."""


class BadChecksum(LinkCodeError):
    """The last four digits do not fit the first twelve, or it is no code at all: a typing error."""


class UnknownCode(LinkCodeError):
    """Well formed, but never given out here."""


class ExpiredCode(LinkCodeError):
    """Its minutes are over."""


class UsedUpCode(LinkCodeError):
    """It was used as often as it may be."""


class OwnCode(LinkCodeError):
    """The code was made for this very person."""


class ForeignCode(LinkCodeError):
    """The code belongs to another application."""


class TooManyAttempts(LinkCodeError):
    """The platform user tried too often. `after`: seconds until the next attempt counts."""

    again = True

    def __init__(self, message: str, *, after: float) -> None:
        super().__init__(message)
        self.after = after


class ConfirmationRequired(LinkCodeError):
    """The code was typed in a group, where all can read it: it must be confirmed in private."""


class FileError(OuteractError):
    """A file could not be stored or fetched."""


class FileTooLarge(FileError):
    """Larger than the limit; the download was stopped, nothing was kept."""


class PrivateAddress(FileError):
    """The address is not public (SSRF guard); the host may allow it."""


class ChecksumMismatch(FileError):
    """The bytes are not those that the platform announced, or that were stored."""


class HandlerTimeout(OuteractError):
    """A handler took longer than its `timeout=`; nothing that it did counts, and it is run again."""


class HandlerDied(OuteractError):
    """The worker process of a handler with `process=True` ended without an answer; it is run again."""


class ReadTimeout(OuteractError, TimeoutError):
    """A read took longer than `read_timeout` and was stopped; nothing is wrong with the file."""


class DeliveryTimeout(OuteractError, TimeoutError):
    """`wait()` ended before the status was reached; the message is still on its way."""

    again = True
