from __future__ import annotations

from random import Random

import pytest

from lago_mock.latency import Latency, Wait
from lago_mock.wire import JSONObject


@pytest.mark.parametrize(
    ("described", "wait"),
    [
        pytest.param(0, Wait(), id="none"),
        pytest.param(250, Wait(0.25, 0.25), id="whole"),
        pytest.param(0.5, Wait(0.0005, 0.0005), id="half a millisecond"),
        pytest.param({"min": 10, "max": 1500}, Wait(0.01, 1.5), id="between two"),
    ],
)
def test_wait_is_read_from_milliseconds(described: float | dict[str, float], wait: Wait) -> None:
    assert Wait.of(described) == wait


@pytest.mark.parametrize(
    ("wait", "is_backwards"), [(Wait(1, 2), False), (Wait(2, 2), False), (Wait(3, 2), True)]
)
def test_wait_whose_least_is_more_than_its_most_is_backwards(
    wait: Wait, is_backwards: bool
) -> None:
    assert wait.is_backwards is is_backwards


def test_wait_between_two_is_anywhere_there_and_repeats_with_its_seed() -> None:
    wait, random = Wait(0.01, 0.02), Random(7)
    found = [wait.seconds(random) for _ in range(200)]
    assert 0.01 <= min(found) < 0.011
    assert 0.019 < max(found) <= 0.02
    again = Random(7)
    assert [wait.seconds(again) for _ in range(200)] == found


def test_wait_that_is_always_the_same_asks_for_no_chance() -> None:
    random = Random(7)
    assert Wait(0.25, 0.25).seconds(random) == 0.25
    assert random.random() == Random(7).random()


SLOW_TAXES = {"default": 20, "operations": {"findTax": 300, "createTax": 0}}


@pytest.mark.parametrize(
    ("setting", "operation", "seconds"),
    [
        pytest.param({}, "findTax", 0, id="nothing set"),
        pytest.param({"default": 20}, "findTax", 0.02, id="default"),
        pytest.param({"default": 20}, None, 0.02, id="default, no operation"),
        pytest.param(SLOW_TAXES, "findTax", 0.3, id="its own"),
        pytest.param(SLOW_TAXES, "createTax", 0, id="its own, none"),
        pytest.param(SLOW_TAXES, "findCustomer", 0.02, id="another operation"),
        pytest.param(SLOW_TAXES, None, 0.02, id="no operation"),
        pytest.param({"operations": {"findTax": 300}}, "findCustomer", 0, id="no default"),
    ],
)
def test_request_waits_as_its_operation_or_all_do(
    setting: JSONObject, operation: str | None, seconds: float
) -> None:
    assert Latency(setting).seconds(operation) == seconds


@pytest.mark.parametrize(
    ("setting", "is_on"),
    [
        pytest.param({}, False, id="nothing set"),
        pytest.param({"default": 0, "operations": {"findTax": 0}}, False, id="all 0"),
        pytest.param({"default": {"min": 0, "max": 0}}, False, id="between 0 and 0"),
        pytest.param({"default": {"min": 0, "max": 1}}, True, id="between 0 and 1"),
        pytest.param({"operations": {"findTax": 1}}, True, id="one operation"),
    ],
)
def test_latency_is_off_when_nobody_waits(setting: JSONObject, is_on: bool) -> None:
    assert Latency(setting).is_on is is_on


def test_latency_of_one_seed_repeats_itself() -> None:
    def waits(seed: int) -> list[float]:
        latency = Latency({"default": {"min": 1, "max": 9}, "seed": seed})
        return [latency.seconds(None) for _ in range(20)]

    assert waits(1) == waits(1)
    assert not set(waits(1)) & set(waits(2))
    assert all(0.001 <= each <= 0.009 for each in waits(1))


def test_latency_without_a_seed_is_left_to_chance() -> None:
    first, second = (
        Latency({"default": {"min": 1, "max": 9}}),
        Latency({"default": {"min": 1, "max": 9}}),
    )
    assert [first.seconds(None) for _ in range(9)] != [second.seconds(None) for _ in range(9)]
