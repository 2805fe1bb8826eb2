"""What a write is to tell those who asked to be told."""

from __future__ import annotations

from dataclasses import dataclass

from lago_mock.wire import JSONObject


@dataclass(frozen=True)
class Notice:
    """A type of webhook such as `customer.created`, and the object that goes with it.

    `object_type` is the key that the object stands under.
    """

    type: str
    object_type: str
    content: JSONObject
