from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_mock.parameters import (
    MalformedMediaType,
    decode_path_segment,
    parse_form,
    parse_media_type,
    parse_multipart,
    parse_query,
)
from lago_mock.wire import Unparsable

# A busy machine is no failure.
UNHURRIED = settings(deadline=None)

FORM = "multipart/form-data; boundary=cut"

# Text that has a place in URLs, with the signs that mean something there made frequent.
BRACKETED = st.text("ab[]=&+%;0 é", max_size=30)


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    lines = ["--cut", f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "parameters"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("a=1&b=2", {"a": "1", "b": "2"}, id="two"),
        pytest.param("a=1&a=2", {"a": "2"}, id="last-wins"),
        pytest.param("a", {"a": None}, id="no-equals-sign"),
        pytest.param("a=", {"a": ""}, id="empty-value"),
        pytest.param("a=b=c", {"a": "b=c"}, id="second-equals-sign"),
        pytest.param("=1&&a=1&", {"a": "1"}, id="empty-names-and-fields"),
        pytest.param("a=1;b=2", {"a": "1;b=2"}, id="semicolon-separates-nothing"),
        pytest.param("a=1& b=2", {"a": "1", "b": "2"}, id="space-behind-the-separator"),
        pytest.param("a=x+y%2Bz%20%26", {"a": "x y+z &"}, id="plus-and-escapes"),
        pytest.param("n%61me%5Bk%5D=%C3%A9", {"name": {"k": "é"}}, id="escaped-name"),
        pytest.param("a=é&b=%ef%bb%bf", {"a": "é", "b": "\ufeff"}, id="outside-ascii"),
        pytest.param("a[b]=1", {"a": {"b": "1"}}, id="object"),
        pytest.param("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}, id="objects"),
        pytest.param("a[0]=x&a[1]=y", {"a": {"0": "x", "1": "y"}}, id="numbers-are-keys"),
        pytest.param("a[]=1&a[]=2", {"a": ["1", "2"]}, id="list"),
        pytest.param("a[]=1&a[]&a[]=", {"a": ["1", ""]}, id="list-drops-null"),
        pytest.param("a[]", {"a": []}, id="list-of-null"),
        pytest.param("a[b][]=1&a[b][]=2", {"a": {"b": ["1", "2"]}}, id="list-in-object"),
        pytest.param(
            "x[][k]=1&x[][j]=2&x[][k]=3",
            {"x": [{"k": "1", "j": "2"}, {"k": "3"}]},
            id="objects-in-list",
        ),
        pytest.param(
            "x[][a][b]=1&x[][a][c]=2&x[][a][b]=3",
            {"x": [{"a": {"b": "1", "c": "2"}}, {"a": {"b": "3"}}]},
            id="deeper-objects-in-list",
        ),
        pytest.param(
            "x[][k][]=1&x[][k][]=2", {"x": [{"k": ["1", "2"]}]}, id="list-in-object-in-list"
        ),
        pytest.param("x[]=1&x[][k]=2", {"x": ["1", {"k": "2"}]}, id="object-behind-text"),
        pytest.param("x[]k=1", {"x": [{"k": "1"}]}, id="key-without-brackets-in-list"),
        pytest.param("x[][]=1&x[][]=2&x[][]", {"x": [["1"], ["2"], []]}, id="list-in-list"),
        pytest.param("x[][][k]=1", {"x": [{"[]": {"k": "1"}}]}, id="object-in-list-in-list"),
        pytest.param("a&a[b]=1", {"a": {"b": "1"}}, id="null-gives-way-to-object"),
        pytest.param("a&a[]=1", {"a": ["1"]}, id="null-gives-way-to-list"),
        pytest.param("a[b]=1&a=2", {"a": "2"}, id="text-over-object"),
        pytest.param("[]=1", {"[]": "1"}, id="bare-list"),
        pytest.param("[a]=1&[b][c]=2", {"[a]": "1", "[b]": {"c": "2"}}, id="leading-bracket"),
        pytest.param("a[=1", {"a[": "1"}, id="bracket-at-the-end"),
        pytest.param("a[b][=1", {"a": {"[b][": "1"}}, id="second-bracket-at-the-end"),
        pytest.param("a[b=1", {"a": {"[b": "1"}}, id="bracket-left-open"),
        pytest.param("a]b=1", {"a]b": "1"}, id="closing-bracket-alone"),
        pytest.param("a[b]c=1", {"a": {"b": {"c": "1"}}}, id="text-behind-a-bracket"),
        pytest.param("a[b[c]=1", {"a": {"b[c": "1"}}, id="bracket-in-brackets"),
        pytest.param("a\n[b\n]=1", {"a\n": {"b\n": "1"}}, id="line-breaks"),
        pytest.param('{"a":1}', {'{"a":1}': None}, id="json"),
    ],
)
@pytest.mark.parametrize("parse", [parse_query, parse_form])
def test_bracket_names_are_read_as_rack_reads_them(
    parse: Any, raw: str, parameters: dict[str, Any]
) -> None:
    assert parse(raw.encode()) == parameters


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"a=1&a[b]=2", "parameter a is used in two shapes", id="text-then-object"),
        pytest.param(b"a=1&a[]=2", "parameter a is used in two shapes", id="text-then-list"),
        pytest.param(b"a[]=1&a[b]=2", "parameter a is used in two shapes", id="list-then-object"),
        pytest.param(b"a[b]=1&a[]=2", "parameter a is used in two shapes", id="object-then-list"),
        pytest.param(
            b"x[][k]=1&x[][k][j]=2", "parameter k is used in two shapes", id="text-in-list-item"
        ),
        pytest.param(b"a=%ZZ", "broken percent escape %ZZ", id="escape-of-letters"),
        pytest.param(b"a%=1", "broken percent escape %", id="bare-percent"),
        pytest.param(b"a=100%25%4", "broken percent escape %4", id="escape-cut-off"),
        pytest.param(b"a=%\xff\n", "broken percent escape %\\xff\n", id="escape-of-bytes"),
        pytest.param(b"a=x%FF", "invalid UTF-8 at byte 2", id="escaped-invalid-utf-8"),
        pytest.param(b"\xff=1", "invalid UTF-8 at byte 1", id="raw-invalid-utf-8"),
        pytest.param(b"a=%ED%A0%80", "invalid UTF-8 at byte 1", id="escaped-surrogate"),
        pytest.param(
            b"a" + b"[b]" * 100, "a parameter name of more than 100 parts", id="too-many-parts"
        ),
        pytest.param(
            b"a" + b"[]" * 100_000, "a parameter name of more than 100 parts", id="endless-name"
        ),
    ],
)
@pytest.mark.parametrize("parse", [parse_query, parse_form])
def test_broken_parameters_are_unparsable(parse: Any, raw: bytes, reason: str) -> None:
    with pytest.raises(Unparsable) as caught:
        parse(raw)

    assert caught.value.reason == reason


