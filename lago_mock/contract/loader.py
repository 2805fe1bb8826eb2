"""Read an OpenAPI document, whole or in fragments, and make one tree of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

from lago_mock.contract.foreign import adopted
from lago_mock.contract.parsed import parsed_once
from lago_mock.pointers import pointer, resolve
from lago_mock.wire import JSONObject

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "x-lago-code": "what error_details says: a code, or codes by keyword or era",
        "x-lago-clean": "steps that clean a text: nul, email, strip, downcase, upcase",
        "x-lago-blank": "what blank text is: null, keep (default) or error",
        "x-lago-null": "whether null clears (the default), keeps, or stands for reset:VALUE",
        "x-lago-premium": "the license that the key needs: true, or one integration's name",
        "x-lago-field": "what error_details calls a nested value",
        "x-lago-era": "the era that the property exists in",
    }
)


class DocumentError(Exception):
    """A document or fixture set that cannot be used; the text says which, where and what to do."""

    def __init__(self, file: Path | str, place: str, what: str, advice: str = "") -> None:
        self.file, self.place, self.what = file, place, what
        text = f"{file}: {place}: {what}" if place else f"{file}: {what}"
        super().__init__(f"{text}. {advice}" if advice else text)


@dataclass(frozen=True)
class Document:
    """One OpenAPI document, bundled: every reference in `tree` begins with `#/`.

    `sources` tells the file of each operation id and of each component (`schemas/Currency`).
    """

    tree: JSONObject
    file: Path
    sources: Mapping[str, Path]

    def operations(self) -> Iterator[tuple[str, str, JSONObject, JSONObject]]:
        """Yield path, method, the path item and the operation, in the document's order."""
        for path, item in self.tree.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    yield path, method, item, item[method]


