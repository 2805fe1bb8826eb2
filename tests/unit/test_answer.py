from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from lago_mock.answer import (
    EXTENSION,
    Answer,
    Headers,
    bare,
    failure,
    headers_in,
    html,
    lines_of,
    made_up,
    plain_text,
    printable,
    success,
    text_header,
)
from lago_mock.version import __version__
from lago_mock.wire import JSON

SECURITY = {
    "x-frame-options": "SAMEORIGIN",
    "x-xss-protection": "0",
    "x-content-type-options": "nosniff",
    "x-permitted-cross-domain-policies": "none",
    "referrer-policy": "strict-origin-when-cross-origin",
}
JSON_TYPE = {"content-type": "application/json; charset=utf-8"}
NO_CACHE = {"cache-control": "no-cache"}
REVALIDATE = {"cache-control": "max-age=0, private, must-revalidate"}


def texts(headers: Headers) -> dict[str, str]:
    found = {name.decode(): value.decode("latin-1") for name, value in headers}
    assert len(found) == len(headers), "a header stands twice"
    return found


def etag_of(answer: Answer) -> str:
    return texts(headers_in(answer.head))["etag"]


# Kinds of answers


def test_success_is_json_that_can_be_asked_for_again() -> None:
    answer = success({"tax": {"name": "Évora & Co", "rate": 20.0}})

    assert (answer.status, answer.body) == (
        200,
        '{"tax":{"name":"Évora \\u0026 Co","rate":20.0}}'.encode(),
    )
    headers = texts(headers_in(answer.head))
    assert headers == {**JSON_TYPE, **SECURITY, **REVALIDATE, "etag": headers["etag"]}


def test_equal_bodies_have_equal_tags_and_others_have_others() -> None:
    one, same, other = (etag_of(success({"a": n})) for n in (1, 1, 2))

    assert one == same != other
    assert one.startswith('W/"')
    assert (one[-1], len(one)) == ('"', 36)


@pytest.mark.parametrize("known", ["{}", '"x", {}', '{}, W/"y"'], ids=["alone", "second", "first"])
def test_who_has_just_that_is_told_so_without_a_body(known: str) -> None:
    full = success({"a": 1})

    answer = success({"a": 1}, known.format(etag_of(full)))

    assert (answer.status, answer.body) == (304, b"")
    assert texts(headers_in(answer.head)) == {**SECURITY, **REVALIDATE, "etag": etag_of(full)}


@pytest.mark.parametrize("known", ["", '"x"', 'W/"0"', "*"])
def test_who_has_something_else_gets_the_body(known: str) -> None:
    assert success({"a": 1}, known) == success({"a": 1})


def test_failure_is_json_with_the_status_of_its_body() -> None:
    answer = failure({"status": 404, "error": "Not Found", "code": "tax_not_found"})

    assert answer.status == 404
    assert answer.body == b'{"status":404,"error":"Not Found","code":"tax_not_found"}'
    assert texts(headers_in(answer.head)) == {**JSON_TYPE, **SECURITY, **NO_CACHE}


def test_plain_text_is_no_json_and_can_be_kept() -> None:
    answer = plain_text("zwölf\n")

    assert (answer.status, answer.body) == (200, "zwölf\n".encode())
    headers = texts(headers_in(answer.head))
    etag = headers.pop("etag")
    kept = {"cache-control": "max-age=0, private, must-revalidate"}
    assert headers == {"content-type": "text/plain; charset=utf-8", **SECURITY, **kept}
    assert plain_text("zwölf\n", etag).status == 304


@pytest.mark.parametrize(("given", "status"), [([], 200), ([404], 404)])
def test_html_is_a_page_that_nobody_keeps(given: list[int], status: int) -> None:
    answer = html("<p>ü</p>", *given)

    assert (answer.status, answer.body) == (status, "<p>ü</p>".encode())
    kind = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    assert texts(headers_in(answer.head)) == {**kind, **SECURITY}


@pytest.mark.parametrize(
    ("as_json", "body", "kind"),
    [
        pytest.param(
            True,
            b'{"status":406,"error":"Not Acceptable"}',
            "application/json; charset=UTF-8",
            id="JSON",
        ),
        pytest.param(False, b"", "text/html; charset=UTF-8", id="nothing"),
    ],
)
def test_a_bare_answer_has_few_headers(as_json: bool, body: bytes, kind: str) -> None:
    answer = bare(406, "Not Acceptable", as_json=as_json)

    assert (answer.status, answer.body) == (406, body)
    assert texts(headers_in(answer.head)) == {"content-type": kind}


