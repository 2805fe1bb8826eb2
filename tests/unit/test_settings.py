from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from lago_mock.grants import KEY_TEXT
from lago_mock.settings import (
    Option,
    SettingError,
    Settings,
    load_settings,
    option_table,
    settings_of,
)

TEXT_SWITCHES = "one of 1, true, yes, on, 0, false, no, off"
KEYS = (
    "host, port, api-key, organization-name, db, durability, compact-bytes, fixtures, openapi, "
    "reset, url-file, public-url, allow-host, admin-token, ssl-cert, ssl-key, watch, log-level, "
    "log-format, license, era, front-url, validation, any-key, seed, latency-ms, rate-limit, "
    "journal-size, webhook-allow, webhook-timeout, webhook-key, "
    "max-body-bytes, max-header-bytes, max-query-bytes"
)


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def own_file(directory: Path, *lines: str) -> Path:
    return write(directory / "lago-mock.toml", *lines)


def project_file(directory: Path, *lines: str) -> Path:
    return write(directory / "pyproject.toml", *lines)


def refusal(
    directory: Path, flags: dict[str, Any] | None = None, environ: dict[str, str] | None = None
) -> str:
    with pytest.raises(SettingError) as caught:
        load_settings(flags or {}, environ or {}, directory)
    return str(caught.value)


def option(name: str) -> Option:
    return next(each for each in option_table() if each.name == name)


@pytest.mark.parametrize(
    "key",
    ["my key", "schlüssel-ä", "k" * 256, "", "k\n"],
    ids=["space", "ä", "long", "none", "end"],
)
def test_an_api_key_that_no_client_can_send_is_refused_and_not_shown(
    tmp_path: Path, key: str
) -> None:
    needed = f"is of the wrong kind; give {KEY_TEXT}"
    own_file(tmp_path, f"api-key = {json.dumps(key)}")

    assert refusal(tmp_path, {"api_key": key}) == f"The flag --api-key {needed}."
    if key:
        environ = {"LAGO_ORG_API_KEY": key}
        assert refusal(tmp_path, None, environ) == f"The variable LAGO_ORG_API_KEY {needed}."
    file = tmp_path / "lago-mock.toml"
    assert refusal(tmp_path) == f"The key api-key in {file} {needed}, in quotes."


def test_settings_made_by_hand_have_the_documented_defaults() -> None:
    assert Settings() == Settings(
        host="127.0.0.1",
        port=3000,
        api_key=None,
        organization_name=None,
        db="lago-mock.json",
        fixtures="default",
        openapi=None,
        reset=False,
        url_file=None,
        log_level="info",
        license="premium",
        era="current",
        front_url=None,
        validation="lago",
        journal_size=1000,
        max_body_bytes=10_485_760,
        max_header_bytes=65_536,
        max_query_bytes=61_440,
    )


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_nothing_given_loads_the_defaults_with_the_state_file_in_the_directory(
    tmp_path: Path,
) -> None:
    loaded = load_settings({}, {}, tmp_path)

    assert loaded.settings == Settings(db=str(tmp_path / "lago-mock.json"))
    assert loaded.origins == {each.name: "default" for each in fields(Settings)}


def test_a_flag_wins_over_variable_and_file(tmp_path: Path) -> None:
    own_file(tmp_path, "port = 1")

    loaded = load_settings({"port": "3"}, {"LAGO_MOCK_PORT": "2"}, tmp_path)

    assert loaded.settings.port == 3
    assert loaded.origins["port"] == "flag --port"


def test_a_flag_of_several_words_is_named_in_kebab_case(tmp_path: Path) -> None:
    loaded = load_settings({"journal_size": "3"}, {}, tmp_path)

    assert loaded.origins["journal_size"] == "flag --journal-size"


def test_a_variable_wins_over_the_file_when_the_flag_is_not_given(tmp_path: Path) -> None:
    own_file(tmp_path, "port = 1")

    loaded = load_settings({"port": None}, {"LAGO_MOCK_PORT": "2"}, tmp_path)

    assert loaded.settings.port == 2
    assert loaded.origins["port"] == "variable LAGO_MOCK_PORT"


def test_a_variable_with_empty_text_counts_as_not_set(tmp_path: Path) -> None:
    own_file(tmp_path, "port = 1")

    loaded = load_settings({}, {"LAGO_MOCK_PORT": "", "LAGO_MOCK_NONSENSE": ""}, tmp_path)

    assert loaded.settings.port == 1
    assert loaded.origins["port"] == "lago-mock.toml"


