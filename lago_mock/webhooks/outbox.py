"""The webhooks of one organization, from the write that causes them to the end of each.

First attempts at an endpoint follow each other in the order of the writes, one at a time. A retry
waits beside them, by the organization's clock; retries that are due go one at a time, too.

The store keeps what is not delivered, beside the rows of the write that caused it.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from lago_mock.clock import ServerClock, precise
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.notice import Notice
from lago_mock.signing import Signing
from lago_mock.store.store import DELIVERIES, Store, StoreUnwritable
from lago_mock.store.tables import Row
from lago_mock.store.view import View
from lago_mock.webhooks.courier import Courier
from lago_mock.webhooks.delivery import Delivery, envelope, seconds_after, shown_url
from lago_mock.webhooks.faults import (
    DELAYED,
    DUPLICATE,
    OUT_OF_ORDER,
    WRONG_SIGNATURE,
    WebhookFault,
    WebhookFaults,
)
from lago_mock.webhooks.targets import Refused
from lago_mock.webhooks.transport import Received, Undelivered
from lago_mock.wire import JSONObject

MAX_OPEN: Final = 10_000
MAX_FINISHED: Final = 1_000

_DAY: Final = 86_400
_FULL: Final = f"{MAX_OPEN:,} webhooks are on their way already"
_NO_ENDPOINT: Final = "its endpoint was deleted"

_errors = logging.getLogger("lago_mock.errors")
_logger = logging.getLogger("lago_mock.webhooks")

Lane = tuple[str, Literal["first", "again"]]


class Outbox:
    """Takes the notices of one organization and has them delivered."""

    def __init__(
        self,
        organization_id: str,
        clock: ServerClock,
        store: Store,
        signing: Signing,
        courier: Courier,
    ) -> None:
        self.organization_id = organization_id
        self.faults = WebhookFaults()
        self._clock = clock
        self._store = store
        self._signing = signing
        self._courier = courier
        self._deliveries: dict[str, Delivery] = {}
        self._finished: dict[str, None] = {}
        self._lanes: dict[Lane, deque[Delivery]] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._waiting: list[tuple[str, int, Delivery]] = []
        self._held: dict[str, list[Delivery]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0
        courier.join(self)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(list(self._deliveries.values()))

    def get(self, delivery_id: str) -> Delivery | None:
        """Return a delivery, None when there is none or it is forgotten."""
        return self._deliveries.get(delivery_id)

    # What is to be told

    def stage(
        self,
        view: View,
        notices: Iterable[Notice],
        *,
        endpoint: str | None = None,
        fault: WebhookFault | None = None,
    ) -> list[Delivery]:
        """Put the deliveries of notices into a view, to be kept by the commit that causes them.

        There is one for each endpoint that wants the type; with `endpoint`, an id or a URL, for
        that one whatever it wants. `fault` goes before those that are armed. Nothing is sent before
        `queue`.

        Raises:
            ValidationFailed: 422, there is no such endpoint.
        """
        if endpoint is None and not view.count("webhook_endpoints"):
            return []  # the objects of the notices are made when they are looked at
        endpoints = _chosen(list(view.oldest_first("webhook_endpoints")), endpoint)
        staged = []
        for notice in notices:
            body = b""
            for each in endpoints:
                if endpoint is None and not _wants(each, notice.type):
                    continue
                body = body or self._envelope(notice)
                staged.append(self._delivery(notice, each, body.decode(), fault))
        room = max(MAX_OPEN - len(self._deliveries) + len(self._finished), 0)
        for delivery in staged[:room]:
            view.put(DELIVERIES, delivery.row())
        for delivery in staged[room:]:
            delivery.end("refused", _FULL)
        return staged

    def _envelope(self, notice: Notice) -> bytes:
        return envelope(notice.type, notice.object_type, self.organization_id, notice.content)

    def _delivery(
        self, notice: Notice, endpoint: Row, body: str, fault: WebhookFault | None
    ) -> Delivery:
        now = self._clock.now()
        delivery = Delivery(
            self._clock.new_id(),
            notice.type,
            notice.object_type,
            endpoint["lago_id"],
            endpoint["webhook_url"],
            endpoint["signature_algo"],
            body,
            precise(now),
        )
        met = fault or self.faults.take(notice.type)
        if met is not None:
            delivery.fault = met.fault
            if met.fault == DELAYED:
                delivery.next_attempt_at = precise(now + timedelta(milliseconds=met.delay_ms))
        return delivery

    def queue(self, staged: Iterable[Delivery]) -> None:
        """Have deliveries sent that were staged and are kept by now."""
        for delivery in staged:
            self._deliveries[delivery.id] = delivery
            if delivery.is_open:
                self._admit(delivery)
            else:
                self._finish(delivery)
                _log(delivery)
        self._courier.tell()

    def _admit(self, delivery: Delivery) -> None:
        if delivery.next_attempt_at:
            self._wait(delivery)
        elif delivery.fault == OUT_OF_ORDER:
            self._held.setdefault(delivery.endpoint_id, []).append(delivery)
        else:
            self._line_up(delivery, "first")
            for held in self._held.pop(delivery.endpoint_id, ()):
                self._line_up(held, "first")

    # From start to end

    def resume(self) -> None:
        """Take up what the store has, in the order it came, and what is here already."""
        kept = self._store.view(self.organization_id).oldest_first(DELIVERIES)
        known = {row["lago_id"]: Delivery.of(row) for row in kept}
        self._deliveries = {**known, **self._deliveries}
        for lane in self._lanes:
            self._walk(lane)
        for delivery in known.values():
            if self._deliveries[delivery.id] is not delivery:
                continue
            if delivery.next_attempt_at:
                self._wait(delivery)
            elif delivery.is_open:
                self._line_up(delivery, "first")
            else:
                self._finish(delivery)
        self.send_due()

    def drop(self) -> None:
        """Forget all deliveries here, and break off what is under way; the store is not touched."""
        for task in self._tasks.values():
            task.cancel()
        if self._timer:
            self._timer.cancel()
            self._timer = None
        for forgotten in (self._deliveries, self._finished, self._lanes, self._tasks, self._held):
            forgotten.clear()
        self._waiting.clear()
        self._courier.tell()

    def clear(self) -> None:
        """Forget all deliveries for good.

        Raises:
            StoreUnwritable: the disk refused it; nothing is forgotten.
        """
        self._erase(self._deliveries)
        self.drop()

    def forget(self, delivery: Delivery) -> None:
        """Forget one delivery; what is under way of it is not recorded.

        Raises:
            StoreUnwritable: the disk refused it; it is not forgotten.
        """
        self._erase([delivery.id])
        self._deliveries.pop(delivery.id)
        self._finished.pop(delivery.id, None)
        self._courier.tell()

    def retry(self, delivery: Delivery) -> None:
        """Send a delivery now, whatever became of it; nothing when that is about to happen."""
        if any(delivery in lane for lane in self._lanes.values()):
            return
        self._finished.pop(delivery.id, None)
        for held in self._held.values():
            held[:] = [each for each in held if each is not delivery]
        if not delivery.is_open:
            delivery.state = "retrying"
        delivery.next_attempt_at = delivery.reason = None
        self._line_up(delivery, "again")
        self._courier.tell()

    # Lines: what is to be sent at once, in order

    def _line_up(self, delivery: Delivery, lane: Literal["first", "again"]) -> None:
        key = delivery.endpoint_id, lane
        self._lanes.setdefault(key, deque()).append(delivery)
        self._walk(key)

    def _walk(self, lane: Lane) -> None:
        """See to it that somebody sends what stands in a line."""
        if self._courier.is_started and lane not in self._tasks:
            self._tasks[lane] = asyncio.ensure_future(self._send_all(lane))

    async def _send_all(self, lane: Lane) -> None:
        line = self._lanes[lane]
        while line:
            sent = line[0]
            try:
                await self._try(sent)
            except Exception:
                _errors.exception("a bug of lago-mock, in the webhook %s", sent.id)
                sent.end("failed", "a bug of lago-mock")
                self._finish(sent)
            line.popleft()
        del self._lanes[lane], self._tasks[lane]

    async def _try(self, delivery: Delivery) -> None:
        if not self._is_here(delivery):
            return
        endpoint, hmac_key = self._present(delivery.endpoint_id)
        if endpoint is None:
            delivery.end("failed", _NO_ENDPOINT)
        else:
            delivery.url = endpoint["webhook_url"]
            delivery.algorithm = endpoint["signature_algo"]
            await self._attempt(delivery, hmac_key)
        if self._is_here(delivery):
            self._settle(delivery)

    def _is_here(self, delivery: Delivery) -> bool:
        return self._deliveries.get(delivery.id) is delivery

    def _present(self, endpoint_id: str) -> tuple[Row | None, str]:
        """Return the endpoint as it is by now, and the organization's HMAC key."""
        view = self._store.view(self.organization_id)
        organization = view.get("organizations", self.organization_id) or {}
        return view.get("webhook_endpoints", endpoint_id), organization.get("hmac_key") or ""

    async def _attempt(self, delivery: Delivery, hmac_key: str) -> None:
        try:
            delivery.note(await self._send(delivery, hmac_key))
        except Refused as error:
            delivery.end("refused", str(error))
            return
        if delivery.state == "succeeded" and delivery.fault == DUPLICATE:
            with suppress(Refused):  # its name leads elsewhere by now
                again = await self._send(delivery, hmac_key)
                delivery.attempts = [*delivery.attempts, again]

    async def _send(self, delivery: Delivery, hmac_key: str) -> JSONObject:
        """Make an attempt and return it as the admin API shows it.

        Raises:
            Refused: the target must not be sent to.
        """
        at, began = precise(self._clock.now()), time.perf_counter()
        answer, error = Received(), None
        try:
            answer = await self._courier.send(
                delivery, self._signing, hmac_key, wrongly=delivery.fault == WRONG_SIGNATURE
            )
        except Undelivered as reason:
            error = str(reason)
        except StoreUnwritable as reason:
            error = f"the key pair cannot be kept: {reason}"
            _errors.error("the store cannot be written: %s", reason)
        return {
            "time": at,
            "status": answer.status or None,
            "error": error,
            "duration_ms": round((time.perf_counter() - began) * 1000, 3),
            "answer": answer.body.decode("utf-8", "replace"),
        }

    def _settle(self, delivery: Delivery) -> None:
        """Keep what an attempt came to, and wait for the next one if there is to be one."""
        if delivery.state == "retrying":
            seconds = seconds_after(len(delivery.attempts), delivery.id)
            delivery.next_attempt_at = precise(self._clock.now() + timedelta(seconds=seconds))
            self._wait(delivery)
        else:
            self._finish(delivery)
            _log(delivery)
        self._keep(delivery)
        self._courier.tell()

    def _finish(self, delivery: Delivery) -> None:
        self._finished[delivery.id] = None
        while len(self._finished) > MAX_FINISHED:
            oldest = next(iter(self._finished))
            del self._finished[oldest], self._deliveries[oldest]
            self._keep_without(oldest)

    # Waiting: what is to be sent later

    def _wait(self, delivery: Delivery) -> None:
        assert delivery.next_attempt_at, "what waits has a time to wait for"
        self._number += 1
        heapq.heappush(self._waiting, (delivery.next_attempt_at, self._number, delivery))
        self._set_timer()

    def send_due(self) -> None:
        """Send what was to wait until now by the clock."""
        now = precise(self._clock.now())
        while self._waiting and self._waiting[0][0] <= now:
            due, _, delivery = heapq.heappop(self._waiting)
            if self._is_here(delivery) and delivery.next_attempt_at == due:
                delivery.next_attempt_at = None
                self._line_up(delivery, "again")
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._waiting or self._clock.frozen or not self._courier.is_started:
            return
        left = datetime.fromisoformat(self._waiting[0][0]) - self._clock.now()
        seconds = min(max(left.total_seconds(), 0), _DAY)
        self._timer = asyncio.get_running_loop().call_later(seconds, self.send_due)

    # The store

    def _keep(self, delivery: Delivery) -> None:
        """Keep the state of a delivery; one that arrived need not outlive the server."""
        view = self._store.view(self.organization_id)
        if delivery.state == "succeeded":
            view.erase(DELIVERIES, delivery.id)
        else:
            view.put(DELIVERIES, delivery.row())
        self._commit(view)

    def _keep_without(self, delivery_id: str) -> None:
        view = self._store.view(self.organization_id)
        view.erase(DELIVERIES, delivery_id)
        self._commit(view)

    def _commit(self, view: View) -> None:
        try:
            # What a loss of power takes of it is sent once more, with the same key.
            self._store.commit(view, lasting=False)
        except StoreUnwritable as error:
            _errors.error("the store cannot be written: %s", error)

    def _erase(self, ids: Iterable[str]) -> None:
        view = self._store.view(self.organization_id)
        for each in ids:
            view.erase(DELIVERIES, each)
        self._store.commit(view)


def _log(delivery: Delivery) -> None:
    if delivery.state != "succeeded":
        # With the marks of Python text, so that nothing in it looks like a line of ours.
        told = delivery.type, shown_url(delivery.url), delivery.state, delivery.shortfall
        _logger.info("webhook %r to %r %s: %s", *told)


def _chosen(endpoints: list[Row], wanted: str | None) -> list[Row]:
    if wanted is None:
        return endpoints
    found = [row for row in endpoints if wanted in (row["lago_id"], row["webhook_url"])]
    if not found:
        problem = Problem("endpoint", "webhook_endpoint_not_found", "webhook", ("endpoint",))
        raise ValidationFailed([problem])
    return found


def _wants(endpoint: Row, webhook_type: str) -> bool:
    types: Any = endpoint["event_types"]
    return types is None or webhook_type in types
