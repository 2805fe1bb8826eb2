from __future__ import annotations

from pathlib import Path

import pytest

from lago_mock.testing.background import BackgroundServer
from tests.plugin.conftest import Suite

COUNTING = """
import httpx, pytest

def count(lago_mock):
    return len(lago_mock.customers())

def create(lago_mock, external_id):
    headers = {"Authorization": f"Bearer {lago_mock.api_key}"}
    body = {"customer": {"external_id": external_id}}
    answer = httpx.post(f"{lago_mock.api_url}/customers", headers=headers, json=body)
    answer.raise_for_status()
"""

ALIKE = (
    COUNTING
    + """
seen = []

@pytest.mark.parametrize("number", range(3))
def test_each_begins_alike(lago_mock, number):
    assert count(lago_mock) == 5
    assert lago_mock.requests() == []
    create(lago_mock, "acct-own")
    assert count(lago_mock) == 6
    lago_mock.fail("findCustomer", "forbidden")
    lago_mock.freeze("2027-01-01T00:00:00Z")
    seen.append(lago_mock)

def test_they_meet_on_one_server(lago_mock, lago_mock_server):
    assert {each.url for each in seen} == {lago_mock_server.url, lago_mock.url}
    assert len({each.api_key for each in seen}) == {keys}
"""
)


def alike(keys: int) -> str:
    return ALIKE.replace("{keys}", str(keys))


def test_each_test_has_an_organization_of_its_own(suite: Suite) -> None:
    suite(alike(keys=3)).assert_outcomes(passed=4)


def test_organizations_go_with_their_tests(suite: Suite) -> None:
    result = suite("""
        from lago_mock.client import AdminClient

        def organizations(server):
            return AdminClient(server.url).get("/organizations")["organizations"]

        def test_one(lago_mock, lago_mock_server):
            assert len(organizations(lago_mock_server)) == 2

        def test_after_it(lago_mock_server):
            assert len(organizations(lago_mock_server)) == 1
    """)
    result.assert_outcomes(passed=2)


def test_by_reset_all_tests_have_the_same_organization(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nlago_mock_isolation = reset")

    suite(alike(keys=1)).assert_outcomes(passed=4)


SHARED = (
    COUNTING
    + """
@pytest.fixture(scope="session")
def application(lago_mock_server):
    return lambda: create(lago_mock_server, "acct-app")

def rules(lago_mock):
    settings = lago_mock.settings()
    return settings["license"], settings["validation"]

@pytest.mark.lago_mock(fixtures="empty", license="free", validation="strict")
def test_what_a_marker_says_holds_for_its_test(lago_mock, application):
    application()
    assert count(lago_mock) == 1
    lago_mock.reset()
    assert count(lago_mock) == 0
    assert rules(lago_mock) == ("free", "strict")

def test_the_next_one_is_as_usual(lago_mock, application):
    application()
    assert count(lago_mock) == 6
    assert rules(lago_mock) == ("premium", "lago")
    lago_mock.assert_called("createCustomer", times=1)

@pytest.mark.lago_mock(isolation="organization")
def test_one_of_its_own_is_left_alone(lago_mock, application):
    application()
    assert count(lago_mock) == 5
    assert [each.operation for each in lago_mock.strays()] == ["createCustomer"]
"""
)


def test_an_application_that_is_started_once_is_tested_by_reset(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nlago_mock_isolation = reset")

    suite(SHARED).assert_outcomes(passed=3)


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["organization", "reset"])
def test_workers_side_by_side_never_meet(
    isolation: str,
    pytester: pytest.Pytester,
    elsewhere: BackgroundServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At one server elsewhere, with the key in the variables that all of them have."""
    pytester.makeini(f"[pytest]\nlago_mock_isolation = {isolation}")
    pytester.makepyfile(
        COUNTING
        + """
@pytest.mark.parametrize("number", range(8))
def test_each_begins_alike(lago_mock, number):
    assert count(lago_mock) == 5
    create(lago_mock, "acct-own")
    assert count(lago_mock) == 6
    assert len(lago_mock.requests()) == 1
"""
    )
    monkeypatch.setenv("LAGO_MOCK_URL", elsewhere.url)
    monkeypatch.setenv("LAGO_MOCK_ADMIN_TOKEN", "let-me-in")
    monkeypatch.setenv("LAGO_API_KEY", elsewhere.api_key)

    pytester.runpytest_subprocess("-n", "2", "-W", "error").assert_outcomes(passed=8)


@pytest.mark.slow
def test_each_worker_has_a_server_and_a_state_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nlago_mock_db = state/own.json")
    Path(pytester.path, "state").mkdir()
    pytester.makepyfile(alike(keys=3).replace("def test_they", "def no_test_they"))

    pytester.runpytest_subprocess("-n", "2", "-W", "error").assert_outcomes(passed=3)

    files = {path.name for path in Path(pytester.path, "state").glob("*.json")}
    assert files == {"own-gw0.json", "own-gw1.json"}


def test_tests_pass_in_another_order(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SHARED.replace("def test_one_of", "def no_test_one_of"))
    pytester.makeini("[pytest]\nlago_mock_isolation = reset")

    result = pytester.runpytest_inprocess("--randomly-seed=1", "-p", "no:hypothesispytest", "-v")

    result.assert_outcomes(passed=2)
    result.stdout.re_match_lines([".*test_the_next_one_is.*", ".*test_what_a_marker_says.*"])
