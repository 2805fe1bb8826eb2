from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lago_mock
from lago_mock.app import load_contract
from lago_mock.grants import (
    INTEGRATIONS,
    RESOURCES,
    is_key,
    why_no_integration,
    why_no_resource,
)
from lago_mock.resources import load_resources


@pytest.mark.parametrize(
    ("value", "can_be"),
    [
        ("k", True),
        ("!~", True),
        ("k" * 255, True),
        ("", False),
        ("k" * 256, False),
        ("a b", False),
        ("a\n", False),
        ("\x7f", False),
        ("é", False),
        (4711, False),
        (None, False),
    ],
)
def test_a_key_is_visible_ascii(value: object, can_be: bool) -> None:
    assert is_key(value) == can_be


def premiums(node: Any) -> Iterator[str]:
    """Yield the integrations that fields of a document need."""
    if isinstance(node, dict):
        if isinstance(node.get("x-lago-premium"), str):
            yield node["x-lago-premium"]
        for value in node.values():
            yield from premiums(value)
    elif isinstance(node, list):
        for value in node:
            yield from premiums(value)


def test_integrations_are_those_that_code_and_document_ask_for() -> None:
    files = Path(lago_mock.__file__).parent.rglob("*.py")
    asked = {
        name
        for file in files
        for name in re.findall(r'licensed\(\s*"(\w+)"', file.read_text("utf-8"))
    }
    needed = set(premiums(load_contract(load_resources()).document.tree))

    assert asked
    assert needed
    assert sorted(asked | needed) == list(INTEGRATIONS)


def test_resources_are_those_that_operations_name_and_more() -> None:
    operations = load_contract(load_resources()).operations.values()
    scopes = {scope.partition(":")[0] for each in operations for scope in each.scopes}

    assert scopes
    assert scopes <= set(RESOURCES)
    assert list(RESOURCES) == sorted(RESOURCES)


@pytest.mark.parametrize(
    ("why", "name", "said"),
    [
        (why_no_integration, "revenue_share", None),
        (
            why_no_integration,
            "projected_usge",
            "no premium integration projected_usge; did you mean projected_usage?",
        ),
        (
            why_no_integration,
            7,
            f"no premium integration 7; there are {', '.join(INTEGRATIONS)}",
        ),
        (why_no_resource, "customer", None),
        (why_no_resource, "custmer", "no resource custmer; did you mean customer?"),
        (why_no_resource, None, f"no resource None; there are {', '.join(RESOURCES)}"),
    ],
)
def test_a_name_that_there_is_not_is_told_with_the_one_that_was_meant(
    why: Callable[[object], str | None], name: object, said: str | None
) -> None:
    assert why(name) == said
