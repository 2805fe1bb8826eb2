from __future__ import annotations

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process import COMMAND, START_SECONDS, environment, run

CATCHING = """
import signal, sys
numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("ready", flush=True)
caught = [signal.sigwait(numbers) for _ in range(int(sys.argv[1]))]
caught += [each.si_signo for each in [signal.sigtimedwait(numbers, 0.2)] if each]
print(*sorted(signal.Signals(each).name for each in caught), flush=True)
sys.exit(9)
"""


@contextmanager
def running(folder: Path, *options: str, command: Sequence[str], **more: Any) -> Iterator[Any]:
    """Run a command that says when it is ready, beside a server."""
    with subprocess.Popen(
        [*COMMAND, "run", *options, "--", *command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **{"stdin": subprocess.PIPE, "start_new_session": True, **more},
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_the_command_is_told_where_lago_is(tmp_path: Path, tool: Callable[[str], str]) -> None:
    tool("curl")
    script = tmp_path / "check.sh"
    script.write_text(
        "set -e\n"
        'customers() { curl -sf "$1/api/v1/customers" -H "Authorization: Bearer $LAGO_API_KEY"; }\n'
        'customers "$LAGO_URL" | grep -q acct && customers "$LAGO_API_URL" >/dev/null\n'
        'curl -s "$LAGO_MOCK_URL/api/v1/custmers" "$LAGO_MOCK_URL/api/v1/taxes" >/dev/null\n'
        'curl -sf "$LAGO_MOCK_URL/__admin/state" -H "X-Lago-Mock-Token: $LAGO_MOCK_ADMIN_TOKEN"\n'
        "exit 3\n"
    )
    arguments = ("run", "--admin-token", "secret", "--", "sh", str(script))

    ended = run(tmp_path, *arguments, variables={"LAGO_URL": "http://other"})

    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.startswith('{"')
    assert ended.stderr == (
        "lago-mock: 4 requests, 2 refused (401: 1, 404: 1), 1 came without a key that it knows\n"
    )
    assert not (tmp_path / "lago-mock.json").exists()


def test_requests_of_organizations_that_are_gone_count(tmp_path: Path) -> None:
    """A suite of the plugin, which is led to the server of the run."""
    (tmp_path / "test_own.py").write_text(
        "import httpx\n"
        "def test_it(lago_mock):\n"
        "    headers = {'Authorization': f'Bearer {lago_mock.api_key}'}\n"
        "    assert httpx.get(f'{lago_mock.api_url}/taxes', headers=headers).status_code == 200\n"
    )
    options = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider")

    ended = run(tmp_path, "run", "--", sys.executable, "-m", "pytest", *options)

    assert ended.returncode == 0, ended.stdout
    assert ended.stderr == "lago-mock: 1 request\n"


def test_without_a_command_it_says_what_it_needs(tmp_path: Path) -> None:
    ended = run(tmp_path, "run", "--port", "0", "--")

    assert (ended.returncode, ended.stderr) == (
        2,
        "lago-mock: give a command to run, such as: lago-mock run -- pytest\n",
    )


def test_a_server_that_cannot_start_runs_nothing(tmp_path: Path) -> None:
    ended = run(tmp_path, "run", "--fixtures", "nothing", "touch", "made")

    assert ended.returncode == 2
    assert ended.stderr.startswith("lago-mock: ")
    assert not (tmp_path / "made").exists()


def test_log_lines_are_shown_where_a_flag_asks_for_them(
    tmp_path: Path, tool: Callable[[str], str]
) -> None:
    tool("curl")
    command = ("sh", "-c", "curl -s $LAGO_URL/api/v1/taxes")

    ended = run(tmp_path, "run", "--log-level", "info", "--", *command)

    line, *_ = ended.stderr.splitlines()
    assert line.startswith("GET /api/v1/taxes 401 findAllTaxes ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_a_summary_that_cannot_be_written_leaves_the_status(
    redirection: str, tmp_path: Path
) -> None:
    command = shlex.join([*COMMAND, "run", "--", "sh", "-c", "exit 4"])

    ended = subprocess.run(
        ["sh", "-c", f"{command} {redirection}"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        timeout=START_SECONDS,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (4, b"")


def test_signals_are_handed_on_and_the_command_decides(tmp_path: Path) -> None:
    with running(tmp_path, command=[sys.executable, "-c", CATCHING, "3"]) as process:
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            process.send_signal(number)
        out, err = process.communicate(timeout=START_SECONDS)

    assert out == "SIGINT SIGTERM SIGUSR1\n"
    assert (process.returncode, err) == (9, "lago-mock: 0 requests\n")


def test_a_command_that_a_signal_ends_has_a_shell_s_status(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo ready; exec sleep 60"]
    with running(tmp_path, command=command) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=START_SECONDS)

    assert process.returncode == 128 + signal.SIGTERM


def test_what_is_ignored_stays_so(tmp_path: Path) -> None:
    """As under `nohup`."""
    with running(
        tmp_path,
        command=["sh", "-c", "echo ready; read line; exit 5"],
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    ) as process:
        process.send_signal(signal.SIGHUP)
        process.communicate("\n", START_SECONDS)

    assert process.returncode == 5


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are made otherwise there")
def test_ctrl_c_reaches_the_command_once(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        with running(
            tmp_path,
            command=[sys.executable, "-c", CATCHING, "1"],
            stdin=theirs,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        ) as process:
            os.write(ours, b"\x03")
            out, _ = process.communicate(timeout=START_SECONDS)
    finally:
        os.close(ours)
        os.close(theirs)

    assert (out, process.returncode) == ("SIGINT\n", 9)
