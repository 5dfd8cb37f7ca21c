"""Slack: Events API, interactions and slash commands in; Web API out.

This room knows Slack's events, blocks and answers; it does not know the store or when it is asked.
Read `adapter` (the whole), then the way in: `parse`, `messages` with `people`, `interactions`; what
a message says: `said` with `readable` (blocks), `rich`, `once`, `plain`; and the way out: `send`,
`blocks`, `markup`, `acts` (edits, reactions). `api`, `errors`, `fields`, `naming` and `emoji` serve
both. Here stands only the class that the entry point loads.
"""

from __future__ import annotations

from .adapter import Slack

__all__ = ["Slack"]
