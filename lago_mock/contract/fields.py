"""What a request body may hold: the permitted keys, how each is read, what its errors are called.

Compiled from the body's schema and the `x-lago-` extensions on it.

Permitting and coercion follow Rails' strong parameters and column types (lago-api:
app/controllers/api/v1/customers_controller.rb); what a value then breaks is the schema's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from lago_mock.contract.formats import FORMATS
from lago_mock.contract.validators import Violation
from lago_mock.contract.values import (
    CLEANERS,
    clean,
    is_blank,
    to_boolean,
    to_integer,
    to_number,
    to_text,
)
from lago_mock.errors import Problem
from lago_mock.pointers import resolve
from lago_mock.wire import JSON, JSONObject

Kind = Literal["object", "array", "string", "integer", "number", "boolean", "scalar", "any"]
"""What a schema holds: `scalar` is more than one of the four, read as it was sent."""

Licensed = Callable[[str | bool], bool]

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "blank": "value_is_mandatory",
        "required": "value_is_mandatory",
        "not": "value_is_reserved",
        "minimum": "value_is_out_of_range",
        "maximum": "value_is_out_of_range",
        "exclusiveMinimum": "value_is_out_of_range",
        "exclusiveMaximum": "value_is_out_of_range",
        "minLength": "value_is_too_short",
        "maxLength": "value_is_too_long",
        "format email": "invalid_email_format",
        "format uri": "url_is_invalid",
        "type integer": "is not a number",
        "type number": "is not a number",
        "additionalProperties": "unknown_field",
        "unevaluatedProperties": "unknown_field",
    }
)
"""Lago's words for broken keywords (lago-api: config/locales/en.yml); all else is
`value_is_invalid`."""

_ABSENT: Final = object()
_DEEPEST: Final = 50
_ERAS: Final = ("current", "2023")
_TEXT_METHODS: Final = frozenset({"upcase", "downcase", "strip"})
_SCALARS: Mapping[Kind, Callable[[Any], JSON]] = MappingProxyType(
    {"string": to_text, "integer": to_integer, "number": to_number, "boolean": to_boolean}
)


@dataclass(frozen=True)
class Field:
    """One value of a body: a scalar, an object or an array of these."""

    name: str
    kind: Kind = "any"
    properties: Mapping[str, Field] = field(default_factory=dict)
    items: Field | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    clean: tuple[str, ...] = ()
    blank: Literal["null", "keep", "error"] = "keep"
    null: str = "clear"
    premium: str | bool = False
    text_format: str = ""
    required: tuple[str, ...] = ()

    def code(self, keyword: str) -> str:
        """Return what `error_details` says when a keyword of this value is broken."""
        detail = {"type": self.kind, "format": self.text_format}.get(keyword)
        return (
            self.codes.get(keyword)
            or self.codes.get("*")
            or WORDS.get(f"{keyword} {detail}")
            or WORDS.get(keyword, "value_is_invalid")
        )

    def at(self, path: tuple[str | int, ...]) -> Field:
        """Return the field that a path leads to, or the last one known on the way."""
        node = self
        for step in path:
            follower = node.items if isinstance(step, int) else node.properties.get(step)
            if follower is None:
                break
            node = follower
        return node


@dataclass
class Permit:
    """One pass over one body: what is permitted comes out, what was dropped is noted.

    `problems` are those that a schema cannot see, since reading the value hides them. `unlicensed`
    tells that a key was dropped for want of a license: it is a known one all the same.
    """

    licensed: Licensed
    unknown: list[tuple[str | int, ...]] = field(default_factory=list)
    unlicensed: bool = False
    problems: list[Problem] = field(default_factory=list)

    def object(self, spec: Field, value: JSONObject, path: tuple[str | int, ...]) -> JSONObject:
        """Return the permitted keys of an object, each value coerced."""
        permitted = {}
        for key, given in value.items():
            known = spec.properties.get(key)
            if known is None:
                self.unknown.append((*path, key))
            elif known.premium and not self.licensed(known.premium):
                self.unlicensed = True
            else:
                read = self._read(known, given, (*path, key))
                if read is not _ABSENT:
                    permitted[key] = read
        return permitted

    def _read(self, spec: Field, value: JSON, path: tuple[str | int, ...]) -> Any:
        if spec.kind == "any":
            return value
        if spec.kind == "object":
            return self._read_object(spec, value, path)
        if spec.kind == "array":
            return self._read_array(spec, value, path)
        return self._read_scalar(spec, value, path)

    def _read_object(self, spec: Field, value: JSON, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return self.object(spec, value, path) if value else _ABSENT
        if "type" in spec.codes and isinstance(value, list) and value:
            self._add(spec, "type", path)
        return _ABSENT

    def _read_array(self, spec: Field, value: JSON, path: tuple[str | int, ...]) -> Any:
        items = spec.items or Field(spec.name)
        if value is None:
            return None if spec.null == "clear" else _ABSENT
        if not isinstance(value, list):
            if "type" in spec.codes or (items.kind == "object" and _is_numbered(value)):
                self._add(spec, "type", path)
            return _ABSENT
        if items.kind == "any":
            return value
        if items.kind == "object":
            objects = [item for item in value if isinstance(item, dict)]
            return [self.object(items, each, (*path, n)) for n, each in enumerate(objects)]
        if any(isinstance(item, dict | list) for item in value):
            return _ABSENT
        return [self._read_scalar(items, item, (*path, n)) for n, item in enumerate(value)]

    def _read_scalar(self, spec: Field, value: JSON, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict | list):
            return _ABSENT
        if isinstance(value, str) and spec.blank != "keep" and is_blank(value):
            return self._read_blank(spec, path)
        if value is None:
            return self._read_null(spec, path)
        if not isinstance(value, str) and _TEXT_METHODS.intersection(spec.clean):
            # Differs from Lago: a number or boolean for a country, default_currency, slug or
            # document_number_prefix is 422; there it is a 500.
            return value
        if isinstance(value, str) and "\0" in value and "nul" not in spec.clean:
            # Differs from Lago: a NUL where it is not dropped is 422; there it is a 500.
            self._add(spec, "format", path)
        read = _SCALARS[spec.kind](value) if spec.kind in _SCALARS else value
        return clean(read, spec.clean) if isinstance(read, str) and spec.clean else read

    def _read_blank(self, spec: Field, path: tuple[str | int, ...]) -> JSON:
        if spec.blank == "null":
            return None
        self._add(spec, "blank", path)
        return ""

    def _read_null(self, spec: Field, path: tuple[str | int, ...]) -> Any:
        if spec.blank == "error":
            return self._read_blank(spec, path)
        if spec.null == "keep":
            return _ABSENT
        return None if spec.null == "clear" else spec.null.removeprefix("reset:")

    def _add(self, spec: Field, keyword: str, path: tuple[str | int, ...]) -> None:
        self.problems.append(Problem(spec.name, spec.code(keyword), keyword, path))


def _is_numbered(value: JSON) -> bool:
    """Tell whether this is an object like `{"0": …}`."""
    # Differs from Lago: an object with numbers for its keys as metadata is 422; there it is a 500.
    return isinstance(value, dict) and bool(value) and all(key.isdecimal() for key in value)


def problem_of(spec: Field, violation: Violation, depth: int = 0) -> list[Problem]:
    """Return a violation in Lago's words; the path loses its first `depth` steps."""
    path = violation.path
    if violation.keyword == "required":
        path = (*path, _missing(violation))
    if violation.keyword in ("additionalProperties", "unevaluatedProperties"):
        known = spec.at(path).properties
        instance = violation.instance if isinstance(violation.instance, dict) else {}
        strangers = [key for key in instance if key not in known]
        return [
            Problem(key, WORDS["additionalProperties"], violation.keyword, (*path, key)[depth:])
            for key in strangers
        ]
    found = spec.at(path)
    name = found.name or str(path[-1] if path else "base")
    return [Problem(name, found.code(violation.keyword), violation.keyword, path[depth:])]


