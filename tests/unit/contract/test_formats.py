from __future__ import annotations

from collections.abc import Callable

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lago_mock.contract.formats import (
    FORMATS,
    format_checker,
    is_date,
    is_date_time,
    is_decimal,
    is_email,
    is_slug,
    is_uri,
    is_uuid,
)

BY_NAME: dict[str, Callable[[str], bool]] = {
    "date": is_date,
    "decimal": is_decimal,
    "date-time": is_date_time,
    "uuid": is_uuid,
    "uri": is_uri,
    "email": is_email,
    "slug": is_slug,
}


@pytest.mark.parametrize("text", ["2026-11-22", "2024-02-29", "0001-01-01"])
def test_a_day_of_the_calendar_is_a_date(text: str) -> None:
    assert is_date(text)


@pytest.mark.parametrize("text", ["", "2026-02-29", "2026-11-22T00:00:00Z", "26-11-22", "today"])
def test_anything_else_is_no_date(text: str) -> None:
    assert not is_date(text)


@pytest.mark.parametrize("text", ["0", "12.50", "7.", "-3.1", "2177.4193548387096774"])
def test_a_number_in_text_is_a_decimal(text: str) -> None:
    assert is_decimal(text)


@pytest.mark.parametrize("text", ["", ".5", "1e3", "1,000", "+1", "--1", "1.2.3"])
def test_anything_else_is_no_decimal(text: str) -> None:
    assert not is_decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "2022-09-14T16:35:31Z",
        "2022-09-14t16:35:31z",
        "2022-09-14T16:35:31.123456789Z",
        "2022-09-14T16:35:31+00:00",
        "2022-09-14T16:35:31-23:59",
        "2024-02-29T00:00:00Z",
        "2000-02-29T00:00:00Z",
        "2022-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "1998-12-31T23:59:60Z",
        "1998-12-31T15:59:60.123-08:00",
        "1999-01-01T00:59:60+01:00",
    ],
)
def test_instants_with_an_offset_are_date_times(text: str) -> None:
    assert is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2022-09-14",
        "16:35:31Z",
        "2022-09-14T16:35:31",
        "2022-09-14 16:35:31Z",
        "2022-09-14T16:35Z",
        "2022-09-14T16:35:31.Z",
        "2022-09-14T16:35:31,5Z",
        "2022-09-14T16:35:31+0000",
        "2022-09-14T16:35:31+24:00",
        "2022-09-14T16:35:31+00:60",
        "2022-00-14T16:35:31Z",
        "2022-13-14T16:35:31Z",
        "2022-09-00T16:35:31Z",
        "2022-09-31T16:35:31Z",
        "2023-02-29T16:35:31Z",
        "1900-02-29T16:35:31Z",
        "2022-09-14T24:00:00Z",
        "2022-09-14T16:60:00Z",
        "2022-09-14T16:35:61Z",
        "1998-12-31T23:58:60Z",
        "1998-12-31T23:59:60+01:00",
        "1998-12-31T23:59:60-01:00",
        " 2022-09-14T16:35:31Z",
        "2022-09-14T16:35:31Z\n",
        "22-09-14T16:35:31Z",
        "２022-09-14T16:35:31Z",  # noqa: RUF001
    ],
    ids=ascii,
)
def test_other_dates_and_times_are_no_date_times(text: str) -> None:
    assert not is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "1a901a90-1a90-1a90-1a90-1a901a901a90",
        "1A901A90-1A90-1a90-1A90-1A901A901A90",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ],
)
def test_hex_digits_in_five_groups_are_a_uuid(text: str) -> None:
    assert is_uuid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1a901a901a901a901a901a901a901a90",
        "{1a901a90-1a90-1a90-1a90-1a901a901a90}",
        "urn:uuid:1a901a90-1a90-1a90-1a90-1a901a901a90",
        "1a901a90-1a90-1a90-1a90-1a901a901a9",
        "1a901a90-1a90-1a90-1a90-1a901a901a900",
        "1a901a901a90--1a90-1a90-1a901a901a90",
        "ga901a90-1a90-1a90-1a90-1a901a901a90",
        "1a901a90-1a90-1a90-1a90-1a901a901a90\n",
        "1a901a90-1a90-1a90-1a90-1a901a901a9\u0660",
    ],
    ids=ascii,
)
def test_other_spellings_are_no_uuid(text: str) -> None:
    assert not is_uuid(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:3000",
        "https://a.co",
        "https://a.co/path?q=1#f",
        "HTTP://A.CO",
        "hTTpS://a.co/",
        "http://[::1]:3000/x",
        "http://[::]",
        "http://[1:2:3:4:5:6:7:8]",
        "http://[::ffff:1.2.3.4]",
        "http://127.0.0.1:3000/lago",
        "http://user:secret@a.co/x",
        "http://@a.co",
        "http://a.co:",
        "http://a.co:99999",
        "http://a_b.co",
        "http://%41.co/%7e",
        "http://a.co?x[]=|{}",
        "http://a.co#f/?",
        "http://a.co//b/@:",
    ],
)
def test_an_absolute_web_address_is_a_uri(text: str) -> None:
    assert is_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.co",
        "//a.co",
        "ftp:",
        "ftp://a.co",
        "javascript:",
        "javascript:alert(1)",
        "https:",
        "https://",
        "https:a.co",
        "https:/a.co",
        "http:///x",
        "http://:80",
        "http://user@:80",
        "http://?q",
        "http://#f",
        "http://é.co",
        "http://a.co/é",
        "http://a.co?é",
        "http://\u212a.co",
        "https://a.co/x y",
        "https://a.co/?x y",
        "https://a.co/x\ty",
        "https://a.co/\x7f",
        " https://a.co",
        "https://a.co ",
        "https://a.co\n",
        "https://a.co/?q\n",
        "https://a.co\0",
        "http://a:b",
        "http://a:80:80",
        "http://a@b@c",
        "http://a.co/%zz",
        "http://a.co/%2",
        "http://a.co/<x>",
        "http://a.co/[x]",
        "http://a.co/\\",
        "http://a.co#f#g",
        "http://::1/",
        "http://[::1",
        "http://[]",
        "http://[1.2.3.4]",
        "http://[1::2::3]",
        "http://[12345::]",
        "http://[fe80::1%25eth0]/",
        "http://[::1]x",
    ],
    ids=ascii,
)
def test_other_addresses_are_no_uri(text: str) -> None:
    assert not is_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "a@b.co",
        "A@B.CO",
        "é@b.co",
        "joão.silva@example.com",
        "e\u0301@b.co",
        "Ⅷ٣½@b.co",
        "a+b@c.co",
        "a@b.c",
        "a@1.2",
        "a@b-1.c--d.co",
        "!#$%&'*+/=?^_`{|}~-@b.co",
        "a@[127.0.0.1]",
        "a@[255.249.199.0]",
        "a@[001.02.3.99]",
        '"a"@b.co',
        '""@b.co',
        '"a@b..c"@d.co',
        '"\\"\\\\\\ "@b.co',
        " a@b.co ",
        "a@b.co,c@d.co",
        "a@b.co , c@d.co",
        "a@b.co,\t\0c@d.co\n",
        "",
        "   ",
        "\u00a0",
    ],
    ids=ascii,
)
def test_addresses_and_blank_text_are_an_email(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "foo",
        "12",
        "@",
        "@b.co",
        "a@",
        "a@b",
        "a@localhost",
        "a@é.co",
        "a@\u212a.co",
        "a@b_c.co",
        "a@-b.co",
        "a@b-.co",
        "a@b..co",
        "a@.co",
        "a@b.co.",
        ".a@b.co",
        "a.@b.co",
        "a..b@c.co",
        "a b@c.co",
        "a@b@c.co",
        "a(b)@c.co",
        "€@b.co",
        '"a b"@c.co',
        '"a\tb"@c.co',
        '"a\\\nb"@c.co',
        '"a"b"@c.co',
        '"a\\"@c.co',
        '"é"@b.co',
        '"a"b@c.co',
        '"a,b"@c.co',
        "a@[256.0.0.1]",
        "a@[1.2.3]",
        "a@[1.2.3.4.5]",
        "a@[0001.2.3.4]",
        "a@[::1]",
        "a@1.2.3.4]",
        "a@b.co;c@d.co",
        "a@b.co,",
        ",a@b.co",
        "a@b.co,,c@d.co",
        "a@b.co,c",
        ",",
        "\u200b",
        "a@b.co\u00a0",
    ],
    ids=ascii,
)
def test_other_text_is_no_email(text: str) -> None:
    assert not is_email(text)


