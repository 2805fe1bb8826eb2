"""Now and new ids: the time and the chance that rows and tokens are made by, to be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom
from typing import Final, Protocol

_FREE_BITS = ~0xF000_C000_0000_0000_0000
_VERSION_4 = 0x4000_8000_0000_0000_0000
"""All but where a UUID tells its version and variant, and what it says there."""


class Clock(Protocol):
    """Tells the time and makes ids."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def new_id(self) -> str:
        """Return a lower-case UUID of version 4."""

    def choose(self, letters: str, length: int) -> str:
        """Return a text of so many letters, each picked by chance."""


def _uuid_from(random: Random) -> str:
    bits = random.getrandbits(128) & _FREE_BITS | _VERSION_4
    text = bits.to_bytes(16, "big").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _random_from(seed: str | None) -> Random:
    # Seeded by the system once: asking it for each id costs a system call.
    return Random(SystemRandom().getrandbits(256) if seed is None else seed)


def _choose(random: Random, letters: str, length: int) -> str:
    return "".join(random.choice(letters) for _ in range(length))


class SystemClock:
    """The machine's own time, and ids by chance."""

    def __init__(self) -> None:
        self._random = _random_from(None)

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)

    def new_id(self) -> str:
        """Return a random id."""
        return _uuid_from(self._random)

    def choose(self, letters: str, length: int) -> str:
        """Return random letters."""
        return _choose(self._random, letters, length)


_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC)
_OUT_OF_RANGE: Final = "the clock goes from the year 1970 to the year 2999"


@dataclass(frozen=True)
class _Pace:
    """How time goes: it stands at an instant, or runs beside the machine's."""

    ahead: timedelta = timedelta()
    stands_at: datetime | None = None


_REAL: Final = _Pace()


class ServerClock:
    """Time that can be stopped and moved, and chance that a seed repeats.

    It is the machine's until it is told otherwise. Each organization has a clock of its own, made
    by `branch`: it goes as the server's until it is set itself, and its ids come from a stream of
    its own, so that organizations that are used at the same time get the ids that each would get
    alone. Times are between the years 1970 and 2999.
    """

    def __init__(self, seed: str | None = None) -> None:
        self._seed = seed
        self._server = self
        self._pace: _Pace | None = None
        self._place = 0
        self._random = _random_from(seed)
        self.on_move: Callable[[], None] = lambda: None
        """Called on the server's clock when it, or a branch of it, was set."""

    def go_on(self, place: int) -> None:
        """Take ids from another place of the seed, until the next `restart`; 0 is the first one.

        Rows that were kept have the ids of the first place: a server that goes on with them must
        not give these once more.
        """
        self._place = place
        if place and self._seed is not None:
            self._random = _random_from(f"{self._seed} from {place}")

    def branch(self, organization_id: str) -> ServerClock:
        """Return the clock of an organization; its seed is made of this one's and of the id."""
        clock = ServerClock(None if self._seed is None else f"{self._seed} {organization_id}")
        clock.go_on(self._place)
        clock._server = self._server
        return clock

    @property
    def seed(self) -> str | None:
        """What ids and letters are made from; None for the machine's own chance."""
        return self._seed

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._present_pace().stands_at is not None

    @property
    def offset(self) -> timedelta:
        """How far it is ahead of the machine's; negative when it is behind."""
        pace = self._present_pace()
        return pace.stands_at - datetime.now(UTC) if pace.stands_at else pace.ahead

    def now(self) -> datetime:
        """Return the present instant by this clock."""
        pace = self._present_pace()
        return pace.stands_at or datetime.now(UTC) + pace.ahead

    def _present_pace(self) -> _Pace:
        return self._pace or self._server._pace or _REAL

    def freeze(self, instant: datetime) -> None:
        """Stop at an instant, which is aware.

        Raises:
            ValueError: the year is out of range.
        """
        self._go(_Pace(stands_at=_checked(instant)))

    def _go(self, pace: _Pace | None) -> None:
        self._pace = pace
        self._server.on_move()

    def advance(self, seconds: float) -> None:
        """Move on, or back when negative: what stands goes on standing, what runs goes on running.

        Raises:
            ValueError: that would lead to a year out of range; nothing is moved.
        """
        pace = self._present_pace()
        try:
            step = timedelta(seconds=seconds)
            instant = _checked(self.now() + step)
        except OverflowError:
            raise ValueError(_OUT_OF_RANGE) from None
        if pace.stands_at:
            self._go(_Pace(stands_at=instant))
        else:
            self._go(_Pace(pace.ahead + step))

    def resume(self) -> None:
        """Go by the machine's time again; an organization's goes as the server's again."""
        self._go(None)

    def restart(self) -> None:
        """Go by real time, and begin the stream of ids anew, which a seed makes the same again."""
        self.resume()
        self._place = 0
        self._random = _random_from(self._seed)

    def new_id(self) -> str:
        """Return the next id of the stream."""
        return _uuid_from(self._random)

    def choose(self, letters: str, length: int) -> str:
        """Return the next letters of the stream."""
        return _choose(self._random, letters, length)


def _checked(instant: datetime) -> datetime:
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError(_OUT_OF_RANGE)
    return instant.astimezone(UTC)


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


def instant_of(text: str) -> datetime:
    """Return the instant that a text of the format `date-time` names.

    Raises:
        ValueError: it is a leap second, which this calendar has not.
    """
    return datetime.fromisoformat(text.upper())


def timestamp(instant: datetime) -> str:
    """Return `2026-11-22T02:57:09Z`: UTC, whole seconds, as all answers show a time."""
    return f"{instant.isoformat()[:19]}Z"


def precise(instant: datetime) -> str:
    """Return `2026-11-22T02:57:09.123456Z`: UTC, to the microsecond, as rows keep a time."""
    return f"{instant.isoformat(timespec='microseconds')[:26]}Z"


def shown(kept: str) -> str:
    """Return a kept time as answers show it, its fraction cut."""
    return f"{kept[:19]}Z"
