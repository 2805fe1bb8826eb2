from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lago_mock.contract.values import (
    CLEANERS,
    Scalar,
    clean,
    is_blank,
    to_boolean,
    to_integer,
    to_number,
    to_text,
)

INFINITY = float("inf")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NUMBERISH = st.text(alphabet="0123456789_.+-eE \tx", max_size=12)


def same(left: object, right: object) -> bool:
    """Tell whether two values are equal, of one type and sign: 0 is not false, 0.0 is not -0.0."""
    return type(left) is type(right) and repr(left) == repr(right)


def labeled(table: list[tuple[Any, Any]]) -> list[Any]:
    return [pytest.param(raw, kept, id=f"{raw!r:.30}") for raw, kept in table]


@pytest.mark.parametrize(
    ("raw", "kept"),
    labeled(
        [
            (None, None),
            ("", ""),
            (" Ünchanged\0 ", " Ünchanged\0 "),
            (True, "t"),
            (False, "f"),
            (12, "12"),
            (0, "0"),
            (-7, "-7"),
            (10**20, "100000000000000000000"),
            (1.5, "1.5"),
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e20, "1.0e+20"),
            (-1.25e20, "-1.25e+20"),
            (1.5e300, "1.5e+300"),
            (1e16, "1.0e+16"),
            (1e15, "1.0e+15"),
            (1234567890123456.0, "1.234567890123456e+15"),
            (1196608117795753.2, "1196608117795753.2"),
            (123456789012345.0, "123456789012345.0"),
            (999999999999999.0, "999999999999999.0"),
            (0.0001, "0.0001"),
            (0.00001, "1.0e-05"),
            (-0.000012345, "-1.2345e-05"),
            (5e-324, "5.0e-324"),
        ]
    ),
)
def test_to_text_writes_a_value_as_the_server_does(raw: Scalar, kept: str | None) -> None:
    assert to_text(raw) == kept


def test_to_text_keeps_every_digit_of_a_whole_number_that_str_refuses() -> None:
    assert to_text(-(10**5000)) == "-1" + "0" * 5000


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_to_text_loses_nothing_of_a_float(value: float) -> None:
    assert same(float(to_text(value) or ""), value)


@pytest.mark.parametrize(
    ("raw", "kept"),
    labeled(
        [
            (3, 3),
            ("3", 3),
            (" 5 ", 5),
            ("\t\n\v\f\r5", 5),
            ("+5", 5),
            ("007", 7),
            (3.7, 3),
            ("3.7", 3),
            (12.999, 12),
            (1000.0, 1000),
            ("1_000", 1000),
            ("1_000.5", 1000),
            ("1e3", 1),
            ("1E+3", 1),
            ("1e-2", 1),
            ("1e400", 1),
            (".5", 0),
            ("+.5", 0),
            ("0.5e1", 0),
            ("-0", 0),
            (-0.0, 0),
            ("-0.0", 0),
            (0, 0),
            (False, 0),
            ("", None),
            ("   ", None),
            ("\u00a0\u3000", None),
            (None, None),
            (2147483648, 2147483648),
            ("2147483648", 2147483648),
            (10**40, 10**40),
            ("1" * 40, int("1" * 40)),
            (1e20, 10**20),
        ]
    ),
)
def test_to_integer_reads_numbers_and_cuts_them_off(raw: Scalar, kept: int | None) -> None:
    assert same(to_integer(raw), kept)


@pytest.mark.parametrize(
    ("raw", "kept"),
    labeled(
        [
            (-1, -1),
            ("-1", -1),
            (-0.5, -1),
            ("-0.5", -1),
            ("-.5", -1),
            ("-1e-2", -1),
            (-5e-324, -1),
            (-3.7, -3),
            ("-3.7", -3),
        ]
    ),
)
def test_to_integer_keeps_what_is_below_zero_below_zero(raw: Scalar, kept: int) -> None:
    assert same(to_integer(raw), kept)


NO_NUMBERS = [
    "abc",
    "1,000",
    "1 000",
    "0x1A",
    "0b11",
    "0o7",
    "5.",
    "5.e1",
    "1__0",
    "_1",
    "1_",
    "1_.5",
    "1._5",
    "1e",
    "1e_5",
    "e5",
    ".",
    "-",
    "+-5",
    "- 5",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "\u0663",
    "\uff15",
    "5\0",
    "\u00a05",
]


@pytest.mark.parametrize("raw", [*NO_NUMBERS, True], ids=repr)
def test_to_integer_leaves_what_is_no_number(raw: Scalar) -> None:
    assert to_integer(raw) is raw


@pytest.mark.parametrize("raw", [INFINITY, -INFINITY, math.nan], ids=repr)
@pytest.mark.parametrize("read", [to_integer, to_number])
def test_floats_outside_json_stay(read: Callable[[Scalar], Scalar], raw: float) -> None:
    assert read(raw) is raw


@pytest.mark.parametrize("raw", [INFINITY, -INFINITY, math.nan], ids=repr)
def test_to_text_prints_floats_outside_json(raw: float) -> None:
    assert to_text(raw) == repr(raw)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        pytest.param("9" * 10_000, 10**30, id="positive"),
        pytest.param("-" + "9" * 10_000, -(10**30), id="negative"),
        pytest.param("9_" * 10_000 + "9.5", 10**30, id="underscored, with a fraction"),
        pytest.param("0" * 10_000 + "5", 5, id="leading zeros"),
        pytest.param("0." + "9" * 10_000, 0, id="long fraction"),
        pytest.param("7e" + "9" * 10_000, 7, id="long exponent"),
        pytest.param("9" * 10_000 + "x", "9" * 10_000 + "x", id="no number after all"),
    ],
)
def test_to_integer_reads_text_of_very_many_digits(raw: str, kept: Scalar) -> None:
    assert same(to_integer(raw), kept)


