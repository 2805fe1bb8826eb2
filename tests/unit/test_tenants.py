from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lago_mock.app import load_contract
from lago_mock.clock import ServerClock
from lago_mock.data import data_folder
from lago_mock.fixtures import FixtureCompiler, FixtureSet
from lago_mock.journal import Entry
from lago_mock.resource import keys_of
from lago_mock.resources import load_resources
from lago_mock.rules import Rules
from lago_mock.sandbox import Sandbox, Scope
from lago_mock.saved_state import SavedOrganization
from lago_mock.signing import Signing
from lago_mock.store.store import Store, StoreUnwritable
from lago_mock.tenants import FALLBACK_KEY, Tenants
from tests.unit.store.stores import disk_full_at, everything, journal_of

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEYS = keys_of(load_resources())
FAULT = {"operation": "*", "status": 500, "times": None}

SetOf = Callable[..., FixtureSet]
Begun = Callable[..., Tenants]


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


@pytest.fixture
def set_of(compiler: FixtureCompiler, tmp_path: Path) -> SetOf:
    """Make a set of an organization with these settings, named Keys unless they say another."""

    def make(**organization: Any) -> FixtureSet:
        path = tmp_path / "keys.json"
        content = {"organization": {"name": "Keys", **organization}}
        path.write_text(json.dumps(content), encoding="utf-8")
        return compiler.compile(str(path))

    return make


@pytest.fixture
def begun(store: Store, compiler: FixtureCompiler) -> Begun:
    """Make tenants of the store; each time as a server would that starts with it."""

    def begin(
        fixtures: FixtureSet,
        name: str | None = None,
        api_key: str | None = None,
        *,
        anew: bool = False,
        **more: Any,
    ) -> Tenants:
        tenants = Tenants(store, ServerClock(), compiler, fixtures, Rules(), 10, **more)
        tenants.begin(name, api_key, anew=anew)
        return tenants

    return begin


@pytest.fixture
def two(begun: Begun, default: FixtureSet) -> Tenants:
    """Tenants of the set `default`, with a second organization that has the key `second-key`."""
    tenants = begun(default)
    tenants.add({"name": "Second"}, tenants.new_key("second-key"))
    return tenants


def keys(row: dict[str, Any]) -> list[str]:
    return [key["value"] for key in row["api_keys"]]


def ids(tenants: Tenants) -> list[str]:
    return [each.facts.organization_id for each in tenants]


def default_entity(store: Store, owner: str) -> dict[str, Any]:
    (row,) = store.view(owner).oldest_first("billing_entities")
    return row


def customers(store: Store, owner: str) -> list[str]:
    return [row["external_id"] for row in store.view(owner).oldest_first("customers")]


def make_busy(scope: Scope) -> None:
    scope.faults.add("f", FAULT)
    scope.journal.add(Entry("1", NOW, "GET", "/", "", []))


def is_busy(scope: Scope) -> bool:
    faults, entries = list(scope.faults), list(scope.journal)
    assert len(faults) == len(entries)
    return bool(faults)


def sandbox_of(tenants: Tenants, api_key: str) -> Sandbox:
    sandbox = tenants.of(api_key)
    assert sandbox is not None
    return sandbox


# The first organization


def test_a_new_store_gets_the_organization_and_the_rows_of_the_set(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    tenants = begun(default)

    (row,) = store.organizations()
    own = {**row, "api_keys": []}
    founding = own.pop("founding")
    assert own == default.organization
    assert founding == {
        "name": "Pebblewick Software",
        "slug": "pebblewick-software",
        "billing_entity_code": "pebblewick_software",
        "hmac_key": row["hmac_key"],
        "api_keys": row["api_keys"],
    }
    assert store.state(row["lago_id"]).lines()["sequences"] == {"customers": 5}
    assert ids(tenants) == [row["lago_id"]]
    assert len(customers(store, row["lago_id"])) == 5


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
    store: Store, begun: Begun, set_of: SetOf, given: str | None, in_set: str | None, used: str
) -> None:
    fixtures = set_of() if in_set is None else set_of(api_key=in_set)

    tenants = begun(fixtures, api_key=given)

    (row,) = store.organizations()
    assert (keys(row), tenants.first_key()) == ([used], used)
    assert sandbox_of(tenants, used).facts.organization_id == row["lago_id"]


