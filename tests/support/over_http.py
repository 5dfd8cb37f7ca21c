"""Flows and single calls carried over real HTTP by core's own door to the network.

Knows: `outeract_core._http`. Does not know: any platform.
"""

from __future__ import annotations

from typing import Any

import anyio

from outeract_core._io.web.http import Http, Network
from outeract_core.adapter import Call, Flow, Reply


def run(flow: Flow[Any]) -> Any:
    """The result of a flow; what goes wrong is thrown into it."""

    async def main() -> Any:
        door = Http(Network(allow_private=True))
        try:
            return await door.run(flow)
        finally:
            await door.aclose()

    return anyio.run(main)


def over_http(call: Call) -> Reply:
    """The answer to one call."""

    def alone() -> Flow[Reply]:
        return (yield call)

    reply: Reply = run(alone())
    return reply
