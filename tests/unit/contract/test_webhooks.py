from __future__ import annotations

from typing import Any

from lago_mock.contract.validators import Schemas
from lago_mock.contract.webhooks import webhook_types


def webhook(schema: dict[str, Any], **media: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, **media}}
    return {"post": {"requestBody": {"content": content}}}


def schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["dog"],
        "properties": {
            "webhook_type": {"const": "dog.born"},
            "object_type": {"enum": ["dog"]},
            "dog": {"type": "object", "properties": properties},
            **properties,
        },
    }


def test_types_are_those_that_say_which_they_are() -> None:
    body = {"dog": {"name": "Rex"}}
    tree = {
        "webhooks": {
            "dog_born": webhook(
                schema(), examples={"external": {"externalValue": "x"}, "rex": {"value": body}}
            ),
            "no_schema": {"post": {}},
            "several": webhook({"properties": {"webhook_type": {"enum": ["a", "b"]}}}),
        }
    }

    (dog,) = webhook_types(tree, Schemas(tree))

    assert (dog.name, dog.object_type, dog.example) == ("dog.born", "dog", {"name": "Rex"})


def test_what_an_object_has_wrong_is_said_with_its_place() -> None:
    tree = {"webhooks": {"dog_born": webhook(schema(name={"type": "string"}))}}
    (dog,) = webhook_types(tree, Schemas(tree))

    assert dog.example == {}
    assert list(dog.problems("o-1", {"name": "Rex"})) == []
    assert list(dog.problems("o-1", {"name": 1})) == [
        (("object", "name"), "type", "1 is not of type 'string'")
    ]


def test_a_document_may_have_no_webhooks() -> None:
    assert list(webhook_types({}, Schemas({}))) == []
