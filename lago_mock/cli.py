"""The command `lago-mock`: serve, and look at what would be served."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from lago_mock.redaction import cut
from lago_mock.settings import (
    LoadedSettings,
    SettingError,
    Settings,
    load_settings,
    option_table,
)
from lago_mock.steer import add_commands
from lago_mock.version import LAGO_VERSION, __version__

Command = Callable[[argparse.Namespace, LoadedSettings], int]

_RUN = "run a command beside a server on a free port, and end with its status"

USAGE_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 2 with one sentence on stderr."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack the letters of a name
    parsed = _parser().parse_args(_with_default_command(arguments))
    flags = {
        option.name: given
        for option in option_table()
        if (given := getattr(parsed, option.name, None)) is not None
    }
    try:
        settings = load_settings(flags, os.environ, Path.cwd())
        return int(parsed.run(parsed, settings))
    except SettingError as error:
        return _refuse(str(error))
    except BrokenPipeError:  # whoever read the output has enough of it
        _write_no_more()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except _expected_errors() as error:
        return _refuse(str(error))
    except OSError as error:
        _write_no_more()
        return _refuse(f"the output cannot be written: {error.strerror}")


def _write_no_more() -> None:
    """Let what is still to be flushed at the end go nowhere, or it would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(reason: str) -> int:
    print(f"lago-mock: {reason}", file=sys.stderr)
    return USAGE_ERROR


def _expected_errors() -> tuple[type[Exception], ...]:
    """Return the errors whose text is for people; imported late, since `settings` needs none."""
    from lago_mock.testing.background import REASONS

    return *REASONS, UrlFileError


class UrlFileError(Exception):
    """The file for the URL cannot be written."""


