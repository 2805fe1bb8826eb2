from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_mock.wire import Unparsable, decode, decode_own, decode_text, drop_nulls, encode
from tests.versions import is_older

# A busy machine is no failure.
UNHURRIED = settings(deadline=None)

# Ten thousand digits pass every limit that Python or a double knows.
TOO_MANY_DIGITS = b"9" * 10_000

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**308), max_value=10**308)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"a": [1, None, True], "b": {}}, '{"a":[1,null,true],"b":{}}', id="compact"),
        pytest.param("Zoë 😀 / \x7f", '"Zoë 😀 / \x7f"', id="letters-and-slash-stay-raw"),
        pytest.param("<a & b>", '"\\u003ca \\u0026 b\\u003e"', id="markup"),
        pytest.param({"&": "\\&"}, '{"\\u0026":"\\\\\\u0026"}', id="markup-in-keys-and-escapes"),
        pytest.param("\u2028\u2029\u2027", '"\\u2028\\u2029\u2027"', id="line-separators"),
        pytest.param('"\\\n\x00', '"\\"\\\\\\n\\u0000"', id="quotes-and-controls"),
        pytest.param(20.0, "20.0", id="rate-is-a-float"),
        pytest.param(2**64 - 1, "18446744073709551615", id="unsigned-64-bits"),
        pytest.param(
            {"n": [2**64, -(2**63) - 1], "t": "é<\u2028"},
            '{"n":[18446744073709551616,-9223372036854775809],"t":"é\\u003c\\u2028"}',
            id="over-64-bits",
        ),
    ],
)
def test_encode_writes_what_the_server_writes(value: object, text: str) -> None:
    assert encode(value) == text.encode()


def test_what_is_encoded_takes_no_more_memory_than_it_needs() -> None:
    text = encode({"code": "vat"})
    assert text.__sizeof__() == bytes(bytearray(text)).__sizeof__()


def test_encode_refuses_what_is_no_json() -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b' {"a": 1}\r\n\t', {"a": 1}, id="space-around"),
        pytest.param(b"[]", [], id="top-level-array"),
        pytest.param(b'"x"', "x", id="top-level-string"),
        pytest.param(b"12", 12, id="top-level-number"),
        pytest.param(b"null", None, id="top-level-null"),
        pytest.param(b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}, id="last-of-equal-keys"),
        pytest.param(b'/* c */{"a":/* , */1}', {"a": 1}, id="block-comments"),
        pytest.param(b"[1 // one, \n,2] // end", [1, 2], id="line-comments"),
        pytest.param("[/* é\n */2]".encode(), [2], id="comment-outside-ascii"),
        pytest.param(b"[1]/**/", [1], id="empty-comment"),
        pytest.param(b'["/* a */","\\"// b"/* c */]', ["/* a */", '"// b'], id="comments-in-text"),
        pytest.param(b'"\\ud83d\\ude00"', "😀", id="surrogate-pair"),
        pytest.param(b'"\\u0000"', "\x00", id="nul"),
        pytest.param(b'["1[[[","{{"]', ["1[[[", "{{"], id="brackets-in-text"),
        pytest.param(b'"' + b"[" * 200 + b'"', "[" * 200, id="many-brackets-in-text"),
    ],
)
def test_decode_reads_what_the_server_reads(body: bytes, value: Any) -> None:
    assert decode(body) == value


@pytest.mark.parametrize(
    "digits",
    [
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "9" * 308,
    ],
)
@pytest.mark.parametrize("form", ["[{}]", '{{"a":{{"b":{}}}}}', "[{} /* big */]"])
def test_decode_keeps_all_digits_of_whole_numbers(digits: str, form: str) -> None:
    decoded = decode(form.format(digits).encode())

    assert encode(decoded) == form.replace(" /* big */", "").format(digits).encode()


@pytest.mark.parametrize("value", [[2**70, "2"], {"a": -(10**18)}, 1.5])
def test_what_is_our_own_is_decoded_to_the_digit(value: Any) -> None:
    assert decode_own(json.dumps(value).encode()) == value


def test_what_is_no_json_is_not_decoded_as_our_own() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        decode_own(b'{"a": 1180591620717411303424')


def test_decode_reads_a_long_fraction_as_a_float() -> None:
    assert decode(b"[12345678901234567890.5,1e3]") == [12345678901234567890.5, 1000.0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b'{"a":\xff}', "invalid UTF-8 at byte 6", id="invalid-utf-8"),
        pytest.param(b'{"a":1} /* \xff */', "invalid UTF-8 at byte 12", id="invalid-in-comment"),
        pytest.param(nested(101), "nested deeper than 100 levels", id="arrays-too-deep"),
        pytest.param(
            b'/**/{"a":' * 101 + b"1" + b"}" * 101,
            "nested deeper than 100 levels",
            id="objects-too-deep-with-comments",
        ),
    ],
)
def test_decode_says_why_it_refuses(body: bytes, reason: str) -> None:
    with pytest.raises(Unparsable) as caught:
        decode(body)

    assert caught.value.reason == reason
    assert str(caught.value) == reason


