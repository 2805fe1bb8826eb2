from __future__ import annotations

from typing import Any

import pytest

from lago_mock.contract.operation import Operation, Parameter
from lago_mock.errors import ValidationFailed
from lago_mock.filters import filters_of, truth
from lago_mock.wire import JSONObject
from tests.unit.calls import call_of

PARAMETERS = (
    Parameter("page", "scalar"),
    Parameter("per_page", "scalar"),
    Parameter("kinds", "array", ("cat", "dog")),
    Parameter("towns", "array"),
    Parameter("tame", "scalar", ("true", "false")),
    Parameter("name", "scalar"),
    Parameter("tags", "object"),
)
ONE_OF_KINDS = "must be one of: cat, dog"
ONE_OF_TAME = "must be one of: true, false"
NO_TEXT = "must be a string"


def filtered(query: JSONObject) -> JSONObject:
    operation = Operation("findAllPets", "GET", "/pets", (), (), {}, query=PARAMETERS)
    return filters_of(call_of(operation=operation, query=query))


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"kinds": ["dog"]}, id="array"),
        pytest.param({"kinds": ["dog", "cat", "dog"]}, id="array with repeats"),
        pytest.param({"kinds": []}, id="empty array"),
        pytest.param({"towns": ["Évora", ""]}, id="array of anything"),
        pytest.param({"tame": "true"}, id="scalar"),
        pytest.param({"name": ""}, id="blank scalar of anything"),
        pytest.param({"tags": {"color": "red", "size": ""}}, id="object"),
        pytest.param({"tags": {"color": None}}, id="object with a name alone"),
        pytest.param({"tags": {}, "name": "Rex", "towns": ["Faro"]}, id="several"),
    ],
)
def test_filters_are_given_as_they_are_asked_for(query: JSONObject) -> None:
    assert filtered(query) == query


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"page": "2", "per_page": "x"}, id="paging"),
        pytest.param({"color": "red"}, id="unknown"),
        pytest.param({"kinds": "fish"}, id="scalar for an array"),
        pytest.param({"kinds": {"0": "fish"}}, id="object for an array"),
        pytest.param({"kinds": None}, id="name alone for an array"),
        pytest.param({"tame": ["maybe"]}, id="array for a scalar"),
        pytest.param({"tame": {"a": "maybe"}}, id="object for a scalar"),
        pytest.param({"tame": None}, id="name alone for a scalar"),
        pytest.param({"tags": "red"}, id="scalar for an object"),
        pytest.param({"tags": ["red"]}, id="array for an object"),
    ],
)
def test_what_has_not_the_shape_of_its_filter_is_ignored(query: JSONObject) -> None:
    assert filtered(query) == {}


@pytest.mark.parametrize(
    ("query", "details"),
    [
        pytest.param({"tame": "1"}, {"tame": [ONE_OF_TAME]}, id="scalar"),
        pytest.param({"tame": "TRUE"}, {"tame": [ONE_OF_TAME]}, id="scalar in capitals"),
        pytest.param({"tame": ""}, {"tame": [ONE_OF_TAME]}, id="blank scalar"),
        pytest.param({"kinds": ["fish"]}, {"kinds": {"0": [ONE_OF_KINDS]}}, id="item"),
        pytest.param(
            {"kinds": ["cat", "Dog", "dog", ""]},
            {"kinds": {"1": [ONE_OF_KINDS], "3": [ONE_OF_KINDS]}},
            id="items by their index",
        ),
        pytest.param({"kinds": [["cat"]]}, {"kinds": {"0": [ONE_OF_KINDS]}}, id="list as an item"),
        pytest.param({"tags": {"a": {"b": "c"}}}, {"tags": {"a": [NO_TEXT]}}, id="nested object"),
        pytest.param(
            {"tags": {"a": "x", "b": ["c"], "d": {}}},
            {"tags": {"b": [NO_TEXT], "d": [NO_TEXT]}},
            id="nested values by their key",
        ),
    ],
)
def test_a_value_that_a_filter_cannot_have_is_refused(query: JSONObject, details: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        filtered(query)

    assert caught.value.details() == details


def test_all_bad_values_are_refused_together_in_the_order_of_the_document() -> None:
    with pytest.raises(ValidationFailed) as caught:
        filtered({"tags": {"a": []}, "name": "Rex", "tame": "maybe", "kinds": ["fish"]})

    details = caught.value.details()
    assert list(details.items()) == [
        ("kinds", {"0": [ONE_OF_KINDS]}),
        ("tame", [ONE_OF_TAME]),
        ("tags", {"a": [NO_TEXT]}),
    ]
    pointers = [problem.pointer(None) for problem in caught.value.problems]
    assert pointers == ["/kinds/0", "/tame", "/tags/a"]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        pytest.param({"tame": "true"}, True, id="true"),
        pytest.param({"tame": "false"}, False, id="false"),
        pytest.param({}, None, id="absent"),
        pytest.param({"tame": "True"}, None, id="another text"),
    ],
)
def test_truth_is_what_a_filter_says(filters: JSONObject, said: bool | None) -> None:
    assert truth(filters, "tame") is said
