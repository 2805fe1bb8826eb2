"""The formats that our documents may name, each judged by a function of ours.

Both schema engines are given the same functions, so they cannot disagree. Each takes time in
proportion to the text, however it is built, and accepts any text without raising.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lago_mock.contract.values import clean, is_blank

if TYPE_CHECKING:
    from jsonschema import FormatChecker

_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?"
    r"(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII | re.IGNORECASE,
)
_DECIMAL: Final = re.compile(r"-?[0-9]+\.?[0-9]*", re.ASCII)
_LAST_MINUTE: Final = 24 * 60 - 1

_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

# Characters of RFC 3986: a host takes these, a user also `:`, a path and a fragment more.
_PLAIN: Final = r"!$&'()*+,;=0-9a-z._~\-"
_ESCAPE: Final = r"%[0-9a-f]{2}"
_URI: Final = re.compile(
    rf"https?://(?:(?:[{_PLAIN}:]|{_ESCAPE})*+@)?"
    rf"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?:[{_PLAIN}]|{_ESCAPE})++)(?::[0-9]*+)?"
    rf"(?:/(?:[{_PLAIN}:@/]|{_ESCAPE})*+)?"
    r'(?:\?[!"$-~]*+)?'
    rf"(?:\#(?:[{_PLAIN}:@/?]|{_ESCAPE})*+)?",
    re.ASCII | re.IGNORECASE,
)

_LABEL: Final = r"[a-z0-9]++(?:-++[a-z0-9]++)*+"
_SLUG: Final = re.compile(_LABEL)
_HOST_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})++", re.ASCII | re.IGNORECASE)
_BYTE: Final = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
_IPV4_LITERAL: Final = re.compile(rf"\[(?:{_BYTE}\.){{3}}{_BYTE}\]")
_QUOTED: Final = re.compile(
    r'"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*+"'
)
_LETTERS: Final = r"[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]++"
_ATOM: Final = re.compile(_LETTERS)
_USUAL_EMAIL: Final = re.compile(
    rf"{_LETTERS}(?:\.{_LETTERS})*+@(?i:{_LABEL}(?:\.{_LABEL})++)", re.ASCII
)
_ATOM_SIGNS: Final = frozenset("!#$%&'*+/=?^_`{|}~-")


def is_date_time(text: str) -> bool:
    """Tell whether this is an instant as RFC 3339 writes it: date, `T`, time, offset or `Z`.

    A 61st second passes only in the last minute of a day in UTC.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return False
    return match[6] != "60" or _minute_in_utc(match) == _LAST_MINUTE


def _minute_in_utc(match: re.Match[str]) -> int:
    local = int(match[4]) * 60 + int(match[5])
    if match[7] is None:
        return local
    offset = int(match[8]) * 60 + int(match[9])
    return (local + offset if match[7] == "-" else local - offset) % (24 * 60)


def is_date(text: str) -> bool:
    """Tell whether this is a day of the calendar, `2026-11-22`."""
    return is_date_time(f"{text}T00:00:00Z")


def is_uuid(text: str) -> bool:
    """Tell whether this is a UUID with its hyphens, of any version, in either case."""
    return _UUID.fullmatch(text) is not None


def is_uri(text: str) -> bool:
    """Tell whether this can be a webhook's address: http or https, with a host, in visible ASCII.

    Ruby's URI reads the parts: any port number, `_` in the host, escapes in pairs of hex digits.
    """
    match = _URI.fullmatch(text)
    return match is not None and (match["ipv6"] is None or _is_ipv6(match["ipv6"]))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def is_email(text: str) -> bool:
    """Tell whether this is blank, or e-mail addresses with commas between them.

    White space around each address does not count. The domain has a dot or is an IPv4 address in
    brackets; before the `@`, letters of every script are fine.
    lago-api: app/support/regex.rb, app/validators/email_validator.rb
    """
    if _USUAL_EMAIL.fullmatch(text):
        return True
    return is_blank(text) or all(_is_address(clean(piece, ["strip"])) for piece in text.split(","))


def _is_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    if not (_HOST_NAME.fullmatch(domain) or _IPV4_LITERAL.fullmatch(domain)):
        return False
    return _QUOTED.fullmatch(local) is not None or all(map(_is_atom, local.split(".")))


def _is_atom(text: str) -> bool:
    if text.isascii():
        return _ATOM.fullmatch(text) is not None
    return all(letter in _ATOM_SIGNS or unicodedata.category(letter)[0] in "LMN" for letter in text)


def is_decimal(text: str) -> bool:
    """Tell whether this is a number as Lago writes it in text: digits, and perhaps a fraction."""
    return _DECIMAL.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Tell whether this is made of `a` to `z`, digits and, between them, hyphens."""
    return _SLUG.fullmatch(text) is not None


def _for_text(accepts: Callable[[str], bool]) -> Callable[[object], bool]:
    """Let all that is no text pass: its type is another keyword's affair."""

    def accepts_value(value: object) -> bool:
        return not isinstance(value, str) or accepts(value)

    return accepts_value


FORMATS: Final[Mapping[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "date": _for_text(is_date),
        "date-time": _for_text(is_date_time),
        "uuid": _for_text(is_uuid),
        "uri": _for_text(is_uri),
        "email": _for_text(is_email),
        "slug": _for_text(is_slug),
        "decimal": _for_text(is_decimal),
    }
)


def format_checker() -> FormatChecker:
    """Return a new checker for jsonschema that knows the names in FORMATS and no others.

    jsonschema_rs takes the same functions as `formats=dict(FORMATS), validate_formats=True`.
    """
    from jsonschema import FormatChecker  # 40 ms, which a start need not pay

    checker = FormatChecker(formats=())
    for name, accepts in FORMATS.items():
        checker.checks(name)(accepts)
    return checker
