from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lago_mock.errors import Problem
from lago_mock.journal import Entry
from lago_mock.run import NOT_EXECUTABLE, NOT_FOUND, Tally, run, settings_for_run
from lago_mock.settings import Settings, load_settings

IN_MEMORY = Settings(port=0, db=":memory:", fixtures="empty")


def entry(status: int | None, **more: Any) -> Entry:
    made = Entry("1", None, "GET", "/", "", [], organization_id="own", status=status)  # type: ignore[arg-type]
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        pytest.param([], "0 requests", id="none"),
        pytest.param([entry(200)], "1 request", id="one"),
        pytest.param(
            [entry(422, problems=(Problem("a", "b", "c"),)), entry(404), entry(422), entry(304)],
            "4 requests, 3 refused (404: 1, 422: 2)",
            id="refused",
        ),
        pytest.param(
            [entry(None, fault_id="f"), entry(429, fault_id="f")],
            "2 requests, 1 refused (429: 1), 1 without an answer, 2 met a fault",
            id="faults",
        ),
        pytest.param(
            [entry(401, organization_id=None), entry(404, organization_id=None)],
            "2 requests, 2 refused (401: 1, 404: 1), 1 came without a key that it knows",
            id="unknown key",
        ),
    ],
)
def test_what_came_is_told_in_a_line(entries: list[Entry], told: str) -> None:
    tally = Tally()
    for each in entries:
        tally.offer(each)
    assert str(tally) == told


def test_a_run_has_a_free_port_and_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "lago-mock.toml").write_text("port = 3000\ndb = 'own.json'\nlicense = 'free'")
    environ = {"LAGO_MOCK_PORT": "4000", "LAGO_MOCK_ERA": "2023"}

    settings = settings_for_run(load_settings({}, environ, tmp_path))

    assert (settings.port, settings.db, settings.log_level) == (0, ":memory:", "warning")
    assert (settings.license, settings.era) == ("free", "2023")


def test_flags_of_a_run_hold(tmp_path: Path) -> None:
    flags = {"port": "4000", "db": "own.json", "log_level": "info"}

    settings = settings_for_run(load_settings(flags, {}, tmp_path))

    assert (settings.port, settings.db) == (4000, str(tmp_path / "own.json"))
    assert settings.log_level == "info"


@pytest.mark.parametrize(("code", "status"), [("0", 0), ("7", 7), ("'text'", 1)])
def test_it_ends_with_the_status_of_its_command(
    code: str, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([sys.executable, "-c", f"raise SystemExit({code})"], IN_MEMORY) == status
    assert capfd.readouterr().err.splitlines()[-1] == "lago-mock: 0 requests"


def test_a_signal_that_comes_before_the_command_has_begun_is_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            signal.raise_signal(signal.SIGUSR1)
            super().__init__(*arguments, **more)

    monkeypatch.setattr(subprocess, "Popen", Late)

    assert run(["sleep", "60"], IN_MEMORY) == 128 + signal.SIGUSR1


def test_a_command_that_there_is_not_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text"
    file.write_text("no program")

    assert run(["no-such-command"], IN_MEMORY) == NOT_FOUND
    assert run([str(file)], IN_MEMORY) == NOT_EXECUTABLE
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    assert run([str(file)], IN_MEMORY) == NOT_EXECUTABLE
    assert capsys.readouterr().err.splitlines() == [
        "lago-mock: no-such-command: there is no such command",
        f"lago-mock: {file} cannot be run: it is no program",
        f"lago-mock: {file} cannot be run: Exec format error",
    ]
