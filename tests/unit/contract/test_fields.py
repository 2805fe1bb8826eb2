from __future__ import annotations

from typing import Any

import pytest

from lago_mock.contract.fields import Field, FieldCompiler, Permit, problem_of
from lago_mock.contract.validators import Schemas
from lago_mock.contract.values import CLEANERS
from lago_mock.errors import Problem
from lago_mock.wire import JSON, JSONObject


def compiled(schema: Any, **schemas: JSONObject) -> Field:
    return FieldCompiler({"components": {"schemas": schemas}}).compile(schema)


def object_of(**properties: Any) -> JSONObject:
    return {"type": "object", "properties": properties}


def permitted(
    schema: JSONObject, value: JSONObject, *licenses: str | bool
) -> tuple[JSONObject, Permit]:
    """Permit a body by the schema of its root, with these licenses alone."""
    permit = Permit(lambda feature: feature in licenses)
    return permit.object(compiled(schema), value, ()), permit


def read(schema: JSONObject, value: JSON) -> JSONObject:
    """Return what is permitted of `{"a": value}`: `{}` when the key is dropped."""
    read, permit = permitted(object_of(a=schema), {"a": value})
    assert permit.problems == []
    assert permit.unknown == []
    return read


def problems_of(schema: JSONObject, value: JSON) -> list[Problem]:
    """Judge a whole body by the letter of its schema."""
    fields = compiled(schema)
    violations = Schemas({"body": schema}).validator("/body").violations(value)
    return [problem for one in violations for problem in problem_of(fields, one)]


TEXT: JSONObject = {"type": "string"}
ADDRESS = object_of(city=TEXT, lines={"type": "array", "items": TEXT})


# What a schema is compiled to


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        pytest.param({"type": "string"}, "string", id="string"),
        pytest.param({"type": "integer"}, "integer", id="integer"),
        pytest.param({"type": "number"}, "number", id="number"),
        pytest.param({"type": "boolean"}, "boolean", id="boolean"),
        pytest.param({"type": "array"}, "array", id="array"),
        pytest.param({"type": "array", "items": {"type": "string"}}, "array", id="array of text"),
        pytest.param({"type": ["string", "null"]}, "string", id="text or null"),
        pytest.param({"type": ["null", "array"]}, "array", id="null or array"),
        pytest.param({"type": ["string", "number"]}, "scalar", id="two types"),
        pytest.param({"type": ["boolean", "array"]}, "any", id="scalar or array"),
        pytest.param({"type": ["object", "string", "null"]}, "any", id="object or scalar"),
        pytest.param({"type": "object"}, "any", id="object without properties"),
        pytest.param({"type": ["object", "null"]}, "any", id="such an object or null"),
        pytest.param({"type": "object", "properties": {}}, "object", id="object"),
        pytest.param({"properties": {"a": {}}}, "object", id="properties without a type"),
        pytest.param({}, "any", id="nothing said"),
        pytest.param({"enum": ["a"]}, "any", id="values alone"),
    ],
)
def test_kind_is_what_the_type_says(schema: JSONObject, kind: str) -> None:
    assert compiled(schema).kind == kind


def test_number_or_object_knows_its_properties_too() -> None:
    found = compiled({"type": ["number", "object"], "properties": {"min": {"type": "number"}}})
    assert (found.kind, found.at(("min",)).name) == ("any", "min")


def test_object_knows_its_properties_and_its_required_keys() -> None:
    schema = object_of(a={"type": "string"}, b=object_of(c={})) | {"required": ["a"]}
    assert compiled(schema) == Field(
        name="",
        kind="object",
        properties={
            "a": Field("a", "string"),
            "b": Field("b", "object", {"c": Field("c")}, null="keep"),
        },
        null="keep",
        required=("a",),
    )


def test_items_have_the_name_of_their_array() -> None:
    schema = object_of(codes={"type": "array", "items": {"type": "string"}})
    assert compiled(schema).properties["codes"] == Field(
        "codes", "array", items=Field("codes", "string"), null="keep"
    )


def test_array_without_items_holds_anything() -> None:
    assert compiled({"type": "array"}).items == Field("")


