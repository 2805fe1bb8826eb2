from __future__ import annotations

import json
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import tinydb

from lago_mock.app import LagoMockApp, build
from lago_mock.server import ListenError, bind, serve, url_of
from lago_mock.settings import Settings
from lago_mock.version import LAGO_VERSION, __version__
from tests.process import STOP_SECONDS, ServerProcess, arguments_of, run, serving
from tests.unmocked import WRITE

KNOWN_KEY = "lago-mock-key"
OWN_KEY = "0f7a1c52-5d2e-4c7e-9d5b-3a8e6b1f4c90"
FOUND = "as it was found; --reset starts from fixture set"
SIGNALS = [pytest.param(each, id=each.name) for each in (signal.SIGTERM, signal.SIGINT)]

Start = Callable[..., ServerProcess]
Refuse = Callable[..., str]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers on one store, `state.json`; all have stopped at the end."""
    with ExitStack() as stack:

        def begin(*arguments: str, **variables: str) -> ServerProcess:
            return stack.enter_context(serving(tmp_path, *arguments, variables=variables))

        yield begin


@pytest.fixture
def refusal(tmp_path: Path) -> Refuse:
    """Runs `serve` where it must not begin; gives the one line on stderr, without our name."""

    def refused(*arguments: str, **variables: str) -> str:
        ended = run(tmp_path, *arguments_of(tmp_path), *arguments, variables=variables)
        assert "Ready." not in ended.stdout
        line, end, rest = ended.stderr.partition("\n")
        assert (ended.returncode, end, rest) == (2, "\n", ""), ended.stderr
        assert line.startswith("lago-mock: ")
        return line.removeprefix("lago-mock: ")

    return refused


@contextmanager
def api(server: ServerProcess, key: str = KNOWN_KEY) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers) as client:
        yield client


def create(server: ServerProcess, external_id: str) -> None:
    with api(server) as client:
        body = {"customer": {"external_id": external_id}}
        client.post("/customers", json=body).raise_for_status()


def customers(server: ServerProcess, key: str = KNOWN_KEY) -> list[str]:
    with api(server, key) as client:
        found = client.get("/customers").raise_for_status().json()["customers"]
    return [customer["external_id"] for customer in found]


def organization_name(server: ServerProcess, key: str) -> str:
    with api(server, key) as client:
        answer = client.get("/organizations").raise_for_status().json()
    return str(answer["organization"]["name"])


def arm(server: ServerProcess, fault: dict[str, Any]) -> None:
    httpx.post(f"{server.url}/__admin/faults", json=fault).raise_for_status()


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_the_start_tells_what_is_served_where_and_ends_with_ready(
    start: Start, tmp_path: Path
) -> None:
    server = start()

    version, listening, key, store, mocked, ready = server.lines
    assert version == f"lago-mock {__version__} behaves as Lago {LAGO_VERSION}"
    assert listening == f"Listening on {server.url}, API below {server.url}/api/v1"
    assert key == f"API key: {KNOWN_KEY}"
    assert store == f"Store: {tmp_path / 'state.json'} (from fixture set default)"
    assert re.fullmatch(r"Mocked: [1-9]\d* of 2\d\d operations", mocked)
    assert ready == "Ready."


def test_port_0_is_a_free_port_that_lines_and_url_file_name(start: Start, tmp_path: Path) -> None:
    server = start("--port", "0", "--url-file", "url")

    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d{3,4}", server.url)
    assert (tmp_path / "url").read_text("utf-8") == f"{server.url}\n"
    assert httpx.get(f"{server.url}/ready").json() == {"status": "ok"}


def test_a_key_of_ones_own_works_and_is_not_shown_whole(start: Start) -> None:
    server = start("--api-key", OWN_KEY)

    assert f"API key: …{OWN_KEY[-4:]}" in server.lines
    assert OWN_KEY not in "".join(server.lines)
    assert len(customers(server, OWN_KEY)) == 5


def test_a_short_key_of_ones_own_is_not_shown_whole(start: Start) -> None:
    assert "s3cr" not in "".join(start("--api-key", "s3cr").lines)


def test_the_start_lines_can_be_written_to_a_stream_of_ascii(start: Start) -> None:
    server = start("--api-key", OWN_KEY, PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert server.lines[2].endswith(OWN_KEY[-4:])


def test_the_variables_of_lagos_own_container_name_the_first_organization(start: Start) -> None:
    server = start(LAGO_ORG_API_KEY=OWN_KEY, LAGO_ORG_NAME="Tidewater Ferries")

    assert organization_name(server, OWN_KEY) == "Tidewater Ferries"
    assert f"API key: …{OWN_KEY[-4:]}" in server.lines


def test_a_new_key_is_added_to_the_organization_of_an_existing_file(start: Start) -> None:
    start().stop()

    server = start("--api-key", OWN_KEY)

    assert customers(server, OWN_KEY) == customers(server, KNOWN_KEY)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param("lago-mock.toml", ['fixtures = "empty"', 'db = ":memory:"'], id="own file"),
        pytest.param(
            "pyproject.toml", ["[tool.lago-mock]", 'fixtures = "empty"'], id="table in pyproject"
        ),
    ],
)
def test_settings_come_from_a_file_in_the_working_directory(
    name: str, lines: list[str], start: Start, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("\n".join(lines), "utf-8")

    server = start()

    # The flag --db goes before the file's key.
    assert f"Store: {tmp_path / 'state.json'} (from fixture set empty)" in server.lines
    assert customers(server) == []


def test_state_survives_a_stop_and_a_new_start(start: Start, tmp_path: Path) -> None:
    first = start("--fixtures", "empty")
    create(first, "acct-1")
    first.stop()

    second = start("--fixtures", "empty")

    assert customers(second) == ["acct-1"]
    assert f"Store: {tmp_path / 'state.json'} ({FOUND} empty)" in second.lines


def test_state_survives_a_kill(start: Start, tmp_path: Path) -> None:
    first = start("--fixtures", "empty")
    create(first, "acct-1")
    first.stop(signal.SIGKILL)

    second = start("--fixtures", "empty")

    assert customers(second) == ["acct-1"]
    assert f"Store: {tmp_path / 'state.json'} ({FOUND} empty)" in second.lines


def test_an_existing_file_wins_over_another_fixture_set(start: Start, tmp_path: Path) -> None:
    start("--fixtures", "empty").stop()

    server = start("--fixtures", "default")

    assert f"Store: {tmp_path / 'state.json'} ({FOUND} default)" in server.lines
    assert customers(server) == []


def test_reset_goes_back_to_the_fixture_set_and_says_so(start: Start, tmp_path: Path) -> None:
    first = start("--fixtures", "empty")
    create(first, "acct-1")
    first.stop()

    server = start("--fixtures", "empty", "--reset")

    assert f"Store: {tmp_path / 'state.json'} (from fixture set empty)" in server.lines
    assert customers(server) == []


def test_in_memory_nothing_is_written(start: Start, tmp_path: Path) -> None:
    server = start("--db", ":memory:")
    create(server, "acct-1")
    server.stop()

    assert "Store: :memory: (from fixture set default)" in server.lines
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stderr.log"]


def test_after_a_stop_the_store_is_one_plain_tinydb_file(start: Start, tmp_path: Path) -> None:
    server = start("--fixtures", "empty")
    create(server, "acct-1")
    server.stop()

    assert not list(tmp_path.glob("state.json.journal*"))
    with tinydb.TinyDB(tmp_path / "state.json") as database:
        (table,) = (name for name in database.tables() if name.startswith("customers:"))
        rows = database.table(table).search(tinydb.where("external_id") == "acct-1")
        assert [row["external_id"] for row in rows] == ["acct-1"]
        assert database.table("lago_mock").get(doc_id=1)["version"] == __version__


def test_a_second_process_on_the_same_file_is_refused(
    start: Start, refusal: Refuse, tmp_path: Path
) -> None:
    first = start()

    said = refusal("--url-file", "url")

    assert said.startswith(f"{tmp_path / 'state.json'}: another lago-mock has this file open. ")
    assert not (tmp_path / "url").exists()
    assert len(customers(first)) == 5


def test_a_port_in_use_is_refused(refusal: Refuse) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = refusal("--port", str(port))

    assert said == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Stop what has it, or take another with --port (0 is a free one)."
    )


def test_of_two_that_bound_one_port_the_later_to_listen_is_refused() -> None:
    """What two starts at one moment come to: both can be bound for as long as none listens."""
    app = build(Settings(db=":memory:", fixtures="empty"))
    with bind(Settings(port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen_after(first, port, app)


def listen_after(first: socket.socket, port: int, app: LagoMockApp) -> None:
    with bind(Settings(port=port)) as second:
        first.listen()
        serve(app, second, not_ready)


def test_with_a_certificate_that_is_none_it_never_listens(tmp_path: Path) -> None:
    app = build(Settings(db=":memory:", fixtures="empty", ssl_cert=str(tmp_path / "none.pem")))
    with bind(Settings(port=0)) as bound:
        with pytest.raises(ListenError, match=r"none\.pem cannot be served with"):
            serve(app, bound, not_ready)

        assert not bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def not_ready() -> None:
    raise AssertionError("it says that it is ready, and does not listen")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        pytest.param("203.0.113.1", "cannot listen on 203.0.113.1:0: ", id="of another machine"),
        pytest.param("::1%none", "::1%none:0 is no address of this machine: ", id="no such device"),
        pytest.param("a..b", "a..b:0 is no address of this machine: ", id="no name at all"),
    ],
)
def test_an_address_that_is_not_ours_is_refused(host: str, said: str, refusal: Refuse) -> None:
    refused = refusal("--host", host)

    assert refused.startswith(said)
    assert refused.endswith(". Name another with --host.")


class Bound:
    """A bound socket as far as `url_of` looks; no test listens beyond 127.0.0.1."""

    def __init__(self, host: str) -> None:
        self.host = host

    def getsockname(self) -> tuple[str, int, int, int]:
        return self.host, 3000, 0, 0


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),
        ("::1", "http://[::1]:3000"),
        ("::", "http://[::1]:3000"),
    ],
)
def test_the_url_is_one_that_clients_on_this_machine_can_use(host: str, url: str) -> None:
    assert url_of(Bound(host)) == url  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["missing/url", "."])
def test_a_url_file_that_cannot_be_written_is_refused(
    path: str, refusal: Refuse, tmp_path: Path
) -> None:
    assert refusal("--url-file", path).startswith(f"{tmp_path / path} cannot be written: ")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("file/state.json", id="below a file"),
        pytest.param(
            "/proc/state.json",
            id="where nobody may write",
            marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc"),
        ),
    ],
)
def test_a_store_in_a_folder_that_cannot_be_written_is_refused(
    path: str, refusal: Refuse, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    assert refusal("--db", path).startswith(f"{tmp_path / path}: cannot be written: ")


def test_a_folder_in_place_of_the_store_is_refused(refusal: Refuse, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    said = refusal("--db", "folder")

    assert said.startswith(f"{tmp_path / 'folder'}: cannot be written: it is a folder. ")


HEAD = '"lago_mock": {"1": {"format": 1, "generation": 1}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "not JSON at line 1, column 1", id="empty"),
        pytest.param(f"{{{HEAD}", "not JSON at line 1, column ", id="cut off"),
        pytest.param('{"_default": {}}', "no store of lago-mock", id="another TinyDB's"),
        pytest.param(HEAD.join(("[{", "}]")), "no store of lago-mock", id="no object"),
        pytest.param(f'{{{HEAD}, "plans:1": {{"1": {{}}}}}}', "the table 'plans:1'", id="strange"),
        pytest.param(
            '{"lago_mock": {"1": {"format": 2, "generation": 1, "version": "9.0.0"}}}',
            "written in format 2 by lago-mock 9.0.0",
            id="of a later version",
        ),
        pytest.param(
            f'{{{HEAD}, "organizations:1": {{"1": {{}}}}}}', "", id="a row without its key"
        ),
        pytest.param(
            '{"lago_mock": {"1": {"format": 1, "generation": 1, "sequences": []}}}',
            "",
            id="sequences of another kind",
        ),
    ],
)
def test_a_damaged_store_is_refused_and_left_as_it_is(
    text: str, said: str, refusal: Refuse, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    path.write_text(text, "utf-8")

    assert refusal().startswith(f"{path}: {said}")
    assert path.read_text("utf-8") == text


def test_a_damaged_journal_is_refused_and_left_as_it_is(
    start: Start, refusal: Refuse, tmp_path: Path
) -> None:
    server = start("--fixtures", "empty")
    create(server, "acct-1")
    server.stop(signal.SIGKILL)
    path = tmp_path / "state.json.journal.0"
    damaged = path.read_bytes().replace(b"acct-1", b"acct-2")
    path.write_bytes(damaged)

    assert re.match(rf"{re.escape(str(path))}: line \d+ does not match", refusal())
    assert path.read_bytes() == damaged


def test_a_fixture_set_that_does_not_exist_is_refused(refusal: Refuse) -> None:
    said = refusal("--fixtures", "defualt")

    assert said == "defualt: there is no such fixture set. Did you mean default?"


def test_a_fixture_set_that_the_document_refuses_is_refused(
    refusal: Refuse, tmp_path: Path
) -> None:
    path = tmp_path / "club.yaml"
    path.write_text("organization: {name: Club}\ncustomers: [{external_id: a, currency: XYZ}]\n")

    said = refusal("--fixtures", "club.yaml")

    assert said.startswith(f"{path}: /customers/0/currency: value_is_invalid")


def test_a_broken_document_is_refused(refusal: Refuse, tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text("paths: [", "utf-8")

    said = refusal("--openapi", "api.yaml")

    path = re.escape(str(tmp_path / "api.yaml"))
    assert re.match(rf"{path}: line \d+, column \d+: not YAML", said)


@pytest.mark.parametrize("by", SIGNALS)
def test_a_signal_ends_it_with_status_0_and_the_store_saved(
    by: signal.Signals, start: Start, tmp_path: Path
) -> None:
    server = start("--fixtures", "empty")
    create(server, "acct-1")

    with api(server) as client:
        client.get("/customers")  # and the connection is kept alive
        status, seconds = server.stop(by)

    assert status == 0
    assert seconds < STOP_SECONDS, f"it took {seconds:.1f} s"
    assert_saved(tmp_path, "acct-1")
    assert_calm(server.stderr)


@pytest.mark.parametrize("by", SIGNALS)
def test_calls_that_wait_for_a_fault_do_not_hold_up_the_end_and_write_nothing(
    by: signal.Signals, start: Start, tmp_path: Path
) -> None:
    server = start("--fixtures", "empty")
    create(server, "acct-1")
    arm(server, {"operation": "createCustomer", "delay_ms": 60_000})
    arm(server, {"operation": "findOrganization", "connection": "HANG"})

    with api(server) as client, ThreadPoolExecutor(2) as threads:
        body = {"customer": {"external_id": "too-late"}}
        delayed = threads.submit(client.post, "/customers", json=body)
        hanging = threads.submit(client.get, "/organizations")
        wait_for_hits(server, 2)
        status, seconds = server.stop(by)
        answers = [outcome_of(delayed), outcome_of(hanging)]

    assert (status, answers) == (0, [503, 503])
    assert seconds < STOP_SECONDS, f"it took {seconds:.1f} s"
    assert_saved(tmp_path, "acct-1", missing="too-late")
    assert_calm(server.stderr)


@pytest.mark.parametrize("by", SIGNALS)
def test_a_body_that_never_comes_does_not_hold_up_the_end(
    by: signal.Signals, start: Start, tmp_path: Path
) -> None:
    server = start("--fixtures", "empty")
    create(server, "acct-1")

    with half_sent(server):
        status, seconds = server.stop(by)

    assert status == 0
    assert seconds < STOP_SECONDS, f"it took {seconds:.1f} s"
    assert_saved(tmp_path, "acct-1")
    assert_calm(server.stderr)


@pytest.mark.parametrize("by", SIGNALS)
def test_a_second_signal_changes_nothing(by: signal.Signals, start: Start, tmp_path: Path) -> None:
    server = start("--fixtures", "empty")
    create(server, "acct-1")

    with half_sent(server):
        server.process.send_signal(by)
        status, seconds = server.stop(by)

    assert status == 0
    assert seconds < STOP_SECONDS, f"it took {seconds:.1f} s"
    assert_saved(tmp_path, "acct-1")
    assert_calm(server.stderr)


def test_a_start_can_be_ended_before_what_takes_long_is_imported(tmp_path: Path) -> None:
    code = (
        "import signal, sys; from lago_mock.cli import main\n"
        "signal.signal = lambda *_: sys.exit('uvicorn' in sys.modules)\n"
        "main(['serve'])"
    )

    ended = run(tmp_path, command=(sys.executable, "-c", code))

    assert (ended.returncode, ended.stderr) == (0, "")


@contextmanager
def half_sent(server: ServerProcess) -> Iterator[None]:
    """Hold a connection on which half a request has been read."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        head = (
            "POST /api/v1/customers HTTP/1.1",
            f"Host: {host}",
            f"Authorization: Bearer {KNOWN_KEY}",
            "Content-Type: application/json",
            "Content-Length: 100",
            "Expect: 100-continue",
        )
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")  # now it waits for the body
        connection.sendall(b'{"customer": {')
        yield


