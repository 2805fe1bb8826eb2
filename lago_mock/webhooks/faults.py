"""Webhooks that go wrong on command: what is armed, and which delivery meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from lago_mock.wire import JSONObject

WRONG_SIGNATURE: Final = "wrong_signature"
DUPLICATE: Final = "duplicate"
OUT_OF_ORDER: Final = "out_of_order"
DELAYED: Final = "delayed"

DEFAULT_DELAY_MS: Final = 5000


@dataclass
class WebhookFault:
    """What is to go wrong with the next deliveries of some types.

    `type` is a type or a pattern such as `customer.*`; `times` counts down to 0, None is always.
    """

    id: str
    fault: str
    type: str = "*"
    times: int | None = 1
    delay_ms: int = DEFAULT_DELAY_MS
    hits: int = 0

    def meets(self, webhook_type: str) -> bool:
        """Tell whether a delivery of a type meets it."""
        return self.times != 0 and fnmatchcase(webhook_type, self.type)

    def use(self) -> None:
        """Count a delivery that met it."""
        self.hits += 1
        if self.times is not None:
            self.times -= 1

    def shown(self) -> JSONObject:
        """Return it as the admin API shows it."""
        delay = {"delay_ms": self.delay_ms} if self.fault == DELAYED else {}
        shown = {"id": self.id, "fault": self.fault, "type": self.type, **delay}
        return {**shown, "hits": self.hits, "remaining": self.times}


class WebhookFaults:
    """What is armed in one organization, the oldest first."""

    def __init__(self) -> None:
        self._armed: list[WebhookFault] = []

    def __iter__(self) -> Iterator[WebhookFault]:
        return iter(self._armed)

    def add(self, fault: WebhookFault) -> None:
        """Arm a fault."""
        self._armed.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def take(self, webhook_type: str) -> WebhookFault | None:
        """Return the oldest fault that a delivery meets, and use up one of its turns."""
        for fault in self._armed:
            if fault.meets(webhook_type):
                fault.use()
                return fault
        return None
