from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lago_mock.cli import main
from lago_mock.data import data_folder
from lago_mock.operations import handlers_of
from lago_mock.resources import load_resources
from lago_mock.settings import option_table
from lago_mock.version import LAGO_VERSION, __version__
from tests.process import COMMAND, START_SECONDS, environment
from tests.unmocked import WRITE

KEY = "0f7a1c52-5d2e-4c7e-9d5b-3a8e6b1f4c90"
COMMANDS = ("serve", "settings", "operations", "check", "openapi")
PING = """\
openapi: 3.1.0
info: {title: Ping, version: "1"}
paths:
  /ping:
    get:
      operationId: ping
      responses: {"200": {description: Pong}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, and no variable of ours is set."""
    monkeypatch.chdir(tmp_path)
    for option in option_table():
        for variable in option.variables:
            monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def lago_mock(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Runs a command that must succeed in silence; gives the lines of its stdout."""

    def run(*arguments: str) -> list[str]:
        status = main(arguments)
        written = capsys.readouterr()
        assert (status, written.err) == (0, "")
        return written.out.splitlines()

    return run


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must be refused; gives the one line on stderr, without our name."""

    def run(*arguments: str) -> str:
        status = main(arguments)
        line, end, rest = capsys.readouterr().err.partition("\n")
        assert (status, end, rest) == (2, "\n", "")
        assert line.startswith("lago-mock: ")
        return line.removeprefix("lago-mock: ")

    return run


@pytest.fixture
def usage_error(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that cannot be parsed; gives the last line on stderr, after the usage."""

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        written = capsys.readouterr()
        assert (ended.value.code, written.out) == (2, "")
        return written.err.splitlines()[-1]

    return run


def write(name: str, text: str) -> Path:
    path = Path.cwd() / name
    path.write_text(text, "utf-8")
    return path


def cells(line: str) -> list[str]:
    return re.split(" {2,}", line)


def test_version_tells_our_own_and_that_of_lago(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"lago-mock {__version__}, behaves as Lago {LAGO_VERSION}\n"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_each_command(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([flag])

    assert ended.value.code == 0
    words = capsys.readouterr().out.split()
    assert [command for command in COMMANDS if command not in words] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_describes_each_flag(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its values too, and which of them holds where none is given."""
    monkeypatch.setenv("COLUMNS", "200")  # no word is broken at its hyphen

    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for option in option_table():
        assert option.flag in text
        default = f" (default {option.default})" if option.kind != "switch" else ""
        assert option.help + ("" if option.default is None else default) in text
        assert [choice for choice in option.choices if choice not in option.help] == []


def test_without_a_command_it_serves(refusal: Callable[..., str]) -> None:
    assert refusal("--port", "http").startswith("The flag --port is 'http'; ")


def test_the_arguments_come_from_the_command_line_when_none_are_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lago-mock", "settings", "--port", "3999"])

    assert main() == 0
    assert ["port", "3999", "flag --port"] in map(cells, capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["chekc"], "invalid choice: 'chekc'", id="no such command"),
        pytest.param(["--prot", "3"], "unrecognized arguments: --prot 3", id="no such flag"),
        pytest.param(["settings", "more"], "unrecognized arguments: more", id="one word too many"),
        pytest.param(["serve", "--port"], "argument --port: expected one argument", id="no value"),
    ],
)
def test_a_misspelt_command_line_ends_with_status_2(
    arguments: list[str], said: str, usage_error: Callable[..., str]
) -> None:
    assert said in usage_error(*arguments)


def test_settings_shows_each_setting_with_its_value_and_origin(
    lago_mock: Callable[..., list[str]], folder: Path
) -> None:
    shown = {name: rest for name, *rest in map(cells, lago_mock("settings"))}

    assert list(shown) == [option.key for option in option_table()]
    assert shown["port"] == ["3000", "default"]
    assert shown["db"] == [str(folder / "lago-mock.json"), "default"]
    assert shown["api-key"] == ["default"]
    assert {origin for *_, origin in shown.values()} == {"default"}


