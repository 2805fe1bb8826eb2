"""What the server is told before it starts: the only reader of variables and settings files.

The fields of `Settings` are the one table of what can be set. Each is a flag, a variable and a key
of a settings file, and is taken from the first of these that names it, else from its default.
The file is `lago-mock.toml` in the working directory, or without it the table
`[tool.lago-mock]` of the `pyproject.toml` there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar

from lago_mock.grants import KEY_TEXT, is_key
from lago_mock.likeness import closest
from lago_mock.settings_file import SettingError, SettingsFile, find_settings_file, shown

__all__ = [
    "LoadedSettings",
    "Option",
    "SettingError",
    "Settings",
    "load_settings",
    "option_table",
    "settings_of",
    "url_at",
]

_PREFIX = "LAGO_MOCK_"
# No setting of the server, yet no mistake: the pytest plugin is told by it which server to use.
_OTHER_VARIABLES: Final = MappingProxyType({"URL": "LAGO_MOCK_URL"})
# Kubernetes sets these in every pod beside a Service called lago-mock, LAGO_MOCK_PORT among them.
_SERVICE_LINK: Final = re.compile(
    r"LAGO_MOCK_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)"
)
_SWITCH_WORDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("1", "true", "yes", "on"), True),
        **dict.fromkeys(("0", "false", "no", "off"), False),
    }
)
_ANYWHERE: Final = MappingProxyType({"0.0.0.0": "127.0.0.1", "::": "::1"})
_BYTES = range(1, 2**30 + 1)  # bodies are held in memory whole; zero would refuse every request

Kind = Literal["text", "key", "number", "switch", "path"]
Default = TypeVar("Default")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting as people see it: what command line, README and `lago-mock settings` show.

    `metavar` stands for the value in a usage line and is empty for a switch. `unit` is empty where
    a number counts nothing. `choices` holds all texts that are allowed, or nothing if any is.
    `numbers` are those allowed, its stop excluded. `plain` is a pattern of the texts that a path
    may be instead of a path. `fallbacks` are variables that hold when `variable` is not set.
    `many` is a text of several, with commas between them, and its flag may stand several times.
    A `secret` is shown to nobody.
    """

    name: str
    kind: Kind
    default: str | int | bool | None
    help: str
    metavar: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    numbers: range = range(0)
    plain: str | None = None
    fallbacks: tuple[str, ...] = ()
    many: bool = False
    secret: bool = False

    @property
    def key(self) -> str:
        """Return the key in a settings file: `api-key`."""
        return self.name.replace("_", "-")

    @property
    def flag(self) -> str:
        """Return the flag of the command line: `--api-key`."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """Return the variable of our own: `LAGO_MOCK_API_KEY`."""
        return f"{_PREFIX}{self.name.upper()}"

    @property
    def variables(self) -> tuple[str, ...]:
        """Return all variables that set it, the one that wins first."""
        return (self.variable, *self.fallbacks)


def _setting(default: Default, kind: Kind, **described: Any) -> Default:
    return field(default=default, metadata={"default": default, "kind": kind, **described})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that the server is told before it starts.

    Objects made by hand are taken as they are; `load_settings` judges what it reads.
    """

    host: str = _setting(
        "127.0.0.1", "text", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 is all of them."
    )
    port: int = _setting(
        3000,
        "number",
        metavar="PORT",
        numbers=range(65536),
        help="Port to listen on; 0 is a free one.",
    )
    api_key: str | None = _setting(
        None,
        "key",
        metavar="KEY",
        secret=True,
        fallbacks=("LAGO_ORG_API_KEY",),
        help="API key of the first organization, in place of the one in the fixture set.",
    )
    organization_name: str | None = _setting(
        None,
        "text",
        metavar="NAME",
        fallbacks=("LAGO_ORG_NAME",),
        help="Name of the first organization, in place of the one in the fixture set.",
    )
    db: str = _setting(
        "lago-mock.json",
        "path",
        metavar="PATH",
        plain=":memory:",
        help="File that keeps the state; :memory: keeps it until the server stops.",
    )
    durability: str = _setting(
        "process",
        "text",
        metavar="LEVEL",
        choices=("process", "disk"),
        help="process: an answered write outlives a kill; disk: a loss of power too.",
    )
    compact_bytes: int = _setting(
        64 * 2**20,
        "number",
        metavar="BYTES",
        unit="bytes",
        numbers=range(1024, 2**40 + 1),
        help="Size of the state file's journal at which the file is written anew, aside.",
    )
    fixtures: str = _setting(
        "default",
        "path",
        metavar="SET",
        plain="[A-Za-z0-9_-]+",
        help="Fixture set to start from: name of one that ships, or a path with a / or . in it.",
    )
    openapi: str | None = _setting(
        None,
        "path",
        metavar="PATH",
        help="OpenAPI document to serve in place of the one that ships.",
    )
    reset: bool = _setting(
        False, "switch", help="Start from the fixture set although the state file exists."
    )
    url_file: str | None = _setting(
        None, "path", metavar="PATH", help="File to write the server's URL to when it is ready."
    )
    public_url: str | None = _setting(
        None,
        "text",
        metavar="URL",
        help="URL that clients reach the server by, where a proxy stands before it.",
    )
    allow_host: str | None = _setting(
        None,
        "text",
        metavar="NAME",
        many=True,
        help="Name to be called by as well when bound to loopback; several, or with commas.",
    )
    admin_token: str | None = _setting(
        None,
        "key",
        metavar="TOKEN",
        secret=True,
        help="What admin calls must send as X-Lago-Mock-Token.",
    )
    ssl_cert: str | None = _setting(
        None, "path", metavar="PATH", help="Certificate in PEM form: serve HTTPS with it."
    )
    ssl_key: str | None = _setting(
        None,
        "path",
        metavar="PATH",
        help="Private key of the certificate, where that file does not have it.",
    )
    watch: bool = _setting(
        False,
        "switch",
        help="Read document and fixture set again when a file changes; a changed set resets.",
    )
    log_level: str = _setting(
        "info",
        "text",
        metavar="LEVEL",
        choices=("debug", "info", "warning", "error"),
        help="Least level of what is logged: debug, info, warning or error.",
    )
    log_format: str = _setting(
        "text",
        "text",
        metavar="FORMAT",
        choices=("text", "json"),
        help="text: lines for people; json: one object a line, for machines.",
    )
    license: str = _setting(
        "premium",
        "text",
        metavar="LICENSE",
        choices=("premium", "free"),
        help="premium: the server is licensed for everything; free: for nothing extra.",
    )
    era: str = _setting(
        "current",
        "text",
        metavar="ERA",
        choices=("current", "2023"),
        help="current: today's Lago; 2023: that of 2023 with its texts, codes and fields.",
    )
    front_url: str | None = _setting(
        None,
        "text",
        metavar="URL",
        fallbacks=("LAGO_FRONT_URL", "LAGO_DOMAIN"),
        help="Address of the front end: pages from there may call the API (CORS).",
    )
    validation: str = _setting(
        "lago",
        "text",
        metavar="MODE",
        choices=("lago", "strict", "off"),
        help="lago: as the real server; strict: the document to the letter; off: not at all.",
    )
    any_key: bool = _setting(
        False, "switch", help="Make an organization for each unknown API key at its first use."
    )
    seed: str | None = _setting(
        None,
        "text",
        metavar="TEXT",
        help="Makes ids, slugs and tokens the same from one start, and one reset, to the next.",
    )
    latency_ms: int = _setting(
        0,
        "number",
        metavar="MS",
        unit="milliseconds",
        numbers=range(600_001),
        help="Time that each answer of the API takes at least.",
    )
    rate_limit: str = _setting(
        "off",
        "text",
        metavar="MODE",
        choices=("off", "hosted"),
        help="hosted: the quotas of Lago's hosted service, 429 past them; off: none.",
    )
    journal_size: int = _setting(
        1000,
        "number",
        metavar="COUNT",
        unit="entries",
        numbers=range(1_000_001),
        help="Requests that the journal keeps; 0 turns it off.",
    )
    webhook_allow: str = _setting(
        "private",
        "text",
        metavar="TARGETS",
        many=True,
        help="Where webhooks may go: private, *, hosts, addresses and networks, with commas.",
    )
    webhook_timeout: int = _setting(
        30,
        "number",
        metavar="SECONDS",
        unit="seconds",
        numbers=range(1, 301),
        fallbacks=("LAGO_WEBHOOK_TIMEOUT_SECONDS",),
        help="How long a webhook may take to connect, to be sent, and to be answered, each.",
    )
    webhook_key: str | None = _setting(
        None,
        "path",
        metavar="PATH",
        help="RSA private key in PEM form to sign webhooks with, in place of one of the server's.",
    )
    max_body_bytes: int = _setting(
        10 * 2**20,
        "number",
        metavar="BYTES",
        unit="bytes",
        numbers=_BYTES,
        help="Largest request body; a larger one is answered 413.",
    )
    max_header_bytes: int = _setting(
        64 * 2**10,
        "number",
        metavar="BYTES",
        unit="bytes",
        numbers=_BYTES,
        help="Largest sum of request headers; a larger one is answered 431.",
    )
    max_query_bytes: int = _setting(
        60 * 2**10,
        "number",
        metavar="BYTES",
        unit="bytes",
        numbers=range(1, 60 * 2**10 + 1),  # the HTTP parser takes no URL of 64 KiB
        help="Longest query string; a longer one is answered 414.",
    )

    @property
    def scheme(self) -> str:
        """What the server speaks: `https` with a certificate, else `http`."""
        return "https" if self.ssl_cert else "http"


