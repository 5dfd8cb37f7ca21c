"""Meta's own OpenAPI description of the Cloud API as a judge of what we send.

Knows: how to load it, and the corrections without which it refuses Meta's own examples.
Does not know: the adapter, pytest.

Corrected: the closed objects under `allOf` (they forbid each other's members) become one list of
members; the schema is chosen by `type`, not by the discriminator; coordinates may be numbers;
a template's language needs no `policy`; `recipient` (BSUIDs), `biz_opaque_callback_data` and
`cta_url` are missing from v23.0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import yaml

from tests.support.shared import shared

_SCHEMAS = {
    "text": "TextMessage", "audio": "AudioMessage", "video": "VideoMessage",
    "document": "DocumentMessage", "image": "ImageMessage", "location": "LocationMessage",
    "sticker": "StickerMessage", "reaction": "ReactionMessage", "contacts": "ContactsMessage",
    "interactive": "InteractiveMessage", "template": "TemplateMessage",
}  # fmt: skip
_MEMBERS = frozenset({
    "messaging_product", "recipient_type", "to", "recipient", "type", "context",
    "biz_opaque_callback_data",
})  # fmt: skip
_CTA_URL = {
    "required": ["name", "parameters"],
    "properties": {
        "name": {"const": "cta_url"},
        "parameters": {
            "required": ["display_text", "url"],
            "properties": {
                "display_text": {"type": "string", "minLength": 1, "maxLength": 20},
                "url": {"type": "string", "pattern": "^https?://"},
            },
        },
    },
}


@cache
def _document() -> dict[str, Any]:
    source = shared("whatsapp/business-messaging-api_v23.0.yaml").read_bytes()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    whole: dict[str, Any] = yaml.load(source, loader)
    schemas = whole["components"]["schemas"]
    for name in _SCHEMAS.values():
        for part in schemas[name]["allOf"]:
            part.pop("additionalProperties", None)
    place = schemas["LocationMessage"]["allOf"][1]["properties"]["location"]["properties"]
    for degrees in ("latitude", "longitude"):
        place[degrees]["type"] = ["string", "number"]
    schemas["LanguageObject"]["required"].remove("policy")
    schemas["InteractiveObject"]["properties"]["type"]["enum"].append("cta_url")
    schemas["ActionObject"]["oneOf"].append(_CTA_URL)
    return {"components": whole["components"]}


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = {**_document(), "$ref": f"#/components/schemas/{name}"}
    return jsonschema.Draft202012Validator(schema)


def faults(body: dict[str, Any]) -> list[str]:
    """What Meta's description has against a body of `POST /messages`; an empty list for nothing."""
    if body.get("status") == "read":
        return _told("MarkMessageRequestPayload", body)
    kind = body.get("type")
    if kind not in _SCHEMAS:
        return [f"no message type {kind!r}"]
    strange = sorted(set(body) - _MEMBERS - {kind})
    found = [f"unknown member {name!r}" for name in strange]
    if len({"to", "recipient"} & set(body)) != 1:
        found.append("give one of to and recipient")
    return found + _told(_SCHEMAS[kind], {"to": body.get("recipient"), **body})


def _told(name: str, body: dict[str, Any]) -> list[str]:
    errors = _validator(name).iter_errors(body)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
