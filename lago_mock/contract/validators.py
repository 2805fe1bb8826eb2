"""Judge JSON by a schema of the document: fast when it is valid, with reasons when it is not.

jsonschema words the reasons. It takes 40 ms to import, so that comes with the first refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jsonschema_rs

from lago_mock.contract.formats import FORMATS, format_checker
from lago_mock.wire import JSON, JSONObject

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry

_WRITTEN = ("date", "date-time", "uuid")
_URI = "urn:lago-mock:document"


@dataclass(frozen=True)
class Violation:
    """One keyword that a value breaks: where the value is, and the schema that says so."""

    path: tuple[str | int, ...]
    keyword: str
    expected: Any
    instance: JSON
    message: str


class Schemas:
    """Makes the validators of one document; its references are resolved in the whole of it."""

    def __init__(self, tree: JSONObject) -> None:
        self._tree = tree
        self._fast = jsonschema_rs.Registry([(_URI, tree)], draft=jsonschema_rs.Draft202012)

    def validator(self, place: str, *, own: bool = False) -> Validator:
        """Return the validator of the schema at a JSON pointer.

        `own` is for what we wrote ourselves: times and ids are then judged by the engine, which
        takes a tenth of a call of ours, and differs on texts that we never write.

        Raises:
            ValueError: the schema is no valid JSON Schema.
        """
        schema = {"$ref": f"{_URI}#{quote(place, safe='/~')}"}
        formats = {
            name: accepts for name, accepts in FORMATS.items() if not (own and name in _WRITTEN)
        }
        fast = jsonschema_rs.Draft202012Validator(
            schema, registry=self._fast, formats=formats, validate_formats=True
        )
        return Validator(self, schema, fast)

    @cached_property
    def registry(self) -> Registry[Any]:
        """The document as jsonschema wants it; made when the first refusal must be explained."""
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        resource = DRAFT202012.create_resource(self._tree)
        empty: Registry[Any] = Registry()
        registry: Registry[Any] = empty.with_resource(_URI, resource)
        return registry

    @cached_property
    def formats(self) -> FormatChecker:
        """The formats as jsonschema wants them."""
        return format_checker()


class Validator:
    """Judges values by one schema."""

    def __init__(self, schemas: Schemas, schema: JSONObject, fast: Any) -> None:
        self._schemas = schemas
        self._schema = schema
        self.is_valid = fast.is_valid

    @cached_property
    def _judge(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(
            self._schema,
            registry=self._schemas.registry,
            format_checker=self._schemas.formats,
        )

    def violations(self, value: JSON) -> Iterator[Violation]:
        """Yield each keyword that the value breaks; nothing when it is valid.

        jsonschema's verdict counts where the two engines differ.
        """
        if self.is_valid(value):
            return
        for error in self._judge.iter_errors(value):
            yield Violation(
                tuple(error.absolute_path),
                str(error.validator),
                error.validator_value,
                error.instance,
                error.message,
            )


def fitting(schema: JSONObject) -> Callable[[JSON], bool]:
    """Return what tells whether values fit a schema of Draft 4 that stands alone."""
    fits: Callable[[JSON], bool] = jsonschema_rs.Draft4Validator(schema).is_valid
    return fits
