from __future__ import annotations

from typing import Any

import pytest

from lago_mock.contract.operation import Operation
from lago_mock.errors import Problem
from lago_mock.matching import Glob, Matcher, Sent, unmatchable
from lago_mock.wire import JSON, JSONObject, encode

PATH = "/api/v1/customers"


def sent(
    operation: str | None = "createCustomer",
    method: str = "POST",
    path: str = PATH,
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Sent:
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Sent(operation, method, path, query, raw, body)


# Globs


@pytest.mark.parametrize(
    ("glob", "text", "matches"),
    [
        ("", "", True),
        ("", "a", False),
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("abc", "ABC", False),
        ("*", "", True),
        ("*", "a/b\nc", True),
        ("a*", "a", True),
        ("a*", "ba", False),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("a*a", "aa", True),
        ("a*a", "a", False),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "abc", True),
        ("a*b*c", "ac", False),
        ("a*b*c", "acb", False),
        ("ab*b*bc", "abbc", False),
        ("ab*b*bc", "abbbc", True),
        ("a**b", "ab", True),
        ("*a*b*", "-b-a-", False),
        ("*a*b*", "-a-b-", True),
        ("a?c", "abc", False),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("a*" * 30 + "b", "a" * 3000, False),
    ],
)
def test_glob_matches_whole_texts_and_its_star_any_characters(
    glob: str, text: str, matches: bool
) -> None:
    assert Glob(glob).matches(text) is matches


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a*", "abc", True),
        ("a*", "bc", False),
        ("a*", "*c", True),
        ("a*x*c", "ab*y*bc", True),
        ("ab*", "a*", True),
        ("a*", "b*", False),
        ("*a", "*b", False),
        ("*ba", "*a", True),
        ("*a", "*ba", True),
        ("*", "*", True),
    ],
)
def test_globs_meet_when_some_text_matches_both(one: str, other: str, meets: bool) -> None:
    assert Glob(one).meets(Glob(other)) is meets
    assert Glob(other).meets(Glob(one)) is meets


# What was sent


def test_headers_are_read_by_name_in_any_case_and_joined() -> None:
    raw = [(b"X-A", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")]
    assert Sent(None, "GET", "/", "", raw).by_name == {"x-a": "1, 2", "x-b": "é"}


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {}),
        ("page=2&per_page=", {"page": ["2"], "per_page": [""]}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("currencies[]=EUR&currencies%5B%5D=USD", {"currencies[]": ["EUR", "USD"]}),
        ("filter[a]=x+y%2F", {"filter[a]": ["x y/"]}),
        ("flag", {"flag": [""]}),
        ("n=%C3%A9", {"n": ["é"]}),
        ("n=\xc3\xa9", {"n": ["é"]}),
        ("n=%FF%", {"n": ["\ufffd%"]}),
        ("€=1", {"?": ["1"]}),
    ],
)
def test_query_is_read_by_names_as_they_were_sent(query: str, parameters: JSONObject) -> None:
    assert sent(query=query).parameters == parameters


def test_body_is_read_no_more_than_once() -> None:
    request = sent(body=b'{"a": []}')
    assert request.json == {"a": []}
    assert request.json is request.json


# Operation, method and path


MEANT: list[Any] = [
    pytest.param({}, True, id="nothing said"),
    pytest.param({"error": "forbidden", "times": 3}, True, id="words of a fault"),
    pytest.param({"operation": "*"}, True, id="any operation"),
    pytest.param({"operation": "createCustomer"}, True, id="its operation"),
    pytest.param({"operation": "findCustomer"}, False, id="another operation"),
    pytest.param({"operation": ["findTax", "createCustomer"]}, True, id="one of several"),
    pytest.param({"operation": ["findTax"]}, False, id="none of several"),
    pytest.param({"operation": ["findTax", "*"]}, True, id="any, in a list"),
    pytest.param({"operation": "create"}, False, id="part of its name"),
    pytest.param({"method": "POST"}, True, id="its method"),
    pytest.param({"method": "GET"}, False, id="another method"),
    pytest.param({"method": ["GET", "POST"]}, True, id="one of two methods"),
    pytest.param({"method": ["GET", "PUT"]}, False, id="neither method"),
    pytest.param({"path": PATH}, True, id="its path"),
    pytest.param({"path": "/api/v1/*"}, True, id="glob"),
    pytest.param({"path": "*customers"}, True, id="glob over slashes"),
    pytest.param({"path": "/api/v1/customer?"}, False, id="question mark is no glob"),
    pytest.param({"path": "/api/v1.customers"}, False, id="dot is a dot"),
    pytest.param({"path": "/api/v1/Customers"}, False, id="other case"),
    pytest.param({"path": "/customers"}, False, id="part of its path"),
    pytest.param({"method": "POST", "path": "/api/v1/taxes"}, False, id="method but not path"),
    pytest.param({"operation": "createCustomer", "method": "PUT"}, False, id="not its method"),
]


