from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lago_mock.app import load_contract
from lago_mock.clock import Clock, ScriptedClock, SystemClock
from lago_mock.data import data_folder
from lago_mock.fixtures import FixtureCompiler, FixtureSet
from lago_mock.journal import Entry
from lago_mock.resources import load_resources
from lago_mock.rules import Rules
from lago_mock.sandbox import FALLBACK_KEY, Access, Sandbox, Tenants
from lago_mock.signing import Signing
from lago_mock.store.store import Store

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEYS = {each.plural: each.key for each in load_resources().values()}
FAULT = {"operation": "*", "status": 500, "times": None}

SetOf = Callable[..., FixtureSet]


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


def begun(
    store: Store,
    fixtures: FixtureSet,
    name: str | None = None,
    api_key: str | None = None,
    *,
    anew: bool = False,
    clock: Clock | None = None,
) -> Tenants:
    tenants = Tenants(store, clock or SystemClock(), fixtures, Rules(), 10)
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


def default_entity(store: Store, owner: str) -> dict[str, Any]:
    (row,) = store.view(owner).oldest_first("billing_entities")
    return row


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


def access_of(tenants: Tenants, api_key: str) -> Access:
    access = tenants.access(api_key)
    assert access is not None
    return access


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
    assert store.state(row["lago_id"]) == default.rows.state
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
    store: Store, set_of: SetOf, given: str | None, in_set: str | None, used: str
) -> None:
    fixtures = set_of() if in_set is None else set_of(api_key=in_set)

    tenants = begun(store, fixtures, api_key=given)

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
    entity = default_entity(store, row["lago_id"])
    assert (entity["name"], entity["code"]) == ("Évora Rowing & Co", "evora_rowing_co")
    assert (entity["lago_id"], entity["city"]) == ("default", "Lisbon")


def test_a_store_that_has_organizations_goes_before_the_set(
    store: Store, default: FixtureSet, empty: FixtureSet
) -> None:
    begun(store, default)
    before = store.organizations(), store.state(default.organization["lago_id"])

    tenants = begun(store, empty, name="Ignored")

    after = store.organizations(), store.state(default.organization["lago_id"])
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
    entity = {**default_entity(store, first["lago_id"]), "name": "Second", "code": "second"}
    assert default_entity(store, "second") == entity
    rest = store.state("second").without("billing_entities")
    assert rest == default.rows.state.without("billing_entities")


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


# Keys


READER = {"value": "reader", "name": "Reader", "permissions": {"customer": ["read"], "tax": []}}


@pytest.fixture
def keyed(store: Store, set_of: SetOf) -> Tenants:
    """Tenants of a set with the keys `first`, `reader` and `all`."""
    return begun(store, set_of(api_key="first", api_keys=[READER, {"value": "all"}]))


def test_a_new_organization_has_the_further_keys_of_the_set(store: Store, keyed: Tenants) -> None:
    (row,) = store.organizations()
    assert [{**key, "lago_id": ""} for key in row["api_keys"]] == [
        {"lago_id": "", "value": "first"},
        {"lago_id": "", **READER},
        {"lago_id": "", "value": "all"},
    ]
    assert len({key["lago_id"] for key in row["api_keys"]}) == 3
    assert keyed.first_key() == "first"
    assert len({sandbox_of(keyed, key).facts.organization_id for key in keys(row)}) == 1


def test_a_set_with_further_keys_alone_has_no_other_key(store: Store, set_of: SetOf) -> None:
    tenants = begun(store, set_of(api_keys=[{"value": "only"}]))

    assert keys(store.organizations()[0]) == ["only"]
    assert (tenants.first_key(), tenants.access(FALLBACK_KEY)) == ("only", None)


def test_further_keys_are_there_again_with_what_they_may_do(store: Store, keyed: Tenants) -> None:
    again = begun(store, keyed.fixtures)

    assert access_of(again, "reader").permissions == READER["permissions"]
    assert access_of(again, "all").permissions is None


