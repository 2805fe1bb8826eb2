"""Where the document and the fixture sets that ship are: in the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path


def data_folder(package: Path = Path(__file__).parent) -> Path:
    """Return the folder that holds `openapi/` and `fixtures/`.

    Raises:
        FileNotFoundError: neither an installed package nor a checkout of ours.
    """
    installed = package / "data"
    if (installed / "openapi").is_dir():
        return installed
    checkout = package.parent
    if _is_ours(checkout / "pyproject.toml"):
        return checkout
    raise FileNotFoundError(
        f"{installed} is missing, so lago-mock has no OpenAPI document: install it anew"
    )


def _is_ours(project: Path) -> bool:
    return project.is_file() and 'name = "lago-mock"' in project.read_text("utf-8")