def test_settings_takes_flag_before_variable_before_file(
    lago_mock: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("lago-mock.toml", 'port = 1\nhost = "file"\nlog-level = "error"\n')
    monkeypatch.setenv("LAGO_MOCK_PORT", "2")
    monkeypatch.setenv("LAGO_MOCK_HOST", "variable")

    rows = list(map(cells, lago_mock("settings", "--port", "3", "--reset")))

    assert ["port", "3", "flag --port"] in rows
    assert ["host", "variable", "variable LAGO_MOCK_HOST"] in rows
    assert ["log-level", "error", "lago-mock.toml"] in rows
    assert ["reset", "True", "flag --reset"] in rows


def test_settings_reads_the_table_in_pyproject(lago_mock: Callable[..., list[str]]) -> None:
    write("pyproject.toml", '[tool.lago-mock]\nfixtures = "empty"\n')

    assert ["fixtures", "empty", "pyproject.toml"] in map(cells, lago_mock("settings"))


@pytest.mark.parametrize("variable", ["LAGO_MOCK_API_KEY", "LAGO_ORG_API_KEY"])
def test_settings_shows_the_last_four_characters_of_a_key(
    variable: str, lago_mock: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, KEY)

    rows = list(map(cells, lago_mock("settings")))

    assert ["api-key", f"…{KEY[-4:]}", f"variable {variable}"] in rows
    assert not [cell for row in rows for cell in row if KEY[:-4] in cell]


def test_settings_does_not_show_a_short_key_whole(lago_mock: Callable[..., list[str]]) -> None:
    assert not [line for line in lago_mock("settings", "--api-key", "s3cr") if "s3cr" in line]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_a_wrong_setting_in_one_sentence(
    command: str, refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAGO_MOCK_POTR", "3000")

    assert refusal(command) == (
        "The variable LAGO_MOCK_POTR is not known; did you mean LAGO_MOCK_PORT?"
    )


def test_operations_lists_each_with_what_answers_it(lago_mock: Callable[..., list[str]]) -> None:
    rows = list(map(cells, lago_mock("operations")))

    assert ["createCustomer", "POST", "/customers", "mocked"] in rows
    assert [WRITE.id, "POST", WRITE.path, "501"] in rows
    mocked = {name for name, _, _, answer in rows if answer == "mocked"}
    assert mocked == set(handlers_of(load_resources()))
    assert {answer for *_, answer in rows} == {"mocked", "501"}
    assert len({name for name, *_ in rows}) == len(rows) > 200


def test_openapi_prints_one_document_whose_references_stay_inside(
    lago_mock: Callable[..., list[str]],
) -> None:
    text = "\n".join(lago_mock("openapi"))

    tree = json.loads(text)
    assert tree["openapi"] == "3.1.0"
    assert tree["info"]["version"] == LAGO_VERSION
    assert {"/customers", "/organizations", WRITE.path} <= tree["paths"].keys()
    assert {"customer_created", "invoice_created"} <= tree["webhooks"].keys()
    references = re.findall(r'"\$ref": "([^"]*)"', text)
    assert references
    assert [each for each in references if not each.startswith("#/")] == []


def test_what_openapi_prints_can_be_checked_and_holds_the_same_operations(
    lago_mock: Callable[..., list[str]],
) -> None:
    path = write("whole.json", "\n".join(lago_mock("openapi")))

    assert lago_mock("operations", "--openapi", "whole.json") == lago_mock("operations")
    first, *_ = lago_mock("check", "--openapi", "whole.json")
    own, *_ = lago_mock("check")
    assert first == own.replace(str(data_folder() / "openapi"), str(path))


def test_check_finds_the_document_and_all_sets_that_ship_in_order(
    lago_mock: Callable[..., list[str]],
) -> None:
    document, *sets = lago_mock("check")

    shipped = sorted((data_folder() / "fixtures").glob("*.yaml"))
    tree = json.loads("\n".join(lago_mock("openapi")))
    counts = f"{len(lago_mock('operations'))} operations and {len(tree['webhooks'])} webhooks"
    assert document == f"{data_folder() / 'openapi'}: {counts} are in order"
    assert sets == [f"{path}: the fixture set is in order" for path in shipped]


def test_check_takes_sets_by_name_and_by_path(lago_mock: Callable[..., list[str]]) -> None:
    write("club.yaml", "organization: {name: Rowing Club}\ncustomers: [{external_id: oar-1}]\n")

    _, first, second = lago_mock("check", "empty", "club.yaml")

    assert first == f"{data_folder() / 'fixtures' / 'empty.yaml'}: the fixture set is in order"
    assert second == "club.yaml: the fixture set is in order"


CUSTOMER = "organization: {name: Rowing Club}\ncustomers: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[", "club.yaml: line 2, column 1: not YAML", id="no YAML"),
        pytest.param("", "club.yaml: a fixture set is an object", id="nothing"),
        pytest.param("customers: []", "club.yaml: /organization/name: a name", id="no name"),
        pytest.param("organization: []", "club.yaml: /organization: an object", id="no object"),
        pytest.param(
            "organization: {name: Club, nickname: Row}",
            "club.yaml: /organization/nickname: ",
            id="a key that no operation takes",
        ),
        pytest.param(
            "organization: {name: Club, api_key: 3}",
            "club.yaml: /organization/api_key: ",
            id="a key that no client can send",
        ),
        pytest.param(
            "organization: {name: Club, premium_integrations: [projected_usge]}",
            "club.yaml: /organization/premium_integrations/0: no premium integration "
            "projected_usge; did you mean projected_usage?",
            id="an integration misspelt",
        ),
        pytest.param(
            "organization: {name: Club}\ncustmers: []",
            "club.yaml: /custmers: no such section. Did you mean customers?",
            id="a section misspelt",
        ),
        pytest.param(
            f"{CUSTOMER}{{}}",
            "club.yaml: /customers: a list is needed",
            id="a section of another kind",
        ),
        pytest.param(f"{CUSTOMER}[3]", "club.yaml: /customers/0: ", id="an item of another kind"),
        pytest.param(
            f"{CUSTOMER}[{{external_id: a}}, {{external_id: b, currency: XYZ}}]",
            "club.yaml: /customers/1/currency: value_is_invalid",
            id="a value that the document refuses",
        ),
        pytest.param(
            f"{CUSTOMER}[{{external_id: a, tax_codes: [vat]}}]",
            "club.yaml: /customers/0: createCustomer answers tax_not_found",
            id="a reference that leads nowhere",
        ),
        pytest.param(
            "organization: {name: Club}\nnow: yesterday", "club.yaml: /now: ", id="no point in time"
        ),
    ],
)
def test_check_refuses_a_broken_set_and_names_the_place(
    text: str, said: str, refusal: Callable[..., str]
) -> None:
    write("club.yaml", f"{text}\n")

    assert refusal("check", "club.yaml").startswith(said)


