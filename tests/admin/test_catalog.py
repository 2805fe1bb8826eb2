from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.data import data_folder
from lago_mock.settings import Settings
from tests.conftest import running
from tests.unmocked import READ, WRITE

KEY = {"Authorization": "Bearer lago-mock-key"}
STRANGER = {"Authorization": "Bearer nobody"}
VERBS = ("get", "put", "post", "delete", "patch")


def test_health_is_as_wiremock_gives_it(admin: httpx.Client) -> None:
    response = admin.get("/health")

    body = response.json()
    assert response.status_code == 200
    assert [*body] == ["status", "message", "version", "uptimeInSeconds", "timestamp"]
    assert (body["status"], body["version"]) == ("healthy", version("lago-mock"))
    assert type(body["uptimeInSeconds"]) is int
    assert body["uptimeInSeconds"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", body["timestamp"])


def test_version_is_that_of_the_package_and_of_lago(server: str, admin: httpx.Client) -> None:
    lago = admin.get(f"{server}/health").json()["version"]

    assert admin.get("/version").json() == {"version": version("lago-mock"), "lago_version": lago}


@pytest.mark.parametrize("path", ["/health", "/version"])
def test_health_and_version_ask_for_no_key(admin: httpx.Client, path: str) -> None:
    assert admin.get(path, headers=KEY).status_code == 200
    assert admin.get(path, headers=STRANGER).status_code == 200


@pytest.mark.parametrize("path", ["/fixtures", "/operations", "/openapi.json", "/faults"])
def test_a_key_is_not_needed_but_must_be_known(admin: httpx.Client, path: str) -> None:
    open_answer, own_answer = admin.get(path), admin.get(path, headers=KEY)
    refused = admin.get(path, headers=STRANGER)

    assert (open_answer.status_code, own_answer.status_code) == (200, 200)
    assert (refused.status_code, refused.json()) == (401, {"status": 401, "error": "Unauthorized"})


@pytest.mark.parametrize("value", ["Bearer", "lago-mock-key", "Bearer LAGO-MOCK-KEY"])
def test_a_header_without_a_known_key_is_refused(admin: httpx.Client, value: str) -> None:
    assert admin.get("/operations", headers={"Authorization": value}).status_code == 401


def test_fixtures_lists_the_sets_by_name(admin: httpx.Client) -> None:
    sets = admin.get("/fixtures").json()["fixtures"]

    assert [each["name"] for each in sets] == ["default", "empty"]
    assert [each["sections"] for each in sets] == [
        {"billing_entities": 1, "customers": 5, "taxes": 2},
        {"billing_entities": 1},
    ]
    assert all(each["description"] for each in sets)
    assert all(Path(each["path"]).is_absolute() for each in sets)
    assert all(Path(each["path"]).is_file() for each in sets)


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for path, item in document["paths"].items():
        for verb in item.keys() & VERBS:
            yield item[verb]["operationId"], verb.upper(), path


def test_operations_are_those_of_the_document(admin: httpx.Client) -> None:
    document = admin.get("/openapi.json").json()

    operations = admin.get("/operations").json()["operations"]

    assert [*operations[0]] == ["operation", "method", "path", "mocked"]
    listed = [(each["operation"], each["method"], each["path"]) for each in operations]
    assert sorted(listed) == sorted(operations_of(document))
    assert len({name for name, _, _ in listed}) == len(listed)


def test_operations_say_which_are_mocked(admin: httpx.Client) -> None:
    operations = admin.get("/operations").json()["operations"]
    mocked = {each["operation"]: each["mocked"] for each in operations}

    asked = ("createCustomer", "findOrganization", "createTax", READ.id, WRITE.id)
    assert [mocked[name] for name in asked] == [True, True, True, False, False]


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_is_in_one_piece(admin: httpx.Client) -> None:
    response = admin.get("/openapi.json")

    document = response.json()
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "lago-mock"
    assert {"/customers", "/organizations", "/taxes", READ.path} <= document["paths"].keys()
    found = set(references(document))
    assert found
    for reference in found:
        node = document
        assert reference.startswith("#/")
        for step in reference[2:].split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]


