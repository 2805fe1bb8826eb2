"""Virtual environments of packages that are no part of ours."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from subprocess import SubprocessError

INSTALL_SECONDS = 300


class InstallError(SubprocessError):
    """A package manager could not install what was asked; the text says why in a line."""


def install(folder: Path, packages: Sequence[str]) -> None:
    """Make a virtual environment of these packages alone.

    Raises:
        SubprocessError: pip could not get them, or took too long.
        OSError: there is no room for them.
    """
    venv.create(folder, clear=True, with_pip=True)
    run([str(python_in(folder)), "-m", "pip", "install", "-qq", *packages])


def run(command: Sequence[str]) -> None:
    """Run a package manager.

    Raises:
        SubprocessError: it failed, or took too long.
        OSError: it is not installed.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise InstallError(reason(done.stderr) or f"{command[0]} ended with {done.returncode}")


def reason(printed: str) -> str:
    """Return the first line of what went wrong, empty when nothing is said."""
    lines = (line.strip() for line in printed.splitlines())
    return next((line for line in lines if "err" in line.lower()), "")


def python_in(folder: Path) -> Path:
    return folder / "bin" / "python"
