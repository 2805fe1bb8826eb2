"""Two resources of no API, dogs and cats, for the tests of what all resources are made of."""

from __future__ import annotations

from lago_mock.contract.operation import Operation
from lago_mock.errors import Problem
from lago_mock.resource import Call, Resource
from lago_mock.store.store import Store
from lago_mock.store.tables import Row
from lago_mock.store.view import View
from lago_mock.wire import JSONObject
from tests.unit.calls import call_of

ORGANIZATION: Row = {"lago_id": "org-1", "name": "Juniper"}


def present(call: Call, row: Row) -> JSONObject:
    return {"code": row["code"], "name": row["name"], "seen_by": call.operation.id}


def list_item(_call: Call, row: Row) -> JSONObject:
    return {"code": row["code"]}


DOGS = Resource("dog", "dogs", "code", {}, present)
CATS = Resource("cat", "cats", "code", {}, present, list_item)


def view_of(*codes: str) -> View:
    """Return a view of an organization whose dogs and cats have these codes, the oldest first."""
    store = Store({"dogs": "code", "cats": "code"})
    view = store.view("org-1")
    view.put("organizations", ORGANIZATION)
    for code in codes:
        for kind in ("dogs", "cats"):
            view.put(kind, {"lago_id": f"{kind} {code}", "code": code, "name": code.upper()})
    store.commit(view)
    return store.view("org-1")


def kennel(
    *codes: str, query: JSONObject | None = None, problems: list[Problem] | None = None
) -> Call:
    return call_of(
        operation=Operation("findAllDogs", "GET", "/dogs", (), (), {}),
        query=query or {},
        view=view_of(*codes),
        resources={"dogs": DOGS, "cats": CATS},
        problems=problems or [],
    )


def codes(answer: JSONObject, collection: str = "dogs") -> list[str]:
    """Return what the items of a list are called, in their order."""
    return [item["code"] for item in answer[collection]]
