from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

JSON_TYPE = {"Content-Type": "application/json"}
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
CUSTOMER = b'{"customer":{"external_id":"a"}}'


def missing(root: str) -> dict[str, Any]:
    problem = "BadRequest: param is missing or the value is empty or invalid"
    return {"status": 400, "error": f"{problem}: {root}"}


def stored(client: httpx.Client) -> list[str]:
    return [each["external_id"] for each in client.get("/customers").json()["customers"]]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=iso-8859-1",
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        "application/problem+json",
        "text/x-json",
        "application/jsonrequest",
    ],
)
def test_json_is_read_under_these_media_types(client: httpx.Client, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    response = client.post("/customers", content=CUSTOMER, headers=headers)

    assert (response.status_code, stored(client)) == (200, ["a"])


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/octet-stream",
        "text/json",
        "application/ld+json",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        None,
    ],
)
def test_json_is_ignored_under_any_other(client: httpx.Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    response = client.post("/customers", content=CUSTOMER, headers=headers)

    assert (response.status_code, response.json()) == (400, missing("customer"))


@pytest.mark.parametrize("content_type", ["garbage", "foo/ bar baz"])
@pytest.mark.parametrize(
    ("accept", "body", "kind"),
    [
        ("*/*", b"", "text/html; charset=UTF-8"),
        (
            "application/json",
            b'{"status":406,"error":"Not Acceptable"}',
            "application/json; charset=UTF-8",
        ),
    ],
)
def test_a_malformed_content_type_is_not_acceptable(
    client: httpx.Client, content_type: str, accept: str, body: bytes, kind: str
) -> None:
    headers = {"Content-Type": content_type, "Accept": accept}

    response = client.post("/customers", content=CUSTOMER, headers=headers)

    assert (response.status_code, response.content) == (406, body)
    assert response.headers["content-type"] == kind


def test_a_malformed_accept_is_not_acceptable(client: httpx.Client) -> None:
    response = client.get("/customers", headers={"Accept": "garbage//x"})

    assert (response.status_code, response.content) == (406, b"")


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/xml",
        "text/html",
        "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        "image/*",
        "application/json; version=2",
    ],
)
def test_a_well_formed_accept_changes_nothing(client: httpx.Client, accept: str) -> None:
    response = client.get("/organizations", headers={"Accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "root"),
    [("POST", "/customers", "customer"), ("PUT", "/organizations", "organization")],
)
def test_an_empty_body_is_no_parameters(
    client: httpx.Client, method: str, path: str, root: str
) -> None:
    response = client.request(method, path, headers=JSON_TYPE)

    assert (response.status_code, response.json()) == (400, missing(root))


def test_get_and_delete_need_no_body(client: httpx.Client) -> None:
    client.post("/customers", content=CUSTOMER, headers=JSON_TYPE)

    assert client.get("/customers/a", headers=JSON_TYPE).status_code == 200
    assert client.delete("/customers/a", headers=JSON_TYPE).status_code == 200


@pytest.mark.parametrize("body", [b"[]", b"[1]", b'"text"', b"1", b"true", b"null", b"{}"])
def test_a_body_without_an_object_lacks_the_root(client: httpx.Client, body: bytes) -> None:
    response = client.post("/customers", content=body, headers=JSON_TYPE)

    assert (response.status_code, response.json()) == (400, missing("customer"))


def nested(levels: int) -> bytes:
    """Return a customer of so many levels, all brackets counted."""
    lists = levels - 2
    return b'{"customer":{"external_id":"a","deep":%s%s}}' % (b"[" * lists, b"]" * lists)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"   ", id="spaces"),
        pytest.param(b"\n", id="line break"),
        pytest.param(b"\xef\xbb\xbf" + CUSTOMER, id="byte order mark"),
        pytest.param(b'{"customer":{"external_id":NaN}}', id="nan"),
        pytest.param(b'{"customer":{"external_id":"a",}}', id="trailing comma"),
        pytest.param(b"{'customer':{'external_id':'a'}}", id="single quotes"),
        pytest.param(nested(101), id="nested too deep"),
        pytest.param(b'{"customer":{"external_id":"\\ud800"}}', id="lone surrogate"),
        pytest.param(b'{"customer":{"external_id":"\xff"}}', id="invalid utf-8"),
        pytest.param(CUSTOMER[:-1], id="cut off"),
        pytest.param(CUSTOMER + b"x", id="something behind"),
    ],
)
def test_broken_json_cannot_be_parsed(client: httpx.Client, body: bytes) -> None:
    response = client.post("/customers", content=body, headers=JSON_TYPE)

    assert (response.status_code, response.content) == (400, b"")
    assert stored(client) == []


def test_a_hundred_levels_are_parsed(client: httpx.Client) -> None:
    response = client.post("/customers", content=nested(100), headers=JSON_TYPE)

    assert response.status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_broken_json_is_refused_where_no_body_is_needed(client: httpx.Client, method: str) -> None:
    client.post("/customers", content=CUSTOMER, headers=JSON_TYPE)

    response = client.request(method, "/customers/a", content=b"{", headers=JSON_TYPE)

    assert (response.status_code, response.content) == (400, b"")
    assert stored(client) == ["a"]


def test_a_body_that_does_not_arrive_whole_writes_nothing(
    server: str, client: httpx.Client
) -> None:
    head = (
        "POST /api/v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer lago-mock-key\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(CUSTOMER) + 1}\r\n\r\n"
    )
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), address.port or 0), 10) as connection:
        connection.sendall(head.encode() + CUSTOMER)

    assert stored(client) == []


def test_comments_are_skipped(client: httpx.Client) -> None:
    body = b'/* who */ {"customer": /* which */ {"external_id": "a"}} /* done */'

    response = client.post("/customers", content=body, headers=JSON_TYPE)

    assert (response.status_code, stored(client)) == (200, ["a"])


def test_the_last_of_equal_keys_wins(client: httpx.Client) -> None:
    body = b'{"customer":{"external_id":"a"},"customer":{"external_id":"b","external_id":"c"}}'

    client.post("/customers", content=body, headers=JSON_TYPE)

    assert stored(client) == ["c"]


AS_JSON = (b'{"status":400,"error":"Bad Request"}', "application/json; charset=UTF-8")
EMPTY = (b"", "text/html; charset=UTF-8")


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("application/json", AS_JSON),
        ("application/json; charset=utf-8", AS_JSON),
        ("application/json, text/plain", AS_JSON),
        ("*/*", EMPTY),
        (None, EMPTY),
        ("application/json, text/plain, */*", EMPTY),
        ("text/html,application/xhtml+xml,*/*;q=0.8", EMPTY),
        ("text/html", EMPTY),
    ],
)
def test_what_cannot_be_parsed_is_answered_as_accept_says(
    client: httpx.Client, accept: str | None, answer: tuple[bytes, str]
) -> None:
    request = client.build_request("POST", "/customers", content=b"{", headers=JSON_TYPE)
    del request.headers["accept"]
    if accept:
        request.headers["accept"] = accept

    response = client.send(request)

    assert response.status_code == 400
    assert (response.content, response.headers["content-type"]) == answer
    assert response.headers["content-length"] == str(len(answer[0]))


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "application/xml"])
def test_a_missing_root_is_told_in_json_always(client: httpx.Client, accept: str) -> None:
    headers = {**JSON_TYPE, "Accept": accept}

    response = client.post("/customers", content=b"{}", headers=headers)

    assert (response.status_code, response.json()) == (400, missing("customer"))
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("a=%ZZ", id="broken escape"),
        pytest.param("%ZZ=a", id="broken escape in a name"),
        pytest.param("a=%", id="escape cut off"),
        pytest.param("a=%FF", id="invalid utf-8"),
        pytest.param("a=1&a[b]=2", id="two shapes"),
    ],
)
def test_a_broken_query_cannot_be_parsed(client: httpx.Client, query: str) -> None:
    response = client.get(f"/customers?{query}")

    assert (response.status_code, response.content) == (400, b"")