@pytest.mark.parametrize(
    ("extension", "attribute", "value"),
    [
        pytest.param({}, "codes", {}, id="no code"),
        pytest.param({"x-lago-code": "bad"}, "codes", {"*": "bad"}, id="code"),
        pytest.param({"x-lago-code": {"enum": "bad"}}, "codes", {"enum": "bad"}, id="codes"),
        pytest.param(
            {"x-lago-code": {"enum": "bad", "current": "now", "2023": "then"}},
            "codes",
            {"enum": "bad", "current": "now", "2023": "then", "*": "now"},
            id="code of the era",
        ),
        pytest.param({}, "clean", (), id="no steps"),
        pytest.param({"x-lago-clean": list(CLEANERS)}, "clean", tuple(CLEANERS), id="all steps"),
        pytest.param({}, "blank", "keep", id="blank text by default"),
        pytest.param({"x-lago-blank": "keep"}, "blank", "keep", id="blank text kept"),
        pytest.param({"x-lago-blank": None}, "blank", "null", id="blank text to null"),
        pytest.param({"x-lago-blank": "null"}, "blank", "null", id="blank text to null, in quotes"),
        pytest.param({"x-lago-blank": "error"}, "blank", "error", id="blank text refused"),
        pytest.param({}, "null", "clear", id="null by default"),
        pytest.param({"type": "array"}, "null", "keep", id="null of an array by default"),
        pytest.param(ADDRESS, "null", "keep", id="null of an object by default"),
        pytest.param({"x-lago-null": "clear"}, "null", "clear", id="null clears"),
        pytest.param({"x-lago-null": "keep"}, "null", "keep", id="null keeps"),
        pytest.param({"x-lago-null": "reset:a"}, "null", "reset:a", id="null resets"),
        pytest.param({}, "premium", False, id="for all"),
        pytest.param({"x-lago-premium": True}, "premium", True, id="premium"),
        pytest.param({"x-lago-premium": "okta"}, "premium", "okta", id="integration"),
        pytest.param({}, "name", "a", id="own name"),
        pytest.param({"x-lago-field": "flat"}, "name", "flat", id="flat name"),
        pytest.param({"format": "email"}, "text_format", "email", id="format of ours"),
        pytest.param({"format": "hostname"}, "text_format", "", id="format of others"),
    ],
)
def test_extension_is_compiled(extension: JSONObject, attribute: str, value: object) -> None:
    spec = compiled(object_of(a={"type": "string"} | extension)).properties["a"]
    assert getattr(spec, attribute) == value


@pytest.mark.parametrize(
    ("extension", "told"),
    [
        pytest.param(
            {"x-lago-clean": ["upcase", "trim"]},
            "x-lago-clean: 'trim' is none of downcase, email, nul, strip, upcase",
            id="clean",
        ),
        pytest.param(
            {"x-lago-blank": "nil"},
            "x-lago-blank: 'nil' is none of error, keep, null",
            id="blank",
        ),
        pytest.param(
            {"x-lago-blank": False},
            "x-lago-blank: False is none of error, keep, null",
            id="blank that is no text",
        ),
    ],
)
def test_misspelt_value_of_an_extension_is_refused(extension: JSONObject, told: str) -> None:
    with pytest.raises(ValueError, match=r"^x-lago") as caught:
        compiled(object_of(a={"type": "string"} | extension))
    assert str(caught.value) == told


@pytest.mark.parametrize("value", ["kept", "reset", "RESET:a", 5, None, ["keep"]], ids=str)
def test_misspelt_value_of_x_lago_null_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="x-lago-null"):
        compiled(object_of(a={"type": "string", "x-lago-null": value}))


@pytest.mark.parametrize(
    ("era", "keys"),
    [
        pytest.param("current", ["always", "now"], id="current"),
        pytest.param("2023", ["always", "then"], id="2023"),
    ],
)
def test_key_of_another_era_does_not_exist(era: str, keys: list[str]) -> None:
    schema = object_of(
        always={}, now={"x-lago-era": "current"}, then={"type": "string", "x-lago-era": "2023"}
    )
    assert list(FieldCompiler({}, era).compile(schema).properties) == keys


