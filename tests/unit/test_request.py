from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message

from lago_mock.request import (
    ClientGone,
    Interrupted,
    Limits,
    NotAcceptable,
    Request,
    TooLarge,
    disconnected,
)
from lago_mock.wire import JSON, JSONObject, Unparsable

LIMITS = Limits(body=10, headers=20, query=8)
JSON_TYPE = "application/json"
FORM = "application/x-www-form-urlencoded"


def request(
    method: str = "POST",
    path: str = "/customers",
    *,
    query: bytes = b"",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    **scope: Any,
) -> Request:
    """Return a request whose body was read; header names are written with `_` for `-`."""
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in (headers or {}).items()
    ]
    usual = {"method": method, "path": path, "query_string": query, "headers": pairs}
    made = Request({"type": "http", "scheme": "http", **usual, **scope})
    made.body = body
    return made


# The head


def test_a_request_is_read_off_its_scope() -> None:
    made = request("DELETE", "/a", headers={"host": "mock.test:8080", "x_note": "Zoë"})

    assert (made.method, made.raw_path, made.base_url) == ("DELETE", "/a", "http://mock.test:8080")
    assert (made.header(b"x-note"), made.header(b"x-other")) == ("Zoë", "")
    assert (made.body, made.in_body) == (b"", {})


def test_the_base_url_has_the_scheme_of_the_client() -> None:
    assert request(scheme="https", headers={"host": "mock.test"}).base_url == "https://mock.test"


@pytest.mark.parametrize(
    ("scope", "raw", "plain", "decoded"),
    [
        pytest.param({}, "/customers", "/customers", "/customers", id="of the decoded path"),
        pytest.param({"raw_path": None}, "/customers", "/customers", "/customers", id="none"),
        pytest.param({"raw_path": b"/a/b"}, "/a/b", "/a/b", "/a/b", id="plain"),
        pytest.param({"raw_path": b"/a?b=c?d"}, "/a", "/a", "/a", id="with a query"),
        pytest.param({"raw_path": b"//a///b/"}, "//a///b/", "/a/b/", "//a///b/", id="slashes"),
        pytest.param(
            {"raw_path": b"/a%2Fb%20c"}, "/a%2Fb%20c", "/a%2Fb%20c", "/a/b c", id="escapes"
        ),
        pytest.param({"raw_path": b"/%C3%A9"}, "/%C3%A9", "/%C3%A9", "/é", id="escaped letter"),
        pytest.param({"raw_path": "/é".encode()}, "/é", "/é", "/é", id="bare letter"),
        pytest.param({"raw_path": b"/%FF%ZZ"}, "/%FF%ZZ", "/%FF%ZZ", "/�%ZZ", id="broken escapes"),
        pytest.param({"raw_path": b"/\xff"}, "/\udcff", "/\udcff", "/�", id="no UTF-8"),
    ],
)
def test_the_path_is_known_as_it_was_sent_and_as_people_read_it(
    scope: dict[str, Any], raw: str, plain: str, decoded: str
) -> None:
    made = request(**scope)

    assert (made.raw_path, made.plain_path, made.decoded_path) == (raw, plain, decoded)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        pytest.param("Bearer abc", "abc", id="bearer"),
        pytest.param("x abc", "abc", id="any word"),
        pytest.param(" Bearer\t  abc  def", "abc", id="space and a third word"),
        pytest.param("Bearer clé", "clé", id="beyond ASCII"),
        pytest.param("abc", None, id="one word"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_key_is_the_second_word_of_the_header(value: str, key: str | None) -> None:
    assert request(headers={"authorization": value}).api_key == key


def test_without_the_header_there_is_no_key() -> None:
    assert request().api_key is None


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/json", True),
        ("Application/JSON ; q=0.5, text/html", True),
        ("application/json, text/plain", True),
        ("application/json, */*", False),
        ("text/html, application/json", False),
        ("application/jsonp", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_json_is_wanted_where_it_is_named_first(accept: str, wanted: bool) -> None:
    assert request(headers={"accept": accept}).wants_json() is wanted


# Limits


def test_a_head_at_its_limits_passes() -> None:
    request(query=b"a" * 8, headers={"a": "1" * 9, "b": "2" * 9}).check_head(LIMITS)


@pytest.mark.parametrize(
    ("made", "status", "text"),
    [
        pytest.param(
            request(headers={"a": "1" * 9, "b": "2" * 10}),
            431,
            "the head of the request is over the limit of 20 bytes",
            id="headers",
        ),
        pytest.param(
            request(query=b"a" * 9), 414, "the query is over the limit of 8 bytes", id="query"
        ),
    ],
)
def test_a_head_over_a_limit_is_too_large(made: Request, status: int, text: str) -> None:
    with pytest.raises(TooLarge) as caught:
        made.check_head(LIMITS)

    assert (caught.value.status, str(caught.value)) == (status, text)


def test_each_of_several_headers_of_one_name_counts() -> None:
    with pytest.raises(TooLarge):
        Request({**request().scope, "headers": [(b"a", b"1" * 10)] * 2}).check_head(LIMITS)


# The body


@pytest.mark.parametrize(
    ("made", "may_have"),
    [
        pytest.param(request(), False, id="nothing said"),
        pytest.param(request(headers={"content_length": "0"}), True, id="length"),
        pytest.param(request(headers={"transfer_encoding": "chunked"}), True, id="chunks"),
        pytest.param(request(http_version="1.1"), False, id="HTTP/1.1"),
        pytest.param(request(http_version="2"), True, id="HTTP/2, which need not say"),
    ],
)
def test_a_body_is_waited_for_where_one_may_follow(made: Request, may_have: bool) -> None:
    assert made.may_have_body is may_have


def part(data: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


def read(*messages: Message, **headers: str) -> tuple[bytes, int]:
    """Read a body; return it with the number of messages that were left."""
    waiting: Iterator[Message] = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    async def fetch() -> None:
        await made.read_body(receive, LIMITS, asyncio.Event())

    made = request(headers=headers)
    asyncio.run(fetch())
    return made.body, len(list(waiting))


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        pytest.param([part(b"")], b"", id="none"),
        pytest.param([{"type": "http.request"}], b"", id="nothing said of it"),
        pytest.param([part(b"0123456789")], b"0123456789", id="at the limit"),
        pytest.param(
            [part(b"01", more=True), part(b"", more=True), part(b"23456789")],
            b"0123456789",
            id="in parts",
        ),
    ],
)
def test_the_body_is_read_to_its_end(messages: list[Message], body: bytes) -> None:
    assert read(*messages, GONE) == (body, 1)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([part(b"0123456789a")], id="at once"),
        pytest.param([part(b"01234", more=True), part(b"56789a", more=True)], id="in parts"),
    ],
)
def test_a_body_over_the_limit_is_too_large(messages: list[Message]) -> None:
    with pytest.raises(TooLarge) as caught:
        read(*messages)

    text = "the body is over the limit of 10 bytes"
    assert (caught.value.status, str(caught.value)) == (413, text)


