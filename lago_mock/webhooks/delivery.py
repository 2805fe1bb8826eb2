"""One webhook on its way to one endpoint: its envelope, what was tried, how it ended.

Rules: lago-api, app/models/webhook.rb and app/services/webhooks/base_service.rb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Final, Literal

from lago_mock.redaction import without_secrets
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject, encode

State = Literal["pending", "succeeded", "retrying", "failed", "refused"]

MAX_ATTEMPTS: Final = 3

_OPEN: Final = ("pending", "retrying")
_SUCCESS: Final = (200, 201, 202, 204)
_USER: Final = re.compile("//[^/?#]*@")
_UNSIGNED: Final = MappingProxyType({"Content-Type": "application/json"})


def envelope(
    webhook_type: str, object_type: str, organization_id: str, content: JSONObject
) -> bytes:
    """Return the body of a webhook, byte for byte as it is sent and signed."""
    return encode(
        {
            "webhook_type": webhook_type,
            "object_type": object_type,
            "organization_id": organization_id,
            object_type: content,
        }
    )


def seconds_after(number: int, delivery_id: str) -> float:
    """Return how long to wait after failure `number`: 2 s and its fourth power, or up to 15 % more.

    What is added follows from the delivery's id, so that a seed repeats it.
    """
    least = number**4
    return least + Random(f"{delivery_id} {number}").uniform(0, 0.15 * least) + 2


@dataclass(eq=False)
class Delivery:
    """A webhook for one endpoint (schema `Webhook` of the admin document).

    `id` is what receivers get as `X-Lago-Unique-Key`. `url` and `algorithm` are those of the
    endpoint at the last attempt. `reason` says why there was no attempt. `headers` are those of the
    last attempt; they are not kept.
    """

    id: str
    type: str
    object_type: str
    endpoint_id: str
    url: str
    algorithm: str
    body: str
    created_at: str
    state: State = "pending"
    attempts: list[JSONObject] = field(default_factory=list)
    next_attempt_at: str | None = None
    reason: str | None = None
    fault: str | None = None
    headers: JSONObject = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether an attempt is still to come."""
        return self.state in _OPEN

    @property
    def shortfall(self) -> str:
        """Why it has not arrived: what ended it, or what the last attempt came to."""
        if self.reason:
            return self.reason
        last = self.attempts[-1]
        return last["error"] or f"status {last['status']}"

    def row(self) -> Row:
        """Return the row that a store keeps of it."""
        kept = {name: value for name, value in vars(self).items() if name != "headers"}
        return {"lago_id": kept.pop("id"), **kept}

    @classmethod
    def of(cls, row: Row) -> Delivery:
        """Return the delivery that a row was made of."""
        return cls(row["lago_id"], **{name: row[name] for name in row if name != "lago_id"})

    def note(self, attempt: JSONObject) -> None:
        """Take in what an attempt came to."""
        self.attempts = [*self.attempts, attempt]
        self.next_attempt_at = None
        if attempt["error"] is None and attempt["status"] in _SUCCESS:
            self.state = "succeeded"
        elif len(self.attempts) >= MAX_ATTEMPTS:
            self.state = "failed"
        else:
            self.state = "retrying"

    def end(self, state: State, reason: str) -> None:
        """End it without an attempt."""
        self.state, self.reason, self.next_attempt_at = state, reason, None

    def shown(self, organization_id: str) -> JSONObject:
        """Return it as the admin API shows it."""
        return {
            "id": self.id,
            "unique_key": self.id,
            "organization": organization_id,
            "type": self.type,
            "object_type": self.object_type,
            "endpoint": {
                "lago_id": self.endpoint_id,
                "webhook_url": shown_url(self.url),
                "signature_algo": self.algorithm,
            },
            "state": self.state,
            "reason": self.reason,
            "created_at": self.created_at,
            "next_attempt_at": self.next_attempt_at,
            "attempts": self.attempts,
            "fault": self.fault,
            "headers": {**_UNSIGNED, **self.headers},
            "body": self.body,
        }


def shown_url(url: str) -> str:
    """Return a URL without the name and the password that it may hold, its keys and tokens cut."""
    address, mark, query = _USER.sub("//…@", url, count=1).partition("?")
    return f"{address}{mark}{without_secrets(query)}"
