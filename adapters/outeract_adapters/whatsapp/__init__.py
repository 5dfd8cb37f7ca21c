"""WhatsApp: the Cloud API of Meta, webhooks in and Graph API out.

Knows: only which class the entry point `whatsapp` loads.
Does not know: anything else; see `adapter.py`.
"""

from __future__ import annotations

from .adapter import WhatsApp

__all__ = ["WhatsApp"]
