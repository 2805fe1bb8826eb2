from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from lago_python_client import Client
from lago_python_client.models import Customer

from lago_mock.version import __version__
from tests.conftest import ROOT
from tests.image.engine import Buildah, Image, NoBase, ToolFailed, run_tool

pytestmark = pytest.mark.slow

NAME = "lago-mock"
KEY = "0f7a1c52-5d2e-4c7e-9d5b-3a8e6b1f4c90"
MOST_ADDED_BYTES = 80 * 10**6


@pytest.fixture(scope="module")
def built(
    tool: Callable[[str], str], lacking: Callable[[str], None], testrun_uid: str
) -> Iterator[Image]:
    """The image as the Dockerfile makes it."""
    for name in ("make", "buildah", "mmdebstrap", "unshare", "chroot"):
        tool(name)
    try:
        run_tool("unshare", "--mount", "--pid", "--fork", "true")
    except ToolFailed as error:
        lacking(f"this user may make no namespaces: {error}")
    with ExitStack() as stack:
        building = Buildah(ROOT / "build" / "image").image(ROOT, NAME, testrun_uid)
        try:
            image = stack.enter_context(building)
        except NoBase as error:
            lacking(f"no base image could be made: {error}")
        yield image


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A volume for `/data`, which anybody may write."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def image(built: Image, data: Path, url: str) -> Image:
    """The image with a volume, on a free port of the loopback address."""
    port = url.rpartition(":")[2]
    variables = {"LAGO_MOCK_HOST": "127.0.0.1", "LAGO_MOCK_PORT": port}
    return built.given(mounts={"/data": (data, "rw")}, variables=variables)


def test_the_image_says_how_it_is_run(built: Image) -> None:
    config = built.config

    assert built.own_command == ["lago-mock", "serve"]
    assert (config["User"], config["WorkingDir"]) == ("10001:10001", "/data")
    assert (config["StopSignal"], list(config["ExposedPorts"])) == ("SIGTERM", ["3000/tcp"])
    assert list(config["Volumes"]) == ["/data"]
    assert config["Healthcheck"]["Test"] == ["CMD", "lago-mock", "health"]
    assert config["Healthcheck"]["Interval"] * config["Healthcheck"]["Retries"] == 30 * 10**9
    assert not config["Healthcheck"].get("StartPeriod"), "Docker would ask every five seconds"
    assert {
        "LAGO_MOCK_HOST=0.0.0.0",
        "LAGO_MOCK_PORT=3000",
        "LAGO_MOCK_DB=/data/lago-mock.json",
    } < set(config["Env"])


def test_the_image_says_what_it_is(built: Image) -> None:
    prefix = "org.opencontainers.image."
    labels = {
        name.removeprefix(prefix): text
        for name, text in built.config["Labels"].items()
        if name.startswith(prefix)
    }

    assert labels["title"] == NAME
    assert (labels["version"], labels["licenses"]) == (__version__, "MIT")
    assert labels["description"]


def test_the_image_holds_what_was_pinned_and_neither_pip_nor_a_compiler(built: Image) -> None:
    code = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"

    installed = dict(line.split() for line in built.run("python", "-c", code).stdout.splitlines())

    assert installed.pop("lago-mock") == __version__
    assert {name.lower().replace("_", "-"): text for name, text in installed.items()} == pins()
    programs = {path.name for path in built.root.glob("**/bin/*")}
    assert programs & {"cc", "gcc", "c++", "g++", "clang", "ld", "rustc", "cargo"} == set()


def pins() -> dict[str, str]:
    """Return what is pinned before the line that begins with what the image does not keep."""
    kept, _, _ = (ROOT / ".ci/constraints.txt").read_text("utf-8").partition("# The build backend")
    lines = (line.split("==") for line in kept.splitlines() if "==" in line)
    return {name.lower().replace("_", "-"): version for name, version in lines}


def test_the_image_adds_little_to_its_base(
    built: Image, record_property: Callable[[str, object], None]
) -> None:
    files = [path for path in (built.root / "opt/lago-mock").rglob("*") if path.is_file()]
    added = sum(path.lstat().st_size for path in files)

    record_property("added_bytes", added)
    assert added < MOST_ADDED_BYTES


def test_each_module_has_its_bytecode(built: Image) -> None:
    package = next(built.root.glob("opt/lago-mock/lib/*/site-packages/lago_mock"))
    modules = list(package.rglob("*.py"))

    compiled = {path.name.split(".")[0] for path in package.rglob("*.pyc")}

    assert len(modules) > 50
    assert {path.stem for path in modules} == compiled


