from __future__ import annotations

import asyncio
import signal

import pytest
import uvicorn

from lago_mock.app import build
from lago_mock.server import bind, serve
from lago_mock.settings import Settings


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_that_comes_as_the_event_loop_is_made_ends_the_server(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(port=0, db=":memory:")
    factory = uvicorn.Config.get_loop_factory
    served_on: list[bool] = []

    def interrupted(config: uvicorn.Config) -> object:
        signal.raise_signal(number)
        return factory(config)

    def end_at_last() -> None:
        served_on.append(True)
        signal.raise_signal(number)

    def on_ready() -> bool:
        asyncio.get_running_loop().call_later(5, end_at_last)
        return True

    monkeypatch.setattr(uvicorn.Config, "get_loop_factory", interrupted)
    with bind(settings) as bound:
        serve(build(settings), bound, on_ready)

    assert served_on == []
