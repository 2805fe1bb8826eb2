"""A document that the user brings, made like ours: in one piece, and null said as types say it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lago_mock.pointers import resolve
from lago_mock.wire import JSONObject

FILES = "x-files"
"""Where in the tree the other files stand that a document refers to, by number."""


def adopted(file: Path, tree: Any, read: Callable[[Path], Any]) -> Any:
    """Return a document with the files that it refers to laid in, and no `nullable` left.

    `read` returns what a file holds, and raises what is wrong with it.
    """
    files = _Files(file.resolve(), read)
    whole = files.rewritten(tree, file.resolve())
    if isinstance(whole, dict) and files.trees:
        whole[FILES] = files.trees
        _lay_in_paths(whole)
    return whole


class _Files:
    """The files of one document; `trees` are those beside the first, by number."""

    def __init__(self, first: Path, read: Callable[[Path], Any]) -> None:
        self._first = first
        self._read = read
        self._numbers: dict[Path, str] = {}
        self.trees: dict[str, Any] = {}

    def rewritten(self, node: Any, file: Path) -> Any:
        """Return a node of a file with its references as seen from the whole."""
        if isinstance(node, list):
            return [self.rewritten(each, file) for each in node]
        if not isinstance(node, dict):
            return node
        new = {key: self.rewritten(each, file) for key, each in node.items()}
        if isinstance(new.get("$ref"), str):
            new["$ref"] = self._reference(new["$ref"], file)
        return _with_null(new) if new.pop("nullable", None) is True else new

    def _reference(self, reference: str, file: Path) -> str:
        name, _, fragment = reference.partition("#")
        if ":" in name:
            return reference  # an address is no file: it is refused where references are checked
        target = (file.parent / unquote(name)).resolve() if name else file
        if target == self._first:
            return f"#{fragment}"
        return f"#/{FILES}/{self._number(target)}{fragment}"

    def _number(self, file: Path) -> str:
        """Return the number of a file, which is read when it is first met."""
        if file not in self._numbers:
            number = self._numbers[file] = str(len(self._numbers))
            self.trees[number] = None  # it may refer to itself while it is rewritten
            self.trees[number] = self.rewritten(self._read(file), file)
        return self._numbers[file]


def _with_null(schema: JSONObject) -> JSONObject:
    """Return what OpenAPI 3.0 means by `nullable: true`, in the words of 3.1."""
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    elif "$ref" in schema or "allOf" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def _lay_in_paths(tree: JSONObject) -> None:
    """Put path items that stand in other files where they are referred to."""
    for path, item in tree.get("paths", {}).items():
        if isinstance(item, dict) and "$ref" in item:
            with suppress(KeyError, IndexError, TypeError):  # references are checked later
                tree["paths"][path] = resolve(tree, item["$ref"])
