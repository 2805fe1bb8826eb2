from __future__ import annotations

from pathlib import Path

import pytest

from lago_mock.testing.background import BackgroundServer
from tests.plugin.conftest import Suite

HOLDING = """
def test_the_settings_hold(lago_mock, lago_mock_server):
    assert lago_mock.customers() == []
    settings = lago_mock.settings()
    assert (settings["license"], settings["era"], settings["validation"]) == {settings}
"""


def test_options_of_the_ini_file_hold_and_the_command_line_goes_before(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    """Paths count from the folder of the ini file, and from the working directory."""
    pytester.makeini("""
        [pytest]
        lago_mock_fixtures = sets/own.yaml
        lago_mock_license = free
        lago_mock_era = 2023
        lago_mock_validation = strict
        lago_mock_db = own.json
    """)
    pytester.mkdir("sets").joinpath("own.yaml").write_text("organization: {name: Own}")
    pytester.mkdir("elsewhere")
    tests = HOLDING.replace("{settings}", "('free', 'current', 'strict')")

    suite(tests, "--lago-mock-era", "current").assert_outcomes(passed=1)

    assert (pytester.path / "own.json").exists()


def test_settings_and_address_can_be_overridden(suite: Suite, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def lago_mock_settings(lago_mock_settings):
            return {**lago_mock_settings, "seed": "same", "admin_token": "secret"}

        @pytest.fixture(scope="session")
        def lago_mock_listen_address():
            return "localhost", 0
    """)
    result = suite(
        """
        def test_they_are(lago_mock, lago_mock_server):
            assert lago_mock_server.fixtures == "empty"
            assert lago_mock.environ["LAGO_MOCK_ADMIN_TOKEN"] == "secret"
            assert lago_mock.customers() == []
    """,
        "--lago-mock-fixtures",
        "empty",
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        pytest.param(
            "license",
            "permium",
            "The setting license is 'permium'; give one of premium, free.",
            id="license",
        ),
        pytest.param("openapi", "none.yaml", "none.yaml", id="no document"),
        pytest.param("fixtures", "nothing", "nothing", id="no set"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_a_line(
    name: str, value: str, told: str, suite: Suite
) -> None:
    result = suite("def test_it(lago_mock): pass", f"--lago-mock-{name}", value)

    result.assert_outcomes(errors=1)
    (line,) = [each for each in result.outlines if each.startswith("lago-mock: ")]
    assert told in line
    result.stdout.no_fnmatch_line("During handling*")


def test_an_isolation_that_there_is_not_is_refused_at_the_start(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nlago_mock_isolation = orgnization")

    result = suite("def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = "lago_mock_isolation is 'orgnization'; give organization or reset"
    assert told in result.stderr.str()


def test_a_server_elsewhere_is_used_with_the_settings_that_an_organization_can_have(
    suite: Suite,
    pytester: pytest.Pytester,
    elsewhere: BackgroundServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAGO_MOCK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LAGO_MOCK_ADMIN_TOKEN", "let-me-in")
    pytester.makeini("[pytest]\nlago_mock_fixtures = empty\nlago_mock_license = free")
    tests = HOLDING.replace("{settings}", "('free', '2023', 'lago')")

    result = suite(tests, "--lago-mock-url", elsewhere.url, "--lago-mock-era", "2023")

    result.assert_outcomes(passed=1)
    assert f"lago-mock: {elsewhere.url}" in result.outlines


def test_what_a_server_elsewhere_cannot_have_of_this_machine_is_told(
    suite: Suite,
    pytester: pytest.Pytester,
    elsewhere: BackgroundServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAGO_MOCK_ADMIN_TOKEN", "let-me-in")
    pytester.makefile(".yaml", own="organization: {name: Own, api_key: own-key}")
    pytester.makeini("[pytest]\nlago_mock_fixtures = own.yaml\nlago_mock_openapi = document")

    result = suite("def test_it(lago_mock): pass", "--lago-mock-url", elsewhere.url)

    result.assert_outcomes(passed=1)
    for named in ("fixtures own.yaml", "openapi document"):
        told = f"lago-mock: {named} is a file of this machine: that server has its own"
        assert told in result.outlines


def test_a_server_elsewhere_that_is_not_there_is_told_in_a_line(suite: Suite) -> None:
    result = suite("def test_it(lago_mock): pass", "--lago-mock-url", "http://127.0.0.1:9")

    result.assert_outcomes(errors=1)
    told = "lago-mock: no answer from lago-mock at http://127.0.0.1:9: *refused*"
    result.stdout.fnmatch_lines([told])


def test_the_options_and_the_marker_are_described(pytester: pytest.Pytester) -> None:
    options = pytester.runpytest_inprocess("--help").stdout.str()
    for name in ("fixtures", "openapi", "license", "era", "validation", "db"):
        assert f"--lago-mock-{name}=" in options
        assert f"lago_mock_{name} (string)" in options
    markers = pytester.runpytest_inprocess("--markers").stdout
    markers.fnmatch_lines(["@pytest.mark.lago_mock(fixtures, license, *"])


def test_what_does_not_use_it_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    """In a new interpreter, the session over."""
    pytester.makepyfile(test_own="def test_it(): pass")
    Path(pytester.path, "look.py").write_text(
        "import sys, pytest\n"
        "pytest.main(['-q', '-p', 'no:xdist', '-p', 'no:randomly', '-p', 'no:hypothesispytest'])\n"
        "print('imported:', *sorted(each for each in sys.modules if 'lago' in each))\n"
        "heavy = {'starlette', 'uvicorn', 'jsonschema', 'tinydb', 'orjson', 'http.client'}\n"
        "print('heavy:', *sorted(heavy & {*sys.modules}))\n",
        "utf-8",
    )

    result = pytester.runpython("look.py")

    imported = "imported: lago_mock lago_mock.pytest_plugin lago_mock.version"
    assert [each for each in result.outlines if ":" in each] == [imported, "heavy:"]


def test_the_plugin_imports_what_pytest_has_imported(pytester: pytest.Pytester) -> None:
    result = pytester.runpython_c(
        "import sys, pytest; before = {*sys.modules}; import lago_mock.pytest_plugin; "
        "print(*sorted({*sys.modules} - before))"
    )

    assert result.outlines == ["lago_mock lago_mock.pytest_plugin lago_mock.version"]
