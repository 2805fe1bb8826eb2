"""Find the operation that a method and a path name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from lago_mock.parameters import decode_path_segment


class Routed(Protocol):
    """What can be routed."""

    @property
    def method(self) -> str:
        """GET, POST, …."""

    @property
    def path(self) -> str:
        """The path template, `/customers/{external_customer_id}`."""


T = TypeVar("T", bound=Routed)


def read_as(method: str) -> str:
    """Return the method by which a request is routed: HEAD is read as GET."""
    # Differs from Lago: HEAD counts as a read; there the key needs the right to write.
    return "GET" if method == "HEAD" else method


class _Node(Generic[T]):
    """One segment of the templates: its literal followers, its parameter, what ends here."""

    __slots__ = ("ends", "literals", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.ends: dict[str, T] = {}


class Router(Generic[T]):
    """The paths of a document; a literal segment goes before a parameter."""

    def __init__(self, operations: Iterable[T]) -> None:
        self._root: _Node[T] = _Node()
        self._fixed: dict[tuple[str, str], T] = {}
        for operation in operations:
            self._add(operation)

    def _add(self, operation: T) -> None:
        node = self._root
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.ends[operation.method] = operation
        if "{" not in operation.path:
            self._fixed[operation.method, operation.path] = operation

    def match(self, method: str, path: str) -> tuple[T, tuple[str, ...]] | None:
        """Return the operation and the values of its path parameters, in the template's order.

        HEAD is read as GET. `path` is raw, still percent-encoded: `%2F` belongs to a value. Doubled
        and trailing slashes count for nothing, and so does an ending such as `.json` after a
        literal segment.

        Raises:
            Unparsable: a value has a broken escape or is no UTF-8.
        """
        method = read_as(method)
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, ()
        segments = [segment for segment in path.split("/") if segment]
        for node, values in _leaves(self._root, segments):
            if method in node.ends:
                return node.ends[method], tuple(map(decode_path_segment, values))
        return None

    def verbs(self, path: str) -> tuple[str, ...]:
        """Return the methods that are routed at a path, in the document's order; empty for none."""
        segments = [segment for segment in path.split("/") if segment]
        return tuple(verb for node, _ in _leaves(self._root, segments) for verb in node.ends)


def _leaves(root: _Node[T], segments: list[str]) -> list[tuple[_Node[T], tuple[str, ...]]]:
    """Return each node that the segments lead to with its parameters' values, literals first."""
    leaves: list[tuple[_Node[T], tuple[str, ...]]] = [(root, ())]
    for place, segment in enumerate(segments, 1):
        before, leaves = leaves, []
        for node, values in before:
            literal = node.literals.get(segment)
            if literal is None and place == len(segments):
                literal = node.literals.get(segment.partition(".")[0])
            if literal is not None:
                leaves.append((literal, values))
            if node.parameter is not None:
                # Differs from Lago: an id may hold a dot in a path; there it ends at the dot.
                leaves.append((node.parameter, (*values, segment)))
    return leaves
