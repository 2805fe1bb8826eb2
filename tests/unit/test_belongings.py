from __future__ import annotations

from dataclasses import replace

import pytest

from lago_mock.belongings import as_kept, customer_listing, require_belonging
from lago_mock.contract.operation import Parameter
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.resource import Call, Resource
from lago_mock.store.store import Store
from lago_mock.wire import JSON, JSONObject
from tests.unit.kennel import DOGS, codes, kennel, present

NAME = Problem("name", "bad", "enum", ("name",))
CODES_FILTER = Parameter("billing_entity_codes", "array")


def of(
    external_id: str = "acct-1",
    query: JSONObject | None = None,
    filters: tuple[Parameter, ...] = (CODES_FILTER,),
) -> Call:
    """Return a call on a customer's dogs: `acct-1` has two, `acct-2` one."""
    store = Store({"customers": "external_id", "billing_entities": "code", "dogs": "code"})
    view = store.view("org-1")
    for n in (1, 2):
        view.put("customers", {"lago_id": f"id-{n}", "external_id": f"acct-{n}"})
    for code in ("juniper", "alder"):
        view.put("billing_entities", {"lago_id": code, "code": code})
    for code, owner in (("rex", "id-1"), ("fido", "id-2"), ("ace", "id-1")):
        view.put("dogs", {"lago_id": code, "code": code, "name": "x", "customer_id": owner})
    store.commit(view)
    made = kennel(query=query)
    resources = {
        "customers": Resource("customer", "customers", "external_id", {}, present),
        "billing_entities": Resource("billing_entity", "billing_entities", "code", {}, present),
        "dogs": DOGS,
    }
    operation = replace(made.operation, query=filters)
    path = {"external_customer_id": external_id}
    view = store.view("org-1")
    return replace(made, path=path, view=view, resources=resources, operation=operation)


def test_list_of_a_customer_has_its_rows_alone() -> None:
    assert codes(customer_listing(of(), "dogs")) == ["ace", "rex"]
    assert codes(customer_listing(of("acct-2"), "dogs")) == ["fido"]


def test_list_of_an_unknown_customer_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        customer_listing(of("acct-3"), "dogs", (NAME,))
    assert caught.value.code == "customer_not_found"


@pytest.mark.parametrize(
    ("given", "repeats"),
    [
        pytest.param(["juniper"], True, id="one"),
        pytest.param(["juniper", "alder"], False, id="two"),
        pytest.param(["juniper", "juniper"], True, id="one twice, where that may be"),
        pytest.param([], False, id="none"),
        pytest.param("nowhere", False, id="no list"),
    ],
)
def test_known_billing_entities_pass(given: JSON, repeats: bool) -> None:
    made = of(query={"billing_entity_codes": given})
    assert codes(customer_listing(made, "dogs", repeats=repeats)) == ["ace", "rex"]


@pytest.mark.parametrize(
    ("given", "repeats"),
    [
        pytest.param(["juniper", "nowhere"], True, id="unknown one"),
        pytest.param([{"a": "b"}], True, id="no code"),
        pytest.param(["juniper", "juniper"], False, id="one twice, where that may not be"),
    ],
)
def test_billing_entity_that_cannot_be_is_not_found(given: JSON, repeats: bool) -> None:
    made = of(query={"billing_entity_codes": given})
    with pytest.raises(NotFound) as caught:
        customer_listing(made, "dogs", (NAME,), repeats=repeats)
    assert caught.value.code == "billing_entity_not_found"


def test_billing_entity_may_stand_twice_unless_said_otherwise() -> None:
    made = of(query={"billing_entity_codes": ["juniper", "juniper"]})
    assert codes(customer_listing(made, "dogs")) == ["ace", "rex"]


def test_billing_entities_count_where_the_document_has_the_filter_alone() -> None:
    made = of(query={"billing_entity_codes": ["nowhere"]}, filters=())
    assert codes(customer_listing(made, "dogs")) == ["ace", "rex"]


def test_problems_of_filters_go_before_those_of_the_page() -> None:
    with pytest.raises(ValidationFailed) as caught:
        customer_listing(of(query={"page": []}), "dogs", (NAME,))
    assert caught.value.problems == (NAME,)


def test_a_belonging_is_shown_as_it_is_kept_but_whose_it_is() -> None:
    assert as_kept(of(), {"code": "rex", "customer_id": "id-1"}) == {"code": "rex"}


def test_a_belonging_is_found_by_its_id() -> None:
    assert require_belonging(of(), "dogs", "rex")["code"] == "rex"


@pytest.mark.parametrize(
    ("external_id", "lago_id", "code"),
    [
        pytest.param("acct-3", "rex", "customer_not_found", id="unknown customer"),
        pytest.param("acct-1", "tom", "dog_not_found", id="unknown id"),
        pytest.param("acct-1", "fido", "dog_not_found", id="of another customer"),
    ],
)
def test_a_belonging_of_nobody_or_another_is_not_found(
    external_id: str, lago_id: str, code: str
) -> None:
    with pytest.raises(NotFound) as caught:
        require_belonging(of(external_id), "dogs", lago_id)
    assert caught.value.code == code
