"""What a request that met no route was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from lago_mock.contract.contract import Contract
from lago_mock.contract.operation import Operation
from lago_mock.contract.router import read_as
from lago_mock.wire import JSONObject

PREFIX: Final = "/api/v1"

_TOO_FAR: Final = 1.5
"""What it costs to take a word for one that it is not like: so much no path may cost."""

_VALUE: Final = 0.25
_MORE_OR_LESS: Final = 1.0
_LEADING: Final = 0.5
_ALIKE: Final = 0.6
_MOST_LETTERS: Final = 64
_MOST_SEGMENTS: Final = 12


@dataclass(frozen=True)
class Nearest:
    """The operation that a request came closest to, and in words why it is not the one."""

    operation: Operation
    why: str

    def shown(self) -> JSONObject:
        """Return the object `nearest` of the admin document."""
        each = self.operation
        path = f"{PREFIX}{each.path}"
        return {"operation": each.id, "method": each.method, "path": path, "why": self.why}


def is_routed(contract: Contract, method: str, path: str) -> bool:
    """Tell whether an operation answers a method at a path; HEAD is read as GET."""
    if not path.startswith(f"{PREFIX}/"):
        return False
    verbs = contract.router.verbs(path.removeprefix(PREFIX))
    return read_as(method) in verbs


def nearest(contract: Contract, method: str, path: str) -> Nearest | None:
    """Return the operation that comes closest; None without any likeness, or if it is routed.

    The words stand in the order in which a client is mended: the beginning of the path, its
    segments, the verb.
    """
    found = _routed(contract, path) or _alike(contract, path)
    if found is None:
        return None
    verb = read_as(method)
    operation = _for_verb(found.operations, verb)
    why = [found.start, *found.slips]
    if operation.method != verb:
        why.append(f"this path takes {', '.join(each.method for each in found.operations)}")
    text = "; ".join(filter(None, why))
    return Nearest(operation, text) if text else None


@dataclass(frozen=True)
class _Found:
    """The operations at one path, and what is to be mended to come there."""

    operations: Sequence[Operation]
    start: str
    slips: tuple[str, ...] = ()


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _readings(path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what may be wrong with the beginning of a path, and the segments that follow it."""
    prefix, rest, times = _segments(PREFIX), _segments(path), 0
    while rest[: len(prefix)] == prefix:
        rest, times = rest[len(prefix) :], times + 1
    if times > 1:
        yield f"the base URL ends in {PREFIX} and the client adds it once more", rest
    elif times:
        yield "", rest
    else:
        yield f"the path lacks {PREFIX}: add it to the base URL", rest
        for count in range(1, min(len(rest), 4)):
            yield f"the path begins /{'/'.join(rest[:count])}, not {PREFIX}", rest[count:]


def _routed(contract: Contract, path: str) -> _Found | None:
    """Return what is routed as soon as the beginning of the path is mended."""
    router = contract.router
    for start, rest in _readings(path):
        # Which value a parameter has does not matter here, and it may have a broken escape.
        plain = "/".join(rest).replace("%", "-")
        matched = [router.match(verb, plain) for verb in router.verbs(plain)]
        if matched:
            return _Found([match[0] for match in matched if match], start)
    return None


def _alike(contract: Contract, path: str) -> _Found | None:
    """Return what is at the path most like this one."""
    templates: dict[str, list[Operation]] = {}
    for each in contract.operations.values():
        templates.setdefault(each.path, []).append(each)
    best, found = _TOO_FAR, None
    for step, (start, rest) in enumerate(_readings(path)):
        words = [_Word(segment) for segment in rest[:_MOST_SEGMENTS]]
        for template, operations in templates.items():
            for cost, slips in _comparisons(words, _segments(template)):
                if cost + step * _LEADING < best:
                    best, found = cost + step * _LEADING, _Found(operations, start, slips)
    return found


class _Word:
    """A segment as it was sent; each word is compared with it once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._matcher = SequenceMatcher(None, "", text.lower()[:_MOST_LETTERS])
        self._known: dict[str, float] = {text: 0.0, text.partition(".")[0]: 0.0}

    def cost(self, wanted: str) -> float:
        """Return what it costs to take it for a segment of a template."""
        if wanted.startswith("{"):
            return _VALUE
        if wanted not in self._known:
            self._known[wanted] = self._difference(wanted)
        return self._known[wanted]

    def _difference(self, wanted: str) -> float:
        words = self._matcher
        words.set_seq1(wanted)
        if words.real_quick_ratio() < _ALIKE or words.quick_ratio() < _ALIKE:
            return _TOO_FAR
        ratio = words.ratio()
        return 1.1 - ratio if ratio >= _ALIKE else _TOO_FAR


def _comparisons(sent: list[_Word], wanted: list[str]) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Yield what it costs to make one path of the other and how, with a segment more or less."""
    if len(sent) == len(wanted):
        yield _compared(sent, wanted)
    elif len(sent) == len(wanted) + 1:
        for index, word in enumerate(sent):
            cost, slips = _compared(sent[:index] + sent[index + 1 :], wanted)
            yield cost + _MORE_OR_LESS, (*slips, f"`{word.text}` is one segment too many")
    elif len(sent) + 1 == len(wanted):
        for index, each in enumerate(wanted):
            if each.startswith("{"):
                cost, slips = _compared(sent, wanted[:index] + wanted[index + 1 :])
                yield cost + _MORE_OR_LESS, (*slips, f"`{each}` is missing")


def _compared(sent: list[_Word], wanted: list[str]) -> tuple[float, tuple[str, ...]]:
    """Return what it costs to make one path of the other, segment by segment, and how."""
    total, slips = 0.0, []
    for word, each in zip(sent, wanted, strict=True):
        cost = word.cost(each)
        total += cost
        if total >= _TOO_FAR:
            return _TOO_FAR, ()
        if cost not in (0.0, _VALUE):
            slips.append(f"`{word.text}` is not `{each}`")
    return total, tuple(slips)


def _for_verb(routed: Sequence[Operation], verb: str) -> Operation:
    """Return the operation of a path with this verb, else the one most easily meant by it."""
    same = [each for each in routed if each.method == verb]
    writes = verb in ("POST", "PUT", "PATCH")
    alike = [each for each in routed if writes and each.method not in ("GET", "DELETE")]
    return [*same, *alike, *routed][0]
