"""Which requests are meant: the words by which faults, and searches of the journal, name them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from lago_mock.contract.operation import Operation
from lago_mock.contract.router import read_as
from lago_mock.errors import Problem
from lago_mock.likeness import closest, did_you_mean
from lago_mock.nearest import PREFIX
from lago_mock.pointers import pointer
from lago_mock.redaction import SECRET_HEADERS
from lago_mock.wire import JSON, JSONObject, Unparsable, decode

_SHOWN: Final = 60
_ANYTHING: Final = object()
_NO_JSON: Final = object()


class Glob:
    """A text in which `*` stands for any characters, also for none; nothing else is special."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._pieces = text.split("*")

    def matches(self, text: str) -> bool:
        """Tell whether this is such a text, the whole of it, in the same case."""
        first, *inner = self._pieces
        if not inner:
            return text == first
        last = inner.pop()
        place, end = len(first), len(text) - len(last)
        if place > end or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in inner:
            place = text.find(piece, place, end)
            if place < 0:
                return False
            place += len(piece)
        return True

    def meets(self, other: Glob) -> bool:
        """Tell whether there is a text that both match."""
        if len(self._pieces) == 1:
            return other.matches(self.text)
        if len(other._pieces) == 1:
            return self.matches(other.text)
        # What stands between two stars finds room in a star of the other one.
        mine, theirs = self._pieces[0], other._pieces[0]
        if not (mine.startswith(theirs) or theirs.startswith(mine)):
            return False
        mine, theirs = self._pieces[-1], other._pieces[-1]
        return mine.endswith(theirs) or theirs.endswith(mine)


@dataclass(frozen=True)
class Sent:
    """One request as matchers look at it; each part is read at the first look, and once.

    `operation` is an id, None where nothing is routed; `path` is whole and decoded, `query` raw,
    headers and body are the bytes that came.
    """

    operation: str | None
    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""

    @cached_property
    def by_name(self) -> Mapping[str, str]:
        """Headers by lower-case name; those that came twice are joined by a comma."""
        found: dict[str, str] = {}
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    @cached_property
    def parameters(self) -> Mapping[str, list[str]]:
        """Values of the query by name, such as `filter[a]` or `currencies[]`, in their order."""
        found: dict[str, list[str]] = {}
        for each in filter(None, self.query.split("&")):
            name, _, value = map(_unescaped, each.partition("="))
            found.setdefault(name, []).append(value)
        return found

    @cached_property
    def json(self) -> Any:
        """The body's value, None without a body, and an object of its own when it is no JSON."""
        try:
            return decode(self.body) if self.body else None
        except Unparsable:
            return _NO_JSON


@dataclass(frozen=True, eq=False)
class Matcher:
    """Which requests a description means; a word that is not said is no condition.

    `operations` and `methods` are empty for any. A header is wanted to look like a glob, or with
    None to be absent; so is a parameter of the query, of which with a tuple all values count.
    """

    operations: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    path: Glob | None = None
    headers: tuple[tuple[str, Glob | None], ...] = ()
    query: tuple[tuple[str, Glob | tuple[Glob, ...] | None], ...] = ()
    body: Any = _ANYTHING

    @classmethod
    def of(cls, description: JSONObject) -> Matcher:
        """Compile the words `operation`, `method`, `path`, `match`; others count for nothing."""
        match = description.get("match", {})
        operations = _listed(description.get("operation", "*"))
        return cls(
            frozenset() if "*" in operations else frozenset(operations),
            frozenset(_listed(description.get("method", []))),
            Glob(description["path"]) if "path" in description else None,
            tuple((name.lower(), _glob(text)) for name, text in match.get("headers", {}).items()),
            tuple((name, _globs(wanted)) for name, wanted in match.get("query", {}).items()),
            match.get("body", _ANYTHING),
        )

    def matches(self, sent: Sent) -> bool:
        """Tell whether a request is one of those that are meant."""
        return not self.why_not(sent)

    def why_not(self, sent: Sent) -> str:
        """Return the first word that a request differs in, and how; empty when it matches."""
        return next(self.misses(sent), "")

    def misses(self, sent: Sent) -> Iterator[str]:
        """Yield every word that a request differs in: the fewer, the nearer it came."""
        if self.operations and sent.operation not in self.operations:
            yield f"the operation is {sent.operation or 'none'}, not {_either(self.operations)}"
        if self.methods and sent.method not in self.methods:
            yield f"the method is {sent.method}, not {_either(self.methods)}"
        if self.path and not self.path.matches(sent.path):
            yield f"the path is {sent.path}, not {self.path.text}"
        for name, wanted in self.headers:
            yield from _header_misses(name, wanted, sent.by_name.get(name))
        for name, each in self.query:
            yield from _query_misses(name, each, sent.parameters.get(name))
        if self.body is not _ANYTHING:
            yield from _body_misses(self.body, sent.json)


def _unescaped(raw: str) -> str:
    escaped = raw.replace("+", " ").encode("latin-1", "replace")
    return unquote_to_bytes(escaped).decode("utf-8", "replace")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _glob(text: str | None) -> Glob | None:
    return None if text is None else Glob(text)


def _globs(wanted: str | list[str] | None) -> Glob | tuple[Glob, ...] | None:
    return tuple(map(Glob, wanted)) if isinstance(wanted, list) else _glob(wanted)


def _either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))


