from __future__ import annotations

from typing import Any

import pytest

from lago_mock.testing.armed import is_met, milliseconds, why_unmet
from tests.unit.testing.test_seen import request

UNUSED = {"hits": 0, "spared": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param(
            {"operation": "findTax", "error": "forbidden"},
            "no request met the fault on findTax (forbidden); nearest: POST /api/v1/customers 200 "
            "createCustomer: the operation is createCustomer, not findTax",
            id="operation",
        ),
        pytest.param(
            {"method": "GET", "path": "/api/v1/taxes", "status": 503, "delay_ms": 5},
            "no request met the fault on * GET /api/v1/taxes (503, 5); nearest: POST "
            "/api/v1/customers 200 createCustomer: the method is POST, not GET; the path is "
            "/api/v1/customers, not /api/v1/taxes",
            id="path",
        ),
        pytest.param(
            {"operation": ["createCustomer", "findTax"], "sequence": [{}]},
            "no request met the fault on createCustomer or findTax (sequence)",
            id="armed after the request, or behind another fault",
        ),
        pytest.param(
            {"operation": "*", "error": "forbidden", "skipped": 2},
            "no request met the fault on * (forbidden); 2 were let pass, as it says",
            id="skipped",
        ),
    ],
)
def test_a_fault_that_nothing_met_is_told_with_the_nearest_request(
    fault: dict[str, Any], told: str
) -> None:
    assert why_unmet({**UNUSED, **fault}, [request()]) == told


def test_a_fault_that_chance_spared_was_met() -> None:
    assert not is_met(UNUSED)
    assert is_met({**UNUSED, "hits": 1})
    assert is_met({**UNUSED, "spared": 1})


def test_a_time_may_have_a_least_and_a_most() -> None:
    assert milliseconds((1, 2.5)) == {"min": 1, "max": 2.5}
    assert (milliseconds(3), milliseconds(None)) == (3, None)
