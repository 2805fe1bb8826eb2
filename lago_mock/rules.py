"""The settings that shift what the server does; they can change as it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lago_mock.wire import JSONObject


@dataclass
class Rules:
    """What holds for one organization, or for requests that belong to none.

    `validation` is `lago` (as the real server), `strict` (the document to the letter) or `off`
    (what names a thing is still needed, and nothing else is judged). `license` is `premium` or
    `free`. `era` is `current`, or `2023` for the texts, codes and fields of the old documents.
    `latency` and `rate_limit` are the objects of these names in the admin document; without a
    `rate_limit` there is none.
    """

    license: str = "premium"
    validation: str = "lago"
    era: str = "current"
    latency: JSONObject = field(default_factory=dict)
    rate_limit: JSONObject | None = None

    def change(self, settings: Mapping[str, Any]) -> None:
        """Take these settings, and leave the others as they are."""
        for name, value in settings.items():
            setattr(self, name, value)

    def shown(self) -> JSONObject:
        """Return the `Settings` object of the admin document."""
        return asdict(self)
