from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lago_mock.store.store import Store
from tests.unit.store.kills import PLAYED
from tests.unit.store.stores import (
    KEYS,
    Row,
    everything,
)

KILLED = """
import sys
from pathlib import Path
from types import ModuleType
sys.modules["tests"] = ModuleType("tests")  # an installed package may have that name, too
sys.modules["tests"].__path__ = [sys.argv[1]]
from tests.unit.store.kills import main
print(main(Path(sys.argv[2])))
"""


def test_a_kill_at_any_step_of_a_write_or_a_compaction_loses_nothing_answered(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parents[2]), str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    states = list(_states_of_play())
    steps = int(done.stdout)
    assert steps > 40

    for step in range(1, steps + 1):
        folder = tmp_path / str(step)
        answered = (folder / "answered").stat().st_size
        for _ in range(2):
            store = Store.open(KEYS, folder / "lago-mock.json")
            kept = everything(store), store.secrets()
            assert kept in states[answered : answered + 2], f"step {step}"
            store.close()


def _states_of_play() -> Iterator[tuple[Row, Row]]:
    """Yield what a store in memory holds before and after each change."""
    store = Store(KEYS)
    yield everything(store), store.secrets()
    for change in PLAYED:
        change(store)
        yield everything(store), store.secrets()
