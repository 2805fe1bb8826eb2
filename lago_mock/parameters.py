"""Parameters of a request that are not JSON: query, forms, path segments, media types.

Names in brackets become objects and lists in Rack's way (lago-api runs on Rails 8: `a[b]=1` is
`{"a": {"b": "1"}}`); every value is text, or None for a name without `=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from lago_mock.wire import MAX_DEPTH, JSONObject, Unparsable, decode_text

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_SEPARATOR = re.compile(rb"& *")

# What precedes the first bracket; a bracket in first place belongs to the name, and so does a
# single one at the very end.
_FIRST_PART = re.compile(r".[^\[]*(?:\[\Z)?", re.DOTALL)
# `[]`, `[key]`, or whatever else is left, which is a key as it stands.
_NEXT_PART = re.compile(r"(\[\])|\[([^\]]+)\](?!\[\Z)|(.+)", re.DOTALL)
_ITEM = "[]"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETERS = r'(?:;(?:[^"\x00-\x08\x0a-\x1f\x7f]|"(?:[^"\\]|\\.)*")*)?'
_MEDIA_TYPE = re.compile(rf"[ \t]*({_TOKEN}/{_TOKEN})[ \t]*{_PARAMETERS}")


class MalformedMediaType(Exception):
    """Raised for a Content-Type or Accept that is no media type; the server answers 406."""


def parse_media_type(value: str) -> str:
    """Return `type/subtype` in lower case; what follows a semicolon is read and ignored.

    Raises MalformedMediaType where RFC 9110 allows no such value (`garbage`, `foo/ bar`), the empty
    text included. One media type only: a list is the caller's to split.
    """
    match = _MEDIA_TYPE.fullmatch(value)
    if match is None:
        raise MalformedMediaType(value)
    return match.group(1).lower()


def parse_query(raw: bytes) -> JSONObject:
    """Return the parameters of a raw query string (without `?`).

    `a=1&a=2` keeps the last, `a[]=1&a[]=2` is a list, `a[0]=x` an object, and `x[][k]=1&x[][k]=2`
    opens a new item when a key comes again. Raises Unparsable for a broken percent escape, invalid
    UTF-8, a name that is used in two shapes, and a name of more than 100 parts.
    """
    fields = [field for field in _SEPARATOR.split(raw) if field]
    return _assemble(_name_and_value(field) for field in fields)


def parse_form(body: bytes) -> JSONObject:
    """Return the parameters of an `application/x-www-form-urlencoded` body, as from a query."""
    return parse_query(body)


def parse_multipart(body: bytes, content_type: str) -> JSONObject:
    """Return the parameters of a `multipart/form-data` body; a file counts as its text.

    `content_type` is the whole header: it names the boundary. An empty body has no parameters.
    Raises Unparsable for a missing boundary, a body that is cut off or broken, text that is not
    UTF-8, and names as in `parse_query`.
    """
    if not body:
        return {}
    try:
        return _assemble(_multipart_fields(body, _boundary(content_type)))
    except (FormParserError, UnicodeError) as error:
        raise Unparsable(f"broken multipart body: {error}") from None


def decode_path_segment(raw: str) -> str:
    """Return one path segment with its percent escapes undone, once; `+` stays a plus.

    `raw` is the segment as it came, without slashes of its own; bytes outside ASCII as UTF-8 with
    `surrogateescape`. Raises Unparsable for a broken escape and for invalid UTF-8.
    """
    if raw.isascii() and "%" not in raw:
        return raw
    # Differs from Lago: a NUL in a path finds nothing (404), and a broken escape is 400; there both
    # are a 500.
    try:
        return _unescape(raw.encode(errors="surrogateescape"))
    except UnicodeEncodeError as error:
        raise Unparsable(f"no text at character {error.start + 1}") from None


def _name_and_value(field: bytes) -> tuple[str, str | None]:
    name, equals, value = field.replace(b"+", b" ").partition(b"=")
    return _unescape(name), _unescape(value) if equals else None


def _unescape(raw: bytes) -> str:
    broken = _BROKEN_ESCAPE.search(raw)
    if broken:
        escape = broken.group().decode("ascii", "backslashreplace")
        raise Unparsable(f"broken percent escape {escape}")
    return decode_text(unquote_to_bytes(raw))


def _boundary(content_type: str) -> bytes:
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise Unparsable("multipart body without a boundary")
    return boundary


def _multipart_fields(body: bytes, boundary: bytes) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    ends: list[None] = []

    def keep_field(field: Field) -> None:
        pairs.append((decode_text(field.field_name or b""), decode_text(field.value or b"")))

    def keep_file(file: File) -> None:
        file.file_object.seek(0)
        pairs.append((decode_text(file.field_name or b""), decode_text(file.file_object.read())))

    parser = FormParser(
        "multipart/form-data",
        keep_field,
        keep_file,
        on_end=lambda: ends.append(None),
        boundary=boundary,
        config={"MAX_MEMORY_FILE_SIZE": len(body)},  # or large files go through the disk
    )
    parser.write(body)
    if not ends:
        raise Unparsable("multipart body without its end")
    return pairs


def _assemble(pairs: Iterable[tuple[str, str | None]]) -> JSONObject:
    parameters: JSONObject = {}
    for name, value in pairs:
        if name:
            _place(parameters, _parts(name), value)
    return parameters


def _parts(name: str) -> list[str]:
    """Split `a[b][][c]` into `a`, `b`, `[]`, `c`."""
    first = _FIRST_PART.match(name)
    assert first is not None  # every name has a first character
    rest = _NEXT_PART.findall(name, first.end())
    if len(rest) >= MAX_DEPTH:
        raise Unparsable(f"a parameter name of more than {MAX_DEPTH} parts")
    return [first.group(), *(item or key or other for item, key, other in rest)]


def _place(target: JSONObject, parts: list[str], value: str | None) -> None:
    key, *rest = parts
    if not rest:
        target[key] = value
    elif rest[0] == _ITEM:
        _append(_held(target, key, []), rest[1:], value)
    else:
        _place(_held(target, key, {}), rest, value)


def _append(items: list[Any], parts: list[str], value: str | None) -> None:
    """Add to a list what stands behind `[]`: the value itself, or a place in its last object."""
    if not parts:
        items.extend([] if value is None else [value])
    elif parts == [_ITEM]:
        items.append([] if value is None else [value])
    else:
        if not items or not isinstance(items[-1], dict) or _holds(items[-1], parts):
            items.append({})
        _place(items[-1], parts, value)


def _held(target: JSONObject, key: str, empty: Any) -> Any:
    """Return the container under a key, or put the empty one there; None counts as nothing."""
    held = target.get(key)
    if held is None:
        held = target[key] = empty
    if type(held) is not type(empty):
        raise Unparsable(f"parameter {key} is used in two shapes")
    return held


def _holds(item: Any, parts: list[str]) -> bool:
    for part in parts:
        if not isinstance(item, dict) or part not in item:
            return False
        item = item[part]
    return True
