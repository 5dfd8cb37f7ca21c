"""What the library ships to authors of adapters and bots for their own tests.

Knows: where each tool is.
Does not know: pytest, until `AdapterContract` is asked for.

    drive, reply            run a flow against scripted replies
    AdapterContract, Sample the tests that every adapter passes; subclass it in a pytest file
    ManualClock, SequentialIds
                            time and ids that a test decides
    FakePlatform            Telegram, WhatsApp and Slack on a loopback port, with failures to plant,
                            webhooks that come back, a count of what came twice; as a process of
                            its own: `python -m outeract_core.testing`
    sign_telegram, sign_whatsapp, sign_slack, post
                            inbound requests as the platforms sign them

They stand in `flows`, `contract` with `samples`, `clock`, `fakes`, `signing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import ManualClock, SequentialIds
from .fakes.platform import FakePlatform
from .fakes.record import Received, Request
from .flows import drive, reply
from .samples import Sample
from .signing import post, sign_slack, sign_telegram, sign_whatsapp

if TYPE_CHECKING:
    from .contract.adapter import AdapterContract

__all__ = [
    "AdapterContract",
    "FakePlatform",
    "ManualClock",
    "Received",
    "Request",
    "Sample",
    "SequentialIds",
    "drive",
    "post",
    "reply",
    "sign_slack",
    "sign_telegram",
    "sign_whatsapp",
]


def __getattr__(name: str) -> Any:
    """`AdapterContract`, imported on demand because it needs pytest."""
    if name == "AdapterContract":
        from .contract.adapter import AdapterContract

        return AdapterContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
