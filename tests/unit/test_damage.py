from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from lago_mock.store.store import StoreError
from tests.unit.store.stores import RESTORE, journal_of, on_disk

Tables = dict[str, dict[str, Any]]
Change = Callable[[Tables, str], None]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A state file of the default set with a snapshot, and the id of its organization."""
    path = tmp_path_factory.mktemp("written") / "state.json"
    app = build(Settings(db=str(path)))
    (row,) = app.store.organizations()
    app.store.snapshot(None, "all")
    app.store.close()
    return path.read_text(encoding="utf-8"), row["lago_id"]


@pytest.fixture
def path(written: tuple[str, str], tmp_path: Path) -> Path:
    path = tmp_path / "state.json"
    path.write_text(written[0], encoding="utf-8")
    return path


def change(path: Path, how: Change, owner: str) -> None:
    tables = json.loads(path.read_text(encoding="utf-8"))
    how(tables, owner)
    path.write_text(json.dumps(tables), encoding="utf-8")


def refusal(path: Path) -> str:
    """Return why a start is refused; no byte on disk may change."""
    before = on_disk(path.parent)
    with pytest.raises(StoreError) as caught:
        build(Settings(db=str(path)))
    assert on_disk(path.parent) == before
    return str(caught.value)


def test_what_the_server_wrote_is_no_damage(path: Path) -> None:
    app = build(Settings(db=str(path)))

    assert app.restored
    app.store.close()


def without_table(name: str) -> Change:
    return lambda tables, owner: tables.pop(f"{name}:{owner}")


def without_column(name: str, column: str) -> Change:
    return lambda tables, owner: tables[f"{name}:{owner}"]["1"].pop(column)


def with_value(name: str, column: str, value: Any) -> Change:
    return lambda tables, owner: tables[f"{name}:{owner}"]["1"].update({column: value})


def with_a_row_twice(tables: Tables, owner: str) -> None:
    table = tables[f"customers:{owner}"]
    table["9"] = table["2"]


def with_a_lower_sequence(tables: Tables, owner: str) -> None:
    tables["lago_mock"]["1"]["sequences"][owner]["customers"] = 3


@pytest.mark.parametrize(
    ("how", "said"),
    [
        pytest.param(
            without_table("organizations"),
            "the table 'organizations:{owner}' has no row",
            id="no organization",
        ),
        pytest.param(
            without_table("billing_entities"),
            "the table 'billing_entities:{owner}' has no row",
            id="no billing entity",
        ),
        pytest.param(
            without_column("customers", "shipping_address"),
            "row 1 of the table 'customers:{owner}' has no 'shipping_address' that can be",
            id="a customer without a column",
        ),
        pytest.param(
            with_value("customers", "created_at", 5),
            "row 1 of the table 'customers:{owner}' has no 'created_at' that can be",
            id="a time that is a number",
        ),
        pytest.param(
            with_value("customers", "external_id", 5),
            "row 1 of the table 'customers:{owner}' has no 'external_id' that can be",
            id="a natural key that is a number",
        ),
        pytest.param(
            without_column("organizations", "founding"),
            "row 1 of the table 'organizations:{owner}' has no 'founding' that can be",
            id="an organization without what a reset makes of it",
        ),
        pytest.param(
            with_value("customers", "sequential_id", "1"),
            "row 1 of the table 'customers:{owner}' has no 'sequential_id' that can be",
            id="a number that is a text",
        ),
        pytest.param(
            with_a_lower_sequence,
            "row 4 of the table 'customers:{owner}' has the sequential_id 4, "
            "but 3 is the last one given",
            id="a sequence that would give a number once more",
        ),
        pytest.param(
            with_a_row_twice,
            "row 9 of the table 'customers:{owner}' has the lago_id of row 2",
            id="a row twice",
        ),
    ],
)
@pytest.mark.parametrize("place", ["{id}", "snapshots::all:{id}"], ids=["rows", "snapshot"])
def test_rows_that_could_not_be_served_are_refused_with_their_place(
    path: Path, written: tuple[str, str], how: Change, said: str, place: str
) -> None:
    owner = place.format(id=written[1])
    change(path, how, owner)

    assert refusal(path) == f"{path}: {said.format(owner=owner)}. {RESTORE}"


def test_a_damaged_file_leaves_its_journal_alone(path: Path, written: tuple[str, str]) -> None:
    copy = path.read_bytes()
    app = build(Settings(db=str(path)))
    app.store.keep_secrets({})
    journal = journal_of(path, 1)
    line = journal.read_bytes()
    app.store.close()
    path.write_bytes(copy)
    journal.write_bytes(line)
    change(path, with_value("customers", "updated_at", None), written[1])

    assert "has no 'updated_at' that can be" in refusal(path)


def test_what_was_written_without_validation_is_no_damage(path: Path) -> None:
    row = {"default_currency": 3, "vat_rate": 700, "timezone": "nowhere", "email": [1]}
    app = build(Settings(db=str(path)))
    view = app.store.view(app.store.organizations()[0]["lago_id"])
    (own,) = app.store.organizations()
    view.put("organizations", {**own, **row})
    app.store.commit(view)
    app.store.close()

    again = build(Settings(db=str(path)))

    assert again.store.organizations() == [{**own, **row}]
    again.store.close()
