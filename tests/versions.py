"""Which versions are installed: the oldest that `pyproject.toml` allows differ in some texts."""

from __future__ import annotations

import re
from importlib.metadata import version


def is_older(package: str, than: str) -> bool:
    """Tell whether the installed version of a package comes before another one."""
    return _numbers(version(package)) < _numbers(than)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]
