"""Runs an adapter's flow without a network: calls out, scripted replies in.

Knows: how to step a generator. Does not know: HTTP, any platform.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ..adapter import Call, Flow, Reply

__all__ = ["drive", "reply"]

T = TypeVar("T")


def reply(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with `body` as JSON (bytes are taken as they are)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers={"content-type": "application/json", **(headers or {})}, body=data)


def drive(flow: Flow[T], replies: Iterable[Reply] | Callable[[Call], Reply]) -> tuple[T, list[Call]]:
    """Run `flow` to its end with these replies (a sequence, or a function of the call).

    Returns its result and the calls that it made. What the flow raises passes through.
    """
    calls: list[Call] = []
    answer = replies if callable(replies) else (lambda _call, it=iter(replies): next(it))
    try:
        call = next(flow)
        while True:
            calls.append(call)
            call = flow.send(answer(call))
    except StopIteration as stop:
        return stop.value, calls
