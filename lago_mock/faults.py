"""Failures on command: what is armed, which request meets it, and what that request then sees."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import count
from operator import attrgetter
from random import Random
from typing import Final

from lago_mock.contract.operation import Operation
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.matching import Matcher, Sent, problem, unmatchable
from lago_mock.outcomes import WORDS, Outcome, contradictions, happens, outcome_of
from lago_mock.wire import JSONObject

MAX_FAULTS: Final = 1000
_REMEMBERED: Final = 100


class Fault:
    """One armed failure, as `description` has it (schema `Fault` of the admin document).

    `remaining` counts the requests that may still meet it, None means all that come. `requests`
    are the ids that the last of them have in the journal. Where the description has no seed, its
    chance comes from its id.
    """

    def __init__(self, fault_id: str, description: JSONObject, order: int = 0) -> None:
        self.id = fault_id
        self.order = order
        self.matcher = Matcher.of(description)
        self._description = description
        self._outcomes: list[JSONObject] = description.get("sequence", [description])
        self._skip: int = description.get("skip", 0)
        self._probability: float = description.get("probability", 1)
        self._random = Random(description.get("seed", fault_id))
        self._times: int | None = description.get("times", len(self._outcomes))
        self.remaining: int | None = self._times
        self.hits = self.skipped = self.spared = 0
        self.requests: deque[str] = deque(maxlen=_REMEMBERED)

    def falls_on(self, sent: Sent) -> bool:
        """Tell whether a request meets it; one that matches and is let pass is counted."""
        if not self.matcher.matches(sent):
            return False
        if self.skipped < self._skip:
            self.skipped += 1
            return False
        if self._probability < 1 and self._random.random() >= self._probability:
            self.spared += 1
            return False
        return True

    def use(self, operation: Operation | None, request_id: str, era: str) -> Outcome:
        """Count one request that met it; return what it sees in an era of the API.

        The outcomes of a sequence take turns, and begin again while the fault has turns left.
        """
        described = self._outcomes[self.hits % len(self._outcomes)]
        self.hits += 1
        if self.remaining is not None:
            self.remaining -= 1
        self.requests.append(request_id)
        return outcome_of(described, operation, self._random, self.id, era)

    @property
    def is_used_up(self) -> bool:
        """Whether no request meets it any more."""
        return self.remaining == 0

    def shown(self) -> JSONObject:
        """Return the `ArmedFault` object."""
        return {
            "id": self.id,
            **self._description,
            "times": self._times,
            "hits": self.hits,
            "remaining": self.remaining,
            "skipped": self.skipped,
            "spared": self.spared,
            "requests": list(self.requests),
        }


class Faults:
    """The faults of one organization, or of the whole server, the oldest first.

    Those that are used up stay listed until there are too many. `armed` counts the others; while
    it is 0 there is nothing to ask for.
    """

    def __init__(self, limit: int = MAX_FAULTS) -> None:
        self._limit = limit
        self._orders = count()
        self._empty()

    def _empty(self) -> None:
        self.armed = 0
        self._listed: dict[str, Fault] = {}
        self._by_operation: dict[str, dict[str, Fault]] = {}
        self._for_any: dict[str, Fault] = {}

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._listed.values())

    def add(self, fault_id: str, description: JSONObject) -> Fault:
        """Arm a fault: `times` requests meet it, one when nothing is said, all when it is null.

        Raises:
            ValidationFailed: 422, there are as many as may be, and none of them is used up.
        """
        if len(self._listed) >= self._limit:
            spent = next((fault for fault in self if fault.is_used_up), None)
            if spent is None:
                raise self._too_many()
            del self._listed[spent.id]
        fault = Fault(fault_id, description, next(self._orders))
        self._listed[fault_id] = fault
        for index in self._indexes(fault):
            index[fault_id] = fault
        self.armed += 1
        return fault

    def _too_many(self) -> ValidationFailed:
        text = f"there can be {self._limit} faults at most"
        return ValidationFailed([Problem("faults", text, "limit", ("faults",))])

    def _indexes(self, fault: Fault) -> Iterator[dict[str, Fault]]:
        """Yield where a fault is looked up: by each operation that it names, or for all."""
        for operation in fault.matcher.operations:
            yield self._by_operation.setdefault(operation, {})
        if not fault.matcher.operations:
            yield self._for_any

    def replace(self, described: Sequence[tuple[str, JSONObject]]) -> None:
        """Disarm all and arm these, each an id and a description; all or nothing.

        Raises:
            ValidationFailed: 422, there are more than may be.
        """
        if len(described) > self._limit:
            raise self._too_many()
        self.clear()
        for fault_id, description in described:
            self.add(fault_id, description)

    def get(self, fault_id: str) -> Fault | None:
        """Return the fault with this id, also when it is used up."""
        return self._listed.get(fault_id)

    def remove(self, fault_id: str) -> None:
        """Disarm one fault."""
        fault = self._listed.pop(fault_id)
        if not fault.is_used_up:
            self._drop(fault)

    def clear(self) -> None:
        """Disarm all."""
        self._empty()

    def _drop(self, fault: Fault) -> None:
        for index in self._indexes(fault):
            del index[fault.id]
        self.armed -= 1

    def take(
        self, operation: Operation | None, sent: Sent, request_id: str, era: str = "current"
    ) -> Outcome | None:
        """Return what the oldest fault that the request meets does, and use up one of its turns.

        `request_id` is the request's in the journal, `era` the one that its answer is worded in.
        """
        for fault in self._candidates(sent.operation):
            if fault.falls_on(sent):
                outcome = fault.use(operation, request_id, era)
                if fault.is_used_up:
                    self._drop(fault)
                return outcome
        return None

    def _candidates(self, operation: str | None) -> Iterable[Fault]:
        named = self._by_operation.get(operation or "")
        if not named:
            return self._for_any.values()
        return merge(named.values(), self._for_any.values(), key=attrgetter("order"))


def impossible(
    description: JSONObject,
    operations: Mapping[str, Operation],
    path: tuple[str | int, ...] = (),
) -> list[Problem]:
    """Return all that keeps a fault from ever happening as it is described; empty when it can.

    The description satisfies the schema `Fault`; `path` leads to it in the body that holds it. A
    problem's field is the path to the word, with dots.
    """
    found = unmatchable(description, operations, path)
    if not {"operation", "method", "path"} & description.keys():
        text = "say which requests: operation, or method and path"
        found.append(problem("operation", text, path))
    return [*found, *_fruitless(description, path)]


def _fruitless(description: JSONObject, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if "sequence" not in description:
        if happens(description):
            yield from _contradictions(description, path)
        else:
            text = "say what happens: error, status, connection or delay_ms"
            yield problem("error", text, path)
        return
    if stray := [word for word in WORDS if word in description]:
        yield problem("sequence", f"say in its outcomes: {', '.join(stray)}", path)
    for index, each in enumerate(description["sequence"]):
        yield from _contradictions(each, (*path, "sequence", index))


def _contradictions(described: JSONObject, path: tuple[str | int, ...]) -> Iterator[Problem]:
    return (problem(word, text, path) for word, text in contradictions(described))
