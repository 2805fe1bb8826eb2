"""Which bodies a permit gives back just as they came, said as a schema.

A schema engine answers that in a fifth of the time that the permit takes. Nearly every body is
usual: no key is unknown, nothing is coerced, cleaned, dropped or refused. What the body breaks is
another question, and the document's to answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.contract.fields import Field
from lago_mock.contract.values import SPACES
from lago_mock.wire import JSONObject

_TEXT: Final = rf"^[^\x00{SPACES}][^\x00]*$"
"""Text that is not blank and holds no NUL; it may end in spaces, which no column cuts."""

_CLEAN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nul": _TEXT,
        "upcase": r"^[!-`{-~]+$",
        "downcase": r"^[!-@\[-~]+$",
        "strip": r"^[!-~]+$",
        "email": r"^[!-~]+$",
    }
)
"""Text that a step of cleaning certainly leaves alone: that of visible ASCII, of one case."""

_SCALARS: Final = ("string", "integer", "number", "boolean")


def usual_schema(spec: Field) -> JSONObject:
    """Return the schema, of Draft 4, of the values that a fully licensed permit leaves alone.

    In that draft 1.0 is no whole number: a column of whole numbers makes it 1.
    """
    if spec.kind == "any":
        return {}
    if spec.kind == "object":
        return {**_object(spec), "minProperties": 1}  # an empty one is dropped
    null = ["null"] if spec.null == "clear" and spec.blank != "error" else []
    if spec.kind == "array":
        items = spec.items or Field(spec.name)
        return {"type": ["array", *null], "items": _item(items)}
    kinds = _SCALARS if spec.kind == "scalar" else (spec.kind,)
    schema: JSONObject = {"type": [*kinds, *null], "allOf": [{"pattern": _TEXT}]}
    schema["allOf"] += [{"pattern": _CLEAN[step]} for step in spec.clean if step != "nul"]
    if spec.kind == "number":
        schema["not"] = {"type": "integer"}  # it becomes a float
    return schema


def _item(spec: Field) -> JSONObject:
    if spec.kind == "array":
        return {"not": {}}  # a list in a list has the whole of it dropped
    return _object(spec) if spec.kind == "object" else usual_schema(spec)


def _object(spec: Field) -> JSONObject:
    properties = {key: usual_schema(each) for key, each in spec.properties.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def licences_in(spec: Field) -> Iterator[str | bool]:
    """Yield what the keys of a body need a license for; without it they are dropped."""
    if spec.premium:
        yield spec.premium
    for each in (*spec.properties.values(), *([spec.items] if spec.items else ())):
        yield from licences_in(each)
