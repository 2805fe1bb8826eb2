from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from lago_mock.clock import (
    Clock,
    ScriptedClock,
    ServerClock,
    SystemClock,
    precise,
    shown,
    timestamp,
)

START = datetime(2026, 11, 22, 23, 59, 59, 5, UTC)


CLOCKS: dict[str, Callable[[], Clock]] = {
    "system": SystemClock,
    "scripted": lambda: ScriptedClock(START, "seed"),
    "server": ServerClock,
    "server with a seed": lambda: ServerClock("seed"),
    "organization": lambda: ServerClock("seed").branch("org-1"),
}


@pytest.fixture(params=list(CLOCKS))
def clock(request: pytest.FixtureRequest) -> Clock:
    return CLOCKS[request.param]()


def test_time_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_ids_are_lower_case_uuids_of_version_4_and_all_differ(clock: Clock) -> None:
    ids = [clock.new_id() for _ in range(50)]
    assert len(set(ids)) == 50
    for each in ids:
        parsed = uuid.UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, uuid.RFC_4122)


def test_chosen_text_has_its_length_and_its_letters(clock: Clock) -> None:
    chosen = clock.choose("abc", 200)
    assert (len(chosen), set(chosen)) == (200, set("abc"))
    assert clock.choose("abc", 0) == ""


def test_system_clock_tells_the_time_of_the_machine() -> None:
    before = datetime.now(UTC)
    assert before <= SystemClock().now() <= datetime.now(UTC)


def test_scripted_clock_moves_a_second_at_each_look() -> None:
    clock = ScriptedClock(START, "seed")
    assert [clock.now() for _ in range(3)] == [START + timedelta(seconds=n) for n in range(3)]


def test_scripted_clock_repeats_itself_by_its_seed() -> None:
    def script(seed: str) -> list[str]:
        clock = ScriptedClock(START, seed)
        return [clock.new_id(), clock.choose("abcdef", 12), clock.new_id()]

    assert script("a") == script("a")
    assert not set(script("a")) & set(script("b"))


def test_scripted_clock_makes_the_same_ids_on_every_machine() -> None:
    assert ScriptedClock(START, "seed").new_id() == "f13d1ab8-3c98-49fe-8f13-9fa223636efe"


# The server's clock: time

HOUR = timedelta(hours=1)


def runs_with(clock: ServerClock, ahead: timedelta) -> bool:
    """Tell whether a clock runs, so far ahead of the machine's."""
    before = datetime.now(UTC)
    now = clock.now()
    return not clock.frozen and before <= now - ahead <= datetime.now(UTC)


def test_server_clock_tells_the_time_of_the_machine_until_it_is_told_otherwise() -> None:
    assert runs_with(ServerClock(), timedelta())


def test_frozen_clock_stands_at_its_instant() -> None:
    clock = ServerClock()
    clock.freeze(START)
    assert (clock.frozen, clock.now(), clock.now()) == (True, START, START)


def test_frozen_clock_tells_utc() -> None:
    clock = ServerClock()
    clock.freeze(START.astimezone(timezone(timedelta(hours=5))))
    assert (clock.now(), clock.now().utcoffset()) == (START, timedelta(0))


@pytest.mark.parametrize(
    ("seconds", "moved"),
    [(90, timedelta(seconds=90)), (-90, timedelta(seconds=-90)), (0.25, timedelta(seconds=0.25))],
)
def test_frozen_clock_goes_on_standing_when_it_is_moved(seconds: float, moved: timedelta) -> None:
    clock = ServerClock()
    clock.freeze(START)
    clock.advance(seconds)
    clock.advance(seconds)
    assert (clock.frozen, clock.now()) == (True, START + 2 * moved)


def test_running_clock_goes_on_running_when_it_is_moved() -> None:
    clock = ServerClock()
    clock.advance(3600)
    assert runs_with(clock, HOUR)
    clock.advance(-7200)
    assert runs_with(clock, -HOUR)


@pytest.mark.parametrize("restarts", [False, True], ids=["resume", "restart"])
def test_clock_goes_back_to_real_time(restarts: bool) -> None:
    clock = ServerClock()
    clock.freeze(START)
    clock.advance(60)
    clock.restart() if restarts else clock.resume()
    assert runs_with(clock, timedelta())


YEARS = "the clock goes from the year 1970 to the year 2999"


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), id="before"),
        pytest.param(datetime(3000, 1, 1, tzinfo=UTC), id="after"),
        pytest.param(datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-9))), id="far after"),
    ],
)
def test_clock_cannot_be_frozen_in_a_year_out_of_range(instant: datetime) -> None:
    clock = ServerClock()
    with pytest.raises(ValueError, match=YEARS):
        clock.freeze(instant)
    assert not clock.frozen


