from __future__ import annotations

from typing import Any

import pytest

from lago_mock.contract.validators import Schemas, Validator, Violation
from lago_mock.wire import JSON, JSONObject


def validator(schema: JSONObject | bool, **definitions: JSONObject) -> Validator:
    return Schemas({"body": schema, "definitions": definitions}).validator("/body")


def test_valid_value_has_no_violations() -> None:
    judge = validator({"type": "string"})
    assert judge.is_valid("x")
    assert list(judge.violations("x")) == []


def test_violation_tells_where_what_and_why() -> None:
    schema = {"properties": {"list": {"items": {"enum": ["a", "b"]}}}}
    judge = validator(schema)
    value = {"list": ["a", {"c": 1}]}
    assert not judge.is_valid(value)
    assert list(judge.violations(value)) == [
        Violation(
            path=("list", 1),
            keyword="enum",
            expected=["a", "b"],
            instance={"c": 1},
            message="{'c': 1} is not one of ['a', 'b']",
        )
    ]


def test_every_violation_is_told() -> None:
    judge = validator({"required": ["a", "b"], "minProperties": 1})
    assert [(each.keyword, each.expected) for each in judge.violations({})] == [
        ("required", ["a", "b"]),
        ("required", ["a", "b"]),
        ("minProperties", 1),
    ]


def test_false_as_a_schema_refuses_everything() -> None:
    judge = validator(False)
    assert [(each.path, each.keyword) for each in judge.violations(1)] == [((), "None")]


def test_references_lead_into_the_whole_document() -> None:
    judge = validator({"$ref": "#/definitions/name"}, name={"type": "string"})
    assert judge.is_valid("x")
    assert [each.keyword for each in judge.violations(5)] == ["type"]


@pytest.mark.parametrize(
    ("step", "key"),
    [
        pytest.param("/~1a~1{b}", "/a/{b}", id="path template"),
        pytest.param("/application~1json", "application/json", id="media type"),
        pytest.param("/~0a", "~a", id="tilde"),
        pytest.param("/50%", "50%", id="percent"),
        pytest.param("/%25", "%25", id="looks escaped"),
        pytest.param("/a b#c?d", "a b#c?d", id="space, hash and question mark"),
        pytest.param("/größe", "größe", id="beyond ASCII"),
    ],
)
def test_any_key_may_stand_in_the_pointer(step: str, key: str) -> None:
    judge = Schemas({"paths": {key: {"schema": {"type": "string"}}}}).validator(
        f"/paths{step}/schema"
    )
    assert judge.is_valid("x")
    assert [each.keyword for each in judge.violations(1)] == ["type"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("2026-02-30T00:00:00Z", "date-time", id="date-time"),
        pytest.param("5a0f4c1e", "uuid", id="uuid"),
        pytest.param("ftp://a.example", "uri", id="uri"),
        pytest.param("a.example", "email", id="email"),
        pytest.param("A", "slug", id="slug"),
    ],
)
def test_formats_are_asserted(text: str, name: str) -> None:
    judge = validator({"format": name})
    assert [(each.keyword, each.expected) for each in judge.violations(text)] == [("format", name)]
    assert judge.is_valid(5)


@pytest.mark.parametrize(
    ("name", "text", "passes"),
    [
        pytest.param("date-time", "2026-11-22T09:30:00Z", True, id="time"),
        pytest.param("date-time", "2026-11-22T09:30:00.125Z", True, id="time with a fraction"),
        pytest.param("date-time", "2026-11-22 09:30", False, id="no time"),
        pytest.param("uuid", "5a0f4c1e-9d3b-4e67-8c52-7b1f60d2a9e4", True, id="id"),
        pytest.param("uuid", "5a0f4c1e", False, id="no id"),
        pytest.param("email", "a@b.example", True, id="address"),
        pytest.param("email", "a.example", False, id="no address"),
    ],
)
def test_what_we_write_ourselves_is_judged_alike(name: str, text: str, passes: bool) -> None:
    judge = Schemas({"answer": {"format": name}}).validator("/answer", own=True)
    assert judge.is_valid(text) is passes
    assert (list(judge.violations(text)) == []) is passes


def test_format_that_is_not_ours_is_not_judged() -> None:
    assert list(validator({"format": "hostname"}).violations("not a host")) == []


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "text"}, id="no such type"),
        pytest.param({"type": 5}, id="type that is no text"),
        pytest.param({"required": "a"}, id="required that is no list"),
        pytest.param({"properties": {"a": {"minimum": "0"}}}, id="deeper"),
        pytest.param("string", id="text"),
    ],
)
def test_schema_that_is_none_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        validator(schema)


def test_pointer_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="/nowhere"):
        Schemas({}).validator("/nowhere")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(value, id=f"{value!r:.20}")
        for value in (2**63, -(2**63) - 1, 10**40, -(10**400))
    ],
)
def test_whole_numbers_beyond_64_bits_are_judged(value: JSON) -> None:
    judge = validator({"type": "integer", "minimum": 0, "maximum": 2147483647})
    assert [each.keyword for each in judge.violations(value)] in (["minimum"], ["maximum"])


def test_jsonschema_has_the_last_word_on_what_the_fast_engine_refuses() -> None:
    judge = validator({"pattern": "^a$"})
    assert not judge.is_valid("a\n")
    assert list(judge.violations("a\n")) == []


def test_validators_of_one_document_share_their_registry_and_formats() -> None:
    schemas = Schemas({"a": {"type": "string"}, "b": {"type": "integer"}})
    registry, formats = schemas.registry, schemas.formats
    for place in ("/a", "/b"):
        assert len(list(schemas.validator(place).violations(None))) == 1
    assert schemas.registry is registry
    assert schemas.formats is formats
