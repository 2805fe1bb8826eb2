from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.process import COMMAND, START_SECONDS, arguments_of, environment, run

KEY = "0f7a1c52-5d2e-4c7e-9d5b-3a8e6b1f4c90"
BROKEN = {"customer": {"external_id": "a", "currency": "XYZ"}}


def test_every_line_of_a_json_log_is_an_object_and_none_has_a_key(tmp_path: Path) -> None:
    """From the first line of the start to a request, a fault and a refusal."""
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [*COMMAND, *arguments_of(tmp_path), "--log-format", "json", "--api-key", KEY],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
        )
        try:
            start = until_ready(process)
            url = start[1]["message"].split()[2].rstrip(",")
            fault = be_asked(url)
        finally:
            process.terminate()
            process.communicate(timeout=START_SECONDS)

    assert [each["level"] for each in start] == ["info"] * 6
    text = (tmp_path / "stderr").read_text("utf-8")
    assert KEY not in text
    found, refused, failed = map(json.loads, text.splitlines())
    assert found["organization"]
    assert found["request_id"] == "from-a-test"
    assert refused["reasons"] == ["/customer/currency enum"]
    assert failed["fault"] == fault
    assert [(each["status"], each["operation"]) for each in (found, refused, failed)] == [
        (200, "findOrganization"),
        (422, "createCustomer"),
        (502, "findAllTaxes"),
    ]


def test_why_a_start_is_refused_is_an_object_too(tmp_path: Path) -> None:
    ended = run(tmp_path, "serve", "--port", "0", "--log-format", "json", "--fixtures", "nothing")

    assert (ended.returncode, ended.stdout) == (2, "")
    refused = json.loads(ended.stderr)
    assert refused["level"] == "error"
    assert refused["message"].startswith("nothing: there is no such fixture set. ")


def until_ready(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    assert process.stdout is not None
    lines: list[dict[str, Any]] = []
    while not lines or lines[-1]["message"] != "Ready.":
        lines.append(json.loads(process.stdout.readline()))
    return lines


def be_asked(url: str) -> str:
    """Make three requests; return the id of the fault that the last one met."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers) as client:
        client.get("/organizations", headers={"X-Request-Id": "from-a-test"})
        client.post("/customers", json=BROKEN, params={"api_key": KEY})
        fault = httpx.post(f"{url}/__admin/faults", json={"operation": "*", "error": "bad_gateway"})
        client.get("/taxes")
    return str(fault.json()["id"])
