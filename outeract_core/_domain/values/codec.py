"""Values to text and back: JSON that SQLite can hold, identifiers that a column can hold.

Knows: JSON, surrogates, NUL, 64-bit integers.
Does not know: what the values mean.
"""

from __future__ import annotations

import json
import json.encoder
import re
from collections.abc import Callable
from typing import Any

from .quick import quick

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _encoder() -> Callable[[Any], str]:
    """What `JSONEncoder.encode` does, without making its machine anew for each value: that takes longer than
    a message. Only CPython has the machine.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _PLAIN.encode
    text = json.encoder.encode_basestring
    machine = make(None, _PLAIN.default, text, None, ":", ",", False, False, False)
    return lambda value: "".join(machine(value, 0))


_encode = _encoder()
_encode_ascii = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


_BYTES = (bytes, bytearray, memoryview)
DEEPEST = 500
"""Levels of nesting that are stored: SQLite reads 1000, Python's parser as many as the stack has left."""
_DEEPER = f"it is nested deeper than {DEEPEST} levels"


def encode(value: Any) -> str:
    """`value` as compact JSON text.

    Raises ValueError or TypeError for what JSON cannot say, and for what is nested too deeply.
    """
    try:
        text = _encode(value)
    except RecursionError as error:
        raise ValueError(f"{_DEEPER}, or holds itself") from error
    if len(text) > DEEPEST and _may_be_deep(text):
        _check_depth(value)
    return text if text.isascii() or storable(text) else _encode_ascii(value)


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > DEEPEST


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(_DEEPER)
        inner = (v.values() if isinstance(v, dict) else v for v in level if _holds(v))
        level = [one for values in inner for one in values if _holds(one)]


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list | tuple)


_LONG_NUMBER = re.compile(r"[0-9]{4300}")
"""More digits than Python turns into a number (`sys.set_int_max_str_digits`)."""


def harmless(text: str) -> bool:
    """Whether JSON can be read back wherever it is asked for: not too deep, no number too long.

    Text that is no JSON at all is not found out here.
    """
    if len(text) <= DEEPEST:
        return True
    if len(text) > 4300 and _LONG_NUMBER.search(text):
        return False
    if _may_be_deep(text):
        try:
            _check_depth(json.loads(text))
        except (ValueError, RecursionError):
            return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


decode = json.JSONDecoder(parse_constant=_no_constant).decode
"""The value of strict JSON. Raises ValueError, RecursionError."""
_lengths = json.JSONDecoder(parse_constant=_no_constant, parse_int=len, parse_float=len)
_scan = _lengths.scan_once  # type: ignore[attr-defined] # as `decode`, in one call


def decode_roughly(text: str) -> Any:
    """As `decode`, but a whole number of more than 64 bits may have become a float."""
    fast = quick()
    if fast is not None:
        try:
            return fast.read(text)
        except fast.refuses:
            pass
    return decode(text)


def is_json(text: str) -> bool:
    """Whether `text` is strict JSON, however long its numbers are."""
    fast = quick()
    if fast is not None:
        try:
            fast.look(text)
        except fast.refuses:
            pass
        else:
            return True
    return _is_scanned(text)


def _is_scanned(text: str) -> bool:
    try:
        if _scan(text, 0)[1] == len(text):
            return True
    except StopIteration:
        pass  # there may be spaces before it
    except (ValueError, RecursionError):
        return False
    return _is_spaced(text)


def _is_spaced(text: str) -> bool:
    try:
        _lengths.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def readable(text: str) -> bool:
    """Whether `text` is strict JSON that can be read back."""
    return is_json(text) and harmless(text)


def storable(text: str) -> bool:
    """Whether `text` can be written as UTF-8 (no lone surrogate)."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def encode_raw(raw: Any) -> str | None:
    """A fact's `raw` as JSON text: bytes of JSON as they came, values encoded."""
    if raw is None:
        return None
    if isinstance(raw, _BYTES):
        try:
            text = bytes(raw).decode()
        except UnicodeDecodeError:
            return encode(json.loads(bytes(raw)))
        if len(text) > DEEPEST and _may_be_deep(text):
            _check_depth(json.loads(text))
        return text
    return encode(raw)


def clean(text: str | None) -> str | None:
    """A name for a column: what cannot be stored becomes U+FFFD."""
    return None if text is None else _UNSTORABLE.sub("\ufffd", text)


def identifier(value: str | int) -> str | int:
    """An external id for a column, never confusing two that differ."""
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if storable(value) and "\0" not in value:
        return value
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def text_id(value: str) -> str:
    """`identifier` for what is text."""
    return str(identifier(value))
