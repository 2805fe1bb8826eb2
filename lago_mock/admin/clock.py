"""The time by which answers, expiries and tokens go: stopped, moved, real again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import AdminCall, AdminHandler
from lago_mock.clock import instant_of
from lago_mock.errors import ValidationFailed
from lago_mock.wire import JSONObject

_WAYS: Final = ("now", "advance_seconds")


def get_clock(call: AdminCall) -> JSONObject:
    """Answer `getClock`: that of the organization, or of the whole server."""
    clock = call.scope.clock
    return {
        "now": clock.now().isoformat().replace("+00:00", "Z"),
        "frozen": clock.frozen,
        "offset_seconds": round(clock.offset.total_seconds(), 3),
    }


def set_clock(call: AdminCall) -> JSONObject:
    """Answer `setClock`: `now` freezes, `advance_seconds` moves what stands and what runs.

    Raises:
        ValidationFailed: 422, not exactly one of the two, or a time that no clock shows.
    """
    given = [name for name in _WAYS if name in call.body]
    if len(given) != 1:
        raise ValidationFailed.of("now", "give either now or advance_seconds")
    (way,) = given
    clock, value = call.scope.clock, call.body[way]
    try:
        if way == "now":
            clock.freeze(instant_of(value))
        else:
            clock.advance(value)
    except ValueError as error:
        raise ValidationFailed.of(way, str(error)) from error
    return get_clock(call)


def reset_clock(call: AdminCall) -> JSONObject:
    """Answer `resetClock`: real time; for an organization that of the server."""
    call.scope.clock.resume()
    return get_clock(call)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "getClock": get_clock,
        "setClock": set_clock,
        "resetClock": reset_clock,
    }
)