@pytest.mark.parametrize(("era", "code"), [("current", "now"), ("2023", "then")])
def test_code_of_the_era_is_said_for_keywords_without_their_own(era: str, code: str) -> None:
    codes = {"current": "now", "2023": "then", "enum": "always"}
    spec = FieldCompiler({}, era).compile({"type": "string", "x-lago-code": codes})
    assert (spec.code("type"), spec.code("enum")) == (code, "always")


def test_era_is_the_current_one_when_none_is_named() -> None:
    assert list(compiled(object_of(a={"x-lago-era": "2023"}, b={})).properties) == ["b"]


# References and conjunctions


def test_reference_is_followed_and_what_stands_beside_it_counts_more() -> None:
    spec = compiled(
        object_of(country={"$ref": "#/components/schemas/Country", "x-lago-code": "own"}),
        Country={"type": "string", "x-lago-code": "shared", "x-lago-clean": ["upcase"]},
    ).properties["country"]
    assert spec == Field("country", "string", codes={"*": "own"}, clean=("upcase",))


def test_all_parts_of_a_conjunction_count() -> None:
    spec = compiled(
        {
            "allOf": [{"$ref": "#/components/schemas/Base"}, object_of(b={"type": "integer"})],
            "properties": {"c": {"type": "boolean"}},
        },
        Base=object_of(a={"type": "string"}),
    )
    assert {name: each.kind for name, each in spec.properties.items()} == {
        "a": "string",
        "b": "integer",
        "c": "boolean",
    }


def test_later_part_of_a_conjunction_counts_more() -> None:
    spec = compiled(
        {"allOf": [{"$ref": "#/components/schemas/CodeOrNull"}, {"type": "string"}]},
        CodeOrNull={"type": ["string", "null"], "x-lago-code": "bad"},
    )
    assert (spec.kind, spec.codes) == ("string", {"*": "bad"})


def test_property_replaces_the_one_of_a_conjunction() -> None:
    spec = compiled({"allOf": [object_of(a={"type": "string"})], **object_of(a={"type": "number"})})
    assert spec.properties["a"].kind == "number"


def test_recursive_schema_is_compiled_until_it_comes_back_to_itself() -> None:
    tree = object_of(name={"type": "string"}, child={"$ref": "#/components/schemas/Tree"})
    value: JSONObject = {"name": 1}
    for _ in range(24):
        value = {"name": 1, "child": value}
    read = Permit(bool).object(compiled(tree, Tree=tree), value, ())
    names = []
    while read:
        names.append(read["name"])
        read = read.get("child", {})
    assert names == ["1"] * 2 + [1] * 23


def test_schema_that_refers_to_itself_twice_takes_no_longer() -> None:
    child = {"$ref": "#/components/schemas/Tree"}
    tree = object_of(left=child, right=child, name={"type": "string"})

    spec = compiled(tree, Tree=tree)

    assert spec.properties["left"].properties["right"].kind == "any"


def test_schema_of_arrays_in_arrays_without_end_is_compiled() -> None:
    nested = {"type": "array", "items": {"$ref": "#/components/schemas/Nested"}}
    spec: Field | None = compiled(nested, Nested=nested)
    kinds = []
    while spec is not None:
        kinds.append(spec.kind)
        spec = spec.items
    assert kinds == ["array", "array", "any"]


@pytest.mark.parametrize("schema", [pytest.param(flag, id=str(flag)) for flag in (True, False)])
def test_schema_that_is_a_boolean_lets_a_value_through(schema: bool) -> None:
    assert permitted(object_of(a=schema), {"a": [1]})[0] == {"a": [1]}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param((), "", id="body"),
        pytest.param(("list",), "list", id="array"),
        pytest.param(("list", 3), "list", id="item"),
        pytest.param(("list", 3, "flat"), "other", id="item's key"),
        pytest.param(("list", 3, "unknown", "deeper"), "list", id="beyond what is known"),
        pytest.param((5,), "", id="index where there is no array"),
    ],
)
def test_path_leads_to_the_last_known_field(path: tuple[str | int, ...], name: str) -> None:
    items = object_of(flat={"x-lago-field": "other"})
    assert compiled(object_of(list={"type": "array", "items": items})).at(path).name == name


