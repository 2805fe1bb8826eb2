"""What is wrong with an admin call: where it stands, and what could stand there instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lago_mock.contract.fields import Field, problem_of
from lago_mock.contract.operation import Judged, Operation
from lago_mock.contract.validators import Violation
from lago_mock.errors import Problem
from lago_mock.likeness import closest, did_you_mean, did_you_mean_one_of
from lago_mock.wire import JSON, JSONObject


def judged(operation: Operation, body: JSON) -> Judged:
    """Return a body with what the document has against it; a field is a whole path, with dots."""
    if body and operation.fields is None:
        return Judged({}, problems=(Problem("base", "no body is taken", "body"),))
    return operation.judge(body, _worded)


def _worded(fields: Field, violation: Violation) -> Iterator[Problem]:
    if violation.keyword == "enum" and not isinstance(violation.instance, str):
        return  # that it is no text is said
    known = fields.at(violation.path).properties
    for each in problem_of(fields, violation):
        place = ".".join(map(str, each.path)) or each.field
        yield replace(each, field=place, code=f"{each.code}{_advice(each, violation, known)}")


def _advice(problem: Problem, violation: Violation, known: Iterable[str]) -> str:
    """Return what could stand there, as the end of a sentence; empty where the code says it."""
    keyword, expected = violation.keyword, violation.expected
    if keyword == "additionalProperties":
        return did_you_mean(closest(problem.field, known))
    if keyword == "enum":
        choices = [each for each in expected if each is not None]
        return did_you_mean_one_of(str(violation.instance), choices)
    if keyword == "type" and problem.code == "value_is_invalid":
        types = [expected] if isinstance(expected, str) else expected
        return f"; {' or '.join(types)} is needed"
    if keyword == "format" and expected == "date-time":
        return "; a time such as 2027-01-31T23:59:00Z is needed"
    word = {"minimum": "least", "maximum": "most"}.get(keyword)
    return f"; {expected} is the {word}" if word else ""


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
            advice = did_you_mean_one_of(value, known[name].choices)
            yield Problem(name, f"value_is_invalid{advice}", "enum", (name,))
