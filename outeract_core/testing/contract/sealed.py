"""Closes the doors to the world while pure code runs, so that code which is not pure gets caught.

Knows: sockets, name look-ups, sleeping, threads, processes.
Does not know: adapters. What it closes, it closes for this thread only.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["sealed"]

_DOORS: tuple[tuple[Any, str], ...] = (
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
    (socket.socket, "sendto"),
    (socket, "getaddrinfo"),
    (socket, "create_connection"),
    (subprocess.Popen, "__init__"),
    (threading.Thread, "start"),
    (time, "sleep"),
)


@contextmanager
def sealed() -> Iterator[None]:
    """Inside, this thread may not connect, look up names, sleep, or start threads or processes.

    Raises AssertionError where it is tried, and again at the end, should somebody have caught it.
    """
    tried: list[str] = []
    owner = threading.get_ident()
    known = [(place, name, place.__dict__.get(name)) for place, name in _DOORS]
    for place, name in _DOORS:
        setattr(place, name, _guard(getattr(place, name), f"{place.__name__}.{name}", owner, tried))
    try:
        yield
    finally:
        for place, name, before in known:
            delattr(place, name) if before is None else setattr(place, name, before)
    if tried:
        raise AssertionError(f"{tried[0]}() in pure code; yield a Call instead")


def _guard(real: Any, name: str, owner: int, tried: list[str]) -> Callable[..., Any]:
    def guarded(*given: Any, **more: Any) -> Any:
        if threading.get_ident() == owner:
            tried.append(name)
            raise AssertionError(f"{name}() in pure code; yield a Call instead")
        return real(*given, **more)

    return guarded