def test_a_new_organization_has_the_further_keys_of_the_set(
    store: Store, begun: Begun, set_of: SetOf
) -> None:
    reader = {"value": "reader", "name": "Reader", "permissions": {"customer": ["read"]}}
    fixtures = set_of(api_key="first", api_keys=[reader, {"value": "all"}])

    tenants = begun(fixtures)

    (row,) = store.organizations()
    assert [{**key, "lago_id": ""} for key in row["api_keys"]] == [
        {"lago_id": "", "value": "first"},
        {"lago_id": "", **reader},
        {"lago_id": "", "value": "all"},
    ]
    assert len({key["lago_id"] for key in row["api_keys"]}) == 3
    assert tenants.first_key() == "first"
    again = begun(fixtures)
    accesses = [again.access(key) for key in ("first", "reader", "all")]
    assert [access and access.permissions for access in accesses] == [
        None,
        reader["permissions"],
        None,
    ]


def test_a_set_with_further_keys_alone_has_no_other_key(
    store: Store, begun: Begun, set_of: SetOf
) -> None:
    tenants = begun(set_of(api_keys=[{"value": "only"}]))

    assert keys(store.organizations()[0]) == ["only"]
    assert (tenants.first_key(), tenants.access(FALLBACK_KEY)) == ("only", None)


