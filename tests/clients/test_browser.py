"""The pages of the mock in a real browser, headless."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.conftest import API_KEY

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --virtual-time-budget=2000"
)


def shown(url: str, profile: Path) -> str:
    """Return the page as the browser has built it."""
    if BROWSER is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a Chromium")
        pytest.skip("there is no Chromium here")
    command = [BROWSER, *QUIET.split(), f"--user-data-dir={profile}", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.slow
def test_the_portal_shows_the_customer(client: httpx.Client, tmp_path: Path) -> None:
    customer = {"external_id": "acct-1", "name": "Marlow <& Sons>", "city": "Exeter"}
    client.post("/customers", json={"customer": customer}).raise_for_status()
    url = client.get("/customers/acct-1/portal_url").json()["customer"]["portal_url"]

    page = shown(url, tmp_path)

    assert "<h1>Marlow &lt;&amp; Sons&gt;</h1>" in page
    assert "<td>Exeter</td>" in page


@pytest.mark.slow
def test_the_first_page_leads_to_the_others(
    server: str, admin: httpx.Client, tmp_path: Path
) -> None:
    page = shown(f"{server}/", tmp_path)

    assert f"curl {server}/api/v1/customers" in page
    assert 'href="/__admin/requests"' in page
    assert API_KEY not in page