# The words before the place are orjson's and change with its releases.
@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"", "line 1 column 1", id="empty"),
        pytest.param(b" \n\t ", "line 1 column 1", id="blank"),
        pytest.param(b"/* only */", "line 1 column 1", id="comment-alone"),
        pytest.param(b"\xef\xbb\xbf{}", "line 1 column 1", id="byte-order-mark"),
        pytest.param(b"NaN", "line 1 column 1", id="nan"),
        pytest.param(b"[Infinity]", "line 1 column 2", id="infinity"),
        pytest.param(b"[-Infinity]", "line 1 column 3", id="minus-infinity"),
        pytest.param(b"1e400", "line 1 column 1", id="beyond-doubles"),
        pytest.param(b'{"a":' + TOO_MANY_DIGITS + b"}", "line 1 column 6", id="too-many-digits"),
        pytest.param(b"-" + TOO_MANY_DIGITS, "line 1 column 1", id="too-many-negative-digits"),
        pytest.param(b"{'a':1}", "line 1 column 2", id="single-quotes"),
        pytest.param(b'{"a":1,\n"b":2,}', "line 2 column 6", id="trailing-comma-in-object"),
        pytest.param(b"[1,]", "line 1 column 3", id="trailing-comma-in-array"),
        pytest.param(b"/* one\n two */ [1,]", "line 2 column 11", id="place-behind-a-comment"),
        pytest.param(
            b'"\\ud800"',
            "line 1 column 2",
            marks=pytest.mark.skipif(is_older("orjson", "3.12"), reason="it names the end"),
            id="lone-high-surrogate",
        ),
        pytest.param(b'"\\udc00"', "line 1 column 2", id="lone-low-surrogate"),
        pytest.param(b'{"a":1} x', "line 1 column 9", id="text-behind"),
        pytest.param(b"[1]/* no end", "line 1 column 4", id="comment-without-end"),
        pytest.param(b"[1]/*/", "line 1 column 4", id="comment-of-three-signs"),
        pytest.param(b"[1]/", "line 1 column 4", id="slash"),
        pytest.param(b"[1]# x", "line 1 column 4", id="number-sign-comment"),
        pytest.param(b'"a\nb"', "line 1 column 3", id="raw-newline-in-text"),
        pytest.param(b"01", "line 1 column 1", id="leading-zero"),
    ],
)
def test_decode_says_where_it_refuses(body: bytes, place: str) -> None:
    with pytest.raises(Unparsable) as caught:
        decode(body)

    words, _, where = caught.value.reason.rpartition(" at ")
    assert words
    assert where == place


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(nested(1_000), id="as-deep-as-orjson-goes"),
        pytest.param(nested(100_000), id="deeper"),
        pytest.param(b'{"a":[' * 100_000, id="open"),
        pytest.param(nested(900) + b" " + TOO_MANY_DIGITS, id="deep-and-long"),
        pytest.param(b"[" * 900 + b"1" * 30 + b"]" * 900, id="deep-with-a-long-number"),
        pytest.param(b'"' + b'\\"' * 300_000, id="open-text-of-quotes"),
        pytest.param(b"/*" * 300_000, id="open-comments"),
    ],
)
def test_decode_survives_hostile_text(body: bytes) -> None:
    with pytest.raises(Unparsable):
        decode(body)


@pytest.mark.parametrize(
    "body",
    [nested(100), b'{"a":' * 99 + b"[1]" + b"}" * 99],
    ids=["arrays", "objects"],
)
def test_decode_reads_a_hundred_levels(body: bytes) -> None:
    assert encode(decode(body)) == body


def test_decode_counts_levels_and_not_brackets() -> None:
    wide = [{"a": [number]} for number in range(200)]

    assert decode(encode(wide)) == wide


@UNHURRIED
@given(VALUES)
def test_decode_gives_back_what_encode_was_given(value: Any) -> None:
    assert decode(encode(value)) == value


@UNHURRIED
@given(VALUES)
def test_encode_gives_markup_no_place(value: Any) -> None:
    assert not set(encode(value)) & set(b"&<>")


@UNHURRIED
@given(st.binary() | st.text('{}[]",:/*\\0 9eE-.n', max_size=40).map(str.encode))
def test_decode_gives_a_value_or_unparsable(body: bytes) -> None:
    with suppress(Unparsable):
        value = decode(body)
        assert decode(encode(value)) == value


@UNHURRIED
@given(VALUES)
def test_decode_takes_comments_between_tokens(value: Any) -> None:
    assert decode(b"/* a */" + encode({"k": value}) + b"// b") == {"k": value}


def test_decode_text_reads_utf_8() -> None:
    assert decode_text("Zoë".encode()) == "Zoë"


@pytest.mark.parametrize(
    "data", [b"ab\xff", b"ab\xed\xa0\x80", b"ab\xc3"], ids=["stray", "surrogate", "cut-off"]
)
def test_decode_text_names_the_first_wrong_byte(data: bytes) -> None:
    with pytest.raises(Unparsable) as caught:
        decode_text(data)

    assert caught.value.reason == "invalid UTF-8 at byte 3"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(None, None, id="top-level"),
        pytest.param("null", "null", id="text"),
        pytest.param([None], [], id="alone"),
        pytest.param([1, None, 2], [1, 2], id="between"),
        pytest.param({"a": None}, {"a": None}, id="members-stay"),
        pytest.param({"a": [None, {"b": [[None]]}]}, {"a": [{"b": [[]]}]}, id="every-level"),
    ],
)
def test_drop_nulls_empties_arrays_only(value: Any, kept: Any) -> None:
    assert drop_nulls(value) == kept


def test_drop_nulls_leaves_its_argument_alone() -> None:
    value: Any = {"a": [None]}

    drop_nulls(value)

    assert value == {"a": [None]}
