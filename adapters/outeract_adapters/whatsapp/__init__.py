"""WhatsApp: the Cloud API of Meta, webhooks in and Graph API out.

This room knows the Cloud API; it does not know the store or when it is asked. Read `adapter` (the
whole), then the way in: `parse`, `scope`, `messages` with `content`, `statuses`, `people`,
`contacts`, `identity`, `naming`; and the way out: `send`, `compose`, `choices`, `markup`, `acts`
(reactions, read marks), `health` (can it work?), `codes` (what a refusal means). Here stands only the class that the entry
point loads.
"""

from __future__ import annotations

from .adapter import WhatsApp

__all__ = ["WhatsApp"]
