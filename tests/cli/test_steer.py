"""The commands that steer a running server, against a real one."""

from __future__ import annotations

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import httpx
import pytest

from lago_mock import steer
from lago_mock.app import build
from lago_mock.cli import main
from lago_mock.client import AdminClient
from lago_mock.settings import Settings
from tests.conftest import API_KEY, running
from tests.process import serving

pytestmark = pytest.mark.usefixtures("admin")  # each test begins with a server that was reset

Printed = pytest.CaptureFixture[str]


class Stranger(BaseHTTPRequestHandler):
    """A server that answers every request with an object, and is no lago-mock."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> Path:
    """The working directory: empty, and LAGO_MOCK_URL leads to the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAGO_MOCK_URL", server)
    return tmp_path


def refusal(capsys: Printed, *arguments: str) -> str:
    """Return the one sentence of a command that must fail."""
    assert main(arguments) == 1
    written = capsys.readouterr()
    assert written.out == ""
    return written.err


def test_reset_goes_back_to_the_fixture_set(client: httpx.Client, capsys: Printed) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()

    assert main(["reset"]) == 0

    assert capsys.readouterr().out == "Reset.\n"
    assert client.get("/customers").json()["customers"] == []


def test_reset_takes_another_set(client: httpx.Client, capsys: Printed) -> None:
    assert main(["reset", "--fixtures", "default"]) == 0
    assert client.get("/customers").json()["meta"]["total_count"] > 0
    assert main(["reset", "--fixtures", "empty"]) == 0
    assert client.get("/customers").json()["meta"]["total_count"] == 0
    assert capsys.readouterr().out == "Reset.\nReset.\n"


def test_reset_to_a_set_that_there_is_not_fails(client: httpx.Client, capsys: Printed) -> None:
    assert refusal(capsys, "reset", "--fixtures", "nope") == (
        "lago-mock: POST /__admin/reset was answered 404: fixtures_not_found; "
        "there are default, empty\n"
    )


def test_fail_arms_a_fault_by_name_for_so_many_requests(
    client: httpx.Client, capsys: Printed
) -> None:
    assert main(["fail", "createCustomer", "too_many_requests", "--times", "2"]) == 0

    assert re.fullmatch(r"Fault [0-9a-f-]{36} is armed\.\n", capsys.readouterr().out)
    body = {"customer": {"external_id": "a"}}
    statuses = [client.post("/customers", json=body).status_code for _ in range(3)]
    assert statuses == [429, 429, 200]


def test_fail_takes_a_status_and_a_delay(
    client: httpx.Client, admin: httpx.Client, capsys: Printed
) -> None:
    assert main(["fail", "*", "503", "--times", "always", "--delay-ms", "1"]) == 0

    (fault,) = admin.get("/faults").json()["faults"]
    assert (fault["status"], fault["times"], fault["delay_ms"]) == (503, None, 1)
    assert client.get("/organizations").status_code == 503


def test_fail_takes_details(client: httpx.Client, capsys: Printed) -> None:
    details = {"currency": ["value_is_invalid"]}
    arguments = ["fail", "createCustomer", "validation_errors", "--details", json.dumps(details)]

    assert main(arguments) == 0

    answer = client.post("/customers", json={"customer": {"external_id": "a"}}).json()
    assert answer["error_details"] == details


