from __future__ import annotations

import json
from typing import Any

import pytest

from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import Document
from lago_mock.contract.operation import Judged, Operation, Parameter
from lago_mock.errors import BadRequest, Problem
from lago_mock.wire import JSON, JSONObject
from tests.unit.contract.dogs import DOG, FILE, body, create_dog, licensed, rooted


def with_root() -> Operation:
    return create_dog(**body(rooted(DOG)))


def without_root() -> Operation:
    return create_dog(**body(DOG))


def unlicensed(_feature: str | bool) -> bool:
    return False


# Reading a body as Lago does


def test_body_is_permitted_coerced_and_judged() -> None:
    given = {"name": "Rex", "age": "3", "owner": 12, "color": "red", "tags": ["good"]}
    assert with_root().read({"dog": given}, licensed) == Judged(
        {"name": "Rex", "age": 3, "owner": "12", "tags": ["good"]}, (), ("/dog/color",)
    )


def test_body_without_a_root_is_read_whole() -> None:
    judged = without_root().read({"name": "Rex", "owner": "Ann", "a/b~": 1}, licensed)
    assert judged == Judged({"name": "Rex", "owner": "Ann"}, (), ("/a~1b~0",))


@pytest.mark.parametrize("schema", [True, {}, {"type": "object"}, {"type": ["object", "array"]}])
def test_body_that_may_be_anything_has_no_key_that_is_permitted(schema: Any) -> None:
    judged = create_dog(**body(schema)).read({"name": 5}, licensed)
    assert judged == Judged({}, (), ("/name",))


def test_keys_beside_the_root_are_not_looked_at() -> None:
    given = {"name": "Rex", "owner": "Ann"}
    assert with_root().read({"dog": given, "cat": {}}, licensed) == Judged(given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(given, id=json.dumps(given))
        for given in [
            None,
            [],
            [{"dog": {"name": "Rex"}}],
            "dog",
            5,
            {},
            {"cat": {"name": "Rex"}},
            {"dog": None},
            {"dog": {}},
            {"dog": []},
            {"dog": [{"name": "Rex"}]},
            {"dog": ""},
            {"dog": "Rex"},
            {"dog": 5},
            {"dog": True},
            {"dog": False},
            {"dog": {"color": "red"}},
            {"dog": {"color": "red", "home": {}}},
        ]
    ],
)
def test_body_without_a_usable_root_is_a_bad_request(given: JSON) -> None:
    with pytest.raises(BadRequest) as caught:
        with_root().read(given, licensed)
    assert caught.value.root == "dog"


@pytest.mark.parametrize("given", [{}, [], "Rex", None, 5], ids=str)
def test_root_with_nothing_in_it_is_a_bad_request_whatever_the_schema_says(given: JSON) -> None:
    operation = create_dog(**body(rooted({"properties": {"name": {}}})))
    with pytest.raises(BadRequest):
        operation.read({"dog": given}, licensed)


def test_root_with_unlicensed_keys_alone_is_no_bad_request() -> None:
    assert with_root().read({"dog": {"chip": "7"}}, unlicensed) == Judged(
        {},
        (
            Problem("name", "value_is_mandatory", "required", ("name",)),
            Problem("owner", "value_is_mandatory", "required", ("owner",)),
        ),
    )


def test_problem_of_reading_is_told_where_the_schema_finds_none() -> None:
    schema = {"properties": {"list": {"type": "array", "x-lago-code": {"type": "no_array"}}}}
    assert create_dog(**body(schema)).read({"list": "x"}, licensed) == Judged(
        {}, (Problem("list", "no_array", "type", ("list",)),)
    )


def test_root_with_unknown_keys_alone_passes_where_the_schema_lets_it() -> None:
    operation = create_dog(**body(rooted({"properties": {"name": {}}})))
    assert operation.read({"dog": {"color": "red"}}, licensed) == Judged({}, (), ("/dog/color",))


def test_object_below_the_root_that_is_too_small_is_a_problem() -> None:
    given = {"name": "Rex", "owner": "Ann", "home": {"planet": "x"}}
    assert with_root().read({"dog": given}, licensed).problems == (
        Problem("home", "value_is_invalid", "minProperties", ("home",)),
    )


