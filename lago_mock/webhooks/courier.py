"""What the outboxes of all organizations share: the way out, and who waits for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol
from weakref import WeakSet

from lago_mock.signing import Signing, new_secrets
from lago_mock.webhooks.delivery import Delivery
from lago_mock.webhooks.signature import headers_of, spoiled
from lago_mock.webhooks.transport import Received, Transport

MAX_CONNECTIONS: Final = 256


class Served(Protocol):
    """What a courier serves: an outbox."""

    def resume(self) -> None:
        """Take up what was not delivered before."""

    def send_due(self) -> None:
        """Send what was to wait until now."""

    def drop(self) -> None:
        """Break off what is under way."""


class Courier:
    """Signs and sends, for as long as it is started; until then deliveries wait.

    `issuer` is the URL that clients reach the server by; it stands in each token.
    """

    def __init__(self, transport: Transport | None = None, issuer: str = "") -> None:
        self.issuer = issuer
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport = transport or Transport()
        self._outboxes: WeakSet[Served] = WeakSet()
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)

    @property
    def is_started(self) -> bool:
        """Whether deliveries are sent."""
        return self._loop is not None

    def join(self, outbox: Served) -> None:
        """Serve an outbox for as long as there is one."""
        self._outboxes.add(outbox)

    def start(self) -> None:
        """Send from now on, what was not delivered before the last end first."""
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)  # of the loop that runs now
        for outbox in list(self._outboxes):
            outbox.resume()

    def stop(self) -> None:
        """Break off what is under way, at once; it is pending when the server starts again."""
        self._loop = None
        for outbox in list(self._outboxes):
            outbox.drop()

    def clock_moved(self) -> None:
        """Look again which retries are due, soon; may be called in any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by now
                self._loop.call_soon_threadsafe(self._send_due)

    def _send_due(self) -> None:
        for outbox in list(self._outboxes):
            outbox.send_due()

    def tell(self) -> None:
        """Wake those who wait for a change of any delivery."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_until(self, is_so: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so, which is looked at again at each change; or so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self._changed.wait()

    async def send(
        self, delivery: Delivery, signing: Signing, hmac_key: str, *, wrongly: bool
    ) -> Received:
        """Sign a delivery, note its headers, and send it; return the answer.

        Raises:
            Refused: it must not be sent where it is to go.
            Undelivered: no answer came.
            StoreUnwritable: a new key pair could not be kept.
        """
        async with self._slots:
            headers = await self._signed(delivery, signing, hmac_key)
            delivery.headers = spoiled(headers) if wrongly else headers
            body = delivery.body.encode()
            return await self._transport.post(delivery.url, delivery.headers, body)

    async def _signed(self, delivery: Delivery, signing: Signing, hmac_key: str) -> dict[str, str]:
        if delivery.algorithm != "hmac" and not signing.has_key:
            # The store is the event loop's; the key pair takes a thread up to a second.
            signing.adopt(await asyncio.to_thread(new_secrets))
        given = delivery.id, delivery.algorithm, delivery.body, self.issuer, signing, hmac_key
        return await asyncio.to_thread(headers_of, *given)