def test_a_name_has_up_to_a_hundred_parts() -> None:
    held: Any = parse_query(b"a" + b"[a]" * 99 + b"=1")

    for _ in range(100):
        held = held["a"]
    assert held == "1"


def test_a_multipart_body_gives_fields_and_files_in_their_order() -> None:
    body = (
        part('name="customer[external_id]"', b"c1")
        + part('name="customer[name]"', "Zoë\r\n& + %ZZ".encode())
        + part('name="customer[metadata][][key]"', b"")
        + part('name="customer[url]"; filename="u.txt"', b"http://x", "Content-Type: text/plain")
        + part('name="customer[url]"; filename="v.txt"', "é".encode())
        + b"--cut--\r\nwhatever follows"
    )

    assert parse_multipart(body, FORM) == {
        "customer": {
            "external_id": "c1",
            "name": "Zoë\r\n& + %ZZ",
            "metadata": [{"key": ""}],
            "url": "é",
        }
    }


def test_a_large_file_in_a_multipart_body_is_read_whole() -> None:
    content = b"0123456789" * 200_000
    body = part('name="f"; filename="f"', content) + b"--cut--\r\n"

    assert parse_multipart(body, FORM) == {"f": content.decode()}


@pytest.mark.parametrize(
    "content_type",
    ['Multipart/Form-Data; charset=utf-8; boundary="cut"', "multipart/form-data;boundary=cut"],
)
def test_the_boundary_is_read_from_the_content_type(content_type: str) -> None:
    assert parse_multipart(part("name=a", b"1") + b"--cut--", content_type) == {"a": "1"}


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data"])
def test_an_empty_multipart_body_has_no_parameters(content_type: str) -> None:
    assert parse_multipart(b"", content_type) == {}