def test_webhooks_that_are_broken_are_told_where_they_are_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "openapi"
    shutil.copytree(data_folder() / "openapi", folder)
    (folder / "webhooks.yaml").write_text("webhooks: []\n", "utf-8")
    with running(build(Settings(db=":memory:", openapi=str(folder)))) as url:
        document = httpx.get(f"{url}/__admin/openapi.json")
        sent = httpx.post(f"{url}/__admin/webhooks", json={"type": "customer.created"}, headers=KEY)

    what = f"{folder / 'webhooks.yaml'}: /webhooks: an object is needed"
    failure = {"status": 500, "error": f"Internal Server Error: {what}"}
    assert [(each.status_code, each.json()) for each in (document, sent)] == [(500, failure)] * 2
    assert caplog.messages.count(f"a document or fixture set is broken: {what}") == 2
    assert not [each for each in caplog.records if each.exc_info]


@pytest.mark.parametrize("headers", [{}, KEY, STRANGER], ids=["no key", "key", "unknown key"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/nowhere"),
        ("GET", "/faults/1/2"),
        ("POST", "/health"),
        ("DELETE", "/reset"),
        ("GET", "/Health"),
        ("OPTIONS", "/health"),
    ],
)
def test_an_unknown_path_is_no_resource(
    admin: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    response = admin.request(method, path, headers=headers)

    expected = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
    body = response.json()
    known = body.pop("known")
    assert (response.status_code, body) == (404, expected)
    assert known[:3] == ["GET /health", "GET /version", "POST /reset"]
    assert len(known) == len(set(known)) > 30


@pytest.mark.parametrize("path", ["/health", "/version", "/operations", "/fixtures", "/faults"])
def test_head_answers_without_a_body(admin: httpx.Client, path: str) -> None:
    response = admin.head(path)

    assert (response.status_code, response.content) == (200, b"")
    assert admin.get(path).status_code == 200


def test_admin_answers_are_marked_too(admin: httpx.Client) -> None:
    headers = admin.get("/health", headers={"X-Request-Id": "trace-42"}).headers

    assert headers["x-lago-mock"] == version("lago-mock")
    assert headers["x-request-id"] == "trace-42"
    assert headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "details"),
    [
        ("POST", "/reset?fixtures=empty", {"fixtures": ["unknown_parameter"]}),
        ("GET", "/webhooks?state=faild", {"state": ["value_is_invalid; did you mean failed?"]}),
        ("GET", "/webhooks?typ=a", {"typ": ["unknown_parameter; did you mean type?"]}),
        ("GET", "/webhooks?type[]=a", {"type": ["value_is_invalid; string is needed"]}),
    ],
)
def test_a_parameter_that_would_count_for_nothing_is_refused(
    admin: httpx.Client, method: str, path: str, details: dict[str, list[str]]
) -> None:
    response = admin.request(method, path)

    assert (response.status_code, response.json()["error_details"]) == (422, details)


@pytest.mark.parametrize("body", [{"rows": []}, [1], "x"], ids=str)
def test_a_body_that_would_count_for_nothing_is_refused(admin: httpx.Client, body: Any) -> None:
    response = admin.put("/snapshots/kept", json=body)

    assert response.json()["error_details"] == {"base": ["no body is taken"]}
    assert "kept" not in admin.get("/snapshots").json()["snapshots"]
    assert admin.put("/snapshots/kept", json={}).status_code == 200
    admin.delete("/snapshots/kept").raise_for_status()


@pytest.mark.parametrize("path", ["/health", "/version"])
def test_a_probe_may_add_parameters(admin: httpx.Client, path: str) -> None:
    assert admin.get(f"{path}?now=1").status_code == 200


def test_what_is_wrong_is_named_by_its_whole_path(admin: httpx.Client) -> None:
    faults = [{"operation": "*", "status": 503}, {"operation": "*", "eror": "forbidden"}]

    response = admin.put("/faults", json={"faults": faults})

    assert response.json()["error_details"] == {
        "faults.1.eror": ["unknown_field; did you mean error?"]
    }
