"""How many requests an organization may send: the quotas of the hosted service.

The server that one runs oneself has none; the numbers are those of the hosted service's
documentation (api-reference/rate-limits): a window of one second, shared by all keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from lago_mock.wire import JSONObject

Headers = list[tuple[bytes, bytes]]

HOSTED: Final[Mapping[str, int]] = MappingProxyType(
    {"createEvent": 500, "createBatchEvents": 500, "findCustomerCurrentUsage": 200}
)
"""Operations with a quota of their own."""

HOSTED_DEFAULT: Final = 50
"""Quota that all other requests share."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_SHARED: Final = ""


class RateLimits:
    """The quotas of one organization, and what is used of them in the present window.

    The setting has `default`, `operations` (id -> requests, laid over the hosted service's) and
    `window_seconds`; what it leaves out is as the hosted service has it. Windows follow each
    other on the clock that is given, beginning at whole multiples of their length.
    """

    def __init__(self, setting: JSONObject) -> None:
        self._default: int = setting.get("default", HOSTED_DEFAULT)
        self._quotas: Mapping[str, int] = {**HOSTED, **setting.get("operations", {})}
        self._length = timedelta(seconds=setting.get("window_seconds", 1))
        self._window = -1
        self._used: dict[str, int] = {}

    def take(self, operation: str | None, now: datetime) -> tuple[Headers, bool]:
        """Count one request; return its answer's headers, and whether it is allowed.

        Requests without a quota of their own, also those without an operation, share the default.
        The reset is said in whole seconds, rounded up.
        """
        window, elapsed = divmod(now - _EPOCH, self._length)
        if window != self._window:
            self._window, self._used = window, {}
        name = operation if operation and operation in self._quotas else _SHARED
        quota = self._quotas.get(name, self._default)
        used = self._used[name] = self._used.get(name, 0) + 1
        reset = -((elapsed - self._length) // _SECOND)
        return _headers(quota, max(0, quota - used), reset), used <= quota

    def clear(self) -> None:
        """Begin anew, as if nothing had been sent."""
        self._used.clear()


def _headers(limit: int, remaining: int, reset: int) -> Headers:
    return [
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]
