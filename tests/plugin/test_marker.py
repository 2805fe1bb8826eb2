from __future__ import annotations

from tests.plugin.conftest import Suite


def test_what_the_markers_say_holds_for_the_test(suite: Suite) -> None:
    result = suite("""
        import httpx, pytest

        pytestmark = pytest.mark.lago_mock(fixtures="empty", era="2023")

        def get(lago_mock, path):
            headers = {"Authorization": f"Bearer {lago_mock.api_key}"}
            return httpx.get(f"{lago_mock.api_url}{path}", headers=headers)

        def test_those_of_the_module_hold(lago_mock):
            assert lago_mock.customers() == []
            assert lago_mock.settings()["era"] == "2023"

        @pytest.mark.lago_mock(era="current", license="free", strict=True)
        def test_the_nearest_goes_before(lago_mock):
            settings = lago_mock.settings()
            assert (settings["era"], settings["license"]) == ("current", "free")
            assert settings["validation"] == "strict"
            lago_mock.reset()
            assert lago_mock.settings() == settings

        @pytest.mark.lago_mock(strict=True)
        class TestStrictness:
            def test_that_of_the_class_holds(self, lago_mock):
                assert lago_mock.settings()["validation"] == "strict"

            @pytest.mark.lago_mock(strict=False)
            def test_the_nearest_takes_it_back(self, lago_mock):
                assert lago_mock.settings()["validation"] == "lago"

            @pytest.mark.lago_mock(validation="off", faults=None)
            def test_or_says_another(self, lago_mock):
                assert lago_mock.settings()["validation"] == "off"

        @pytest.mark.lago_mock(fixtures={"customers": [{"external_id": "acct-7"}]})
        def test_rows_can_be_given(lago_mock):
            assert [each["external_id"] for each in lago_mock.customers()][:1] == ["acct-7"]

        @pytest.mark.lago_mock(latency={"default": 1}, rate_limit={"default": 0})
        def test_so_can_latency_and_quota(lago_mock):
            assert get(lago_mock, "/taxes").status_code == 429

        @pytest.mark.lago_mock(faults=[
            {"operation": "findCustomer", "error": "forbidden", "times": 2},
            {"path": "/api/v1/taxes", "status": 503},
        ])
        def test_faults_are_armed(lago_mock):
            assert get(lago_mock, "/customers/acct-1").status_code == 403
            assert get(lago_mock, "/taxes").status_code == 503
            assert [each["remaining"] for each in lago_mock.faults()] == [1, 0]

        @pytest.mark.lago_mock(fail_on_unmatched=True)
        def test_without_the_fixture_it_comes_by_itself(request):
            assert "lago_mock" in request.fixturenames
    """)

    result.assert_outcomes(passed=9)


def test_a_marker_that_makes_no_sense_is_told_in_a_line(suite: Suite) -> None:
    result = suite("""
        import pytest

        @pytest.mark.lago_mock(licence="free")
        def test_misspelt(lago_mock): pass

        @pytest.mark.lago_mock("empty")
        def test_without_a_name(lago_mock): pass

        @pytest.mark.lago_mock(fixtures="emtpy")
        def test_no_such_set(lago_mock): pass

        @pytest.mark.lago_mock(faults=[{"operation": "createCustmer", "error": "forbidden"}])
        def test_no_such_operation(lago_mock): pass

        @pytest.mark.lago_mock(isolation="none")
        def test_no_such_isolation(lago_mock): pass

        @pytest.mark.lago_mock(era="2022")
        def test_no_such_era(lago_mock): pass

        @pytest.mark.lago_mock(strict=True, validation="off")
        def test_a_contradiction(lago_mock): pass

        @pytest.mark.lago_mock(fixtures=["empty"])
        def test_neither_a_name_nor_rows(lago_mock): pass

        @pytest.mark.lago_mock(faults={"error": "forbidden"})
        def test_no_list(lago_mock): pass

        @pytest.mark.lago_mock(faults=["forbidden"])
        def test_no_faults(lago_mock): pass

        @pytest.mark.lago_mock(faults=[{"eror": "forbidden"}])
        def test_no_such_word_of_a_fault(lago_mock): pass

        @pytest.mark.lago_mock(faults=[{"operation": 5, "error": "forbidden"}])
        def test_a_number_for_an_operation(lago_mock): pass

        @pytest.mark.lago_mock(isolation=["reset"])
        def test_a_list_of_isolations(lago_mock): pass
    """)

    result.assert_outcomes(errors=13)
    told = [each for each in result.outlines if each.startswith("lago-mock: ")]
    assert told == [
        "lago-mock: the marker takes no licence; did you mean license?",
        "lago-mock: the marker takes no 'empty'; give fixtures, license, era, validation, latency, "
        "rate_limit, strict, faults, fail_on_unmatched, isolation",
        "lago-mock: no fixture set emtpy; did you mean empty?",
        "lago-mock: POST /__admin/faults was answered 422: operation: no operation createCustmer; "
        "did you mean createCustomer?",
        "lago-mock: isolation is 'none'; give organization or reset",
        "lago-mock: PATCH /__admin/settings was answered 422: "
        "era: value_is_invalid; did you mean 2023?",
        "lago-mock: the marker says both strict and validation; give one of them",
        "lago-mock: fixtures is ['empty']; give the name of a set, or rows like "
        "{'customers': [{'external_id': 'acct-1'}]}",
        "lago-mock: faults is {'error': 'forbidden'}; give a list, of faults like "
        "{'operation': 'createCustomer', 'error': 'forbidden'}",
        "lago-mock: faults is ['forbidden']; give a list, of faults like "
        "{'operation': 'createCustomer', 'error': 'forbidden'}",
        "lago-mock: a fault takes no eror; did you mean error?",
        "lago-mock: the fault {'operation': 5, 'error': 'forbidden'}: 'int' object is not iterable",
        "lago-mock: isolation is ['reset']; give organization or reset",
    ]
