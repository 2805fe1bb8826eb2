from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lago_mock.rate_limits import RateLimits
from lago_mock.wire import JSONObject

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def seconds(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


def shown(limits: RateLimits, operation: str | None, now: datetime = NOON) -> tuple[int, ...]:
    """Send a request and give limit, remaining and reset as its answer says them."""
    headers, _ = limits.take(operation, now)
    names = [name for name, _ in headers]
    assert names == [b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset"]
    return tuple(int(value) for _, value in headers)


def allowed(limits: RateLimits, operation: str | None, now: datetime = NOON) -> bool:
    return limits.take(operation, now)[1]


@pytest.mark.parametrize(
    ("setting", "operation", "limit"),
    [
        pytest.param({}, "createEvent", 500, id="event"),
        pytest.param({}, "createBatchEvents", 500, id="batch of events"),
        pytest.param({}, "findCustomerCurrentUsage", 200, id="current usage"),
        pytest.param({}, "createCustomer", 50, id="all else"),
        pytest.param({}, None, 50, id="no operation"),
        pytest.param({"default": 7}, "createCustomer", 7, id="default set"),
        pytest.param({"default": 7}, "createEvent", 500, id="default set, event"),
        pytest.param({"operations": {"createEvent": 3}}, "createEvent", 3, id="operation set"),
        pytest.param({"operations": {"findTax": 3}}, "findTax", 3, id="another one set"),
        pytest.param({"operations": {"findTax": 3}}, "createEvent", 500, id="the others stay"),
    ],
)
def test_quota_is_the_hosted_services_unless_it_is_set(
    setting: JSONObject, operation: str | None, limit: int
) -> None:
    assert shown(RateLimits(setting), operation) == (limit, limit - 1, 1)


def test_requests_are_refused_when_the_quota_is_used_up() -> None:
    limits = RateLimits({"default": 2})
    assert [allowed(limits, "findTax") for _ in range(4)] == [True, True, False, False]


def test_remaining_goes_down_to_0_and_stays_there() -> None:
    limits = RateLimits({"default": 2})
    assert [shown(limits, "findTax")[1] for _ in range(4)] == [1, 0, 0, 0]


def test_quota_of_0_allows_nothing() -> None:
    limits = RateLimits({"default": 0})
    assert not allowed(limits, "findTax")
    assert shown(limits, "findTax") == (0, 0, 1)


def test_operations_share_the_default_and_have_their_own_quotas_alone() -> None:
    limits = RateLimits({"default": 2, "operations": {"findTax": 1}})
    assert allowed(limits, "createCustomer")
    assert allowed(limits, None)
    assert not allowed(limits, "findCustomer")
    assert allowed(limits, "findTax")
    assert not allowed(limits, "findTax")
    assert allowed(limits, "createEvent")


@pytest.mark.parametrize(
    ("length", "instants", "expected"),
    [
        pytest.param(1, [0, 0.999999, 1, 1.5], [True, False, True, False], id="a second"),
        pytest.param(60, [59, 59.9, 60, 119], [True, False, True, False], id="a minute"),
        pytest.param(60, [0, 59.9], [True, False], id="begins at a whole multiple"),
        pytest.param(1, [5, 4], [True, True], id="clock that was put back"),
    ],
)
def test_every_window_begins_anew(length: int, instants: list[float], expected: list[bool]) -> None:
    limits = RateLimits({"default": 1, "window_seconds": length})
    assert [allowed(limits, None, seconds(each)) for each in instants] == expected


@pytest.mark.parametrize(
    ("length", "instant", "reset"),
    [
        pytest.param(1, 0, 1, id="begin of a second"),
        pytest.param(1, 0.999999, 1, id="end of a second"),
        pytest.param(60, 0, 60, id="begin of a minute"),
        pytest.param(60, 0.000001, 60, id="a little later"),
        pytest.param(60, 1, 59, id="a second later"),
        pytest.param(60, 59.5, 1, id="end of a minute"),
        pytest.param(0.5, 0.25, 1, id="half a second"),
    ],
)
def test_reset_is_said_in_whole_seconds_rounded_up(
    length: float, instant: float, reset: int
) -> None:
    assert shown(RateLimits({"window_seconds": length}), None, seconds(instant))[2] == reset


def test_clear_gives_back_the_whole_quota() -> None:
    limits = RateLimits({"default": 1})
    allowed(limits, None)
    limits.clear()
    assert allowed(limits, None)
    assert not allowed(limits, None)
