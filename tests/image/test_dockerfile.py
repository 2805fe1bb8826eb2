from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lago_mock.version import __version__
from tests.conftest import ROOT
from tests.process import environment

PINS = ROOT / ".ci" / "constraints.txt"
INSTALL_SECONDS = 120


def lines_of(name: str) -> list[str]:
    return (ROOT / name).read_text("utf-8").splitlines()


def name_of(requirement: str) -> str:
    """Return how a package is called where `-` and `_` are one."""
    return requirement.partition("==")[0].lower().replace("_", "-")


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")

    ended = subprocess.run(
        [linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


def test_the_label_tells_the_version() -> None:
    assert f'org.opencontainers.image.version="{__version__}"' in "".join(lines_of("Dockerfile"))


def test_what_is_copied_is_what_the_builder_gets_to_see() -> None:
    copied = {
        word.removesuffix("/")
        for line in lines_of("Dockerfile")
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }

    seen = {line.removeprefix("!") for line in lines_of(".dockerignore") if line.startswith("!")}
    assert copied == seen
    assert [each for each in sorted(seen) if not (ROOT / each).exists()] == []


@pytest.mark.slow
def test_the_pins_are_just_what_this_python_would_install(tmp_path: Path) -> None:
    """Resolved anew, within the pins: none is missing, none is idle, and all are wheels."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    words = ("--dry-run", "--ignore-installed", "--quiet", "--only-binary", ":all:")
    report = tmp_path / "report.json"

    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", *words),
            *("--constraint", PINS, "--report", report, *wanted),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    found = installed_in(report)
    assert found == {name_of(line): line.partition("==")[2] for line in pinned()}


def pinned() -> list[str]:
    return [line for line in PINS.read_text("utf-8").splitlines() if "==" in line]


def installed_in(report: Path) -> dict[str, str]:
    chosen = [each["metadata"] for each in json.loads(report.read_text("utf-8"))["install"]]
    return {name_of(each["name"]): each["version"] for each in chosen}
