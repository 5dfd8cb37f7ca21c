"""Telegram: the Bot API, webhooks or long polling in, methods out.

This room knows the Bot API; it does not know the store or when it is asked. Read `adapter` (the
whole), then `inbound` (updates as facts), `outbound` (what is said, as methods) and `health` (can it
work?). `api`, `errors`, `fields`, `naming` and `emoji` serve all. Here stands only the class that
the entry point loads.
"""

from __future__ import annotations

from .adapter import Telegram

__all__ = ["Telegram"]
