"""`lago-mock` that notes what it has the disk keep; a script, run in its place.

The folder in `SYNC_NOTES` gets a line in `notes` for each sync, and a link to each file that was
synced. From these `left_by_a_power_cut` makes the folder of a store anew with nothing in it that
was not synced: names are as they were when their folder was synced last, files as long as they
were when they were.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path


def note(notes: Path, handle: int) -> dict[str, object]:
    """Return what a sync of an open file or folder keeps."""
    about = os.fstat(handle)
    if stat.S_ISDIR(about.st_mode):
        return {"names": {entry.name: entry.inode() for entry in os.scandir(handle)}}
    link = notes / str(about.st_ino)
    if not link.exists():
        os.link(os.readlink(f"/proc/self/fd/{handle}"), link)
    return {"inode": about.st_ino, "size": about.st_size}


def noting(sync: Callable[[int], None], notes: Path) -> Callable[[int], None]:
    """Return a sync that is noted when it is done."""

    def noted(handle: int) -> None:
        kept = note(notes, handle)
        sync(handle)
        write(notes, kept)

    return noted


def write(notes: Path, kept: dict[str, object]) -> None:
    """Write one line at once; a kill leaves a whole one or none."""
    handle = os.open(notes / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, json.dumps(kept).encode() + b"\n")
    os.close(handle)


def begin(notes: Path, folder: Path) -> None:
    """Note all that is there, which was kept before."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        write(notes, note(notes, handle))
        os.close(handle)


def left_by_a_power_cut(notes: Path, folder: Path) -> None:
    """Fill an empty folder with what was synced, and nothing more."""
    names: dict[str, int] = {}
    sizes: dict[int, int] = {}
    for line in (notes / "notes").read_text().splitlines():
        kept = json.loads(line)
        names = kept.get("names", names)
        if "inode" in kept:
            sizes[kept["inode"]] = kept["size"]
    for name, inode in names.items():
        size = sizes.get(inode, 0)  # a name alone may be kept, of a file without content
        (folder / name).write_bytes((notes / str(inode)).read_bytes()[:size] if size else b"")


def main() -> int:
    """Run `lago-mock` with syncs that are noted."""
    from lago_mock.cli import main as lago_mock

    notes = Path(os.environ["SYNC_NOTES"])
    begin(notes, Path(os.environ["SYNC_FOLDER"]))
    os.fsync = noting(os.fsync, notes)  # type: ignore[assignment]
    os.fdatasync = noting(os.fdatasync, notes)  # type: ignore[assignment]
    return lago_mock()


if __name__ == "__main__":
    sys.exit(main())
