"""The settings file: `lago-mock.toml`, or a table of `pyproject.toml`, in the working directory."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LONGEST_SHOWN = 60  # characters of a refused value that an error repeats


class SettingError(Exception):
    """Says in one sentence which setting is wrong, where it stands and what to do about it."""


@dataclass(frozen=True)
class SettingsFile:
    """The settings of a file by field name; `spelled` are the keys as they stand in it."""

    path: Path
    prefix: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    spelled: Mapping[str, str] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Return where a setting stands, for the reader of an error."""
        return f"key {self.prefix}{self.spelled[name]} in {self.path}"


def find_settings_file(directory: Path) -> SettingsFile:
    """Return the settings of a folder's file; none when there is no file.

    Raises:
        SettingError: it cannot be read, or is no TOML.
    """
    own = directory / "lago-mock.toml"
    table = _parse(own)
    if table is not None:
        return _by_field(own, "", table)
    project = directory / "pyproject.toml"
    tools = (_parse(project) or {}).get("tool")
    if not isinstance(tools, dict) or "lago-mock" not in tools:
        return SettingsFile(own)
    table = tools["lago-mock"]
    if not isinstance(table, dict):
        raise SettingError(
            f"The key tool.lago-mock in {project} is {shown(table)}; make it a table."
        )
    return _by_field(project, "tool.lago-mock.", table)


def _parse(path: Path) -> dict[str, Any] | None:
    text = _read(path)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last_line = text.count("\n") + 1
        problem = str(error).replace("at end of document", f"at line {last_line}, the last")
        raise SettingError(f"The file {path} is not TOML: {problem}; correct it there.") from error


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingError(
            f"The file {path} cannot be read ({error.strerror}); make it readable or remove it."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingError(
            f"The file {path} is not UTF-8 at line {line}; save it as UTF-8."
        ) from error


def _by_field(path: Path, prefix: str, table: Mapping[str, object]) -> SettingsFile:
    spelled: dict[str, str] = {}
    for key in table:
        first = spelled.setdefault(key.replace("-", "_"), key)
        if first != key:
            raise SettingError(
                f"The key {prefix}{key} in {path} repeats {prefix}{first}; keep one of the two."
            )
    return SettingsFile(path, prefix, {name: table[key] for name, key in spelled.items()}, spelled)


def shown(raw: object) -> str:
    """Return a refused value as an error shows it, cut when it is long."""
    text = str(raw).lower() if isinstance(raw, bool) else repr(raw)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
