"""The pytest plugin: a server for the session, an organization of its own for each test.

Every pytest run on a machine imports this module, so it imports nothing that costs: the server and
its libraries come when the first test asks for `lago_mock_server`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from lago_mock.testing.handle import LagoMock

_SETTINGS = {
    "fixtures": "fixture set to start from: name of one that ships, or a path",
    "openapi": "OpenAPI document to serve in place of the one that ships",
    "license": "premium or free",
    "era": "current or 2023",
    "validation": "lago, strict or off",
    "db": "state file; without one nothing is kept",
}
"""Settings of the server by their names: each is an ini option and one of the command line."""

_ISOLATIONS = ("organization", "reset")
_RULES = ("era", "validation", "latency", "rate_limit")
_WORDS = (
    "fixtures",
    "license",
    *_RULES,
    "strict",
    "faults",
    "fail_on_unmatched",
    "isolation",
)

_ROWS = "{'customers': [{'external_id': 'acct-1'}]}"
_FAULT = "{'operation': 'createCustomer', 'error': 'forbidden'}"

_handle = pytest.StashKey["LagoMock"]()
_has_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the ini file."""
    group = parser.getgroup("lago-mock")
    for name, text in _SETTINGS.items():
        group.addoption(f"--lago-mock-{name}", metavar=name.upper(), help=text)
        parser.addini(f"lago_mock_{name}", help=text)
    group.addoption(
        "--lago-mock-url", metavar="URL", help="server to use in place of one of our own"
    )
    parser.addini(
        "lago_mock_isolation",
        help="organization: each test has one of its own; reset: all have the same one, reset",
        default="organization",
    )
    parser.addini(
        "lago_mock_fail_on_unmatched",
        type="bool",
        default=False,
        help="fail a test that sent what no operation answers, or armed a fault that nothing met",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and refuse an isolation that there is not."""
    config.addinivalue_line(
        "markers",
        f"lago_mock({', '.join(_WORDS)}): what the test's Lago is like; the test has the fixture",
    )
    isolation = config.getini("lago_mock_isolation")
    if isolation not in _ISOLATIONS:
        raise pytest.UsageError(f"lago_mock_isolation is {isolation!r}; give organization or reset")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which server is used when somebody else has started it, and what it cannot have of us."""
    url = _url(config)
    if not url:
        return []
    from lago_mock.testing.reach import is_file

    fixtures, openapi = _option(config, "fixtures") or "", _option(config, "openapi")
    files = [f"fixtures {fixtures}"] if is_file(fixtures) else []
    files += [f"openapi {openapi}"] if openapi else []
    why = "is a file of this machine: that server has its own"
    return [f"lago-mock: {url}", *(f"lago-mock: {each} {why}" for each in files)]


def _option(config: pytest.Config, name: str) -> str | None:
    said: str | None = config.getoption(f"--lago-mock-{name}") or config.getini(f"lago_mock_{name}")
    return said


def _url(config: pytest.Config) -> str | None:
    return config.getoption("--lago-mock-url") or os.environ.get("LAGO_MOCK_URL")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the fixture to the tests that have the marker and do not ask for it."""
    for item in items:
        names = getattr(item, "fixturenames", None)
        if names is not None and "lago_mock" not in names and item.get_closest_marker("lago_mock"):
            names.append("lago_mock")


@pytest.fixture(scope="session")
def lago_mock_listen_address() -> tuple[str, int]:
    """Return host and port that the server listens on; override it for others."""
    return "127.0.0.1", 0


@pytest.fixture(scope="session")
def lago_mock_settings(pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """Return fields of `Settings` for the server; override it for those that no option has.

    Paths count from the folder of the ini file, those of the command line from the working
    directory.
    """
    given: dict[str, Any] = {}
    for name in _SETTINGS:
        option, ini = pytestconfig.getoption(f"--lago-mock-{name}"), f"lago_mock_{name}"
        if option:
            given[name] = _judged(name, option, pytestconfig.invocation_params.dir)
        elif pytestconfig.getini(ini):
            given[name] = _judged(name, pytestconfig.getini(ini), _ini_folder(pytestconfig))
    if "db" in given:
        given["db"] = _for_worker(given["db"])
    return given


def _ini_folder(config: pytest.Config) -> Path:
    return config.inipath.parent if config.inipath else config.rootpath


def _judged(name: str, text: str, folder: Path) -> Any:
    from lago_mock.settings import SettingError, settings_of

    try:
        return getattr(settings_of({name: text}, folder), name)
    except SettingError as error:
        _refuse(str(error))


def _for_worker(path: str) -> str:
    """Return the state file of an xdist worker: two servers cannot have the same one."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    head, dot, tail = path.rpartition(".")
    return f"{head}-{worker}{dot}{tail}" if worker and dot else path


def _refuse(why: str) -> NoReturn:
    """Fail with a line in place of a traceback, and without what led to it."""
    raise pytest.fail.Exception(f"lago-mock: {why}", pytrace=False) from None


@pytest.fixture(scope="session")
def lago_mock_server(
    pytestconfig: pytest.Config,
    lago_mock_settings: Mapping[str, Any],
    lago_mock_listen_address: tuple[str, int],
) -> Iterator[LagoMock]:
    """Give a handle of the session's server, for what is started once: its `url`, an `api_key`.

    The server is one of this process, or that of `--lago-mock-url` or `LAGO_MOCK_URL`.
    """
    with ExitStack() as ends:
        with _plain_imports():
            url = _url(pytestconfig)
            if url:
                handle = _found(url, lago_mock_settings)
            else:
                handle = _started(lago_mock_listen_address, lago_mock_settings, ends)
        yield ends.enter_context(handle)


@contextmanager
def _plain_imports() -> Iterator[None]:
    """Let the server be imported as it is: pytest rewrites the assertions of a plugin's package.

    That takes twice as long as all of the import, in each session where Python does not keep what
    it compiles, as in many containers.
    """
    usual = [*sys.meta_path]
    sys.meta_path[:] = [each for each in usual if not _rewrites(each)]
    try:
        yield
    finally:
        sys.meta_path[:] = usual


def _rewrites(finder: object) -> bool:
    return type(finder).__module__ == "_pytest.assertion.rewrite"


def _found(url: str, settings: Mapping[str, Any]) -> LagoMock:
    from lago_mock.testing.handle import LagoMock

    with _in_a_line():
        return LagoMock(url, _key_elsewhere(), **settings)


@contextmanager
def _in_a_line() -> Iterator[None]:
    """Let what a handle refuses be told without a traceback."""
    from lago_mock.settings import SettingError
    from lago_mock.testing.handle import AdminError

    try:
        yield
    except (AdminError, SettingError) as error:
        _refuse(str(error))
    except AssertionError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _key_elsewhere() -> str | None:
    """Return the key that the tests share; with workers side by side each makes its own."""
    return None if os.environ.get("PYTEST_XDIST_WORKER") else os.environ.get("LAGO_API_KEY")


def _started(listen: tuple[str, int], settings: Mapping[str, Any], ends: ExitStack) -> LagoMock:
    from lago_mock.testing.background import REASONS, BackgroundServer, in_memory
    from lago_mock.testing.handle import LagoMock

    try:
        server = ends.enter_context(BackgroundServer(in_memory(listen, **settings)))
    except REASONS as error:
        _refuse(str(error))
    return LagoMock(server=server, api_key=server.api_key)


@pytest.fixture
def lago_mock(request: pytest.FixtureRequest, lago_mock_server: LagoMock) -> Iterator[LagoMock]:
    """Give the test's own Lago: an organization that no other test meets, or one that is reset."""
    words = _marked(request.node)
    stash = request.node.stash
    isolation = _said(request, words, "isolation")
    with _in_a_line(), _made(lago_mock_server, isolation, words) as handle:
        stash[_handle], stash[_has_failed] = handle, False
        yield handle
        if _said(request, words, "fail_on_unmatched") and not stash[_has_failed]:
            handle.verify()


def _marked(node: pytest.Item) -> dict[str, Any]:
    """Return what the markers of a test say; the nearest one goes before the others."""
    words: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("lago_mock"))):
        for stranger in (*map(repr, marker.args), *sorted(marker.kwargs.keys() - set(_WORDS))):
            _refuse(f"the marker takes no {stranger}; {_advice(stranger)}")
        words |= _with_validation(marker.kwargs)
    return words


