"""The webhooks of a document: under which key each type has its object, and what that must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lago_mock.contract.loader import Document, DocumentError
from lago_mock.contract.validators import Schemas, Validator
from lago_mock.pointers import pointer
from lago_mock.wire import JSONObject


@dataclass(frozen=True)
class WebhookType:
    """A type such as `customer.created`; `example` is an object of it, empty for none."""

    name: str
    object_type: str
    validator: Validator
    example: JSONObject

    def problems(
        self, organization_id: str, content: JSONObject
    ) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        """Yield path, keyword and sentence for all that an object has wrong."""
        body = {
            "webhook_type": self.name,
            "object_type": self.object_type,
            "organization_id": organization_id,
            self.object_type: content,
        }
        for violation in self.validator.violations(body):
            yield ("object", *violation.path[1:]), violation.keyword, violation.message


def webhook_types(document: Document, schemas: Schemas) -> Iterator[WebhookType]:
    """Yield the webhooks of a document that say their type and their object's.

    Raises:
        DocumentError: a schema means nothing; names file and JSON pointer.
    """
    for key, item in document.tree.get("webhooks", {}).items():
        media = item.get("post", {}).get("requestBody", {}).get("content", {})
        schema = media.get("application/json", {}).get("schema", {})
        name, object_type = _only(schema, "webhook_type"), _only(schema, "object_type")
        if name is None or object_type is None:
            continue
        place = pointer(
            "webhooks", key, "post", "requestBody", "content", "application/json", "schema"
        )
        try:
            validator = schemas.validator(place)
        except ValueError as error:
            file = document.sources.get(item["post"].get("operationId"), document.file)
            raise DocumentError(file, place, str(error).partition("\n")[0]) from error
        examples = media["application/json"].get("examples", {}).values()
        bodies = [each["value"] for each in examples if "value" in each]
        example = bodies[0].get(object_type, {}) if bodies else {}
        yield WebhookType(name, object_type, validator, example)


def _only(schema: JSONObject, name: str) -> Any:
    """Return the only value that a property can have, None when there are several."""
    spec = schema.get("properties", {}).get(name, {})
    values = spec.get("enum", [spec.get("const")])
    return values[0] if len(values) == 1 else None
