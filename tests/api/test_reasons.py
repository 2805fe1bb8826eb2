from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import API_KEY, brief, running
from tests.unmocked import READ

HEADER = "x-lago-mock-reason"
BILLING = "billing_configuration"
ALLOWED = re.compile(r"[\t -~]{1,512}")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def strict_server() -> Iterator[str]:
    """URL of a server that holds requests against the document to the letter."""
    with running(build(Settings(db=":memory:", fixtures="empty", validation="strict"))) as url:
        yield url


@pytest.fixture
def strict(strict_server: str) -> Iterator[httpx.Client]:
    """Client of that server; it is back at its fixture set."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=f"{strict_server}/api/v1", headers=headers, verify=False) as client:
        client.post(f"{strict_server}/__admin/reset").raise_for_status()
        yield client


def save(client: httpx.Client, fields: dict[str, Any]) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **fields}})


def reason(response: httpx.Response) -> str:
    text: str = response.headers[HEADER]
    assert ALLOWED.fullmatch(text)
    return text


BROKEN_KEYWORDS = [
    ({"currency": "XX"}, "/customer/currency enum"),
    ({"country": "zz"}, "/customer/country enum"),
    ({"shipping_address": {"country": "zz"}}, "/customer/shipping_address/country enum"),
    ({"customer_type": "robot"}, "/customer/customer_type enum"),
    ({"email": "nobody"}, "/customer/email format"),
    ({"name": "x" * 256}, "/customer/name maxLength"),
    ({"net_payment_term": -1}, "/customer/net_payment_term minimum"),
    ({"net_payment_term": 2**31}, "/customer/net_payment_term maximum"),
    ({"net_payment_term": "soon"}, "/customer/net_payment_term type"),
    ({"external_id": ""}, "/customer/external_id blank"),
    ({"finalize_zero_amount_invoice": "maybe"}, "/customer/finalize_zero_amount_invoice enum"),
    ({BILLING: {"document_locale": "tlh"}}, f"/customer/{BILLING}/document_locale enum"),
    ({BILLING: {"invoice_grace_period": -1}}, f"/customer/{BILLING}/invoice_grace_period minimum"),
    ({"metadata": [{"key": "a", "value": "b"}] * 6}, "/customer/metadata maxItems"),
    (
        {"metadata": [{"key": "a", "value": "b"}, {"key": "x" * 21, "value": "b"}]},
        "/customer/metadata/1/key maxLength",
    ),
    (
        {"integration_customers": [{"integration_type": "sage"}]},
        "/customer/integration_customers/0/integration_type enum",
    ),
    (
        {"integration_customers": [{"integration_code": "a"}]},
        "/customer/integration_customers/0/integration_type required",
    ),
    (
        {"country": "zz", "currency": "XX", "email": "nobody"},
        "/customer/country enum; /customer/currency enum; /customer/email format",
    ),
    (
        {"metadata": [{"key": "x" * 21, "value": "x" * 101}]},
        "/customer/metadata/0/key maxLength; /customer/metadata/0/value maxLength",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), BROKEN_KEYWORDS, ids=brief)
def test_a_broken_rule_of_the_document_is_told_by_pointer_and_keyword_and_in_the_journal(
    client: httpx.Client, admin: httpx.Client, fields: dict[str, Any], expected: str
) -> None:
    response = save(client, fields)

    assert response.status_code == 422
    assert reason(response) == expected
    (entry,) = admin.get("/requests").json()["requests"]
    told = [f"{each['pointer']} {each['keyword']}" for each in entry["reasons"]]
    assert "; ".join(told) == expected


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        (
            "POST",
            "/customers",
            {"customer": {"name": "x"}},
            "/customer/external_id required",
        ),
        (
            "PUT",
            "/organizations",
            {"organization": {"slug": "customers", "email": "nobody"}},
            "/organization/slug not; /organization/email format",
        ),
        (
            "PUT",
            "/organizations",
            {"organization": {"document_number_prefix": ""}},
            "/organization/document_number_prefix minLength",
        ),
        (
            "POST",
            "/taxes",
            {"tax": {"code": "vat"}},
            "/tax/name required; /tax/rate required",
        ),
        (
            "POST",
            "/webhook_endpoints",
            {"webhook_endpoint": {"webhook_url": "a.co"}},
            "/webhook_endpoint/webhook_url format",
        ),
        (
            "POST",
            "/billing_entities",
            {"billing_entity": {"code": "x", "name": "x", "timezone": "Mars/Base"}},
            "/billing_entity/timezone enum",
        ),
    ],
    ids=brief,
)
def test_the_pointer_begins_with_the_root_of_the_body(
    client: httpx.Client, method: str, path: str, body: object, expected: str
) -> None:
    assert reason(client.request(method, path, json=body)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("customer_type=x", "/customer_type enum"),
        ("has_customer_type=x", "/has_customer_type enum"),
        ("account_type[]=partner&account_type[]=x", "/account_type/1 enum"),
        ("countries[]=x&countries[]=FR&countries[]=y", "/countries/0 enum; /countries/2 enum"),
        ("customer_type=x&currencies[]=x", "/currencies/0 enum; /customer_type enum"),
        ("metadata[tier][]=gold", "/metadata/tier type"),
        ("metadata[a/b~c][]=gold", "/metadata/a~1b~0c type"),
    ],
    ids=brief,
)
def test_a_bad_filter_is_told_by_its_name_alone(
    client: httpx.Client, query: str, expected: str
) -> None:
    response = client.get(f"/customers?{query}")

    assert response.status_code == 422
    assert reason(response) == expected


CHECKOUT = "/customers/acct-1/checkout_url"
HANDLER_RULES = [
    pytest.param(
        "POST",
        "/taxes",
        {"tax": {"name": "x", "code": "vat", "rate": 1}},
        "/tax/code value_already_exist",
        id="tax that is there",
    ),
    pytest.param(
        "POST",
        "/billing_entities",
        {"billing_entity": {"name": "x", "code": "blank_slate"}},
        "/billing_entity/code value_already_exist",
        id="billing entity that is there",
    ),
    pytest.param(
        "POST",
        "/webhook_endpoints",
        {"webhook_endpoint": {"webhook_url": "https://a.co"}},
        "/webhook_endpoint/webhook_url value_already_exist",
        id="endpoint that is there",
    ),
    pytest.param(
        "POST",
        "/customers",
        {
            "customer": {
                "external_id": "x",
                "skip_invoice_custom_sections": True,
                "invoice_custom_section_codes": [],
            }
        },
        "/customer/invoice_custom_sections skip_sections_and_selected_ids_sent_together",
        id="sections",
    ),
    pytest.param(
        "POST",
        "/customers",
        {"customer": {"external_id": "x", "integration_customers": [{}, {}]}},
        "/customer/integration_customers invalid_count_per_integration_type",
        id="integrations",
    ),
    pytest.param(
        "POST",
        "/customers",
        {
            "customer": {
                "external_id": "x",
                BILLING: {"payment_provider": "paypal", "sync_with_provider": True},
            }
        },
        "/customer/base payment_provider_not_found",
        id="provider",
    ),
    pytest.param("POST", CHECKOUT, None, "/base no_linked_payment_provider", id="check-out"),
    pytest.param(
        "GET", "/customers?per_page=0", None, "/per_page value_is_out_of_range", id="page"
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "expected"), HANDLER_RULES)
def test_a_rule_that_looks_at_more_is_told_by_its_name(
    client: httpx.Client, method: str, path: str, body: object, expected: str
) -> None:
    save(client, {}).raise_for_status()
    tax = {"name": "x", "code": "vat", "rate": 1}
    client.post("/taxes", json={"tax": tax}).raise_for_status()
    endpoint = {"webhook_url": "https://a.co"}
    client.post("/webhook_endpoints", json={"webhook_endpoint": endpoint}).raise_for_status()

    response = client.request(method, path, json=body)

    assert response.status_code == 422
    assert reason(response) == expected


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        pytest.param("GET", "/nowhere", None, 404, "resource_not_found", id="no route"),
        pytest.param("PUT", "/customers", None, 404, "resource_not_found", id="wrong verb"),
        pytest.param("GET", "/customers/x", None, 404, "customer_not_found", id="customer"),
        pytest.param("HEAD", "/customers/x", None, 404, "customer_not_found", id="head"),
        pytest.param("GET", "/taxes/x", None, 404, "tax_not_found", id="tax"),
        pytest.param(
            "GET",
            "/customers?billing_entity_codes[]=x",
            None,
            404,
            "billing_entity_not_found",
            id="billing entity",
        ),
        pytest.param("GET", READ.path, None, 501, "operation_not_mocked", id="not mocked"),
        pytest.param(
            "POST",
            "/customers",
            {},
            400,
            "BadRequest: param is missing or the value is empty or invalid: customer",
            id="no root",
        ),
    ],
)
def test_any_other_refusal_is_told_by_its_code(
    client: httpx.Client, method: str, path: str, body: object, status: int, expected: str
) -> None:
    response = client.request(method, path, json=body)

    assert (response.status_code, reason(response)) == (status, expected)


def test_an_unknown_key_is_told(client: httpx.Client) -> None:
    response = client.get("/customers", headers={"Authorization": "Bearer nobody"})

    assert (response.status_code, reason(response)) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        pytest.param("POST", "/customers", JSON_TYPE, b'{"customer":', 400, id="json"),
        pytest.param("POST", "/customers", FORM, b"customer[name]=%ZZ", 400, id="form"),
        pytest.param("POST", "/customers", {"Content-Type": "nonsense"}, b"{}", 406, id="type"),
        pytest.param("GET", "/customers", {"Accept": "nonsense//x"}, b"", 406, id="accept"),
        pytest.param("GET", "/customers?a=1&a[]=2", {}, b"", 400, id="two shapes"),
        pytest.param("OPTIONS", "/customers", {}, b"", 404, id="options"),
    ],
)
def test_what_is_refused_below_the_operations_has_a_reason_too(
    client: httpx.Client,
    method: str,
    path: str,
    headers: dict[str, str],
    content: bytes,
    status: int,
) -> None:
    response = client.request(method, path, headers=headers, content=content)

    assert response.status_code == status
    assert reason(response)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/organizations"),
        ("GET", "/customers"),
        ("GET", "/customers/acct-1"),
        ("HEAD", "/customers/acct-1"),
        ("GET", "/webhooks/public_key"),
        ("DELETE", "/customers/acct-1"),
    ],
)
def test_success_has_no_reason(client: httpx.Client, method: str, path: str) -> None:
    assert HEADER not in save(client, {"name": "Ann", "stranger": 1}).headers

    response = client.request(method, path)

    assert response.status_code == 200
    assert HEADER not in response.headers


class TestJournal:
    def test_it_names_field_and_code_as_the_answer_does(
        self, client: httpx.Client, admin: httpx.Client
    ) -> None:
        response = save(client, {"shipping_address": {"country": "zz"}, "currency": "XX"})

        (entry,) = admin.get("/requests").json()["requests"]
        assert entry["reasons"] == [
            {
                "pointer": "/customer/shipping_address/country",
                "keyword": "enum",
                "field": "shipping_country",
                "code": "not_a_valid_country_code",
            },
            {
                "pointer": "/customer/currency",
                "keyword": "enum",
                "field": "currency",
                "code": "value_is_invalid",
            },
        ]
        told = {each["field"]: [each["code"]] for each in entry["reasons"]}
        assert response.json()["error_details"] == told

    def test_it_names_a_handlers_rule(self, client: httpx.Client, admin: httpx.Client) -> None:
        save(client, {}).raise_for_status()
        client.get("/customers?per_page=0")

        entries = admin.get("/requests").json()["requests"]
        (refused,) = [entry for entry in entries if entry["status"] == 422]
        assert refused["reasons"] == [
            {
                "pointer": "/per_page",
                "keyword": "value_is_out_of_range",
                "field": "per_page",
                "code": "value_is_out_of_range",
            }
        ]

    def test_success_has_none(self, client: httpx.Client, admin: httpx.Client) -> None:
        save(client, {})

        (entry,) = admin.get("/requests").json()["requests"]
        assert entry["reasons"] == []


class TestStrict:
    @pytest.mark.parametrize(
        ("body", "pointers"),
        [
            ({"customer": {"external_id": 5}}, ["/customer/external_id"]),
            ({"customer": {"external_id": "a", "nick": 1}}, ["/customer/nick"]),
            (
                {"customer": {"external_id": "a", BILLING: {"nick": 1}}},
                [f"/customer/{BILLING}/nick"],
            ),
            (
                {"customer": {"external_id": "a", "metadata": [{"key": 1}]}},
                ["/customer/metadata/0/key"],
            ),
            ({"customer": {"external_id": "a", "a/b~c": 1}}, ["/customer/a~1b~0c"]),
            ({"customer": {"external_id": "a", "customer": 1}}, ["/customer/customer"]),
            ({"customer": {"external_id": "a"}, "extra": 1}, ["/extra"]),
            (
                {"customer": {"external_id": 5, "name": 6}, "extra": 1},
                ["/customer/external_id", "/customer/name", "/extra"],
            ),
        ],
        ids=brief,
    )
    def test_the_pointer_leads_to_what_breaks_the_letter(
        self, strict: httpx.Client, body: object, pointers: list[str]
    ) -> None:
        response = strict.post("/customers", json=body)

        assert response.status_code == 422
        told = [each.split() for each in reason(response).split("; ")]
        assert sorted(pointer for pointer, _ in told) == sorted(pointers)

    def test_a_wrong_type_is_the_keyword_type(self, strict: httpx.Client) -> None:
        assert reason(save(strict, {"name": 5})) == "/customer/name type"

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/customers?limit=1"), ("POST", "/customers?limit=1")]
    )
    def test_a_parameter_is_told_by_its_name(
        self, strict: httpx.Client, method: str, path: str
    ) -> None:
        response = strict.request(method, path, json={"customer": {"external_id": "a"}})

        pointers = [each.split()[0] for each in reason(response).split("; ")]
        assert "/limit" in pointers

    def test_a_reason_has_512_bytes_at_most(self, strict: httpx.Client) -> None:
        strangers = {f"stranger-{number}": 1 for number in range(100)}

        response = save(strict, strangers)

        assert len(response.json()["error_details"]) == 100
        assert len(response.headers[HEADER]) == 512
        assert reason(response).startswith("/customer/stranger-0 ")

    @pytest.mark.parametrize("name", ["é", "ключ", "日本", "🙂", "x" * 600, "é" * 600], ids=brief)
    def test_a_reason_is_ascii(self, strict: httpx.Client, name: str) -> None:
        response = save(strict, {name: 1})

        assert list(response.json()["error_details"]) == [name]
        assert reason(response).startswith("/customer/")


CONTROLS = ["\r", "\n", "\r\n", "\t", "\0", "\x1b", "\x7f", "\x85", "\u2028"]


class TestControlCharacters:
    """A reason quotes what the client sent: none of it may break the head of the answer."""

    @pytest.mark.parametrize("control", CONTROLS, ids=ascii)
    def test_in_a_key_of_a_body(self, strict: httpx.Client, control: str) -> None:
        name = f"a{control}X-Injected: 1"

        response = save(strict, {name: 1})

        assert list(response.json()["error_details"]) == [name]
        assert reason(response)
        assert "x-injected" not in response.headers

    @pytest.mark.parametrize("control", CONTROLS, ids=ascii)
    def test_in_a_key_of_a_filter(self, client: httpx.Client, control: str) -> None:
        name = f"a{control}b"

        response = client.get(f"/customers?metadata[{quote(name)}][]=1")

        assert response.json()["error_details"] == {"metadata": {name: ["must be a string"]}}
        assert reason(response)

    @pytest.mark.parametrize("control", CONTROLS, ids=ascii)
    def test_in_a_parameter_that_cannot_be_parsed(self, client: httpx.Client, control: str) -> None:
        name = quote(f"a{control}b")

        response = client.get(f"/customers?{name}=1&{name}[]=2")

        assert response.status_code == 400
        assert reason(response)

    @pytest.mark.parametrize("control", CONTROLS[:3], ids=ascii)
    def test_in_a_broken_escape(self, client: httpx.Client, control: str) -> None:
        response = client.post("/customers", content=f"a=%{control}", headers=FORM)

        assert response.status_code == 400
        assert reason(response)
