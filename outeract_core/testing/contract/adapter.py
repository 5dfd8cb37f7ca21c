"""The contract of an adapter, as tests: what core relies on, for every platform alike.

Knows: pytest, and that an adapter is found by its entry point.
Does not know: any platform. A subclass tells it one:

    class TestPigeon(AdapterContract):
        platform = "pigeon"
        config = {"token": "pigeon-secret-token", "base_url": "https://loft.example"}
        def samples(self): ...
        def tampered(self): ...
        def replies(self, call): ...
"""

from __future__ import annotations

from ..samples import Sample
from .inbound import InboundContract
from .manifest import ManifestContract
from .outbound import OutboundContract

__all__ = ["AdapterContract", "Sample"]


class AdapterContract(ManifestContract, InboundContract, OutboundContract):
    """Subclass this in a pytest file under a name that starts with `Test`; see `Subject` for what to give.

    Needs pytest and no plugin. The adapter must be installed: it is loaded through the
    entry-point group `outeract_core.adapters`, as core loads it.
    """
