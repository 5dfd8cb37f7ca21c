"""What a store is called in messages: a path as it is; an address without user, password and query.

Knows: how the address of a server is written, also half and wrongly; that what cannot be told apart from
a password is not shown. Does not know: what can be opened (`_io/disk/place.py`).
"""

from __future__ import annotations

import re
from typing import Any

_FIELDS = "host|hostaddr|port|dbname|user|uid|driver|server|service"
_SERVERS = "postgres|postgresql|pgsql|cockroachdb|mysql|mariadb|mssql|oracle|sqlite3?|mongodb|redis"
_SECRETS = "password|passwd|pwd|sslpassword|passfile|secret|token"
_ADDRESS = re.compile(
    r"(?![/\\.~]|[a-z]:(?!//)[/\\]|file:/(?!/))"
    rf"(?:\s*(?:[a-z](?:[a-z0-9+.:-]+:/|://)|(?:{_SERVERS})(?:\+\w+)?:|[^/\\:]{{2,}}:.*@|(?:{_FIELDS}|{_SECRETS})\s*=)"
    rf"|.*[?&;\s](?:{_SECRETS})\s*=)",
    re.IGNORECASE | re.DOTALL,
)
"""`scheme://…`, also as a `Path` writes it, `postgresql:…`, `user:password@host`, `host=… password=…`; never what
begins as a path does, nor the name of a database in memory."""
_SCHEME = re.compile(r"\s*((?:jdbc:)?[a-z][a-z0-9+.-]*:)//", re.IGNORECASE)
_HOST = r"(?:[\w.-]+|\[[0-9a-f:.]+\])"
_WHERE = rf"{_HOST}(?::[0-9]+)?(?:,{_HOST}(?::[0-9]+)?)*"
_CLEAR = re.compile(
    rf"(?:[^@/?#;\s]*[^@/?#;\s:]@(?={_WHERE})|(?![^/?#;\[]*:))((?:{_WHERE})?(?:/[\w./-]*)?)(?:[?#;][^@]*)?\s*",
    re.IGNORECASE,
)
"""Behind the scheme: perhaps somebody, then hosts and a name, then perhaps a query; no `@` where none belongs.
Without an `@` what looks like a port may be a password; so may what stands behind an `@` with no password in front."""
_HIDDEN = "…"


def is_address(path: str) -> bool:
    """Whether it is written as the address of a server, and not as the path of a file."""
    return _ADDRESS.match(path) is not None


def shown_path(path: Any) -> str:
    """As it may stand in a message, a log or a `repr`."""
    text = str(path)
    if not is_address(text):
        return text
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _HIDDEN
    clear = _CLEAR.fullmatch(text, scheme.end())
    return f"{scheme[1]}//{_HIDDEN if clear is None else clear[1]}"