def url_at(scheme: str, host: str, port: int) -> str:
    """Return the URL that clients on this machine reach an address by."""
    host = _ANYWHERE.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


@dataclass(frozen=True)
class LoadedSettings:
    """Settings, and where each came from.

    `origins` maps each field of `settings` to `flag --port`, `variable LAGO_MOCK_PORT`,
    `lago-mock.toml`, `pyproject.toml` or `default`.
    """

    settings: Settings
    origins: dict[str, str]


@dataclass(frozen=True)
class _Given:
    """A value as somebody gave it; `place` says to the reader of an error where that was."""

    raw: object
    origin: str
    place: str
    in_toml: bool = False


def option_table() -> tuple[Option, ...]:
    """Return one row for each field of `Settings`, in their order."""
    return tuple(Option(name=each.name, **each.metadata) for each in fields(Settings))


def load_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], directory: Path
) -> LoadedSettings:
    """Return the settings that hold: flag before variable before file before default.

    `flags` goes by field name (`api_key`); None is a flag that was not given, and both text and
    values of the field's own type are taken. A variable with empty text counts as not set.
    `directory` is the working directory: the settings file is looked for in it, so it is the
    folder that all relative paths count from, and they come back joined to it. Of several values
    for one setting only the one that wins is judged.

    Raises:
        SettingError: A name that no setting has, a value that does not fit, or a settings file
            that cannot be read.
    """
    options = option_table()
    environ = _without_service_links(environ)
    file = find_settings_file(directory)
    _refuse_unknown_names(options, flags, environ, file)
    given = {each.name: next(_given(each, flags, environ, file)) for each in options}
    values: dict[str, Any] = {
        each.name: _value(each, given[each.name], directory) for each in options
    }
    origins = {name: source.origin for name, source in given.items()}
    return LoadedSettings(Settings(**values), origins)