@pytest.mark.parametrize(
    ("body", "data"),
    [
        pytest.param("<oops>ü", "<oops>ü".encode(), id="text as it is"),
        pytest.param("", b"", id="empty text"),
        pytest.param({"a": "<"}, b'{"a":"\\u003c"}', id="object"),
        pytest.param([1], b"[1]", id="list"),
        pytest.param(None, b"null", id="null"),
        pytest.param(False, b"false", id="false"),
    ],
)
def test_what_is_made_up_is_text_or_json(body: JSON, data: bytes) -> None:
    answer = made_up(503, {}, body)

    assert (answer.status, answer.body) == (503, data)
    assert texts(headers_in(answer.head)) == {**JSON_TYPE, **SECURITY, **NO_CACHE}


def test_what_is_made_up_has_its_own_headers_before_the_usual_ones() -> None:
    own = {"Content-Type": "text/html", "Retry-After": "5", "X-Note": "Zoë"}

    headers = texts(headers_in(made_up(503, own, "").head))

    given = {name.lower(): value for name, value in own.items()}
    assert headers == {**SECURITY, **NO_CACHE, **given}


def test_further_headers_come_last_and_make_another_answer() -> None:
    answer = Answer(200, b"{}", b"x-own: 1\r\n")

    assert answer.with_headers([(b"x-note", b"a: b"), (b"x-none", b"")]) == Answer(
        200, b"{}", b"x-own: 1\r\nx-note: a: b\r\nx-none: \r\n"
    )
    assert answer.head == b"x-own: 1\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([(b"a", b"1"), (b"a", b"2")], id="one name twice"),
        pytest.param([(b"a", b""), (b"b", b"x: y")], id="empty, and with a colon"),
    ],
)
def test_lines_of_a_head_hold_its_headers(headers: Headers) -> None:
    assert headers_in(lines_of(headers)) == headers


# Sending


def sent(answer: Answer, method: str = "GET", **scope: Any) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    whole = {"type": "http", "method": method, **scope}
    asyncio.run(answer.send(whole, send, "trace-é", 0.0123456))
    return messages


class Connection:
    """The extension of our own server, which takes a whole answer at once."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, bytes]] = []

    def answer(self, status: int, head: bytes, body: bytes) -> None:
        self.answers.append((status, head, body))


ALWAYS = {
    "vary": "Origin",
    "x-lago-mock": __version__,
    "x-request-id": "trace-é",
    "x-runtime": "0.012346",
}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_answer_is_sent_with_what_all_answers_carry(method: str) -> None:
    start, body = sent(Answer(422, b"{}", b"x-own: 1\r\n"), method)

    assert (start["type"], start["status"]) == ("http.response.start", 422)
    assert texts(start["headers"]) == {"x-own": "1", **ALWAYS, "content-length": "2"}
    assert body == {"type": "http.response.body", "body": b"{}"}


def test_a_head_request_gets_the_length_and_no_body() -> None:
    start, body = sent(Answer(200, b"{}"), "HEAD")

    assert texts(start["headers"]) == {**ALWAYS, "content-length": "2"}
    assert body == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_content_has_neither_length_nor_body(
    status: int, method: str
) -> None:
    start, body = sent(Answer(status, b"made up"), method)

    assert texts(start["headers"]) == ALWAYS
    assert body == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(
    ("answer", "method"),
    [
        pytest.param(Answer(200, b"{}", b"x-own: 1\r\n"), "GET", id="body"),
        pytest.param(Answer(200, b"{}"), "HEAD", id="head"),
        pytest.param(Answer(304, b""), "GET", id="no content"),
    ],
)
def test_our_own_server_is_given_the_same_at_once(answer: Answer, method: str) -> None:
    connection = Connection()
    start, body = sent(answer, method, extensions={})

    assert sent(answer, method, extensions={EXTENSION: connection}) == []

    assert connection.answers == [(start["status"], lines_of(start["headers"]), body["body"])]


def test_sending_leaves_the_answer_as_it_was() -> None:
    answer = Answer(200, b"{}", b"x-own: 1\r\n")

    assert sent(answer) == sent(answer)
    assert answer.head == b"x-own: 1\r\n"


def test_what_cannot_be_printed_is_written_as_an_escape() -> None:
    assert printable("a\x1b[2Jé\u2028") == r"a\u001b[2Jé\u2028"


def test_a_header_of_text_is_ascii_in_one_line_and_not_endless() -> None:
    name, value = text_header(b"x-why", "é\n" + 600 * "a")
    assert (name, value[:10], len(value)) == (b"x-why", rb"\xe9\u000a", 512)
