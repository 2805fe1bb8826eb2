from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lago_mock.contract.foreign import adopted
from lago_mock.contract.loader import DocumentError, load_document, read_file


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder / "api.yaml"


def of_one_schema(schema: str) -> str:
    return f"openapi: 3.1.0\npaths: {{}}\ncomponents: {{schemas: {{Dog: {schema}}}}}\n"


def schema_of(path: Path) -> Any:
    return load_document(path).tree["components"]["schemas"]["Dog"]


@pytest.mark.parametrize(
    ("schema", "modern"),
    [
        ("{type: string, nullable: true}", {"type": ["string", "null"]}),
        (
            "{type: string, enum: [a], nullable: true}",
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            "{type: string, enum: [a, null], nullable: true}",
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ("{type: string, nullable: false}", {"type": "string"}),
        ("{nullable: true}", {}),
        (
            "{allOf: [{type: string}], nullable: true}",
            {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]},
        ),
    ],
)
def test_nullable_becomes_a_type(tmp_path: Path, schema: str, modern: object) -> None:
    assert schema_of(written(tmp_path, api=of_one_schema(schema))) == modern


def test_other_files_are_laid_in(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        api=of_one_schema("{$ref: 'dogs.yaml#/Hound'}"),
        dogs="Hound: {properties: {mother: {$ref: '#/Hound'}, owner: {$ref: 'man.yaml#/Owner'}}}",
        man="Owner: {properties: {dog: {$ref: 'api.yaml#/components/schemas/Dog'}}}",
    )

    tree = load_document(path).tree

    assert tree["components"]["schemas"]["Dog"] == {"$ref": "#/x-files/0/Hound"}
    hound = tree["x-files"]["0"]["Hound"]["properties"]
    assert hound == {
        "mother": {"$ref": "#/x-files/0/Hound"},
        "owner": {"$ref": "#/x-files/1/Owner"},
    }
    owner = tree["x-files"]["1"]["Owner"]["properties"]
    assert owner == {"dog": {"$ref": "#/components/schemas/Dog"}}


def test_path_items_of_other_files_are_routed(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        api="openapi: 3.0.3\npaths: {/dogs: {$ref: 'paths.yaml#/~1dogs'}, /cats: {}}\n",
        paths="/dogs: {get: {operationId: findAllDogs}}",
    )

    found = [(place, method) for place, method, _, _ in load_document(path).operations()]

    assert found == [("/dogs", "get")]


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, api=of_one_schema("{$ref: 'nowhere.yaml#/Hound'}"))

    with pytest.raises(DocumentError, match=r"nowhere\.yaml: cannot be read"):
        load_document(path)


def test_an_address_is_no_file(tmp_path: Path) -> None:
    path = written(tmp_path, api=of_one_schema("{$ref: 'https://dogs.example/api.yaml#/Dog'}"))

    with pytest.raises(DocumentError, match="leads nowhere"):
        load_document(path)


def test_a_document_of_one_file_gets_no_others(tmp_path: Path) -> None:
    assert adopted(tmp_path / "api.yaml", [{"a": 1}], read_file) == [{"a": 1}]


@pytest.mark.parametrize("item", ["{$ref: 'paths.yaml#/~1cats'}", "{$ref: 'paths.yaml#/a/b'}"])
def test_a_path_item_that_is_nowhere_is_told(tmp_path: Path, item: str) -> None:
    path = written(tmp_path, api=f"openapi: 3.0.3\npaths: {{/dogs: {item}}}\n", paths="{a: x}")

    with pytest.raises(DocumentError, match="leads nowhere"):
        load_document(path)