def test_fail_breaks_connections(
    client: httpx.Client, admin: httpx.Client, capsys: Printed
) -> None:
    assert main(["fail", "findOrganization", "HANG", "--key", API_KEY]) == 0

    headers = {"Authorization": f"Bearer {API_KEY}"}
    (fault,) = admin.get("/faults", headers=headers).json()["faults"]
    assert (fault["connection"], fault["times"]) == ("HANG", 1)
    assert admin.get("/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(
            ("createCustmer", "forbidden"),
            "POST /__admin/faults was answered 422: "
            "operation: no operation createCustmer; did you mean createCustomer?",
            id="operation",
        ),
        pytest.param(
            ("createCustomer", "forbidden", "--times", "two"),
            "--times is 'two'; give a number, or always",
            id="times",
        ),
        pytest.param(
            ("createCustomer", "forbidden", "--times", "9" * 5000),
            f"--times is '{'9' * 5000}'; give a number, or always",
            id="endless times",
        ),
        pytest.param(
            ("createCustomer", "5" * 5000, "--times", "1"),
            "POST /__admin/faults was answered 422: error: value_is_invalid; there are "
            "unauthorized, forbidden, not_found, validation_errors, too_many_requests, "
            "internal_server_error, bad_gateway, service_unavailable, gateway_timeout",
            id="endless status",
        ),
        pytest.param(
            ("createCustomer", "validation_errors", "--details", "{"),
            "--details is no JSON: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)",
            id="details",
        ),
    ],
)
def test_a_fault_that_cannot_be_is_explained(
    client: httpx.Client, capsys: Printed, arguments: tuple[str, ...], reason: str
) -> None:
    assert refusal(capsys, "fail", *arguments) == f"lago-mock: {reason}\n"


def test_requests_are_listed_a_line_each(client: httpx.Client, capsys: Printed) -> None:
    client.get("/organizations")
    client.post("/customers", json={"customer": {"external_id": "a", "currency": "?"}})
    client.get("/nowhere")

    assert main(["requests"]) == 0

    lines = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "GET /api/v1/organizations 200 findOrganization"
    assert lines[1].startswith("POST /api/v1/customers 422 createCustomer: /customer/currency enum")
    assert lines[2].startswith("GET /api/v1/nowhere 404 -: resource_not_found")


def test_requests_can_be_chosen_and_shown_whole(client: httpx.Client, capsys: Printed) -> None:
    client.get("/organizations")
    client.get("/customers/none")

    assert main(["requests", "--operation", "findCustomer", "--status", "404", "--json"]) == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["path"] == "/api/v1/customers/none"


def test_a_request_that_met_a_fault_names_it(client: httpx.Client, capsys: Printed) -> None:
    main(["fail", "findOrganization", "forbidden"])
    fault = capsys.readouterr().out.split()[1]
    client.get("/organizations")

    main(["requests"])

    assert f": fault {fault}" in capsys.readouterr().out


def test_requests_are_followed_until_the_server_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: Queue[str] = Queue()
    monkeypatch.setattr(steer, "print", lambda line, **_: printed.put(line), raising=False)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with running(build(Settings(db=":memory:", fixtures="empty"))) as url:
        arguments = ["requests", "--follow", "--url", url, "--operation", "findOrganization"]
        follower = threading.Thread(target=main, args=(arguments,), daemon=True)
        with httpx.Client(base_url=url, headers=headers, verify=False) as client:
            client.get("/api/v1/organizations")
            follower.start()
            lines = [printed.get(timeout=10)]
            for _ in range(2):
                client.get("/api/v1/customers")
                client.get("/api/v1/organizations")
                lines.append(printed.get(timeout=10))
    follower.join(10)

    assert not follower.is_alive()
    assert printed.empty()
    assert all(" 200 findOrganization" in line for line in lines)


def test_requests_of_no_operation_are_refused(client: httpx.Client, capsys: Printed) -> None:
    for follow in ((), ("--follow",)):
        assert refusal(capsys, "requests", "--operation", "findTx", *follow) == (
            "lago-mock: GET /__admin/requests?operation=findTx was answered 422: "
            "operation: no operation findTx; did you mean findTax?\n"
        )


