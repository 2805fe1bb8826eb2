from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.clock import ScriptedClock
from lago_mock.declaration import Declared, declared
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.wire import JSON

DECLARE = declared(
    Declared("code"),
    Declared("type", ("cat", "dog")),
    Declared("name", optional=True),
    Declared("size", ("small", "large"), optional=True),
)


def clock() -> ScriptedClock:
    return ScriptedClock(datetime(2026, 11, 22, tzinfo=UTC), "seed")


@pytest.mark.parametrize(
    ("item", "row"),
    [
        pytest.param(
            {"code": "rex", "type": "dog"},
            {"code": "rex", "type": "dog", "name": None, "size": None},
            id="what is needed",
        ),
        pytest.param(
            {"size": "small", "name": "Rex", "type": "dog", "code": "rex"},
            {"code": "rex", "type": "dog", "name": "Rex", "size": "small"},
            id="everything, in another order",
        ),
        pytest.param(
            {"code": "tom", "type": "cat", "name": None, "size": None},
            {"code": "tom", "type": "cat", "name": None, "size": None},
            id="null for what can be left out",
        ),
    ],
)
def test_an_item_becomes_a_row_with_an_id_of_the_clock(item: JSON, row: dict[str, Any]) -> None:
    made = DECLARE(clock(), item)

    assert list(made.items()) == [("lago_id", clock().new_id()), *row.items()]


def test_each_row_has_an_id_of_its_own() -> None:
    ticking = clock()

    first, second = (DECLARE(ticking, {"code": "rex", "type": "dog"}) for _ in range(2))

    assert first["lago_id"] != second["lago_id"]


@pytest.mark.parametrize(
    ("item", "codes"),
    [
        pytest.param({"type": "dog"}, {"code": "value_is_mandatory"}, id="missing"),
        pytest.param({"code": None, "type": "dog"}, {"code": "value_is_mandatory"}, id="null"),
        pytest.param({"code": 5, "type": "dog"}, {"code": "value_is_invalid"}, id="number"),
        pytest.param({"code": ["a"], "type": "dog"}, {"code": "value_is_invalid"}, id="list"),
        pytest.param({"code": "a", "type": "fish"}, {"type": "value_is_invalid"}, id="no choice"),
        pytest.param({"code": "a", "type": "Dog"}, {"type": "value_is_invalid"}, id="in capitals"),
        pytest.param(
            {"code": "a", "type": "dog", "name": False},
            {"name": "value_is_invalid"},
            id="no text where none is needed",
        ),
        pytest.param(
            {"code": "a", "type": "dog", "size": ""},
            {"size": "value_is_invalid"},
            id="no choice where none is needed",
        ),
        pytest.param(
            {"code": "a", "type": "dog", "color": "red"}, {"color": "unknown_field"}, id="unknown"
        ),
        pytest.param(
            {"color": None, "code": 5, "age": 3, "size": "huge"},
            {
                "code": "value_is_invalid",
                "type": "value_is_mandatory",
                "size": "value_is_invalid",
                "color": "unknown_field",
                "age": "unknown_field",
            },
            id="all together",
        ),
        pytest.param(
            "rex", {"code": "value_is_mandatory", "type": "value_is_mandatory"}, id="a text"
        ),
        pytest.param(
            ["rex"], {"code": "value_is_mandatory", "type": "value_is_mandatory"}, id="a list"
        ),
        pytest.param(
            None, {"code": "value_is_mandatory", "type": "value_is_mandatory"}, id="nothing"
        ),
    ],
)
def test_whatever_is_wrong_with_an_item_is_refused(item: JSON, codes: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        DECLARE(clock(), item)

    assert list(caught.value.problems) == [
        Problem(name, code, "declared", (name,)) for name, code in codes.items()
    ]