# Scalars


WHOLE: JSONObject = {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "value", "kept"),
    [
        pytest.param(TEXT, "x", "x", id="text"),
        pytest.param(TEXT, 12, "12", id="number to text"),
        pytest.param(TEXT, True, "t", id="boolean to text"),
        pytest.param({"type": ["string", "null"]}, 1.5, "1.5", id="number to text or null"),
        pytest.param(WHOLE, "12", 12, id="text to whole number"),
        pytest.param(WHOLE, 3.7, 3, id="fraction cut off"),
        pytest.param(WHOLE, " ", None, id="blank whole number"),
        pytest.param(WHOLE, "abc", "abc", id="no whole number"),
        pytest.param({"type": "number"}, "1.5", 1.5, id="text to number"),
        pytest.param({"type": "number"}, 2, 2.0, id="whole number to number"),
        pytest.param({"type": "boolean"}, "no", True, id="text to boolean"),
        pytest.param({"type": "boolean"}, "off", False, id="text to false"),
        pytest.param({"type": "boolean"}, "", None, id="empty boolean"),
        pytest.param({"type": ["string", "number"]}, 1, 1, id="two types"),
        pytest.param({"type": ["string", "boolean"]}, "x", "x", id="text of two types"),
        pytest.param({"type": ["boolean", "array"]}, [], [], id="array of two types"),
        pytest.param({}, {"b": [None]}, {"b": [None]}, id="anything"),
        pytest.param({"type": "object"}, {"b": 1}, {"b": 1}, id="object of any keys"),
        pytest.param({"type": "object"}, "x", "x", id="no object, where any key may be"),
    ],
)
def test_scalar_is_read_by_its_type(schema: JSONObject, value: JSON, kept: JSON) -> None:
    got = read(schema, value)["a"]
    assert (type(got), got) == (type(kept), kept)


@pytest.mark.parametrize(
    "value",
    [pytest.param(value, id=str(value)) for value in ([], ["x"], {}, {"x": 1})],
)
@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", ["string", "number"]])
def test_array_or_object_for_a_scalar_is_dropped(kind: str | list[str], value: JSON) -> None:
    assert read({"type": kind}, value) == {}


@pytest.mark.parametrize("value", [None, 5, "x", True], ids=str)
def test_property_of_type_null_is_left_to_the_schema(value: JSON) -> None:
    assert read({"type": "null"}, value) == {"a": value}


@pytest.mark.parametrize(
    ("steps", "value", "kept"),
    [
        pytest.param(["upcase"], "eur", "EUR", id="upcase"),
        pytest.param(["downcase"], "EUR", "eur", id="downcase"),
        pytest.param(["strip"], " a ", "a", id="strip"),
        pytest.param(["email"], " a\u2014b@c.de\u200b", "a-b@c.de", id="email"),
        pytest.param(["nul"], "a\0b", "ab", id="nul"),
        pytest.param(["strip", "downcase"], " AB ", "ab", id="two steps"),
        pytest.param(["nul"], 12, "12", id="number made text"),
        pytest.param(["email"], True, "t", id="boolean made text"),
        pytest.param(["upcase"], 12, 12, id="upcase of a number"),
        pytest.param(["downcase"], True, True, id="downcase of a boolean"),
        pytest.param(["strip"], 1.5, 1.5, id="strip of a number"),
        pytest.param(["upcase"], None, None, id="null"),
        pytest.param(["upcase"], "", "", id="empty text"),
    ],
)
def test_text_is_cleaned(steps: list[str], value: JSON, kept: JSON) -> None:
    assert read({"type": "string", "x-lago-clean": steps}, value) == {"a": kept}


def test_what_is_no_text_after_reading_is_not_cleaned() -> None:
    assert read({"type": "integer", "x-lago-clean": ["nul"]}, "12") == {"a": 12}


