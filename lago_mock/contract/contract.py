"""A document made ready: its operations compiled, and the router that finds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from lago_mock.contract.fields import Field, FieldCompiler
from lago_mock.contract.loader import Document, DocumentError, with_webhooks
from lago_mock.contract.operation import Operation, Parameter
from lago_mock.contract.router import Router
from lago_mock.contract.validators import Schemas, Validator
from lago_mock.contract.webhooks import WebhookType, webhook_types
from lago_mock.pointers import pointer, resolve
from lago_mock.wire import JSONObject


class Contract:
    """A document made ready: its operations by id, and the router that finds them.

    Only operations with a handler are compiled to the full; the others are routed and nothing more.
    """

    def __init__(
        self,
        document: Document,
        handled: frozenset[str] | None = None,
        *,
        foreign: bool = False,
        era: str = "current",
    ) -> None:
        """Compile a document; `handled` are the ids that have a handler, None means all.

        `foreign` marks a document that the user brought: what is answered may break it. `era` is
        `current` or `2023`: fields that the document gives to another one do not exist.

        Raises:
            DocumentError: a schema or an extension means nothing; names file and JSON pointer.
        """
        self.document = document
        self.foreign = foreign
        self.era = era
        self._schemas = Schemas(document.tree)
        self._fields = FieldCompiler(document.tree, era)
        self.operations: Mapping[str, Operation] = MappingProxyType(
            {
                operation["operationId"]: self._compile(path, method, item, operation, handled)
                for path, method, item, operation in document.operations()
            }
        )
        self.router = Router(self.operations.values())

    @cached_property
    def webhooks(self) -> Mapping[str, WebhookType]:
        """The webhooks of the document, by type; compiled when somebody asks for them.

        Raises:
            DocumentError: the webhooks are broken.
        """
        types = webhook_types(self.whole, Schemas(self.whole.tree))
        return MappingProxyType({each.name: each for each in types})

    @cached_property
    def whole(self) -> Document:
        """The document with its webhooks; read when somebody asks for them.

        Raises:
            DocumentError: the webhooks are broken.
        """
        return with_webhooks(self.document) if self.document.file.is_dir() else self.document

    def _compile(
        self,
        path: str,
        method: str,
        item: JSONObject,
        operation: JSONObject,
        handled: frozenset[str] | None,
    ) -> Operation:
        place = ("paths", path, method)
        operation = self._with_answers(operation)
        shared = item.get("parameters", [])
        operation["parameters"] = [*shared, *operation.get("parameters", [])]
        bare = Operation(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            parameters=tuple(part[1:-1] for part in path.split("/") if part.startswith("{")),
            scopes=self._scopes(operation),
            description=operation,
        )
        if handled is not None and bare.id not in handled:
            return bare
        try:
            return self._compile_rules(bare, place)
        except ValueError as error:
            file = self.document.sources.get(bare.id, self.document.file)
            raise DocumentError(file, pointer(*place), str(error).partition("\n")[0]) from error

    def _with_answers(self, operation: JSONObject) -> JSONObject:
        """Return the operation with its references to shared answers resolved."""
        answers = {
            status: self._resolved(answer)
            for status, answer in operation.get("responses", {}).items()
        }
        return {**operation, "responses": answers}

    def _resolved(self, node: JSONObject) -> JSONObject:
        resolved: JSONObject = resolve(self.document.tree, node["$ref"]) if "$ref" in node else node
        return resolved

    def _scopes(self, operation: JSONObject) -> tuple[str, ...]:
        required = operation.get("security", [])
        return tuple(scope for one in required for scopes in one.values() for scope in scopes)

    def _compile_rules(self, bare: Operation, place: tuple[str, ...]) -> Operation:
        answers = {
            int(status): self._schemas.validator(
                self._schema_place(*place, "responses", status), own=True
            )
            for status, answer in bare.description["responses"].items()
            if status.isdecimal() and "application/json" in answer.get("content", {})
        }
        root, fields, request = self._compile_body(bare, place)
        return replace(
            bare,
            root=root,
            fields=fields,
            request=request,
            answers=MappingProxyType(answers),
            query=tuple(self._parameters(bare)),
        )

    def _parameters(self, bare: Operation) -> Iterator[Parameter]:
        for given in map(self._resolved, bare.description.get("parameters", [])):
            if given["in"] == "query":
                schema = self._fields.flatten(given.get("schema", {}))
                name = given["name"].partition("[")[0]
                yield Parameter(name, _shape_of(given["name"], schema), self._choices(schema))

    def _choices(self, schema: JSONObject) -> tuple[str, ...]:
        if schema.get("type") == "boolean":
            return ("true", "false")
        if schema.get("type") == "array":
            return self._choices(self._fields.flatten(schema.get("items", {})))
        return tuple(each for each in schema.get("enum", ()) if each is not None)

    def _schema_place(self, *place: str) -> str:
        """Return the pointer of the schema of an answer or a body; either may be a reference."""
        schema = pointer("content", "application/json", "schema")
        original = resolve(self.document.tree, f"#{pointer(*place)}")
        return str(original.get("$ref", f"#{pointer(*place)}"))[1:] + schema

    def _compile_body(
        self, bare: Operation, place: tuple[str, ...]
    ) -> tuple[str | None, Field | None, Validator | None]:
        body = self._resolved(bare.description.get("requestBody", {}))
        schema = body.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return None, None, None
        fields = self._fields.compile(schema)
        validator = self._schemas.validator(self._schema_place(*place, "requestBody"))
        return _root_of(fields), fields, validator


def _root_of(fields: Field) -> str | None:
    """Return the key that wraps the object: the only property, when it is an object."""
    if len(fields.properties) != 1:
        return None
    name, only = next(iter(fields.properties.items()))
    return name if only.kind == "object" else None


def _shape_of(name: str, schema: JSONObject) -> Literal["scalar", "array", "object"]:
    if name.endswith("[]"):
        return "array"
    return "object" if schema.get("type") == "object" or name.endswith("]") else "scalar"
