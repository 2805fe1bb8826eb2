"""A file has one server at a time, for as long as that server lives."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.durability.client import Client
from tests.process import COMMAND, START_SECONDS, arguments_of, environment, run, serving

EMPTY = ("--fixtures", "empty", "--log-level", "warning")
STARTS = 3


def in_use(folder: Path) -> str:
    return (
        f"lago-mock: {folder / 'state.json'}: another lago-mock has this file open. "
        "Stop that one, or give this one a file of its own with --db.\n"
    )


def test_a_second_process_is_refused_while_the_first_serves_on(tmp_path: Path) -> None:
    with serving(tmp_path, *EMPTY) as first, closing(Client(first.url)) as client:
        client.create("before")

        second = run(tmp_path, *arguments_of(tmp_path), *EMPTY)

        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr == in_use(tmp_path)
        client.create("after")
        served = client.everything()
        first.stop(signal.SIGKILL)

    with serving(tmp_path, *EMPTY) as third, closing(Client(third.url)) as client:
        assert client.everything() == served


def test_a_file_can_be_opened_at_once_when_its_server_was_killed(tmp_path: Path) -> None:
    """A server is started and killed in turn, with nothing in between."""
    for number in range(1, 4):
        with serving(tmp_path, *EMPTY) as server, closing(Client(server.url)) as client:
            assert client.create(f"acct-{number}")["sequential_id"] == number
            server.stop(signal.SIGKILL)


def test_of_several_that_start_at_one_moment_one_serves(tmp_path: Path) -> None:
    with ThreadPoolExecutor(STARTS) as threads, ExitStack() as stack:
        processes = [stack.enter_context(starting(tmp_path)) for _ in range(STARTS)]

        ready = list(threads.map(is_ready, processes, timeout=START_SECONDS))

        assert sorted(ready) == [False] * (STARTS - 1) + [True]
        for process in (each for each, serves in zip(processes, ready, strict=True) if not serves):
            assert process.wait(START_SECONDS) == 2
            assert process.stderr is not None
            assert process.stderr.read() == in_use(tmp_path)


@contextmanager
def starting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *arguments_of(folder), *EMPTY],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def is_ready(process: subprocess.Popen[str]) -> bool:
    """Wait until a process serves or has nothing more to say."""
    assert process.stdout is not None
    return any(line == "Ready.\n" for line in process.stdout)


def test_a_link_to_the_file_is_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (second / "state.json").symlink_to(first / "state.json")

    with serving(first):
        refused = run(second, *arguments_of(second))

    assert refused.returncode == 2
    assert "another lago-mock has this file open" in refused.stderr
