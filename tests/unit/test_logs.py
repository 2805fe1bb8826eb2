from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.errors import Problem
from lago_mock.journal import Entry
from lago_mock.logs import JsonFormatter, Served, log_to_stderr, shown

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def entry(**changes: Any) -> Entry:
    told = {"method": "GET", "path": "/api/v1/taxes", "query": "api_key=s3cret", "headers": []}
    return Entry("1", datetime(2020, 1, 1, tzinfo=UTC), **{**told, **changes})


def served(status: int | None = 200, **changes: Any) -> Served:
    return Served(entry(**changes), status, 0.0012345, "c0ffee")


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        pytest.param(
            served(operation_id="findAllTaxes"),
            "GET /api/v1/taxes 200 findAllTaxes 1.2 ms",
            id="answered",
        ),
        pytest.param(served(None), "GET /api/v1/taxes - - 1.2 ms", id="client gone"),
        pytest.param(
            served(404, refusal="resource_not_found", hint="this path takes GET"),
            "GET /api/v1/taxes 404 - 1.2 ms: resource_not_found; this path takes GET",
            id="refused",
        ),
        pytest.param(
            served(502, fault_id="f1", refusal="bad_gateway"),
            "GET /api/v1/taxes 502 - 1.2 ms: fault f1; bad_gateway",
            id="fault",
        ),
        pytest.param(served(path="/a\nGET /b"), r"GET /a\u000aGET /b 200 - 1.2 ms", id="line feed"),
    ],
)
def test_a_request_is_a_line_of_text(request_: Served, line: str) -> None:
    assert str(request_) == line


def test_a_request_is_an_object_of_what_the_journal_has_of_it() -> None:
    problem = Problem("currency", "value_is_invalid", "enum", ("currency",))
    request = served(
        422,
        method="POST",
        operation_id="createCustomer",
        organization_id="o1",
        root="customer",
        problems=(problem,),
        refusal="validation_errors",
        hint="a hint",
        fault_id="f1",
    )

    assert request.fields() == {
        "message": "POST /api/v1/taxes 422",
        "method": "POST",
        "path": "/api/v1/taxes",
        "status": 422,
        "operation": "createCustomer",
        "duration_ms": 1.234,
        "organization": "o1",
        "fault": "f1",
        "reasons": ["/customer/currency enum"],
        "hint": "a hint",
        "request_id": "c0ffee",
    }


@pytest.mark.parametrize(
    ("request_", "reasons"),
    [
        pytest.param(served(), [], id="none"),
        pytest.param(served(401, refusal="Unauthorized"), ["Unauthorized"], id="refusal"),
    ],
)
def test_the_reasons_of_a_request_without_problems(request_: Served, reasons: list[str]) -> None:
    assert request_.fields()["reasons"] == reasons


def test_a_request_without_an_answer_has_no_status() -> None:
    told = served(None).fields()

    assert (told["status"], told["message"]) == (None, "GET /api/v1/taxes -")


def record(message: object, *arguments: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord(
        "lago_mock", logging.WARNING, __file__, 1, message, arguments, exc_info
    )


def test_any_record_is_an_object_in_one_line() -> None:
    line = JsonFormatter().format(record("%s:\nleft out", "state.json"))

    told = json.loads(line)
    assert "\n" not in line
    assert re.fullmatch(MOMENT, told.pop("time"))
    assert told == {"level": "warning", "message": "state.json:\nleft out"}


def test_a_traceback_stands_in_the_object() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        line = JsonFormatter().format(record("a bug", exc_info=sys.exc_info()))

    assert json.loads(line)["message"] == "a bug"
    assert json.loads(line)["exception"].endswith("ValueError: broken")


@contextmanager
def logging_to_stderr(level: str, form: str) -> Iterator[io.StringIO]:
    """Set the log up as a process does that has none; the loggers are as they were at the end."""
    root, ours = logging.getLogger(), logging.getLogger("lago_mock")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    root.handlers.clear()
    try:
        with redirect_stderr(io.StringIO()) as written:
            log_to_stderr(level, form)
            yield written
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])


def test_the_log_is_text() -> None:
    with logging_to_stderr("info", "text") as stderr:
        logging.getLogger("lago_mock.requests").info(served())
        logging.getLogger("another").info("of no interest")

    assert stderr.getvalue() == "GET /api/v1/taxes 200 - 1.2 ms\n"


def test_the_log_is_json() -> None:
    with logging_to_stderr("info", "json") as stderr:
        logging.getLogger("lago_mock.requests").info(served())
        logging.getLogger("another").warning("of some %s", "interest")

    request, warning = map(json.loads, stderr.getvalue().splitlines())
    assert (request["level"], request["path"]) == ("info", "/api/v1/taxes")
    assert "s3cret" not in stderr.getvalue()
    assert (warning["level"], warning["message"]) == ("warning", "of some interest")


def test_a_start_line_is_text_as_it_is() -> None:
    assert shown("Ready.", "text") == "Ready."


def test_a_start_line_is_json_with_the_machines_time() -> None:
    told = json.loads(shown("Ready.", "json"))

    assert re.fullmatch(MOMENT, told.pop("time"))
    assert told == {"level": "info", "message": "Ready."}
