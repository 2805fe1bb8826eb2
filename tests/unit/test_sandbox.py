from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lago_mock.app import load_contract
from lago_mock.clock import SystemClock
from lago_mock.data import data_folder
from lago_mock.fixtures import FixtureCompiler, FixtureSet
from lago_mock.journal import Entry
from lago_mock.resources import load_resources
from lago_mock.sandbox import FALLBACK_KEY, Sandbox, Tenants
from lago_mock.store.store import Store

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEYS = {each.plural: each.key for each in load_resources().values()}
FAULT = {"operation": "*", "status": 500, "times": None}


@pytest.fixture(scope="module")
def compiler() -> FixtureCompiler:
    resources = load_resources()
    return FixtureCompiler(data_folder() / "fixtures", load_contract(resources), resources, NOW)


@pytest.fixture(scope="module")
def default(compiler: FixtureCompiler) -> FixtureSet:
    return compiler.compile("default")


@pytest.fixture(scope="module")
def empty(compiler: FixtureCompiler) -> FixtureSet:
    return compiler.compile("empty")


@pytest.fixture
def store() -> Store:
    return Store(KEYS)


def tenants_of(store: Store, fixtures: FixtureSet) -> Tenants:
    return Tenants(store, SystemClock(), fixtures, 10)


def begun(
    store: Store,
    fixtures: FixtureSet,
    name: str | None = None,
    api_key: str | None = None,
    *,
    anew: bool = False,
) -> Tenants:
    tenants = tenants_of(store, fixtures)
    tenants.begin(name, api_key, anew=anew)
    return tenants


def found_second(store: Store, fixtures: FixtureSet) -> None:
    """Give the store one more organization, as a server with another set would make it."""
    other = Store(KEYS)
    begun(other, fixtures, "Second", "second-key")
    (row,) = other.organizations()
    view = store.view("second")
    view.put("organizations", {**row, "lago_id": "second"})
    store.reset(view, fixtures.rows)


def keys(row: dict[str, Any]) -> list[str]:
    return [key["value"] for key in row["api_keys"]]


def customers(store: Store, owner: str) -> list[str]:
    return [row["external_id"] for row in store.view(owner).oldest_first("customers")]


def make_busy(place: Sandbox | Tenants) -> None:
    place.faults.add("f", FAULT)
    place.journal.add(Entry("1", NOW, "GET", "/", "", []))


def is_busy(place: Sandbox | Tenants) -> bool:
    faults, entries = list(place.faults), list(place.journal)
    assert len(faults) == len(entries)
    return bool(faults)


def sandbox_of(tenants: Tenants, api_key: str) -> Sandbox:
    sandbox = tenants.of(api_key)
    assert sandbox is not None
    return sandbox


def test_a_new_store_gets_the_organization_and_the_rows_of_the_set(
    store: Store, default: FixtureSet
) -> None:
    tenants = begun(store, default)

    (row,) = store.organizations()
    assert {**row, "api_keys": [], "founding": None} == {**default.organization, "founding": None}
    assert row["founding"] == {
        "name": "Pebblewick Software",
        "slug": "pebblewick-software",
        "billing_entity_code": "pebblewick_software",
    }
    assert store.contents(row["lago_id"]) == (default.rows.rows, default.rows.sequences)
    assert [each.facts.organization_id for each in tenants] == [row["lago_id"]]


@pytest.mark.parametrize(
    ("given", "in_set", "used"),
    [
        pytest.param("given", "of-the-set", "given", id="given"),
        pytest.param(None, "of-the-set", "of-the-set", id="of the set"),
        pytest.param(None, None, FALLBACK_KEY, id="neither"),
        pytest.param("", "", FALLBACK_KEY, id="both empty"),
    ],
)
def test_a_new_organization_has_one_key(
    store: Store,
    compiler: FixtureCompiler,
    tmp_path: Path,
    given: str | None,
    in_set: str | None,
    used: str,
) -> None:
    key = "" if in_set is None else f', "api_key": "{in_set}"'
    path = tmp_path / "keys.json"
    path.write_text(f'{{"organization": {{"name": "Keys"{key}}}}}', encoding="utf-8")

    tenants = begun(store, compiler.compile(str(path)), api_key=given)

    (row,) = store.organizations()
    assert (keys(row), tenants.first_key()) == ([used], used)
    assert sandbox_of(tenants, used).facts.organization_id == row["lago_id"]


@pytest.mark.parametrize("api_key", [None, "", "unknown", "lago-mock-ke", "LAGO-MOCK-KEY"])
def test_no_other_key_leads_anywhere(
    store: Store, default: FixtureSet, api_key: str | None
) -> None:
    assert begun(store, default).of(api_key) is None


def test_a_given_name_is_the_organizations_with_what_is_made_of_it(
    store: Store, default: FixtureSet
) -> None:
    begun(store, default, name="Évora Rowing & Co")

    (row,) = store.organizations()
    names = {
        "name": "Évora Rowing & Co",
        "slug": "evora-rowing-co",
        "billing_entity_code": "evora_rowing_co",
    }
    assert {key: row[key] for key in names} == row["founding"] == names
    assert row["document_number_prefix"] == "PBL"