def _shown(value: JSON) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _header_misses(name: str, wanted: Glob | None, value: str | None) -> Iterator[str]:
    if value is None or wanted is None:
        if value is not None:
            yield f"the header {name} was sent"
        elif wanted is not None:
            yield f"the header {name} is missing"
    elif not wanted.matches(value):
        is_secret = name in SECRET_HEADERS
        differs = "another" if is_secret else f"{_shown(value)}, not {_shown(wanted.text)}"
        yield f"the header {name} is {differs}"


def _query_misses(
    name: str, wanted: Glob | tuple[Glob, ...] | None, values: list[str] | None
) -> Iterator[str]:
    if values is None or wanted is None:
        if values is not None:
            yield f"the parameter {name} was sent"
        elif wanted is not None:
            yield f"the parameter {name} is missing"
    elif isinstance(wanted, Glob):
        if not any(map(wanted.matches, values)):
            sent = " and ".join(map(_shown, values))
            yield f"the parameter {name} is {sent}, not {_shown(wanted.text)}"
    elif len(values) != len(wanted) or not all(map(Glob.matches, wanted, values)):
        texts: JSON = [each.text for each in wanted]
        yield f"the parameter {name} is {_shown(list(values))}, not {_shown(texts)}"


def _body_misses(wanted: JSON, value: Any) -> Iterator[str]:
    if value is _NO_JSON:
        yield "the body is no JSON"
    else:
        yield from _value_misses(wanted, value, ())


def _value_misses(wanted: JSON, value: JSON, path: tuple[str | int, ...]) -> Iterator[str]:
    """Yield how a value differs from what is wanted: objects may hold more, arrays may not."""
    if isinstance(wanted, dict):
        yield from _object_misses(wanted, value, path)
    elif isinstance(wanted, list):
        yield from _array_misses(wanted, value, path)
    elif wanted != value or isinstance(wanted, bool) != isinstance(value, bool):
        yield f"{_place(path)} is {_shown(value)}, not {_shown(wanted)}"


def _object_misses(wanted: JSONObject, value: JSON, path: tuple[str | int, ...]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{_place(path)} is {_shown(value)}, not an object"
        return
    for key, each in wanted.items():
        if key in value:
            yield from _value_misses(each, value[key], (*path, key))
        else:
            yield f"{_place((*path, key))} is missing"


def _array_misses(wanted: list[Any], value: JSON, path: tuple[str | int, ...]) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{_place(path)} is {_shown(value)}, not an array"
    elif len(wanted) != len(value):
        yield f"{_place(path)} is an array of {len(value)}, not of {len(wanted)}"
    else:
        for index, (each, item) in enumerate(zip(wanted, value, strict=True)):
            yield from _value_misses(each, item, (*path, index))


def _place(path: tuple[str | int, ...]) -> str:
    return f"{pointer(*path)} of the body" if path else "the body"


# Descriptions that mean no request


def unmatchable(
    description: JSONObject,
    operations: Mapping[str, Operation],
    path: tuple[str | int, ...] = (),
) -> list[Problem]:
    """Return what keeps a description from ever meaning a request that an operation answers.

    That is an operation that the document does not have, and a method or a path that none of the
    operations named has. `path` leads to the description in the body that holds it; a problem's
    field is the path to the word, with dots.
    """
    ids = _listed(description.get("operation", "*"))
    unknown = [each for each in ids if each != "*" and each not in operations]
    if unknown:
        texts = [unknown_operation(each, operations) for each in unknown]
        return [problem("operation", text, path) for text in texts]
    named = operations.values() if "*" in ids else [operations[each] for each in ids]
    methods = _listed(description.get("method", []))
    verbs = set(map(read_as, methods))
    routed = [each for each in named if not methods or each.method in verbs]
    if not routed:
        taken = ", ".join(sorted({each.method for each in named}))
        return [problem("method", f"no such operation takes {_either(methods)}, but {taken}", path)]
    if "path" in description and (text := _lost(description["path"], routed)):
        return [problem("path", text, path)]
    return []


def problem(word: str, text: str, path: tuple[str | int, ...]) -> Problem:
    """Return what is wrong with one word of a description; `path` leads to the description."""
    steps = (*path, word)
    return Problem(".".join(map(str, steps)), text, "fault", steps)


def unknown_operation(name: str, operations: Iterable[str]) -> str:
    """Return the text that says so, with the closest id that there is."""
    return f"no operation {name}{did_you_mean(closest(name, operations))}"


def _lost(path: str, routed: Sequence[Operation]) -> str:
    """Return what is wrong with a path that leads to none of the operations; empty if one does.

    The router's leniency counts: slashes may be doubled or trail, and an ending may follow.
    """
    templates = {f"{PREFIX}{each.path}": None for each in routed}
    tidy = re.sub("/{2,}", "/", path).rstrip("/")
    for lenient in (path, tidy, re.sub(r"\.[^/]*\Z", "", tidy)):
        if any(_meeting(lenient, templates)):
            return ""
    near = next(_meeting(f"{PREFIX}{tidy}", templates), None)
    # A template is long where a path is short: half of it alike is much.
    near = near or closest(path, templates, 0.5)
    return f"no such operation at {path}{did_you_mean(near)}"


def _meeting(path: str, templates: Iterable[str]) -> Iterator[str]:
    glob = Glob(path)
    return (each for each in templates if glob.meets(Glob(re.sub(r"\{[^}]*\}", "*", each))))
