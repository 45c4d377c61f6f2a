"""What an answer has to look like, and the difference to what came, as a person reads it."""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

SHOWN = 64
"""So many characters of a value are shown."""


@dataclass(frozen=True)
class Kind:
    """A kind of value: how people call it, and whether a value is one."""

    name: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True)
class OrNull:
    """A shape, or null in its place."""

    shape: "Shape"


Shape: TypeAlias = "Kind | OrNull | Mapping[str, Shape]"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(base64.b64decode(value, validate=True))
    except binascii.Error:
        return False


TEXT = Kind("text", lambda value: isinstance(value, str) and bool(value))
URI = Kind(
    "azure://container/blob", lambda value: isinstance(value, str) and bool(re.fullmatch(r"azure://[^/]+/.+", value))
)
PIXELS = Kind("a whole number of pixels", lambda value: type(value) is int and value >= 1)
NUMBER = Kind("a number", _number)
SHARE = Kind("a number from 0 to 1", lambda value: _number(value) and 0 <= value <= 1)
RATIO = Kind("a number of 0 or more", lambda value: _number(value) and value >= 0)
BOOLEAN = Kind("true or false", lambda value: isinstance(value, bool))
BASE64 = Kind("base64", _base64)


def one_of(*values: str) -> Kind:
    """Return the kind that has these values alone."""
    return Kind(" | ".join(json.dumps(value) for value in values), lambda value: value in values)


def difference(shape: Shape, found: Any) -> list[str]:
    """Return nothing when the value fits, else the whole value with `-` before what was due and `+` before what came.

    Fields that the contract does not know are allowed: they are marked only where a field is missing, since one of them
    may be it under another name.
    """
    lines, fits = _compare(shape, found, "", "  ")
    return [] if fits else lines


def _compare(shape: Shape, found: Any, label: str, indent: str) -> tuple[list[str], bool]:
    if isinstance(shape, OrNull):
        if found is None:
            return [f"  {indent}{label}null"], True
        if not isinstance(shape.shape, Mapping) or isinstance(found, dict):
            return _compare(shape.shape, found, label, indent)
    if isinstance(shape, Mapping) and isinstance(found, dict):
        return _compare_objects(shape, found, label, indent)
    if isinstance(shape, Kind) and shape.accepts(found):
        return [f"  {indent}{label}{_show(found)}"], True
    return [f"- {indent}{label}{_due(shape)}", f"+ {indent}{label}{_show(found)}"], False


def _compare_objects(
    shape: Mapping[str, Shape], found: dict[str, Any], label: str, indent: str
) -> tuple[list[str], bool]:
    lines, fits = [f"  {indent}{label}{{"], True
    inner = indent + "  "
    for name, field in shape.items():
        if name not in found:
            lines.append(f"- {inner}{json.dumps(name)}: {_due(field)}")
            fits = False
            continue
        more, fit = _compare(field, found[name], f"{json.dumps(name)}: ", inner)
        lines += more
        fits = fits and fit
    missing = shape.keys() - found.keys()
    for name in found.keys() - shape.keys():
        mark, note = ("+", "") if missing else (" ", "   (not in the contract)")
        lines.append(f"{mark} {inner}{json.dumps(name)}: {_show(found[name])}{note}")
    return [*lines, f"  {indent}}}"], fits


def _due(shape: Shape) -> str:
    if isinstance(shape, OrNull):
        return f"{_due(shape.shape)} or null"
    if isinstance(shape, Kind):
        return shape.name
    return "{" + ", ".join(f"{json.dumps(name)}: {_due(field)}" for name, field in shape.items()) + "}"


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … ({len(text)} characters)"
