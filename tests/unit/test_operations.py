from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lago_mock.clock import ScriptedClock
from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import Document
from lago_mock.contract.operation import Judged, Operation
from lago_mock.errors import NotFound, NotMocked, Problem
from lago_mock.operations import (
    AnswerBroken,
    Facts,
    Operations,
    Performed,
    check_answer,
    handlers_of,
)
from lago_mock.resource import Call, Resource
from lago_mock.rules import Rules
from lago_mock.signing import Signing
from lago_mock.store.store import Store
from lago_mock.wire import JSON, JSONObject

DOG: JSONObject = {
    "type": "object",
    "properties": {"dog": {"properties": {"tags": {"items": {"type": "string"}}}}},
    "additionalProperties": False,
}
TREE: JSONObject = {
    "paths": {
        "/dogs/{code}": {
            "put": {
                "operationId": "putDog",
                "responses": {"200": {"content": {"application/json": {"schema": DOG}}}},
            },
            "get": {"operationId": "findDog"},
        }
    }
}
SIGNING = Signing(dict, lambda _secrets: None)
FACTS = Facts("org-1", ScriptedClock(datetime(2026, 11, 22, tzinfo=UTC), "seed"), bool, SIGNING)


def put_dog(call: Call) -> JSONObject:
    """Write first, then refuse or answer, so that tests see what is kept."""
    call.view.put("dogs", {"lago_id": "id-1", "code": call.path["code"]})
    call.refuse_all()
    if call.query.get("gone"):
        raise NotFound("dog_not_found")
    return {"dog": call.body}


def present(_call: Call, row: JSONObject) -> JSONObject:
    return row


DOGS = Resource("dog", "dogs", "code", {"putDog": put_dog}, present)


def operations(*, foreign: bool = False) -> tuple[Operations, Store]:
    store = Store({"dogs": "code"})
    document = Document(TREE, Path("document.yaml"), {})
    contract = Contract(document, frozenset({"putDog"}), foreign=foreign)
    return Operations(contract, {"dogs": DOGS}, store), store


def perform(
    made: Operations, judged: Judged, query: JSONObject | None = None, facts: Facts = FACTS
) -> Performed:
    operation = made.contract.operations["putDog"]
    path, base_url = {"code": "rex"}, "http://127.0.0.1:3000"
    return made.perform(facts, operation, path, query or {}, judged, base_url)


def kept(store: Store) -> bool:
    return store.view("org-1").find("dogs", "rex") is not None


def test_answer_comes_back_and_what_was_written_is_kept() -> None:
    made, store = operations()
    assert perform(made, Judged({"tags": ["good"]})) == Performed({"dog": {"tags": ["good"]}}, "")
    assert kept(store)


@pytest.mark.parametrize("foreign", [False, True])
def test_nothing_is_kept_when_the_handler_refuses(foreign: bool) -> None:
    made, store = operations(foreign=foreign)
    with pytest.raises(NotFound):
        perform(made, Judged({}), {"gone": "yes"})
    assert not kept(store)


def test_handler_is_given_the_problems_of_the_body_as_a_list_of_its_own() -> None:
    seen: list[Call] = []

    def watch(call: Call) -> JSONObject:
        call.problems.clear()
        seen.append(call)
        return {}

    judged = Judged({"a": 1}, (Problem("a", "bad", "enum", ("a",)),))
    made, _ = operations()
    resource = Resource("dog", "dogs", "code", {"putDog": watch}, present)
    made = Operations(made.contract, {"dogs": resource}, Store({"dogs": "code"}))
    perform(made, judged, {"page": "2"}, replace(FACTS, rules=Rules(era="2023")))
    assert len(judged.problems) == 1
    [call] = seen
    assert (call.operation.id, call.body, call.path) == ("putDog", {"a": 1}, {"code": "rex"})
    assert (call.query, call.view.organization_id) == ({"page": "2"}, "org-1")
    assert (call.clock, call.licensed, call.signing) == (FACTS.clock, FACTS.licensed, SIGNING)
    assert (call.base_url, call.era) == ("http://127.0.0.1:3000", "2023")
    assert call.resources == {"dogs": resource}


