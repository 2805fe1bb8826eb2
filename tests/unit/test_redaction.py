from __future__ import annotations

import pytest

from lago_mock.redaction import cut, is_whole, redacted, without_secrets


@pytest.mark.parametrize(("key", "shown"), [("long-enough", "…ough"), ("12345678", "…"), ("", "…")])
def test_a_key_is_cut_to_its_end(key: str, shown: str) -> None:
    assert cut(key) == shown
    assert (is_whole(shown), is_whole(key)) == (False, True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("Bearer 123456789", "Bearer …6789", id="scheme and secret"),
        pytest.param("basic  123456789", "basic …6789", id="any case, two spaces"),
        pytest.param("Token 123456789", "Token …6789", id="third scheme"),
        pytest.param("Bearer 12345678", "Bearer …", id="short secret"),
        pytest.param("Bearer", "Bearer …", id="scheme alone"),
        pytest.param("Bearer top-secret 123456789", "Bearer …", id="three words"),
        pytest.param("top-secret", "…", id="secret alone"),
        pytest.param("top-secret 123456789", "…", id="no scheme"),
        pytest.param("session=top-secret; theme=midnight", "…", id="cookies"),
        pytest.param(" ", "…", id="blank"),
        pytest.param("", "…", id="nothing"),
    ],
)
def test_no_more_of_a_secret_is_left_than_four_characters(value: str, shown: str) -> None:
    assert redacted(value) == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("api_key=123456789", "api_key=…6789", id="key"),
        pytest.param("page=1&APIKey=12345678", "page=1&APIKey=…", id="any case, short"),
        pytest.param("token=123456789&page=1", "token=…6789&page=1", id="token"),
        pytest.param("access_token=123456789", "access_token=…6789", id="access token"),
        pytest.param("api-key=123456789", "api-key=…6789", id="hyphen"),
        pytest.param("api%5Fkey=123456789", "api%5Fkey=…6789", id="escaped name"),
        pytest.param("token&a=1&&token=", "token&a=1&&token=", id="no value"),
        pytest.param("my_token=123456789", "my_token=123456789", id="another name"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_keys_in_a_query_are_cut(query: str, shown: str) -> None:
    assert without_secrets(query) == shown