def test_a_store_that_has_organizations_goes_before_the_set(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    before = store.organizations(), store.contents(default.organization["lago_id"])

    tenants = begun(store, empty, name="Ignored")

    after = store.organizations(), store.contents(default.organization["lago_id"])
    assert after == before
    assert tenants.first_key() == "lago-mock-key"


def test_a_key_that_the_first_organization_lacks_is_added_to_it(
    store: Store, default: FixtureSet
) -> None:
    begun(store, default)

    tenants = begun(store, default, api_key="added")

    (row,) = store.organizations()
    assert keys(row) == ["lago-mock-key", "added"]
    assert len({key["lago_id"] for key in row["api_keys"]}) == 2
    assert sandbox_of(tenants, "added") is sandbox_of(tenants, "lago-mock-key")
    assert tenants.first_key() == "lago-mock-key"


def test_a_key_that_the_first_organization_has_is_not_added_again(
    store: Store, default: FixtureSet
) -> None:
    begun(store, default, api_key="mine")

    begun(store, default, api_key="mine")

    assert keys(store.organizations()[0]) == ["mine"]


def test_each_organization_of_a_store_is_led_to_by_its_own_key(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    found_second(store, empty)

    tenants = begun(store, default, api_key="added")

    assert [each.facts.organization_id for each in tenants] == [
        default.organization["lago_id"],
        "second",
    ]
    assert sandbox_of(tenants, "second-key").facts.organization_id == "second"
    assert keys(store.organizations()[1]) == ["second-key"]


def test_to_begin_anew_goes_back_to_the_set_and_keeps_name_and_keys(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default, name="Kept", api_key="first")
    begun(store, default, api_key="second")
    (before,) = store.organizations()

    tenants = begun(store, empty, name="Ignored", api_key="third", anew=True)

    (row,) = store.organizations()
    assert customers(store, row["lago_id"]) == []
    assert keys(row) == ["first", "second", "third"]
    kept = ("lago_id", "hmac_key", "founding", "name", "slug", "billing_entity_code")
    assert {key: row[key] for key in kept} == {key: before[key] for key in kept}
    assert row["document_number_prefix"] == "BLANK"
    assert sandbox_of(tenants, "third") is sandbox_of(tenants, "first")


def test_to_begin_anew_on_a_new_store_is_to_begin(store: Store, default: FixtureSet) -> None:
    begun(store, default, anew=True)

    assert store.organizations()[0]["name"] == "Pebblewick Software"


def test_a_sandbox_has_its_organizations_facts(store: Store, default: FixtureSet) -> None:
    tenants = begun(store, default)

    facts = sandbox_of(tenants, "lago-mock-key").facts

    assert facts.organization_id == default.organization["lago_id"]
    assert facts.clock is tenants.clock
    assert facts.licensed("any feature") is True


def test_all_journals_number_their_entries_together(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    found_second(store, empty)
    tenants = begun(store, default)

    journals = [tenants.journal, *(each.journal for each in tenants)]

    assert [next(each.numbers) for each in journals] == [1, 2, 3]
    assert [each.size for each in journals] == [10, 10, 10]


def test_a_reset_puts_all_back_and_each_keeps_its_name_and_keys(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    found_second(store, empty)
    tenants = begun(store, default)
    before = store.organizations()
    for row in before:
        view = store.view(row["lago_id"])
        view.put("organizations", {**row, "name": "Renamed", "city": "Faro"})
        for customer in view.oldest_first("customers"):
            view.discard("customers", customer, "now")
        store.commit(view)

    tenants.reset()

    first, second = store.organizations()
    assert first == before[0]
    assert (second["name"], second["city"], keys(second)) == ("Second", "Lisbon", ["second-key"])
    assert len(customers(store, first["lago_id"])) == len(customers(store, "second")) == 5
    assert store.contents("second") == (default.rows.rows, default.rows.sequences)


def test_a_reset_of_one_leaves_the_other_and_the_server_alone(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    found_second(store, empty)
    tenants = begun(store, default)
    first, second = tenants
    for place in (tenants, first, second):
        make_busy(place)

    tenants.reset(second)

    assert [is_busy(place) for place in (tenants, first, second)] == [True, True, False]
    assert len(customers(store, "second")) == 5


def test_a_reset_of_all_empties_every_journal_and_disarms_every_fault(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    found_second(store, empty)
    tenants = begun(store, default)
    places = (tenants, *tenants)
    for place in places:
        make_busy(place)

    tenants.reset()

    assert [is_busy(place) for place in places] == [False, False, False]


def test_a_reset_goes_back_to_the_set_that_holds_now(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    tenants = begun(store, default)
    owner = store.organizations()[0]["lago_id"]

    tenants.fixtures = empty
    tenants.reset()
    assert customers(store, owner) == []

    tenants.fixtures = default
    tenants.reset()
    assert len(customers(store, owner)) == 5
    assert store.organizations()[0]["lago_id"] == owner


async def woken(tenants: Tenants, act: Any) -> list[bool]:
    """Let a call wait at the server and at each sandbox; tell which ones the act has woken."""
    places = [tenants, *tenants]
    waits = [asyncio.ensure_future(place.ended.wait()) for place in places]
    await asyncio.sleep(0)
    act()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    done = [wait.done() for wait in waits]
    for wait in waits:
        wait.cancel()
    assert [place.ended.is_set() for place in places] == [False] * len(places)
    return done


@pytest.mark.parametrize(
    ("act", "woken_places"),
    [
        pytest.param(lambda tenants, _: tenants.release, [True, True, True], id="release all"),
        pytest.param(lambda _, first: first.release, [False, True, False], id="release one"),
        pytest.param(lambda tenants, _: tenants.reset, [True, True, True], id="reset all"),
        pytest.param(
            lambda tenants, first: lambda: tenants.reset(first),
            [False, True, False],
            id="reset one",
        ),
    ],
)
def test_calls_that_wait_are_woken_and_later_ones_wait_again(
    store: Store, default: FixtureSet, empty: FixtureSet, act: Any, woken_places: list[bool]
) -> None:
    begun(store, default)
    found_second(store, empty)
    tenants = begun(store, default)

    assert asyncio.run(woken(tenants, act(tenants, next(iter(tenants))))) == woken_places