@pytest.mark.parametrize(
    ("blank", "value", "kept"),
    [
        pytest.param("keep", "", {"a": ""}, id="empty kept"),
        pytest.param("keep", " \t", {"a": " \t"}, id="spaces kept"),
        pytest.param("keep", None, {"a": None}, id="null kept"),
        pytest.param(None, "", {"a": None}, id="empty to null"),
        pytest.param(None, "\u00a0\n", {"a": None}, id="spaces to null"),
        pytest.param(None, "x ", {"a": "x "}, id="text is no blank"),
        pytest.param(None, None, {"a": None}, id="null stays"),
        pytest.param("error", "x", {"a": "x"}, id="text is no error"),
        pytest.param("error", 0, {"a": "0"}, id="zero is no error"),
    ],
)
def test_blank_text_is_what_the_extension_says(
    blank: str | None, value: JSON, kept: JSONObject
) -> None:
    assert read({"type": "string", "x-lago-blank": blank}, value) == kept


@pytest.mark.parametrize("value", ["", "  ", None])
def test_blank_text_and_null_are_an_error_where_the_extension_says_so(value: JSON) -> None:
    schema = object_of(
        list={"type": "array", "items": object_of(key={"type": "string", "x-lago-blank": "error"})}
    )
    read, permit = permitted(schema, {"list": [{"key": "x"}, {"key": value}]})
    assert read == {"list": [{"key": "x"}, {"key": ""}]}
    assert permit.problems == [Problem("key", "value_is_mandatory", "blank", ("list", 1, "key"))]


@pytest.mark.parametrize(
    ("null", "kept"),
    [
        pytest.param("clear", {"a": None}, id="clear"),
        pytest.param("keep", {}, id="keep"),
        pytest.param("reset:inherit", {"a": "inherit"}, id="reset"),
        pytest.param("reset:", {"a": ""}, id="reset to empty text"),
    ],
)
def test_null_is_what_the_extension_says(null: str, kept: JSONObject) -> None:
    assert read({"type": "string", "x-lago-null": null}, None) == kept


# Shapes


METADATA: JSONObject = {"type": "array", "items": object_of(key=TEXT, shown={"type": "boolean"})}
CODES: JSONObject = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "value", "kept"),
    [
        pytest.param(ADDRESS, {"city": 1}, {"a": {"city": "1"}}, id="object"),
        pytest.param(ADDRESS, {}, {}, id="object: empty"),
        pytest.param(ADDRESS, None, {}, id="object: null"),
        pytest.param(ADDRESS, "x", {}, id="object: text"),
        pytest.param(ADDRESS, "", {}, id="object: empty text"),
        pytest.param(ADDRESS, 5, {}, id="object: number"),
        pytest.param(ADDRESS, True, {}, id="object: boolean"),
        pytest.param(ADDRESS, [], {}, id="object: empty array"),
        pytest.param(ADDRESS, [{"city": "x"}], {}, id="object: array"),
        pytest.param(METADATA, [], {"a": []}, id="objects: none"),
        pytest.param(
            METADATA, [{"key": 1}, {"shown": 0}], {"a": [{"key": "1"}, {"shown": False}]}, id="two"
        ),
        pytest.param(METADATA, [{}], {"a": [{}]}, id="objects: an empty one stays"),
        pytest.param(
            METADATA, ["x", {"key": "k"}, 5, None, [1]], {"a": [{"key": "k"}]}, id="other items go"
        ),
        pytest.param(METADATA, ["x"], {"a": []}, id="objects: other items alone"),
        pytest.param(METADATA, None, {}, id="objects: null"),
        pytest.param(METADATA | {"x-lago-null": "clear"}, None, {"a": None}, id="null that clears"),
        pytest.param(METADATA, "x", {}, id="objects: text"),
        pytest.param(METADATA, 5, {}, id="objects: number"),
        pytest.param(METADATA, {}, {}, id="objects: empty object"),
        pytest.param(METADATA, {"key": "k"}, {}, id="objects: object"),
        pytest.param(METADATA, {"0": {}, "x": {}}, {}, id="objects: object, not all keys numbers"),
        pytest.param(CODES, ["x", 1, True], {"a": ["x", "1", "t"]}, id="scalars"),
        pytest.param(CODES, [], {"a": []}, id="scalars: none"),
        pytest.param(CODES, [None], {"a": [None]}, id="scalars: null inside"),
        pytest.param(CODES, ["x", []], {}, id="scalars: array inside"),
        pytest.param(CODES, [{"y": 1}, "x"], {}, id="scalars: object inside"),
        pytest.param(CODES, None, {}, id="scalars: null"),
        pytest.param(CODES, "x", {}, id="scalars: text"),
        pytest.param(CODES, 5, {}, id="scalars: number"),
        pytest.param(CODES, {"0": "x"}, {}, id="scalars: object"),
        pytest.param({"type": "array"}, [1, "x", [None]], {"a": [1, "x", [None]]}, id="any items"),
        pytest.param({"type": "array"}, {"0": 1}, {}, id="any items: object"),
        pytest.param({"type": "array", "items": CODES}, [["x"]], {}, id="array of arrays"),
    ],
)
def test_shape_decides_what_is_permitted(schema: JSONObject, value: JSON, kept: JSON) -> None:
    assert read(schema, value) == kept