def test_the_query_alone_can_be_the_body(client: httpx.Client) -> None:
    response = client.post("/customers?customer[external_id]=a")

    assert (response.status_code, stored(client)) == (200, ["a"])


def test_the_query_replaces_the_whole_root_of_the_body(client: httpx.Client) -> None:
    body = {"customer": {"external_id": "a", "name": "Ann"}}

    response = client.post("/customers?customer[external_id]=b", json=body)

    customer = response.json()["customer"]
    assert (customer["external_id"], customer["name"]) == ("b", None)
    assert stored(client) == ["b"]


def test_the_query_leaves_other_keys_of_the_body(client: httpx.Client) -> None:
    client.post("/customers?page=7", content=CUSTOMER, headers=JSON_TYPE)

    assert stored(client) == ["a"]


def test_a_json_body_of_a_get_is_read_as_parameters(client: httpx.Client) -> None:
    for external_id in ("a", "b"):
        client.post("/customers", json={"customer": {"external_id": external_id}})

    paged = client.request("GET", "/customers", json={"per_page": 1, "page": 2}).json()

    assert (len(paged["customers"]), paged["meta"]["total_pages"]) == (1, 2)
    assert paged["meta"]["current_page"] == 2


def test_null_items_of_lists_are_dropped(client: httpx.Client) -> None:
    tax = {"name": "VAT", "code": "vat", "rate": 20}
    client.post("/taxes", json={"tax": tax})
    metadata = [None, {"key": "k", "value": "v"}, None]
    customer = {"external_id": "a", "metadata": metadata, "tax_codes": [None, "vat", None]}

    answer = client.post("/customers", json={"customer": customer}).json()["customer"]

    assert [each["key"] for each in answer["metadata"]] == ["k"]
    assert [each["code"] for each in answer["taxes"]] == ["vat"]


