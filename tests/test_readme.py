"""What the README shows is run, and what it repeats of the code is compared.

WRITE_README=1 writes the tables anew instead.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from lago_mock.app import build, load_contract
from lago_mock.cli import main
from lago_mock.operations import handlers_of
from lago_mock.resources import load_resources
from lago_mock.settings import Settings, load_settings, option_table
from tests.conftest import ROOT, running
from tests.process import environment

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
SHOWN_URL = "http://127.0.0.1:3000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[tuple[str, str]]:
    """Return each command of a console block with the output that it shows."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


@pytest.fixture(scope="module")
def readme_server() -> Iterator[str]:
    with running(build(Settings(db=":memory:"))) as url:
        yield url


def matches(shown: str, printed: str) -> bool:
    """Tell whether a printed text is what is shown; `…` stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def test_console_blocks_print_what_they_show(
    readme_server: str, tool: Callable[[str], str]
) -> None:
    tool("curl")
    ran = 0
    for command, shown in (each for block in blocks("console") for each in commands(block)):
        if not command.startswith("curl"):
            continue
        if "/api/v1/" not in command:  # what earlier blocks have armed and set
            httpx.post(f"{readme_server}/__admin/reset").raise_for_status()
        real = command.replace(SHOWN_URL, readme_server)
        printed = subprocess.run(
            ["bash", "-c", real], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        assert matches(shown, printed), f"{command}\nprinted\n{printed}"
        ran += 1
    assert ran >= 4


def is_test(block: str) -> bool:
    return "def test_" in block or "unittest" in block


def is_part(block: str) -> bool:
    """Tell whether a block shows a part of a file: the tests of the plugin have the whole."""
    return block.startswith(("@pytest.", "# conftest.py"))


def test_python_blocks_run(readme_server: str) -> None:
    ran = [block for block in blocks("python") if not is_test(block) and not is_part(block)]
    assert ran
    for block in ran:
        httpx.post(f"{readme_server}/__admin/reset").raise_for_status()
        exec(compile(block.replace(SHOWN_URL, readme_server), str(README), "exec"), {})


def test_tests_that_are_shown_pass(tmp_path: Path) -> None:
    shown = [block for block in blocks("python") if is_test(block) and not is_part(block)]
    for number, block in enumerate(shown):
        (tmp_path / f"test_{number}.py").write_text(block, "utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"],
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(ROOT / "tests/examples/python")}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert len(shown) == 3
    assert ended.returncode == 0, ended.stdout
    assert "3 passed" in ended.stdout


def test_the_fixture_set_that_is_shown_is_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = (each for each in blocks("yaml") if "organization" in yaml.safe_load(each))
    shown = tmp_path / "shown.yaml"
    shown.write_text(block, "utf-8")

    assert main(["check", str(shown)]) == 0
    assert "the fixture set is in order" in capsys.readouterr().out


def shown_whole(file: str) -> str:
    (block,) = (each for each in blocks("yaml") if each.startswith(f"# {file}\n"))
    return block


def recipe(file: str) -> Any:
    """Return the content of a YAML file that is shown whole."""
    return yaml.safe_load(shown_whole(file))


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("compose.yaml", "compose-spec"),
        (".github/workflows/tests.yml", "github-workflows"),
        (".gitlab-ci.yml", "gitlab-ci"),
    ],
)
def test_a_recipe_is_what_its_reader_takes(file: str, schema: str, tmp_path: Path) -> None:
    written = tmp_path / Path(file).name
    written.write_text(shown_whole(file), "utf-8")

    assert_fits(written, schema)


def assert_fits(file: Path, schema: str) -> None:
    """Judge a file by a schema that its reader publishes."""
    options = ("--builtin-schema", f"vendor.{schema}")
    ended = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *options, str(file)],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_compose_starts_the_application_when_the_mock_is_healthy() -> None:
    compose = recipe("compose.yaml")
    lago, app = compose["services"]["lago"], compose["services"]["app"]

    command, *words = lago["healthcheck"].pop("test")
    options = " ".join(f"--{name}={value}" for name, value in lago["healthcheck"].items())
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert f"\nHEALTHCHECK {options} {command} {json.dumps(words)}\n" in image
    assert app["depends_on"] == {"lago": {"condition": "service_healthy"}}
    assert app["environment"]["LAGO_API_KEY"] == lago["environment"]["LAGO_ORG_API_KEY"]
    assert {each.partition(":")[0] for each in lago["volumes"]} == set(compose["volumes"])
    assert_known(lago["environment"])


def assert_known(variables: Mapping[str, str]) -> None:
    loaded = load_settings({}, variables, ROOT / "tests")
    assert set(variables) == {
        origin.removeprefix("variable ")
        for origin in loaded.origins.values()
        if origin.startswith("variable")
    }


def test_the_github_workflow_runs_against_its_service(
    readme_server: str, tool: Callable[[str], str]
) -> None:
    tool("curl")
    (job,) = recipe(".github/workflows/tests.yml")["jobs"].values()
    service = job["services"]["lago"]

    assert_known(service["env"])
    assert service["ports"] == ["3000:3000"]
    assert job["env"]["LAGO_API_KEY"] == service["env"]["LAGO_ORG_API_KEY"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert_calls_succeed(commands, {**job["env"], "LAGO_URL": readme_server})


def test_the_gitlab_job_runs_against_its_service(
    readme_server: str, tool: Callable[[str], str]
) -> None:
    tool("curl")
    job = recipe(".gitlab-ci.yml")["test"]
    (service,) = job["services"]

    variables = job["variables"]
    assert variables["LAGO_URL"] == f"http://{service['alias']}:3000"
    ours = ("LAGO_MOCK_", "LAGO_ORG_")
    assert_known({name: text for name, text in variables.items() if name.startswith(ours)})
    assert_calls_succeed(job["script"], {**variables, "LAGO_URL": readme_server})


def assert_calls_succeed(commands: list[str], variables: Mapping[str, str]) -> None:
    """Run those that call the server; the others are the reader's own."""
    calls = [each for each in commands if each.startswith("curl")]
    assert calls
    for call in calls:
        subprocess.run(
            ["bash", "-c", call],
            env={**os.environ, **variables},
            capture_output=True,
            check=True,
            timeout=20,
        )


