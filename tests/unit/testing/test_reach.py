from __future__ import annotations

import pytest

from lago_mock.settings import SettingError
from lago_mock.testing.reach import environ_of, usual_elsewhere


def test_variables_name_the_server_for_lago_and_for_us() -> None:
    own = {
        "LAGO_URL": "http://a",
        "LAGO_API_URL": "http://a",
        "LAGO_API_KEY": "key",
        "LAGO_MOCK_URL": "http://a",
    }
    assert environ_of("http://a", "key", None) == own
    assert environ_of("http://a", "key", "t") == {**own, "LAGO_MOCK_ADMIN_TOKEN": "t"}


@pytest.mark.parametrize("path", ["./own.yaml", "own.yaml", "sets\\own", "/sets/own"])
def test_a_file_of_this_machine_is_no_set_of_a_server_elsewhere(path: str) -> None:
    assert usual_elsewhere({"fixtures": path, "seed": "same", "era": None}) == {}


def test_what_an_organization_can_have_is_its_own() -> None:
    given = {"fixtures": "empty", "license": "free", "era": "2023", "validation": "off"}

    assert usual_elsewhere({**given, "openapi": "own.yaml", "db": "own.json"}) == given


@pytest.mark.parametrize("given", [{"licence": "free"}, {"license": "gold"}])
def test_a_setting_that_cannot_be_is_refused_elsewhere_too(given: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        usual_elsewhere(given)
