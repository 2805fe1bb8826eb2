from __future__ import annotations

import json
from pathlib import Path

import pytest

from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import Document, DocumentError, load_document
from lago_mock.contract.operation import Judged
from lago_mock.wire import JSONObject
from tests.unit.contract.dogs import DOG, FILE, body, contract, licensed


def test_operations_without_a_handler_are_routed_and_nothing_more() -> None:
    broken = body({"type": "nonsense", "x-lago-blank": "nonsense"})
    bare = contract(handled=frozenset({"findDog"}), **broken)
    operation = bare.operations["createDog"]
    assert (operation.fields, operation.request, dict(operation.answers)) == (None, None, {})
    assert bare.router.match("POST", "/dogs") == (operation, ())


def test_operation_with_a_handler_is_compiled() -> None:
    assert contract(handled=frozenset({"createDog"}), **body(DOG)).operations["createDog"].fields


def test_contract_is_the_one_that_ships_unless_it_is_called_foreign() -> None:
    document = Document({"paths": {}}, FILE, {})
    assert not Contract(document).foreign
    assert Contract(document, foreign=True).foreign


def test_keys_of_another_era_are_unknown() -> None:
    schema = {"properties": {"now": {"x-lago-era": "current"}, "then": {"x-lago-era": "2023"}}}
    document = Document({"paths": {"/a": {"post": {"operationId": "a", **body(schema)}}}}, FILE, {})
    given = {"now": 1, "then": 2}
    current, old = Contract(document), Contract(document, era="2023")
    assert current.operations["a"].read(given, licensed) == Judged({"now": 1}, (), ("/then",))
    assert old.operations["a"].read(given, licensed) == Judged({"then": 2}, (), ("/now",))


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        pytest.param(
            body({"properties": {"a": {"x-lago-blank": "nil"}}}),
            "x-lago-blank: 'nil' is none of error, keep, null",
            id="extension",
        ),
        pytest.param(body({"type": "nonsense"}), "", id="body's schema"),
        pytest.param(body({"properties": {"a": {"maxLength": "x"}}}), "", id="deeper schema"),
        pytest.param(
            {"responses": {"200": {"content": {"application/json": {"schema": {"type": "x"}}}}}},
            "",
            id="answer's schema",
        ),
        pytest.param(
            {"responses": {"200": {"content": {"application/json": {}}}}}, "", id="no schema"
        ),
    ],
)
def test_rule_that_means_nothing_is_told_with_file_and_place(
    tmp_path: Path, operation: JSONObject, told: str
) -> None:
    paths = {"/dogs": {"post": {"operationId": "createDog", **operation}}}
    file = tmp_path / "document.yaml"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    with pytest.raises(DocumentError) as caught:
        Contract(load_document(file))
    assert (caught.value.file, caught.value.place) == (file, "/paths/~1dogs/post")
    assert told in caught.value.what
    assert "\n" not in str(caught.value)


def test_rule_that_means_nothing_is_told_with_the_fragment_it_stands_in() -> None:
    paths = {"/dogs": {"post": {"operationId": "createDog", **body({"type": "nonsense"})}}}
    document = Document({"paths": paths}, FILE, {"createDog": Path("resources/dogs.yaml")})
    with pytest.raises(DocumentError) as caught:
        Contract(document)
    assert caught.value.file == Path("resources/dogs.yaml")


def test_schema_that_refers_to_itself_alone_is_refused() -> None:
    components = {"schemas": {"Dog": {"$ref": "#/components/schemas/Dog"}}}
    with pytest.raises(DocumentError):
        contract(**body({"$ref": "#/components/schemas/Dog"}), components=components)
