"""How WhatsApp writes a person's name: E.164, or a business-scoped user id, which is an alias.

Knows: what may be given to `send`. Does not know: what stands in a webhook (`people.py`).
"""

from __future__ import annotations

from outeract_core.errors import BadInput
from outeract_core.model import Alias

from ..e164 import e164
from .people import BSUID

__all__ = ["normalise"]


def normalise(external_id: str, kind: str) -> str | Alias:
    """The id in its one form. Raises BadInput."""
    text = external_id.strip()
    if kind in ("group", "channel"):
        return text
    if BSUID.fullmatch(text):
        return Alias("bsuid", text)
    try:
        return e164(text)
    except BadInput as error:
        raise BadInput(f"whatsapp: {error}; or give a BSUID like US.13491208655302741918") from None
