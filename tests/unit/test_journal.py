from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.errors import Problem
from lago_mock.journal import Entry, Journal, redacted
from lago_mock.wire import JSON

NOON = datetime(2026, 11, 22, 12, 0, 0, 417999, UTC)


def entry(entry_id: str = "1", **rest: Any) -> Entry:
    rest = {"headers": []} | rest
    return Entry(entry_id, NOON, "POST", "/api/v1/customers", "page=1", **rest)


def test_open_entry_is_shown_with_what_came() -> None:
    assert list(entry(headers=[(b"accept", b"*/*")]).shown().items()) == [
        ("id", "1"),
        ("time", "2026-11-22T12:00:00.417Z"),
        ("organization", None),
        ("operation", None),
        ("method", "POST"),
        ("path", "/api/v1/customers"),
        ("query", "page=1"),
        ("headers", {"accept": "*/*"}),
        ("body", None),
        ("body_base64", None),
        ("status", None),
        ("answer", None),
        ("duration_ms", None),
        ("fault", None),
        ("reasons", []),
        ("unknown", []),
        ("hint", None),
    ]


def test_completed_entry_is_shown_with_what_became_of_it() -> None:
    shown = entry(
        organization_id="org",
        operation_id="createCustomer",
        root="customer",
        body=b'{"customer": {"a/b": 1}}',
        status=422,
        answer=b'{"status": 422}',
        duration_ms=1.25,
        fault_id="7",
        problems=(Problem("flat", "bad", "enum", ("a/b",)),),
        unknown=("/customer/color",),
        hint="try this",
    ).shown()
    assert (shown["organization"], shown["operation"]) == ("org", "createCustomer")
    assert (shown["body"], shown["body_base64"]) == ({"customer": {"a/b": 1}}, None)
    assert (shown["status"], shown["answer"]) == (422, {"status": 422})
    assert (shown["duration_ms"], shown["fault"], shown["hint"]) == (1.25, "7", "try this")
    assert shown["unknown"] == ["/customer/color"]
    assert shown["reasons"] == [
        {"pointer": "/customer/a~1b", "keyword": "enum", "field": "flat", "code": "bad"}
    ]


@pytest.mark.parametrize(
    ("body", "as_json", "as_base64"),
    [
        pytest.param(b"", None, None, id="none"),
        pytest.param(b"null", None, None, id="null"),
        pytest.param(b'{"a": [1]}', {"a": [1]}, None, id="JSON"),
        pytest.param(b"hello", None, "aGVsbG8=", id="no JSON"),
        pytest.param(b"\xff", None, "/w==", id="no text"),
        pytest.param(
            b'"' + b"a" * 65534 + b'"',
            "a" * 65534,
            None,
            id="largest",
        ),
        pytest.param(
            b'"' + b"a" * 65536 + b'"',
            None,
            base64.b64encode(b'"' + b"a" * 65535).decode(),
            id="too large, cut",
        ),
    ],
)
def test_body_is_shown_as_json_or_else_in_base64(
    body: bytes, as_json: JSON, as_base64: str | None
) -> None:
    shown = entry(body=body).shown()
    assert (shown["body"], shown["body_base64"]) == (as_json, as_base64)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        pytest.param(b"", None, id="none"),
        pytest.param(b'{"a": 1}', {"a": 1}, id="JSON"),
        pytest.param(b"<html>\xff", "<html>\ufffd", id="no JSON"),
    ],
)
def test_answer_is_shown_as_json_or_else_as_text(answer: bytes, shown: JSON) -> None:
    assert entry(answer=answer).shown()["answer"] == shown


# Headers


def test_header_that_comes_twice_is_joined() -> None:
    headers = [(b"accept", b"a"), (b"x-name", b"J\xfcrgen"), (b"accept", b"b")]
    assert entry(headers=headers).shown()["headers"] == {"accept": "a, b", "x-name": "Jürgen"}


@pytest.mark.parametrize("name", ["authorization", "proxy-authorization", "cookie"])
def test_secret_headers_are_shown_without_their_secret(name: str) -> None:
    headers = [(name.encode(), b"Bearer lago-mock-key"), (name.encode(), b"short")]
    assert entry(headers=headers).shown()["headers"] == {name: "Bearer …-key, …"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("Bearer 123456789", "Bearer …6789", id="scheme and secret"),
        pytest.param("basic  123456789", "basic …6789", id="any case, two spaces"),
        pytest.param("Token 123456789", "Token …6789", id="third scheme"),
        pytest.param("Bearer 12345678", "Bearer …", id="short secret"),
        pytest.param("Bearer", "Bearer …", id="scheme alone"),
        pytest.param("Bearer top-secret 123456789", "Bearer …", id="three words"),
        pytest.param("top-secret", "…", id="secret alone"),
        pytest.param("top-secret 123456789", "…", id="no scheme"),
        pytest.param("session=top-secret; theme=midnight", "…", id="cookies"),
        pytest.param(" ", "…", id="blank"),
        pytest.param("", "…", id="nothing"),
    ],
)
def test_no_more_of_a_secret_is_left_than_four_characters(value: str, shown: str) -> None:
    assert redacted(value) == shown


# Reasons


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"refusal": "no JSON"}, "no JSON", id="refusal"),
        pytest.param(
            {
                "root": "tax",
                "problems": (Problem("a", "x", "enum", ("a",)), Problem("b", "y", "type", ("b",))),
                "refusal": "not shown",
            },
            "/tax/a enum; /tax/b type",
            id="problems",
        ),
    ],
)
def test_reason_is_told_in_a_line(rest: dict[str, Any], reason: str) -> None:
    assert entry(**rest).reason() == reason


# The journal


def test_journal_keeps_the_last_entries_the_oldest_first() -> None:
    journal = Journal(2)
    for each in "123":
        journal.add(entry(each))
    assert [each.id for each in journal] == ["2", "3"]
    journal.clear()
    assert list(journal) == []


def test_journal_of_size_zero_keeps_nothing() -> None:
    journal = Journal(0)
    journal.add(entry())
    assert list(journal) == []


def test_journals_number_their_entries_alone_or_together() -> None:
    alone = Journal(1)
    together = Journal(1, alone.numbers)
    assert [next(alone.numbers), next(together.numbers), next(Journal(1).numbers)] == [1, 2, 1]