def test_scalar_in_an_array_of_arrays_does_no_harm() -> None:
    assert read({"type": "array", "items": CODES}, ["x"]) in ({}, {"a": ["x"]})


@pytest.mark.parametrize("value", [[], "", {}, None])
def test_empty_value_for_an_object_with_a_code_is_ignored(value: JSON) -> None:
    assert read(ADDRESS | {"x-lago-code": {"type": "value_is_invalid"}}, value) == {}


@pytest.mark.parametrize("value", ["x", 5, {"0": "x"}, {}, ""], ids=str)
def test_what_is_no_array_is_a_problem_where_the_array_has_a_code(value: JSON) -> None:
    schema = object_of(a=CODES | {"x-lago-code": {"type": "no_array"}})
    read, permit = permitted(schema, {"a": value})
    assert (read, permit.problems) == ({}, [Problem("a", "no_array", "type", ("a",))])


def test_array_for_an_object_with_a_code_is_a_problem() -> None:
    schema = object_of(a=ADDRESS | {"x-lago-code": {"type": "no_object"}})
    read, permit = permitted(schema, {"a": [1]})
    assert (read, permit.problems) == ({}, [Problem("a", "no_object", "type", ("a",))])


@pytest.mark.parametrize("value", [{"0": {"key": "k"}}, {"0": 1, "12": 2}])
def test_object_with_numbers_for_keys_in_place_of_objects_is_a_problem(value: JSON) -> None:
    read, permit = permitted(object_of(metadata=METADATA), {"metadata": value})
    assert read == {}
    assert permit.problems == [Problem("metadata", "value_is_invalid", "type", ("metadata",))]


def test_unknown_keys_are_dropped_and_told_with_their_paths() -> None:
    schema = object_of(name=TEXT, address=ADDRESS, metadata=METADATA)
    read, permit = permitted(
        schema,
        {
            "name": "n",
            "color": 1,
            "address": {"city": "c", "planet": {"x": 1}},
            "metadata": [{"key": "k"}, {"a/b": 1, "key": "l"}],
        },
    )
    assert read == {
        "name": "n",
        "address": {"city": "c"},
        "metadata": [{"key": "k"}, {"key": "l"}],
    }
    assert permit.unknown == [("color",), ("address", "planet"), ("metadata", 1, "a/b")]


def test_paths_count_the_items_that_are_left() -> None:
    _, permit = permitted(object_of(metadata=METADATA), {"metadata": ["dropped", {"color": 1}]})
    assert permit.unknown == [("metadata", 0, "color")]


# NUL


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(TEXT, "a\0", id="text"),
        pytest.param(TEXT | {"x-lago-clean": ["strip"]}, "a\0", id="text that is stripped"),
        pytest.param(WHOLE, "1\0", id="number"),
    ],
)
def test_nul_that_is_not_dropped_is_a_problem(schema: JSONObject, value: str) -> None:
    _, permit = permitted(object_of(a=schema), {"a": value})
    assert permit.problems == [Problem("a", "value_is_invalid", "format", ("a",))]


# Premium


