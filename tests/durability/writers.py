"""Writers that know what they were answered, and hold a server to it after it was killed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from random import Random
from threading import Semaphore

from tests.durability.client import GONE, Client, Interrupted, JSONObject, path_of
from tests.process import ServerProcess

COLUMNS = ("legal_name", "legal_number", "city", "zipcode")
"""Columns that organization and default billing entity share; each writer has one to itself."""

CUSTOMERS = 10
LARGE = 20_000
ANSWER_SECONDS = 20


class Numbers:
    """Every sequence number that was ever shown, with the customer it belongs to for ever."""

    def __init__(self) -> None:
        self._owners: dict[int, str] = {}

    def note(self, customer: JSONObject) -> None:
        """Take a customer that was shown; its number must be nobody else's."""
        number, lago_id = customer["sequential_id"], customer["lago_id"]
        owner = self._owners.setdefault(number, lago_id)
        assert owner == lago_id, f"number {number} is of {owner} and of {lago_id}"
        assert customer["slug"] == f"BLANK-{number:03}"

    def highest(self) -> int:
        """Return the highest number shown."""
        return max(self._owners, default=0)


@dataclass(frozen=True)
class Write:
    """A call that was sent, and of which nothing is known until it is answered."""

    verb: str
    external_id: str
    sent: JSONObject

    def explains(self, before: JSONObject | None, after: JSONObject | None) -> bool:
        """Tell whether `after` is the whole outcome of this call on `before`."""
        if self.verb == "DELETE" or after is None:
            return self.verb == "DELETE" and after is None
        metadata = [{key: each[key] for key in ("key", "value")} for each in after["metadata"]]
        kept = before or {key: after[key] for key in after.keys() - self.sent.keys()}
        times = {"metadata": metadata, "updated_at": after["updated_at"]}
        return {**after, **times} == {**kept, **times, **self.sent}


class Writer:
    """Makes one call at a time on customers, and a column, that no other writer touches."""

    def __init__(self, name: str, column: str, random: Random, numbers: Numbers) -> None:
        self._column = column
        self._random = random
        self._numbers = numbers
        self._versions = count(1)
        self._answered: dict[str, JSONObject | None] = {
            f"{name}-{number}": None for number in range(CUSTOMERS)
        }
        self._value: str | None = None
        self._under_way: Write | None = None

    def write_until_gone(self, url: str, answered: Semaphore) -> None:
        """Write until the server is no more; whatever it answers before must be a 200."""
        with closing(Client(url)) as client, suppress(*GONE):
            try:
                while True:
                    self._write(client)
                    answered.release()
            except Interrupted:
                self._under_way = None

    def _write(self, client: Client) -> None:
        external_id = self._random.choice(list(self._answered))
        chance = self._random.random()
        if chance < 0.1:
            self._put(client)
        elif chance < 0.35 and self._answered[external_id]:
            self._delete(client, external_id)
        else:
            self._upsert(client, external_id)
        self._under_way = None

    def _put(self, client: Client) -> None:
        value = f"v{next(self._versions)}"
        self._under_way = Write("PUT", "", {self._column: value})
        client.ask("PUT", "/organizations", {"organization": {self._column: value}})
        self._value = value

    def _delete(self, client: Client, external_id: str) -> None:
        self._under_way = Write("DELETE", external_id, {})
        answer = client.ask("DELETE", path_of(external_id))["customer"]
        assert answer["lago_id"] == self._identity(external_id)
        self._answered[external_id] = None

    def _identity(self, external_id: str) -> str | None:
        answered = self._answered[external_id]
        return answered["lago_id"] if answered else None

    def _upsert(self, client: Client, external_id: str) -> None:
        sent = self._columns(external_id)
        self._under_way = Write("POST", external_id, sent)
        customer = client.create(**sent)
        self._numbers.note(customer)
        assert self._identity(external_id) in (None, customer["lago_id"])
        self._answered[external_id] = customer

    def _columns(self, external_id: str) -> JSONObject:
        """Return columns that all name the same version; some make a line of many pages."""
        number = next(self._versions)
        version = f"{external_id} v{number}"
        size = LARGE if self._random.random() < 0.02 else self._random.randrange(500)
        return {
            "external_id": external_id,
            "name": version,
            "legal_name": version + "." * size,
            "url": f"https://example.com/{version.replace(' ', '/')}",
            "metadata": [{"key": f"v{number}", "value": version}],
        }

    def check(self, client: Client) -> None:
        """Hold a server to what was answered; what was under way is there whole, or not at all."""
        for external_id, answered in self._answered.items():
            served = client.customer(external_id)
            if served != answered:
                self._check_under_way(external_id, answered, served)
                self._answered[external_id] = served
            if served:
                self._numbers.note(served)
        self._value = self._served_value(client)
        self._under_way = None

    def _check_under_way(
        self, external_id: str, answered: JSONObject | None, served: JSONObject | None
    ) -> None:
        write = self._under_way
        explained = (
            write is not None
            and write.external_id == external_id
            and write.explains(answered, served)
        )
        assert explained, f"answered {answered}, under way {write}, served {served}"

    def _served_value(self, client: Client) -> str | None:
        allowed = {self._value}
        if self._under_way and self._under_way.verb == "PUT":
            allowed.add(self._under_way.sent[self._column])
        served: str | None = client.organization()[self._column]
        assert served in allowed
        assert client.billing_entity()[self._column] == served, "half of one commit"
        return served

    def external_ids(self) -> set[str]:
        """Return the customers that are there."""
        return {external_id for external_id, row in self._answered.items() if row}


