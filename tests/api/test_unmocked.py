from __future__ import annotations

import re

import httpx
import pytest

from lago_mock.contract.operation import Operation
from tests.conftest import ROOT
from tests.unmocked import READ, UNMOCKED, WRITE

pytestmark = pytest.mark.mock_only

ODD = ("basic", "a.b", "a%2Fb", "ten off")
"""What stands in paths, in turn."""


def filled(operation: Operation, number: int) -> str:
    """Return a path of an operation."""
    values = iter(ODD[number % len(ODD) :] + ODD)
    return re.sub(r"\{\w+\}", lambda _: next(values), operation.path)


SAMPLE = [
    (each.method, filled(each, number), each.id)
    for number, each in enumerate(UNMOCKED)
    if number % 8 == 0 or each in (READ, WRITE)
]


def not_mocked(operation: str) -> dict[str, object]:
    return {
        "status": 501,
        "error": "Not Implemented",
        "code": "operation_not_mocked",
        "operation": operation,
    }


@pytest.mark.parametrize(("method", "path", "operation"), SAMPLE)
def test_a_valid_key_learns_that_an_operation_is_not_mocked(
    client: httpx.Client, method: str, path: str, operation: str
) -> None:
    response = client.request(method, path)

    assert (response.status_code, response.json()) == (501, not_mocked(operation))


@pytest.mark.parametrize(("method", "path", "operation"), SAMPLE)
def test_without_a_valid_key_it_is_401(
    client: httpx.Client, method: str, path: str, operation: str
) -> None:
    response = client.request(method, path, headers={"Authorization": "Bearer nobody"})

    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}


def test_a_word_that_another_verb_has_as_its_path_is_an_id(client: httpx.Client) -> None:
    response = client.get("/events/batch")

    assert (response.status_code, response.json()) == (501, not_mocked("findEvent"))


@pytest.mark.parametrize("body", [{}, {"thing": {"name": "Basic"}}, {"thing": None}, [1]])
def test_no_body_is_asked_for(client: httpx.Client, body: object) -> None:
    response = client.post(WRITE.path, json=body)

    assert (response.status_code, response.json()) == (501, not_mocked(WRITE.id))


def test_head_is_501_without_a_body(client: httpx.Client) -> None:
    response = client.head(READ.path)

    assert (response.status_code, response.content) == (501, b"")


def test_the_catalog_knows_which_operations_are_not_mocked(
    client: httpx.Client, admin: httpx.Client
) -> None:
    operations = admin.get("/operations").json()["operations"]
    unmocked = [each for each in operations if not each["mocked"]]

    answers = {
        each["operation"]: client.request(each["method"], each["path"].replace("{", "%7B")).json()
        for each in unmocked
    }

    document = (ROOT / "openapi" / "unmocked.yaml").read_text("utf-8")
    assert answers.keys() == set(re.findall(r"operationId: (\w+)", document))
    assert answers == {operation: not_mocked(operation) for operation in answers}


def test_the_catalog_knows_which_operations_are_mocked(
    client: httpx.Client, admin: httpx.Client
) -> None:
    operations = admin.get("/operations").json()["operations"]
    mocked = [each for each in operations if each["mocked"]]

    statuses = {
        each["operation"]: client.request(each["method"], each["path"].replace("{", "x"))
        for each in mocked
    }

    assert {"createCustomer", "findOrganization", "createTax"} <= statuses.keys()
    assert not [name for name, answer in statuses.items() if answer.status_code == 501]
