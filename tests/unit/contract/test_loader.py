from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import (
    EXTENSIONS,
    Document,
    DocumentError,
    load_document,
    pointer,
    read_file,
    resolve,
    with_webhooks,
)
from lago_mock.wire import JSONObject

ROOT: JSONObject = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}}
PATHS: JSONObject = {"/a": {}}


def written(folder: Path, content: str | bytes | object, name: str = "document.yaml") -> Path:
    """Write a file and the folders above it; what is no text becomes JSON, which is YAML too."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def refusal(file: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load_document(file)
    return caught.value


def fragments(folder: Path, **contents: object) -> Path:
    """Write a folder of fragments; `resources_a` is `resources/a.yaml`."""
    defaults: dict[str, object] = {"openapi": ROOT, "common": {}, "unmocked": {}}
    for name, content in (defaults | contents).items():
        written(folder, content, f"{name.replace('resources_', 'resources/')}.yaml")
    return folder


def operation(operation_id: str) -> JSONObject:
    return {"operationId": operation_id}


def schemas(**entries: object) -> JSONObject:
    return {"components": {"schemas": entries}}


# Scalars of YAML 1.2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(text, value, id=text or "nothing")
        for text, value in [
            ("NO", "NO"),
            ("no", "no"),
            ("yes", "yes"),
            ("on", "on"),
            ("Off", "Off"),
            ("y", "y"),
            ("010", "010"),
            ("-007", "-007"),
            ("0o17", "0o17"),
            ("0x1F", "0x1F"),
            ("1_000", "1_000"),
            ("12:30", "12:30"),
            ("1:30:00", "1:30:00"),
            ("2026-11-22", "2026-11-22"),
            ("2026-11-22T09:30:00Z", "2026-11-22T09:30:00Z"),
            ("1.51.0", "1.51.0"),
            (".inf", ".inf"),
            (".nan", ".nan"),
            ("'5'", "5"),
            ("'true'", "true"),
            ("''", ""),
            ("tRUE", "tRUE"),
            ("nuLL", "nuLL"),
            ("+", "+"),
            (".", "."),
            ("e3", "e3"),
            ("<<", "<<"),
            ("=", "="),
            ("", None),
            ("~", None),
            ("null", None),
            ("Null", None),
            ("NULL", None),
            ("true", True),
            ("True", True),
            ("TRUE", True),
            ("false", False),
            ("False", False),
            ("FALSE", False),
            ("0", 0),
            ("7", 7),
            ("+7", 7),
            ("-7", -7),
            ("9223372036854775808", 9223372036854775808),
            ("1e3", 1000.0),
            ("1E+3", 1000.0),
            ("-1.5e-3", -0.0015),
            ("1.", 1.0),
            (".5", 0.5),
            ("-.5", -0.5),
            ("+0.5", 0.5),
        ]
    ],
)
def test_yaml_is_read_by_the_types_of_version_1_2(tmp_path: Path, text: str, value: Any) -> None:
    read = read_file(written(tmp_path, f"key: {text}\n"))["key"]
    assert (type(read), read) == (type(value), value)


def test_merge_key_is_a_key_like_any_other(tmp_path: Path) -> None:
    read = read_file(written(tmp_path, "a: &a {x: 1}\nb: {<<: *a, x: 2}\n"))
    assert read["b"] == {"<<": {"x": 1}, "x": 2}


def test_empty_yaml_file_holds_nothing(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, "")) is None


def test_json_file_is_read_as_json(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, '{"a": [1, "NO", null]}', "a.json")) == {
        "a": [1, "NO", None]
    }


# Files that cannot be read


@pytest.mark.parametrize(
    ("name", "text", "place", "what"),
    [
        pytest.param(
            "a.yaml",
            "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n",
            "line 5, column 3",
            "not YAML: the key 'c' stands twice",
            id="key twice",
        ),
        pytest.param("a.yaml", "a: [1\nb: 2\n", "line 2, column 2", "not YAML: ", id="bracket"),
        pytest.param("a.yaml", "a: *b\n", "line 1, column 4", "not YAML: ", id="alias"),
        pytest.param("a.yaml", "a: &b [*b]\n", "line 1, column 4", "not YAML: ", id="recursion"),
        pytest.param("a.yaml", "a: 1\n---\nb: 2\n", "line 2, column 1", "not YAML: ", id="two"),
        pytest.param("a.yaml", "a: !!python/none\n", "line 1, column 4", "not YAML: ", id="tag"),
        pytest.param(
            "a.yaml",
            "a: -1e999\n",
            "line 1, column 4",
            "not YAML: -1e999 is no number that JSON has",
            id="number beyond all",
        ),
        pytest.param(
            "a.yaml", "a: !!float .nan\n", "line 1, column 4", "not YAML: .nan ", id="nan"
        ),
        pytest.param(
            "a.yaml", "a: !!timestamp 2026-01-01\n", "line 1, column 4", "not YAML: ", id="date"
        ),
        pytest.param("a.yaml", "a: !!binary aGk=\n", "line 1, column 4", "not YAML: ", id="bytes"),
        pytest.param("a.yaml", "a: !!set {b: }\n", "line 1, column 4", "not YAML: ", id="set"),
        pytest.param("a.json", '{\n  "a": tru\n}', "line 2, column 8", "not JSON: ", id="literal"),
        pytest.param("a.json", "", "line 1, column 1", "not JSON: ", id="empty JSON"),
    ],
)
def test_broken_syntax_is_told_with_line_and_column(
    tmp_path: Path, name: str, text: str, place: str, what: str
) -> None:
    file = written(tmp_path, text, name)
    with pytest.raises(DocumentError) as caught:
        read_file(file)
    error = caught.value
    assert (error.file, error.place) == (file, place)
    assert str(error).startswith(f"{file}: {place}: {what}")


@pytest.mark.parametrize(
    "data",
    [pytest.param(b"a: \xff\n", id="no UTF-8"), pytest.param(b"a: \x01\n", id="control character")],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes) -> None:
    file = written(tmp_path, data)
    with pytest.raises(
        DocumentError, match=r"document\.yaml: not YAML: unacceptable character"
    ) as caught:
        read_file(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["!!bool maybe", "!!int x", "!!int ''", "!!float x"])
def test_a_scalar_of_another_type_than_it_says_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(DocumentError, match=r"document\.yaml: not YAML: "):
        read_file(written(tmp_path, f"a: {value}\n"))


def test_what_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"document\.yaml: not YAML: nested too deeply"):
        read_file(written(tmp_path, "[" * 900 + "]" * 900))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("? [a, b]\n: 1\n", id="list as key"),
        pytest.param("? {a: 1}\n: 1\n", id="object as key"),
        pytest.param("a: !!int seven\n", id="text tagged as number"),
    ],
)
def test_yaml_that_makes_no_json_is_refused(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(DocumentError):
        read_file(file)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param("missing.yaml", "cannot be read: No such file or directory", id="missing"),
        pytest.param("folder.yaml", "cannot be read: Is a directory", id="folder"),
    ],
)
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(DocumentError) as caught:
        read_file(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: {what}"


def test_document_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 300}.yaml"
    with pytest.raises(DocumentError) as caught:
        load_document(path)
    assert str(caught.value) == f"{path}: cannot be read: File name too long"


def test_folder_without_one_of_the_fragments_is_refused(tmp_path: Path) -> None:
    folder = fragments(tmp_path)
    (folder / "common.yaml").unlink()
    assert str(refusal(folder)) == (
        f"{folder / 'common.yaml'}: cannot be read: No such file or directory"
    )


# Uniting


def test_one_file_is_a_document(tmp_path: Path) -> None:
    tree = ROOT | {"paths": {"/taxes": {"summary": "Rates", "post": operation("createTax")}}}
    tree |= schemas(Tax={"type": "object"})
    file = written(tmp_path, tree)
    document = load_document(file)
    assert document.file == file
    assert document.sources == {"createTax": file, "schemas/Tax": file}
    assert document.tree == tree


def test_json_document_is_loaded_like_a_yaml_one(tmp_path: Path) -> None:
    tree = ROOT | {"paths": {"/taxes": {"get": operation("findAllTaxes")}}}
    document = load_document(written(tmp_path, tree, "document.json"))
    assert document.tree == tree


def test_version_3_may_be_written_as_a_number(tmp_path: Path) -> None:
    document = load_document(written(tmp_path, "openapi: 3.1\npaths: {/a: {}}\n"))
    assert document.tree["openapi"] == 3.1


def test_fragments_of_a_folder_are_united(tmp_path: Path) -> None:
    folder = fragments(
        tmp_path,
        openapi=ROOT | {"tags": [{"name": "one"}]} | schemas(Root={}),
        common={"components": {"schemas": {"Shared": {}}, "headers": {"Shared": {}}}},
        resources_zebras={"paths": {"/zebras": {"get": operation("findZebras")}}},
        resources_apes={
            "tags": [{"name": "two"}],
            "paths": {"/apes": {"parameters": [], "get": operation("findApes")}},
            **schemas(Ape={"$ref": "#/components/schemas/Shared"}),
        },
        unmocked={"paths": {"/apes": {"post": operation("createApe")}}},
    )
    document = load_document(folder)
    apes, zebras = folder / "resources/apes.yaml", folder / "resources/zebras.yaml"
    assert document.file == folder
    assert document.tree["tags"] == [{"name": "one"}, {"name": "two"}]
    assert list(document.tree["components"]["schemas"]) == ["Root", "Shared", "Ape"]
    assert document.sources == {
        "schemas/Root": folder / "openapi.yaml",
        "schemas/Shared": folder / "common.yaml",
        "headers/Shared": folder / "common.yaml",
        "findApes": apes,
        "schemas/Ape": apes,
        "findZebras": zebras,
        "createApe": folder / "unmocked.yaml",
    }
    assert [(path, method) for path, method, _, _ in document.operations()] == [
        ("/apes", "get"),
        ("/apes", "post"),
        ("/zebras", "get"),
    ]


def test_operations_are_yielded_with_their_path_item(tmp_path: Path) -> None:
    item = {"parameters": [], "put": operation("b"), "get": operation("a")}
    document = Document({"paths": {"/x": item}}, tmp_path, {})
    assert list(document.operations()) == [
        ("/x", "get", item, operation("a")),
        ("/x", "put", item, operation("b")),
    ]


@pytest.mark.parametrize(
    "method", ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
)
def test_every_method_of_http_is_an_operation(tmp_path: Path, method: str) -> None:
    file = written(tmp_path, ROOT | {"paths": {"/a": {"summary": "x", method: operation("doA")}}})
    document = load_document(file)
    assert [found for _, found, _, _ in document.operations()] == [method]
    assert document.sources == {"doA": file}


def test_webhooks_are_united_and_are_no_operations(tmp_path: Path) -> None:
    folder = fragments(
        tmp_path,
        openapi=ROOT | {"paths": PATHS},
        resources_a={"webhooks": {"a.made": {"post": operation("aMade")}}},
        resources_b={"webhooks": {"b.made": {"post": operation("bMade")}}},
    )
    document = load_document(folder)
    assert list(document.tree["webhooks"]) == ["a.made", "b.made"]
    assert list(document.operations()) == []


def test_document_without_paths_has_no_operations(tmp_path: Path) -> None:
    assert list(Document({}, tmp_path, {}).operations()) == []


@pytest.mark.parametrize(
    ("one", "other", "what", "place"),
    [
        pytest.param(
            {"paths": {"/a": {"get": operation("findA")}}},
            {"paths": {"/b": {"get": operation("findA")}}},
            "'operationId findA'",
            "/paths/~1b/get",
            id="operation id",
        ),
        pytest.param(
            {"paths": {"/a": {"get": operation("findA")}}},
            {"paths": {"/a": {"get": operation("findB")}}},
            "'/a get'",
            "/paths/~1a/get",
            id="path and method",
        ),
        pytest.param(
            schemas(Tax={}),
            schemas(Tax={}),
            "'schemas Tax'",
            "/components/schemas/Tax",
            id="component",
        ),
        pytest.param({"security": {}}, {"security": {}}, "'security'", "/security", id="section"),
    ],
)
def test_fragments_that_define_one_thing_are_refused(
    tmp_path: Path, one: JSONObject, other: JSONObject, what: str, place: str
) -> None:
    folder = fragments(tmp_path, resources_a=one, resources_b=other)
    assert str(refusal(folder)) == (
        f"{folder / 'resources/b.yaml'}: {place}: {what} is defined in "
        f"{folder / 'resources/a.yaml'} as well. Keep one of them."
    )


@pytest.mark.parametrize(
    ("other", "what", "place"),
    [
        pytest.param(schemas(Tax={}), "'schemas Tax'", "/components/schemas/Tax", id="component"),
        pytest.param(
            {"webhooks": {"tax_made": {"post": operation("findTax")}}},
            "'operationId findTax'",
            "/webhooks/tax_made/post",
            id="operation id",
        ),
        pytest.param({"info": {}}, "'info'", "/info", id="section"),
    ],
)
def test_webhooks_that_define_what_a_fragment_defines_are_refused_with_its_file(
    tmp_path: Path, other: JSONObject, what: str, place: str
) -> None:
    taxes = {"paths": {"/taxes": {"get": operation("findTax")}}} | schemas(Tax={})
    folder = fragments(tmp_path, resources_taxes=taxes, webhooks=other)
    with pytest.raises(DocumentError) as caught:
        with_webhooks(load_document(folder))
    owner = folder if place == "/info" else folder / "resources/taxes.yaml"
    assert str(caught.value) == (
        f"{folder / 'webhooks.yaml'}: {place}: {what} is defined in {owner} as well. "
        "Keep one of them."
    )


def test_document_with_webhooks_knows_the_file_of_each_piece(tmp_path: Path) -> None:
    made = {"webhooks": {"tax_made": {"post": operation("taxMade")}}}
    taxes = {"paths": {"/taxes": {"get": operation("findTax")}}} | schemas(Tax={})
    folder = fragments(tmp_path, resources_taxes=taxes, webhooks=made)
    whole = with_webhooks(load_document(folder))
    assert list(whole.tree["webhooks"]) == ["tax_made"]
    assert whole.sources == {
        "findTax": folder / "resources/taxes.yaml",
        "schemas/Tax": folder / "resources/taxes.yaml",
        "taxMade": folder / "webhooks.yaml",
    }


def test_one_file_that_uses_an_operation_id_twice_is_refused(tmp_path: Path) -> None:
    item = {"get": operation("x"), "put": operation("x")}
    file = written(tmp_path, ROOT | {"paths": {"/a": item}})
    assert refusal(file).what == f"'operationId x' is defined in {file} as well"


def test_components_of_two_kinds_may_share_a_name(tmp_path: Path) -> None:
    components = {"schemas": {"A": {}}, "headers": {"A": {}}}
    document = load_document(written(tmp_path, ROOT | {"paths": PATHS, "components": components}))
    assert list(document.sources) == ["schemas/A", "headers/A"]


# Documents that are none

NO_ID = "no operationId"
GIVE_ONE = "Give the operation one."


@pytest.mark.parametrize(
    ("content", "place", "what", "advice"),
    [
        pytest.param([1], "", "not an OpenAPI document: the top level is no object", "", id="list"),
        pytest.param("", "", "not an OpenAPI document: the top level is no object", "", id="empty"),
        pytest.param(
            {"paths": PATHS}, "/openapi", "an OpenAPI version 3 is needed", "", id="no version"
        ),
        pytest.param(
            {"openapi": "2.0.0", "paths": PATHS},
            "/openapi",
            "an OpenAPI version 3 is needed",
            "",
            id="version 2",
        ),
        pytest.param(ROOT, "/paths", "the document has no paths", "", id="no paths"),
        pytest.param(
            ROOT | {"paths": {"/a/{b}": {"get": {"summary": "x"}}}},
            "/paths/~1a~1{b}/get",
            NO_ID,
            GIVE_ONE,
            id="no operation id",
        ),
        pytest.param(
            ROOT | {"paths": {"/a": {"get": {"operationId": 5}}}},
            "/paths/~1a/get",
            NO_ID,
            GIVE_ONE,
            id="operation id that is no text",
        ),
        pytest.param(
            ROOT | {"paths": {"/a": {"get": "none"}}},
            "/paths/~1a/get",
            NO_ID,
            GIVE_ONE,
            id="operation that is no object",
        ),
        pytest.param(
            ROOT | {"paths": PATHS, "webhooks": {"made": {"post": {"summary": "x"}}}},
            "/webhooks/made/post",
            NO_ID,
            GIVE_ONE,
            id="webhook without operation id",
        ),
    ],
)
def test_what_is_no_usable_document_is_refused(
    tmp_path: Path, content: object, place: str, what: str, advice: str
) -> None:
    file = written(tmp_path, content)
    error = refusal(file)
    assert (error.file, error.place, error.what) == (file, place, what)
    said = ": ".join(filter(None, [str(file), place, what]))
    assert str(error) == (f"{said}. {advice}" if advice else said)


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({"paths": None}, id="paths null"),
        pytest.param({"paths": [1]}, id="paths a list"),
        pytest.param({"paths": {"/a": None}}, id="path item null"),
        pytest.param({"paths": {"/a": 5}}, id="path item a number"),
        pytest.param({"paths": PATHS, "components": None}, id="components null"),
        pytest.param({"paths": PATHS, "components": {"schemas": None}}, id="schemas null"),
        pytest.param({"paths": PATHS, "components": {"schemas": [1]}}, id="schemas a list"),
    ],
)
def test_section_that_is_no_object_is_refused(tmp_path: Path, sections: JSONObject) -> None:
    file = written(tmp_path, ROOT | sections)
    assert refusal(file).file == file


# Extensions


def test_every_extension_is_known_by_what_it_means() -> None:
    assert list(EXTENSIONS) == [
        "x-lago-code",
        "x-lago-clean",
        "x-lago-blank",
        "x-lago-null",
        "x-lago-premium",
        "x-lago-field",
        "x-lago-era",
    ]
    assert all(EXTENSIONS.values())


@pytest.mark.parametrize(
    ("place", "owner"),
    [
        pytest.param("/components/schemas/Tax", "resources/taxes", id="component itself"),
        pytest.param("/components/schemas/Tax/properties/rate", "resources/taxes", id="property"),
        pytest.param("/components/responses/Gone", "common", id="answer"),
        pytest.param("/paths/~1taxes/get", "resources/taxes", id="operation"),
        pytest.param("/paths/~1taxes/get/parameters/0/schema", "resources/taxes", id="parameter"),
        pytest.param("/paths/~1plans/post/responses/200", "unmocked", id="other fragment"),
    ],
)
def test_misspelt_extension_is_told_with_pointer_and_file(
    tmp_path: Path, place: str, owner: str
) -> None:
    taxes = {
        "paths": {"/taxes": {"get": {**operation("findAllTaxes"), "parameters": [{"schema": {}}]}}},
        **schemas(Tax={"properties": {"rate": {}}}),
    }
    plans = {"paths": {"/plans": {"post": {**operation("createPlan"), "responses": {"200": {}}}}}}
    common = {"components": {"responses": {"Gone": {}}}}
    contents: JSONObject = {"resources_taxes": taxes, "common": common, "unmocked": plans}
    resolve(contents[owner.replace("/", "_")], f"#{place}")["x-lago-cod"] = "value_is_invalid"
    folder = fragments(tmp_path, **contents)
    assert str(refusal(folder)) == (
        f"{folder / owner}.yaml: {place}/x-lago-cod: no such extension. "
        f"Known are: {', '.join(EXTENSIONS)}."
    )


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        pytest.param({"x-lago-s": 1}, "/x-lago-s", id="root"),
        pytest.param({"paths": {"/a": {"x-lago-s": 1}}}, "/paths/~1a/x-lago-s", id="path item"),
        pytest.param(
            {"paths": {"/a": {"parameters": [{"x-lago-s": 1}]}}},
            "/paths/~1a/parameters/0/x-lago-s",
            id="path item's parameter",
        ),
        pytest.param({"components": {"x-lago-s": {}}}, "/components/x-lago-s", id="components"),
    ],
)
def test_misspelt_extension_outside_of_operations_is_told(
    tmp_path: Path, sections: JSONObject, place: str
) -> None:
    file = written(tmp_path, ROOT | {"paths": PATHS} | sections)
    error = refusal(file)
    assert (error.file, error.place, error.what) == (file, place, "no such extension")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("example: {x-lago-s: 1}", id="example"),
        pytest.param("examples: [{x-lago-s: 1}]", id="examples"),
        pytest.param("enum: [{x-lago-s: 1}]", id="enum"),
        pytest.param("x-other: 1", id="extension of others"),
        pytest.param("1: 2", id="key that is no text"),
        pytest.param("x-lago-era: legacy", id="known one"),
        pytest.param("properties: {$ref: {type: string}}", id="property called $ref"),
    ],
)
def test_what_is_no_misspelt_extension_passes(tmp_path: Path, text: str) -> None:
    head = "openapi: 3.1.0\npaths: {/a: {}}\ncomponents: {schemas: {A: {"
    document = load_document(written(tmp_path, f"{head}{text}}}}}}}"))
    assert list(document.sources) == ["schemas/A"]


# References


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("#/components/schemas/Rate", id="no such name"),
        pytest.param("#/components/nothing/Tax", id="no such kind"),
        pytest.param("#/tags/7", id="beyond a list"),
        pytest.param("#/tags/first", id="name in a list"),
        pytest.param("#/info/title/length", id="into a text"),
        pytest.param("#Tax", id="anchor"),
        pytest.param("common.yaml#/components/schemas/Tax", id="other file"),
        pytest.param("https://lago.example/api.yaml", id="web address"),
        pytest.param("", id="nothing"),
    ],
)
def test_reference_that_leads_nowhere_is_told_with_pointer_and_file(
    tmp_path: Path, reference: str
) -> None:
    folder = fragments(
        tmp_path,
        openapi=ROOT | {"tags": [{"name": "a"}], "paths": PATHS},
        resources_taxes=schemas(Tax={"items": {"allOf": [{"$ref": reference}]}}),
    )
    assert str(refusal(folder)) == (
        f"{folder / 'resources/taxes.yaml'}: /components/schemas/Tax/items/allOf/0: "
        f"the reference {reference} leads nowhere. "
        "Refer into the document as #/components/schemas/Name, or to a file beside it."
    )


def test_one_file_may_refer_to_files_beside_it(tmp_path: Path) -> None:
    written(tmp_path, {"Tax": {"$ref": "#/Rate"}, "Rate": {"type": "number"}}, "parts/taxes.yaml")
    tree = ROOT | {"paths": PATHS} | schemas(Tax={"$ref": "parts/taxes.yaml#/Tax"})
    document = load_document(written(tmp_path, tree))
    first = document.tree["components"]["schemas"]["Tax"]["$ref"]
    second = resolve(document.tree, first)["$ref"]
    assert resolve(document.tree, second) == {"type": "number"}


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("missing.yaml#/Tax", id="no such file"),
        pytest.param("taxes.yaml#/Rate", id="no such place in it"),
        pytest.param("https://lago.example/api.yaml#/Tax", id="web address"),
    ],
)
def test_one_file_that_refers_to_nothing_is_refused(tmp_path: Path, reference: str) -> None:
    written(tmp_path, {"Tax": {}}, "taxes.yaml")
    tree = ROOT | {"paths": PATHS} | schemas(Tax={"$ref": reference})
    assert str(refusal(written(tmp_path, tree))).startswith(str(tmp_path))


def test_reference_in_place_of_a_whole_section_is_told(tmp_path: Path) -> None:
    tree = ROOT | {"paths": PATHS, "components": {"schemas": {"$ref": "#/no"}}}
    file = written(tmp_path, tree)
    error = refusal(file)
    assert (error.file, error.place) == (file, "/components/schemas")


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        pytest.param("#", {"a": {"b/c": [{"d~e": 1}, 2]}}, id="whole document"),
        pytest.param("#/a", {"b/c": [{"d~e": 1}, 2]}, id="key"),
        pytest.param("#/a/b~1c/1", 2, id="slash and index"),
        pytest.param("#/a/b~1c/0/d~0e", 1, id="tilde"),
    ],
)
def test_resolve_follows_a_pointer(reference: str, found: Any) -> None:
    assert resolve({"a": {"b/c": [{"d~e": 1}, 2]}}, reference) == found


@pytest.mark.parametrize("reference", ["#/x", "other.yaml#/a", "#a"])
def test_resolve_raises_key_error_where_there_is_nothing(reference: str) -> None:
    with pytest.raises(KeyError):
        resolve({"a": 1}, reference)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        pytest.param((), "", id="none"),
        pytest.param(("a", 0, "b"), "/a/0/b", id="plain"),
        pytest.param(("/a/{b}", "~1"), "/~1a~1{b}/~01", id="escaped"),
        pytest.param(("",), "/", id="empty name"),
    ],
)
def test_pointer_escapes_its_steps(steps: tuple[str | int, ...], text: str) -> None:
    assert pointer(*steps) == text


# Documents as others write them


def test_status_codes_without_quotes_are_text(tmp_path: Path) -> None:
    answers = "{200: {content: {application/json: {schema: {type: object}}}}}"
    paths = f"{{/a: {{get: {{operationId: findA, responses: {answers}}}}}}}"
    contract = Contract(load_document(written(tmp_path, f"openapi: 3.1.0\npaths: {paths}\n")))
    assert list(contract.operations["findA"].answers) == [200]
