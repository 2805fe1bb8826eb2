from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.errors import Problem
from lago_mock.feed import Lost, Reader
from lago_mock.journal import MAX_BODY_BYTES, Archive, Budget, Entry, Journal
from lago_mock.matching import Sent
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
        ("matched", False),
        ("method", "POST"),
        ("path", "/api/v1/customers"),
        ("query", "page=1"),
        ("headers", {"accept": "*/*"}),
        ("body", None),
        ("body_base64", None),
        ("body_truncated", False),
        ("status", None),
        ("answer", None),
        ("answer_truncated", False),
        ("duration_ms", None),
        ("fault", None),
        ("refusal", None),
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
        refusal="validation_errors",
    ).shown()
    assert (shown["organization"], shown["operation"]) == ("org", "createCustomer")
    assert (shown["body"], shown["body_base64"]) == ({"customer": {"a/b": 1}}, None)
    assert (shown["status"], shown["answer"]) == (422, {"status": 422})
    assert (shown["duration_ms"], shown["fault"], shown["hint"]) == (1.25, "7", "try this")
    assert (shown["matched"], shown["refusal"]) == (True, "validation_errors")
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
    assert shown["body_truncated"] is (len(body) > 65536)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        pytest.param(b"", None, id="none"),
        pytest.param(b'{"a": 1}', {"a": 1}, id="JSON"),
        pytest.param(b"<html>\xff", "<html>\ufffd", id="no JSON"),
        pytest.param(b"a" * 65537, "a" * 65536, id="too large, cut"),
    ],
)
def test_answer_is_shown_as_json_or_else_as_text(answer: bytes, shown: JSON) -> None:
    found = entry(answer=answer).shown()
    assert (found["answer"], found["answer_truncated"]) == (shown, len(answer) > 65536)


# Headers


def test_header_that_comes_twice_is_joined() -> None:
    headers = [(b"accept", b"a"), (b"x-name", b"J\xfcrgen"), (b"accept", b"b")]
    assert entry(headers=headers).shown()["headers"] == {"accept": "a, b", "x-name": "Jürgen"}


@pytest.mark.parametrize(
    "name", ["authorization", "proxy-authorization", "cookie", "x-lago-mock-token"]
)
def test_secret_headers_are_shown_without_their_secret(name: str) -> None:
    headers = [(name.encode(), b"Bearer lago-mock-key"), (name.encode(), b"short")]
    assert entry(headers=headers).shown()["headers"] == {name: "Bearer …-key, …"}


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


def ids(journal: Journal) -> list[str]:
    return [each.id for each in journal]


def test_journal_keeps_the_last_entries_the_oldest_first() -> None:
    journal = Journal(2)
    for each in "123":
        journal.add(entry(each))
    assert ids(journal) == ["2", "3"]
    journal.clear()
    assert ids(journal) == []


def test_journal_of_size_zero_keeps_nothing() -> None:
    archive = Archive()
    journal, one = Journal(0, archive), entry(body=b"abc")
    journal.add(one)
    one.complete()
    assert (ids(journal), archive.budget.held) == ([], 0)


def test_journals_number_their_entries_alone_or_together() -> None:
    archive = Archive()
    alone, together = Journal(1, archive), Journal(1, archive)
    assert [next(alone.numbers), next(together.numbers), next(Journal(1).numbers)] == [1, 2, 1]


def test_entry_can_be_removed_from_its_own_journal_alone() -> None:
    journal, other = Journal(3), Journal(3)
    entries = [entry(each) for each in "123"]
    for each in entries:
        journal.add(each)
    other.remove(entries[1])
    assert ids(journal) == ["1", "2", "3"]
    journal.remove(entries[1])
    journal.remove(entries[1])
    assert ids(journal) == ["1", "3"]


def test_entries_are_counted_as_they_are_completed_in_all_journals() -> None:
    archive = Archive()
    journals = Journal(2, archive), Journal(0, archive)
    first, second, third = entry("1"), entry("2"), entry("3")
    for each, journal in zip((first, second, third), (*journals, journals[0]), strict=True):
        journal.add(each)
    first.received()
    second.complete()
    first.complete()
    assert (first.order, second.order, third.order) == (2, 1, 0)


