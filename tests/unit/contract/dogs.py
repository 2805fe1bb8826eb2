"""A document of dogs, for the tests of what documents are made into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import Document
from lago_mock.contract.operation import Operation
from lago_mock.wire import JSONObject

FILE = Path("document.yaml")
DOG: JSONObject = {
    "type": "object",
    "minProperties": 1,
    "required": ["name", "owner"],
    "properties": {
        "name": {"type": "string", "maxLength": 5, "x-lago-blank": "error"},
        "age": {"type": "integer", "minimum": 0},
        "owner": {"type": "string"},
        "chip": {"type": "string", "x-lago-premium": True},
        "tags": {"type": "array", "items": {"enum": ["good", "bad"]}},
        "home": {"type": "object", "minProperties": 1, "properties": {"city": {"type": "string"}}},
    },
}


def body(schema: Any) -> JSONObject:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def rooted(schema: Any) -> JSONObject:
    return {"type": "object", "required": ["dog"], "properties": {"dog": schema}}


def contract(*, handled: frozenset[str] | None = None, **operation: Any) -> Contract:
    """Compile a document whose only operation is `createDog`."""
    components = operation.pop("components", {})
    paths = {"/dogs": {"post": {"operationId": "createDog", **operation}}}
    document = Document({"openapi": "3.1.0", "paths": paths, "components": components}, FILE, {})
    return Contract(document, handled)


def create_dog(**operation: Any) -> Operation:
    return contract(**operation).operations["createDog"]


def licensed(_feature: str | bool) -> bool:
    return True
