"""Where things lie in the checkout, so that no test counts folders.

Knows: the checkout, the samples. Does not know: what is in them.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).resolve().parent / "samples"
