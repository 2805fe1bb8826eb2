"""A server that follows the changes of its files."""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lago_mock.data import data_folder
from tests.conftest import API_KEY
from tests.process import ServerProcess, serving

SECONDS = 15


def write_set(path: Path, *external_ids: str, **organization: str) -> None:
    content = {
        "organization": {"name": "Watched", "api_key": API_KEY, **organization},
        "customers": [{"external_id": each} for each in external_ids],
    }
    path.write_text(json.dumps(content))


def client_of(server: ServerProcess) -> httpx.Client:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, verify=False)


def names(client: httpx.Client) -> list[str]:
    return [each["external_id"] for each in client.get("/customers").json()["customers"]]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, f"not so within {SECONDS} s"
        time.sleep(0.05)


def test_a_changed_set_resets_the_server_and_a_broken_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    write_set(path, "first")
    arguments = ("--watch", "--fixtures", str(path), "--db", ":memory:")
    with serving(tmp_path, *arguments) as server, client_of(server) as client:
        assert names(client) == ["first"]

        write_set(path, "first", "second")
        until(lambda: names(client) == ["second", "first"])

        write_set(path, "third", country="nowhere")
        until(lambda: "the former one is kept" in server.stderr)
        assert names(client) == ["second", "first"]
        assert f"{path}: /organization/country" in server.stderr


def test_a_changed_key_of_the_set_opens_the_organization_beside_the_former_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "set.json"
    write_set(path, "first")
    arguments = ("--watch", "--fixtures", str(path), "--db", ":memory:")
    with serving(tmp_path, *arguments) as server, client_of(server) as client:
        write_set(path, "second", api_key="another-key-2")  # at once: nothing is to be missed
        other = {"Authorization": "Bearer another-key-2"}
        until(lambda: client.get("/customers", headers=other).status_code == 200)
        assert names(client) == ["second"]

        path.write_text('{"organization": {"name": "Watched"}, "customers": []}')
        until(lambda: names(client) == [])
        assert client.get("/customers", headers=other).status_code == 200


def test_a_changed_set_that_the_disk_refuses_is_told_and_the_next_one_is_taken(
    tmp_path: Path,
) -> None:
    path, log = tmp_path / "set.json", tmp_path / "state.json.journal.0"
    write_set(path, "first")
    arguments = ("--watch", "--fixtures", str(path))
    with serving(tmp_path, *arguments) as server, client_of(server) as client:
        assert names(client) == ["first"]

        limit_files(server, log.stat().st_size)
        write_set(path, "first", "second")
        until(lambda: f"{log}: File too large; the former one is kept" in server.stderr)
        assert names(client) == ["first"]

        limit_files(server, resource.RLIM_INFINITY)
        write_set(path, "third")
        until(lambda: names(client) == ["third"])


def limit_files(server: ServerProcess, size: int) -> None:
    """Let the kernel refuse what would make any file of the server larger."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.slow
def test_a_changed_document_is_taken_and_rows_stay(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    shutil.copytree(data_folder() / "openapi", folder)
    document = folder / "openapi.yaml"
    arguments = ("--watch", "--openapi", str(folder), "--fixtures", "empty", "--db", ":memory:")
    with serving(tmp_path, *arguments) as server, client_of(server) as client:
        client.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()
        title = httpx.get(f"{server.url}/__admin/openapi.json").json()["info"]["title"]

        document.write_text(document.read_text("utf-8").replace(title, "Another title"), "utf-8")

        url = f"{server.url}/__admin/openapi.json"
        until(lambda: httpx.get(url).json()["info"]["title"] == "Another title")
        assert names(client) == ["a"]
