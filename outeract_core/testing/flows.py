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
    """A reply with `body` as JSON (bytes are taken as they are). Header names become lower case."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {name.lower(): value for name, value in (headers or {}).items()}
    return Reply(status=status, headers={"content-type": "application/json", **told}, body=data)


def drive(
    flow: Flow[T], replies: Iterable[Reply] | Callable[[Call], Reply], *, most: int = 50
) -> tuple[T, list[Call]]:
    """Run `flow` to its end with these replies (a sequence, or a function of the call).

    Returns its result and the calls that it made. What the flow raises passes through. Raises
    AssertionError when it makes more calls than there are replies, or more than `most`.
    """
    calls: list[Call] = []
    answer = replies if callable(replies) else _in_turn(replies)
    try:
        call = next(flow)
        while True:
            calls.append(call)
            if len(calls) > most:
                raise AssertionError(f"the flow does not end: {most} calls, last {call!r}")
            call = flow.send(answer(call))
    except StopIteration as stop:
        return stop.value, calls
    finally:
        flow.close()


def _in_turn(replies: Iterable[Reply]) -> Callable[[Call], Reply]:
    left = iter(replies)

    def answer(call: Call) -> Reply:
        found = next(left, None)
        if found is None:
            raise AssertionError(f"no reply is left for {call!r}")
        return found

    return answer
