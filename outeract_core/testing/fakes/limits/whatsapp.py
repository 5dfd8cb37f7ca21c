"""What graph.facebook.com takes of a message: counts, lengths, members, each with Meta's code.

Knows: the table. Does not know: who may be written to, what media there are, what arrives. Source:
business-messaging-api v23.0 (OpenAPI) and Meta's pages of each type of message; 131009 as Meta answers four
reply buttons.
"""

from __future__ import annotations

from .rules import Limit

__all__ = ["LIMITS", "TYPES"]

TYPES = frozenset({
    "text", "image", "video", "audio", "document", "sticker", "location", "contacts", "reaction",
    "interactive", "template",
})  # fmt: skip
_INTERACTIVE = frozenset({
    "button", "list", "cta_url", "flow", "product", "product_list", "catalog_message",
    "location_request_message", "address_message",
})  # fmt: skip
_URL = r"https?://\S+"


def _invalid(details: str) -> tuple[int, str, str]:
    return 131009, "Parameter value is not valid", details


def _param(words: str) -> tuple[int, str, str]:
    return 100, words, ""


def _length(what: str, least: int, most: int) -> tuple[int, str, str]:
    return _invalid(f"{what} length invalid. Min length: {least}, Max length: {most}")


_BUTTONS = "interactive(type=button).action.buttons"
_LIST = "interactive(type=list).action"
_LINK = "interactive(type=cta_url).action.parameters"

LIMITS: tuple[Limit, ...] = (
    Limit("recipient_type", _param("Param recipient_type must be one of {individual, group}"),
          among=frozenset({"individual", "group"})),
    Limit("to", _invalid("Recipient is not a valid phone number or group"), like=r"\+?[\w .()-]+"),
    Limit("biz_opaque_callback_data", _param("Param biz_opaque_callback_data must be at most 512 characters long."),
          most=512),
    Limit("context.message_id", _param("The parameter context['message_id'] is required."), needed=True),
    Limit("text.body", _param("Param text['body'] must be at most 4096 characters long."), needed=True, least=1, most=4096),
    *(
        Limit(f"{kind}.caption", _param(f"Param {kind}['caption'] must be at most 1024 characters long."), most=1024)
        for kind in ("image", "video", "document")
    ),
    *(
        Limit(f"{kind}.caption", _param(f'Unexpected key "caption" on param "{kind}".'), barred=True)
        for kind in ("audio", "sticker")
    ),
    *(
        Limit(kind, _param(f"Param {kind} must have one of: id, link."), holds=("id", "link"))
        for kind in ("image", "video", "audio", "document", "sticker")
    ),
    *(
        Limit(f"{kind}.link", _param(f"Param {kind}['link'] is not a valid URI."), like=_URL)
        for kind in ("image", "video", "audio", "document", "sticker")
    ),
    Limit("location.latitude", _param("Param location['latitude'] is required."), needed=True, least=-90, most=90),
    Limit("location.longitude", _param("Param location['longitude'] is required."), needed=True, least=-180, most=180),
    Limit("contacts", _param("Param contacts must have at least one element."), least=1),
    Limit("contacts.*.name", _param("Param contacts[0]['name'] is required."), needed=True),
    Limit("contacts.*.name.formatted_name", _param("Param contacts[0]['name']['formatted_name'] is required."), needed=True),
    Limit("reaction.message_id", _param("Param reaction['message_id'] is required."), needed=True),
    Limit("template.name", _param("Param template['name'] is required."), needed=True, most=512),
    Limit("template.language", _param("Param template['language'] is required."), needed=True),
    Limit("template.language.code", _param("Param template['language']['code'] is required."), needed=True),
    Limit("interactive.type", _param("Param interactive['type'] is not valid."), needed=True, among=_INTERACTIVE),
    Limit("interactive(type=button|list|cta_url).body", _invalid("Body is required"), needed=True),
    Limit("interactive.body.text", _length("Body text", 1, 1024), needed=True, least=1, most=1024),
    Limit("interactive.footer.text", _length("Footer text", 1, 60), needed=True, least=1, most=60),
    Limit("interactive.header(type=text).text", _length("Header text", 1, 60), needed=True, least=1, most=60),
    Limit("interactive(type=list).header.type", _invalid("Header type must be text"), among=frozenset({"text"})),
    Limit("interactive(type=button|cta_url).header.type", _invalid("Header type is not valid"),
          among=frozenset({"text", "image", "video", "document"})),
    Limit(_BUTTONS, _invalid("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"),
          needed=True, least=1, most=3),
    Limit(f"{_BUTTONS}.*.type", _invalid("Button type must be reply"), among=frozenset({"reply"})),
    Limit(f"{_BUTTONS}.*.reply.id", _length("Button id", 1, 256), needed=True, least=1, most=256, unique="all"),
    Limit(f"{_BUTTONS}.*.reply.title", _length("Button title", 1, 20), needed=True, least=1, most=20, unique="all"),
    Limit(f"{_LIST}.button", _length("Button", 1, 20), needed=True, least=1, most=20),
    Limit(f"{_LIST}.sections", _invalid("Invalid sections count. Min allowed sections: 1, Max allowed sections: 10"),
          needed=True, least=1, most=10),
    Limit(f"{_LIST}.sections.*.title", _length("Section title", 1, 24), most=24),
    Limit(f"{_LIST}.sections.*.rows", _invalid("Invalid rows count. Min allowed rows: 1, Max allowed rows: 10"),
          needed=True, least=1, most=10, total=True),
    Limit(f"{_LIST}.sections.*.rows.*.id", _length("Row id", 1, 200), needed=True, least=1, most=200, unique="all"),
    Limit(f"{_LIST}.sections.*.rows.*.title", _length("Row title", 1, 24), needed=True, least=1, most=24),
    Limit(f"{_LIST}.sections.*.rows.*.description", _length("Row description", 1, 72), most=72),
    Limit(f"{_LINK}.display_text", _length("Display text", 1, 20), needed=True, least=1, most=20),
    Limit(f"{_LINK}.url", _invalid("Url is not valid"), needed=True, like=_URL),
)  # fmt: skip
"""Of a message that is sent. Each row: where, Meta's code with its words and details, what holds."""
