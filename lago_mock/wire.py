"""JSON as the server reads and writes it: bytes in, Python values out, and back.

The values are plain: dict with text keys, list, str, int, float, bool, None. Ordinary text costs
one pass of orjson; what orjson refuses or rounds takes a slower way to the answer the server gives.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

import orjson

JSONObject: TypeAlias = dict[str, Any]
JSON: TypeAlias = JSONObject | list[Any] | str | int | float | bool | None

MAX_DEPTH = 100

_SLOW_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

# Nineteen digits in a row are the least that can leave 64 bits.
_LONG_RUN = b"0" * 19
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")

# Each alternative matches even when its end is missing, so that no text is scanned twice.
_STRING_OR_COMMENT = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"?|/\*.*?(?:\*/|\Z)|//[^\n]*',
    re.DOTALL,
)
_VISIBLE = re.compile(r"[^\n]")


class Unparsable(Exception):
    """Raised for request text that cannot be read; the server answers it with a parse-error 400.

    `reason` is short text for people: what is wrong and, where known, at which place.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encode(value: object) -> bytes:
    r"""Return compact UTF-8 JSON, byte for byte in the server's manner.

    Letters outside ASCII stay raw; `&`, `<`, `>`, U+2028 and U+2029 are written `\u0026`, `\u003c`,
    `\u003e`, `\u2028`, `\u2029`, and `/` stays bare. Whole numbers keep all their digits.
    TypeError and ValueError mean that the value is no JSON.
    """
    try:
        text = orjson.dumps(value)
    except TypeError:  # most likely a whole number over 64 bits
        text = _SLOW_ENCODER.encode(value).encode()
    return copied(_escaped(text))


def copied(encoded: bytes) -> bytes:
    """Return the same bytes in no more memory than they need: orjson's own result keeps 8 KiB."""
    return bytes(memoryview(encoded))


def _escaped(text: bytes) -> bytes:
    # A replacement that finds nothing costs a search and no copy.
    text = text.replace(b"&", b"\\u0026").replace(b"<", b"\\u003c").replace(b">", b"\\u003e")
    if not text.isascii() and b"\xe2\x80" in text:
        text = text.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return text


def decode(data: bytes) -> JSON:
    """Return the value that a JSON body holds, read as leniently as the server reads it.

    Comments (`/* */` and `//`) count as space, the last of several equal keys wins, and whole
    numbers over 64 bits keep their digits. Everything else outside RFC 8259 raises Unparsable: NaN,
    a byte order mark, trailing commas, lone surrogates, invalid UTF-8, blank text; so do more than
    100 levels.
    A body of length 0 is unparsable here; the caller decides what its absence means.
    """
    try:
        return _decode_strictly(data)
    except orjson.JSONDecodeError:
        return _decode_without_comments(decode_text(data))


def _decode_strictly(data: bytes) -> JSON:
    # Differs from Lago: a number beyond the range of a double is bad JSON. This also keeps every
    # whole number far below the length that Python refuses to read or print.
    value: JSON = orjson.loads(data)
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    if not _is_exact(data):
        value = json.loads(data)
    return value


def _is_exact(data: bytes) -> bool:
    """Tell whether orjson rounds no whole number of a text."""
    return _LONG_RUN not in data.translate(_DIGITS_AS_ZEROS)


def decode_own(data: bytes) -> Any:
    """Return the value that JSON of our own making holds; whole numbers keep their digits.

    orjson.JSONDecodeError tells where it is no JSON.
    """
    value = orjson.loads(data)
    return value if _is_exact(data) else json.loads(data)


def _decode_without_comments(text: str) -> JSON:
    try:
        return _decode_strictly(_STRING_OR_COMMENT.sub(_blank_comment, text).encode())
    except orjson.JSONDecodeError as refusal:
        place = f"line {refusal.lineno} column {refusal.colno}"
        raise Unparsable(f"{refusal.msg} at {place}") from None


def _blank_comment(match: re.Match[str]) -> str:
    """Turn a comment into as many spaces, so that what follows keeps its line and column."""
    text = match.group()
    if text.startswith('"'):
        return text
    if text.startswith("/*") and (len(text) < 4 or not text.endswith("*/")):
        return text
    return _VISIBLE.sub(" ", text)


def _check_depth(value: JSON) -> None:
    """Walk the value level by level, without recursion, as deep as is allowed."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
    if any(isinstance(item, (dict, list)) for item in level):
        raise Unparsable(f"nested deeper than {MAX_DEPTH} levels")


def _children(value: JSON) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def decode_text(data: bytes) -> str:
    """Return the text that UTF-8 bytes spell; Unparsable names the first byte that spells none."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unparsable(f"invalid UTF-8 at byte {error.start + 1}") from None


def drop_nulls(value: JSON) -> JSON:
    """Return the value without the null items of its arrays, at every level; null members stay.

    The server does this to every JSON body before anything looks at it. Copies all containers:
    callers spare the walk when the raw text holds no `null`. `value` comes from `decode`, which
    bounds its depth.
    """
    if isinstance(value, dict):
        return {key: drop_nulls(member) for key, member in value.items()}
    if isinstance(value, list):
        return [drop_nulls(item) for item in value if item is not None]
    return value