def test_answer_that_breaks_our_own_document_is_an_error_and_keeps_nothing() -> None:
    made, store = operations()
    with pytest.raises(AnswerBroken) as caught:
        perform(made, Judged({"tags": ["good", 5]}))
    assert (caught.value.pointer, caught.value.keyword) == ("/dog/tags/1", "type")
    assert str(caught.value) == "putDog answered what the document forbids: /dog/tags/1 type"
    assert caught.value.body() == {"status": 500, "error": "Internal Server Error"}
    assert not kept(store)


def test_answer_that_breaks_a_foreign_document_is_kept_and_comes_with_a_warning() -> None:
    made, store = operations(foreign=True)
    assert perform(made, Judged({"tags": [5]})) == Performed(
        {"dog": {"tags": [5]}}, "putDog answered what the document forbids: /dog/tags/0 type"
    )
    assert kept(store)


def test_answer_that_fits_a_foreign_document_comes_without_a_warning() -> None:
    made, _ = operations(foreign=True)
    assert perform(made, Judged({})) == Performed({"dog": {}})


def test_nothing_is_checked_when_validation_is_off() -> None:
    made, store = operations()
    facts = replace(FACTS, rules=Rules(validation="off"))
    judged = Judged({"tags": [5]})
    assert perform(made, judged, facts=facts) == Performed({"dog": {"tags": [5]}})
    assert kept(store)


def test_declared_row_is_kept() -> None:
    made, store = operations()
    made.keep(FACTS, "dogs", {"lago_id": "id-2", "code": "rex"})
    assert store.view("org-1").find("dogs", "rex") == {"lago_id": "id-2", "code": "rex"}


def test_operation_with_a_handler_is_mocked() -> None:
    made, _ = operations()
    operation = made.contract.operations["putDog"]
    assert made.is_mocked(operation)
    made.require_mocked(operation)


def test_operation_without_a_handler_is_not_mocked() -> None:
    made, _ = operations()
    operation = made.contract.operations["findDog"]
    assert not made.is_mocked(operation)
    with pytest.raises(NotMocked) as caught:
        made.require_mocked(operation)
    assert caught.value.operation_id == "findDog"


# Checking answers


def answering(schema: Any, status: str = "200") -> Operation:
    answer = {"content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "findDog", "responses": {status: answer}}
    document = Document({"paths": {"/dogs": {"get": operation}}}, Path("document.yaml"), {})
    return Contract(document).operations["findDog"]


@pytest.mark.parametrize(
    ("schema", "answer", "status"),
    [
        pytest.param({"type": "string"}, "x", 200, id="valid"),
        pytest.param({"type": "string"}, 5, 404, id="status that the document lacks"),
        pytest.param({"pattern": "^a$"}, "a\n", 200, id="the fast engine alone refuses"),
    ],
)
def test_answer_passes(schema: JSONObject, answer: JSON, status: int) -> None:
    check_answer(answering(schema), answer, status)


@pytest.mark.parametrize(
    ("answer", "pointer", "keyword"),
    [
        pytest.param([], "", "type", id="whole answer"),
        pytest.param({"a": 1}, "/a", "type", id="value"),
        pytest.param({"b/c~": 1}, "/b~1c~0", "type", id="escaped"),
    ],
)
def test_broken_answer_is_told_with_pointer_and_keyword(
    answer: JSON, pointer: str, keyword: str
) -> None:
    operation = answering(
        {"type": "object", "additionalProperties": {"type": "string"}}, status="404"
    )
    with pytest.raises(AnswerBroken) as caught:
        check_answer(operation, answer, 404)
    assert (caught.value.pointer, caught.value.keyword) == (pointer, keyword)


def test_handlers_of_all_resources_are_found_by_operation_id() -> None:
    cats = Resource("cat", "cats", "code", {"findCat": put_dog}, present)
    empty = Resource("cow", "cows", "code", {}, present)
    resources = {"dogs": DOGS, "cats": cats, "cows": empty}
    assert handlers_of(resources) == {"putDog": put_dog, "findCat": put_dog}
