"""Checks payloads against JSON Schema; the optional package is imported when first needed.

Knows: how to name every fault with its path.
Does not know: where schemas are kept.
"""

from __future__ import annotations

from typing import Any

from .errors import InvalidEvent, MissingExtra


def check_schema(json_schema: Any) -> None:
    """Raises InvalidEvent when `json_schema` is no valid JSON Schema, MissingExtra without jsonschema."""
    jsonschema = _load()
    try:
        jsonschema.validators.validator_for(json_schema).check_schema(json_schema)
    except jsonschema.SchemaError as error:
        raise InvalidEvent("this is no valid JSON Schema", [_fault(error)]) from None


def check_payload(event_type: str, payload: Any, json_schema: Any) -> None:
    """Raises InvalidEvent with every fault and its path; says nothing when all is well."""
    jsonschema = _load()
    validator = jsonschema.validators.validator_for(json_schema)(json_schema)
    faults = [_fault(e) for e in sorted(validator.iter_errors(payload), key=lambda e: e.json_path)]
    if faults:
        raise InvalidEvent(f"{event_type} breaks its schema; nothing was written:", faults)


def _fault(error: Any) -> str:
    return f"{error.json_path}: {error.message}"


def _load() -> Any:
    try:
        import jsonschema
    except ImportError:
        raise MissingExtra(
            "event schemas need the package jsonschema: pip install 'outeract-core[schema]'"
        ) from None
    return jsonschema