def _with_validation(words: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what one marker says, with the validation that `strict` stands for."""
    if "strict" not in words:
        return words
    if "validation" in words:
        _refuse("the marker says both strict and validation; give one of them")
    return {**words, "validation": "strict" if words["strict"] else "lago"}


def _advice(stranger: str) -> str:
    from lago_mock.likeness import closest

    near = closest(stranger, _WORDS)
    return f"did you mean {near}?" if near else f"give {', '.join(_WORDS)}"


def _said(request: pytest.FixtureRequest, words: Mapping[str, Any], name: str) -> Any:
    """Return what the markers say of something that has an ini option too, or what that says."""
    return words[name] if name in words else request.config.getini(f"lago_mock_{name}")


def _made(server: LagoMock, isolation: str, words: Mapping[str, Any]) -> LagoMock:
    """Return the handle that an isolation asks for, with what the markers say."""
    if isolation not in _ISOLATIONS:
        _refuse(f"isolation is {isolation!r}; give {' or '.join(_ISOLATIONS)}")
    make = _own_organization if isolation == "organization" else _after_reset
    fixtures = words.get("fixtures") or None
    if not isinstance(fixtures, str | Mapping | None):
        _refuse(f"fixtures is {fixtures!r}; give the name of a set, or rows like {_ROWS}")
    name = fixtures if isinstance(fixtures, str) else None
    with ExitStack() as failing:
        handle = failing.enter_context(make(server, name, words))
        if isinstance(fixtures, Mapping):
            handle.load(fixtures)
        _arm(handle, words.get("faults") or ())
        failing.pop_all()
    return handle


def _arm(handle: LagoMock, faults: Any) -> None:
    from lago_mock.likeness import did_you_mean_one_of

    if not isinstance(faults, list | tuple) or not all(isinstance(each, dict) for each in faults):
        _refuse(f"faults is {faults!r}; give a list, of faults like {_FAULT}")
    for fault in faults:
        known = signature(handle.fail).parameters
        for stranger in sorted(map(str, fault.keys() - known.keys())):
            _refuse(f"a fault takes no {stranger}{did_you_mean_one_of(stranger, known)}")
        try:
            handle.fail(**{"operation": "*", **fault})
        except TypeError as error:
            _refuse(f"the fault {fault!r}: {error}")


def _own_organization(server: LagoMock, fixtures: str | None, words: Mapping[str, Any]) -> LagoMock:
    from lago_mock.testing.handle import LagoMock

    organization: Any = {"license": words["license"]} if "license" in words else {}
    if fixtures:
        organization["fixtures"] = fixtures
    rules: Any = {name: words[name] for name in _RULES if name in words}
    return LagoMock(server=server, organization=organization, rules=rules)


def _after_reset(server: LagoMock, fixtures: str | None, words: Mapping[str, Any]) -> LagoMock:
    from lago_mock.testing.handle import LagoMock

    usual = server.fixtures  # asked before a test has named another, which would stay
    rules: Any = {name: words[name] for name in ("license", *_RULES) if name in words}
    handle = LagoMock(server=server, api_key=server.api_key, rules=rules)
    handle.reset(fixtures or usual)
    return handle


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show what a failed test's Lago was asked, and why it refused."""
    report = yield
    handle = item.stash.get(_handle, None)
    if handle is not None and report.when != "teardown" and not report.passed:
        item.stash[_has_failed] = True
        if report.failed:
            report.sections.append(("lago-mock requests", _journal(handle)))
    return report


def _journal(handle: LagoMock) -> str:
    from lago_mock.testing.handle import AdminError

    try:
        return handle.report()
    except AdminError as error:
        return str(error)