def test_a_bad_value_is_not_judged_when_another_wins(tmp_path: Path) -> None:
    own_file(tmp_path, "port = 'x'")

    assert load_settings({"port": "3"}, {"LAGO_MOCK_PORT": "y"}, tmp_path).settings.port == 3


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        pytest.param("api_key", "LAGO_MOCK_API_KEY", "LAGO_ORG_API_KEY", id="api key"),
        pytest.param(
            "organization_name", "LAGO_MOCK_ORGANIZATION_NAME", "LAGO_ORG_NAME", id="name"
        ),
    ],
)
class TestVariablesOfTheRealServer:
    def test_they_hold_when_ours_is_empty(
        self, tmp_path: Path, name: str, ours: str, theirs: str
    ) -> None:
        loaded = load_settings({}, {ours: "", theirs: "b"}, tmp_path)

        assert getattr(loaded.settings, name) == "b"
        assert loaded.origins[name] == f"variable {theirs}"

    def test_ours_wins_over_them(self, tmp_path: Path, name: str, ours: str, theirs: str) -> None:
        loaded = load_settings({}, {theirs: "b", ours: "a"}, tmp_path)

        assert getattr(loaded.settings, name) == "a"
        assert loaded.origins[name] == f"variable {ours}"

    def test_they_win_over_the_file(
        self, tmp_path: Path, name: str, ours: str, theirs: str
    ) -> None:
        own_file(tmp_path, f"{name} = 'c'")

        assert getattr(load_settings({}, {theirs: "b"}, tmp_path).settings, name) == "b"


def test_a_file_sets_every_field_in_kebab_case(tmp_path: Path) -> None:
    own_file(
        tmp_path,
        "host = '::1'",
        "port = 0",
        "api-key = 'k'",
        "organization-name = 'Hooli'",
        "db = ':memory:'",
        "durability = 'disk'",
        "compact-bytes = 1024",
        "fixtures = 'empty'",
        "openapi = '/a.yaml'",
        "reset = true",
        "url-file = '/u'",
        "public-url = 'https://mock.example'",
        "allow-host = ['a.test', 'b.test']",
        "admin-token = 't'",
        "ssl-cert = '/c'",
        "ssl-key = '/k'",
        "watch = true",
        "log-level = 'debug'",
        "log-format = 'json'",
        "license = 'free'",
        "era = '2023'",
        "front-url = 'https://app.hooli.example'",
        "validation = 'strict'",
        "any-key = true",
        "seed = 's'",
        "latency-ms = 4",
        "rate-limit = 'hosted'",
        "journal-size = 0",
        "webhook-allow = ['*']",
        "webhook-timeout = 5",
        "webhook-key = '/w'",
        "max-body-bytes = 1",
        "max-header-bytes = 2",
        "max-query-bytes = 3",
    )

    loaded = load_settings({}, {}, tmp_path)

    assert loaded.settings == Settings(
        host="::1",
        port=0,
        api_key="k",
        organization_name="Hooli",
        db=":memory:",
        durability="disk",
        compact_bytes=1024,
        fixtures="empty",
        openapi="/a.yaml",
        reset=True,
        url_file="/u",
        public_url="https://mock.example",
        allow_host="a.test,b.test",
        admin_token="t",
        ssl_cert="/c",
        ssl_key="/k",
        watch=True,
        log_level="debug",
        log_format="json",
        license="free",
        era="2023",
        front_url="https://app.hooli.example",
        validation="strict",
        any_key=True,
        seed="s",
        latency_ms=4,
        rate_limit="hosted",
        journal_size=0,
        webhook_allow="*",
        webhook_timeout=5,
        webhook_key="/w",
        max_body_bytes=1,
        max_header_bytes=2,
        max_query_bytes=3,
    )
    assert set(loaded.origins.values()) == {"lago-mock.toml"}


@pytest.mark.parametrize("key", ["max-body-bytes", "max_body_bytes", "max-body_bytes"])
def test_a_file_may_spell_its_keys_in_snake_case(tmp_path: Path, key: str) -> None:
    own_file(tmp_path, f"{key} = 7")

    assert load_settings({}, {}, tmp_path).settings.max_body_bytes == 7