@given(st.text(alphabet='aZ0.@-+_[]" ,\u212aé', max_size=12))
def test_what_the_usual_pattern_takes_is_an_email_by_the_rules(text: str) -> None:
    spaced = f" {text}"  # nothing with a space is usual, and one before an address does not count
    assert is_email(text) == is_email(spaced)


@given(st.from_regex(r"[a-z+._-]{1,6}@[a-zA-Z0-9.-]{3,9}", fullmatch=True))
def test_what_looks_usual_is_judged_by_the_rules(text: str) -> None:
    assert is_email(text) == is_email(f" {text}")


@pytest.mark.parametrize("text", ["a", "7", "acme", "acme-corp", "a--b", "4-ever", "a" * 100])
def test_small_letters_digits_and_inner_hyphens_are_a_slug(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize(
    "text",
    ["", "-", "-a", "a-", "Acme", "a_b", "a b", "a.b", "é", "a\n", "\u0663", "\u017f"],
    ids=ascii,
)
def test_other_text_is_no_slug(text: str) -> None:
    assert not is_slug(text)


def test_every_format_has_a_name() -> None:
    assert set(FORMATS) == set(BY_NAME)


def test_the_formats_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FORMATS["date"] = bool  # type: ignore[index]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("value", [None, True, 12, 1.5, [], {}], ids=repr)
def test_what_is_no_text_passes_every_format(name: str, value: object) -> None:
    assert FORMATS[name](value) is True


def test_the_checker_knows_our_formats_and_no_others() -> None:
    assert set(format_checker().checkers) == set(FORMATS)
    assert format_checker().conforms("nonsense", "ipv4")


def test_every_checker_is_a_new_one() -> None:
    spoiled = format_checker()
    spoiled.checkers.clear()
    assert set(format_checker().checkers) == set(FORMATS)


SIGNS = st.sampled_from('aZ09T-:./@,"\\[]%?# \0\n\u00e9\u0301\u212a')
PIECES = st.sampled_from(
    ["http", "https://", "::1", "%41", "b.co", "[127.0.0.1]", "2024-02-29", "23:59:60", "1a90"]
)
TEXTS = st.text() | st.lists(SIGNS | PIECES, max_size=8).map("".join)


@pytest.mark.parametrize("name", FORMATS)
@given(text=TEXTS)
def test_both_engines_judge_a_text_as_we_do(name: str, text: str) -> None:
    schema = {"format": name}
    explaining = Draft202012Validator(schema, format_checker=format_checker())
    fast = jsonschema_rs.Draft202012Validator(schema, formats=dict(FORMATS), validate_formats=True)
    expected = BY_NAME[name](text)
    assert explaining.is_valid(text) is expected
    assert fast.is_valid(text) is expected


@pytest.mark.parametrize("name", FORMATS)
@given(text=st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cn"])))
def test_no_text_is_too_odd_to_judge(name: str, text: str) -> None:
    assert BY_NAME[name](text) in {True, False}


LONG = 100_000


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        pytest.param("date-time", f"2022-09-14T16:35:31.{'1' * LONG}Z", True, id="fraction"),
        pytest.param("date-time", f"2022-09-14T16:35:31.{'1' * LONG}", False, id="no offset"),
        pytest.param("uuid", "1a90-" * LONG, False, id="uuid"),
        pytest.param("uri", "http://" + "a" * LONG, True, id="host"),
        pytest.param("uri", "http://" + "a:" * LONG + "\n", False, id="user or host"),
        pytest.param("uri", "http://a" + "/%41" * LONG, True, id="path"),
        pytest.param("uri", "http://a" + "/%41" * LONG + "%", False, id="path, broken escape"),
        pytest.param("uri", "http://a?" + "?" * LONG + "#" + "?" * LONG + "#", False, id="query"),
        pytest.param("uri", f"http://[{'1:' * LONG}]", False, id="IPv6"),
        pytest.param("uri", f"http://[::{'1.' * LONG}]", False, id="IPv6 with dots"),
        pytest.param("email", "a" * LONG + "@b.co", True, id="atom"),
        pytest.param("email", "é." * LONG + "a@b.co", True, id="atoms"),
        pytest.param("email", "a." * LONG + "@b.co", False, id="atoms, open end"),
        pytest.param("email", "a@" + "b-" * LONG, False, id="label, open end"),
        pytest.param("email", "a@" + "b." * LONG + "co", True, id="labels"),
        pytest.param("email", "a@" + "-" * LONG + ".co", False, id="hyphens"),
        pytest.param("email", '"' + "\\\\" * LONG + '"@b.co', True, id="quoted"),
        pytest.param("email", '"' + "\\\\" * LONG + "@b.co", False, id="quoted, open end"),
        pytest.param("email", "@" * LONG, False, id="at signs"),
        pytest.param("email", "a@b.co," * LONG + "a@b.co", True, id="many addresses"),
        pytest.param("email", "," * LONG, False, id="commas"),
        pytest.param("email", " " * LONG + "\u00a0x", False, id="spaces"),
        pytest.param("slug", "a-" * LONG, False, id="slug, open end"),
        pytest.param("slug", "a-" * LONG + "a", True, id="slug"),
        pytest.param("slug", "a" + "-" * LONG, False, id="slug of hyphens"),
    ],
)
def test_long_text_is_judged_at_once(name: str, text: str, accepted: bool) -> None:
    assert BY_NAME[name](text) is accepted