def _with_default_command(arguments: Sequence[str] | None) -> list[str]:
    """Return the arguments with `serve` before them when no command is named."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    whole = {"-h", "--help", "--version"}
    if given and (not given[0].startswith("-") or given[0] in whole):
        return given
    return ["serve", *given]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lago-mock",
        description="A stand-in for the Lago billing API. Without a command it serves.",
        epilog="`lago-mock COMMAND --help` tells of a command's flags. Each setting is a variable "
        "too (LAGO_MOCK_PORT), and a key of lago-mock.toml (port).",
    )
    version = f"lago-mock {__version__}, behaves as Lago {LAGO_VERSION}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, run, text in (
        ("serve", _serve, "serve the API until it is stopped (the default)"),
        ("settings", _settings, "print each setting with its value and its origin"),
        ("operations", _operations, "list the operations, and which are mocked"),
        ("check", _check, "validate a document and fixture sets, and serve nothing"),
        ("openapi", _openapi, "print the OpenAPI document in one piece, as JSON"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        if name == "check":
            command.add_argument("sets", nargs="*", metavar="SET", help="fixture sets to check")
        _add_options(command)
    command = commands.add_parser("run", help=_RUN, description=_RUN)
    command.set_defaults(run=_run)
    _add_options(command)
    command.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="CMD", help="the command, after --"
    )
    add_commands(commands)
    return parser


def _add_options(command: argparse.ArgumentParser) -> None:
    for option in option_table():
        if option.kind == "switch":
            command.add_argument(
                option.flag, action=argparse.BooleanOptionalAction, default=None, help=option.help
            )
        else:
            action = "append" if option.many else "store"
            default = "" if option.default is None else f" (default {option.default})"
            command.add_argument(
                option.flag, action=action, metavar=option.metavar, help=option.help + default
            )


def _serve(_parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    signal.signal(signal.SIGTERM, _end)  # before the imports, which are half of a start
    from lago_mock.logs import log_to_stderr

    settings = loaded.settings
    log_to_stderr(settings.log_level, settings.log_format)
    try:
        return _served(settings)
    except _expected_errors() as error:
        if settings.log_format == "text":
            raise
        logging.getLogger("lago_mock").error("%s", error)
        return USAGE_ERROR


def _served(settings: Settings) -> int:
    from lago_mock.app import build
    from lago_mock.logs import shown
    from lago_mock.server import bind, serve, url_of

    with bind(settings) as bound:
        app = build(settings)
        url = url_of(bound, settings.scheme)
        failures: list[Exception] = []

        def on_ready() -> bool:
            try:
                for line in _start_lines(app, url):
                    print(shown(line, settings.log_format))
                _write_url_file(settings, url)
                print(shown("Ready.", settings.log_format), flush=True)
            except (UrlFileError, OSError) as error:
                failures.append(error)
            return not failures

        serve(app, bound, on_ready)
    for failure in failures:
        raise failure
    return 0


def _end(number: int, _frame: object) -> None:
    """End a start: the first process of a container has no default that would."""
    sys.exit(128 + number)


def _start_lines(app: Any, url: str) -> list[str]:
    from lago_mock.tenants import FALLBACK_KEY

    server = app.server
    fixtures = server.tenants.fixtures
    known = app.settings.api_key or server.tenants.first_key()
    key = known if known in (fixtures.api_key, FALLBACK_KEY) else cut(known)
    operations = server.operations.contract.operations.values()
    mocked = sum(server.operations.is_mocked(operation) for operation in operations)
    origin = f"from fixture set {fixtures.name}"
    if app.restored:
        origin = f"as it was found; --reset starts {origin}"
    return [
        f"lago-mock {__version__} behaves as Lago {LAGO_VERSION}",
        f"Listening on {url}, API below {url}/api/v1",
        f"API key: {key}",
        f"Store: {app.settings.db} ({origin})",
        f"Mocked: {mocked} of {len(operations)} operations",
    ]


def _write_url_file(settings: Settings, url: str) -> None:
    if settings.url_file:
        try:
            Path(settings.url_file).write_text(f"{url}\n", "utf-8")
        except OSError as error:
            raise UrlFileError(
                f"{settings.url_file} cannot be written: {error.strerror}"
            ) from error


def _run(parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    from lago_mock.logs import log_to_stderr
    from lago_mock.run import run, settings_for_run

    given = parsed.command
    command = given[1:] if given[:1] == ["--"] else given
    if not command:
        return _refuse("give a command to run, such as: lago-mock run -- pytest")
    settings = settings_for_run(loaded)
    log_to_stderr(settings.log_level, settings.log_format)
    return run(command, settings)


def _settings(_parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    rows = []
    for option in option_table():
        value = getattr(loaded.settings, option.name)
        shown = cut(value) if option.secret and value else value
        rows.append((option.key, "" if shown is None else str(shown), loaded.origins[option.name]))
    _print_table(rows)
    return 0


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _operations(_parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    from lago_mock.operations import handlers_of
    from lago_mock.resources import load_resources

    resources = load_resources()
    handled = handlers_of(resources)
    _print_table(
        [
            (each.id, each.method, each.path, "mocked" if each.id in handled else "501")
            for each in _contract(loaded).operations.values()
        ]
    )
    return 0


def _contract(loaded: LoadedSettings, *, check: bool = False) -> Any:
    from lago_mock.app import load_contract
    from lago_mock.resources import load_resources

    path = Path(loaded.settings.openapi) if loaded.settings.openapi else None
    return load_contract(load_resources(), path, check=check)


def _check(parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    from lago_mock.app import fixture_compiler
    from lago_mock.clock import SystemClock
    from lago_mock.resources import load_resources

    contract = _contract(loaded, check=True)
    counts = f"{len(contract.operations)} operations and {len(contract.webhooks)} webhooks"
    print(f"{contract.document.file}: {counts} are in order")
    compiler = fixture_compiler(contract, load_resources(), SystemClock())
    for name in parsed.sets or compiler.names():
        fixtures = compiler.compile(name)
        print(f"{fixtures.path}: the fixture set is in order")
    return 0


def _openapi(_parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    print(json.dumps(_contract(loaded).whole.tree, indent=2, ensure_ascii=False))
    return 0