def test_a_follower_tells_how_many_it_was_too_slow_for(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    told: list[int] = [12]
    monkeypatch.setattr(AdminClient, "events", lambda _client, after: iter(told))

    assert main(["requests", "--follow"]) == 0
    assert capsys.readouterr() == ("", "lago-mock: 12 requests were dropped\n")


def test_state_is_printed_and_exported_as_a_fixture_set(
    client: httpx.Client, folder: Path, capsys: Printed
) -> None:
    client.post("/customers", json={"customer": {"external_id": "exported"}}).raise_for_status()

    assert main(["state"]) == 0
    assert "exported" in capsys.readouterr().out
    assert main(["export", "-"]) == 0
    whole = capsys.readouterr().out
    assert main(["export", "mine.json"]) == 0
    assert capsys.readouterr().out == "Written to mine.json; serve it with --fixtures mine.json.\n"

    assert (folder / "mine.json").read_text("utf-8") == whole
    assert main(["check", "mine.json"]) == 0


def test_the_key_of_an_exported_set_is_shown_where_it_is_the_usual_one(
    server: str, folder: Path
) -> None:
    assert main(["export", "mine.json"]) == 0

    with serving(folder, "--fixtures", "./mine.json", "--db", ":memory:") as own:
        assert f"API key: {API_KEY}" in own.lines


@pytest.mark.parametrize("file", ["all.json", "-"])
def test_an_export_is_of_one_organization_which_its_key_names(
    admin: httpx.Client, folder: Path, capsys: Printed, file: str
) -> None:
    admin.post("/organizations", json={"api_key": "second-key"}).raise_for_status()

    assert refusal(capsys, "export", file) == (
        "lago-mock: there are 2 organizations, and a fixture set is of one; "
        "name it by its API key, with --key\n"
    )
    assert list(folder.iterdir()) == []
    assert main(["export", "one.json", "--key", "second-key"]) == 0
    assert main(["check", "one.json"]) == 0


def test_an_export_that_cannot_be_written_is_explained(
    client: httpx.Client, capsys: Printed
) -> None:
    assert refusal(capsys, "export", "no/such/folder.json") == (
        "lago-mock: no/such/folder.json cannot be written: No such file or directory\n"
    )


def test_health_says_that_a_server_runs(server: str, capsys: Printed) -> None:
    assert main(["health"]) == 0
    assert capsys.readouterr().out.startswith(f"lago-mock is ok: {server}, version ")


def test_health_says_that_none_runs(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.delenv("LAGO_MOCK_URL")
    monkeypatch.setenv("LAGO_MOCK_PORT", str(port))

    assert refusal(capsys, "health") == (
        f"lago-mock: no answer from lago-mock at http://127.0.0.1:{port}: "
        "[Errno 111] Connection refused; is it running?\n"
    )


@pytest.mark.parametrize("command", [("health",), ("requests",), ("fail", "*", "503")])
def test_a_server_that_is_no_lago_mock_is_told_from_one(
    command: tuple[str, ...], capsys: Printed
) -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        answering = threading.Thread(target=stranger.handle_request)
        answering.start()
        url = f"http://127.0.0.1:{stranger.server_port}"
        said = refusal(capsys, *command, "--url", url)
        answering.join()

    assert said == f"lago-mock: {url} does not answer as lago-mock does; is it one?\n"


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"LAGO_MOCK_HOST": "0.0.0.0"}, "http://127.0.0.1:1"),
        ({"LAGO_MOCK_HOST": "::"}, "http://[::1]:1"),
        ({"LAGO_MOCK_SSL_CERT": "a.pem"}, "https://127.0.0.1:1"),
    ],
    ids=["all addresses", "all addresses of IPv6", "HTTPS"],
)
def test_the_configured_address_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed, variables: dict[str, str], url: str
) -> None:
    monkeypatch.delenv("LAGO_MOCK_URL")
    for name, text in {"LAGO_MOCK_PORT": "1", **variables}.items():
        monkeypatch.setenv(name, text)

    assert f"no answer from lago-mock at {url}:" in refusal(capsys, "health")


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://[", "http://127.0.0.1:99999", "127.0.0.1:port"]
)
def test_a_url_that_is_none_is_explained(capsys: Printed, url: str) -> None:
    assert refusal(capsys, "health", "--url", url) == (
        f"lago-mock: {url!r} is no URL of a server; give one like http://127.0.0.1:3000\n"
    )