def test_entry_of_no_journal_can_be_completed() -> None:
    alone = entry()
    alone.received()
    alone.complete()
    assert alone.order == 0


def test_entry_is_looked_at_as_it_was_sent() -> None:
    one = entry(operation_id="createTax", headers=[(b"a", b"b")], body=b"{}")
    assert one.sent() == Sent(
        "createTax", "POST", "/api/v1/customers", "page=1", [(b"a", b"b")], b"{}"
    )


# Bodies of all


def completed(journal: Journal, body: bytes = b"", answer: bytes = b"") -> Entry:
    one = entry(body=body)
    journal.add(one)
    one.answer = answer
    one.complete()
    return one


def test_oldest_bodies_of_all_journals_are_let_go_first() -> None:
    archive = Archive(budget=Budget(10))
    journals = Journal(9, archive), Journal(9, archive)
    first = completed(journals[0], b"1234", b"5")
    second = completed(journals[1], b"", b"12345")
    assert (archive.budget.held, first.body, second.answer) == (10, b"1234", b"12345")

    third = completed(journals[1], b"1")

    assert archive.budget.held == 6
    assert [each.body_bytes for each in (first, second, third)] == [0, 5, 1]
    shown = first.shown()
    assert (shown["body"], shown["body_base64"], shown["body_truncated"]) == (None, None, True)
    assert (shown["answer"], shown["answer_truncated"]) == (None, True)


def test_only_bodies_that_were_there_are_said_to_be_let_go() -> None:
    journal = Journal(9, Archive(budget=Budget(3)))
    first = completed(journal, b"", b"123")
    completed(journal, b"1")
    shown = first.shown()
    assert (shown["body_truncated"], shown["answer_truncated"]) == (False, True)


def test_bodies_of_all_entries_have_64_mib() -> None:
    archive = Archive()
    journals = [Journal(1000, archive) for _ in range(2)]
    body, answer = b"a" * MAX_BODY_BYTES, b"b" * MAX_BODY_BYTES
    entries = [completed(journals[number % 2], body, answer) for number in range(600)]

    assert archive.budget.held == 64 * 1024 * 1024
    whole = [each.body_bytes == 2 * MAX_BODY_BYTES for each in entries]
    assert whole == [False] * 88 + [True] * 512


@pytest.mark.parametrize(
    "forget",
    [
        pytest.param(lambda journal: journal.clear(), id="all"),
        pytest.param(lambda journal: journal.remove(next(iter(journal))), id="one"),
        pytest.param(lambda journal: journal.add(entry()), id="oldest"),
    ],
)
def test_what_is_forgotten_counts_no_more(forget: Callable[[Journal], None]) -> None:
    archive = Archive()
    journal = Journal(1, archive)
    completed(journal, b"123")
    assert archive.budget.held == 3
    forget(journal)
    assert archive.budget.held == 0


def test_what_was_forgotten_under_way_is_not_counted() -> None:
    archive = Archive()
    journal, one = Journal(1, archive), entry(body=b"123")
    journal.add(one)
    journal.clear()
    one.complete()
    assert (archive.budget.held, ids(journal)) == (0, [])


# Those who read


def heard(reader: Reader[Entry], count: int) -> list[Entry | Lost | None]:
    async def hear() -> list[Entry | Lost | None]:
        return [await reader.next(1) for _ in range(count)]

    return asyncio.run(hear())


@pytest.mark.parametrize("size", [0, 1, 9])
def test_readers_are_told_of_arrival_reception_and_completion(size: int) -> None:
    archive = Archive()
    journal, one = Journal(size, archive), entry()
    eager = archive.feed.join(None, arrivals=True)
    patient = archive.feed.join(None, arrivals=False)
    journal.add(one)
    one.received()
    one.complete()
    patient.close()
    assert heard(eager, 3) == [one, one, one]
    assert heard(patient, 1) == [None]


def test_completion_is_told_though_the_entry_is_forgotten() -> None:
    archive = Archive()
    journal, one = Journal(9, archive), entry()
    journal.add(one)
    journal.clear()
    reader = archive.feed.join(None, arrivals=False)
    one.complete()
    assert heard(reader, 1) == [one]
