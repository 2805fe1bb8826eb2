"""Outboxes with a way out that answers as a test says, and nothing on a socket."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lago_mock.clock import ServerClock, precise
from lago_mock.errors import ValidationFailed
from lago_mock.notice import Notice
from lago_mock.signing import Signing
from lago_mock.store.store import DELIVERIES, Store, StoreUnwritable
from lago_mock.webhooks import outbox
from lago_mock.webhooks.courier import Courier
from lago_mock.webhooks.delivery import Delivery
from lago_mock.webhooks.faults import WebhookFault
from lago_mock.webhooks.outbox import Outbox
from lago_mock.webhooks.targets import Refused
from lago_mock.webhooks.transport import Received, Undelivered

ENDPOINT = {
    "lago_id": "e-1",
    "webhook_url": "http://127.0.0.1:1/",
    "signature_algo": "hmac",
    "event_types": None,
}


class Way:
    """Stands for the way out: `answers` are statuses, or what is to be raised; 200 after them."""

    def __init__(self) -> None:
        self.answers: list[int | Exception] = []
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[], Awaitable[object]] | None = None

    async def post(self, url: str, _headers: Mapping[str, str], body: bytes) -> Received:
        self.posted.append((url, json.loads(body)["dog"]))
        if self.before:
            await self.before()
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return Received(answer)

    def names(self) -> list[str]:
        return [dog["name"] for _, dog in self.posted]


class Kennel:
    """An organization with one endpoint, its outbox, and all that it needs."""

    def __init__(self, store: Store | None = None, **endpoint: Any) -> None:
        self.store = store or Store({"webhook_endpoints": "webhook_url"})
        self.clock = ServerClock()
        self.kept: dict[str, Any] = {}
        self.signing = Signing(lambda: self.kept, self.kept.update)
        self.way = Way()
        self.courier = Courier(self.way, "http://mock.test")  # type: ignore[arg-type]
        self.clock.on_move = self.courier.clock_moved
        self.outbox = Outbox(
            "o-1", self.clock.branch("o-1"), self.store, self.signing, self.courier
        )
        if not store:
            view = self.store.view("o-1")
            view.put("organizations", {"lago_id": "o-1", "hmac_key": "key"})
            view.put("webhook_endpoints", {**ENDPOINT, **endpoint})
            self.store.commit(view)

    def tell(self, *names: str, **options: Any) -> list[Delivery]:
        """Let the outbox tell of dogs, in one commit."""
        view = self.store.view("o-1")
        notices = [Notice("dog.born", "dog", {"name": name}) for name in names]
        staged = self.outbox.stage(view, notices, **options)
        self.store.commit(view)
        self.outbox.queue(staged)
        return staged

    def rows(self) -> list[dict[str, Any]]:
        return list(self.store.view("o-1").oldest_first(DELIVERIES))

    async def until(self, *states: str) -> None:
        """Wait until the deliveries are in these states."""

        def is_so() -> bool:
            return tuple(each.state for each in self.outbox) == states

        await self.courier.wait_until(is_so, 10)
        assert is_so(), [each.state for each in self.outbox]

    @asynccontextmanager
    async def started(self) -> Any:
        self.courier.start()
        yield
        self.courier.stop()


def test_nothing_is_sent_before_the_courier_starts() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.tell("Rex", "Ace")
        kennel.clock.advance(5)
        assert kennel.way.posted == []

        async with kennel.started():
            await kennel.until("succeeded", "succeeded")

        assert kennel.way.names() == ["Rex", "Ace"]
        assert kennel.rows() == []

    asyncio.run(scenario())


def test_what_is_staged_and_not_kept_is_lost() -> None:
    kennel = Kennel()

    kennel.outbox.stage(kennel.store.view("o-1"), [Notice("dog.born", "dog", {})])

    assert kennel.rows() == []
    assert list(kennel.outbox) == []


def test_objects_are_made_only_where_somebody_wants_to_know() -> None:
    def never() -> Any:
        raise AssertionError("nobody asked")
        yield

    store = Store({"webhook_endpoints": "webhook_url"})
    outbox = Kennel(store).outbox

    assert outbox.stage(store.view("o-1"), never()) == []


def test_an_endpoint_that_does_not_want_the_type_gets_it_when_it_is_named() -> None:
    kennel = Kennel(event_types=["cat.born"])

    assert kennel.tell("Rex") == []
    assert len(kennel.tell("Rex", endpoint="e-1")) == 1
    assert len(kennel.tell("Rex", endpoint=ENDPOINT["webhook_url"])) == 1
    with pytest.raises(ValidationFailed):
        kennel.tell("Rex", endpoint="e-2")


def test_a_retry_runs_by_real_time_where_the_clock_does() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.way.answers = [500]
        async with kennel.started():
            kennel.tell("Rex")
            await kennel.until("retrying")
            (row,) = kennel.rows()
            assert row["state"] == "retrying"
            # What is left of the three seconds is a moment.
            kennel.clock.advance(2.95)
            await kennel.until("succeeded")

    asyncio.run(scenario())


def test_times_that_are_far_off_are_looked_at_day_by_day() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        century = 100 * 365 * 86_400_000
        async with kennel.started():
            kennel.tell("Rex", fault=WebhookFault("f", "delayed", delay_ms=century))
            kennel.outbox.send_due()
            assert [each.state for each in kennel.outbox] == ["pending"]
            kennel.clock.advance(101 * 365 * 86_400)
            await kennel.until("succeeded")

    asyncio.run(scenario())


def test_what_is_forgotten_or_sent_by_hand_is_not_waited_for() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.clock.freeze(kennel.clock.now())
        kennel.way.answers = [500, 500]
        async with kennel.started():
            forgotten, hurried = kennel.tell("Rex", "Ace")
            await kennel.until("retrying", "retrying")
            kennel.outbox.forget(forgotten)
            kennel.outbox.retry(hurried)
            kennel.outbox.retry(hurried)  # it stands in line already
            await kennel.until("succeeded")
            kennel.clock.advance(60)
            kennel.tell("Max")
            await kennel.until("succeeded", "succeeded")

        assert kennel.way.names() == ["Rex", "Ace", "Ace", "Max"]

    asyncio.run(scenario())


def test_what_is_forgotten_while_it_stands_in_line_is_not_sent() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        first, second = kennel.tell("Rex", "Ace")
        kennel.outbox.forget(first)
        kennel.outbox.forget(second)
        kennel.tell("Max")
        async with kennel.started():
            await kennel.until("succeeded")

        assert kennel.way.names() == ["Max"]

    asyncio.run(scenario())


def test_what_is_forgotten_while_it_is_sent_is_not_recorded() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        gate = asyncio.Event()
        kennel.way.before = gate.wait
        async with kennel.started():
            (delivery,) = kennel.tell("Rex")
            while not kennel.way.posted:
                await asyncio.sleep(0)
            kennel.outbox.forget(delivery)
            gate.set()
            kennel.tell("Ace")
            await kennel.until("succeeded")

        assert kennel.rows() == []

    asyncio.run(scenario())


def test_a_duplicate_that_must_not_be_sent_leaves_what_arrived() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.way.answers = [200, Refused("elsewhere")]
        async with kennel.started():
            (delivery,) = kennel.tell("Rex", fault=WebhookFault("f", "duplicate"))
            await kennel.until("succeeded")

        assert (len(delivery.attempts), delivery.fault) == (1, "duplicate")

    asyncio.run(scenario())


def test_held_back_it_goes_by_hand_and_only_once() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        async with kennel.started():
            (held,) = kennel.tell("Rex", fault=WebhookFault("f", "out_of_order"))
            kennel.outbox.retry(held)
            await kennel.until("succeeded")
            kennel.tell("Ace")
            await kennel.until("succeeded", "succeeded")

        assert kennel.way.names() == ["Rex", "Ace"]

    asyncio.run(scenario())


def test_held_back_it_lets_the_next_one_go_first_and_not_one_that_was_before_it() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.tell("Max")
        kennel.tell("Rex", fault=WebhookFault("f", "out_of_order"))
        async with kennel.started():
            await kennel.until("succeeded", "pending")
            kennel.tell("Ace", "Bo")
            await kennel.until("succeeded", "succeeded", "succeeded", "succeeded")

        assert kennel.way.names() == ["Max", "Ace", "Rex", "Bo"]

    asyncio.run(scenario())


def test_what_was_refused_is_tried_again_by_hand() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        async with kennel.started():
            (delivery,) = kennel.tell("Rex")
            await kennel.until("succeeded")
            kennel.outbox.retry(delivery)
            assert delivery.state == "retrying"
            await kennel.until("succeeded")

        assert len(delivery.attempts) == 2

    asyncio.run(scenario())


def test_failures_stay_in_the_store_until_they_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lago_mock.webhooks.outbox.MAX_FINISHED", 1)

    async def scenario() -> None:
        kennel = Kennel()
        kennel.clock.freeze(kennel.clock.now())
        kennel.way.answers = [Undelivered("down")] * 6
        async with kennel.started():
            for name in ("Rex", "Ace"):
                (delivery,) = kennel.tell(name)
                while delivery.state != "failed":
                    kennel.clock.advance(60)
                    await asyncio.sleep(0.001)
            (row,) = kennel.rows()
        assert (row["state"], json.loads(row["body"])["dog"]["name"]) == ("failed", "Ace")
        assert [each["error"] for each in row["attempts"]] == ["down"] * 3

        again = Kennel(kennel.store)
        async with again.started():
            await again.until("failed")
        assert again.way.posted == []

    asyncio.run(scenario())


def test_a_start_takes_up_what_is_here_and_what_the_store_has() -> None:
    async def scenario() -> None:
        first = Kennel()
        first.tell("Rex")

        second = Kennel(first.store)
        second.tell("Ace")
        async with second.started():
            await second.until("succeeded", "succeeded")

        assert sorted(second.way.names()) == ["Ace", "Rex"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        pytest.param([Refused("not there")], "refused: not there", id="refused"),
        pytest.param([500, 500, 404], "failed: status 404", id="status"),
        pytest.param([500, 500, Undelivered("silence")], "failed: silence", id="no answer"),
        pytest.param([500, 200], None, id="arrived"),
    ],
)
def test_what_does_not_arrive_is_told_in_the_log_once(
    caplog: pytest.LogCaptureFixture, answers: list[int | Exception], told: str | None
) -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.clock.freeze(kennel.clock.now())
        kennel.way.answers = list(answers)
        async with kennel.started():
            (delivery,) = kennel.tell("Rex")
            for _ in answers[1:]:
                await kennel.courier.wait_until(lambda: delivery.next_attempt_at is not None, 10)
                kennel.clock.advance(60)
                kennel.outbox.send_due()
            await kennel.until(told.partition(":")[0] if told else "succeeded")

    with caplog.at_level(logging.INFO, "lago_mock.webhooks"):
        asyncio.run(scenario())

    url = ENDPOINT["webhook_url"]
    assert caplog.messages == ([f"webhook 'dog.born' to {url!r} {told}"] if told else [])


def test_what_there_is_no_room_for_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_OPEN", 1)

    with caplog.at_level(logging.INFO, "lago_mock.webhooks"):
        Kennel().tell("Rex", "Fido")

    (told,) = caplog.messages
    assert told.endswith("refused: 10,000 webhooks are on their way already")


def test_a_bug_ends_one_webhook_and_not_the_line(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.way.answers = [RuntimeError("oops")]
        async with kennel.started():
            kennel.tell("Rex", "Ace")
            await kennel.until("failed", "succeeded")
            assert [each.reason for each in kennel.outbox] == ["a bug of lago-mock", None]

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert "a bug of lago-mock, in the webhook" in caplog.text


def test_a_disk_that_refuses_is_told_of_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        kennel = Kennel(signature_algo="jwt")

        def refuse(*_: Any, **__: Any) -> None:
            raise StoreUnwritable("disk full")

        kennel.clock.freeze(kennel.clock.now())
        kennel.signing = Signing(dict, refuse)
        kennel.outbox._signing = kennel.signing
        async with kennel.started():
            (delivery,) = kennel.tell("Rex")
            monkeypatch.setattr(kennel.store, "commit", refuse)
            await kennel.until("retrying")
        assert delivery.attempts[0]["error"] == "the key pair cannot be kept: disk full"

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert caplog.text.count("the store cannot be written: disk full") == 2


def test_a_commit_of_states_alone_is_not_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("lago_mock.store.journal._sync", synced.append)

    async def scenario() -> None:
        keys = {"webhook_endpoints": "webhook_url"}
        store = Store.open(keys, tmp_path / "s.json", durable=True)
        view = store.view("o-1")
        view.put("organizations", {"lago_id": "o-1", "hmac_key": "key"})
        view.put("webhook_endpoints", ENDPOINT)
        store.commit(view)
        kennel = Kennel(store)
        before = len(synced)
        async with kennel.started():
            kennel.tell("Rex")
            assert len(synced) == before + 1
            await kennel.until("succeeded")
        assert len(synced) == before + 1
        store.close()
        assert len(synced) > before + 1

    asyncio.run(scenario())


def test_the_time_of_an_attempt_is_that_of_the_clock() -> None:
    async def scenario() -> None:
        kennel = Kennel()
        kennel.clock.freeze(kennel.clock.now())
        async with kennel.started():
            (delivery,) = kennel.tell("Rex")
            await kennel.until("succeeded")
        now = precise(kennel.clock.now())
        assert (delivery.created_at, delivery.attempts[0]["time"]) == (now, now)

    asyncio.run(scenario())


def test_a_clock_may_move_before_the_start_and_after_the_end() -> None:
    async def scenario() -> Courier:
        kennel = Kennel()
        kennel.courier.clock_moved()
        kennel.courier.start()
        return kennel.courier

    courier = asyncio.run(scenario())

    courier.clock_moved()
    assert courier.is_started