def test_a_given_name_is_the_organizations_with_what_is_made_of_it(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    begun(default, name="Évora Rowing & Co")

    (row,) = store.organizations()
    names = {
        "name": "Évora Rowing & Co",
        "slug": "evora-rowing-co",
        "billing_entity_code": "evora_rowing_co",
    }
    assert {key: row[key] for key in names} == names
    assert names.items() <= row["founding"].items()
    assert row["document_number_prefix"] == "PBL"
    entity = default_entity(store, row["lago_id"])
    assert (entity["name"], entity["code"]) == ("Évora Rowing & Co", "evora_rowing_co")
    assert (entity["lago_id"], entity["city"]) == ("default", "Lisbon")


# A store that has organizations


def test_a_store_that_has_organizations_goes_before_the_set(
    store: Store, begun: Begun, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(default)
    before = store.organizations()

    tenants = begun(empty, name="Ignored")

    assert store.organizations() == before
    assert len(customers(store, before[0]["lago_id"])) == 5
    assert tenants.first_key() == "lago-mock-key"


def test_a_key_that_the_first_organization_lacks_is_added_to_it(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    begun(default)

    tenants = begun(default, api_key="added")

    (row,) = store.organizations()
    assert keys(row) == keys(row["founding"]) == ["lago-mock-key", "added"]
    assert len({key["lago_id"] for key in row["api_keys"]}) == 2
    assert sandbox_of(tenants, "added") is sandbox_of(tenants, "lago-mock-key")
    assert tenants.first_key() == "lago-mock-key"


def test_a_key_that_the_first_organization_has_is_not_added_again(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    begun(default, api_key="mine")
    version = store.version(default.organization["lago_id"])

    begun(default, api_key="mine")

    assert keys(store.organizations()[0]) == ["mine"]
    assert store.version(default.organization["lago_id"]) == version


def test_a_key_that_was_taken_from_it_is_there_again_as_it_was(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    before = begun(default, api_key="mine").new_key("other")
    (row,) = store.organizations()
    begun(default).change(row["lago_id"], {"api_keys": [before]})

    begun(default, api_key="mine")

    (after,) = store.organizations()
    assert after["api_keys"] == [before, *row["api_keys"]]
    assert after["founding"] == row["founding"]


def test_each_organization_of_a_store_is_led_to_by_its_own_key(
    store: Store, begun: Begun, two: Tenants, default: FixtureSet
) -> None:
    again = begun(default, api_key="added")

    assert ids(again) == ids(two)
    assert sandbox_of(again, "second-key").facts.organization_id == ids(two)[1]
    assert keys(store.organizations()[1]) == ["second-key"]


def test_to_begin_anew_goes_back_to_the_set_and_keeps_name_and_keys(
    store: Store, begun: Begun, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(default, name="Kept", api_key="first")
    begun(default, api_key="second")
    (before,) = store.organizations()

    tenants = begun(empty, name="Ignored", api_key="third", anew=True)

    (row,) = store.organizations()
    assert customers(store, row["lago_id"]) == []
    assert keys(row) == keys(row["founding"]) == ["first", "second", "third"]
    kept = ("lago_id", "hmac_key", "name", "slug", "billing_entity_code")
    assert {key: row[key] for key in kept} == {key: before[key] for key in kept}
    assert row["document_number_prefix"] == "BLANK"
    assert sandbox_of(tenants, "third") is sandbox_of(tenants, "first")


def test_to_begin_anew_removes_those_that_were_added(
    store: Store, begun: Begun, two: Tenants, default: FixtureSet
) -> None:
    first, _ = ids(two)

    assert ids(begun(default, anew=True)) == [first]
    assert [row["lago_id"] for row in store.organizations()] == [first]


def test_to_begin_anew_on_a_new_store_is_to_begin(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    begun(default, anew=True)

    assert store.organizations()[0]["name"] == "Pebblewick Software"


# Keys


@pytest.mark.parametrize("api_key", [None, "", "unknown", "lago-mock-ke", "LAGO-MOCK-KEY"])
def test_no_other_key_leads_anywhere(
    begun: Begun, default: FixtureSet, api_key: str | None
) -> None:
    assert begun(default).of(api_key) is None


@pytest.mark.parametrize(
    ("seconds", "opens"),
    [
        pytest.param(-1, False, id="a second ago"),
        pytest.param(0, False, id="now"),
        pytest.param(1, True, id="in a second"),
    ],
)
def test_a_key_opens_nothing_from_its_expiry_on(
    begun: Begun, set_of: SetOf, seconds: int, opens: bool
) -> None:
    expiry = (NOW + timedelta(seconds=seconds)).isoformat()
    tenants = begun(set_of(api_key="first", api_keys=[{"value": "guest", "expires_at": expiry}]))

    tenants.clock.freeze(NOW)

    assert (tenants.access("guest") is not None) == opens
    assert tenants.of("first") is not None


def test_a_key_that_a_snapshot_gives_back_opens_the_organization_made_first(
    store: Store, two: Tenants
) -> None:
    first, second = ids(two)
    row = two.row(second)
    two.change(second, {"api_keys": [*row["api_keys"], two.new_key("both")]})
    two.snapshot(two.by_id(second), "before")
    two.change(second, {"api_keys": row["api_keys"]})
    two.change(first, {"api_keys": [*two.row(first)["api_keys"], two.new_key("both")]})

    two.restore(two.by_id(second), "before")

    assert keys(two.row(second)) == ["second-key", "both"]
    assert sandbox_of(two, "both").facts.organization_id == first


def test_an_unknown_key_that_the_disk_refuses_makes_nothing(
    store: Store, begun: Begun, default: FixtureSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_commit: object) -> None:
        raise StoreUnwritable("state.json.journal: No space left on device")

    tenants = begun(default, any_key=True)
    monkeypatch.setattr(store, "_append", refuse)

    with pytest.raises(StoreUnwritable):
        tenants.access("new-key")
    assert len(ids(tenants)) == len(store.organizations()) == 1


# Resets


def test_a_reset_puts_the_first_back_and_removes_the_others(
    store: Store, two: Tenants, default: FixtureSet
) -> None:
    first, _ = ids(two)
    before = two.row(first)
    view = store.view(first)
    view.put("organizations", {**before, "name": "Renamed", "city": "Faro"})
    for customer in view.oldest_first("customers"):
        view.discard("customers", customer, "now")
    store.commit(view)

    two.reset()

    assert store.organizations() == [before]
    assert (ids(two), two.of("second-key")) == ([first], None)
    assert len(customers(store, first)) == 5
    assert store.state(first).sequences == default.rows.state.sequences


def test_a_reset_of_one_puts_it_back_as_it_was_made(store: Store, two: Tenants) -> None:
    _, second = ids(two)
    before = two.row(second)
    changes = {"name": "Renamed", "city": "Faro", "hmac_key": "new", "license": "free"}
    two.change(second, {**changes, "api_keys": [two.new_key("other")]})

    two.reset(two.by_id(second))

    assert two.row(second) == before
    assert (before["name"], before["city"]) == ("Second", "Lisbon")
    entity = default_entity(store, second)
    assert (entity["name"], entity["code"], entity["city"]) == ("Second", "second", "Lisbon")
    assert (two.of("other"), sandbox_of(two, "second-key").rules.license) == (None, "premium")


def test_a_reset_of_one_leaves_the_other_and_the_server_alone(two: Tenants) -> None:
    scopes = (two.server, *two)
    for scope in scopes:
        make_busy(scope)

    two.reset(sandbox_of(two, "second-key"))

    assert [is_busy(scope) for scope in scopes] == [True, True, False]


def test_a_reset_of_all_empties_every_journal_and_disarms_every_fault(two: Tenants) -> None:
    scopes = (two.server, sandbox_of(two, "lago-mock-key"))
    for scope in scopes:
        make_busy(scope)

    two.reset()

    assert [is_busy(scope) for scope in scopes] == [False, False]


def test_a_reset_can_name_another_set_for_all(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    tenants = begun(default)
    (owner,) = ids(tenants)

    tenants.reset(fixtures="empty")
    assert (tenants.fixtures.name, customers(store, owner)) == ("empty", [])

    tenants.reset()
    assert customers(store, owner) == []

    tenants.reset(fixtures="default")
    assert len(customers(store, owner)) == 5
    assert ids(tenants) == [owner]


def test_another_set_of_one_is_its_own_until_all_is_reset(store: Store, two: Tenants) -> None:
    first, second = ids(two)
    two.reset(two.by_id(first), "empty")
    two.reset(two.by_id(first))

    assert customers(store, first) == []
    assert len(customers(store, second)) == 5
    assert two.fixtures.name == "default"
    two.reset()
    assert len(customers(store, first)) == 5


def test_a_set_is_compiled_once_until_what_made_it_changes(two: Tenants) -> None:
    def rows() -> Any:
        added = two.add({"fixtures": "empty"}, two.new_key())
        two.remove(added)
        return two._compiled["empty"]

    first = rows()
    assert rows() is first
    two.forget_answers()
    assert rows() is not first


def test_to_take_a_set_is_to_reset_to_it(store: Store, two: Tenants, empty: FixtureSet) -> None:
    first, _ = ids(two)

    two.take(empty)

    assert (ids(two), two.fixtures, customers(store, first)) == ([first], empty, [])


def test_a_reset_to_another_set_brings_its_premium_integrations(
    store: Store, begun: Begun, set_of: SetOf
) -> None:
    tenants = begun(set_of(premium_integrations=["revenue_share"]))

    tenants.take(set_of(premium_integrations=["projected_usage"]))

    sandbox = sandbox_of(tenants, FALLBACK_KEY)
    assert store.organizations()[0]["premium_integrations"] == ["projected_usage"]
    assert sandbox.licensed("projected_usage")
    assert not sandbox.licensed("revenue_share")


def load_renamed(tenants: Tenants, store: Store) -> None:
    """Give all organizations but the last other names, and no rows but a billing entity."""
    tenants.load(
        None,
        [
            SavedOrganization(
                {**row, "legal_name": "Renamed"},
                {"billing_entities": [default_entity(store, row["lago_id"])]},
                {},
            )
            for row in store.organizations()[:-1]
        ],
    )


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda tenants, _: tenants.reset(None, "empty"), id="reset"),
        pytest.param(load_renamed, id="load"),
    ],
)
def test_what_the_disk_refuses_half_way_changes_no_organization(
    act: Callable[[Tenants, Store], None],
    compiler: FixtureCompiler,
    default: FixtureSet,
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.json"
    store = Store.open(KEYS, path)
    tenants = Tenants(store, ServerClock(), compiler, default, Rules(), 10)
    tenants.begin(None, None, anew=False)
    for name in ("Second", "Third", "Fourth"):
        tenants.add({"name": name}, tenants.new_key(f"{name}-key"))
    before, known = everything(store), ids(tenants)

    for room in count(0, 100):
        size = journal_of(path).stat().st_size
        with suppress(StoreUnwritable), disk_full_at(size + room):
            act(tenants, store)
            break
        assert (everything(store), ids(tenants), tenants.fixtures) == (before, known, default)

    assert everything(store) != before
    assert ids(tenants) == [row["lago_id"] for row in store.organizations()]
    store.close()


async def woken(scopes: list[Scope], act: Callable[[], None]) -> list[bool]:
    """Let a call wait at each scope; tell which ones the act has woken."""
    waits = [asyncio.ensure_future(scope.ended.wait()) for scope in scopes]
    await asyncio.sleep(0)
    act()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    done = [wait.done() for wait in waits]
    for wait in waits:
        wait.cancel()
    assert [scope.ended.is_set() for scope in scopes] == [False] * len(scopes)
    return done


@pytest.mark.parametrize(
    ("act", "woken_scopes"),
    [
        pytest.param(lambda two, _: two.release(), [True, True, True], id="release all"),
        pytest.param(lambda two, _: two.reset(), [True, True, True], id="reset all"),
        pytest.param(lambda two, one: two.reset(one), [False, False, True], id="reset one"),
        pytest.param(lambda two, one: two.remove(one), [False, False, True], id="remove one"),
        pytest.param(lambda two, one: two.restore(one, "s"), [False, False, True], id="restore"),
        pytest.param(lambda two, _: two.restore(None, "s"), [False, True, True], id="restore all"),
        pytest.param(lambda two, one: two.shift(one, {}), [False, False, False], id="settings"),
    ],
)
def test_calls_that_wait_are_woken_and_later_ones_wait_again(
    two: Tenants, act: Any, woken_scopes: list[bool]
) -> None:
    one = sandbox_of(two, "second-key")
    for each in (None, one):
        two.snapshot(each, "s")

    assert asyncio.run(woken([two.server, *two], lambda: act(two, one))) == woken_scopes


# Snapshots


def test_a_snapshot_of_all_brings_organizations_and_their_keys_back(two: Tenants) -> None:
    two.snapshot(None, "both")
    before = [two.row(each) for each in ids(two)]
    two.remove(sandbox_of(two, "second-key"))
    two.add({}, two.new_key("third-key"))

    two.restore(None, "both")

    assert [two.row(each) for each in ids(two)] == before
    assert (two.of("third-key"), two.snapshots(None)) == (None, ["both"])
    assert sandbox_of(two, "second-key").facts.organization_id == before[1]["lago_id"]
    two.forget(None, "both")
    assert two.snapshots(None) == []


# Slugs


def test_a_slug_is_taken_as_long_as_somebody_has_it_or_gets_it_back(
    store: Store, two: Tenants
) -> None:
    _, second = ids(two)
    assert [two.is_slug_taken(each) for each in ("second", "third")] == [True, False]
    assert not two.is_slug_taken("second", besides=second)

    view = store.view(second)
    view.put("organizations", {**two.row(second), "slug": "third"})
    store.commit(view)

    assert [two.is_slug_taken(each) for each in ("second", "third")] == [True, True]
    facts = sandbox_of(two, "lago-mock-key").facts
    assert [facts.is_slug_taken(each) for each in ("second", "pebblewick-software")] == [
        True,
        False,
    ]
    two.remove(sandbox_of(two, "second-key"))
    assert not two.is_slug_taken("third")


# Settings


def test_settings_of_the_server_hold_for_those_that_have_none_of_theirs(two: Tenants) -> None:
    first, second = two
    two.shift(second, {"validation": "off"})
    two.shift(two.server, {"validation": "strict", "license": "free"})

    rules = [(each.rules.validation, each.rules.license) for each in (two.server, first, second)]
    assert rules == [("strict", "free"), ("strict", "free"), ("off", "free")]
    added = two.add({"license": "premium"}, two.new_key())
    assert (added.rules.validation, added.rules.license) == ("strict", "premium")
    two.reset(second)
    assert second.rules.validation == "strict"
    two.reset()
    assert first.rules == Rules()


def test_all_journals_number_their_entries_together(two: Tenants) -> None:
    journals = [two.server.journal, *(each.journal for each in two)]

    assert [next(each.numbers) for each in journals] == [1, 2, 3]
    assert [each.size for each in journals] == [10, 10, 10]


# Secrets and the portal


def test_the_key_pair_is_kept_in_the_store(store: Store, begun: Begun, default: FixtureSet) -> None:
    public_key = begun(default).signing.public_key()

    assert begun(default).signing.public_key() == public_key
    assert store.secrets().keys() == {"private_key", "portal_secret"}


def test_a_store_that_nothing_was_signed_in_has_no_secrets(
    store: Store, begun: Begun, default: FixtureSet
) -> None:
    begun(default).reset()

    assert store.secrets() == {}


@pytest.fixture(scope="module")
def secrets() -> dict[str, Any]:
    """Give secrets that spare each test a new key pair."""
    kept: list[dict[str, Any]] = []
    Signing(dict, kept.append).public_key()
    return kept[0]


@pytest.fixture
def portal(store: Store, two: Tenants, secrets: dict[str, Any]) -> Tenants:
    """Tenants of two organizations; the second has the customer `c-2` besides those of the set."""
    store.keep_secrets(secrets)
    view = store.view(ids(two)[1])
    view.put("customers", {"lago_id": "c-2", "external_id": "acct-2"})
    store.commit(view)
    return two


def token_of(tenants: Tenants, customer_id: str, number: int, hours: int = 0) -> str:
    """Return a token for a customer of the organization of this number, made hours ago."""
    now = datetime.now(UTC) - timedelta(hours=hours)
    return tenants.signing.portal_token(customer_id, ids(tenants)[number], now)


def test_a_portal_token_opens_the_customer_of_its_organization(
    store: Store, portal: Tenants
) -> None:
    ines = store.view(ids(portal)[0]).find("customers", "acct-ines")
    assert ines is not None
    view = store.view(ids(portal)[1])
    view.put("customers", {**ines, "name": "Another"})  # made from the same set, it has the same id
    store.commit(view)

    first, second = (token_of(portal, ines["lago_id"], number) for number in (0, 1))

    assert portal.portal_customer(first) == ines
    assert portal.portal_customer(second) == {**ines, "name": "Another"}
    assert portal.portal_customer(token_of(portal, "c-2", 1)) is not None
    assert portal.portal_customer(token_of(portal, "c-2", 0)) is None


def test_a_portal_token_of_a_customer_that_is_gone_opens_nothing(
    store: Store, portal: Tenants
) -> None:
    token = token_of(portal, "c-2", 1)
    view = store.view(ids(portal)[1])
    view.discard("customers", {"lago_id": "c-2", "external_id": "acct-2"}, "now")
    store.commit(view)

    assert portal.portal_customer(token) is None


def test_a_portal_token_that_is_false_or_too_old_opens_nothing(portal: Tenants) -> None:
    old = token_of(portal, "c-2", 1, hours=13)
    stranger = Signing(dict, lambda _kept: None).portal_token(
        "c-2", ids(portal)[1], datetime.now(UTC)
    )

    assert [portal.portal_customer(each) for each in (old, stranger, "", "c-2")] == [None] * 4
