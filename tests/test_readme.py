"""What the README shows is run, and what it repeats of the code is compared.

WRITE_README=1 writes the tables anew instead.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_mock.app import build, load_contract
from lago_mock.cli import main
from lago_mock.operations import handlers_of
from lago_mock.resources import load_resources
from lago_mock.settings import Settings, option_table
from tests.conftest import ROOT, running

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


def test_console_blocks_print_what_they_show(readme_server: str) -> None:
    ran = 0
    for command, shown in (each for block in blocks("console") for each in commands(block)):
        if not command.startswith("curl"):
            continue
        real = command.replace(SHOWN_URL, readme_server)
        printed = subprocess.run(
            ["bash", "-c", real], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        assert matches(shown, printed), f"{command}\nprinted\n{printed}"
        ran += 1
    assert ran >= 4


def test_python_blocks_run(readme_server: str) -> None:
    assert blocks("python")
    for block in blocks("python"):
        exec(compile(block.replace(SHOWN_URL, readme_server), str(README), "exec"), {})


def test_the_fixture_set_that_is_shown_is_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = blocks("yaml")
    shown = tmp_path / "shown.yaml"
    shown.write_text(block, "utf-8")

    assert main(["check", str(shown)]) == 0
    assert "the fixture set is in order" in capsys.readouterr().out


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
    for path in sorted((ROOT / "lago_mock").rglob("*.py")):
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


def test_make_serve_prints_the_lines_that_are_shown() -> None:
    """`make serve` is `lago-mock serve`, whose own tests compare its lines with the README's."""
    recipe = (ROOT / "Makefile").read_text("utf-8")

    assert re.search(r"^serve:.*\n\t\$\(BIN\)/lago-mock serve \$\(ARGS\)$", recipe, re.MULTILINE)
