from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lago_mock.clock import ScriptedClock
from lago_mock.errors import NotFound, Problem, ValidationFailed
from tests.unit.kennel import ORGANIZATION, kennel

# Refusing


def problem(*path: str | int, code: str = "bad") -> Problem:
    return Problem(str(path[0]), code, "enum", path)


NAME = problem("name")
CITY = problem("address", "city")
CODE_1 = problem("codes", 1)
CODE_2 = problem("codes", 2)
KEY = problem("metadata", 0, "key")
NAME_TOO = problem("name", code="worse")
ALL = [CODE_1, NAME, CITY, CODE_2, KEY, NAME_TOO]


@pytest.mark.parametrize(
    ("places", "refused"),
    [
        pytest.param(["name"], [NAME, NAME_TOO], id="one place"),
        pytest.param(["address.city", "name"], [CITY, NAME, NAME_TOO], id="in the order asked"),
        pytest.param(["codes"], [CODE_1, CODE_2], id="scalars of an array"),
        pytest.param(["codes.2"], [CODE_2], id="one item"),
        pytest.param(["metadata.0.key"], [KEY], id="key of an item"),
    ],
)
def test_refuse_raises_the_problems_of_its_places(
    places: list[str], refused: list[Problem]
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        kennel(problems=ALL).refuse(*places)
    assert list(caught.value.problems) == refused


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([], id="no place"),
        pytest.param(["email"], id="place without a problem"),
        pytest.param(["address"], id="above a problem"),
        pytest.param(["metadata", "metadata.0"], id="above a problem in an item"),
        pytest.param(["name.first"], id="below a problem"),
        pytest.param(["city"], id="end of a path"),
    ],
)
def test_refuse_lets_problems_of_other_places_pass(places: list[str]) -> None:
    kennel(problems=ALL).refuse(*places)


def test_nothing_is_refused_where_there_are_no_problems() -> None:
    kennel().refuse("name")
    kennel().refuse_all()


def test_refuse_all_raises_every_problem() -> None:
    with pytest.raises(ValidationFailed) as caught:
        kennel(problems=ALL).refuse_all()
    assert list(caught.value.problems) == ALL


# Rows


def test_row_is_found_by_its_natural_key_or_not() -> None:
    row = {"lago_id": "dogs rex", "code": "rex", "name": "REX"}
    assert kennel("rex").find("dogs", "rex") == row
    assert kennel("rex").require("dogs", "rex") == row
    assert kennel("rex").find("dogs", "Rex") is None


@pytest.mark.parametrize(
    ("collection", "code"), [("dogs", "dog_not_found"), ("cats", "cat_not_found")]
)
def test_required_row_that_is_missing_is_not_found(collection: str, code: str) -> None:
    with pytest.raises(NotFound) as caught:
        kennel("rex").require(collection, "tom")
    assert caught.value.code == code


def test_id_of_a_row_is_that_of_its_natural_key_or_not_found() -> None:
    assert kennel("rex").id_of("dogs", "rex") == "dogs rex"
    with pytest.raises(NotFound) as caught:
        kennel("rex").id_of("dogs", "tom")
    assert caught.value.code == "dog_not_found"


def test_organization_is_a_copy_of_its_row() -> None:
    made = kennel()
    made.organization["name"] = "changed"
    assert kennel().organization == ORGANIZATION
    assert made.view.get("organizations", "org-1") == ORGANIZATION


def test_row_is_presented_by_its_resource() -> None:
    made = kennel("rex")
    shown = made.present("dogs", made.require("dogs", "rex"))
    assert shown == {"code": "rex", "name": "REX", "seen_by": "findAllDogs"}


def test_time_and_ids_come_from_the_clock() -> None:
    made = kennel()
    assert made.now() == "2026-11-22T09:30:00.000012Z"
    assert made.now() == "2026-11-22T09:30:00.000012Z"  # the call is one instant
    assert made.new_id() == ScriptedClock(datetime.now(UTC), "seed").new_id()