@pytest.mark.parametrize("body", [b"--cut--", b"--cut--\r\n"])
def test_a_multipart_body_may_have_no_parts(body: bytes) -> None:
    assert parse_multipart(body, FORM) == {}


WHOLE = part('name="a"', b"1") + b"--cut--\r\n"


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        pytest.param(
            WHOLE, "multipart/form-data", "multipart body without a boundary", id="no-boundary"
        ),
        pytest.param(
            WHOLE, "multipart/form-data; boundary=", "multipart body without a boundary", id="empty"
        ),
        pytest.param(WHOLE[:-6], FORM, "multipart body without its end", id="cut-off"),
        pytest.param(b"\r\n", FORM, "multipart body without its end", id="blank"),
        pytest.param(
            part('name="a"', b"\xff") + b"--cut--", FORM, "invalid UTF-8 at byte 1", id="field"
        ),
        pytest.param(
            part('name="a"; filename="b"', b"0\xff") + b"--cut--",
            FORM,
            "invalid UTF-8 at byte 2",
            id="file",
        ),
        pytest.param(
            part('name="a"', b"1") + part('name="a[b]"', b"2") + b"--cut--",
            FORM,
            "parameter a is used in two shapes",
            id="two-shapes",
        ),
    ],
)
def test_a_broken_multipart_body_is_unparsable(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(Unparsable) as caught:
        parse_multipart(body, content_type)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b'{"customer":{}}', FORM, id="json"),
        pytest.param(WHOLE, "multipart/form-data; boundary=other", id="other-boundary"),
        pytest.param(WHOLE, "multipart/form-data; boundary=" + "b" * 5_000, id="endless-boundary"),
        pytest.param(WHOLE, "multipart/form-data; boundary=☃", id="boundary-outside-latin-1"),
        pytest.param(WHOLE.replace(b"\r\n1", b"1"), FORM, id="no-blank-line"),
        pytest.param(WHOLE.replace(b"Content-D", b"Content D"), FORM, id="header-with-a-space"),
    ],
)
def test_a_multipart_body_that_does_not_fit_is_unparsable(body: bytes, content_type: str) -> None:
    with pytest.raises(Unparsable, match=r"^(broken multipart body: .|multipart body without )"):
        parse_multipart(body, content_type)


