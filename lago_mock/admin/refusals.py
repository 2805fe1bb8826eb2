"""What is wrong with an admin call: where it stands, and what could stand there instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from lago_mock.contract.fields import problem_of
from lago_mock.contract.operation import Operation
from lago_mock.contract.validators import Violation
from lago_mock.errors import Problem
from lago_mock.likeness import closest, did_you_mean
from lago_mock.wire import JSON, JSONObject


def body_problems(operation: Operation, body: JSON) -> Iterator[Problem]:
    """Yield what the document has against a body; the field is the whole path, with dots."""
    if operation.fields is None or operation.request is None:
        if body:
            yield Problem("base", "no body is taken", "body")
        return
    for violation in operation.request.violations(body):
        if violation.keyword == "enum" and not isinstance(violation.instance, str):
            continue  # that it is no text is said
        known = operation.fields.at(violation.path).properties
        for each in problem_of(operation.fields, violation):
            place = ".".join(map(str, each.path)) or each.field
            yield replace(each, field=place, code=f"{each.code}{_advice(each, violation, known)}")


def _advice(problem: Problem, violation: Violation, known: Iterable[str]) -> str:
    """Return what could stand there, as the end of a sentence; empty where the code says it."""
    keyword, expected = violation.keyword, violation.expected
    if keyword == "additionalProperties":
        return did_you_mean(closest(problem.field, known))
    if keyword == "enum":
        return _choice(str(violation.instance), [each for each in expected if each is not None])
    if keyword == "type" and problem.code == "value_is_invalid":
        types = [expected] if isinstance(expected, str) else expected
        return f"; {' or '.join(types)} is needed"
    if keyword == "format" and expected == "date-time":
        return "; a time such as 2027-01-31T23:59:00Z is needed"
    word = {"minimum": "least", "maximum": "most"}.get(keyword)
    return f"; {expected} is the {word}" if word else ""


def _choice(given: str, choices: Collection[str]) -> str:
    return did_you_mean(closest(given, choices)) or f"; there are {', '.join(choices)}"


def query_problems(operation: Operation, query: JSONObject) -> Iterator[Problem]:
    """Yield the parameters that the operation does not have, and the values that its cannot."""
    known = {parameter.name: parameter for parameter in operation.query}
    for name, value in query.items():
        if name not in known:
            advice = did_you_mean(closest(name, known))
            yield Problem(name, f"unknown_parameter{advice}", "parameter", (name,))
        elif not isinstance(value, str):
            yield Problem(name, "value_is_invalid; string is needed", "type", (name,))
        elif known[name].choices and value not in known[name].choices:
            advice = _choice(value, known[name].choices)
            yield Problem(name, f"value_is_invalid{advice}", "enum", (name,))