@pytest.mark.parametrize("given", [None, [], "x", 5], ids=str)
def test_body_that_is_no_object_is_read_as_an_empty_one_without_a_root(given: JSON) -> None:
    operation = create_dog(**body({"properties": {"a": {}, "b": {}}, "required": ["b"]}))
    assert operation.read(given, licensed) == Judged(
        {}, (Problem("b", "value_is_mandatory", "required", ("b",)),)
    )


def test_every_missing_key_is_a_problem_at_its_place_below_the_root() -> None:
    assert with_root().read({"dog": {"age": 1}}, licensed).problems == (
        Problem("name", "value_is_mandatory", "required", ("name",)),
        Problem("owner", "value_is_mandatory", "required", ("owner",)),
    )


def test_problems_stand_in_the_order_of_the_document() -> None:
    given = {"tags": ["good", "odd", "odd"], "age": -1, "name": " ", "owner": "Ann"}
    judged = with_root().read({"dog": given}, licensed)
    assert judged.value == {"tags": ["good", "odd", "odd"], "age": -1, "name": "", "owner": "Ann"}
    assert judged.problems == (
        Problem("name", "value_is_mandatory", "blank", ("name",)),
        Problem("age", "value_is_out_of_range", "minimum", ("age",)),
        Problem("tags", "value_is_invalid", "enum", ("tags", 1)),
        Problem("tags", "value_is_invalid", "enum", ("tags", 2)),
    )


def test_problem_of_the_whole_body_comes_first() -> None:
    schema = {"minProperties": 2, "properties": {"a": {"type": "integer"}}}
    assert create_dog(**body(schema)).read({"a": "x"}, licensed).problems == (
        Problem("base", "value_is_invalid", "minProperties", ()),
        Problem("a", "is not a number", "type", ("a",)),
    )


def test_problem_of_reading_hides_the_wrong_type_that_it_leads_to() -> None:
    schema = {
        "properties": {
            "a": {"type": "integer", "x-lago-blank": "error"},
            "b": {"type": "integer"},
            "c": {"type": "integer", "x-lago-code": "odd"},
        }
    }
    given = {"a": " ", "b": "x", "c": "1\0"}
    assert create_dog(**body(schema)).read(given, licensed).problems == (
        Problem("a", "value_is_mandatory", "blank", ("a",)),
        Problem("b", "is not a number", "type", ("b",)),
        Problem("c", "odd", "format", ("c",)),
    )


def test_what_a_schema_says_twice_is_one_problem() -> None:
    schema = rooted({"properties": {"a": {}}, "required": ["a"], "allOf": [{"required": ["a"]}]})
    assert create_dog(**body(schema)).read({"dog": {"b": 1}}, licensed).problems == (
        Problem("a", "value_is_mandatory", "required", ("a",)),
    )


@pytest.mark.parametrize(
    ("license_of", "kept"),
    [
        pytest.param(licensed, {"name": "Rex", "owner": "Ann", "chip": "7"}, id="licensed"),
        pytest.param(unlicensed, {"name": "Rex", "owner": "Ann"}, id="unlicensed"),
    ],
)
def test_premium_key_needs_its_license(license_of: Any, kept: JSONObject) -> None:
    given = {"name": "Rex", "owner": "Ann", "chip": 7}
    assert with_root().read({"dog": given}, license_of) == Judged(kept)


def test_operation_without_a_body_reads_nothing() -> None:
    assert create_dog().read({"dog": 1}, licensed) == Judged({})


# Reading strictly


def query(*names: str, **schemas_by_name: Any) -> JSONObject:
    listed = [{"name": name, "in": "query"} for name in names]
    listed += [
        {"name": name, "in": "query", "schema": schema} for name, schema in schemas_by_name.items()
    ]
    return {"parameters": listed}


def test_what_is_neither_root_nor_query_parameter_is_a_stranger() -> None:
    operation = create_dog(**body(rooted(DOG)), **query("page", "codes[]"))
    sent = {"dog": {}, "page": "1", "codes": [], "cat": 1, "a/b": 2}
    assert operation.strangers(sent) == ["/cat", "/a~1b"]


