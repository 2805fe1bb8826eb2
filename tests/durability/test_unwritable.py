"""A disk that refuses a write costs that write, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.durability.client import Client, JSONObject, path_of
from tests.durability.disks import ROOM, Disk, LimitedFiles, small_file_system
from tests.durability.files import contents, logs
from tests.process import COMMAND, ServerProcess, serving

EMPTY = ("--fixtures", "empty", "--log-level", "warning")
REFUSED = (500, {"status": 500, "error": "Internal Server Error"})
LARGE = "x" * 2 * ROOM  # as the first customer it makes every file too long for `LimitedFiles`
MORE = "y" * 8_000  # more than the rest of a block, which the kernel may still give
WAIT_SECONDS = 10

Start = Callable[..., ServerProcess]


@pytest.fixture(params=["limited files", "small file system"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with ExitStack() as stack:
        if request.param == "limited files":
            yield LimitedFiles(tmp_path)
        else:
            yield stack.enter_context(small_file_system(tmp_path))


@pytest.fixture
def start(disk: Disk, tmp_path: Path) -> Iterator[Start]:
    """Starts servers on the disk's store; all have stopped at the end."""
    with ExitStack() as stack:

        def begin(*arguments: str) -> ServerProcess:
            flags = (*EMPTY, "--db", str(disk.db), *arguments)
            return stack.enter_context(serving(tmp_path, *flags, command=disk.command))

        yield begin


@contextmanager
def client_of(server: ServerProcess) -> Iterator[Client]:
    with closing(Client(server.url)) as client:
        yield client


def everything(server: ServerProcess) -> JSONObject:
    with client_of(server) as client:
        return client.everything()


def body(external_id: str) -> JSONObject:
    return {"customer": {"external_id": external_id, "legal_name": MORE}}


WRITES = (
    ("POST", "/customers", body("refused")),
    ("POST", "/customers", body("kept")),
    ("DELETE", path_of("kept"), None),
    ("PUT", "/organizations", {"organization": {"legal_name": MORE}}),
)


def test_a_write_that_the_disk_refuses_is_answered_500_and_never_was(
    start: Start, disk: Disk
) -> None:
    first = start()
    with client_of(first) as client:
        client.create("kept", legal_name=LARGE)
        before, on_disk = client.everything(), contents(disk.seen)
        disk.fill(first)

        assert [client.send(*write) for write in WRITES] == [REFUSED] * len(WRITES)

        assert client.everything() == before
        assert client.customer("refused") is None
    (log,) = logs(disk.seen)
    said = f"the store cannot be written: {disk.db.with_name(log.name)}: {disk.reason}"
    assert first.stderr.count(said) == len(WRITES)
    assert contents(disk.seen) == on_disk
    first.stop(signal.SIGKILL)
    disk.free(first)
    assert everything(start()) == before


def test_writes_are_taken_again_when_there_is_room(start: Start, disk: Disk) -> None:
    first = start()
    with client_of(first) as client:
        client.create("kept", legal_name=LARGE)
        disk.fill(first)
        for _ in range(3):
            assert client.send("POST", "/customers", body("refused")) == REFUSED

        disk.free(first)

        assert client.create("second")["sequential_id"] == 2
        assert client.create("refused", legal_name=MORE)["sequential_id"] == 3
        client.ask("DELETE", path_of("second"))
        client.ask("PUT", "/organizations", {"organization": {"legal_name": MORE}})
        before = client.everything()
    first.stop(signal.SIGKILL)

    second = start()

    assert everything(second) == before
    with client_of(second) as client:
        assert client.create("fourth")["sequential_id"] == 4


def test_an_end_that_cannot_rewrite_the_file_leaves_all_to_the_log(
    start: Start, disk: Disk
) -> None:
    first = start()
    with client_of(first) as client:
        client.create("kept", legal_name=LARGE)
        before = client.everything()
    on_disk = contents(disk.seen)
    disk.fill(first)

    status, _ = first.stop()

    assert status == 0
    assert disk.reason in first.stderr
    assert contents(disk.seen).items() >= on_disk.items()
    disk.free(first)
    assert everything(start()) == before


@pytest.mark.parametrize("room", [0, ROOM], ids=["no room", "too little room"])
def test_a_compaction_without_room_changes_nothing_and_the_server_goes_on(
    room: int, start: Start, disk: Disk
) -> None:
    first = start()
    with client_of(first) as client:
        client.create("kept", legal_name=LARGE)
    first.stop()
    second = start()
    with client_of(second) as client:
        client.create("in the log")
        before, file = client.everything(), disk.seen.read_bytes()
        disk.fill(second, room)

        assert client.send("POST", "/__admin/store/compact")[0] in (200, 500)
        wait_for(disk.reason, second)

        assert disk.seen.read_bytes() == file
        assert not disk.seen.with_name("state.json.new").exists()
        assert client.everything() == before
        disk.free(second)
        client.create("afterwards")
        before = client.everything()
    second.stop(signal.SIGKILL)
    assert everything(start()) == before


def test_writes_are_taken_although_no_compaction_has_room(start: Start, disk: Disk) -> None:
    first = start()
    with client_of(first) as client:
        client.create("kept", legal_name=LARGE)
    first.stop()
    second = start()
    file = disk.seen.read_bytes()
    disk.fill(second, ROOM)
    with client_of(second) as client:
        for number in range(3):
            assert client.create(f"more {number}")["sequential_id"] == number + 2
            client.ask("POST", "/__admin/store/compact")
            wait_for(disk.reason, second, times=number + 1)
        client.ask("DELETE", path_of("more 1"))
        before = client.everything()
    second.stop(signal.SIGKILL)
    assert disk.seen.read_bytes() == file
    disk.free(second)
    assert everything(start()) == before


def wait_for(text: str, server: ServerProcess, times: int = 1) -> None:
    """Wait until the server has logged a text so many times."""
    end = time.monotonic() + WAIT_SECONDS
    while server.stderr.count(text) < times:
        assert time.monotonic() < end, f"less than {times} {text!r} in: {server.stderr}"
        time.sleep(0.005)


def bound_by_permissions() -> tuple[str, ...]:
    """Return the command of a server that may not write what its owner may not, even as root."""
    if os.geteuid():
        return COMMAND
    if shutil.which("setpriv") is None:
        pytest.skip("permissions do not hold for root, and there is no setpriv")
    return ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-all", *COMMAND)


def test_a_log_that_is_read_only_costs_the_write_and_nothing_else(tmp_path: Path) -> None:
    with serving(tmp_path, *EMPTY) as first:
        with client_of(first) as client:
            client.create("kept")
            before = client.everything()
        first.stop(signal.SIGKILL)
    (log,) = logs(tmp_path / "state.json")
    log.chmod(0o444)

    with serving(tmp_path, *EMPTY, command=bound_by_permissions()) as second:
        with client_of(second) as client:
            assert [client.send(*write) for write in WRITES] == [REFUSED] * len(WRITES)
            assert client.everything() == before
            said = f"the store cannot be written: {log}: Permission denied"
            assert second.stderr.count(said) == len(WRITES)
            log.chmod(0o644)
            assert client.create("afterwards")["sequential_id"] == 2
            before = client.everything()
        second.stop(signal.SIGKILL)

    with serving(tmp_path, *EMPTY) as third:
        assert everything(third) == before
