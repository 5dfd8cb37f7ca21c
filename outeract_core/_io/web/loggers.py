"""What the libraries below log at DEBUG, without a secret: a host may turn it on, and mail it to somebody.

Knows: their loggers by name, the lines in which they repeat what a server has answered.
Does not know: which values are secret (`redact` of each open file), levels and handlers: those are the host's.

httpcore writes down the headers of an answer and a proxy's password; httpx, when a host uses it beside us,
whole URLs. A filter on their loggers is the one place that each line passes, whoever listens.
"""

from __future__ import annotations

import logging
import re
from weakref import WeakValueDictionary

from ..log import Log

NAMES = (
    "httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks",
)  # fmt: skip
"""Every logger of theirs; a test compares it with what is installed. Filters are not inherited."""
_ANSWERED = re.compile(
    r"(\(b'(?i:set-cookie|location|refresh)', b)(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
)
_PROXY = re.compile(r"\bauth=\(.*\)")
_telling: WeakValueDictionary[int, Log] = WeakValueDictionary()


class _Struck(logging.Filter):
    """Passes every record, its text without secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        told = _PROXY.sub("auth=•••", _ANSWERED.sub(r"\1'•••'", text))
        for log in list(_telling.values()):
            told = log.redact(told)
        if told != text:
            record.msg, record.args = told, ()
        return True


_FILTER = _Struck()


def strike(log: Log) -> None:
    """From now on, and as long as this file is open, none of its secrets is in a line of theirs."""
    _telling[id(log)] = log
    for name in NAMES:
        logging.getLogger(name).addFilter(_FILTER)