def test_unknown_keys_are_ignored_at_every_level(client: httpx.Client) -> None:
    metadata = [{"key": "k", "value": "v", "color": "red"}]
    nested_unknown = {"document_locale": "fr", "color": "red"}
    customer = {
        "external_id": "a",
        "color": "red",
        "metadata": metadata,
        "billing_configuration": nested_unknown,
    }

    response = client.post("/customers", json={"customer": customer, "color": "red"})

    assert response.status_code == 200
    assert "color" not in response.text


def test_a_form_is_read_with_bracket_names(client: httpx.Client) -> None:
    form = (
        "customer[external_id]=17&customer[name]=A+%26+B&customer[net_payment_term]=30"
        "&customer[billing_configuration][document_locale]=fr"
        "&customer[metadata][][key]=k&customer[metadata][][value]=v"
    )

    customer = client.post("/customers", content=form, headers=FORM_TYPE).json()["customer"]

    assert (customer["external_id"], customer["name"]) == ("17", "A & B")
    assert customer["net_payment_term"] == 30
    assert customer["billing_configuration"]["document_locale"] == "fr"
    assert [(each["key"], each["value"]) for each in customer["metadata"]] == [("k", "v")]


def test_a_multipart_body_is_read_with_bracket_names(client: httpx.Client) -> None:
    parts = {
        "customer[external_id]": (None, "17"),
        "customer[name]": (None, "Zoë"),
        "customer[shipping_address][city]": (None, "Évora"),
    }

    customer = client.post("/customers", files=parts).json()["customer"]

    assert (customer["external_id"], customer["name"]) == ("17", "Zoë")
    assert customer["shipping_address"]["city"] == "Évora"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/x-www-form-urlencoded", b"customer[name]=%ZZ", id="escape"),
        pytest.param("application/x-www-form-urlencoded", b"customer[name]=%FF", id="utf-8"),
        pytest.param("multipart/form-data", b"--x\r\n", id="no boundary"),
        pytest.param("multipart/form-data; boundary=x", b"--x\r\n", id="cut off"),
        pytest.param("multipart/form-data; boundary=x", b"text", id="no parts"),
    ],
)
def test_a_broken_form_cannot_be_parsed(
    client: httpx.Client, content_type: str, body: bytes
) -> None:
    headers = {"Content-Type": content_type}

    response = client.post("/customers", content=body, headers=headers)

    assert (response.status_code, response.content) == (400, b"")


@pytest.mark.parametrize(
    "root",
    [
        pytest.param(None, id="null"),
        pytest.param({}, id="empty object"),
        pytest.param([], id="empty array"),
        pytest.param("", id="empty text"),
        pytest.param("text", id="text"),
        pytest.param(1, id="number"),
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param([{"external_id": "a"}], id="array"),
        pytest.param([None], id="array of null"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [("POST", "/customers", "customer"), ("PUT", "/organizations", "organization")],
)
def test_a_root_that_is_no_object_with_content_is_missing(
    client: httpx.Client, method: str, path: str, name: str, root: Any
) -> None:
    response = client.request(method, path, json={name: root})

    assert (response.status_code, response.json()) == (400, missing(name))


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [("POST", "/customers", "customer"), ("PUT", "/organizations", "organization")],
)
def test_a_root_of_another_name_is_missing(
    client: httpx.Client, method: str, path: str, name: str
) -> None:
    body = {name.capitalize(): {"external_id": "a", "name": "b"}, "name": "c", "external_id": "d"}

    response = client.request(method, path, json=body)

    assert (response.status_code, response.json()) == (400, missing(name))


def test_a_customer_of_unknown_keys_only_is_missing(client: httpx.Client) -> None:
    response = client.post("/customers", json={"customer": {"color": "red"}})

    assert (response.status_code, response.json()) == (400, missing("customer"))


def test_an_organization_of_unknown_keys_only_changes_nothing(client: httpx.Client) -> None:
    before = client.get("/organizations").json()

    response = client.put("/organizations", json={"organization": {"color": "red"}})

    assert response.status_code == 200
    assert client.get("/organizations").json() == before