def wait_for_hits(server: ServerProcess, count: int) -> None:
    hits = 0
    while hits < count:
        faults = httpx.get(f"{server.url}/__admin/faults").json()["faults"]
        hits = sum(fault["hits"] for fault in faults)


def outcome_of(call: Future[httpx.Response]) -> int:
    return call.result(10).status_code


def assert_saved(folder: Path, external_id: str, missing: str = "nothing-of-it") -> None:
    assert not list(folder.glob("state.json.journal*"))
    text = (folder / "state.json").read_text("utf-8")
    assert json.loads(text)["lago_mock"]["1"]["generation"] >= 1
    assert external_id in text
    assert missing not in text


def assert_calm(stderr: str) -> None:
    """The log holds lines of requests and nothing else."""
    strange = [line for line in stderr.splitlines() if not re.match(r"[A-Z]+ /\S* \d{3} ", line)]
    assert strange == []


def test_the_log_has_one_line_a_request_with_the_reason_of_a_refusal(start: Start) -> None:
    server = start("--fixtures", "empty")
    with api(server) as client:
        client.get("/organizations")
        client.post("/customers", json={"customer": {"external_id": "a", "currency": "XYZ"}})
        client.post("/customers", json={"external_id": "a"})
        client.get("/customers/nobody")
        client.post(WRITE.path, json={"plan": {"code": "gold"}})
        client.patch("/customers/nobody")
        httpx.get(f"{server.url}/organizations")
        httpx.get(f"{server.url}/api/v1/organizations")
        server.stop()

    timeless = [re.sub(r" \d+\.\d ms", " - ms", line) for line in server.stderr.splitlines()]
    assert timeless == [
        "GET /api/v1/organizations 200 findOrganization - ms",
        "POST /api/v1/customers 422 createCustomer - ms: /customer/currency enum",
        "POST /api/v1/customers 400 createCustomer - ms: BadRequest: "
        "param is missing or the value is empty or invalid: customer",
        "GET /api/v1/customers/nobody 404 findCustomer - ms: customer_not_found",
        f"POST /api/v1{WRITE.path} 501 {WRITE.id} - ms: operation_not_mocked",
        "PATCH /api/v1/customers/nobody 404 - - ms: "
        "resource_not_found; this path takes GET, DELETE",
        "GET /organizations 404 - - ms: "
        "resource_not_found; the path lacks /api/v1: add it to the base URL",
        "GET /api/v1/organizations 401 findOrganization - ms: Unauthorized",
    ]


