from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Iterator

import pytest

from lago_mock import cli


def test_output_may_go_to_anything_that_takes_text() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert cli.main(["operations"]) == 0

    assert "createCustomer" in printed.getvalue()


def test_a_break_before_it_serves_ends_it_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load_settings", interrupted)

    assert cli.main(["settings"]) == cli.INTERRUPTED
    assert capsys.readouterr().err == ""


@pytest.fixture
def sigterm_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm_as_before")
def test_sigterm_ends_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lago_mock.app.build", lambda _: signal.raise_signal(signal.SIGTERM))

    with pytest.raises(SystemExit) as ended:
        cli.main(["--port", "0", "--db", ":memory:"])

    assert ended.value.code == 143