def _missing(violation: Violation) -> str:
    """Return the property that is wanted: jsonschema names it in the message alone."""
    named: list[str] = violation.expected
    return next(name for name in named if violation.message.startswith(repr(name)))


class FieldCompiler:
    """Compiles the schemas of one document to fields, as they are in one era of the API."""

    def __init__(self, tree: JSONObject, era: str = "current") -> None:
        self._tree = tree
        self._era = era

    def compile(
        self, schema: JSONObject | bool, name: str = "", within: tuple[str, ...] = ()
    ) -> Field:
        """Return the field of a schema; where it comes back to itself, anything goes.

        `within` are the references that led here.

        Raises:
            ValueError: an extension has a value that means nothing.
        """
        if isinstance(schema, bool) or schema.get("$ref") in within:
            return Field(name)
        within = (*within, schema["$ref"]) if "$ref" in schema else within
        flat = self.flatten(schema)
        kind = _kind_of(flat)
        cleaners = tuple(_known(flat, "x-lago-clean", [], CLEANERS))
        spec = Field(
            name=flat.get("x-lago-field", name),
            kind=kind,
            codes=self._codes(flat.get("x-lago-code", {})),
            clean=cleaners,
            blank=_one_of(flat, "x-lago-blank", "keep", ("null", "keep", "error")),
            null=_null_of(flat, "keep" if kind in ("object", "array") else "clear"),
            premium=_premium_of(flat),
            text_format=flat.get("format", "") if flat.get("format") in FORMATS else "",
        )
        if "properties" in flat:
            inner = {
                key: self.compile(value, key, within)
                for key, value in flat["properties"].items()
                if isinstance(value, bool) or self._is_of_era(value)
            }
            required = tuple(flat.get("required", ()))
            return replace(spec, properties=MappingProxyType(inner), required=required)
        if spec.kind == "array":
            items = self.compile(flat.get("items", {}), spec.name, within)
            return replace(spec, items=items)
        return spec

    def _is_of_era(self, schema: JSONObject) -> bool:
        era = schema.get("x-lago-era", self._era)
        _known({"x-lago-era": [era]}, "x-lago-era", [], _ERAS)
        return bool(era == self._era)

    def _codes(self, given: str | JSONObject) -> Mapping[str, str]:
        """Return keyword -> code, `*` for all; what the era's name maps to is for all in it."""
        codes = {"*": given} if isinstance(given, str) else dict(given)
        return {**codes, "*": codes[self._era]} if self._era in codes else codes

    def flatten(self, schema: JSONObject, depth: int = 0) -> JSONObject:
        """Return a schema with its reference and its conjunctions laid into one object.

        Raises:
            ValueError: its references go round in a circle.
        """
        if depth > _DEEPEST:
            raise ValueError(f"the reference {schema.get('$ref')} leads back to itself")
        flat: JSONObject = {}
        parts = list(schema.get("allOf", []))
        if "$ref" in schema:
            parts.append(resolve(self._tree, schema["$ref"]))
        for part in parts:
            inner = self.flatten(part, depth + 1)
            properties = {**flat.get("properties", {}), **inner.get("properties", {})}
            flat |= inner
            if properties:
                flat["properties"] = properties
        if "properties" in flat and "properties" in schema:
            schema = {**schema, "properties": {**flat["properties"], **schema["properties"]}}
        return flat | schema