def test_a_key_spelled_both_ways_in_one_file_is_refused(tmp_path: Path) -> None:
    path = own_file(tmp_path, "api-key = 'a'", "api_key = 'a'")

    assert refusal(tmp_path) == (f"The key api_key in {path} repeats api-key; keep one of the two.")


def test_pyproject_is_read_when_there_is_no_file_of_our_own(tmp_path: Path) -> None:
    project_file(tmp_path, "[tool.lago-mock]", "port = 9")

    loaded = load_settings({}, {}, tmp_path)

    assert loaded.settings.port == 9
    assert loaded.origins["port"] == "pyproject.toml"


def test_our_own_file_wins_whole_over_pyproject_even_when_it_is_empty(tmp_path: Path) -> None:
    own_file(tmp_path)
    project_file(tmp_path, "[tool.lago-mock]", "port = 9")

    loaded = load_settings({}, {}, tmp_path)

    assert loaded.settings.port == 3000
    assert loaded.origins["port"] == "default"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("[project]", id="no tools"),
        pytest.param("tool = 3", id="tools that are no table"),
        pytest.param("[tool.ruff]", id="other tools"),
    ],
)
def test_pyproject_without_our_table_sets_nothing(tmp_path: Path, line: str) -> None:
    project_file(tmp_path, line)

    assert set(load_settings({}, {}, tmp_path).origins.values()) == {"default"}


def test_our_part_of_pyproject_must_be_a_table(tmp_path: Path) -> None:
    path = project_file(tmp_path, "[tool]", "lago-mock = 3")

    assert refusal(tmp_path) == f"The key tool.lago-mock in {path} is 3; make it a table."


def test_a_value_refused_in_pyproject_is_named_with_its_table(tmp_path: Path) -> None:
    path = project_file(tmp_path, "[tool.lago-mock]", "port = 70000")

    assert refusal(tmp_path) == (
        f"The key tool.lago-mock.port in {path} is 70000; "
        "give a whole number from 0 to 65535, without quotes."
    )


@pytest.mark.parametrize("name", ["db", "fixtures", "openapi", "url_file"])
class TestPaths:
    def test_a_relative_one_from_a_flag_counts_from_the_directory(
        self, tmp_path: Path, name: str
    ) -> None:
        settings = load_settings({name: "sub/a.json"}, {}, tmp_path).settings

        assert getattr(settings, name) == str(tmp_path / "sub" / "a.json")

    def test_a_relative_one_from_a_variable_counts_from_the_directory(
        self, tmp_path: Path, name: str
    ) -> None:
        environ = {f"LAGO_MOCK_{name.upper()}": "sub/a.json"}

        settings = load_settings({}, environ, tmp_path).settings

        assert getattr(settings, name) == str(tmp_path / "sub" / "a.json")

    def test_a_relative_one_from_a_file_counts_from_its_folder(
        self, tmp_path: Path, name: str
    ) -> None:
        own_file(tmp_path, f"{name} = 'sub/a.json'")

        settings = load_settings({}, {}, tmp_path).settings

        assert getattr(settings, name) == str(tmp_path / "sub" / "a.json")

    def test_an_absolute_one_stays(self, tmp_path: Path, name: str) -> None:
        path = str(tmp_path.parent / "a.json")

        assert getattr(load_settings({name: path}, {}, tmp_path).settings, name) == path

    def test_a_path_object_is_taken_from_a_caller_in_python(
        self, tmp_path: Path, name: str
    ) -> None:
        settings = load_settings({name: Path("a.json")}, {}, tmp_path).settings

        assert getattr(settings, name) == str(tmp_path / "a.json")


def test_a_state_in_memory_is_no_path(tmp_path: Path) -> None:
    assert load_settings({"db": ":memory:"}, {}, tmp_path).settings.db == ":memory:"


@pytest.mark.parametrize(
    ("given", "is_path"),
    [
        pytest.param("big-set_2", False, id="bare name"),
        pytest.param("./big", True, id="folder in the directory"),
        pytest.param("big.json", True, id="name with a suffix"),
    ],
)
def test_fixtures_are_a_name_or_a_path(tmp_path: Path, given: str, is_path: bool) -> None:
    expected = str(tmp_path / given) if is_path else given

    assert load_settings({"fixtures": given}, {}, tmp_path).settings.fixtures == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("true", True),
        ("yes", True),
        ("on", True),
        ("TRUE", True),
        ("0", False),
        ("false", False),
        ("no", False),
        ("off", False),
        ("Off", False),
    ],
)
def test_a_switch_is_read_from_text(tmp_path: Path, text: str, value: bool) -> None:
    own_file(tmp_path, f"reset = {str(not value).lower()}")

    assert load_settings({}, {"LAGO_MOCK_RESET": text}, tmp_path).settings.reset is value


