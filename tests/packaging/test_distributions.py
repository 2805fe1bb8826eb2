from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

import httpx
import pytest

from lago_mock.version import LAGO_VERSION, __version__
from tests.process import environment, run, serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DATA = ("openapi", "fixtures")
INSTALL_SECONDS = 300
WHERE = "import lago_mock; print(lago_mock.__path__[0])"


def build(source: Path, target: Path, *options: str) -> None:
    done(sys.executable, "-m", "hatchling", "build", *options, "-d", str(target), folder=source)


def done(*command: str, folder: Path) -> str:
    """Run a command that must succeed; return its stdout."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the wheel and the sdist of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built: Path) -> Path:
    (path,) = built.glob("*.tar.gz")
    return path


@dataclass(frozen=True)
class Installation:
    """A virtual environment that holds lago-mock and what it requires, far from the checkout."""

    folder: Path
    programs: Path

    @property
    def command(self) -> tuple[str, ...]:
        return (str(self.programs / "lago-mock"),)

    def python(self, code: str) -> str:
        return done(str(self.programs / "python"), "-c", code, folder=self.folder).strip()


@pytest.fixture(scope="module", params=["*.whl", "*.tar.gz"], ids=["wheel", "sdist"])
def installed(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """Each distribution in an empty environment, its requirements from the package index."""
    (distribution,) = built.glob(request.param)
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    pip = (str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install")
    done(*pip, "--quiet", str(distribution), folder=folder)
    return Installation(folder, programs)


def names_in_wheel(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def metadata_of(path: Path) -> Message:
    with zipfile.ZipFile(path) as archive:
        name = f"lago_mock-{__version__}.dist-info/METADATA"
        return Parser().parsestr(archive.read(name).decode())


def files_below(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder.parent).as_posix() for path in files}


def below(prefix: str, names: Iterable[str]) -> set[str]:
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def test_the_wheel_carries_every_document_and_fixture_set(wheel: Path) -> None:
    carried = below("lago_mock/data/", names_in_wheel(wheel))

    assert carried == files_below(ROOT / "openapi") | files_below(ROOT / "fixtures")
    assert {"openapi/openapi.yaml", "openapi/admin.yaml", "fixtures/default.yaml"} <= carried


def test_the_wheel_carries_every_module_and_the_mark_of_types(wheel: Path) -> None:
    package = ROOT / "lago_mock"
    modules = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}

    assert modules | {"lago_mock/py.typed"} <= names_in_wheel(wheel)


def test_the_wheel_carries_the_licence(wheel: Path) -> None:
    name = f"lago_mock-{__version__}.dist-info/licenses/LICENSE"

    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(name) == (ROOT / "LICENSE").read_bytes()
    assert metadata_of(wheel)["License-Expression"] == "MIT"


def test_the_wheel_carries_nothing_beside_the_package(wheel: Path) -> None:
    names = names_in_wheel(wheel)

    assert {name.split("/")[0] for name in names} == {
        "lago_mock",
        f"lago_mock-{__version__}.dist-info",
    }
    parts = {part for name in names for part in name.split("/")}
    assert [each for each in parts if each in ("tests", "__pycache__") or each[:5] == "test_"] == []


def test_the_wheel_requires_pytest_for_its_extra_alone(wheel: Path) -> None:
    required = metadata_of(wheel).get_all("Requires-Dist", [])

    assert [each for each in required if "pytest" in each and "extra ==" not in each] == []
    assert [each for each in required if each.startswith("starlette")] != []


def test_the_wheel_tells_its_version_and_its_python(wheel: Path) -> None:
    metadata = metadata_of(wheel)

    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_sdist_carries_what_a_build_and_its_tests_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        carried = below(f"lago_mock-{__version__}/", archive.getnames())

    top = {name.split("/")[0] for name in carried}
    needed = {"lago_mock", "openapi", "fixtures", "tests", "Makefile", ".ci"}
    assert needed | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= top
    assert top & {".venv", ".git", "dist", "build"} == set()
    junk = ("__pycache__", "node_modules", "lago-mock.json")
    assert [name for name in carried if any(each in name for each in junk)] == []


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")

    build(tmp_path / f"lago_mock-{__version__}", tmp_path / "dist", "-t", "wheel")

    (again,) = (tmp_path / "dist").glob("*.whl")
    assert contents_of(again) == contents_of(wheel)


def contents_of(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_installation_knows_its_version(installed: Installation) -> None:
    ended = run(installed.folder, "--version", command=installed.command)

    said = f"lago-mock {__version__}, behaves as Lago {LAGO_VERSION}\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, said, "")


def test_an_installation_finds_its_own_documents_and_sets_in_order(
    installed: Installation,
) -> None:
    package = Path(installed.python(WHERE))

    ended = run(installed.folder, "check", command=installed.command)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert installed.folder in package.parents
    document, *sets = ended.stdout.splitlines()
    assert document.startswith(f"{package / 'data' / 'openapi'}: ")
    shipped = sorted((package / "data" / "fixtures").iterdir())
    assert sets == [f"{path}: the fixture set is in order" for path in shipped]


def test_an_installation_needs_no_pytest(installed: Installation) -> None:
    code = "import importlib.util; print(importlib.util.find_spec('pytest'))"

    assert installed.python(code) == "None"


def test_an_installation_is_a_plugin_of_pytest(built: Path, tmp_path: Path) -> None:
    """Nothing is configured; asserts of the package are not rewritten, so nothing is compiled."""
    (distribution,) = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    done(*pip, f"{distribution}[pytest]", "httpx", folder=tmp_path)
    shop = Path(shutil.copytree(ROOT / "tests" / "examples" / "python", tmp_path / "shop"))

    printed = done(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=shop)

    assert "8 passed" in printed
    package = Path(done(python, "-c", WHERE, folder=tmp_path).strip())
    rewritten = {path.name.split(".")[0] for path in package.rglob("*-pytest-*.pyc")}
    assert rewritten <= {"__init__", "version", "pytest_plugin", "settings", "settings_file"}


def test_an_installation_serves(installed: Installation, tmp_path: Path) -> None:
    with serving(tmp_path, command=installed.command) as server:
        headers = {"Authorization": "Bearer lago-mock-key"}
        answer = httpx.get(f"{server.url}/api/v1/customers", headers=headers)
        status, _ = server.stop()

    assert answer.json()["meta"]["total_count"] == 5
    assert status == 0
