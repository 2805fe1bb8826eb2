"""JSON pointers (RFC 6901): how a place in a document or a body is written and found."""

from __future__ import annotations

from typing import Any

from lago_mock.wire import JSONObject


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer that these steps make."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def steps_of(place: str) -> list[str]:
    """Return the steps that a JSON pointer is made of."""
    return [step.replace("~1", "/").replace("~0", "~") for step in place.split("/")[1:]]


def resolve(tree: JSONObject, reference: str) -> Any:
    """Return what `#/components/schemas/Tax` points to; KeyError when it leads nowhere."""
    node: Any = tree
    if reference != "#" and not reference.startswith("#/"):
        raise KeyError(reference)
    for step in steps_of(reference[1:]):
        node = node[int(step)] if isinstance(node, list) else node[step]
    return node
