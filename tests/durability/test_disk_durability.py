"""With `--durability disk` a loss of power takes nothing that was answered.

No power is cut: the server notes each sync, and starts again on what was synced, alone.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.durability import synced
from tests.durability.client import Client
from tests.durability.files import rewritten_at
from tests.durability.writers import Crew
from tests.process import ServerProcess, serving

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no names of open files"),
]

EMPTY = ("--fixtures", "empty", "--log-level", "warning")
ROUNDS = 40 if os.environ.get("SOAK") else 4


@contextmanager
def serving_noted(store: Path, *arguments: str) -> Iterator[ServerProcess]:
    """Serve the store of a folder, and have each sync noted in another one beside it."""
    notes = store.with_name(f"{store.name} notes")
    notes.mkdir()
    flags = (*EMPTY, "--durability", "disk", "--db", str(store / "state.json"), *arguments)
    command = (sys.executable, str(synced.__file__))
    variables = {"SYNC_NOTES": str(notes), "SYNC_FOLDER": str(store)}
    with serving(store.parent, *flags, command=command, variables=variables) as server:
        yield server


def after_power_cut(store: Path) -> Path:
    """Return a folder with what is left of a store, ready to be served."""
    left = store.with_name(f"{store.name}+")
    left.mkdir()
    synced.left_by_a_power_cut(store.with_name(f"{store.name} notes"), left)
    return left


def test_each_answered_write_is_on_disk_when_it_is_answered(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    with serving_noted(store) as server, closing(Client(server.url)) as client:
        client.create("acct-1")
        client.create("acct-2")
        before = client.everything()
        left = after_power_cut(store)

    database = ("--db", str(left / "state.json"))
    with serving(tmp_path, *EMPTY, *database) as server, closing(Client(server.url)) as client:
        assert client.everything() == before


@pytest.mark.slow
@pytest.mark.parametrize("rewritten", ["by size", "all the time"])
def test_power_cuts_under_load_lose_no_answer_and_repeat_no_number(
    rewritten: str, tmp_path: Path
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201  # shown when it fails; the threads are not repeatable
    chance = Random(seed)
    crew = Crew(chance, compacts=rewritten == "all the time")
    store = tmp_path / "store"
    store.mkdir()

    for _ in range(ROUNDS):
        with serving_noted(store, *rewritten_at(chance.randint(1024, 8192))) as server:
            crew.check(server.url)
            crew.kill_under_load(server, chance.randint(1, 150), nothing_more)
        store = after_power_cut(store)

    with serving(tmp_path, *EMPTY, "--db", str(store / "state.json")) as server:
        crew.check(server.url)
        server.stop(signal.SIGKILL)


def nothing_more() -> None:
    """Have the kill, which comes next, come after an answer."""
