"""Checks payloads against JSON Schema; the optional package is imported when first needed.

Knows: how to name every fault with its path.
Does not know: where schemas are kept.
"""

from __future__ import annotations

from typing import Any

from ...errors import InvalidEvent, MissingExtra


def check_schema(json_schema: Any) -> None:
    """Raises InvalidEvent when `json_schema` is no valid JSON Schema, MissingExtra without jsonschema."""
    jsonschema = _load()
    if not isinstance(json_schema, dict | bool):
        raise InvalidEvent("a JSON Schema is an object, true or false")
    try:
        _kind(jsonschema, json_schema).check_schema(json_schema)
    except jsonschema.SchemaError as error:
        raise InvalidEvent("this is no valid JSON Schema", [_fault(error)]) from None


def check_payload(event_type: str, payload: Any, json_schema: Any) -> None:
    """Raises InvalidEvent with every fault and its path; says nothing when all is well.

    A `$ref` leads to places within the schema only: nothing is ever fetched.
    """
    jsonschema = _load()
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing.exceptions import Unresolvable

    validator = _kind(jsonschema, json_schema)(json_schema, registry=REGISTRY)
    try:
        found = sorted(validator.iter_errors(payload), key=lambda error: error.json_path)
    except Unresolvable as error:
        reason = f"the schema of {event_type} refers to what is not in it: {error}"
        raise InvalidEvent(reason) from None
    except RecursionError:
        raise InvalidEvent(f"the schema of {event_type} never comes to an end") from None
    if found:
        raise InvalidEvent(
            f"{event_type} breaks its schema; nothing was written:", list(map(_fault, found))
        )


def _kind(jsonschema: Any, json_schema: Any) -> Any:
    """The draft that the schema names, else the newest."""
    newest = jsonschema.Draft202012Validator
    return jsonschema.validators.validator_for(json_schema, default=newest)


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
