from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lago_mock import LagoMock
from lago_mock.client import AdminClient, AdminError
from lago_mock.settings import SettingError
from lago_mock.testing.background import BackgroundServer, in_memory
from lago_mock.testing.handle import NewOrganization, OwnSettings
from tests.unmocked import WRITE


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAGO_MOCK_URL", "LAGO_MOCK_ADMIN_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def send(lago: LagoMock, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or lago.api_key}"}
    with httpx.Client(base_url=lago.url, headers=headers, verify=False) as client:
        return client.request(method, path, json=body)


def create(lago: LagoMock, external_id: str = "acct-1", **more: Any) -> httpx.Response:
    body = {"customer": {"external_id": external_id, **more}}
    return send(lago, "POST", "/api/v1/customers", body)


def admin(lago: LagoMock, path: str) -> Any:
    return send(lago, "GET", f"/__admin{path}").json()


class TestWhereItIs:
    def test_without_anything_a_server_is_started_and_stopped(self) -> None:
        with LagoMock(fixtures="empty", license="free") as lago:
            assert create(lago).status_code == 200
            assert lago.settings()["license"] == "free"
            url = lago.url
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)

    def test_a_server_that_is_started_has_the_key_that_is_given(self) -> None:
        with LagoMock(api_key="own-key", fixtures="empty") as lago:
            assert lago.api_key == "own-key"
            assert create(lago).status_code == 200
            assert lago.organization()["name"] == "Blank Slate"

    def test_a_setting_that_there_is_not_is_refused(
        self, server: BackgroundServer, lago: LagoMock
    ) -> None:
        for options in ({}, {"url": server.url}, {"server": server}, {"server": lago}):
            with pytest.raises(SettingError, match="licence is not known; did you mean lic"):
                LagoMock(**options, licence="free")

    def test_a_key_and_an_organization_that_is_to_be_made_contradict(self, lago: LagoMock) -> None:
        with pytest.raises(TypeError, match="has its api_key in `organization`"):
            LagoMock(lago.url, lago.api_key, organization={"name": "Own"})

    def test_it_is_found_by_its_url(self, server: BackgroundServer) -> None:
        with LagoMock(server.url, organization={"name": "Own"}) as lago:
            assert lago.url == server.url
            assert lago.organization()["name"] == "Own"

    def test_it_is_found_by_the_variable(
        self, server: BackgroundServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it was to be started with is the organization's, as far as can be."""
        monkeypatch.setenv("LAGO_MOCK_URL", server.url)
        wanted = {"license": "free", "era": "2023", "fixtures": "default", "seed": "same"}

        with LagoMock(**wanted) as lago, LagoMock(fixtures="./own.yaml") as other:
            assert lago.url == server.url
            assert (lago.settings()["license"], lago.settings()["era"]) == ("free", "2023")
            assert (lago.fixtures, other.fixtures) == ("default", "empty")
        with LagoMock(api_key=server.api_key, license="free") as first:
            assert first.settings()["license"] == "free"
            first.configure(license="premium")

    def test_a_server_that_is_not_there_is_told(self) -> None:
        with pytest.raises(AdminError, match=r"no answer from lago-mock at http://127.0.0.1:9: "):
            LagoMock("http://127.0.0.1:9")

    def test_variables_lead_a_process_to_it(
        self, lago: LagoMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OTHER", "stays")

        names = ("LAGO_URL", "LAGO_API_URL", "LAGO_API_KEY", "LAGO_MOCK_URL", "OTHER")
        values = (lago.url, lago.url, lago.api_key, lago.url, "stays")
        assert {name: lago.environ[name] for name in names} == dict(zip(names, values, strict=True))
        assert "LAGO_MOCK_ADMIN_TOKEN" not in lago.environ
        assert lago.api_url == f"{lago.url}/api/v1"

    def test_a_token_is_sent_and_handed_on(self) -> None:
        with BackgroundServer(in_memory(fixtures="empty", admin_token="secret")) as server:
            with LagoMock(server=server) as lago:
                assert lago.environ["LAGO_MOCK_ADMIN_TOKEN"] == "secret"
                assert lago.customers() == []
            with LagoMock(server.url, token="secret") as lago:
                assert lago.customers() == []
            with pytest.raises(AdminError, match="was answered 401"):
                LagoMock(server.url)

    def test_another_organization_of_the_same_server_is_apart(self, lago: LagoMock) -> None:
        with LagoMock(server=lago, organization={"license": "free"}) as other:
            create(other)

            assert (other.url, other.settings()["license"]) == (lago.url, "free")
            assert len(other.requests()) == 1
            assert (lago.requests(), lago.customers()) == ([], [])
        with LagoMock(server=lago, license="free", era="2023") as other:
            assert (other.settings()["license"], other.settings()["era"]) == ("free", "2023")
        assert lago.settings()["era"] == "current"

    def test_it_goes_with_its_organization(self, server: BackgroundServer) -> None:
        with LagoMock(server=server) as lago:
            listed = AdminClient(server.url).get("/organizations")["organizations"]
            assert lago.organization_id in [each["id"] for each in listed]
        assert send(lago, "GET", "/api/v1/customers").status_code == 401
        lago.close()  # a second time changes nothing

    def test_that_somebody_else_has_removed_it_does_no_harm(self, server: BackgroundServer) -> None:
        with LagoMock(server=server) as lago:
            AdminClient(server.url).call("DELETE", f"/organizations/{lago.organization_id}")

    def test_a_server_that_has_gone_is_told_at_the_end(self) -> None:
        server = BackgroundServer(in_memory(fixtures="empty"))
        lago = LagoMock(server.url)
        server.stop()
        with pytest.raises(AdminError, match="no answer from lago-mock"):
            lago.close()

    def test_an_organization_of_a_given_key_is_known_by_its_id(
        self, server: BackgroundServer
    ) -> None:
        with LagoMock(server.url, server.api_key) as lago:
            assert lago.organization_id == lago.organization()["lago_id"]
            assert lago.fixtures == "empty"

    def test_a_client_needs_no_port(self, lago: LagoMock) -> None:
        headers = {"Authorization": f"Bearer {lago.api_key}"}
        with httpx.Client(transport=lago.transport, base_url=lago.url, headers=headers) as client:
            assert client.get("/api/v1/customers").status_code == 200
        lago.assert_called("findAllCustomers", times=1)

    def test_elsewhere_it_does(self, lago: LagoMock) -> None:
        with pytest.raises(RuntimeError, match=f"the server at {lago.url} runs elsewhere"):
            _ = LagoMock(lago.url, lago.api_key).transport


class TestFailures:
    def test_the_next_request_meets_it(self, lago: LagoMock) -> None:
        said = {"email": ["invalid_email_format"]}
        fault = lago.fail("createCustomer", "validation_errors", details=said)

        refused = create(lago)

        assert (refused.status_code, create(lago).status_code) == (422, 200)
        assert refused.json()["error_details"] == said
        assert (fault.hits, fault.remaining) == (1, 0)
        assert [each["id"] for each in lago.faults()] == [fault.id]

    def test_every_word_arrives(self, lago: LagoMock) -> None:
        lago.fail(
            ["createCustomer", "updateTax"],
            method=["POST"],
            path="/api/v1/*",
            match={"headers": {"user-agent": "x*"}},
            status=418,
            headers={"x-own": "1"},
            body={"own": True},
            delay_ms=(1, 2),
            when="after",
            times=None,
            skip=2,
            probability=0.5,
            seed=7,
        )

        (fault,) = lago.faults()
        counts = ("id", "hits", "remaining", "skipped", "spared", "requests")
        assert {name: each for name, each in fault.items() if name not in counts} == {
            "operation": ["createCustomer", "updateTax"],
            "method": ["POST"],
            "path": "/api/v1/*",
            "match": {"headers": {"user-agent": "x*"}},
            "status": 418,
            "headers": {"x-own": "1"},
            "body": {"own": True},
            "delay_ms": {"min": 1, "max": 2},
            "when": "after",
            "times": None,
            "skip": 2,
            "probability": 0.5,
            "seed": 7,
        }

    def test_a_sequence_has_as_many_turns_as_outcomes(self, lago: LagoMock) -> None:
        lago.fail("createCustomer", sequence=[{"error": "bad_gateway"}, {}, {"status": 418}])

        assert [create(lago).status_code for _ in range(4)] == [502, 200, 418, 200]

    def test_as_a_block_it_holds_inside(self, lago: LagoMock) -> None:
        with lago.fail("createCustomer", "forbidden", code="no", times=None) as fault:
            assert create(lago).json()["code"] == "no"
        assert create(lago).status_code == 200
        with lago.delay("createCustomer", 1):
            lago.reset()
        with pytest.raises(AdminError, match="404: fault_not_found"):
            fault.remove()

    def test_the_end_of_a_block_tells_what_is_wrong(self, server: BackgroundServer) -> None:
        with (
            LagoMock(server=server) as lago,
            pytest.raises(AdminError, match="401"),
            lago.fail("createCustomer", "forbidden"),
        ):
            lago.close()

    def test_a_delay_is_for_all_requests(self, lago: LagoMock) -> None:
        fault = lago.delay("findCustomer", 1.5)

        assert (fault.remaining, lago.faults()[0]["delay_ms"]) == (None, 1.5)

    def test_one_that_can_never_happen_is_refused(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError, match="no operation createCustmer; did you mean create"):
            lago.fail("createCustmer", "forbidden")


class TestRequests:
    def test_they_are_found_by_what_they_have(self, lago: LagoMock) -> None:
        create(lago, currency="USD")
        create(lago, "acct-2", currency="XXX")
        send(lago, "GET", "/api/v1/customers?page=2")

        (refused,) = lago.requests("createCustomer", status=422)
        assert (refused.body, refused.fault) == (
            {"customer": {"external_id": "acct-2", "currency": "XXX"}},
            None,
        )
        assert refused.answer["code"] == "validation_errors"
        assert lago.requests(body={"customer": {"currency": "USD"}})[0].status == 200
        assert [each.query for each in lago.requests(query={"page": "2"}, method="GET")] == [
            "page=2"
        ]
        assert len(lago.requests(["createCustomer", "findAllCustomers"])) == 3
        assert len(lago.requests(since=refused)) == 1
        assert len(lago.requests(since=datetime(2020, 1, 1, tzinfo=UTC), status=[200, 422])) == 3
        assert len(lago.requests(headers={"user-agent": "python-httpx*"}, path="/api/*")) == 3

    def test_a_word_that_there_is_not_is_refused(self, lago: LagoMock) -> None:
        with pytest.raises(TypeError, match="are not searched for by statsu, but by method, path"):
            lago.requests(statsu=200)  # type: ignore[call-arg]

    def test_those_that_no_operation_answers_say_why(self, lago: LagoMock) -> None:
        send(lago, "GET", "/api/v1/custmers")

        (request,) = lago.unmatched()
        assert request.nearest is not None
        assert request.nearest["operation"] == "findAllCustomers"

    def test_that_none_are_kept_is_told(self) -> None:
        with (
            LagoMock(fixtures="empty", journal_size=0) as lago,
            pytest.raises(AdminError, match="keeps no requests: its journal_size is 0"),
        ):
            lago.assert_not_called("createCustomer")

    def test_strays_are_of_no_organization_or_of_the_first(self, lago: LagoMock) -> None:
        send(lago, "GET", "/api/v1/taxes", key="unknown")
        with LagoMock(server=lago) as later, LagoMock(server=lago) as other:
            send(later, "GET", "/api/v1/taxes", key="lago-mock-key")
            send(later, "GET", "/api/v1/taxes", key="unknown")
            create(later)
            create(other)
            with LagoMock(server=lago, api_key="lago-mock-key") as first:
                send(first, "GET", "/api/v1/taxes")
                assert first.strays() == []

            assert [each.status for each in later.strays()] == [200, 401, 200]
        assert [each.status for each in lago.strays()] == [401, 200, 401, 200]

    def test_a_report_has_the_last_lines(self, lago: LagoMock) -> None:
        for number in range(3):
            create(lago, f"acct-{number}")

        assert lago.report(2).splitlines() == [
            "(1 before these)",
            "POST /api/v1/customers 200 createCustomer",
            "POST /api/v1/customers 200 createCustomer",
        ]


class TestAssertions:
    def test_what_was_called_is_returned(self, lago: LagoMock) -> None:
        create(lago)
        create(lago)

        assert len(lago.assert_called("createCustomer")) == 2
        assert len(lago.assert_called("createCustomer", times=2, status=200)) == 2
        lago.assert_not_called("findCustomer")
        assert len(lago.assert_called("findCustomer", times=0)) == 0

    def test_what_was_called_too_often_is_listed(self, lago: LagoMock) -> None:
        create(lago)

        with pytest.raises(AssertionError) as caught:
            lago.assert_not_called("createCustomer")
        assert str(caught.value).splitlines() == [
            "createCustomer was called once, expected never",
            "  these requests came:",
            "  POST /api/v1/customers 200 createCustomer",
        ]

    def test_what_came_nearest_is_told(self, lago: LagoMock) -> None:
        create(lago, name="Ada")
        send(lago, "GET", "/api/v1/customers")

        with pytest.raises(AssertionError) as caught:
            lago.assert_called(
                "createCustomer", times=2, body={"customer": {"name": "Grace"}}, status=200
            )
        assert str(caught.value).splitlines() == [
            "createCustomer with body={'customer': {'name': 'Grace'}} with status=200 "
            "was never called, expected twice",
            "  nearest: POST /api/v1/customers 200 createCustomer: "
            '/customer/name of the body is "Ada", not "Grace"',
            "  these requests came:",
            "  POST /api/v1/customers 200 createCustomer",
            "  GET /api/v1/customers 200 findAllCustomers",
        ]

    def test_what_went_past_it_is_told(self, lago: LagoMock) -> None:
        send(lago, "GET", "/api/v1/taxes", key="unknown")

        with pytest.raises(AssertionError) as caught:
            lago.assert_called(["findAllTaxes", "findTax"])
        assert str(caught.value).splitlines() == [
            "findAllTaxes or findTax was never called, expected at least once",
            "  no request came",
            "  not with this key: GET /api/v1/taxes 401 findAllTaxes: Unauthorized",
        ]

    def test_what_comes_later_is_waited_for(self, lago: LagoMock) -> None:
        sending = threading.Timer(0.05, create, [lago])
        sending.start()

        (request,) = lago.wait_for("createCustomer", status=200)

        sending.join()
        assert request.operation == "createCustomer"

    def test_a_wait_that_is_over_tells_what_came(self, lago: LagoMock) -> None:
        create(lago)

        with pytest.raises(AssertionError, match="was called once, expected 3 times"):
            lago.wait_for("createCustomer", times=3, timeout=0.01)
        with pytest.raises(AssertionError, match="was never called, expected once"):
            lago.wait_for("findCustomer", timeout=0)

    def test_all_is_verified(self, lago: LagoMock) -> None:
        lago.fail("createCustomer", "forbidden")
        lago.fail("*", "forbidden", probability=0, times=None)
        lago.fail("findTax", "forbidden", skip=1)
        create(lago)
        create(lago)
        send(lago, "GET", "/api/v1/taxes/vat")
        with pytest.raises(AssertionError) as caught:
            lago.verify()
        assert str(caught.value) == (
            "no request met the fault on findTax (forbidden); 1 were let pass, as it says"
        )

        lago.reset()
        lago.verify()


class TestRows:
    def test_a_customer_is_as_the_api_shows_it(self, lago: LagoMock) -> None:
        created = create(lago, "acct/1 ?", name="Ada").json()["customer"]

        assert lago.customer("acct/1 ?") == created
        assert [each["lago_id"] for each in lago.customers()] == [created["lago_id"]]
        assert lago.requests("findCustomer") == []

    def test_a_customer_that_is_not_there_is_told_with_those_that_are(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError, match=r"^no customer acct-1; there is none$"):
            lago.customer("acct-1")
        for number in range(21):
            create(lago, f"acct-{number}")
        with pytest.raises(
            AdminError, match=r"^no customer acct-99; did you mean acct-9\?"
        ) as caught:
            lago.customer("acct-99")
        assert (caught.value.status, caught.value.body["code"]) == (404, "customer_not_found")
        with pytest.raises(AdminError, match=r"^no customer x; there are acct-20, .*, acct-1, …$"):
            lago.customer("x")

    def test_all_pages_of_customers_are_read(self, lago: LagoMock) -> None:
        lago.load({"customers": [{"external_id": f"acct-{number}"} for number in range(1001)]})

        assert len(lago.customers()) == 1001

    def test_what_lago_refuses_is_an_error(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError) as caught:
            lago.perform("createCustomer", {"customer": {"external_id": "a", "currency": "X"}})
        assert caught.value.status == 422
        assert caught.value.body["error_details"] == {"currency": ["value_is_invalid"]}
        with pytest.raises(AdminError, match=r"^no operation createCustmer; did you mean createC"):
            lago.perform("createCustmer")
        with pytest.raises(AdminError, match="501: operation_not_mocked"):
            lago.perform(WRITE.id)

    def test_what_cannot_be_asked_of_a_customer_is_an_error(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError, match="was answered 401"):
            LagoMock(lago.url, "unknown").customer("acct-1")

    def test_rows_are_loaded_all_or_none(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError, match="/customers/1"):
            lago.load({"customers": [{"external_id": "acct-1"}, {"currency": "EUR"}]})
        assert lago.customers() == []
        with pytest.raises(TypeError, match=r"to go to one call reset\('default'\)"):
            lago.load("default")  # type: ignore[arg-type]

    def test_a_reset_goes_back_to_the_set(self, lago: LagoMock) -> None:
        create(lago)
        lago.reset()
        assert (lago.customers(), lago.requests()) == ([], [])
        lago.reset("default")
        assert len(lago.customers()) == 5
        with pytest.raises(AdminError, match=r"^no fixture set defualt; did you mean default\?$"):
            lago.reset("defualt")
        with pytest.raises(AdminError, match=r"^no fixture set x; there are default, empty$"):
            LagoMock(server=lago, organization={"fixtures": "x"})

    def test_a_reset_keeps_the_rules_of_the_beginning(self, lago: LagoMock) -> None:
        with LagoMock(server=lago, rules={"validation": "strict"}) as strict:
            strict.configure(era="2023")
            strict.reset()

            assert strict.settings()["validation"] == "strict"
            assert strict.settings()["era"] == "current"

    def test_another_refusal_of_a_reset_is_told(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError, match="was answered 401"):
            LagoMock(lago.url, "unknown").reset()

    def test_snapshots_give_rows_back(self, lago: LagoMock) -> None:
        lago.snapshot("named")
        with lago.snapshot() as outer:
            create(lago)
            with lago.snapshot():
                create(lago, "acct-2")
            assert [each["external_id"] for each in lago.customers()] == ["acct-1"]
        assert lago.customers() == []
        create(lago)
        lago.restore("named")
        assert lago.customers() == []
        with pytest.raises(AdminError, match=rf"^no snapshot {outer.name}; there are named$"):
            lago.restore(outer)


class TestTimeAndSettings:
    def test_the_clock_stops_and_moves(self, lago: LagoMock) -> None:
        lago.freeze(datetime(2027, 1, 31, tzinfo=UTC))
        lago.advance(1.5)
        lago.advance(timedelta(days=1))

        assert lago.now() == datetime(2027, 2, 1, 0, 0, 1, 500000, tzinfo=UTC)
        assert create(lago).json()["customer"]["created_at"] == "2027-02-01T00:00:01Z"
        lago.freeze("2027-03-01T00:00:00Z")
        assert lago.now() == datetime(2027, 3, 1, tzinfo=UTC)
        lago.unfreeze()
        assert abs(lago.now() - datetime.now(UTC)) < timedelta(minutes=1)
        lago.freeze()
        assert lago.now() == lago.now()

    def test_an_instant_needs_a_time_zone(self, lago: LagoMock) -> None:
        with pytest.raises(ValueError, match="2027-01-31 00:00:00 has no time zone: give tzinfo"):
            lago.freeze(datetime(2027, 1, 31))

    def test_settings_change_for_a_block(self, lago: LagoMock) -> None:
        with lago.configured(validation="strict", latency={"default": 1}):
            assert lago.settings()["validation"] == "strict"
        assert lago.settings()["validation"] == "lago"
        assert lago.settings()["latency"] == {}

    def test_a_setting_that_there_is_not_is_refused(self, lago: LagoMock) -> None:
        with pytest.raises(AdminError, match="licence: unknown_field"):
            lago.configure(licence="free")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        pytest.param(NewOrganization, "OrganizationInput", id="organization"),
        pytest.param(OwnSettings, "SettingsInput", id="settings"),
    ],
)
def test_the_words_are_those_of_the_document(words: Any, schema: str, lago: LagoMock) -> None:
    from lago_mock.app import load_admin_contract

    schemas = load_admin_contract().document.tree["components"]["schemas"]
    assert words.__annotations__.keys() == schemas[schema]["properties"].keys()
