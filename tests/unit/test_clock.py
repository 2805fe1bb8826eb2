from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from lago_mock.clock import Clock, ScriptedClock, SystemClock, precise, shown, timestamp

START = datetime(2026, 11, 22, 23, 59, 59, 5, UTC)


@pytest.fixture(params=["system", "scripted"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return SystemClock() if request.param == "system" else ScriptedClock(START, "seed")


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