def test_a_body_that_says_to_be_too_large_is_not_fetched() -> None:
    with pytest.raises(TooLarge) as caught:
        read(content_length="11")

    assert caught.value.status == 413


@pytest.mark.parametrize("length", ["10", "", "-1", "ten"])
def test_a_length_that_says_nothing_else_is_left_to_the_body(length: str) -> None:
    assert read(part(b"0"), content_length=length) == (b"0", 0)


@pytest.mark.parametrize("messages", [[GONE], [part(b"01", more=True), GONE]])
def test_a_client_that_goes_before_the_end_is_gone(messages: list[Message]) -> None:
    with pytest.raises(ClientGone):
        read(*messages)


def read_while_it_ends(*messages: Message, ended_first: bool) -> bytes:
    """Read a body whose rest never comes, while the server ends."""
    waiting: Iterator[Message] = iter(messages)
    made = request()

    async def receive() -> Message:
        message = next(waiting, None)
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    async def fetch() -> None:
        ended = asyncio.Event()
        if ended_first:
            ended.set()
        reading = asyncio.ensure_future(made.read_body(receive, LIMITS, ended))
        for _ in range(10):
            await asyncio.sleep(0)
        ended.set()
        await reading

    asyncio.run(fetch())
    return made.body


@pytest.mark.parametrize("parts", [1, 2])
def test_an_end_interrupts_the_wait_for_the_rest_of_a_body(parts: int) -> None:
    with pytest.raises(Interrupted):
        read_while_it_ends(*[part(b"01", more=True)] * parts, ended_first=False)


