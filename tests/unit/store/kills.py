"""A store that is killed at each step of a play: which calls of the system it comes to, half done.

Imported as `tests.unit.store.kills`, also by the process that is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lago_mock.store.store import Store
from tests.unit.store.stores import (
    KEYS,
    SECRETS,
    discard,
    fixture_set,
    put,
    replace,
    reset,
    settle,
    tax,
)

CALLS = ("replace", "fsync", "open", "write", "unlink", "ftruncate")

PLAYED: tuple[Callable[[Store], None], ...] = (
    lambda store: store.keep_secrets(SECRETS),
    lambda store: reset(store, fixture_set(tax("f"), taxes=1), "first"),
    lambda store: reset(store, fixture_set(tax("f"), taxes=1), "second"),
    lambda store: store.snapshot(None, "all"),
    lambda store: put(store, tax("a"), tax("b"), owner="first"),
    lambda store: (store.compact(), settle())[0],
    lambda store: store.snapshot("second", "one"),
    lambda store: put(store, tax("b", rate=1), owner="first"),
    lambda store: store.remove("second"),
    lambda store: discard(store, tax("a"), "first"),
    lambda store: (store.compact(), put(store, tax("x"), owner="first"))[0],
    lambda store: store.restore(None, "all"),
    lambda store: settle(),
    lambda store: put(store, tax("c" * 900), owner="first"),
    lambda store: put(store, tax("d"), owner="second"),
    lambda store: settle(),
    lambda store: replace(store, fixture_set(tax("g")), ["first"], gone=["second"]),
    lambda store: store.forget(None, "all"),
)


def main(folder: Path) -> int:
    """Play in the folders `1`, `2` and so on, killed at that step; return the first with an end."""
    step = 0
    status = -1
    while status:
        step += 1
        child = os.fork()
        if child == 0:
            play(folder / str(step), step)
        status = os.waitpid(child, 0)[1]
    return step


def play(folder: Path, step: int) -> None:
    """Make all changes, with a dot in `answered` for each; comes to no end where it is killed."""
    folder.mkdir()
    answered = (folder / "answered").open("wb", buffering=0)
    store = Store.open(KEYS, folder / "lago-mock.json", compact_bytes=600)
    kill_at(step)
    for change in PLAYED:
        change(store)
        answered.write(b".")
    store.close()
    os._exit(0)


def kill_at(step: int) -> None:
    """Have the process kill itself in place of a call; of a write it does half."""
    left = iter(range(step - 1, -1, -1))
    write = os.write

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **more: Any) -> Any:
            if next(left, -1) == 0:
                if call is write:
                    write(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **more)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
