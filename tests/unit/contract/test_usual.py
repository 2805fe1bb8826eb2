from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lago_mock.app import load_contract
from lago_mock.contract.contract import Contract
from lago_mock.contract.fields import Field, FieldCompiler, Permit
from lago_mock.contract.usual import licences_in, usual_schema
from lago_mock.contract.validators import fitting
from lago_mock.resources import load_resources
from lago_mock.wire import JSON, JSONObject

TEXT: JSONObject = {"type": "string"}
OBJECT: JSONObject = {"type": "object", "properties": {"a": TEXT}}
LIST: JSONObject = {"type": "array", "items": TEXT}


def of(schema: JSONObject) -> JSONObject:
    return {"type": "object", "properties": {"a": schema}}


def is_usual(schema: JSONObject, value: JSON) -> bool:
    return fitting(usual_schema(FieldCompiler({}).compile(of(schema))))({"a": value})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(TEXT, "a b ", id="text"),
        pytest.param(TEXT, "é\n", id="text of any letters"),
        pytest.param(TEXT, None, id="null that clears"),
        pytest.param(TEXT | {"x-lago-clean": ["upcase"]}, "DK-1", id="upper case"),
        pytest.param(TEXT | {"x-lago-clean": ["strip", "downcase"]}, "a-1", id="lower case"),
        pytest.param(TEXT | {"x-lago-clean": ["email"]}, "a@b.example", id="address"),
        pytest.param({"type": "integer"}, 2**70, id="whole number"),
        pytest.param({"type": "number"}, 1.0, id="number"),
        pytest.param({"type": "boolean"}, False, id="boolean"),
        pytest.param({"type": ["string", "integer"]}, 1.5, id="one of several types"),
        pytest.param(OBJECT, {"a": "b"}, id="object"),
        pytest.param(LIST, ["a"], id="list"),
        pytest.param({"type": "array", "items": OBJECT}, [{}, {"a": "b"}], id="objects"),
        pytest.param({"type": "array"}, [[1], None, {}], id="list of anything"),
        pytest.param({}, {"b": [None]}, id="anything"),
    ],
)
def test_what_a_column_keeps_as_it_comes_is_usual(schema: JSONObject, value: JSON) -> None:
    assert is_usual(schema, value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(TEXT, "", id="empty text"),
        pytest.param(TEXT, "\u3000a", id="space first"),
        pytest.param(TEXT, "a\0", id="NUL"),
        pytest.param(TEXT, 1, id="number for text"),
        pytest.param(TEXT | {"x-lago-null": "keep"}, None, id="null that keeps"),
        pytest.param(TEXT | {"x-lago-null": "reset:a"}, None, id="null that resets"),
        pytest.param(TEXT | {"x-lago-blank": "error"}, None, id="null where none may be"),
        pytest.param(TEXT | {"x-lago-clean": ["upcase"]}, "dk", id="lower case to raise"),
        pytest.param(TEXT | {"x-lago-clean": ["downcase"]}, "DK", id="upper case to lower"),
        pytest.param(TEXT | {"x-lago-clean": ["strip"]}, "a ", id="space last"),
        pytest.param(TEXT | {"x-lago-clean": ["email"]}, "a@b.example\u200b", id="hidden letter"),
        pytest.param({"type": "integer"}, 1.0, id="fraction of nothing"),
        pytest.param({"type": "integer"}, True, id="true for a number"),
        pytest.param({"type": "number"}, 1, id="whole number for any"),
        pytest.param({"type": "boolean"}, 1, id="number for a boolean"),
        pytest.param(OBJECT, {}, id="empty object"),
        pytest.param(OBJECT, {"b": 1}, id="unknown key"),
        pytest.param(OBJECT, None, id="null for an object"),
        pytest.param(LIST, [["a"]], id="list in a list"),
        pytest.param(LIST | {"items": LIST}, [[]], id="list in a list that has them"),
        pytest.param(LIST, None, id="null for a list"),
        pytest.param(LIST, {"0": "a"}, id="object for a list"),
    ],
)
def test_what_a_column_changes_drops_or_refuses_is_not_usual(
    schema: JSONObject, value: JSON
) -> None:
    assert not is_usual(schema, value)


def test_licenses_are_those_of_all_keys_however_deep() -> None:
    schema = of({"type": "array", "items": of(TEXT | {"x-lago-premium": "okta"})})
    schema["properties"]["b"] = TEXT | {"x-lago-premium": True}
    assert set(licences_in(FieldCompiler({}).compile(schema))) == {"okta", True}


@cache
def contract() -> Contract:
    return load_contract(load_resources())


@cache
def fields_of(operation_id: str) -> Field:
    fields = contract().operations[operation_id].fields
    assert fields is not None
    return fields


EDGES: list[JSON] = [None, True, False, 0, 1, 1.0, 1.5, -3, 2**64, [], ["a"], [None], [1, "b"], {}]
EDGES += [
    "a",
    "A",
    " a",
    "a ",
    "",
    "\0",
    "a\0",
    "é",
    "DK",
    "dk",
    "a-1",
    "a@b.example",
    "\u3000",
    "1",
]


def usual(schema: JSONObject) -> st.SearchStrategy[Any]:
    """Return values that are usual by a schema."""
    if "properties" in schema:
        (first, value), *others = ((key, usual(each)) for key, each in schema["properties"].items())
        return st.fixed_dictionaries({first: value}, optional=dict(others))
    if schema.get("items", {}).get("properties"):
        return st.lists(usual(schema["items"]), max_size=2)
    return st.sampled_from(list(filter(fitting(schema), EDGES)))


@cache
def bodies(operation_id: str) -> st.SearchStrategy[Any]:
    return usual(usual_schema(fields_of(operation_id)))


WITH_BODIES = [
    "createCustomer",
    "updateOrganization",
    "createTax",
    "createBillingEntity",
    "createWebhookEndpoint",
]


@pytest.mark.parametrize("operation_id", WITH_BODIES)
@given(data=st.data())
def test_a_permit_gives_a_usual_body_back_as_it_came(
    operation_id: str, data: st.DataObject
) -> None:
    body = data.draw(bodies(operation_id))
    permit = Permit(lambda _feature: True)
    read = permit.object(fields_of(operation_id), body, ())
    assert repr(read) == repr(body)  # 1 equals 1.0 and True, and is neither
    assert (permit.problems, permit.unknown) == ([], [])
