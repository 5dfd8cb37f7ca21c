"""Telegram: the Bot API, webhooks or long polling in, methods out.

Knows: only which class the entry point `telegram` loads.
Does not know: anything else; see `adapter.py`.
"""

from __future__ import annotations

from .adapter import Telegram

__all__ = ["Telegram"]