def test_a_level_is_read_from_text_in_any_case(tmp_path: Path) -> None:
    loaded = load_settings({}, {"LAGO_MOCK_LOG_LEVEL": "WARNING"}, tmp_path)

    assert loaded.settings.log_level == "warning"


def test_a_caller_in_python_may_give_values_of_the_fields_own_type(tmp_path: Path) -> None:
    own_file(tmp_path, "reset = true")

    settings = load_settings({"port": 0, "reset": False}, {}, tmp_path).settings

    assert (settings.port, settings.reset) == (0, False)


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        pytest.param("port", (0, 65_535), id="port"),
        pytest.param("journal_size", (0, 1_000_000), id="journal"),
        pytest.param("max_body_bytes", (1, 1_073_741_824), id="body"),
        pytest.param("max_header_bytes", (1, 1_073_741_824), id="headers"),
        pytest.param("max_query_bytes", (1, 61_440), id="query"),
    ],
)
class TestLimitsOfNumbers:
    def test_both_ends_are_taken(self, tmp_path: Path, name: str, limits: tuple[int, int]) -> None:
        loaded = [load_settings({name: str(end)}, {}, tmp_path).settings for end in limits]

        assert [getattr(settings, name) for settings in loaded] == list(limits)

    def test_what_lies_beyond_is_refused(
        self, tmp_path: Path, name: str, limits: tuple[int, int]
    ) -> None:
        flag = name.replace("_", "-")
        for number in (limits[0] - 1, limits[1] + 1):
            assert refusal(tmp_path, {name: number}) == (
                f"The flag --{flag} is {number}; "
                f"give a whole number from {limits[0]} to {limits[1]}."
            )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("70000", id="too large"),
        pytest.param("abc", id="no number"),
        pytest.param("-1", id="negative"),
        pytest.param("1.5", id="fraction"),
        pytest.param("3_000", id="underscore"),
        pytest.param("٣", id="digit of another script"),
        pytest.param("9" * 30, id="digits without end"),
    ],
)
def test_a_variable_that_is_no_port_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, environ={"LAGO_MOCK_PORT": text}) == (
        f"The variable LAGO_MOCK_PORT is '{text}'; give a whole number from 0 to 65535."
    )


@pytest.mark.parametrize(
    ("name", "raw", "shown", "needed"),
    [
        pytest.param("port", "", "''", "a whole number from 0 to 65535", id="empty number"),
        pytest.param("port", True, "true", "a whole number from 0 to 65535", id="true for number"),
        pytest.param("reset", "maybe", "'maybe'", TEXT_SWITCHES, id="word for switch"),
        pytest.param("reset", 1, "1", TEXT_SWITCHES, id="number for switch"),
        pytest.param("host", "", "''", "a text that is not empty", id="empty text"),
        pytest.param("db", "", "''", "a text that is not empty", id="empty path"),
        pytest.param("host", 5, "5", "a text that is not empty", id="number for text"),
        pytest.param(
            "log_level", "loud", "'loud'", "one of debug, info, warning, error", id="no choice"
        ),
    ],
)
def test_a_flag_that_does_not_fit_is_refused(
    tmp_path: Path, name: str, raw: object, shown: str, needed: str
) -> None:
    flag = name.replace("_", "-")

    assert refusal(tmp_path, {name: raw}) == f"The flag --{flag} is {shown}; give {needed}."


@pytest.mark.parametrize("name", ["LAGO_ORG_API_KEY", "LAGO_MOCK_ADMIN_TOKEN"])
@pytest.mark.parametrize("secret", ["two words", "a-line\n", "snow\u2603man", "caf\xe9"], ids=ascii)
def test_a_secret_that_no_request_could_carry_is_refused_and_not_shown(
    tmp_path: Path, name: str, secret: str
) -> None:
    assert refusal(tmp_path, environ={name: secret}) == (
        f"The variable {name} is of the wrong kind; give {KEY_TEXT}."
    )


