"""What would be left to chance is the same in every run of a test: drawn examples, and the order of trio's tasks.

Knows: Hypothesis's profiles, trio's random numbers. Does not know: what is tested.

So a run that fails is one that fails again. `--hypothesis-seed=N` (a number, or `random`) draws both anew.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

__all__ = ["PROFILES", "drawn_alike", "the_same_order"]

PROFILES = {"alike": True, "anew": False}
"""Whether a profile draws the same in every run. None of them looks at how quick the machine is."""


def drawn_alike(config: pytest.Config) -> None:
    """Examples are drawn by the test's own text, unless a seed says otherwise."""
    for name, alike in PROFILES.items():
        settings.register_profile(
            name, deadline=None, derandomize=alike, suppress_health_check=[HealthCheck.too_slow]
        )
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("alike" if _seed(config) is None else "anew")


def the_same_order(item: pytest.Item) -> None:
    """Trio runs tasks that may run in any order in one that the test's name, or the seed, decides."""
    numbers = _of_trio()
    seed = _seed(item.config)
    if numbers is not None and seed != "random":
        numbers.seed(f"{item.nodeid} {seed}")


def _seed(config: pytest.Config) -> Any:
    return config.getoption("--hypothesis-seed", None)


def _of_trio() -> random.Random | None:
    """The numbers that trio decides by; None where a version keeps them elsewhere."""
    from trio._core import _run

    found = getattr(_run, "_r", None)
    return found if isinstance(found, random.Random) else None
