"""The Graph API as all Meta platforms call it: requests, and what its errors mean.

Knows: base URL, version, the bearer token's place, Graph's error object and usage headers.
Does not know: which codes a platform adds (it hands in `Codes`), what a request says.

Meta, Graph API: the code decides, not the HTTP status (too many requests may come as 400).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from outeract_core.adapter import Call, Flow, OutgoingFile, Reply, Settings
from outeract_core.errors import (
    Ambiguous,
    BadInput,
    Failure,
    Rejected,
    SendError,
    Throttled,
    Transient,
    Unauthorised,
)

from .meta import Object, obj, text

__all__ = ["GRAPH", "HOST", "VERSION", "Codes", "Graph"]

HOST = "https://graph.facebook.com"
VERSION = "v23.0"

_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")
_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net", "instagram.com")
_UPLOAD_TIMEOUT = 300.0
_USAGE = "x-business-use-case-usage"


@frozen
class Codes:
    """What `error.code` means. A code in none of the tables is judged by the HTTP status.

    throttled     code → what has to wait: `chat` or `connection`.
    growing       throttled codes after which one waits 4^attempt seconds.
    transient     certainly not done, worth another attempt.
    unauthorised  token, permission, account: the host has to act.
    final         never to be accepted; `subcodes` is the same by `error_subcode`, and goes first.
    remedies      what the host can do about it, by code.
    failures      the class of a failure, by code; every other is `rejected`.
    """

    throttled: Mapping[int, str] = field(factory=dict)
    growing: frozenset[int] = frozenset()
    transient: frozenset[int] = frozenset()
    unauthorised: frozenset[int] = frozenset()
    final: frozenset[int] = frozenset()
    subcodes: frozenset[int] = frozenset()
    remedies: Mapping[int, str] = field(factory=dict)
    failures: Mapping[int, Failure] = field(factory=dict)

    def __or__(self, other: Codes) -> Codes:
        """Both tables together."""
        return Codes(
            {**self.throttled, **other.throttled}, self.growing | other.growing,
            self.transient | other.transient, self.unauthorised | other.unauthorised,
            self.final | other.final, self.subcodes | other.subcodes,
            {**self.remedies, **other.remedies}, {**self.failures, **other.failures},
        )  # fmt: skip


GRAPH = Codes(
    throttled=dict.fromkeys((4, 17, 32, 613), "connection"),
    transient=frozenset({2}),
    unauthorised=frozenset({0, 3, 10, 102, 190, *range(200, 300)}),
    final=frozenset({100}),
    remedies={
        10: "the token lacks a permission",
        190: "the access token is invalid or has expired; give a new one",
    },
)
"""Meta, Graph API, error codes: those that every platform has."""


@frozen
class Graph:
    """The Graph API as one connection calls it. `key`: the config name of the token."""

    settings: Settings
    codes: Codes = GRAPH
    host: str = HOST
    key: str = "access_token"

    def __attrs_post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise BadInput(f"api_version must look like {VERSION!r}, not {self.version!r}")

    @property
    def base(self) -> str:
        """The URL before the version, without a slash at its end."""
        return str(self.settings.get("base_url") or self.host).rstrip("/")

    @property
    def version(self) -> str:
        """The version of the API."""
        return str(self.settings.get("api_version") or VERSION)

    @property
    def bearer(self) -> dict[str, str]:
        """The header that carries the token."""
        return {"authorization": f"Bearer {self.settings.secret(self.key)}"}

    def url(self, node: str, edge: str = "") -> str:
        """The URL of a node or one of its edges. Raises Rejected when `node` is no id."""
        if not _ID.fullmatch(node):
            raise Rejected(f"{node!r:.80} is not an id of Meta's")
        return "/".join([self.base, self.version, node, *([edge] if edge else [])])

    # ── requests ──

    def post(self, node: str, edge: str, body: Mapping[str, Any]) -> Call:
        """JSON to an edge."""
        return Call("POST", self.url(node, edge), headers=self.bearer, json=dict(body))

    def get(self, node: str, params: Mapping[str, str], edge: str = "") -> Call:
        """What a node, or an edge of it, is."""
        return Call("GET", self.url(node, edge), headers=self.bearer, params=dict(params))

    def upload(
        self, node: str, edge: str, form: Mapping[str, str], name: str, file: OutgoingFile
    ) -> Call:
        """A file with form fields, as multipart."""
        return Call(
            "POST", self.url(node, edge), headers=self.bearer, form=dict(form),
            files=((name, file),), timeout=_UPLOAD_TIMEOUT,
        )  # fmt: skip

    def download(self, url: str) -> Call:
        """The bytes of a file of Meta's; its URL needs the token too. Raises Rejected."""
        if not self.trusts(url):
            raise Rejected("the file's address is not Meta's; it does not get our token")
        return Call("GET", url, headers=self.bearer, timeout=_UPLOAD_TIMEOUT)

    def trusts(self, url: str) -> bool:
        """Whether the token may be sent there: to Meta over TLS, or where `base_url` points."""
        if not (url.isascii() and url.isprintable() and " " not in url):
            return False
        try:
            parts, own = urlsplit(url), urlsplit(self.base)
            host = parts.hostname or ""
        except ValueError:
            return False
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return parts.scheme == "https" and any(host == h or host.endswith(f".{h}") for h in _HOSTS)

    # ── answers ──

    def ask(self, call: Call, *, repeatable: bool, attempt: int = 1) -> Flow[Object]:
        """Make a call; its answer. Raises a SendError.

        repeatable  whether a second attempt does no harm: then an unclear outcome is Transient.
        attempt     counts from 1; some waits grow with it.
        """
        try:
            reply = yield call
        except Ambiguous as error:
            if repeatable:
                raise Transient(error.reason, code=error.code) from error
            raise
        return self.outcome(reply, repeatable=repeatable, attempt=attempt)

    def outcome(self, reply: Reply, *, repeatable: bool, attempt: int = 1) -> Object:
        """The answer's body when it was done. Raises a SendError that says what else."""
        body = reply.json()
        if 200 <= reply.status < 300 and isinstance(body, dict) and not body.get("error"):
            return body
        error = obj(body, "error")
        raise self._judged(error, _number(error.get("code")), reply, repeatable, attempt)

    def _judged(
        self, error: Object, code: int | None, reply: Reply, repeatable: bool, attempt: int
    ) -> SendError:
        codes, status = self.codes, reply.status
        reason = self._reason(error, code, status)
        told: Any = status if code is None else code
        if _number(error.get("error_subcode")) in codes.subcodes:
            return Rejected(reason, code=told)
        if code in codes.throttled or (status == 429 and code not in codes.unauthorised):
            scope = "connection" if code is None else codes.throttled.get(code, "connection")
            return Throttled(
                reason, after=self._after(reply, code, attempt), scope=scope, code=told
            )
        if code in codes.unauthorised or (status == 401 and code is None):
            return Unauthorised(reason, code=told)
        if code in codes.transient or error.get("is_transient") is True:
            return Transient(reason, code=told)
        if code in codes.final or (400 <= status < 500 and status != 408):
            return Rejected(reason, code=told, failure=codes.failures.get(code or 0))
        return (Transient if repeatable else Ambiguous)(reason, code=told)

    def _after(self, reply: Reply, code: int | None, attempt: int) -> float | None:
        """Seconds to wait as headers or the platform's rule tell, or None."""
        value = reply.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit() and len(value) < 7:
            return float(value)
        if code in self.codes.growing:
            return float(4 ** min(max(attempt, 1), 6))
        return _regained(reply.headers.get(_USAGE, ""))

    def _reason(self, error: Object, code: int | None, status: int) -> str:
        """Meta's words, without our token: "Malformed access token EAA…" names it."""
        said = text(error, "message") or f"answered {status} without a result"
        named = said if code is None or f"#{code}" in said else f"(#{code}) {said}"
        details = text(error, "error_data", "details") or text(error, "error_user_msg")
        remedy = None if code is None else self.codes.remedies.get(code)
        whole = "; ".join(part for part in (f"Meta: {named}", details, remedy) if part)
        return whole.replace(self.settings.secret(self.key), "…")


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _regained(usage: str) -> float | None:
    """Meta, rate limits: `estimated_time_to_regain_access`, in minutes, of any use case."""
    try:
        cases = json.loads(usage or "{}")
    except (ValueError, RecursionError):
        return None
    lists = cases.values() if isinstance(cases, dict) else ()
    rows = [row for rows in lists if isinstance(rows, list) for row in rows]
    minutes = [
        found
        for row in rows
        if isinstance(row, dict)
        and (found := _number(row.get("estimated_time_to_regain_access"))) is not None
    ]
    longest = max(minutes, default=0)
    return 60.0 * longest if 0 < longest <= 10_080 else None