def test_without_a_body_only_query_parameters_are_known() -> None:
    assert create_dog(**query("page")).strangers({"dog": {}, "page": "1"}) == ["/dog"]


def test_keys_of_a_body_without_a_root_are_no_strangers() -> None:
    assert without_root().strangers({"name": "Rex", "owner": "Ann", "color": 1}) == ["/color"]


def to_the_letter(sent: JSONObject, *unknown: str, **parts: Any) -> list[tuple[str, str, str]]:
    operation = create_dog(**(parts or body(rooted(DOG))))
    found = operation.to_the_letter(sent, unknown)
    return [(problem.field, problem.code, problem.keyword) for problem in found]


@pytest.mark.parametrize(
    ("sent", "unknown", "found"),
    [
        pytest.param({"dog": {"name": "Rex"}}, (), [], id="nothing but a missing key"),
        pytest.param({"dog": {"name": "Rexy-Rex"}}, (), [], id="rule of another keyword"),
        pytest.param(
            {"dog": {"age": "3", "home": {"city": 5}}},
            (),
            [("age", "wrong_type", "type"), ("home.city", "wrong_type", "type")],
            id="types that Lago would coerce",
        ),
        pytest.param(
            {"dog": {}, "color": "red"},
            (),
            [("color", "unknown_parameter", "parameter")],
            id="unknown query parameter",
        ),
        pytest.param(
            {"dog": {}, "cat": 1},
            ("/cat",),
            [("cat", "unknown_field", "properties")],
            id="key beside the root",
        ),
        pytest.param(
            {"dog": {"color": 1, "home": {"planet": 1}}},
            ("/dog/color", "/dog/home/planet"),
            [
                ("color", "unknown_field", "properties"),
                ("home.planet", "unknown_field", "properties"),
            ],
            id="keys below the root",
        ),
        pytest.param(
            {"dog": {"dog": 1}},
            ("/dog/dog",),
            [("dog", "unknown_field", "properties")],
            id="key called like the root",
        ),
        pytest.param(
            {"dog": {"a/b": 1}},
            ("/dog/a~1b",),
            [("a/b", "unknown_field", "properties")],
            id="key with a slash",
        ),
        pytest.param(
            {"dog": {}, "a/b": 1},
            (),
            [("a/b", "unknown_parameter", "parameter")],
            id="parameter with a slash",
        ),
    ],
)
def test_strict_reading_tells_wrong_types_and_unknown_names(
    sent: JSONObject, unknown: tuple[str, ...], found: list[tuple[str, str, str]]
) -> None:
    assert to_the_letter(sent, *unknown) == found


def test_strict_reading_of_no_body_tells_unknown_parameters() -> None:
    assert to_the_letter({"page": "1", "size": "2"}, **query("page")) == [
        ("size", "unknown_parameter", "parameter")
    ]


def test_strict_problem_leads_to_its_value() -> None:
    [problem] = with_root().to_the_letter({"dog": {"home": {"city": 5}}}, ())
    assert problem == Problem("home.city", "wrong_type", "type", ("home", "city"))


# Judging a body to the letter


def test_judged_body_comes_back_as_it_is() -> None:
    given = {"dog": {"name": "Rex", "owner": "Ann"}, "cat": 1}
    assert with_root().judge(given) == Judged(given)


def test_nothing_is_coerced_when_the_letter_counts() -> None:
    given = {"dog": {"name": 5, "owner": "Ann"}}
    assert with_root().judge(given) == Judged(
        given, (Problem("name", "value_is_invalid", "type", ("dog", "name")),)
    )


def test_judge_tells_every_missing_key() -> None:
    assert without_root().judge({"age": 1}).problems == (
        Problem("name", "value_is_mandatory", "required", ("name",)),
        Problem("owner", "value_is_mandatory", "required", ("owner",)),
    )


