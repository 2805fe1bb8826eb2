from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from lago_mock.admin.endpoint import HANDLERS
from lago_mock.contract.contract import Contract
from lago_mock.contract.formats import FORMATS, format_checker
from lago_mock.contract.loader import Document, load_document, pointer, resolve, with_webhooks
from lago_mock.contract.validators import Schemas, Validator
from lago_mock.contract.webhooks import webhook_types
from lago_mock.data import data_folder
from lago_mock.operations import handlers_of
from lago_mock.resources import load_resources
from lago_mock.wire import JSON, JSONObject

FOLDER = data_folder() / "openapi"
HANDLED: Mapping[str, frozenset[str]] = {
    "lago": frozenset(handlers_of(load_resources())),
    "admin": frozenset(HANDLERS),
}
Place = tuple[str | int, ...]

both = pytest.mark.parametrize("name", ["lago", "admin"])


@cache
def document(name: str) -> Document:
    if name == "lago":
        return with_webhooks(load_document(FOLDER))
    return load_document(FOLDER / "admin.yaml")


@cache
def contract(name: str) -> Contract:
    return Contract(document(name))


@cache
def schemas(name: str) -> Schemas:
    return Schemas(document(name).tree)


@cache
def validator(name: str, place: str) -> Validator:
    return schemas(name).validator(place)


@pytest.mark.parametrize(
    "path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: str(path.relative_to(FOLDER))
)
def test_every_parser_of_yaml_reads_it(path: Path) -> None:
    # The one that is written in Python takes less than the one in C that we read with.
    assert isinstance(yaml.load(path.read_text("utf-8"), yaml.SafeLoader), dict)


def test_each_webhook_of_a_resource_stands_in_the_document_under_its_key() -> None:
    told = [each for resource in load_resources().values() for each in resource.webhooks.items()]
    types = {each.name: each for each in webhook_types(document("lago"), schemas("lago"))}
    expected = [(name, types[name].object_type) for name, _ in told]
    assert [(name, webhook.object_type) for name, webhook in told] == expected
    assert len(expected) == len(dict(expected)) > 0


