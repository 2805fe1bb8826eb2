"""The commands that steer a running server: thin over its admin API."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lago_mock.client import AdminClient, AdminError
from lago_mock.settings import LoadedSettings, Settings, url_at
from lago_mock.wire import JSONObject

Command = Callable[[argparse.Namespace, AdminClient], int]

FAILED = 1


def add_commands(commands: Any) -> None:
    """Add the commands to those of `lago-mock`."""
    _add(commands, "reset", _reset, "put a running server back to its fixture set").add_argument(
        "--fixtures", dest="set_name", metavar="SET", help="take another set that ships"
    )
    _add_fail(_add(commands, "fail", _fail, "make coming requests to a running server fail"))
    requests = _add(commands, "requests", _requests, "list what a running server was asked")
    requests.add_argument("--follow", action="store_true", help="go on with each that comes")
    requests.add_argument("--operation", metavar="ID", help="those of one operation alone")
    requests.add_argument("--status", metavar="CODE", help="those with one status alone")
    requests.add_argument("--json", action="store_true", help="whole entries, one a line")
    _add(commands, "state", _state, "print all rows of a running server as JSON")
    export = _add(commands, "export", _export, "save the rows as a fixture set")
    export.add_argument("file", metavar="FILE", help="file to write, or - for the screen")
    _add(commands, "health", _health, "tell whether a server runs; status 0 or 1")


def _add(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=lambda parsed, loaded: _steered(run, parsed, loaded))
    command.add_argument(
        "--url", metavar="URL", help="the server; else LAGO_MOCK_URL, else the configured address"
    )
    command.add_argument(
        "--key", metavar="KEY", help="act on the organization of this API key, not on all"
    )
    return command


def _add_fail(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "operation", metavar="OPERATION", help="an id, such as createCustomer, or '*' for all"
    )
    command.add_argument(
        "error",
        metavar="ERROR",
        help="a failure by name (too_many_requests, validation_errors), a status (503), "
        "or a broken connection (EMPTY_RESPONSE, HANG); the README lists all",
    )
    command.add_argument(
        "--times",
        metavar="N",
        default="1",
        help="how many requests meet it; `always` for all (default 1)",
    )
    command.add_argument(
        "--delay-ms", type=int, metavar="MS", help="how many milliseconds to wait first"
    )
    command.add_argument(
        "--details",
        metavar="JSON",
        help="the error_details of validation_errors, such as "
        """'{"email": ["invalid_email_format"]}'""",
    )


def _steered(run: Command, parsed: argparse.Namespace, loaded: LoadedSettings) -> int:
    try:
        client = _client(parsed, loaded.settings)
        try:
            return run(parsed, client)
        except KeyError as error:  # an object, but not with what ours has
            raise client.stranger() from error
    except AdminError as error:
        print(f"lago-mock: {error}", file=sys.stderr)
        return FAILED


def _client(parsed: argparse.Namespace, settings: Settings) -> AdminClient:
    token = settings.admin_token
    if elsewhere := parsed.url or os.environ.get("LAGO_MOCK_URL"):
        return AdminClient(elsewhere, parsed.key, token)
    own = url_at(settings.scheme, settings.host, settings.port)
    return AdminClient(own, parsed.key, token, certificate=settings.ssl_cert)


def _reset(parsed: argparse.Namespace, client: AdminClient) -> int:
    client.post("/reset", {"fixtures": parsed.set_name} if parsed.set_name else None)
    print("Reset.")
    return 0


def _fail(parsed: argparse.Namespace, client: AdminClient) -> int:
    fault: JSONObject = {"operation": parsed.operation, "times": _times(parsed.times)}
    if _is_number(parsed.error):
        fault["status"] = int(parsed.error)
    else:
        fault["connection" if parsed.error.isupper() else "error"] = parsed.error
    if parsed.delay_ms is not None:
        fault["delay_ms"] = parsed.delay_ms
    if parsed.details is not None:
        fault["details"] = _decoded(parsed.details)
    armed = client.post("/faults", fault)
    print(f"Fault {armed['id']} is armed.")
    return 0


def _times(given: str) -> int | None:
    if given == "always":
        return None
    if not _is_number(given):
        raise AdminError(f"--times is {given!r}; give a number, or always")
    return int(given)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise AdminError(f"--details is no JSON: {error}") from error


def _requests(parsed: argparse.Namespace, client: AdminClient) -> int:
    wanted = {"operation": parsed.operation, "status": parsed.status}
    show = _whole if parsed.json else _line
    kept = client.get("/requests", **wanted)["requests"]  # refuses what can never be
    for entry in client.events(after="0") if parsed.follow else kept:
        if isinstance(entry, int):
            print(f"lago-mock: {entry} requests were dropped", file=sys.stderr, flush=True)
        elif _is_wanted(entry, wanted):
            print(show(entry), flush=parsed.follow)
    return 0


def _is_wanted(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(text is None or str(entry[name]) == text for name, text in wanted.items())


def _whole(entry: JSONObject) -> str:
    return json.dumps(entry, ensure_ascii=False)


def _line(entry: JSONObject) -> str:
    """Return an entry in a line: time, verb, path, status, operation, and why it was refused."""
    status = "…" if entry["status"] is None else entry["status"]
    parts = [entry["time"], entry["method"], entry["path"], status, entry["operation"] or "-"]
    reasons = [f"{each['pointer']} {each['keyword']}" for each in entry["reasons"]]
    reasons += [each for each in (entry["refusal"], entry["hint"]) if each]
    if entry["fault"]:
        reasons.insert(0, f"fault {entry['fault']}")
    line = " ".join(map(str, parts))
    return f"{line}: {'; '.join(reasons)}" if reasons else line


def _state(_parsed: argparse.Namespace, client: AdminClient) -> int:
    print(json.dumps(client.get("/state"), indent=2, ensure_ascii=False))
    return 0


def _export(parsed: argparse.Namespace, client: AdminClient) -> int:
    state = client.get("/state")
    if len(state["organizations"]) > 1:
        raise AdminError(
            f"there are {len(state['organizations'])} organizations, and a fixture set is of one; "
            "name it by its API key, with --key"
        )
    text = json.dumps(state, indent=2, ensure_ascii=False) + "\n"
    if parsed.file == "-":
        print(text, end="")
        return 0
    try:
        Path(parsed.file).write_text(text, "utf-8")
    except OSError as error:
        raise AdminError(f"{parsed.file} cannot be written: {error.strerror}") from error
    print(f"Written to {parsed.file}; serve it with --fixtures {parsed.file}.")
    return 0


def _health(_parsed: argparse.Namespace, client: AdminClient) -> int:
    answer = client.get("/health")
    print(f"{answer['message']}: {client.url}, version {answer['version']}")
    return 0
