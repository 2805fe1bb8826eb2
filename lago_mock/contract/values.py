"""How Lago's columns read a JSON scalar, and how text is cleaned before it is judged.

The `to_...` functions never raise. What a column cannot read comes back unchanged, so that the
schema names the fault. Arrays and objects are dropped before they get here.

The rules are those of Rails' column types and of Ruby's own text methods.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

# What Ruby calls [[:space:]]; Python's own isspace() adds U+001C to U+001F.
SPACES: Final = (
    "\t\n\v\f\r \u0085\u00a0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_ASCII_SPACES: Final = "\t\n\v\f\r "

_DIGITS: Final = r"[0-9]++(?:_[0-9]++)*+"
_NUMBER: Final = re.compile(
    rf"(?P<sign>[+-]?)(?:(?P<whole>{_DIGITS})(?:\.{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
)
# The strictest limit that an interpreter can be given for reading and printing whole numbers.
_READABLE_DIGITS: Final = sys.int_info.str_digits_check_threshold
_TOO_LARGE: Final = 10**30

_FALSE_TEXTS: Final = frozenset({"0", "f", "F", "false", "FALSE", "off", "OFF"})


def is_blank(text: str) -> bool:
    """Tell whether there is nothing but white space, which Lago takes for no text at all."""
    return not text.strip(SPACES)


def to_text(value: Scalar) -> str | None:
    """Return what a string column keeps: numbers as Ruby prints them, booleans as `t` and `f`.

    None stays None and text stays as it is, spaces and case included.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return f"{Decimal(value):f}"  # str() refuses whole numbers of many thousand digits
    return _float_text(value)


def _float_text(value: float) -> str:
    """Print a float as Ruby does: with an exponent below 0.0001 and for whole numbers from 1e15."""
    large = abs(value) >= 1e15 and value.is_integer()
    if value == 0 or not math.isfinite(value) or (abs(value) >= 1e-4 and not large):
        return repr(value)
    mantissa, _, exponent = f"{Decimal(repr(value)):e}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}e{int(exponent):+03d}"


def to_integer(value: Scalar) -> Scalar:
    """Return what an integer column keeps: a whole number, cut off towards zero.

    Blank text gives None and false gives 0. An exponent in text is read over: `"1e3"` gives 1.
    What lies between 0 and -1 gives -1. Text of very many digits gives a number beyond every limit.
    True and all that reads as no number stay as they are, which the type of the schema refuses.
    """
    if value is False:
        return 0
    if isinstance(value, str):
        return _integer_of_text(value)
    if isinstance(value, float) and math.isfinite(value):
        return _cut_off(math.trunc(value), value)
    return value


def _integer_of_text(text: str) -> Scalar:
    if is_blank(text):
        return None
    number = _number_in(text)
    if number is None:
        return text
    return _cut_off(_whole_part(number), _float_of(number))


def _number_in(text: str) -> re.Match[str] | None:
    return _NUMBER.fullmatch(text.strip(_ASCII_SPACES))


def _float_of(number: re.Match[str]) -> float:
    return float(number.group())


def _whole_part(number: re.Match[str]) -> int:
    digits = (number["whole"] or "").replace("_", "").lstrip("0")
    size = _TOO_LARGE if len(digits) > _READABLE_DIGITS else int(digits or "0")
    return -size if number["sign"] == "-" else size


def _cut_off(whole: int, exact: float) -> int:
    # The server checks the range before it cuts off, so a minimum of 0 has to see -0.5 as negative.
    return min(whole, -1) if exact < 0 else whole


def to_number(value: Scalar) -> Scalar:
    """Return what a decimal column keeps, as a float; blank text gives None.

    Text is read as for an integer column, but its exponent counts. Booleans, text that is no
    number, and what no float can hold stay as they are.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _float_of_integer(value)
    return _number_of_text(value) if isinstance(value, str) else value


def _float_of_integer(value: int) -> int | float:
    try:
        return float(value)
    except OverflowError:
        return value


def _number_of_text(text: str) -> Scalar:
    if is_blank(text):
        return None
    number = _number_in(text)
    if number is None or math.isinf(_float_of(number)):
        return text
    return _float_of(number)


def to_boolean(value: Scalar) -> bool | None:
    """Return what a boolean column keeps: everything is true but a short list of spellings.

    None and `""` give None. `False`, `no`, blanks and 0.0 are not on the list, so they are true.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value not in _FALSE_TEXTS
    return isinstance(value, float) or value != 0


def _downcase(text: str) -> str:
    # Letter by letter: lower() of a whole text gives a sigma at the end of a word its final form,
    # Ruby's downcase does not.
    return "".join(map(str.lower, text))


def _strip(text: str) -> str:
    # Ruby's strip, at both ends: ASCII white space and NUL, nothing of Unicode.
    return text.strip(f"{_ASCII_SPACES}\0")


_EMAIL_REPAIRS: Final = MappingProxyType(
    dict.fromkeys(map(ord, "\u2012\u2013\u2014\u2015\u2043\u2212"), "-")
    | dict.fromkeys(map(ord, "\u200b\u200c\u200d\u00a0\u200e\u200f\ufeff"), "")
)


def _clean_email(text: str) -> str:
    # lago-api: email_sanitizer.rb
    if is_blank(text):
        return text
    return _strip(text if text.isascii() else text.translate(_EMAIL_REPAIRS))


def _drop_nul(text: str) -> str:
    return text.replace("\0", "")


CLEANERS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "upcase": str.upper,
        "downcase": _downcase,
        "strip": _strip,
        "email": _clean_email,
        "nul": _drop_nul,
    }
)


def clean(text: str, steps: Sequence[str]) -> str:
    """Return the text after each named step, in the order given; the names are CLEANERS' keys.

    `upcase` and `downcase` change letters of every script, also where one becomes two (`ß`).
    `strip` takes white space and NUL off both ends, but only of ASCII. `email` turns dashes into
    hyphens, drops invisible characters and strips; text that is blank from the start it leaves
    alone. `nul` drops NUL characters. Another name is a KeyError.
    """
    for step in steps:
        text = CLEANERS[step](text)
    return text