@pytest.mark.parametrize(("description", "meant"), MEANT)
def test_description_means_requests_by_operation_method_and_path(
    description: JSONObject, meant: bool
) -> None:
    assert Matcher.of(description).matches(sent()) is meant


@pytest.mark.parametrize(
    ("operation", "meant"), [("*", True), ("createCustomer", False), (["createCustomer"], False)]
)
def test_request_without_an_operation_is_meant_by_none_that_is_named(
    operation: str | list[str], meant: bool
) -> None:
    nowhere = sent(operation=None, path="/nowhere")
    assert Matcher.of({"operation": operation}).matches(nowhere) is meant


# Headers and query


@pytest.mark.parametrize(
    ("headers", "miss"),
    [
        pytest.param({"user-agent": "lago/1.2"}, "", id="same"),
        pytest.param({"User-Agent": "lago/*"}, "", id="name in another case"),
        pytest.param({"user-agent": "*"}, "", id="any value"),
        pytest.param({"x-none": None}, "", id="absent"),
        pytest.param({"authorization": "Bearer key-*"}, "", id="secret"),
        pytest.param({"accept": "text/a, text/b"}, "", id="two of a name"),
        pytest.param({"x-none": "*"}, "the header x-none is missing", id="missing"),
        pytest.param({"user-agent": None}, "the header user-agent was sent", id="not absent"),
        pytest.param(
            {"user-agent": "Lago*"},
            'the header user-agent is "lago/1.2", not "Lago*"',
            id="value in another case",
        ),
        pytest.param(
            {"authorization": "Bearer x"}, "the header authorization is another", id="other secret"
        ),
        pytest.param(
            {"user-agent": "*", "x-a": "1", "x-b": "2"}, "the header x-a is missing", id="every one"
        ),
    ],
)
def test_headers_are_compared(headers: dict[str, str | None], miss: str) -> None:
    raw = [
        (b"user-agent", b"lago/1.2"),
        (b"authorization", b"Bearer key-1"),
        (b"accept", b"text/a"),
        (b"accept", b"text/b"),
    ]
    matcher = Matcher.of({"match": {"headers": headers}})
    request = Sent("createCustomer", "POST", PATH, "", raw)
    assert matcher.why_not(request) == miss
    assert matcher.matches(request) is not bool(miss)


@pytest.mark.parametrize(
    ("query", "miss"),
    [
        pytest.param({"page": "2"}, "", id="same"),
        pytest.param({"filter[a]": "x*"}, "", id="brackets"),
        pytest.param({"c[]": "USD"}, "", id="one of several"),
        pytest.param({"c[]": ["EUR", "U*"]}, "", id="all of them"),
        pytest.param({"none": None}, "", id="absent"),
        pytest.param({"flag": ""}, "", id="without a value"),
        pytest.param({"none": "*"}, "the parameter none is missing", id="missing"),
        pytest.param({"none": []}, "the parameter none is missing", id="missing list"),
        pytest.param({"page": None}, "the parameter page was sent", id="not absent"),
        pytest.param({"page": "1"}, 'the parameter page is "2", not "1"', id="other value"),
        pytest.param(
            {"c[]": "JPY"}, 'the parameter c[] is "EUR" and "USD", not "JPY"', id="none of several"
        ),
        pytest.param(
            {"c[]": ["USD", "EUR"]},
            'the parameter c[] is ["EUR", "USD"], not ["USD", "EUR"]',
            id="other order",
        ),
        pytest.param(
            {"c[]": ["EUR"]}, 'the parameter c[] is ["EUR", "USD"], not ["EUR"]', id="one too many"
        ),
    ],
)
def test_query_is_compared(query: JSONObject, miss: str) -> None:
    request = sent(query="page=2&filter%5Ba%5D=xyz&c[]=EUR&c[]=USD&flag")
    matcher = Matcher.of({"match": {"query": query}})
    assert matcher.why_not(request) == miss
    assert matcher.matches(request) is not bool(miss)


# Body

BODY = {"customer": {"external_id": "a", "net": 3, "ok": True, "none": None, "list": [1, {"b": 2}]}}
CUT = '{"customer": {"external_id": "a", "net": 3, "ok": true, "non…'


def customer(**part: JSON) -> JSONObject:
    return {"customer": part}