@pytest.mark.parametrize("ended_first", [False, True])
def test_an_end_leaves_a_body_that_is_there(ended_first: bool) -> None:
    assert read_while_it_ends(part(b"0123"), ended_first=ended_first) == b"0123"


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_client_has_gone_when_it_says_so_whatever_else_it_sends(parts: int) -> None:
    left = [{"type": "http.disconnect"}, *[part(b"late", more=True)] * parts]

    async def receive() -> Message:
        return left.pop()

    asyncio.run(disconnected(receive))
    assert left == []


# Parameters


@pytest.mark.parametrize(
    ("content_type", "body", "given"),
    [
        pytest.param(
            JSON_TYPE, b'{"a": [1, null, "x"], "b": null}', {"a": [1, "x"], "b": None}, id="JSON"
        ),
        pytest.param(
            "Application/JSON; charset=utf-8", b'{"a": 1}', {"a": 1}, id="JSON with a set"
        ),
        pytest.param("application/problem+json", b'{"a": 1}', {"a": 1}, id="problem"),
        pytest.param("text/x-json", b'{"a": 1}', {"a": 1}, id="old JSON"),
        pytest.param("application/jsonrequest", b'{"a": 1}', {"a": 1}, id="JSON request"),
        pytest.param(JSON_TYPE, b"[1]", {}, id="a list"),
        pytest.param(JSON_TYPE, b"null", {}, id="null"),
        pytest.param(FORM, b"a[b]=1&c=%C3%A9", {"a": {"b": "1"}, "c": "é"}, id="form"),
        pytest.param(
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
            {"a": "1"},
            id="multipart",
        ),
        pytest.param("text/plain", b'{"a": 1}', {}, id="another type"),
        pytest.param("application/vnd.api+json", b'{"a": 1}', {}, id="another JSON"),
        pytest.param("*/*", b'{"a": 1}', {}, id="any type"),
        pytest.param("", b'{"a": 1}', {}, id="no type"),
    ],
)
def test_the_body_is_read_by_its_type(content_type: str, body: bytes, given: JSON) -> None:
    made = request(body=body, headers={"content_type": content_type})

    assert made.parameters() == given
    assert made.in_body == given


@pytest.mark.parametrize("content_type", ["", JSON_TYPE, FORM, "multipart/form-data"])
def test_no_body_has_no_parameters_whatever_its_type(content_type: str) -> None:
    made = request(query=b"page=2", headers={"content_type": content_type})

    assert (made.parameters(), made.in_body) == ({"page": "2"}, {})


def test_the_query_goes_before_the_body() -> None:
    made = request(
        query=b"a=1&c[]=2", body=b'{"a": {"b": 5}, "d": 6}', headers={"content_type": JSON_TYPE}
    )

    assert made.parameters() == {"a": "1", "d": 6, "c": ["2"]}
    assert made.in_body == {"a": {"b": 5}, "d": 6}


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        pytest.param({"body": b"{"}, {"content_type": JSON_TYPE}, id="JSON"),
        pytest.param({"body": b"a=%ZZ"}, {"content_type": FORM}, id="form"),
        pytest.param({"body": b"--x"}, {"content_type": "multipart/form-data"}, id="multipart"),
        pytest.param({"query": b"a=%FF"}, {}, id="query"),
    ],
)
def test_what_cannot_be_parsed_is_told(given: JSONObject, headers: dict[str, str]) -> None:
    with pytest.raises(Unparsable):
        request(**given, headers=headers).parameters()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"content_type": "garbage"}, id="type"),
        pytest.param({"content_type": f"{JSON_TYPE}, {JSON_TYPE}"}, id="two types"),
        pytest.param({"accept": "garbage"}, id="wish"),
        pytest.param({"accept": f"{JSON_TYPE}, garbage"}, id="second wish"),
    ],
)
def test_a_media_type_that_is_none_is_not_acceptable(headers: dict[str, str]) -> None:
    with pytest.raises(NotAcceptable):
        request(body=b"{", query=b"%ZZ", headers=headers).parameters()


@pytest.mark.parametrize(
    "accept", ["", "*/*", JSON_TYPE, "text/html;q=0.9 , application/json;v=1", "x/y"]
)
def test_every_media_type_can_be_wished_for(accept: str) -> None:
    assert request(query=b"a=1", headers={"accept": accept}).parameters() == {"a": "1"}
