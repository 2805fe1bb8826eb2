"""The files of a store: `state.json`, the logs beside it, and which options shape them."""

from __future__ import annotations

from pathlib import Path


def logs(db: Path) -> list[Path]:
    """Return the logs of what came since the file was written, the oldest first."""
    return sorted(db.parent.glob(f"{db.name}.journal*"), key=_generation)


def _generation(log: Path) -> int:
    last = log.suffix.removeprefix(".")
    return int(last) if last.isdecimal() else 0


def contents(db: Path) -> dict[str, bytes]:
    """Return the bytes of file and logs by name."""
    return {path.name: path.read_bytes() for path in (db, *logs(db)) if path.exists()}


def rewritten_at(size: int) -> tuple[str, ...]:
    """Return the arguments for a server that rewrites its file whenever its log has this size."""
    return ("--compact-bytes", str(size))