def read_file(path: Path) -> Any:
    """Return what a YAML or JSON file holds.

    Raises:
        DocumentError: it cannot be read, or its syntax is broken; names line and column.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(path, "", f"cannot be read: {error.strerror}") from error
    if path.suffix == ".json":
        return _parse_json(path, data)
    return parsed_once(path, data, _parse_yaml)


def _parse_json(path: Path, data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DocumentError(
            path, f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}"
        ) from error


def _parse_yaml(path: Path, data: bytes) -> Any:
    # Imported late: our own documents are kept as JSON, and PyYAML takes 50 ms of a start.
    import yaml

    from lago_mock.contract.yaml12 import Yaml12Loader

    try:
        return yaml.load(data, Loader=Yaml12Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DocumentError(path, place, f"not YAML: {error.problem}") from error
    except RecursionError as error:
        raise DocumentError(path, "", "not YAML: nested too deeply") from error
    except (yaml.YAMLError, LookupError, ValueError) as error:  # as in `!!bool maybe`
        raise DocumentError(path, "", f"not YAML: {' '.join(str(error).split())}") from error


def load_document(path: Path) -> Document:
    """Return the document of a file, or of a folder of fragments united.

    Raises:
        DocumentError: a fragment is broken, two define one thing, or a reference leads nowhere.
    """
    if os.path.isdir(path):  # False, too, where nobody may look: then the reading says why
        files = [path / "openapi.yaml", path / "common.yaml"]
        files += sorted((path / "resources").glob("*.yaml"))
        fragments = {file: read_file(file) for file in (*files, path / "unmocked.yaml")}
    else:
        fragments = {path: adopted(path, read_file(path), read_file)}
    bundle = _Bundle()
    for file, fragment in fragments.items():
        bundle.add(file, fragment)
    document = Document(bundle.tree, path, bundle.sources)
    _check(document, bundle)
    return document


def with_webhooks(document: Document) -> Document:
    """Return a document of fragments with its webhooks, which are a file that few ask for.

    Raises:
        DocumentError: that file is broken, or says what another one says.
    """
    file = document.file / "webhooks.yaml"
    bundle = _Bundle()
    bundle.add(document.file, document.tree)
    bundle.know(document.sources)
    bundle.add(file, read_file(file))
    whole = Document(bundle.tree, document.file, bundle.sources)
    _check(whole, bundle)
    return whole


class _Bundle:
    """Fragments on their way to one tree; remembers where each piece came from."""

    def __init__(self) -> None:
        self.tree: JSONObject = {}
        self.sources: dict[str, Path] = {}
        self.places: dict[tuple[str, str], Path] = {}

    def know(self, sources: Mapping[str, Path]) -> None:
        """Let what was added as one document be of the files that it is made of."""
        self.sources |= sources
        for kind, name in self.places:
            source = name if kind == "operationId" else f"{kind}/{name}"
            self.places[kind, name] = sources.get(source, self.places[kind, name])

    def add(self, file: Path, fragment: Any) -> None:
        """Unite one fragment with what is there."""
        if not isinstance(fragment, dict):
            raise DocumentError(file, "", "not an OpenAPI document: the top level is no object")
        for section, value in fragment.items():
            if section == "components":
                for kind, entries in _object(file, value, section).items():
                    checked = _object(file, entries, section, kind)
                    self._unite(file, kind, self.tree.setdefault(section, {}), kind, checked)
            elif section in ("paths", "webhooks"):
                self._add_items(file, section, _object(file, value, section))
            elif isinstance(value, list):
                self.tree.setdefault(section, []).extend(value)
            else:
                self._claim(file, "", section, (section,))
                self.tree[section] = value

    def _unite(
        self, file: Path, prefix: str, parent: JSONObject, name: str, entries: JSONObject
    ) -> None:
        target = parent.setdefault(name, {})
        for entry, value in entries.items():
            self._claim(file, prefix, entry, ("components", prefix, entry))
            self.sources[f"{prefix}/{entry}"] = file
            target[entry] = value

    def _add_items(self, file: Path, section: str, items: JSONObject) -> None:
        united = self.tree.setdefault(section, {})
        for path, item in items.items():
            target = united.setdefault(path, {})
            for key, value in _object(file, item, section, path).items():
                if key in METHODS:
                    self._claim(file, path, key, (section, path, key))
                    self._claim_operation(file, (section, path, key), value)
                target[key] = value

    def _claim_operation(self, file: Path, place: tuple[str, ...], operation: Any) -> None:
        if not isinstance(operation, dict) or not isinstance(operation.get("operationId"), str):
            raise DocumentError(file, pointer(*place), "no operationId", "Give the operation one.")
        self._claim(file, "operationId", operation["operationId"], place)
        self.sources[operation["operationId"]] = file

    def _claim(self, file: Path, kind: str, name: str, place: tuple[str, ...]) -> None:
        before = self.places.setdefault((kind, name), file)
        if before is not file or (kind == "operationId" and name in self.sources):
            what = f"{kind} {name}".strip()
            what = f"{what!r} is defined in {before} as well"
            raise DocumentError(file, pointer(*place), what, "Keep one of them.")


def _object(file: Path, value: Any, *place: str) -> JSONObject:
    if not isinstance(value, dict):
        raise DocumentError(file, pointer(*place), "an object is needed")
    return value


def _check(document: Document, bundle: _Bundle) -> None:
    tree = document.tree
    if not str(tree.get("openapi", "")).startswith("3."):
        raise DocumentError(document.file, "/openapi", "an OpenAPI version 3 is needed")
    if not isinstance(tree.get("paths"), dict):
        raise DocumentError(document.file, "/paths", "the document has no paths")
    for place, node in _nodes(tree, ()):
        reference = node.get("$ref")
        if isinstance(reference, str):
            _check_reference(document, bundle, place, reference)
        for key in node:
            if isinstance(key, str) and key.startswith("x-lago-") and key not in EXTENSIONS:
                raise DocumentError(
                    _file_of(bundle, document, place),
                    pointer(*place, key),
                    "no such extension",
                    f"Known are: {', '.join(EXTENSIONS)}.",
                )


def _check_reference(
    document: Document, bundle: _Bundle, place: tuple[str | int, ...], reference: str
) -> None:
    try:
        resolve(document.tree, reference)
    except (KeyError, IndexError, ValueError, TypeError):
        raise DocumentError(
            _file_of(bundle, document, place),
            pointer(*place),
            f"the reference {reference} leads nowhere",
            "Refer into the document as #/components/schemas/Name, or to a file beside it.",
        ) from None


def _file_of(bundle: _Bundle, document: Document, place: tuple[str | int, ...]) -> Path:
    """Return the fragment that a place in the tree came from."""
    steps = [str(step) for step in place]
    if steps[:1] == ["components"] and len(steps) > 2:
        return bundle.sources[f"{steps[1]}/{steps[2]}"]
    if len(steps) > 2:
        return bundle.places.get((steps[1], steps[2]), document.file)
    return document.file


def _nodes(node: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            if key not in ("example", "examples", "enum"):
                yield from _nodes(value, (*place, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nodes(value, (*place, index))