@pytest.mark.parametrize(
    ("seconds", "opens"),
    [
        pytest.param(-1, False, id="a second ago"),
        pytest.param(0, False, id="now"),
        pytest.param(1, True, id="in a second"),
    ],
)
def test_a_key_opens_nothing_from_its_expiry_on(
    store: Store, set_of: SetOf, seconds: int, opens: bool
) -> None:
    expiry = (NOW + timedelta(seconds=seconds)).isoformat()
    fixtures = set_of(api_key="first", api_keys=[{"value": "guest", "expires_at": expiry}])

    tenants = begun(store, fixtures, clock=ScriptedClock(NOW, "seed"))

    assert (tenants.access("guest") is not None) == opens
    assert tenants.of("first") is not None


@pytest.mark.parametrize(
    ("expires_at", "instant"),
    [
        pytest.param("2030-01-05T09:00:00Z", "2030-01-05T09:00:00+00:00", id="UTC"),
        pytest.param("2030-01-05T09:00:00+02:00", "2030-01-05T07:00:00+00:00", id="offset"),
        pytest.param("2030-01-05t09:00:00z", "2030-01-05T09:00:00+00:00", id="small letters"),
        pytest.param("2030-01-05T09:00:00.5Z", "2030-01-05T09:00:00.500+00:00", id="fraction"),
        pytest.param(None, None, id="never"),
    ],
)
def test_an_expiry_is_any_point_in_time(
    store: Store, set_of: SetOf, expires_at: str | None, instant: str | None
) -> None:
    tenants = begun(store, set_of(api_keys=[{"value": "guest", "expires_at": expires_at}]))

    wanted = datetime.fromisoformat(instant) if instant else None
    assert access_of(tenants, "guest").expires_at == wanted


@pytest.mark.parametrize(
    ("key", "scopes", "code"),
    [
        pytest.param("first", ["customer:write"], None, id="a key without permissions"),
        pytest.param("all", ["customer:write"], None, id="a further key without permissions"),
        pytest.param("reader", [], None, id="nothing asked"),
        pytest.param("reader", ["customer:read"], None, id="a right it has"),
        pytest.param(
            "reader", ["customer:write"], "write_action_not_allowed_for_customer", id="other mode"
        ),
        pytest.param("reader", ["tax:read"], "read_action_not_allowed_for_tax", id="no mode"),
        pytest.param(
            "reader", ["plan:write"], "write_action_not_allowed_for_plan", id="other resource"
        ),
        pytest.param(
            "reader",
            ["customer:read", "plan:read", "tax:read"],
            "read_action_not_allowed_for_plan",
            id="the first that is missing",
        ),
    ],
)
def test_a_key_may_do_what_its_permissions_say(
    keyed: Tenants, key: str, scopes: list[str], code: str | None
) -> None:
    assert access_of(keyed, key).forbidden(scopes) == code


@pytest.mark.parametrize(
    ("integrations", "license", "counts"),
    [
        pytest.param(None, "premium", True, id="all integrations"),
        pytest.param(["api_permissions"], "premium", True, id="that integration"),
        pytest.param(["revenue_share"], "premium", False, id="another integration"),
        pytest.param([], "premium", False, id="no integration"),
        pytest.param(["api_permissions"], "free", False, id="no license"),
    ],
)
def test_permissions_count_with_their_premium_integration_alone(
    store: Store, set_of: SetOf, integrations: list[str] | None, license: str, counts: bool
) -> None:
    fixtures = set_of(api_keys=[READER], premium_integrations=integrations)
    tenants = begun(store, fixtures)
    tenants.rules.license = license

    forbidden = access_of(tenants, "reader").forbidden(["customer:write"])

    assert (forbidden is not None) == counts


# The license