@pytest.mark.parametrize(
    ("raw", "kept"),
    labeled(
        [
            (15, 15.0),
            (0, 0.0),
            (-3, -3.0),
            (12.5, 12.5),
            ("12.5", 12.5),
            (" +1_000.25 ", 1000.25),
            ("1e3", 1000.0),
            ("1e-2", 0.01),
            (".5", 0.5),
            ("-0.5", -0.5),
            ("-0", -0.0),
            ("", None),
            (" \u2003", None),
            (None, None),
        ]
    ),
)
def test_to_number_reads_numbers_as_floats(raw: Scalar, kept: float | None) -> None:
    assert same(to_number(raw), kept)


@pytest.mark.parametrize(
    "raw",
    [*NO_NUMBERS, True, False, "1e400", "-1e400", 10**400, "9" * 10_000],
    ids="{!r:.20}".format,
)
def test_to_number_leaves_what_is_no_number_and_what_no_float_holds(raw: Scalar) -> None:
    assert to_number(raw) is raw


@pytest.mark.parametrize("raw", [False, 0, "0", "f", "F", "false", "FALSE", "off", "OFF"], ids=repr)
def test_to_boolean_knows_a_few_spellings_of_false(raw: Scalar) -> None:
    assert to_boolean(raw) is False


@pytest.mark.parametrize(
    "raw",
    [True, 1, 2, -1, 0.0, -0.0, 1.5, "1", "t", "False", "no", "n", "null", "Off", " false", " "],
    ids=repr,
)
def test_to_boolean_takes_everything_else_for_true(raw: Scalar) -> None:
    assert to_boolean(raw) is True


@pytest.mark.parametrize("raw", ["", None], ids=repr)
def test_to_boolean_takes_empty_text_for_null(raw: Scalar) -> None:
    assert to_boolean(raw) is None


@given(SCALARS | NUMBERISH)
def test_reading_twice_changes_nothing(value: Scalar) -> None:
    for read in (to_text, to_integer, to_number, to_boolean):
        once = read(value)
        assert same(read(once), once)


@given(st.text(alphabet="0123456789_.+- \tx", max_size=8))
def test_text_is_an_integer_to_the_server_exactly_when_it_is_a_number(text: str) -> None:
    assert (to_integer(text) is text) == (to_number(text) is text)


RUBY_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@pytest.mark.parametrize("text", ["", *RUBY_SPACES, RUBY_SPACES], ids=ascii)
def test_white_space_of_every_script_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize(
    "text", ["a", " a ", ".", "\0", "\x1c", "\x1f", "\u200b", "\ufeff", "\u180e"], ids=ascii
)
def test_visible_text_controls_and_zero_width_characters_are_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("step", "raw", "cleaned"),
    [
        ("upcase", "fr", "FR"),
        ("upcase", "straße ŉ é", "STRASSE \u02bcN É"),
        ("upcase", " \ufb01 ", " FI "),
        ("downcase", "ACME-Corp", "acme-corp"),
        ("downcase", "İ", "i\u0307"),
        ("downcase", "ΟΔΟΣ", "οδοσ"),
        ("strip", "\0 \t\n\v\f\ra b\0 \r\n\0", "a b"),
        ("strip", "\u00a0a\u2003", "\u00a0a\u2003"),
        ("strip", "\x1ca\x1c", "\x1ca\x1c"),
        ("strip", " \0 ", ""),
        ("nul", "\0a\0\0b\0", "ab"),
        ("nul", " a ", " a "),
        ("email", " a@b.co ", "a@b.co"),
        ("email", "a@b.co, c@d.co", "a@b.co, c@d.co"),
        ("email", "\ufeffa\u200b\u200c\u200d\u00a0\u200e\u200fb@c.co", "ab@c.co"),
        ("email", "a\u2012b\u2013c\u2014d\u2015e\u2043f\u2212g@h.co", "a-b-c-d-e-f-g@h.co"),
        ("email", "\u00a0 a@b.co", "a@b.co"),
        ("email", "\u200b", ""),
        ("email", "", ""),
        ("email", "  ", "  "),
        ("email", "\u00a0", "\u00a0"),
    ],
    ids=ascii,
)
def test_a_cleaning_step(step: str, raw: str, cleaned: str) -> None:
    assert clean(raw, [step]) == cleaned


def test_steps_are_taken_in_the_order_given() -> None:
    assert clean(" \0A\0 ", ["strip", "downcase", "nul"]) == "a"
    assert clean("\u00a0", ["email", "nul"]) == "\u00a0"
    assert clean(" \0 x", ["nul", "upcase"]) == "  X"


def test_without_steps_text_stays() -> None:
    assert clean(" \0A", []) == " \0A"


def test_an_unknown_step_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="trim"):
        clean("a", ["trim"])


def test_the_cleaners_cannot_be_changed() -> None:
    assert set(CLEANERS) == {"upcase", "downcase", "strip", "email", "nul"}
    with pytest.raises(TypeError):
        CLEANERS["trim"] = str.strip  # type: ignore[index]


@given(st.text(), st.sampled_from(sorted(set(CLEANERS) - {"email"})))
def test_cleaning_twice_changes_nothing(text: str, step: str) -> None:
    assert clean(text, [step, step]) == clean(text, [step])


@pytest.mark.parametrize("step", CLEANERS)
@pytest.mark.parametrize(
    "text", [" " * 100_000 + "a", "\u2014" * 100_000], ids=["spaces", "dashes"]
)
def test_long_text_is_cleaned(step: str, text: str) -> None:
    assert len(clean(text, [step])) in {1, 100_000, 100_001}
