"""A store that is damaged is refused in one sentence and left as it is; a torn end is not damage.

Every kind of damage has its row in the tests of the store; here it befalls what a server wrote.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.durability.client import Client, JSONObject
from tests.durability.files import contents, logs
from tests.process import arguments_of, run, serving

EMPTY = ("--fixtures", "empty", "--log-level", "warning")
RESTORE = "Put a good copy in its place, or move it away to begin with the fixture set."

WAIT_SECONDS = 10


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a server that was stopped once and then killed has left: a file, and a log of more."""
    folder = tmp_path_factory.mktemp("left")
    serve_and_create(folder, ["in the file"], end=signal.SIGTERM)
    serve_and_create(folder, ["first", "second", "third"], end=signal.SIGKILL)
    return contents(folder / "state.json")


@pytest.fixture
def db(left: dict[str, bytes], tmp_path: Path) -> Path:
    """A copy of that file, with its log beside it."""
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "state.json"


def serve_and_create(folder: Path, external_ids: list[str], end: signal.Signals) -> JSONObject:
    """Serve what there is, create customers, end the server; return what it served."""
    with serving(folder, *EMPTY) as server:
        with closing(Client(server.url)) as client:
            for external_id in external_ids:
                client.create(external_id)
            served = client.everything()
        server.stop(end)
    return served


def refusal(db: Path) -> str:
    """Return why a start is refused, without our name; no byte of the store may change."""
    before = contents(db)
    ended = run(db.parent, *arguments_of(db.parent))
    assert contents(db) == before
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(r"lago-mock: [^\n]+\n", ended.stderr), ended.stderr
    return ended.stderr.strip().removeprefix("lago-mock: ")


def cut_off(path: Path, size: int) -> None:
    """Take so many bytes from the end of a file."""
    path.write_bytes(path.read_bytes()[:-size])


def without_an_earlier_commit(log: Path) -> str:
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4, "a header and three commits"
    log.write_bytes(b"".join(lines[:2] + lines[3:]))
    return "line 3 is numbered 3"


def with_a_changed_commit(log: Path) -> str:
    log.write_bytes(log.read_bytes().replace(b'"first"', b'"fir5t"'))
    return "line 2 does not match its checksum"


@pytest.mark.parametrize("damage", [without_an_earlier_commit, with_a_changed_commit])
def test_a_log_that_is_damaged_before_its_end_is_refused(
    damage: Callable[[Path], str], db: Path
) -> None:
    (log,) = logs(db)

    said = damage(log)

    assert refusal(db) == f"{log}: {said}. {RESTORE}"


def test_a_file_that_was_cut_off_is_refused(db: Path) -> None:
    cut_off(db, 100)

    assert re.fullmatch(
        rf"{re.escape(str(db))}: not JSON at line 1, column \d+: .+\. {re.escape(RESTORE)}",
        refusal(db),
    )


def test_a_file_put_back_from_before_what_its_log_builds_on_is_refused(db: Path) -> None:
    earlier = db.read_bytes()
    serve_and_create(db.parent, [], end=signal.SIGTERM)
    serve_and_create(db.parent, ["fourth"], end=signal.SIGKILL)
    db.write_bytes(earlier)
    (log,) = logs(db)

    said = refusal(db)

    assert said.startswith(f"{log}: ")
    assert said.endswith(f". {RESTORE}")


def test_a_log_that_is_missing_between_others_is_refused(db: Path) -> None:
    db.with_name("state.json.new").mkdir()  # so that a compaction fails, and leaves its logs
    with serving(db.parent, *EMPTY) as server:
        with closing(Client(server.url)) as client:
            for external_id in ("fourth", "fifth"):
                client.send("POST", "/__admin/store/compact")
                wait_for_its_end(client)
                client.create(external_id)
        server.stop(signal.SIGKILL)
    db.with_name("state.json.new").rmdir()
    assert len(logs(db)) == 3
    first, missing, following = logs(db)
    missing.unlink()

    said = refusal(db)

    assert said.startswith(f"{following}: ")
    assert said.endswith(f". {RESTORE}")
    first.unlink()
    assert refusal(db) != ""


def wait_for_its_end(client: Client) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while client.ask("GET", "/__admin/store")["compacting"]:
        assert time.monotonic() < end


def test_of_a_line_cut_short_nothing_is_served_and_all_before_it_is(db: Path) -> None:
    (log,) = logs(db)
    cut_off(log, 10)
    kept = ["second", "first", "in the file"]

    with serving(db.parent, *EMPTY) as server:
        with closing(Client(server.url)) as client:
            assert [row["external_id"] for row in client.customers()] == kept
            assert client.create("third again")["sequential_id"] == 4
            served = client.everything()
        assert server.stderr.count("\n") == 1
        assert f"{log}: the torn last line was dropped" in server.stderr
        server.stop(signal.SIGKILL)

    with serving(db.parent, *EMPTY) as server, closing(Client(server.url)) as client:
        assert client.everything() == served
        assert server.stderr == ""


def test_what_a_kill_in_the_midst_of_a_compaction_leaves_is_no_damage(db: Path) -> None:
    db.with_name("state.json.new").write_bytes(db.read_bytes()[:50])

    served = serve_and_create(db.parent, [], end=signal.SIGTERM)

    assert [row["sequential_id"] for row in served["customers"]] == [4, 3, 2, 1]
    assert serve_and_create(db.parent, [], end=signal.SIGKILL) == served
    assert not db.with_name("state.json.new").exists()