def _kind_of(flat: JSONObject) -> Kind:
    types = flat.get("type", "object" if "properties" in flat else "any")
    if isinstance(types, list):
        named = [name for name in types if name != "null"]
        nested = {"object", "array"}.intersection(named)
        types = named[0] if len(named) == 1 else "any" if nested else "scalar"
    if types == "object" and "properties" not in flat:
        return "any"
    kind: Kind = types
    return kind


def _premium_of(flat: JSONObject) -> str | bool:
    value = flat.get("x-lago-premium", False)
    if not isinstance(value, str | bool):
        raise ValueError(f"x-lago-premium: {value!r} is neither true nor an integration's name")
    return value


def _null_of(flat: JSONObject, default: str) -> str:
    value = flat.get("x-lago-null", default)
    if value not in ("clear", "keep") and not str(value).startswith("reset:"):
        raise ValueError(f"x-lago-null: {value!r} is none of clear, keep, reset:VALUE")
    return str(value)


def _one_of(flat: JSONObject, extension: str, default: str, allowed: tuple[str, ...]) -> Any:
    value = flat.get(extension, default)
    value = "null" if value is None else value
    _known({extension: [value]}, extension, [], allowed)
    return value


def _known(flat: JSONObject, extension: str, default: list[str], allowed: Any) -> list[str]:
    values: list[str] = flat.get(extension, default)
    for value in values:
        if value not in allowed:
            raise ValueError(f"{extension}: {value!r} is none of {', '.join(sorted(allowed))}")
    return values
