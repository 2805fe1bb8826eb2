"""One operation of a document, compiled: what it takes, what it answers, where it is routed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from lago_mock.contract.fields import Field, Licensed, Permit, problem_of
from lago_mock.contract.usual import licences_in, usual_schema
from lago_mock.contract.validators import Validator, Violation, fitting
from lago_mock.errors import BadRequest, Problem
from lago_mock.pointers import pointer, steps_of
from lago_mock.wire import JSON, JSONObject

Worded = Callable[[Field, Violation], Iterable[Problem]]
"""Says in words what a violation is in a body with these fields."""


class Judged(NamedTuple):
    """A request body after permitting, coercion and judging.

    `value` is the root's object, or the whole body where the document has no root. The problems
    stand in no order that matters: handlers refuse by field. `unknown` are JSON pointers.
    """

    value: JSONObject
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One query parameter: `name` is without its brackets, `choices` are the values it may have.

    `shape` is `scalar`, `array` (written `name[]`) or `object` (written `name[key]`).
    """

    name: str
    shape: Literal["scalar", "array", "object"]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One entry of the document: a method and a path template, with the rules of both directions.

    `root` is the key that wraps the request's object, None when the body has none. `scopes` are
    the roles that its security names, such as `customer:write`.
    """

    id: str
    method: str
    path: str
    parameters: tuple[str, ...]
    scopes: tuple[str, ...]
    description: JSONObject = field(repr=False, hash=False, compare=False)
    root: str | None = None
    fields: Field | None = None
    request: Validator | None = None
    answers: Mapping[int, Validator] = field(default_factory=dict, hash=False)
    query: tuple[Parameter, ...] = ()

    def read(self, body: JSON, licensed: Licensed) -> Judged:
        """Return the permitted and coerced body, and what is wrong with it.

        Raises:
            BadRequest: 400, the root key is missing, or holds no object with anything in it.
        """
        if self.fields is None:
            return Judged({})
        given = body.get(self.root) if isinstance(body, dict) and self.root else body
        if self.root and not (isinstance(given, dict) and given):
            raise BadRequest(self.root)
        whole = {self.root: given} if self.root else given
        if self._is_usual(whole) and all(map(licensed, self._licences)) and self._fits(whole):
            return Judged(given if isinstance(given, dict) else {})
        spec = self.fields.properties[self.root] if self.root else self.fields
        permit = Permit(licensed)
        value = permit.object(spec, given if isinstance(given, dict) else {}, ())
        prefix = (self.root,) if self.root else ()
        unknown = tuple(pointer(*prefix, *path) for path in permit.unknown)
        violations = self._violations({self.root: value} if self.root else value)
        if not violations and not permit.problems:
            return Judged(value, (), unknown)
        empty = [violation for violation in violations if _is_empty_root(violation)]
        if self.root and empty and not permit.unlicensed:
            raise BadRequest(self.root)
        violations = [violation for violation in violations if violation not in empty]
        found = [each for one in violations for each in problem_of(self.fields, one, len(prefix))]
        return Judged(value, _in_order(spec, permit.problems, found), unknown)

    @cached_property
    def _is_usual(self) -> Callable[[JSON], bool]:
        assert self.fields is not None, "what has a body has fields"
        # Where the document lets a body be anything, a permit still takes the keys it names: none.
        return fitting(usual_schema(replace(self.fields, kind="object")))

    @cached_property
    def _licences(self) -> frozenset[str | bool]:
        assert self.fields is not None, "what has a body has fields"
        return frozenset(licences_in(self.fields))

    def _fits(self, value: JSON) -> bool:
        return self.request is None or self.request.is_valid(value)

    def strangers(self, body: JSONObject) -> list[str]:
        """Return the pointers of what is sent beside the root and is no query parameter."""
        return [pointer(name) for name in body if name not in self._named]

    @cached_property
    def _named(self) -> frozenset[str | None]:
        """The query's parameters and what may stand at the top of a body."""
        beside = self.fields.properties if self.root is None and self.fields else ()
        return frozenset((*(parameter.name for parameter in self.query), self.root, *beside))

    def to_the_letter(self, body: JSONObject, unknown: tuple[str, ...]) -> list[Problem]:
        """Return what only a strict reading has against a body and a query, by dotted name.

        `body` holds both, as they were sent; `unknown` are the pointers of keys not permitted.
        """
        problems = [
            _strict(tuple(steps_of(place)), "unknown_parameter", "parameter", beside_root=True)
            for place in self.strangers(body)
            if place not in unknown
        ]
        if self.root is None:
            return problems
        for violation in self._violations({self.root: body.get(self.root)}):
            if violation.keyword == "type":
                problems.append(_strict(violation.path[1:], "wrong_type", "type"))
        for place in unknown:
            first, *rest = steps_of(place)
            beside = first != self.root or not rest
            steps = (first, *rest) if beside else tuple(rest)
            problems.append(_strict(steps, "unknown_field", "properties", beside_root=beside))
        return problems

    def judge(self, body: JSON, worded: Worded = problem_of) -> Judged:
        """Return the body as it is, with what the document to the letter says against it."""
        if self.fields is None or self.request is None:
            return Judged({})
        violations = self.request.violations(body)
        found = [each for violation in violations for each in worded(self.fields, violation)]
        return Judged(body if isinstance(body, dict) else {}, tuple(_without_repeats(found)))

    def _violations(self, value: JSON) -> list[Violation]:
        return list(self.request.violations(value)) if self.request else []

    def example(self, status: int) -> Any:
        """Return the first example body of an answer, None when the document has none."""
        content = self._answer(status).get("content", {}).get("application/json", {})
        if "example" in content:
            return content["example"]
        named = content.get("examples", {}).values()
        return next((one["value"] for one in named if "value" in one), None)

    def first_required(self) -> str | None:
        """Return the field that a body cannot do without, else the first it may hold."""
        if self.fields is None:
            return None
        spec = self.fields.properties[self.root] if self.root else self.fields
        return next(iter((*spec.required, *spec.properties)), None)

    def _answer(self, status: int) -> JSONObject:
        answer: JSONObject = self.description.get("responses", {}).get(str(status), {})
        return answer


def _strict(
    path: tuple[str | int, ...], code: str, keyword: str, *, beside_root: bool = False
) -> Problem:
    return Problem(".".join(map(str, path)), code, keyword, path, beside_root=beside_root)


def _in_order(spec: Field, read: list[Problem], judged: list[Problem]) -> tuple[Problem, ...]:
    """Return all problems once, in the document's order of fields.

    What is blank was said to be so when it was read, and is not told its type as well.
    """
    blank = {problem.path for problem in read}
    found = [each for each in judged if each.keyword != "type" or each.path not in blank]
    order = {name: place for place, name in enumerate(spec.properties)}
    return tuple(
        sorted(
            _without_repeats([*read, *found]),
            key=lambda each: order.get(str(each.path[0]) if each.path else "", -1),
        )
    )


def _is_empty_root(violation: Violation) -> bool:
    return violation.keyword == "minProperties" and len(violation.path) == 1


def _without_repeats(problems: list[Problem]) -> list[Problem]:
    """Drop what is said twice: one violation a missing key, or an item, names the same field."""
    return list(dict.fromkeys(problems))