@pytest.mark.parametrize(
    "instant", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)]
)
def test_clock_can_be_frozen_at_the_ends_of_its_range(instant: datetime) -> None:
    clock = ServerClock()
    clock.freeze(instant)
    assert clock.now() == instant


@pytest.mark.parametrize("seconds", [10**11, -(10**11), 10**12, 1e300, -1e300])
def test_clock_cannot_be_moved_to_a_year_out_of_range(seconds: float) -> None:
    clock = ServerClock()
    with pytest.raises(ValueError, match=YEARS):
        clock.advance(seconds)
    assert runs_with(clock, timedelta())


def test_organizations_clock_goes_as_the_servers() -> None:
    server = ServerClock()
    organization = server.branch("org-1")
    server.freeze(START)
    assert (organization.frozen, organization.now()) == (True, START)
    server.resume()
    server.advance(3600)
    assert runs_with(organization, HOUR)


def test_organizations_clock_that_was_set_goes_its_own_way() -> None:
    server = ServerClock()
    organization, other = server.branch("org-1"), server.branch("org-2")
    organization.freeze(START)
    server.freeze(START + HOUR)
    assert [each.now() for each in (organization, other)] == [START, START + HOUR]
    organization.resume()
    assert organization.now() == START + HOUR


@pytest.mark.parametrize("freezes", [True, False], ids=["frozen", "running"])
def test_organizations_clock_is_moved_from_where_the_servers_is(freezes: bool) -> None:
    server = ServerClock()
    if freezes:
        server.freeze(START)
    server.advance(3600)
    organization = server.branch("org-1")
    organization.advance(3600)
    if freezes:
        assert organization.now() == START + 2 * HOUR
    else:
        assert runs_with(organization, 2 * HOUR)
    server.resume()
    assert organization.frozen is freezes


# The server's clock: chance


def script(clock: Clock) -> list[str]:
    return [clock.new_id(), clock.choose("abcdefgh", 20), clock.new_id()]


def test_server_clock_with_a_seed_repeats_itself_after_each_restart() -> None:
    clock = ServerClock("seed")
    first = script(clock)
    assert not set(script(clock)) & set(first)
    clock.restart()
    assert script(clock) == first
    assert script(ServerClock("seed")) == first
    assert not set(script(ServerClock("other"))) & set(first)


def test_server_clock_without_a_seed_never_repeats_itself() -> None:
    clock = ServerClock()
    first = script(clock)
    clock.restart()
    assert not set(script(clock)) & set(first)
    assert not set(script(ServerClock())) & set(first)


def test_organizations_do_not_disturb_each_others_ids() -> None:
    alone = script(ServerClock("seed").branch("org-1"))
    server = ServerClock("seed")
    one, two = server.branch("org-1"), server.branch("org-2")
    first = one.new_id()
    script(server)
    second = one.choose("abcdefgh", 20)
    script(two)
    assert [first, second, one.new_id()] == alone
    assert not set(script(ServerClock("seed").branch("org-2"))) & set(alone)


def test_restart_of_an_organization_repeats_its_ids_alone() -> None:
    server = ServerClock("seed")
    one, two = server.branch("org-1"), server.branch("org-2")
    first, other = script(one), script(two)
    one.restart()
    assert script(one) == first
    assert not set(script(two)) & set(other)


def test_organizations_without_a_seed_have_ids_by_chance() -> None:
    server = ServerClock()
    assert not set(script(server.branch("org-1"))) & set(script(server.branch("org-1")))


def test_a_stopped_clock_still_makes_new_ids() -> None:
    clock = ServerClock("seed")
    clock.freeze(START)
    assert clock.new_id() != clock.new_id()


# Written times


@pytest.mark.parametrize(
    ("instant", "kept", "answered"),
    [
        pytest.param(START, "2026-11-22T23:59:59.000005Z", "2026-11-22T23:59:59Z", id="fraction"),
        pytest.param(
            datetime(2026, 1, 2, tzinfo=UTC),
            "2026-01-02T00:00:00.000000Z",
            "2026-01-02T00:00:00Z",
            id="midnight",
        ),
        pytest.param(
            datetime(2026, 1, 2, 3, 4, 5, 999999, UTC),
            "2026-01-02T03:04:05.999999Z",
            "2026-01-02T03:04:05Z",
            id="cut, not rounded",
        ),
    ],
)
def test_time_is_kept_to_the_microsecond_and_answered_in_whole_seconds(
    instant: datetime, kept: str, answered: str
) -> None:
    assert precise(instant) == kept
    assert timestamp(instant) == answered
    assert shown(kept) == answered
