"""What a reset takes back: of one organization, and of the server where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lago_mock.answer_cache import AnswerCache
from lago_mock.clock import ServerClock, instant_of
from lago_mock.faults import Faults
from lago_mock.journal import Journal
from lago_mock.latency import Latency
from lago_mock.operations import Facts
from lago_mock.rate_limits import RateLimits
from lago_mock.rules import Rules
from lago_mock.signing import Signing
from lago_mock.webhooks.outbox import Outbox
from lago_mock.wire import JSONObject


class Scope:
    """What admin calls steer, for the whole server or one organization.

    `own` are the settings that were set here; `rules`, `latency` and `rate_limits` are what holds,
    the server's settings included. `ended` is set when the calls that wait here must go.
    """

    def __init__(self, clock: ServerClock, journal: Journal) -> None:
        self.clock = clock
        self.journal = journal
        self.faults = Faults()
        self.own: JSONObject = {}
        self.rules = Rules()
        self.latency = Latency({})
        self.rate_limits: RateLimits | None = None
        self.ended = asyncio.Event()

    def follow(self, settings: Mapping[str, Any]) -> None:
        """Let these settings hold; a latency or a quota that stays the same goes on."""
        latency, quota = self.rules.latency, self.rules.rate_limit
        self.rules.change(settings)
        if self.rules.latency != latency:
            self.latency = Latency(self.rules.latency)
        if self.rules.rate_limit != quota:
            quota = self.rules.rate_limit
            self.rate_limits = None if quota is None else RateLimits(quota)

    def clear(self) -> None:
        """Forget faults, requests and settings, go by real time, let go of the calls in flight."""
        self.faults.clear()
        self.journal.clear()
        self.own = {}
        self.clock.restart()
        self.rules.latency, self.latency = {}, Latency({})  # its seed begins anew
        if self.rate_limits:
            self.rate_limits.clear()
        self.release()

    def release(self) -> None:
        """Wake the calls that wait: what they would have written is not."""
        self.ended.set()
        self.ended = asyncio.Event()


class Sandbox(Scope):
    """One organization as requests meet it.

    `founding` is what a reset makes it of. `granted` are settings that it was made with: they come
    before the server's, after its own. `is_slug_taken` tells whether another one has a slug.
    """

    def __init__(
        self,
        organization_id: str,
        clock: ServerClock,
        signing: Signing,
        journal: Journal,
        answers: AnswerCache,
        is_slug_taken: Callable[[str], bool],
        outbox: Outbox,
    ) -> None:
        super().__init__(clock, journal)
        self.facts = Facts(
            organization_id, clock, self.licensed, signing, self.rules, is_slug_taken, outbox
        )
        self.outbox = outbox
        self.answers = answers
        self.founding: JSONObject = {}
        self.integrations: list[str] | None = None
        self.granted: JSONObject = {}

    def licensed(self, feature: str | bool) -> bool:
        """Tell whether the license covers a premium integration, or, for True, premium itself.

        An organization that lists its integrations has those alone.
        """
        if self.rules.license == "free":
            return False
        return feature is True or self.integrations is None or feature in self.integrations

    def clear(self) -> None:
        """Forget all that a scope has, and what webhooks were to meet."""
        super().clear()
        self.outbox.faults.clear()

    def release(self) -> None:
        """Wake the calls that wait, and let go of the webhooks: their rows are not there."""
        super().release()
        self.outbox.drop()

    def follow(self, settings: Mapping[str, Any]) -> None:
        """Let these settings hold, with those set here before them; kept answers are let go."""
        super().follow({**settings, **self.granted, **self.own})
        self.answers.clear()


@dataclass(frozen=True)
class Access:
    """What a key opens: an organization, and the rights that it has there.

    `permissions` maps a resource to some of `read` and `write`; None is a key with all rights.
    """

    sandbox: Sandbox
    permissions: Mapping[str, list[str]] | None = None
    expires_at: datetime | None = None

    def forbidden(self, scopes: Iterable[str]) -> str | None:
        """Return the code of the first right that is missing, None when all are there.

        Only the premium integration `api_permissions` makes rights count.
        """
        if self.permissions is None or not self.sandbox.licensed("api_permissions"):
            return None
        for scope in scopes:
            resource, _, mode = scope.partition(":")
            if mode not in self.permissions.get(resource, ()):
                return f"{mode}_action_not_allowed_for_{resource}"
        return None

    @classmethod
    def of(cls, sandbox: Sandbox, key: JSONObject) -> Access:
        """Return what a key of an organization's row opens."""
        expires_at = key.get("expires_at")
        expiry = instant_of(expires_at) if expires_at else None
        return cls(sandbox, key.get("permissions"), expiry)
