from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lago_mock.contract.loader import Document, DocumentError
from lago_mock.contract.validators import Schemas
from lago_mock.contract.webhooks import WebhookType, webhook_types

FILE = Path("api.yaml")


def types_of(tree: dict[str, Any], **sources: Path) -> list[WebhookType]:
    return list(webhook_types(Document(tree, FILE, sources), Schemas(tree)))


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

    (dog,) = types_of(tree)

    assert (dog.name, dog.object_type, dog.example) == ("dog.born", "dog", {"name": "Rex"})


def test_what_an_object_has_wrong_is_said_with_its_place() -> None:
    tree = {"webhooks": {"dog_born": webhook(schema(name={"type": "string"}))}}
    (dog,) = types_of(tree)

    assert dog.example == {}
    assert list(dog.problems("o-1", {"name": "Rex"})) == []
    assert list(dog.problems("o-1", {"name": 1})) == [
        (("object", "name"), "type", "1 is not of type 'string'")
    ]


def test_a_document_may_have_no_webhooks() -> None:
    assert types_of({}) == []


@pytest.mark.parametrize(
    ("named", "file"),
    [
        pytest.param({"operationId": "dogBorn"}, Path("webhooks.yaml"), id="of a fragment"),
        pytest.param({}, FILE, id="without a name"),
    ],
)
def test_a_schema_that_means_nothing_is_told_with_file_and_place(
    named: dict[str, Any], file: Path
) -> None:
    born = webhook(schema(name={"type": "strng"}))
    born["post"] |= named

    with pytest.raises(DocumentError) as caught:
        types_of({"webhooks": {"dog_born": born}}, dogBorn=Path("webhooks.yaml"))

    place = "/webhooks/dog_born/post/requestBody/content/application~1json/schema"
    assert (caught.value.file, caught.value.place) == (file, place)
    assert caught.value.what == "Unexpected type"