PREMIUM = object_of(
    free=TEXT,
    zone=TEXT | {"x-lago-premium": True},
    kind=TEXT | {"x-lago-premium": "revenue_share"},
    configuration=object_of(period=TEXT | {"x-lago-premium": True}),
)


@pytest.mark.parametrize(
    ("licenses", "kept"),
    [
        pytest.param((), {"free": "a", "configuration": {}}, id="none"),
        pytest.param(
            (True,), {"free": "a", "zone": "b", "configuration": {"period": "d"}}, id="premium"
        ),
        pytest.param(
            ("revenue_share",),
            {"free": "a", "kind": "c", "configuration": {}},
            id="integration",
        ),
    ],
)
def test_premium_key_is_dropped_in_silence_without_its_license(
    licenses: tuple[str | bool, ...], kept: JSONObject
) -> None:
    value = {"free": "a", "zone": "b", "kind": "c", "configuration": {"period": "d"}}
    read, permit = permitted(PREMIUM, value, *licenses)
    assert (read, permit.unknown, permit.problems) == (kept, [], [])


# Words for what is broken


@pytest.mark.parametrize(
    ("schema", "value", "keyword", "code"),
    [
        pytest.param({"not": {"enum": ["api"]}}, "api", "not", "value_is_reserved", id="not"),
        pytest.param({"minimum": 0}, -1, "minimum", "value_is_out_of_range", id="minimum"),
        pytest.param({"maximum": 0}, 1, "maximum", "value_is_out_of_range", id="maximum"),
        pytest.param(
            {"exclusiveMinimum": 0}, 0, "exclusiveMinimum", "value_is_out_of_range", id="exMinimum"
        ),
        pytest.param(
            {"exclusiveMaximum": 0}, 0, "exclusiveMaximum", "value_is_out_of_range", id="exMaximum"
        ),
        pytest.param({"minLength": 2}, "a", "minLength", "value_is_too_short", id="minLength"),
        pytest.param({"maxLength": 1}, "ab", "maxLength", "value_is_too_long", id="maxLength"),
        pytest.param({"format": "email"}, "a", "format", "invalid_email_format", id="email"),
        pytest.param({"format": "uri"}, "a", "format", "url_is_invalid", id="uri"),
        pytest.param({"format": "slug"}, "A", "format", "value_is_invalid", id="slug"),
        pytest.param({"type": "integer"}, "a", "type", "is not a number", id="integer"),
        pytest.param({"type": ["integer", "null"]}, 1.5, "type", "is not a number", id="or null"),
        pytest.param({"type": "number"}, True, "type", "is not a number", id="number"),
        pytest.param({"type": "string"}, 1, "type", "value_is_invalid", id="string"),
        pytest.param({"type": "boolean"}, 1, "type", "value_is_invalid", id="boolean"),
        pytest.param({"enum": ["a"]}, "b", "enum", "value_is_invalid", id="enum"),
        pytest.param({"const": "a"}, "b", "const", "value_is_invalid", id="const"),
        pytest.param({"maxItems": 0}, [1], "maxItems", "value_is_invalid", id="maxItems"),
        pytest.param({"anyOf": [False]}, 1, "anyOf", "value_is_invalid", id="anyOf"),
    ],
)
def test_broken_keyword_has_the_word_of_lago(
    schema: JSONObject, value: JSON, keyword: str, code: str
) -> None:
    assert problems_of(object_of(a=schema), {"a": value}) == [Problem("a", code, keyword, ("a",))]


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        pytest.param("all", "all", id="one for all keywords"),
        pytest.param({"*": "all"}, "all", id="one for all keywords, in a map"),
        pytest.param({"maximum": "this"}, "this", id="the keyword's own"),
        pytest.param({"maximum": "this", "*": "all"}, "this", id="the keyword's own counts more"),
        pytest.param({"minimum": "that"}, "value_is_out_of_range", id="another keyword's"),
    ],
)
def test_code_of_the_document_goes_before_the_word(codes: object, code: str) -> None:
    schema = object_of(a={"maximum": 0, "x-lago-code": codes})
    assert problems_of(schema, {"a": 1}) == [Problem("a", code, "maximum", ("a",))]


