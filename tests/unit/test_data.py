from __future__ import annotations

from pathlib import Path

import pytest

from lago_mock.data import data_folder


def project(folder: Path, name: str) -> Path:
    """Make a project of this name with a package in it, and return the package."""
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n', encoding="utf-8")
    package = folder / "lago_mock"
    package.mkdir()
    return package


def test_the_folder_that_ships_holds_the_document_and_the_fixture_sets() -> None:
    folder = data_folder()

    assert (folder / "openapi" / "openapi.yaml").is_file()
    assert (folder / "fixtures" / "default.yaml").is_file()


def test_an_installed_package_has_its_data_inside(tmp_path: Path) -> None:
    (tmp_path / "data" / "openapi").mkdir(parents=True)

    assert data_folder(tmp_path) == tmp_path / "data"


def test_data_inside_the_package_go_before_a_checkout_around_it(tmp_path: Path) -> None:
    package = project(tmp_path, "lago-mock")
    (package / "data" / "openapi").mkdir(parents=True)

    assert data_folder(package) == package / "data"


def test_in_a_checkout_the_data_stand_beside_the_package(tmp_path: Path) -> None:
    package = project(tmp_path, "lago-mock")

    assert data_folder(package) == tmp_path


@pytest.mark.parametrize("around", ["nothing", "another project"])
def test_without_data_the_error_names_the_folder_and_what_to_do(
    tmp_path: Path, around: str
) -> None:
    package = project(tmp_path, "site") if around == "another project" else tmp_path / "lago_mock"

    with pytest.raises(FileNotFoundError) as caught:
        data_folder(package)

    assert str(caught.value) == (
        f"{package / 'data'} is missing, so lago-mock has no OpenAPI document: install it anew"
    )
