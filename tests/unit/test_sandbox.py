from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.answer import Answer
from lago_mock.answer_cache import AnswerCache
from lago_mock.clock import ServerClock
from lago_mock.journal import Entry, Journal
from lago_mock.sandbox import Access, Sandbox, Scope
from lago_mock.signing import Signing
from lago_mock.store.store import Store
from lago_mock.webhooks.courier import Courier
from lago_mock.webhooks.outbox import Outbox

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
VARYING = {"default": {"min": 1, "max": 1000}, "seed": 7}


@pytest.fixture
def scope() -> Scope:
    return Scope(ServerClock(), Journal(10))


@pytest.fixture
def sandbox() -> Sandbox:
    clock, signing = ServerClock(), Signing(dict, lambda _kept: None)
    return Sandbox(
        "org-1",
        clock,
        signing,
        Journal(10),
        AnswerCache(lambda: 1),
        lambda slug: slug == "taken",
        Outbox("org-1", clock, Store({}), signing, Courier()),
    )


def test_a_sandbox_has_its_organizations_facts(sandbox: Sandbox) -> None:
    facts = sandbox.facts

    assert (facts.organization_id, facts.clock) == ("org-1", sandbox.clock)
    assert facts.rules is sandbox.rules
    assert facts.licensed("any feature")
    assert [facts.is_slug_taken(slug) for slug in ("taken", "free")] == [True, False]


# What a reset takes back


def test_all_that_was_asked_of_a_scope_is_cleared(scope: Scope) -> None:
    scope.faults.add("f", {"operation": "*", "status": 500, "times": None})
    scope.journal.add(Entry("1", NOW, "GET", "/", "", []))
    scope.own = {"license": "free"}
    scope.clock.freeze(NOW)

    scope.clear()

    assert (list(scope.faults), list(scope.journal), scope.own) == ([], [], {})
    assert not scope.clock.frozen


@pytest.mark.parametrize("act", [Scope.release, Scope.clear], ids=["release", "clear"])
def test_calls_that_wait_are_woken_and_later_ones_wait_again(scope: Scope, act: Any) -> None:
    async def woken() -> bool:
        wait = asyncio.ensure_future(scope.ended.wait())
        await asyncio.sleep(0)
        act(scope)
        return await wait

    assert asyncio.run(woken())
    assert not scope.ended.is_set()


# Settings


def times_of(scope: Scope) -> list[float]:
    return [scope.latency.seconds("createTax") for _ in range(3)]


def test_a_latency_that_stays_the_same_goes_on(scope: Scope) -> None:
    scope.follow({"latency": VARYING})
    first = times_of(scope)

    scope.follow({"latency": dict(VARYING), "license": "free"})
    second = times_of(scope)
    scope.clear()
    scope.follow({"latency": VARYING})

    assert first != second
    assert times_of(scope) == first


def test_a_quota_that_stays_the_same_goes_on_counting(scope: Scope) -> None:
    def take() -> bool:
        assert scope.rate_limits is not None
        return scope.rate_limits.take("createTax", NOW)[1]

    scope.follow({"rate_limit": {"default": 1}})
    taken = [take(), take()]
    scope.follow({"rate_limit": {"default": 1}, "license": "free"})
    taken.append(take())
    scope.clear()
    taken.append(take())
    scope.follow({"rate_limit": {"default": 2}})
    taken += [take(), take()]

    assert taken == [True, False, False, True, True, True]
    scope.follow({"rate_limit": None})
    assert scope.rate_limits is None


def test_its_own_settings_go_before_those_it_was_made_with_and_these_before_the_servers(
    sandbox: Sandbox,
) -> None:
    server = {"license": "premium", "validation": "strict", "era": "2023"}
    sandbox.granted, sandbox.own = {"license": "free"}, {"validation": "off"}

    sandbox.follow(server)
    shown = [sandbox.rules.license, sandbox.rules.validation, sandbox.rules.era]
    sandbox.own = {"license": "premium"}
    sandbox.follow(server)

    assert shown == ["free", "off", "2023"]
    assert (sandbox.rules.license, sandbox.rules.validation) == ("premium", "strict")


def test_kept_answers_are_let_go_when_settings_change(sandbox: Sandbox) -> None:
    sandbox.answers.keep("key", Answer(200, b"{}", []))

    sandbox.follow({"era": "2023"})

    assert sandbox.answers.get("key") is None


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
def test_the_license_covers_what_integrations_and_rules_say(
    sandbox: Sandbox,
    integrations: list[str] | None,
    feature: str | bool,
    license: str,
    licensed: bool,
) -> None:
    sandbox.integrations = integrations

    sandbox.follow({"license": license})

    assert (sandbox.licensed(feature), sandbox.facts.licensed(feature)) == (licensed, licensed)


# Keys


READER = {"value": "reader", "permissions": {"customer": ["read"], "tax": []}}


@pytest.mark.parametrize(
    ("key", "scopes", "code"),
    [
        pytest.param({}, ["customer:write"], None, id="a key without permissions"),
        pytest.param({"permissions": None}, ["customer:write"], None, id="all rights"),
        pytest.param(READER, [], None, id="nothing asked"),
        pytest.param(READER, ["customer:read"], None, id="a right it has"),
        pytest.param(
            READER, ["customer:write"], "write_action_not_allowed_for_customer", id="other mode"
        ),
        pytest.param(READER, ["tax:read"], "read_action_not_allowed_for_tax", id="no mode"),
        pytest.param(
            READER, ["plan:write"], "write_action_not_allowed_for_plan", id="other resource"
        ),
        pytest.param(
            READER,
            ["customer:read", "plan:read", "tax:read"],
            "read_action_not_allowed_for_plan",
            id="the first that is missing",
        ),
    ],
)
def test_a_key_may_do_what_its_permissions_say(
    sandbox: Sandbox, key: dict[str, Any], scopes: list[str], code: str | None
) -> None:
    assert Access.of(sandbox, key).forbidden(scopes) == code


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
    sandbox: Sandbox, integrations: list[str] | None, license: str, counts: bool
) -> None:
    sandbox.integrations = integrations
    sandbox.follow({"license": license})

    forbidden = Access.of(sandbox, READER).forbidden(["customer:write"])

    assert (forbidden is not None) == counts


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
    sandbox: Sandbox, expires_at: str | None, instant: str | None
) -> None:
    wanted = datetime.fromisoformat(instant) if instant else None

    assert Access.of(sandbox, {"expires_at": expires_at}).expires_at == wanted