@pytest.mark.parametrize(
    ("raw", "segment"),
    [
        pytest.param("c1", "c1", id="plain"),
        pytest.param("c1%2Efoo", "c1.foo", id="dot"),
        pytest.param("a%2Fb", "a/b", id="slash"),
        pytest.param("a%20b+c", "a b+c", id="space-and-plus"),
        pytest.param("%2525", "%25", id="only-once"),
        pytest.param("caf%C3%A9", "café", id="escaped-letter"),
        pytest.param("café", "café", id="raw-letter"),
        pytest.param("a%00", "a\x00", id="nul"),
        pytest.param("", "", id="empty"),
    ],
)
def test_decode_path_segment_undoes_percent_escapes(raw: str, segment: str) -> None:
    assert decode_path_segment(raw) == segment


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param("a%FF", "invalid UTF-8 at byte 2", id="escaped-invalid-utf-8"),
        pytest.param("a\udcff", "invalid UTF-8 at byte 2", id="raw-invalid-utf-8"),
        pytest.param("a\ud800", "no text at character 2", id="lone-surrogate"),
        pytest.param("%ZZ", "broken percent escape %ZZ", id="broken-escape"),
        pytest.param("a%2", "broken percent escape %2", id="escape-cut-off"),
    ],
)
def test_decode_path_segment_refuses_what_is_no_text(raw: str, reason: str) -> None:
    with pytest.raises(Unparsable) as caught:
        decode_path_segment(raw)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        pytest.param("application/json", "application/json", id="plain"),
        pytest.param("Application/JSON", "application/json", id="any-case"),
        pytest.param("application/json; charset=utf-8", "application/json", id="parameter"),
        pytest.param("application/json;charset=utf-8;", "application/json", id="empty-parameter"),
        pytest.param(" application/json ;a", "application/json", id="space-around"),
        pytest.param('text/x;a="b;\\"c" ; d=e', "text/x", id="quoted-parameter"),
        pytest.param("application/vnd.api+json", "application/vnd.api+json", id="suffix"),
        pytest.param("*/*", "*/*", id="any"),
    ],
)
def test_parse_media_type_gives_type_and_subtype(value: str, media_type: str) -> None:
    assert parse_media_type(value) == media_type


@pytest.mark.parametrize(
    "value",
    [
        "",
        "garbage",
        "foo/ bar baz",
        "foo/bar baz",
        "foo /bar",
        "/json",
        "text/",
        "garbage//x",
        "a/b/c",
        "a/b, c/d",
        "text/é",
        "text/plain\n",
        'text/plain; a="b',
        "text/plain; a=\x00",
    ],
)
def test_parse_media_type_refuses_what_is_none(value: str) -> None:
    with pytest.raises(MalformedMediaType):
        parse_media_type(value)


@UNHURRIED
@given(st.text())
def test_a_quoted_path_segment_comes_back(segment: str) -> None:
    assert decode_path_segment(quote(segment, safe="")) == segment


@UNHURRIED
@given(st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=1), st.text())
def test_a_quoted_parameter_comes_back(name: str, value: str) -> None:
    assert parse_query(f"{quote(name)}={quote(value)}".encode()) == {name: value}


@UNHURRIED
@given(st.binary() | BRACKETED.map(str.encode))
def test_a_query_gives_parameters_or_unparsable(raw: bytes) -> None:
    with suppress(Unparsable):
        assert all(parse_query(raw))


@UNHURRIED
@given(st.text("ab%F0é\udcff\ud800"))
def test_a_path_segment_gives_text_or_unparsable(raw: str) -> None:
    with suppress(Unparsable):
        segment = decode_path_segment(raw)
        assert decode_path_segment(quote(segment, safe="")) == segment


BODY_PIECES = [b"--cut", b"--", b"\r\n", b"\r", b"\n", b":", b"a: b", b"x", b"\xff", b"\x00"]
HEADER_PIECES = [b'Content-Disposition: form-data; name="a[]"', b'; filename="f"']
BODIES = st.lists(st.sampled_from([*BODY_PIECES, *HEADER_PIECES])).map(b"".join)


@UNHURRIED
@given(st.binary() | BODIES, st.just(FORM) | st.text())
def test_a_multipart_body_gives_parameters_or_unparsable(body: bytes, content_type: str) -> None:
    with suppress(Unparsable):
        assert all(parse_multipart(body, content_type))


@UNHURRIED
@given(st.text() | st.text('a/;= "\\', max_size=20))
def test_a_media_type_has_one_slash_or_is_malformed(value: str) -> None:
    with suppress(MalformedMediaType):
        assert parse_media_type(value).count("/") == 1