def test_the_documents_that_every_start_reads_are_kept_as_json(built: Image) -> None:
    package = next(built.root.glob("opt/lago-mock/lib/*/site-packages/lago_mock"))
    read = [*package.glob("data/openapi/resources/*.yaml"), package / "data/openapi/admin.yaml"]
    names = [".".join(path.relative_to(package / "data").parts) for path in read]

    assert len(names) > 10
    kept = {path.name.removesuffix(".json") for path in package.glob("__pycache__/*.yaml.json")}
    assert {*names, "openapi.openapi.yaml", "fixtures.default.yaml"} <= kept


def test_it_is_healthy_when_ready_ends_at_once_and_finds_its_state_again(
    image: Image, url: str
) -> None:
    """As its own user, in a tree that nobody can write."""
    assert not image.is_healthy()

    with image.start() as container:
        container.wait_until_healthy()
        created = client(url).customers.create(Customer(external_id="acct-1", name="Ada"))
        status, seconds, written = container.stop()

    assert (status, written.count("\nReady.\n")) == (0, 1)
    assert seconds < 1
    with image.start() as container:
        container.wait_until_healthy()
        found = client(url).customers.find("acct-1")
        _, _, written = container.stop()
    assert (found.lago_id, found.name) == (created.lago_id, "Ada")
    assert "Store: /data/lago-mock.json (as it was found; " in written


def client(url: str, key: str = "lago-mock-key") -> Any:
    return Client(api_key=key, api_url=url)


def test_any_user_can_run_it(image: Image, url: str, data: Path) -> None:
    with image.given(user="4711:4711").start() as container:
        container.wait_until_healthy()
        client(url).customers.create(Customer(external_id="acct-1"))
        status, _, _ = container.stop()

    assert status == 0
    assert (data / "lago-mock.json").stat().st_uid == 4711


def test_a_volume_that_cannot_be_written_ends_it_with_the_reason(image: Image, data: Path) -> None:
    data.chmod(0o755)

    ended = image.run(*image.own_command)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("lago-mock: /data/lago-mock.json: cannot be written: ")
    assert ended.stderr.count("\n") == 1


def test_the_variables_of_lagos_own_container_are_understood(image: Image, url: str) -> None:
    variables = {**(image.variables or {}), "LAGO_ORG_API_KEY": KEY, "LAGO_ORG_NAME": "Tidewater"}

    with image.given(variables=variables).start() as container:
        container.wait_until_healthy()
        answer = httpx.get(
            f"{url}/api/v1/organizations", headers={"Authorization": f"Bearer {KEY}"}
        )
        _, _, written = container.stop()

    assert answer.json()["organization"]["name"] == "Tidewater"
    assert KEY not in written


def test_fixture_sets_and_a_document_can_be_mounted(image: Image, url: str, tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "mine.yaml").write_text("organization: {name: Mine}\ncustomers: [{external_id: a}]\n")
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "lago.json").write_text(image.run("lago-mock", "openapi").stdout, "utf-8")
    mounts = {"/fixtures": (sets, "ro"), "/openapi": (documents, "ro"), **(image.mounts or {})}
    chosen = {
        "LAGO_MOCK_FIXTURES": "/fixtures/mine.yaml",
        "LAGO_MOCK_OPENAPI": "/openapi/lago.json",
    }

    mounted = image.given(mounts=mounts, variables={**(image.variables or {}), **chosen})
    with mounted.start() as container:
        container.wait_until_healthy()
        found = client(url).customers.find("a")
        container.stop()

    assert found.external_id == "a"


def test_a_fixture_set_that_its_user_may_not_read_ends_it_with_the_reason(
    image: Image, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").touch()
    mounts = {"/fixtures": (tmp_path, "ro"), **(image.mounts or {})}
    tmp_path.chmod(0o700)

    ended = image.given(mounts=mounts).run("lago-mock", "check", "/fixtures/mine.yaml")

    assert ended.returncode == 2
    assert ended.stderr == "lago-mock: /fixtures/mine.yaml: cannot be read: Permission denied\n"


def test_a_broken_fixture_set_ends_it_with_the_reason(image: Image, tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "bad.yaml").write_text("organization: {name: Bad}\ncustomers: [{currency: EUR}]\n")
    mounts = {"/fixtures": (sets, "ro"), **(image.mounts or {})}
    variables = {**(image.variables or {}), "LAGO_MOCK_FIXTURES": "/fixtures/bad.yaml"}

    ended = image.given(mounts=mounts, variables=variables).run(*image.own_command)

    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert ended.stderr.startswith("lago-mock: /fixtures/bad.yaml: /customers/0/external_id: ")


def test_it_ends_at_once_while_it_still_starts(image: Image) -> None:
    """The first process of a namespace is not ended by a signal that it has no handler for."""
    with image.start() as container:
        container.wait_until_it_takes(signal.SIGTERM)
        status, seconds, written = container.stop()

    assert (status, written) == (143, "")
    assert seconds < 1