def nodes(node: Any, place: Place = ()) -> Iterator[tuple[Place, JSONObject]]:
    """Yield every object of a document, examples and values of schemas left out."""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            if key not in ("example", "examples", "enum", "default", "const"):
                yield from nodes(value, (*place, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, (*place, index))


def examples(name: str) -> Iterator[tuple[str, Any]]:
    """Yield the pointer of a schema and an example for it."""
    for place, node in nodes(document(name).tree):
        if "example" in node:
            yield pointer(*place, "schema"), node["example"]
        for each in node.get("examples", {}).values():
            yield pointer(*place, "schema"), each["value"]


def defaults(name: str) -> Iterator[tuple[str, Any]]:
    """Yield the pointer of a schema and its default."""
    for place, node in nodes(document(name).tree):
        if "default" in node and place[-1:] != ("responses",):
            yield pointer(*place), node["default"]


def ids(name: str) -> list[str]:
    return [operation["operationId"] for _, _, _, operation in document(name).operations()]


# As a document


@both
def test_document_is_valid_openapi(name: str) -> None:
    validate(document(name).tree)


@both
def test_documents_are_of_openapi_3_1_and_follow_one_version_of_lago(name: str) -> None:
    tree = document(name).tree
    assert (tree["openapi"], tree["info"]["version"]) == ("3.1.0", "1.51.0")


@both
def test_every_schema_and_every_extension_means_something(name: str) -> None:
    assert list(contract(name).operations) == ids(name)


@both
def test_engines_are_given_no_keyword_that_they_understand_differently(name: str) -> None:
    used = {key for _, node in nodes(document(name).tree) for key in node}
    assert not used & {"pattern", "patternProperties", "multipleOf", "uniqueItems", "contains"}


@both
def test_formats_are_those_that_both_engines_are_given(name: str) -> None:
    schemas_of = [node for _, node in nodes(document(name).tree) if "format" in node]
    assert {node["format"] for node in schemas_of if isinstance(node["format"], str)} <= set(
        FORMATS
    )


@both
def test_every_tag_is_declared_and_used(name: str) -> None:
    declared = [tag["name"] for tag in document(name).tree["tags"]]
    used = {tag for _, _, _, operation in document(name).operations() for tag in operation["tags"]}
    assert sorted(declared) == sorted(used)


# Operations


@both
def test_every_operation_id_is_unique(name: str) -> None:
    assert sorted(ids(name)) == sorted(set(ids(name)))


def test_every_handler_has_its_operation() -> None:
    assert HANDLED["lago"] - set(ids("lago")) == set()


def test_every_admin_operation_has_its_handler_and_every_handler_its_operation() -> None:
    assert HANDLED["admin"] == set(ids("admin"))


def test_operations_without_a_handler_are_those_of_one_file() -> None:
    unmocked = {
        operation_id
        for operation_id in ids("lago")
        if document("lago").sources[operation_id] == FOLDER / "unmocked.yaml"
    }
    assert unmocked == set(ids("lago")) - HANDLED["lago"]


def test_204_operations_are_routed() -> None:
    assert len(ids("lago")) == 204


@both
def test_every_operation_is_found_at_its_own_path(name: str) -> None:
    lost = []
    for operation in contract(name).operations.values():
        values = tuple(f"{parameter}.1" for parameter in operation.parameters)
        path = operation.path
        for parameter, value in zip(operation.parameters, values, strict=True):
            path = path.replace(f"{{{parameter}}}", value)
        if contract(name).router.match(operation.method, path) != (operation, values):
            lost.append(f"{operation.method} {operation.path}")
    assert lost == []


@both
def test_path_parameters_are_declared(name: str) -> None:
    tree = document(name).tree
    for path, _, item, operation in document(name).operations():
        listed = [*item.get("parameters", []), *operation.get("parameters", [])]
        declared = [resolve(tree, each["$ref"]) if "$ref" in each else each for each in listed]
        in_path = [each["name"] for each in declared if each["in"] == "path"]
        assert in_path == [part[1:-1] for part in path.split("/") if part.startswith("{")], path


def test_every_mocked_operation_names_its_permission() -> None:
    modes = {"GET": "read", "POST": "write", "PUT": "write", "DELETE": "write"}
    for operation_id in HANDLED["lago"]:
        operation = contract("lago").operations[operation_id]
        assert [scope.partition(":")[2] for scope in operation.scopes] == [modes[operation.method]]


# Examples


@both
def test_every_example_is_valid(name: str) -> None:
    found = list(examples(name))
    wrong = [
        (place, violation.path, violation.message)
        for place, value in found
        for violation in validator(name, place).violations(value)
    ]
    assert wrong == []
    assert len(found) > 30


@both
def test_every_default_is_valid(name: str) -> None:
    found = list(defaults(name))
    assert [each for each in found if not validator(name, each[0]).is_valid(each[1])] == []
    assert found


@both
def test_every_answer_of_a_mocked_operation_has_an_example(name: str) -> None:
    lacking = [
        f"{operation_id} {status}"
        for operation_id in HANDLED[name]
        for status in contract(name).operations[operation_id].answers
        if contract(name).operations[operation_id].example(status) is None
    ]
    assert lacking == []


@both
def test_every_example_of_an_error_has_the_status_it_stands_under(name: str) -> None:
    checked = 0
    for operation in contract(name).operations.values():
        for status, answer in operation.description["responses"].items():
            for example in (
                answer["content"].get("application/json", {}).get("examples", {}).values()
            ):
                if int(status) >= 400:
                    assert example["value"]["status"] == int(status), operation.id
                    checked += 1
    assert checked > 20


@both
def test_every_example_of_a_request_is_read_without_a_problem(name: str) -> None:
    for operation in contract(name).operations.values():
        content = operation.description.get("requestBody", {}).get("content", {})
        for label, example in content.get("application/json", {}).get("examples", {}).items():
            judged = operation.read(example["value"], lambda _feature: True)
            assert (judged.problems, judged.unknown) == ((), ()), f"{operation.id} {label}"


# Vocabularies


@pytest.mark.parametrize(
    ("vocabulary", "size", "some"),
    [
        pytest.param("Currency", 142, {"EUR", "USD", "JPY", "CLF"}, id="currencies"),
        pytest.param("Country", 250, {"NO", "US", "XK", "AX"}, id="countries"),
        pytest.param("Timezone", 141, {"UTC", "Europe/Kyiv", "Europe/Kiev"}, id="time zones"),
        pytest.param("DocumentLocale", 9, {"en", "pt-BR", "zh-TW"}, id="locales"),
    ],
)
def test_vocabulary_is_whole(vocabulary: str, size: int, some: set[str]) -> None:
    listed = document("lago").tree["components"]["schemas"][f"{vocabulary}OrNull"]["enum"]
    assert listed.count(None) == 1
    values = [value for value in listed if value is not None]
    assert (len(values), len(set(values))) == (size, size)
    assert {type(value) for value in values} == {str}
    assert some <= set(values)


@pytest.mark.parametrize("vocabulary", ["Currency", "Country", "Timezone", "DocumentLocale"])
def test_vocabulary_with_null_and_without_it_differ_in_null_alone(vocabulary: str) -> None:
    strict = validator("lago", f"/components/schemas/{vocabulary}")
    lenient = validator("lago", f"/components/schemas/{vocabulary}OrNull")
    listed = document("lago").tree["components"]["schemas"][f"{vocabulary}OrNull"]["enum"]
    assert [value for value in listed if not strict.is_valid(value)] == [None]
    assert all(map(lenient.is_valid, listed))
    assert not strict.is_valid("nothing of the kind")
    assert not lenient.is_valid("nothing of the kind")


# Both engines


URI = "urn:test:document"
ODD: tuple[JSON, ...] = (
    None, True, False, 0, 1, -1, 0.5, -0.0, 1e300, 2147483647, 2147483648, 2**63, 10**30,
    "", " ", "\0", "EUR", "eur", "NO", "x" * 256, "é" * 300, "a@b.example", "a@b", "NaN",
    "https://a.example", "ftp://a.example", "2026-11-22T09:30:00Z", "2026-02-30T09:30:00Z",
    "5a0f4c1e-9d3b-4e67-8c52-7b1f60d2a9e4", [], [None], [[]], ["x"] * 7, {}, {"x": 1},
)  # fmt: skip


@cache
def explaining(name: str, place: str) -> Draft202012Validator:
    """Return the judge of one schema, made without any code of ours but the formats."""
    resource = DRAFT202012.create_resource(document(name).tree)
    registry: Registry[Any] = Registry().with_resource(URI, resource)
    fragment = place.replace("{", "%7B").replace("}", "%7D")
    return Draft202012Validator(
        {"$ref": f"{URI}#{fragment}"}, registry=registry, format_checker=format_checker()
    )


def containers(value: JSON) -> list[JSONObject | list[Any]]:
    """Return the objects and arrays of a value that have something in them."""
    if not isinstance(value, dict | list) or not value:
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for each in inner for found in containers(each))]


