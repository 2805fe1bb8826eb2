from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lago_mock.watch import seen, watch

INTERVAL = 0.01


def test_what_is_seen_are_the_files_at_and_below_the_paths(tmp_path: Path) -> None:
    folder = tmp_path / "documents" / "inner"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("one")
    (tmp_path / "set.yaml").write_text("four")

    found = seen([tmp_path / "documents", tmp_path / "set.yaml", tmp_path / "none"])

    sizes = {path.name: size for path, (_, size) in found.items() if path.is_file()}
    assert sizes == {"a.yaml": 3, "set.yaml": 4}


def watched(path: Path, change: Callable[[list[int]], Awaitable[None]]) -> int:
    """Watch a path while `change` runs; return how many changes were told of."""
    told: list[int] = []

    async def run() -> None:
        watching = asyncio.ensure_future(watch([path], lambda: told.append(1), INTERVAL))
        await asyncio.sleep(2 * INTERVAL)
        await change(told)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(run())
    return len(told)


async def until(told: list[int], count: int) -> None:
    async with asyncio.timeout(10):
        while len(told) < count:
            await asyncio.sleep(INTERVAL)


def test_each_change_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text("one")

    async def change(told: list[int]) -> None:
        path.write_text("three")
        await until(told, 1)
        os.utime(path, ns=(1, 1))
        await until(told, 2)
        await asyncio.sleep(5 * INTERVAL)

    assert watched(path, change) == 2


def test_without_a_change_nothing_is_told(tmp_path: Path) -> None:
    async def nothing(_told: list[int]) -> None:
        await asyncio.sleep(5 * INTERVAL)

    assert watched(tmp_path, nothing) == 0