def test_the_log_names_the_fault_that_a_request_met(start: Start) -> None:
    server = start()
    fault = httpx.post(
        f"{server.url}/__admin/faults", json={"operation": "*", "error": "bad_gateway"}
    ).json()

    with api(server) as client:
        client.get("/organizations")
    server.stop()

    line = rf"GET /api/v1/organizations 502 findOrganization \d+\.\d ms: fault {fault['id']}\n"
    assert re.fullmatch(line, server.stderr)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/customers/a%0AGET%20/forged%20200", id="line feed"),
        pytest.param("/customers/a%0D%0AGET%20/forged%20200", id="carriage return"),
        pytest.param("/customers/a%1B%5B2J", id="escape sequence"),
        pytest.param("/customers/a%C2%85b", id="next line"),
        pytest.param("/customers/a%E2%80%A8b", id="line separator"),
    ],
)
def test_no_path_can_break_its_line_of_the_log(path: str, start: Start) -> None:
    server = start()
    with api(server) as client:
        client.get(path)
    server.stop()

    (line,) = server.stderr.removesuffix("\n").split("\n")
    assert re.match(r"GET /api/v1/customers/a.* 404 (findCustomer|-) ", line)
    assert line.isprintable()


def test_log_level_warning_silences_the_requests(start: Start) -> None:
    server = start("--log-level", "warning")
    with api(server) as client:
        client.get("/organizations")
        client.get("/nothing")
    server.stop()

    assert server.stderr == ""


def test_the_log_never_holds_a_key(start: Start) -> None:
    wrong = "b2f0c6de-wrong-key-0001"
    server = start("--log-level", "debug", "--api-key", OWN_KEY)
    for key in (OWN_KEY, wrong):
        with api(server, key) as client:
            client.get("/organizations", params={"api_key": key})
            client.get("/nothing")
            client.post("/customers", content=b"{", headers={"Content-Type": "application/json"})
            client.get("/organizations", headers={"Cookie": f"key={key}"})
            httpx.get(f"{server.url}/__admin/requests", headers=client.headers)
    server.stop()

    assert server.stderr.count("\n") == 8
    assert OWN_KEY not in server.stderr
    assert wrong not in server.stderr