class Crew:
    """Several writers, a reader that notes every number it sees, and the rows of `check`.

    One that `compacts` has the file written anew again and again meanwhile.
    """

    def __init__(self, random: Random, *, compacts: bool = False) -> None:
        self._compacts = compacts
        self._numbers = Numbers()
        self._writers = [
            Writer(f"writer{number}", column, Random(random.getrandbits(32)), self._numbers)
            for number, column in enumerate(COLUMNS)
        ]
        self._made: dict[str, JSONObject] = {}

    def kill_under_load(
        self, server: ServerProcess, answers: int, kill: Callable[[], None]
    ) -> None:
        """Write with all writers, call `kill` when there were so many answers, and kill."""
        answered = Semaphore(0)
        with self._at_work(server, answered):
            came = all(answered.acquire(timeout=ANSWER_SECONDS) for _ in range(answers))
            kill()
        assert came, f"fewer than {answers} answers in {ANSWER_SECONDS} s"
        assert "bug" not in server.stderr
        assert "Traceback" not in server.stderr

    @contextmanager
    def _at_work(self, server: ServerProcess, answered: Semaphore) -> Iterator[None]:
        """Have everybody at work in the block; at its end the server is killed, so they end too.

        What went wrong for one of them is raised after that.
        """
        with ThreadPoolExecutor(len(self._writers) + 2) as threads:
            calls = [
                threads.submit(writer.write_until_gone, server.url, answered)
                for writer in self._writers
            ]
            calls.append(threads.submit(self._read_until_gone, server.url))
            if self._compacts:
                calls.append(threads.submit(_compact_until_gone, server.url))
            try:
                yield
            finally:
                server.stop(signal.SIGKILL)
        for call in calls:
            call.result()

    def _read_until_gone(self, url: str) -> None:
        with closing(Client(url)) as client, suppress(*GONE, Interrupted):
            while True:
                for row in client.customers():
                    self._numbers.note(row)

    def check(self, url: str) -> None:
        """Hold a server to all that was answered, then create one more customer."""
        with closing(Client(url)) as client:
            for writer in self._writers:
                writer.check(client)
            for external_id, row in self._made.items():
                assert client.customer(external_id) == row
            self._check_list(client.customers())
            self._create(client)

    def _check_list(self, rows: list[JSONObject]) -> None:
        expected = set(self._made).union(*(writer.external_ids() for writer in self._writers))
        assert sorted(row["external_id"] for row in rows) == sorted(expected)
        for row in rows:
            self._numbers.note(row)

    def _create(self, client: Client) -> None:
        """Create a customer; it gets the number after the highest that anybody ever saw."""
        highest = self._numbers.highest()
        row = client.create(f"made-{len(self._made)}")
        self._numbers.note(row)
        assert row["sequential_id"] == highest + 1
        self._made[row["external_id"]] = row


def _compact_until_gone(url: str) -> None:
    with closing(Client(url)) as client, suppress(*GONE, Interrupted):
        while True:
            client.ask("POST", "/__admin/store/compact")