def test_item_is_told_by_its_own_code_and_the_name_of_its_array() -> None:
    items = {"enum": ["a"], "x-lago-code": "unsupported_value"}
    schema = object_of(list={"type": "array", "items": items})
    assert problems_of(schema, {"list": ["a", "b"]}) == [
        Problem("list", "unsupported_value", "enum", ("list", 1))
    ]


def test_each_missing_key_is_told() -> None:
    schema = object_of(
        a=object_of(first={"x-lago-field": "flat"}, second={}) | {"required": ["first", "second"]}
    )
    assert problems_of(schema, {"a": {}}) == [
        Problem("flat", "value_is_mandatory", "required", ("a", "first")),
        Problem("second", "value_is_mandatory", "required", ("a", "second")),
    ]


def test_missing_keys_are_told_apart_whatever_they_are_called() -> None:
    names = ["a", "a b", "a'b", 'a"b', "a\\b", "ü"]
    found = problems_of(object_of(**{name: {} for name in names}) | {"required": names}, {})
    assert [(problem.field, problem.path) for problem in found] == [
        (each, (each,)) for each in names
    ]


def test_missing_key_of_an_unknown_object_is_told_by_the_last_known_name() -> None:
    schema = object_of(details={"additionalProperties": {"required": ["x"]}})
    assert problems_of(schema, {"details": {"y": {}}}) == [
        Problem("details", "value_is_mandatory", "required", ("details", "y", "x"))
    ]


def test_every_key_too_many_is_told_by_its_own_name() -> None:
    schema = object_of(a=object_of(known={}) | {"additionalProperties": False})
    assert problems_of(schema, {"a": {"known": 1, "one": 2, "two": 3}}) == [
        Problem("one", "unknown_field", "additionalProperties", ("a", "one")),
        Problem("two", "unknown_field", "additionalProperties", ("a", "two")),
    ]


def test_known_key_with_a_bad_value_is_not_told_as_one_too_many() -> None:
    schema = {"allOf": [object_of(known={"type": "string"})], "unevaluatedProperties": False}
    assert set(problems_of(schema, {"known": 1, "other": 2})) == {
        Problem("known", "value_is_invalid", "type", ("known",)),
        Problem("other", "unknown_field", "unevaluatedProperties", ("other",)),
    }


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        pytest.param(
            {"type": "object"}, [], Problem("base", "value_is_invalid", "type", ()), id="body"
        ),
        pytest.param(
            {"additionalProperties": {"type": "string"}},
            {"x": 1},
            Problem("x", "value_is_invalid", "type", ("x",)),
            id="value of a free key",
        ),
        pytest.param(
            {"items": {"type": "string"}},
            [1],
            Problem("0", "value_is_invalid", "type", (0,)),
            id="item of the body",
        ),
    ],
)
def test_value_without_a_name_is_told_by_its_place(
    schema: JSONObject, value: JSON, problem: Problem
) -> None:
    assert problems_of(schema, value) == [problem]


def test_path_loses_the_steps_to_the_root() -> None:
    schema = object_of(
        customer=object_of(name={"type": "string"}) | {"additionalProperties": False}
    )
    value = {"customer": {"name": 1, "color": 2}}
    violations = Schemas({"body": schema}).validator("/body").violations(value)
    found = {each for one in violations for each in problem_of(compiled(schema), one, 1)}
    assert found == {
        Problem("name", "value_is_invalid", "type", ("name",)),
        Problem("color", "unknown_field", "additionalProperties", ("color",)),
    }


@pytest.mark.parametrize("era", ["2022", "now", 2023, None], ids=str)
def test_misspelt_era_is_refused(era: object) -> None:
    with pytest.raises(ValueError, match="x-lago-era"):
        compiled(object_of(a=TEXT | {"x-lago-era": era}))


@pytest.mark.parametrize("premium", [None, 1, ["revenue_share"]], ids=str)
def test_premium_that_is_neither_true_nor_a_name_is_refused(premium: object) -> None:
    with pytest.raises(ValueError, match="x-lago-premium"):
        compiled(object_of(a=TEXT | {"x-lago-premium": premium}))