@pytest.mark.parametrize(
    ("body", "miss"),
    [
        pytest.param({}, "", id="nothing of it"),
        pytest.param(BODY, "", id="all of it"),
        pytest.param({"customer": {}}, "", id="an object, whatever is in it"),
        pytest.param(customer(external_id="a"), "", id="part of it"),
        pytest.param(customer(net=3.0), "", id="3 is 3.0"),
        pytest.param(customer(none=None), "", id="null"),
        pytest.param(customer(list=[1, {}]), "", id="part of what is in an array"),
        pytest.param(
            customer(external_id="*"),
            '/customer/external_id of the body is "a", not "*"',
            id="text is no glob",
        ),
        pytest.param(
            customer(external_id=1), '/customer/external_id of the body is "a", not 1', id="text"
        ),
        pytest.param(customer(ok=1), "/customer/ok of the body is true, not 1", id="true is not 1"),
        pytest.param(customer(net=True), "/customer/net of the body is 3, not true", id="3, true"),
        pytest.param(customer(net=None), "/customer/net of the body is 3, not null", id="no null"),
        pytest.param(
            customer(name=None), "/customer/name of the body is missing", id="null, missing"
        ),
        pytest.param(
            customer(net={}), "/customer/net of the body is 3, not an object", id="object"
        ),
        pytest.param(customer(net=[]), "/customer/net of the body is 3, not an array", id="array"),
        pytest.param(
            customer(list=[1]), "/customer/list of the body is an array of 2, not of 1", id="longer"
        ),
        pytest.param(
            customer(list=[{}, 1]), "/customer/list/0 of the body is 1, not an object", id="order"
        ),
        pytest.param(
            customer(list=[1, {"b": 3}]), "/customer/list/1/b of the body is 2, not 3", id="inner"
        ),
        pytest.param({"a/b": 1}, "/a~1b of the body is missing", id="pointer"),
        pytest.param([], f"the body is {CUT}, not an array", id="top"),
    ],
)
def test_body_is_compared_as_far_as_it_is_wanted(body: JSON, miss: str) -> None:
    matcher = Matcher.of({"match": {"body": body}})
    request = sent(body=encode(BODY))
    assert matcher.why_not(request) == miss
    assert matcher.matches(request) is not bool(miss)


@pytest.mark.parametrize(
    ("wanted", "body", "miss"),
    [
        pytest.param(None, b"", "", id="null is no body"),
        pytest.param(None, b"null", "", id="null"),
        pytest.param(None, b"{}", "the body is {}, not null", id="an object is not null"),
        pytest.param({}, b"", "the body is null, not an object", id="no body is no object"),
        pytest.param({}, b"a=1", "the body is no JSON", id="form"),
        pytest.param(None, b"{", "the body is no JSON", id="cut off"),
        pytest.param([1], b"[1]", "", id="array"),
        pytest.param(1, b"1.0", "", id="number"),
        pytest.param("é", '"é"'.encode(), "", id="text"),
        pytest.param(True, b"true", "", id="true"),
        pytest.param(False, b"0", "the body is 0, not false", id="false is not 0"),
    ],
)
def test_bodies_of_all_kinds_are_compared(wanted: JSON, body: bytes, miss: str) -> None:
    matcher = Matcher.of({"match": {"body": wanted}})
    assert list(matcher.misses(sent(body=body))) == ([miss] if miss else [])


# Why not

ALL_WRONG = {
    "operation": ["findTax", "createTax"],
    "method": ["GET", "PUT"],
    "path": "/api/v1/t*",
    "match": {
        "headers": {"x-a": "1"},
        "query": {"page": "2"},
        "body": {"tax": {"code": "a"}, "x": 1},
    },
}
REASONS = [
    "the operation is createCustomer, not createTax or findTax",
    "the method is POST, not GET or PUT",
    "the path is /api/v1/customers, not /api/v1/t*",
    "the header x-a is missing",
    "the parameter page is missing",
    "/tax of the body is missing",
    "/x of the body is missing",
]


def test_every_word_that_differs_is_told_in_order() -> None:
    assert list(Matcher.of(ALL_WRONG).misses(sent(body=b"{}"))) == REASONS


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["operation", "method", "path", "match"], REASONS[0]),
        (["method", "path", "match"], REASONS[1]),
        (["path", "match"], REASONS[2]),
        (["match"], REASONS[3]),
        ([], ""),
    ],
)
def test_first_word_that_differs_is_the_reason(words: list[str], reason: str) -> None:
    matcher = Matcher.of({word: ALL_WRONG[word] for word in words})
    assert matcher.why_not(sent(body=b"{}")) == reason
    assert matcher.matches(sent(body=b"{}")) is not bool(reason)


def test_request_without_an_operation_is_told_to_have_none() -> None:
    reason = Matcher.of({"operation": "findTax"}).why_not(sent(operation=None))
    assert reason == "the operation is none, not findTax"


def test_what_need_not_be_read_is_not() -> None:
    request = sent(body=b"{}")
    assert not Matcher.of({"operation": "findTax", "match": {"body": {}}}).matches(request)
    assert "json" not in vars(request)