def settings_of(given: Mapping[str, Any], directory: Path) -> Settings:
    """Return the settings that code gives by field name, judged as those of flags are.

    Variables and files count for nothing, and None as not given. Relative paths count from
    `directory`.

    Raises:
        SettingError: A name that no setting has, or a value that does not fit.
    """
    options = option_table()
    known = {each.name: each.name for each in options}
    _refuse_strangers({name: f"setting {name}" for name in given}, known)
    sources = {
        name: _Given(raw, "code", f"setting {name}")
        for name, raw in given.items()
        if raw is not None
    }
    values: dict[str, Any] = {
        each.name: _value(each, sources[each.name], directory)
        for each in options
        if each.name in sources
    }
    return Settings(**values)


def _without_service_links(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: text
        for name, text in environ.items()
        if not _SERVICE_LINK.fullmatch(name)
        and not (name == "LAGO_MOCK_PORT" and text.startswith(("tcp://", "udp://")))
    }


def _refuse_unknown_names(
    options: tuple[Option, ...],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    file: SettingsFile,
) -> None:
    known = {each.name: each.flag for each in options}
    _refuse_strangers({name: f"flag --{name.replace('_', '-')}" for name in flags}, known)
    known = {each.name.upper(): each.variable for each in options} | _OTHER_VARIABLES
    ours = [name for name, text in environ.items() if text and name.startswith(_PREFIX)]
    _refuse_strangers({name.removeprefix(_PREFIX): f"variable {name}" for name in ours}, known)
    known = {each.name: each.key for each in options}
    _refuse_strangers({name: file.place(name) for name in file.values}, known)


