"""Now and new ids: the only source of time and chance, so that both can be repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom
from typing import Protocol

_FIXED_BITS = 0xF000_C000_0000_0000_0000
_VERSION_4 = 0x4000_8000_0000_0000_0000
"""Where a UUID tells its version and variant, and what it says there."""


class Clock(Protocol):
    """Tells the time and makes ids."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def new_id(self) -> str:
        """Return a lower-case UUID of version 4."""

    def choose(self, letters: str, length: int) -> str:
        """Return a text of so many letters, each picked by chance."""


def _uuid_from(random: Random) -> str:
    bits = random.getrandbits(128) & ~_FIXED_BITS | _VERSION_4
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _choose(random: Random, letters: str, length: int) -> str:
    return "".join(random.choice(letters) for _ in range(length))


class SystemClock:
    """The machine's own time, and ids by chance."""

    def __init__(self) -> None:
        # Seeded by the system once: asking it for each id costs a system call.
        self._random = Random(SystemRandom().getrandbits(256))

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)

    def new_id(self) -> str:
        """Return a random id."""
        return _uuid_from(self._random)

    def choose(self, letters: str, length: int) -> str:
        """Return random letters."""
        return _choose(self._random, letters, length)


class ScriptedClock:
    """Time that starts at a given instant and moves one second at each look, ids from a seed.

    What is made by it is the same at each run: fixture sets are compiled with one.
    """

    def __init__(self, start: datetime, seed: str) -> None:
        self._next = start
        self._random = Random(seed)

    def now(self) -> datetime:
        """Return an instant one second after the last one."""
        instant = self._next
        self._next += timedelta(seconds=1)
        return instant

    def new_id(self) -> str:
        """Return the next id of the seed."""
        return _uuid_from(self._random)

    def choose(self, letters: str, length: int) -> str:
        """Return the next letters of the seed."""
        return _choose(self._random, letters, length)


def timestamp(instant: datetime) -> str:
    """Return `2026-11-22T02:57:09Z`: UTC, whole seconds, as all answers show a time."""
    return f"{instant.isoformat()[:19]}Z"


def precise(instant: datetime) -> str:
    """Return `2026-11-22T02:57:09.123456Z`: UTC, to the microsecond, as rows keep a time."""
    return f"{instant.isoformat(timespec='microseconds')[:26]}Z"


def shown(kept: str) -> str:
    """Return a kept time as answers show it, its fraction cut."""
    return f"{kept[:19]}Z"