@pytest.mark.parametrize(
    ("integrations", "feature", "license", "licensed"),
    [
        pytest.param(None, "revenue_share", "premium", True, id="all integrations"),
        pytest.param(["revenue_share"], "revenue_share", "premium", True, id="a listed one"),
        pytest.param(["revenue_share"], "auto_dunning", "premium", False, id="one not listed"),
        pytest.param([], "revenue_share", "premium", False, id="none listed"),
        pytest.param([], True, "premium", True, id="premium itself"),
        pytest.param(None, True, "free", False, id="free"),
        pytest.param(None, "revenue_share", "free", False, id="free with all integrations"),
        pytest.param(["revenue_share"], "revenue_share", "free", False, id="free with that one"),
    ],
)
def test_the_license_covers_what_the_set_and_the_rules_say(
    store: Store,
    set_of: SetOf,
    integrations: list[str] | None,
    feature: str | bool,
    license: str,
    licensed: bool,
) -> None:
    tenants = begun(store, set_of(premium_integrations=integrations))
    sandbox = sandbox_of(tenants, FALLBACK_KEY)

    tenants.rules.license = license

    assert (sandbox.licensed(feature), sandbox.facts.licensed(feature)) == (licensed, licensed)
    assert sandbox.facts.rules is tenants.rules


def test_a_reset_to_another_set_brings_its_premium_integrations(
    store: Store, set_of: SetOf
) -> None:
    tenants = begun(store, set_of(premium_integrations=["revenue_share"]))

    tenants.fixtures = set_of(premium_integrations=["auto_dunning"])
    tenants.reset()

    sandbox = sandbox_of(tenants, FALLBACK_KEY)
    assert store.organizations()[0]["premium_integrations"] == ["auto_dunning"]
    assert sandbox.licensed("auto_dunning")
    assert not sandbox.licensed("revenue_share")


# Secrets and the portal


def test_the_key_pair_is_kept_in_the_store(store: Store, default: FixtureSet) -> None:
    public_key = begun(store, default).signing.public_key()

    assert begun(store, default).signing.public_key() == public_key
    assert store.secrets().keys() == {"private_key", "portal_secret"}


def test_a_store_that_nothing_was_signed_in_has_no_secrets(
    store: Store, default: FixtureSet
) -> None:
    begun(store, default).reset()

    assert store.secrets() == {}


@pytest.fixture(scope="module")
def secrets() -> dict[str, Any]:
    """Give secrets that spare each test a new key pair."""
    kept: list[dict[str, Any]] = []
    Signing(dict, kept.append).public_key()
    return kept[0]


@pytest.fixture
def portal(
    store: Store, default: FixtureSet, empty: FixtureSet, secrets: dict[str, Any]
) -> Tenants:
    """Tenants of two organizations; the second has the customer `c-2`, the first five others."""
    store.keep_secrets(secrets)
    begun(store, default)
    found_second(store, empty)
    view = store.view("second")
    view.put("customers", {"lago_id": "c-2", "external_id": "acct-2"})
    store.commit(view)
    return begun(store, default)


def test_a_portal_token_opens_the_customer_of_whichever_organization(
    store: Store, portal: Tenants, default: FixtureSet
) -> None:
    ines = store.view(default.organization["lago_id"]).find("customers", "acct-ines")
    assert ines is not None
    tokens = [
        portal.signing.portal_token(each, datetime.now(UTC)) for each in (ines["lago_id"], "c-2")
    ]

    assert portal.portal_customer(tokens[0]) == ines
    assert portal.portal_customer(tokens[1]) == {"lago_id": "c-2", "external_id": "acct-2"}


def test_a_portal_token_of_a_customer_that_is_gone_opens_nothing(
    store: Store, portal: Tenants
) -> None:
    token = portal.signing.portal_token("c-2", datetime.now(UTC))
    view = store.view("second")
    view.discard("customers", {"lago_id": "c-2", "external_id": "acct-2"}, "now")
    store.commit(view)

    assert portal.portal_customer(token) is None


def test_a_portal_token_that_is_false_or_too_old_opens_nothing(portal: Tenants) -> None:
    now = datetime.now(UTC)
    old = portal.signing.portal_token("c-2", now - timedelta(hours=13))
    stranger = Signing(dict, lambda _kept: None).portal_token("c-2", now)

    assert [portal.portal_customer(each) for each in (old, stranger, "", "c-2")] == [None] * 4