def test_judge_tells_every_key_too_many() -> None:
    operation = create_dog(**body(DOG | {"additionalProperties": False}))
    given = {"name": "Rex", "owner": "Ann", "color": 1, "size": 2}
    assert operation.judge(given).problems == (
        Problem("color", "unknown_field", "additionalProperties", ("color",)),
        Problem("size", "unknown_field", "additionalProperties", ("size",)),
    )


@pytest.mark.parametrize("given", [None, [], "x"], ids=str)
def test_judge_refuses_a_body_that_is_no_object(given: JSON) -> None:
    assert without_root().judge(given) == Judged(
        {}, (Problem("base", "value_is_invalid", "type", ()),)
    )


def test_operation_without_a_body_judges_nothing() -> None:
    assert create_dog().judge({"dog": 1}) == Judged({})


# What is known of an operation


def test_operation_is_described_by_its_document() -> None:
    paths = {
        "/dogs/{name}/toys/{toy_id}": {
            "delete": {
                "operationId": "destroyToy",
                "security": [{"bearer": ["dog:write", "toy:write"]}, {"other": ["toy:read"]}],
            }
        }
    }
    operation = Contract(Document({"paths": paths}, FILE, {})).operations["destroyToy"]
    assert operation == Operation(
        id="destroyToy",
        method="DELETE",
        path="/dogs/{name}/toys/{toy_id}",
        parameters=("name", "toy_id"),
        scopes=("dog:write", "toy:write", "toy:read"),
        description={},
    )
    assert operation.description["responses"] == {}


@pytest.mark.parametrize(
    ("schema", "root"),
    [
        pytest.param(rooted(DOG), "dog", id="only property, an object"),
        pytest.param(rooted({"$ref": "#/components/schemas/Dog"}), "dog", id="by reference"),
        pytest.param(rooted({"type": "string"}), None, id="only property, no object"),
        pytest.param(rooted({"type": "array", "items": DOG}), None, id="only property, an array"),
        pytest.param(DOG, None, id="several properties"),
        pytest.param({"type": "object"}, None, id="no properties"),
    ],
)
def test_root_is_the_only_property_when_it_is_an_object(
    schema: JSONObject, root: str | None
) -> None:
    operation = create_dog(**body(schema), components={"schemas": {"Dog": DOG}})
    assert operation.root == root


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        pytest.param(rooted(DOG), "name", id="required one below the root"),
        pytest.param(DOG, "name", id="required one"),
        pytest.param(
            {"properties": {"a": {}, "b": {}}, "required": ["b"]}, "b", id="not the first"
        ),
        pytest.param({"properties": {"a": {}, "b": {}}}, "a", id="first one, none required"),
        pytest.param({"type": "object"}, None, id="no keys"),
    ],
)
def test_first_required_field_is_what_a_body_cannot_do_without(
    schema: JSONObject, name: str | None
) -> None:
    assert create_dog(**body(schema)).first_required() == name


def test_first_required_field_of_no_body_is_none() -> None:
    assert create_dog().first_required() is None


@pytest.mark.parametrize(
    ("name", "schema", "parameter"),
    [
        pytest.param("page", {"type": "integer"}, Parameter("page", "scalar"), id="scalar"),
        pytest.param("page", {}, Parameter("page", "scalar"), id="nothing said"),
        pytest.param(
            "sound",
            {"type": ["string", "null"], "enum": ["bark", "yelp", None]},
            Parameter("sound", "scalar", ("bark", "yelp")),
            id="one of some values",
        ),
        pytest.param(
            "sound",
            {"$ref": "#/components/schemas/Sound"},
            Parameter("sound", "scalar", ("bark",)),
            id="values of a shared schema",
        ),
        pytest.param(
            "good",
            {"type": "boolean"},
            Parameter("good", "scalar", ("true", "false")),
            id="boolean",
        ),
        pytest.param(
            "sounds[]",
            {"type": "array", "items": {"$ref": "#/components/schemas/Sound"}},
            Parameter("sounds", "array", ("bark",)),
            id="array",
        ),
        pytest.param("codes[]", {"type": "array"}, Parameter("codes", "array"), id="of anything"),
        pytest.param("home", {"type": "object"}, Parameter("home", "object"), id="object"),
        pytest.param("home[city]", {}, Parameter("home", "object"), id="key of an object"),
    ],
)
def test_query_parameter_is_known_by_name_shape_and_values(
    name: str, schema: JSONObject, parameter: Parameter
) -> None:
    components = {"schemas": {"Sound": {"type": "string", "enum": ["bark"]}}}
    operation = create_dog(**query(**{name: schema}), components=components)
    assert operation.query == (parameter,)


