"""Slack: Events API, interactions and slash commands in; Web API out.

Knows: only which class the entry point `slack` loads.
Does not know: anything else; see `adapter.py`.
"""

from __future__ import annotations

from .adapter import Slack

__all__ = ["Slack"]
