from __future__ import annotations

import subprocess
import sys

import pytest

import lago_mock


@pytest.mark.parametrize("name", lago_mock.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(lago_mock, name) is not None


def test_public_names_are_sorted() -> None:
    assert lago_mock.__all__ == sorted(lago_mock.__all__)


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = lago_mock.nothing


def test_an_import_brings_no_server_along() -> None:
    code = (
        "import sys, lago_mock; print(sorted({'starlette', 'uvicorn', 'orjson'} & {*sys.modules}))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "[]"