@pytest.mark.parametrize(
    ("line", "shown", "needed"),
    [
        pytest.param(
            "port = '3000'",
            "'3000'",
            "a whole number from 0 to 65535, without quotes",
            id="text for number",
        ),
        pytest.param(
            "port = 3000.0",
            "3000.0",
            "a whole number from 0 to 65535, without quotes",
            id="fraction for number",
        ),
        pytest.param(
            "port = false",
            "false",
            "a whole number from 0 to 65535, without quotes",
            id="false for number",
        ),
        pytest.param(
            "reset = 'true'", "'true'", "true or false, without quotes", id="text for switch"
        ),
        pytest.param("reset = 1", "1", "true or false, without quotes", id="number for switch"),
        pytest.param("host = 1", "1", "a text that is not empty, in quotes", id="number for text"),
        pytest.param("host = ''", "''", "a text that is not empty, in quotes", id="empty text"),
        pytest.param(
            "db = ['a']", "['a']", "a text that is not empty, in quotes", id="list for path"
        ),
        pytest.param(
            "log-level = 'INFO'",
            "'INFO'",
            "one of debug, info, warning, error, in quotes",
            id="choice in capitals",
        ),
    ],
)
def test_a_file_is_held_to_the_types_of_toml(
    tmp_path: Path, line: str, shown: str, needed: str
) -> None:
    path = own_file(tmp_path, line)
    key = line.split(" = ")[0]

    assert refusal(tmp_path) == f"The key {key} in {path} is {shown}; give {needed}."


def test_a_refused_key_is_named_as_it_stands_in_the_file(tmp_path: Path) -> None:
    path = own_file(tmp_path, "journal_size = -1")

    assert refusal(tmp_path) == (
        f"The key journal_size in {path} is -1; "
        "give a whole number from 0 to 1000000, without quotes."
    )


@pytest.mark.parametrize(("length", "shown"), [(58, f"'{'x' * 58}'"), (59, f"'{'x' * 59}...")])
def test_a_long_value_is_cut_after_60_characters(tmp_path: Path, length: int, shown: str) -> None:
    assert refusal(tmp_path, {"port": "x" * length}) == (
        f"The flag --port is {shown}; give a whole number from 0 to 65535."
    )


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        pytest.param("prot", "did you mean port?", id="swapped letters"),
        pytest.param("Port", "did you mean port?", id="capital"),
        pytest.param("max_body_byte", "did you mean max-body-bytes?", id="snake case"),
        pytest.param("zzz", f"use one of {KEYS}.", id="nothing near"),
    ],
)
def test_an_unknown_key_of_a_file_is_refused_with_the_closest_match(
    tmp_path: Path, key: str, advice: str
) -> None:
    path = own_file(tmp_path, f"{key} = 1")

    assert refusal(tmp_path) == f"The key {key} in {path} is not known; {advice}"


def test_an_unknown_key_of_pyproject_is_named_with_its_table(tmp_path: Path) -> None:
    path = project_file(tmp_path, "[tool.lago-mock]", "prot = 1")

    assert refusal(tmp_path) == (
        f"The key tool.lago-mock.prot in {path} is not known; did you mean port?"
    )


VARIABLES = ", ".join(f"LAGO_MOCK_{key.upper().replace('-', '_')}" for key in KEYS.split(", "))


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        pytest.param("LAGO_MOCK_PROT", "did you mean LAGO_MOCK_PORT?", id="swapped letters"),
        pytest.param("LAGO_MOCK_port", "did you mean LAGO_MOCK_PORT?", id="lower case"),
        pytest.param("LAGO_MOCK_ULR", "did you mean LAGO_MOCK_URL?", id="variable of others"),
        pytest.param("LAGO_MOCK_ZZZ", f"use one of {VARIABLES}, LAGO_MOCK_URL.", id="no match"),
    ],
)
def test_an_unknown_variable_of_ours_is_refused_with_the_closest_match(
    tmp_path: Path, variable: str, advice: str
) -> None:
    assert refusal(tmp_path, environ={variable: "1"}) == (
        f"The variable {variable} is not known; {advice}"
    )


def test_variables_of_others_are_let_be(tmp_path: Path) -> None:
    environ = {"LAGO_MOCK_URL": "http://lago", "LAGO_ORG_USER_EMAIL": "a@b.c", "PORT": "x"}

    assert set(load_settings({}, environ, tmp_path).origins.values()) == {"default"}


def test_an_unknown_flag_is_refused_with_the_closest_match(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"url_fil": None}) == (
        "The flag --url-fil is not known; did you mean --url-file?"
    )