@st.composite
def mutations(draw: st.DrawFn, name: str) -> tuple[str, JSON]:
    """Return the pointer of a schema and an example of it with up to three changes."""
    place, example = draw(st.sampled_from(list(examples(name))))
    value = deepcopy(example)
    odd = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
    for _ in range(draw(st.integers(1, 3))):
        found = containers(value)
        if not found:
            return place, draw(odd)
        target = draw(st.sampled_from(found))
        key: Any = draw(
            st.sampled_from(list(target) if isinstance(target, dict) else range(len(target)))
        )
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            target[key] = deepcopy(draw(odd))
        elif change == "remove":
            del target[key]
        elif isinstance(target, dict):
            target[draw(st.sampled_from(["x", "", "status", "lago_id"]))] = deepcopy(draw(odd))
        else:
            target.append(deepcopy(draw(odd)))
    return place, value


@both
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_both_engines_judge_a_mutated_example_alike(name: str, data: st.DataObject) -> None:
    place, value = data.draw(mutations(name))
    ours = validator(name, place)
    verdict = explaining(name, place).is_valid(value)
    assert ours.is_valid(value) is verdict
    assert (list(ours.violations(value)) == []) is verdict


@both
def test_both_engines_judge_every_example_alike(name: str) -> None:
    for place, value in examples(name):
        verdict = explaining(name, place).is_valid(value)
        assert validator(name, place).is_valid(value) is verdict, place
