"""The examples as their readers run them: in folders of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process import COMMAND, environment

EXAMPLES = Path(__file__).parent
NPM_SECONDS = 120

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

UNITTEST = """
import unittest
from lago_mock import LagoMock
from shop import Refused, sign_up

class SignUpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lago = cls.enterClassContext(LagoMock(fixtures="empty"))

    def setUp(self):
        self.lago.reset()
        self.addCleanup(self.lago.verify)

    def sign_up(self, email):
        return sign_up("acct-1", email, url=self.lago.url, api_key=self.lago.api_key)

    def test_a_customer_is_signed_up(self):
        self.sign_up("ada@tallow.example")
        self.assertEqual(self.lago.customer("acct-1")["email"], "ada@tallow.example")

    def test_what_lago_refuses_is_told(self):
        self.lago.fail("createCustomer", "validation_errors", details={"email": ["no"]})
        with self.assertRaises(Refused):
            self.sign_up("ada@tallow.example")
        self.assertEqual(self.lago.customers(), [])
"""


def ended(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=NPM_SECONDS,
        check=False,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "python", tmp_path / "python"))


def test_the_python_suite_passes_by_itself(shop: Path) -> None:
    result = ended(shop, *PYTEST)

    assert result.returncode == 0, result.stdout
    assert "8 passed" in result.stdout


@pytest.mark.slow
def test_the_python_suite_passes_beside_a_server_and_on_workers(shop: Path) -> None:
    result = ended(shop, *COMMAND, "run", "--", *PYTEST, "-n", "2")

    assert result.returncode == 0, result.stdout
    assert " requests, 8 refused (401: 1, 422: 2, 429: 5)" in result.stderr


def test_a_suite_of_unittest_passes(shop: Path) -> None:
    (shop / "test_unittest.py").write_text(UNITTEST, "utf-8")

    result = ended(shop, sys.executable, "-W", "error", "-m", "unittest", "test_unittest")

    assert result.returncode == 0, result.stderr
    assert "Ran 2 tests" in result.stderr


def test_the_javascript_suite_passes(
    tool: Callable[[str], str], lacking: Callable[[str], None], tmp_path: Path
) -> None:
    tool("node")
    folder = Path(shutil.copytree(EXAMPLES / "javascript", tmp_path / "javascript"))
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    installed = ended(folder, tool("npm"), "ci", *options)
    if installed.returncode:
        lacking(f"npm could not install the client: {installed.stderr}")

    result = ended(folder, *COMMAND, "run", "--", "npm", "test")

    assert result.returncode == 0, result.stdout
    assert result.stderr.splitlines()[-1] == (
        "lago-mock: 9 requests, 3 refused (401: 1, 422: 1, 429: 1), 2 without an answer, "
        "3 met a fault, 1 came without a key that it knows"
    )
