"""Files that are looked at again and again, to see whether somebody has changed them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path

INTERVAL_SECONDS = 0.5

Seen = Mapping[Path, tuple[int, int]]


def seen(paths: Iterable[Path]) -> Seen:
    """Return time and size of each file at or below the paths; what is not there has none."""
    found: dict[Path, tuple[int, int]] = {}
    for path in paths:
        for each in path.rglob("*") if path.is_dir() else (path,):
            try:
                status = each.stat()
            except OSError:  # it is being replaced
                continue
            found[each] = (status.st_mtime_ns, status.st_size)
    return found


def watch(
    paths: Iterable[Path],
    on_change: Callable[[], None],
    interval: float = INTERVAL_SECONDS,
) -> Coroutine[None, None, None]:
    """Look at files at or below the paths now; return what calls back at each change from here on.

    It ends when it is cancelled. A change is taken when it has stood for one interval, so that no
    file is read half written.
    """
    watched = list(paths)
    return _follow(watched, seen(watched), on_change, interval)


async def _follow(
    watched: list[Path], known: Seen, on_change: Callable[[], None], interval: float
) -> None:
    before = known
    while True:
        await asyncio.sleep(interval)
        now = seen(watched)
        if now != known and now == before:
            known = now
            on_change()
        before = now
