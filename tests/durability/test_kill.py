"""A process killed at any instant has kept all that it answered."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest

from tests.durability.client import Client
from tests.durability.files import logs, rewritten_at
from tests.durability.writers import Crew
from tests.process import COMMAND, ServerProcess, arguments_of, environment, serving

ROUNDS = 7  # of each of three kinds
RUNS = 10 if os.environ.get("SOAK") else 1
EMPTY = ("--fixtures", "empty", "--log-level", "warning")
WAIT_SECONDS = 10


@pytest.mark.slow
@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("rewritten", ["never", "by size", "all the time"])
def test_kills_under_load_lose_no_answer_and_repeat_no_number(
    rewritten: str, run: int, tmp_path: Path
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201  # shown when it fails; the threads are not repeatable
    chance = Random(seed)
    crew = Crew(chance, compacts=rewritten == "all the time")

    for number in range(ROUNDS):
        size = rewritten_at(chance.randint(1024, 8192)) if rewritten == "by size" else ()
        if number == ROUNDS - 1:
            kill_while_it_starts(chance, tmp_path)
        kill_once(crew, chance, number, tmp_path, *size)

    check_after_a_clean_end(crew, tmp_path)


def kill_once(crew: Crew, chance: Random, number: int, folder: Path, *size: str) -> None:
    """Start on what the last kill left, hold it to all that was answered, and kill it again."""
    with serving(folder, *EMPTY, *size) as server:
        found = "from fixture set empty" if number == 0 else "as it was found; "
        assert any(f"Store: {folder / 'state.json'} ({found}" in each for each in server.lines)
        crew.check(server.url)
        answers = chance.randint(1, 250)
        crew.kill_under_load(server, answers, lambda: end_in_between(server, chance, number))


def end_in_between(server: ServerProcess, chance: Random, number: int) -> None:
    """Have the kill, which comes next, come between two answers, or into the end of a server."""
    time.sleep(chance.uniform(0, 0.01))
    if number % 3 == 2:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(chance.uniform(0, 0.1))


def kill_while_it_starts(chance: Random, folder: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, *arguments_of(folder), *EMPTY],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"it ended by itself with {process.wait(chance.uniform(0.2, 1.0))}")
    finally:
        process.kill()
        process.wait()


def check_after_a_clean_end(crew: Crew, folder: Path) -> None:
    for _ in range(2):
        with serving(folder, *EMPTY) as server:
            crew.check(server.url)
            status, _ = server.stop()
            assert status == 0


def test_the_write_that_has_the_file_rewritten_is_kept_by_the_file(tmp_path: Path) -> None:
    db = tmp_path / "state.json"
    with serving(tmp_path, *EMPTY, *rewritten_at(1024)) as server:
        with closing(Client(server.url)) as client:
            for number in range(20):
                known = logs(db)
                client.create(f"acct-{number}")
                if logs(db) != known:
                    wait_for_one_log(db)
            before = client.everything()
        server.stop(signal.SIGKILL)

    with serving(tmp_path, *EMPTY) as server, closing(Client(server.url)) as client:
        assert client.everything() == before


def wait_for_one_log(db: Path) -> None:
    """Wait until the file is written and has made the logs before it needless."""
    end = time.monotonic() + WAIT_SECONDS
    while len(logs(db)) > 1:
        assert time.monotonic() < end, f"still there: {logs(db)}"
        time.sleep(0.005)
