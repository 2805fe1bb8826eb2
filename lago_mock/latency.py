"""How long answers take: the setting that slows all requests, or those of some operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from lago_mock.wire import JSONObject


@dataclass(frozen=True)
class Wait:
    """A time in seconds: always the same, or somewhere between two, each as likely."""

    least: float = 0.0
    most: float = 0.0

    @classmethod
    def of(cls, milliseconds: float | Mapping[str, float]) -> Wait:
        """Return what is described by a number of milliseconds, or by `{min, max}`."""
        if isinstance(milliseconds, Mapping):
            return cls(milliseconds["min"] / 1000, milliseconds["max"] / 1000)
        return cls(milliseconds / 1000, milliseconds / 1000)

    @property
    def is_backwards(self) -> bool:
        """Whether the least is more than the most, which is no time at all."""
        return self.least > self.most

    def seconds(self, random: Random) -> float:
        """Return the time for one request; only one that varies asks for chance."""
        return self.least if self.least == self.most else random.uniform(self.least, self.most)


class Latency:
    """The setting: `default` and `operations` by id, each as `Wait.of` reads it, and a `seed`.

    `is_on` is False when no request would wait. The times of one seed repeat in their order.
    """

    def __init__(self, setting: JSONObject) -> None:
        self._default = Wait.of(setting.get("default", 0))
        self._waits = {
            operation: Wait.of(each) for operation, each in setting.get("operations", {}).items()
        }
        self._random = Random(setting.get("seed"))
        self.is_on = any(wait.most for wait in (self._default, *self._waits.values()))

    def seconds(self, operation: str | None) -> float:
        """Return how long a request waits, None being one without an operation; 0 when off."""
        if not self.is_on:
            return 0.0
        return self._waits.get(operation or "", self._default).seconds(self._random)