def test_our_own_workflow_does_what_ci_does_on_every_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    check, image = workflow["jobs"]["check"], workflow["jobs"]["image"]

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    supported = [each[-4:] for each in project["classifiers"] if each.startswith(prefix)]
    assert check["strategy"]["matrix"]["python"] == supported
    assert [step["run"] for step in check["steps"] if "run" in step] == [".ci/run"]
    assert image["steps"][1]["run"] == "make image"
    assert_fits(ROOT / ".github/workflows/ci.yml", "github-workflows")


def shop() -> list[str]:
    source = (ROOT / "tests/examples/python/test_shop.py").read_text("utf-8")
    test = re.search(r"^def test_a_busy_lago.*?(?=\n\n\n)", source, re.DOTALL | re.MULTILINE)
    assert test is not None
    head = ["from lago_mock import LagoMock", "from shop import sign_up", "", ""]
    return ["```python", *head, *test[0].splitlines(), "```"]


def settings_table() -> list[str]:
    rows = ["| flag | variable | default | meaning |", "| --- | --- | --- | --- |"]
    for option in option_table():
        flag = option.flag if option.kind == "switch" else f"{option.flag} {option.metavar}"
        variables = ", ".join(f"`{name}`" for name in option.variables)
        default = "" if option.default is None else f"`{str(option.default).lower()}`"
        if option.kind != "switch" and option.default is not None:
            default = f"`{option.default}`"
        rows.append(f"| `{flag}` | {variables} | {default} | {option.help} |")
    return rows


def operations_table() -> list[str]:
    resources = load_resources()
    contract = load_contract(resources)
    handled = handlers_of(resources)
    rows = ["| operation | verb | path |", "| --- | --- | --- |"]
    rows += [
        f"| `{each.id}` | {each.method} | `{each.path}` |"
        for each in contract.operations.values()
        if each.id in handled
    ]
    missing = len(contract.operations) - len(handled)
    return [*rows, "", f"{missing} further operations answer 501."]


def differences() -> list[str]:
    found = []
    files = [*(ROOT / "lago_mock").rglob("*.py"), *(ROOT / "openapi").rglob("*.yaml")]
    for path in files:
        comments = re.findall(
            r"^ *# Differs from Lago: (.*(?:\n *# .*)*)", path.read_text("utf-8"), re.MULTILINE
        )
        for comment in comments:
            text = re.sub(r"\s*\n *# ", " ", comment)
            sentence = text.partition(". ")[0].rstrip(".")
            found.append(f"- {sentence[0].upper()}{sentence[1:]}.")
    return sorted(found)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param("shop", shop, id="shop"),
        pytest.param("settings", settings_table, id="settings"),
        pytest.param("operations", operations_table, id="operations"),
        pytest.param("differences", differences, id="differences"),
    ],
)
def test_what_the_readme_repeats_of_the_code_is_true(name, wanted) -> None:  # type: ignore[no-untyped-def]
    text = README.read_text("utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, _, rest = text.partition(begin)
    body, _, tail = rest.partition(end)
    expected = "\n".join(wanted()) + "\n"
    if os.environ.get("WRITE_README"):
        README.write_text(f"{head}{begin}{expected}{end}{tail}", "utf-8")
        return

    assert body == expected


def test_each_command_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    names = re.findall(r"^ {4}([a-z]+)\b", capsys.readouterr().out, re.MULTILINE)
    assert re.findall(r"^\| `lago-mock ([a-z]+)", TEXT, re.MULTILINE) == names


def test_make_serve_prints_the_lines_that_are_shown() -> None:
    """`make serve` is `lago-mock serve`, whose own tests compare its lines with the README's."""
    recipe = (ROOT / "Makefile").read_text("utf-8")

    assert re.search(r"^serve:.*\n\t@\$\(BIN\)/lago-mock serve \$\(ARGS\)$", recipe, re.MULTILINE)
