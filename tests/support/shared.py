"""Finds third-party fixtures beside the checkout; a test that needs them skips when they are absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.places import ROOT

FIXTURES = ROOT.parent / "shared" / "fixtures"


def shared(path: str) -> Path:
    """The fixture at `path`; skips the calling test when it is not there."""
    found = FIXTURES / path
    if not found.exists():
        pytest.skip(f"no fixture {path} beside this checkout")
    return found