def test_shared_query_parameters_count_and_those_of_path_and_header_do_not() -> None:
    listed = [
        {"$ref": "#/components/parameters/page"},
        {"name": "id", "in": "path"},
        {"name": "x-id", "in": "header"},
        {"name": "size", "in": "query"},
    ]
    components = {"parameters": {"page": {"name": "page", "in": "query"}}}
    operation = create_dog(parameters=listed, components=components)
    assert operation.query == (Parameter("page", "scalar"), Parameter("size", "scalar"))


def test_query_parameters_of_the_path_count_for_its_operations() -> None:
    paths = {"/dogs": {**query("page"), "get": {"operationId": "findDogs"}}}
    operation = Contract(Document({"paths": paths}, FILE, {})).operations["findDogs"]
    assert operation.query == (Parameter("page", "scalar"),)


ANSWERS: JSONObject = {
    "200": {
        "content": {
            "application/json": {
                "schema": {"type": "object", "required": ["dog"]},
                "examples": {"one": {"value": {"dog": 1}}, "two": {"value": {"dog": 2}}},
            }
        }
    },
    "201": {"content": {"application/json": {"schema": True, "example": None}}},
    "202": {
        "content": {
            "application/json": {
                "schema": True,
                "examples": {"elsewhere": {"externalValue": "https://dogs.example/a.json"}},
            }
        }
    },
    "203": {"content": {"application/json": {"schema": True, "example": {"dog": 3}}}},
    "204": {"description": "Nothing."},
    "302": {"content": {"text/html": {"schema": {"type": "string"}}}},
    "404": {"$ref": "#/components/responses/Gone"},
    "4XX": {"content": {"application/json": {"schema": {}}}},
    "default": {"content": {"application/json": {"schema": {}, "example": 1}}},
}
GONE: JSONObject = {
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Gone"},
            "examples": {"gone": {"value": {"code": "dog_not_found"}}},
        }
    }
}


def answering() -> Operation:
    components = {"responses": {"Gone": GONE}, "schemas": {"Gone": {"required": ["code"]}}}
    return create_dog(responses=ANSWERS, components=components)


@pytest.mark.parametrize(
    ("status", "example"),
    [
        pytest.param(200, {"dog": 1}, id="first of several"),
        pytest.param(201, None, id="the only one"),
        pytest.param(202, None, id="example elsewhere"),
        pytest.param(203, {"dog": 3}, id="example by itself"),
        pytest.param(204, None, id="no body"),
        pytest.param(302, None, id="no JSON"),
        pytest.param(404, {"code": "dog_not_found"}, id="shared answer"),
        pytest.param(500, None, id="no such answer"),
    ],
)
def test_example_of_an_answer(status: int, example: JSON) -> None:
    assert answering().example(status) == example


def test_answers_of_json_are_judged_by_their_status() -> None:
    answers = answering().answers
    assert list(answers) == [200, 201, 202, 203, 404]
    assert answers[200].is_valid({"dog": 1})
    assert not answers[200].is_valid({})
    assert answers[404].is_valid({"code": "x"})
    assert not answers[404].is_valid({})


def test_shared_request_body_is_followed() -> None:
    components = {"requestBodies": {"Dog": body(rooted(DOG))["requestBody"]}}
    operation = create_dog(
        requestBody={"$ref": "#/components/requestBodies/Dog"}, components=components
    )
    assert operation.root == "dog"
    assert operation.judge({"dog": {"name": "Rex"}}).problems == (
        Problem("owner", "value_is_mandatory", "required", ("dog", "owner")),
    )


def test_body_of_another_media_type_is_no_body() -> None:
    form = {"content": {"multipart/form-data": {"schema": DOG}}}
    assert create_dog(requestBody=form).fields is None
