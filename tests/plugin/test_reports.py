from __future__ import annotations

import pytest

from lago_mock.testing.background import BackgroundServer
from tests.plugin.conftest import Suite

SENDING = """
import httpx, pytest

def send(lago_mock, method, path, key=None, **body):
    headers = {"Authorization": f"Bearer {key or lago_mock.api_key}"}
    return httpx.request(method, f"{lago_mock.url}{path}", headers=headers, **body)

def create(lago_mock, **customer):
    return send(lago_mock, "POST", "/api/v1/customers", json={"customer": customer})
"""

FAILING = (
    SENDING
    + """
def test_refused(lago_mock):
    create(lago_mock, external_id="acct-1", currency="XXX")
    send(lago_mock, "GET", "/api/v1/customers/acct-1?page=2")
    assert create(lago_mock, name="Ada").status_code == 200

def test_with_the_key_of_the_fixture_set(lago_mock):
    send(lago_mock, "GET", "/api/v1/taxes", key="lago-mock-key")
    send(lago_mock, "GET", "/api/v1/taxes", key="no-key-at-all")
    lago_mock.assert_called("findAllTaxes")

def test_passing(lago_mock):
    send(lago_mock, "GET", "/api/v1/billable_metrics")

def test_without_a_request(lago_mock):
    assert False

@pytest.fixture
def broken(lago_mock):
    send(lago_mock, "GET", "/api/v1/customers/acct-9")
    raise RuntimeError

def test_not_set_up(broken): pass

def test_of_a_server_that_is_gone(lago_mock):
    lago_mock.close()
    assert False
"""
)


def test_the_report_of_a_failed_test_shows_what_its_lago_was_asked(suite: Suite) -> None:
    result = suite(FAILING)

    result.assert_outcomes(passed=1, failed=4, errors=1)
    text = "\n".join(result.outlines)
    title = f"{' lago-mock requests ':-^80}\n"
    sections = [each.split("\n____")[0].split("\n====")[0] for each in text.split(title)[1:]]
    assert sorted(sections) == sorted(
        [
            "POST /api/v1/customers 422 createCustomer: "
            "currency value_is_invalid (/customer/currency enum)\n"
            "GET /api/v1/customers/acct-1?page=2 404 findCustomer: customer_not_found\n"
            "POST /api/v1/customers 422 createCustomer: "
            "external_id value_is_mandatory (/customer/external_id required)",
            "no request came\n"
            "not with this key: GET /api/v1/taxes 200 findAllTaxes\n"
            "not with this key: GET /api/v1/taxes 401 findAllTaxes: Unauthorized",
            "no request came",
            "GET /api/v1/customers/acct-9 404 findCustomer: customer_not_found",
            "POST /__admin/requests/find was answered 401: Unauthorized: "
            "no organization has this key (any more)",
        ]
    )


UNMATCHED = (
    SENDING
    + """
def test_an_unknown_path(lago_mock):
    send(lago_mock, "GET", "/api/v1/custmers")

def test_a_base_url_that_lacks_its_path(lago_mock):
    send(lago_mock, "GET", "/customers", key="unknown-to-it")

def test_a_fault_that_nothing_met(lago_mock):
    lago_mock.fail("createCustomer", "forbidden", match={"body": {"customer": {"name": "Ada"}}})
    create(lago_mock, external_id="acct-1", name="Grace")

def test_a_fault_and_no_request(lago_mock):
    lago_mock.fail("createCustomer", connection="HANG", times=None)

@pytest.mark.lago_mock(fail_on_unmatched=False)
def test_one_that_may(lago_mock):
    send(lago_mock, "GET", "/api/v1/custmers")

def test_one_that_has_closed_it(lago_mock):
    lago_mock.close()

def test_one_that_is_in_order(lago_mock):
    lago_mock.fail("createCustomer", "forbidden")
    create(lago_mock, external_id="acct-1")
    send(lago_mock, "GET", "/api/v1/taxes", key="unknown-to-it")

def test_one_that_has_failed_already(lago_mock):
    lago_mock.fail("createCustomer", "forbidden")
    assert False

def test_one_that_is_skipped(lago_mock):
    lago_mock.fail("createCustomer", "forbidden")
    pytest.skip("for a reason")
"""
)


def test_what_is_unmatched_fails_the_test_at_its_end(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nlago_mock_fail_on_unmatched = true")

    result = suite(UNMATCHED)

    result.assert_outcomes(passed=7, errors=5, failed=1, skipped=1)
    result.stdout.no_fnmatch_line("During handling*")
    starts = ("GET", "POST", "no request", "lago-mock: ")
    told = [each for each in result.outlines if each.startswith(starts)]
    assert sorted(told) == sorted(
        [
            "GET /api/v1/custmers 404 -: resource_not_found; `custmers` is not `customers`"
            " - no operation answers it",
            "GET /customers 404 -: resource_not_found; the path lacks /api/v1: add it to the "
            "base URL - no operation answers it",
            "no request met the fault on createCustomer (forbidden); nearest: POST "
            "/api/v1/customers 200 createCustomer: /customer/name of the body is "
            '"Grace", not "Ada"',
            "no request met the fault on createCustomer (HANG); no request came",
            "no request came",
            "lago-mock: GET /__admin/requests/unmatched was answered 401: Unauthorized: "
            "no organization has this key (any more)",
        ]
    )


def test_elsewhere_the_requests_of_others_fail_no_test(
    suite: Suite,
    pytester: pytest.Pytester,
    elsewhere: BackgroundServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAGO_MOCK_ADMIN_TOKEN", "let-me-in")
    pytester.makeini("[pytest]\nlago_mock_fail_on_unmatched = true")

    result = suite(UNMATCHED, "--lago-mock-url", elsewhere.url, "-k", "base_url or unknown_path")

    result.assert_outcomes(passed=2, errors=1)
