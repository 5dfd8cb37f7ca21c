"""Checks payloads against JSON Schema; the optional package is imported when first needed.

Knows: how to name every fault with its path, how much one check may cost.
Does not know: where schemas are kept, how an expression is stopped (`expressions.py`).

The schema is the host's and the payload is often people's. Whatever both say, a check has bounds: so
many steps, so many faults, so long for an expression on a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import count, islice
from typing import Any

from ..._domain.values.codec import encode
from ..._domain.values.interrupt import go_on
from ...errors import InvalidEvent, MissingExtra
from .expressions import TooHard, found

STEPS = 200_000
"""Keywords that are applied to a payload and its members, in all: a second or two."""
FAULTS = 100
"""Faults that are told."""
_LONGEST = 500
_LIGHT = 2_000
"""Characters of payload and schema together that are checked in the event loop."""


_BY_NAME = {"patternProperties", "additionalProperties", "unevaluatedProperties"}


class _TooMuch(Exception):
    """A check has taken all its steps."""


def is_light(text: str, json_schema: Any) -> bool:
    """Whether a check takes a millisecond or so: little is looked at, and no expression is tried."""
    told = encode(json_schema)
    return len(text) + len(told) <= _LIGHT and '"pattern' not in told


def read() -> Any:
    """Read the packages that a check needs: a tenth of a second, the first time. Raises MissingExtra without jsonschema."""
    jsonschema = _load()
    for name in ("jsonschema_specifications", "referencing.exceptions", "regex"):
        with suppress(ImportError):
            import_module(name)
    return jsonschema


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
    """Raises InvalidEvent with every fault and its path, the first hundred; nothing when all is well.

    A `$ref` leads to places within the schema only: nothing is ever fetched.
    """
    jsonschema = _load()
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing.exceptions import Unresolvable

    kind = _bounded(jsonschema, _kind(jsonschema, json_schema), count(1))
    validator = kind(_undated(json_schema), registry=REGISTRY)
    try:
        faults = list(islice(validator.iter_errors(payload), FAULTS))
    except Unresolvable as error:
        reason = f"the schema of {event_type} refers to what is not in it: {error}"
        raise InvalidEvent(reason) from None
    except RecursionError:
        raise InvalidEvent(f"the schema of {event_type} never comes to an end") from None
    except _TooMuch as error:
        raise InvalidEvent(
            f"{event_type} cannot be checked: {error}; nothing was written"
        ) from None
    if faults:
        faults.sort(key=lambda error: error.json_path)
        raise InvalidEvent(
            f"{event_type} breaks its schema; nothing was written:", list(map(_fault, faults))
        )


# ── what a check may cost ─────────────────────────────────────────────────────────────────────


def _undated(json_schema: Any) -> Any:
    """The schema without the draft that it names, by which jsonschema would go on in classes of its own."""
    if isinstance(json_schema, list):
        return list(map(_undated, json_schema))
    if not isinstance(json_schema, dict):
        return json_schema
    named = isinstance(json_schema.get("$schema"), str)
    return {
        name: _undated(value)
        for name, value in json_schema.items()
        if not (named and name == "$schema")
    }


def _bounded(jsonschema: Any, kind: Any, steps: Iterator[int]) -> Any:
    """The same draft, each of whose keywords takes a step."""
    made = {name: partial(_step, steps, keyword) for name, keyword in kind.VALIDATORS.items()}
    for name in _BY_NAME & made.keys():
        made[name] = partial(_by_name, steps, kind.VALIDATORS[name])
    error = jsonschema.ValidationError
    for name, keyword in (("pattern", _pattern), ("uniqueItems", _unique)):
        if name in made:
            made[name] = partial(_step, steps, partial(keyword, error))
    return jsonschema.validators.extend(kind, made)


def _step(
    steps: Iterator[int], keyword: Callable[..., Any], validator: Any, value: Any, instance: Any,
    schema: Any,
) -> Iterator[Any]:  # fmt: skip
    go_on()
    if next(steps) > STEPS:
        raise _TooMuch(
            f"it takes more than {STEPS:,} steps: make the payload smaller, or its schema simpler "
            "(an anyOf within itself takes twice as long at each level)"
        )
    return keyword(validator, value, instance, schema) or iter(())


def _by_name(
    steps: Iterator[int], keyword: Callable[..., Any], validator: Any, value: Any, instance: Any,
    schema: Any,
) -> Iterator[Any]:  # fmt: skip
    """A keyword that tries expressions on the names of members: none of these may take too long."""
    named = schema.get("patternProperties")
    if isinstance(named, dict) and isinstance(instance, dict):
        for expression in named:
            for name in instance:
                _tried(expression, name)
    return _step(steps, keyword, validator, value, instance, schema)


def _pattern(
    error: Any, validator: Any, expression: str, instance: Any, _schema: Any
) -> Iterator[Any]:  # fmt: skip
    if validator.is_type(instance, "string") and not _tried(expression, instance):
        yield error(f"{instance!r} does not match {expression!r}")


def _tried(expression: str, text: str) -> bool:
    try:
        return found(expression, text)
    except TooHard as error:
        raise _TooMuch(
            f"the expression {expression!r:.100} is not tried on a text of {len(text):,} characters: "
            f"{error}; write it without a repeat inside of a repeat, or bound the text by maxLength"
        ) from None


def _unique(error: Any, validator: Any, asked: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    """Each item is looked at once, where jsonschema compares objects each with each."""
    if not asked or not validator.is_type(instance, "array"):
        return
    if len(set(map(_same, instance))) < len(instance):
        yield error(f"{instance!r} has non-unique elements")


def _same(value: Any) -> Any:
    """What equals for two values when JSON says that they are the same: 1 is 1.0, and true is not 1."""
    if isinstance(value, dict):
        return "object", frozenset((key, _same(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_same, value))
    return isinstance(value, bool), value


# ── jsonschema ────────────────────────────────────────────────────────────────────────────────


def _kind(jsonschema: Any, json_schema: Any) -> Any:
    """The draft that the schema names, else the newest."""
    newest = jsonschema.Draft202012Validator
    return jsonschema.validators.validator_for(json_schema, default=newest)


def _fault(error: Any) -> str:
    text = str(error.message)
    return f"{error.json_path}: {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}"


def _load() -> Any:
    try:
        import jsonschema
    except ImportError:
        raise MissingExtra(
            "event schemas need the package jsonschema: pip install 'outeract-core[schema]'"
        ) from None
    return jsonschema