# Descriptions that mean no request


def operation(operation_id: str, method: str, path: str) -> Operation:
    return Operation(operation_id, method, path, (), (), {})


OPERATIONS = {
    each.id: each
    for each in (
        operation("createCustomer", "POST", "/customers"),
        operation("findCustomer", "GET", "/customers/{external_customer_id}"),
        operation("findUsage", "GET", "/customers/{external_customer_id}/current_usage"),
        operation("findTax", "GET", "/taxes/{code}"),
        operation("destroyTax", "DELETE", "/taxes/{code}"),
    )
}


@pytest.mark.parametrize(
    "description",
    [
        pytest.param({}, id="nothing said"),
        pytest.param({"operation": "*"}, id="all"),
        pytest.param({"operation": "findTax"}, id="known"),
        pytest.param({"operation": ["findTax", "*"]}, id="known and all"),
        pytest.param({"method": "GET"}, id="method"),
        pytest.param({"method": "HEAD"}, id="HEAD is a GET"),
        pytest.param({"method": ["PATCH", "GET"]}, id="one of two methods"),
        pytest.param({"operation": ["findTax", "destroyTax"], "method": "DELETE"}, id="its method"),
        pytest.param({"path": "*"}, id="any path"),
        pytest.param({"path": "/api/v1/customers"}, id="path"),
        pytest.param({"path": "/api/v1/customers/"}, id="slash at the end"),
        pytest.param({"path": "//api/v1//customers"}, id="double slashes"),
        pytest.param({"path": "/api/v1/customers.json"}, id="ending"),
        pytest.param({"path": "/api/v1/customers/a.b/c"}, id="parameter with a slash and a dot"),
        pytest.param({"path": "/api/v1/customers/*/current_usage"}, id="glob for a parameter"),
        pytest.param({"path": "*usage"}, id="glob in front"),
        pytest.param({"method": "DELETE", "path": "/api/v1/t*"}, id="method and path"),
        pytest.param({"operation": "findTax", "path": "*/vat"}, id="operation and path"),
    ],
)
def test_description_that_can_mean_a_request_has_no_problem(description: JSONObject) -> None:
    assert unmatchable(description, OPERATIONS) == []


@pytest.mark.parametrize(
    ("description", "word", "texts"),
    [
        pytest.param(
            {"operation": "findTaxes"},
            "operation",
            ["no operation findTaxes; did you mean findTax?"],
            id="misspelt",
        ),
        pytest.param({"operation": "0"}, "operation", ["no operation 0"], id="like none"),
        pytest.param(
            {"operation": ["*", "findTaxes", "findTax", "0"], "method": "PATCH"},
            "operation",
            ["no operation findTaxes; did you mean findTax?", "no operation 0"],
            id="several",
        ),
        pytest.param(
            {"method": "PATCH"},
            "method",
            ["no such operation takes PATCH, but DELETE, GET, POST"],
            id="method of none",
        ),
        pytest.param(
            {"operation": "findTax", "method": ["PUT", "POST"], "path": "/x"},
            "method",
            ["no such operation takes POST or PUT, but GET"],
            id="method of another",
        ),
        pytest.param(
            {"path": "/customers"},
            "path",
            ["no such operation at /customers; did you mean /api/v1/customers?"],
            id="without its prefix",
        ),
        pytest.param(
            {"path": "/taxes/*"},
            "path",
            ["no such operation at /taxes/*; did you mean /api/v1/taxes/{code}?"],
            id="glob without its prefix",
        ),
        pytest.param(
            {"path": "/api/v1/customer"},
            "path",
            ["no such operation at /api/v1/customer; did you mean /api/v1/customers?"],
            id="path misspelt",
        ),
        pytest.param(
            {"path": "/elsewhere"}, "path", ["no such operation at /elsewhere"], id="like none"
        ),
        pytest.param(
            {"method": "GET", "path": "/api/v1/customers"},
            "path",
            [
                "no such operation at /api/v1/customers;"
                " did you mean /api/v1/customers/{external_customer_id}?"
            ],
            id="path of another method",
        ),
        pytest.param(
            {"operation": "findTax", "path": "/api/v1/tax/*"},
            "path",
            ["no such operation at /api/v1/tax/*; did you mean /api/v1/taxes/{code}?"],
            id="path of another operation",
        ),
    ],
)
def test_description_that_means_no_request_is_told_why(
    description: JSONObject, word: str, texts: list[str]
) -> None:
    found = unmatchable(description, OPERATIONS)
    assert found == [Problem(word, text, "fault", (word,)) for text in texts]


def test_problem_says_where_the_description_is() -> None:
    (found,) = unmatchable({"method": "PATCH"}, OPERATIONS, ("faults", 2))
    assert (found.field, found.path) == ("faults.2.method", ("faults", 2, "method"))
