"""Stores in a file of their own, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_mock.store.store import Store
from tests.unit.store.stores import KEYS, Survival, closed, fixture_set, killed, reset, tax


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder / "lago-mock.json"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(KEYS, path)
    yield store
    store.close()


@pytest.fixture(params=[closed, killed], ids=["closed", "killed"])
def survive(request: pytest.FixtureRequest) -> Survival:
    """Return the way to a file that is to be opened again: after a close, or after a kill."""
    way: Survival = request.param
    return way


@pytest.fixture
def two(store: Store) -> Store:
    """A store whose organizations `first` and `second` have the taxes a and b."""
    reset(store, fixture_set(tax("a"), taxes=1), "first")
    reset(store, fixture_set(tax("b"), name="other"), "second")
    return store