def test_check_suggests_the_set_that_was_meant(refusal: Callable[..., str]) -> None:
    assert refusal("check", "emtpy") == "emtpy: there is no such fixture set. Did you mean empty?"


def test_check_lists_the_sets_where_none_comes_close(refusal: Callable[..., str]) -> None:
    names = sorted(path.stem for path in (data_folder() / "fixtures").glob("*.yaml"))

    said = refusal("check", "./club.yaml")

    advice = f"Name one of {', '.join(names)}, or a file of yours by its path."
    assert said == f"./club.yaml: there is no such fixture set. {advice}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: [", "line 2, column 1: not YAML", id="no YAML"),
        pytest.param("[]", "not an OpenAPI document", id="no object"),
        pytest.param("organization: {}", "/openapi: ", id="no OpenAPI"),
        pytest.param(
            PING.replace("operationId", "id"), "/paths/~1ping/get: ", id="no operation id"
        ),
        pytest.param(
            PING.replace("{description: Pong}", "{$ref: '#/components/responses/Pong'}"),
            "/paths/~1ping/get/responses/200: the reference #/components/responses/Pong",
            id="a reference that leads nowhere",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "openapi", "operations"])
def test_every_command_that_reads_the_document_refuses_a_broken_one(
    command: str, text: str, said: str, refusal: Callable[..., str]
) -> None:
    path = write("api.yaml", f"{text}\n")

    assert refusal(command, "--openapi", "api.yaml").startswith(f"{path}: {said}")


def test_check_refuses_a_component_that_the_webhooks_have_as_well(
    refusal: Callable[..., str], folder: Path
) -> None:
    copy = folder / "openapi"
    shutil.copytree(data_folder() / "openapi", copy)
    added = copy / "resources" / "alerts.yaml"
    added.write_text("components: {schemas: {AlertThresholdObject: {type: object}}}\n", "utf-8")

    assert refusal("check", "--openapi", "openapi/") == (
        f"{copy / 'webhooks.yaml'}: /components/schemas/AlertThresholdObject: "
        f"'schemas AlertThresholdObject' is defined in {added} as well. Keep one of them."
    )


def test_a_document_that_is_not_there_is_refused(refusal: Callable[..., str], folder: Path) -> None:
    said = refusal("check", "--openapi", "api.yaml")

    assert said == f"{folder / 'api.yaml'}: cannot be read: No such file or directory"


def test_check_judges_a_foreign_document_alone_and_our_sets_by_our_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write("api.yaml", PING)

    assert main(["check", "--openapi", "api.yaml"]) == 0
    document, *sets = capsys.readouterr().out.splitlines()
    assert document == f"{path}: 1 operations and 0 webhooks are in order"
    assert len(sets) == len(list((data_folder() / "fixtures").glob("*.yaml")))


def test_operations_of_a_foreign_document_are_not_mocked_where_no_handler_has_their_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("api.yaml", PING)

    assert main(["operations", "--openapi", "api.yaml"]) == 0
    assert list(map(cells, capsys.readouterr().out.splitlines())) == [
        ["ping", "GET", "/ping", "501"]
    ]


SERVE = ("serve", "--port", "0", "--db", "state.json")


@pytest.mark.parametrize("command", [("operations",), SERVE], ids=["operations", "serve"])
def test_a_reader_that_goes_early_meets_no_traceback(
    command: tuple[str, ...], folder: Path
) -> None:
    with subprocess.Popen(
        [*COMMAND, *command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", [("operations",), SERVE], ids=["operations", "serve"])
def test_an_output_that_cannot_be_written_is_explained(
    command: tuple[str, ...], folder: Path
) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*COMMAND, *command],
            cwd=folder,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=START_SECONDS,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (
        2,
        "lago-mock: the output cannot be written: No space left on device\n",
    )
    assert not list(folder.glob("*.journal*")), "the store was not closed"
