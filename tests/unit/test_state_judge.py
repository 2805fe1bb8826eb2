from __future__ import annotations

from typing import Any

import pytest

from lago_mock.app import load_contract
from lago_mock.clock import SystemClock
from lago_mock.errors import ValidationFailed
from lago_mock.resource import keys_of
from lago_mock.resources import load_resources
from lago_mock.resources.billing_entities import default_entity
from lago_mock.resources.organizations import new_organization
from lago_mock.state_judge import StateJudge
from lago_mock.store.store import Store
from lago_mock.wire import JSONObject

RESOURCES = load_resources()


@pytest.fixture(scope="module")
def judge() -> StateJudge:
    return StateJudge(load_contract(RESOURCES), RESOURCES)


@pytest.fixture
def organization() -> JSONObject:
    row = new_organization(SystemClock(), "Rowing")
    entities = [default_entity(row)]
    return {"organization": row, "collections": {"billing_entities": entities}, "sequences": {}}


def state(*organizations: JSONObject) -> JSONObject:
    return {"version": 1, "organizations": list(organizations)}


def problems(judge: StateJudge, given: Any, *place: str) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as caught:
        judge.read(given, place)
    return [(each.field, each.keyword) for each in caught.value.problems]


def test_what_is_read_fills_an_organization(judge: StateJudge, organization: JSONObject) -> None:
    organization["sequences"] = {"customers": 3.0}

    (read,) = judge.read(state(organization))
    store = Store(keys_of(RESOURCES))
    view = store.view(read.row["lago_id"])
    read.fill(view)
    store.commit(view)

    assert store.organizations() == [organization["organization"]]
    kept = store.state(read.row["lago_id"])
    assert (kept.sequences, type(kept.sequences["customers"])) == ({"customers": 3}, int)
    assert kept.collections["billing_entities"].live == 1


def test_every_collection_that_something_makes_can_be_saved() -> None:
    made = {name for name, each in RESOURCES.items() if each.made_by or each.declare}

    assert made <= {name for name, each in RESOURCES.items() if each.columns or each.declare}


def test_every_row_that_answers_show_is_judged_by_an_answer(judge: StateJudge) -> None:
    shown = {name for name, each in RESOURCES.items() if each.columns}

    assert {name for name, looks in judge._looks.items() if looks} == shown


def test_references_are_columns_that_every_row_has_and_lead_to_collections() -> None:
    columns = [each.columns for each in RESOURCES.values() if each.columns]

    for each in columns:
        assert each.references.keys() <= each.needed.keys()
        assert set(each.references.values()) <= RESOURCES.keys()
    assert any(each.references for each in columns)


def test_a_place_stands_before_each_pointer(judge: StateJudge, organization: JSONObject) -> None:
    del organization["organization"]["slug"]

    found = problems(judge, state(organization), "state")

    assert found == [("/state/organizations/0/organization", "required")]


@pytest.mark.parametrize("given", [None, 7, "x", [], {}])
def test_what_is_no_state_is_refused(judge: StateJudge, given: Any) -> None:
    assert problems(judge, given)


@pytest.mark.parametrize("name", ["organizations", "customer_usage", "webhooks", "dogs"])
def test_a_collection_that_has_no_rows_is_refused(
    judge: StateJudge, organization: JSONObject, name: str
) -> None:
    organization["collections"][name] = []

    found = problems(judge, state(organization))

    assert found == [("/organizations/0/collections", "additionalProperties")]


@pytest.mark.parametrize("keys", [7, [7], [{}], [{"lago_id": "a", "value": "two words"}]])
def test_keys_must_be_keys(judge: StateJudge, organization: JSONObject, keys: Any) -> None:
    organization["organization"]["api_keys"] = keys

    found = problems(judge, state(organization))

    assert all(place.startswith("/organizations/0/organization/api_keys") for place, _ in found)


@pytest.mark.parametrize(
    ("column", "given", "place"),
    [
        ("premium_integrations", ["revenue_share", "nonsense"], "premium_integrations/1"),
        ("api_keys", [{"lago_id": "a", "value": "schlüssel"}], "api_keys/0/value"),
        ("api_keys", [{"lago_id": "a", "value": "k" * 256}], "api_keys/0/value"),
        ("api_keys", [{"lago_id": "a", "value": ""}], "api_keys/0/value"),
        (
            "api_keys",
            [{"lago_id": "a", "value": "…-key", "permissions": {"tax": [], "custmer": []}}],
            "api_keys/0/permissions/custmer",
        ),
    ],
    ids=str,
)
def test_keys_and_integrations_are_those_that_can_be(
    judge: StateJudge, organization: JSONObject, column: str, given: Any, place: str
) -> None:
    organization["organization"][column] = given

    found = problems(judge, state(organization))

    assert found == [(f"/organizations/0/organization/{place}", "granted")]


@pytest.mark.parametrize("column", ["tax_ids", "section_codes", "code", "timezone", "created_at"])
def test_a_row_lacks_no_column(judge: StateJudge, organization: JSONObject, column: str) -> None:
    del organization["collections"]["billing_entities"][0][column]

    found = problems(judge, state(organization))

    assert found == [("/organizations/0/collections/billing_entities/0", "required")]


@pytest.mark.parametrize(
    "time", ["2026-01-01", "2026-01-01T00:00:00+02:00", "2026-13-01T00:00:00Z", 7, None]
)
def test_a_time_is_kept_in_utc(judge: StateJudge, organization: JSONObject, time: Any) -> None:
    organization["collections"]["billing_entities"][0]["created_at"] = time

    place = "/organizations/0/collections/billing_entities/0/created_at"
    assert place in dict(problems(judge, state(organization)))


def test_an_object_that_lists_judge_alone_is_judged(
    judge: StateJudge, organization: JSONObject
) -> None:
    organization["collections"]["billing_entities"][0]["name"] = None

    place = "/organizations/0/collections/billing_entities/0/name"
    assert problems(judge, state(organization)) == [(place, "type")]