@pytest.mark.parametrize(
    "name",
    [pytest.param("lago-mock.toml", id="our own"), pytest.param("pyproject.toml", id="pyproject")],
)
class TestBrokenFiles:
    def test_bad_toml_is_named_by_file_and_line(self, tmp_path: Path, name: str) -> None:
        path = write(tmp_path / name, "a = 1", "b = ")

        message = refusal(tmp_path)

        assert message.startswith(f"The file {path} is not TOML: ")
        assert message.endswith("(at line 2, column 5); correct it there.")

    def test_toml_that_stops_too_early_is_named_by_its_last_line(
        self, tmp_path: Path, name: str
    ) -> None:
        path = tmp_path / name
        path.write_text("a = 1\nb = [")

        message = refusal(tmp_path)

        assert message.startswith(f"The file {path} is not TOML: ")
        assert message.endswith("(at line 2, the last); correct it there.")

    def test_bytes_that_are_no_text_are_named_by_file_and_line(
        self, tmp_path: Path, name: str
    ) -> None:
        path = tmp_path / name
        path.write_bytes(b"a = 1\nb = '\xe9'\n")

        assert refusal(tmp_path) == f"The file {path} is not UTF-8 at line 2; save it as UTF-8."

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.mkdir()

        message = refusal(tmp_path)

        assert message.startswith(f"The file {path} cannot be read (")
        assert message.endswith("); make it readable or remove it.")


def test_the_option_table_has_the_fields_of_settings_in_their_order() -> None:
    defaults = Settings()

    assert [(each.name, each.default) for each in option_table()] == [
        (each.name, getattr(defaults, each.name)) for each in fields(Settings)
    ]


def test_an_option_tells_its_flag_variables_and_key() -> None:
    api_key = option("api_key")

    assert (api_key.flag, api_key.key) == ("--api-key", "api-key")
    assert api_key.variable == "LAGO_MOCK_API_KEY"
    assert api_key.variables == ("LAGO_MOCK_API_KEY", "LAGO_ORG_API_KEY")


def test_an_option_tells_its_unit_and_choices() -> None:
    assert option("journal_size").unit == "entries"
    assert {option(f"max_{part}_bytes").unit for part in ("body", "header", "query")} == {"bytes"}
    assert option("log_level").choices == ("debug", "info", "warning", "error")


@pytest.mark.parametrize("each", option_table(), ids=lambda each: each.name)
class TestEveryOption:
    def test_it_has_a_help_text_that_ends_with_a_stop(self, each: Option) -> None:
        assert each.help.endswith(".")
        assert "%" not in each.help  # argparse would format it

    def test_it_has_a_metavar_unless_it_is_a_switch(self, each: Option) -> None:
        assert bool(each.metavar) is (each.kind != "switch")

    def test_its_default_is_accepted_when_given_as_a_flag(
        self, each: Option, tmp_path: Path
    ) -> None:
        by_default = load_settings({}, {}, tmp_path).settings

        assert load_settings({each.name: each.default}, {}, tmp_path).settings == by_default


def test_settings_of_code_are_judged_as_flags_are(tmp_path: Path) -> None:
    (tmp_path / "lago-mock.toml").write_text("port = 4000")

    settings = settings_of({"fixtures": "./own.yaml", "port": "0", "seed": None}, tmp_path)

    assert settings == Settings(fixtures=str(tmp_path / "own.yaml"), port=0)
    with pytest.raises(SettingError, match="setting port is -1; give a whole number from 0 to 655"):
        settings_of({"port": -1}, tmp_path)
    with pytest.raises(
        SettingError, match=r"setting fixture is not known; did you mean fixtures\?"
    ):
        settings_of({"fixture": "empty"}, tmp_path)


def test_variables_that_kubernetes_sets_for_a_service_are_left_alone(tmp_path: Path) -> None:
    environ = {
        "LAGO_MOCK_PORT": "tcp://10.0.0.7:3000",
        "LAGO_MOCK_PORT_3000_TCP": "tcp://10.0.0.7:3000",
        "LAGO_MOCK_PORT_3000_TCP_ADDR": "10.0.0.7",
        "LAGO_MOCK_SERVICE_HOST": "10.0.0.7",
        "LAGO_MOCK_SERVICE_PORT_HTTP": "3000",
    }

    loaded = load_settings({}, environ, tmp_path)

    assert (loaded.settings.port, loaded.origins["port"]) == (3000, "default")