def _refuse_strangers(places: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raise for the first name in `places` that is not in `known`.

    `places` says where each name stands, `known` how people write it. Names come without what
    all of a kind share (`LAGO_MOCK_`), or each would resemble every other.
    """
    for name, place in places.items():
        if name not in known:
            raise SettingError(f"The {place} is not known; {_advice(name, known)}")


def _advice(name: str, known: Mapping[str, str]) -> str:
    folded = {each.lower(): spelled for each, spelled in known.items()}
    near = closest(name.lower(), folded)
    return f"did you mean {folded[near]}?" if near else f"use one of {_listed(known.values())}."


def _given(
    option: Option,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    file: SettingsFile,
) -> Iterator[_Given]:
    """Give all values of a setting, the one that wins first."""
    if flags.get(option.name) is not None:
        place = f"flag {option.flag}"
        yield _Given(flags[option.name], place, place)
    for variable in option.variables:
        if environ.get(variable):
            place = f"variable {variable}"
            yield _Given(environ[variable], place, place)
    if option.name in file.values:
        place = file.place(option.name)
        yield _Given(file.values[option.name], file.path.name, place, in_toml=True)
    yield _Given(option.default, "default", "default")


def _value(option: Option, given: _Given, directory: Path) -> object:
    if given.raw is None:
        return None
    raw = _joined(given.raw) if option.many else given.raw
    value = raw if given.in_toml else _typed(option, raw)
    if not _fits(option, value):
        what = "of the wrong kind" if option.secret else shown(given.raw)
        raise SettingError(f"The {given.place} is {what}; give {_needed(option, given.in_toml)}.")
    if option.kind == "path" and not re.fullmatch(option.plain or "", str(value)):
        return str(directory / str(value))
    return value


def _joined(raw: object) -> object:
    if isinstance(raw, list) and all(isinstance(each, str) for each in raw):
        return ",".join(raw)
    return raw


def _typed(option: Option, raw: object) -> object:
    """Turn text into the field's type, or leave it as it is if it cannot be."""
    if isinstance(raw, Path):
        return str(raw)
    if not isinstance(raw, str):
        return raw
    if option.kind == "number":
        return int(raw) if re.fullmatch("[0-9]{1,18}", raw) else raw
    if option.kind == "switch":
        return _SWITCH_WORDS.get(raw.lower(), raw)
    return raw.lower() if option.choices else raw


def _fits(option: Option, value: object) -> bool:
    if option.kind == "number":
        return type(value) is int and value in option.numbers  # True is an int by isinstance
    if option.kind == "switch":
        return isinstance(value, bool)
    if option.kind == "key":
        return is_key(value)
    if option.choices:
        return value in option.choices
    return isinstance(value, str) and value != ""


def _needed(option: Option, in_toml: bool) -> str:
    if option.kind == "number":
        needed = f"a whole number from {option.numbers.start} to {option.numbers.stop - 1}"
        return f"{needed}, without quotes" if in_toml else needed
    if option.kind == "switch":
        return "true or false, without quotes" if in_toml else f"one of {_listed(_SWITCH_WORDS)}"
    text = KEY_TEXT if option.kind == "key" else "a text that is not empty"
    needed = f"one of {_listed(option.choices)}" if option.choices else text
    return f"{needed}, in quotes" if in_toml else needed


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
