"""What befalls a request that meets a fault: an answer made up, a broken connection, a delay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from types import MappingProxyType
from typing import Final

from lago_mock.contract.operation import Operation
from lago_mock.errors import text_in
from lago_mock.latency import Wait
from lago_mock.wire import JSON, JSONObject

WORDS: Final = (
    "error",
    "code",
    "details",
    "status",
    "headers",
    "body",
    "connection",
    "delay_ms",
    "when",
)
"""The words that say what happens; all others of a description say when, and to whom."""

_HAPPENINGS: Final = ("error", "status", "connection", "delay_ms")

_NAMED: Final[Mapping[str, int]] = MappingProxyType(
    {
        "unauthorized": 401,
        "forbidden": 403,
        "not_found": 404,
        "validation_errors": 422,
        "too_many_requests": 429,
        "internal_server_error": 500,
        "bad_gateway": 502,
        "service_unavailable": 503,
        "gateway_timeout": 504,
    }
)

_CODED: Final = ("forbidden", "not_found")
_NOWHERE: Final = "resource_not_found"

_RATE_LIMIT_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        # Seconds that the official clients then sleep: without it they take 1, 2, 4 s.
        "x-ratelimit-reset": "1",
    }
)


@dataclass(frozen=True)
class Outcome:
    """What a request sees.

    The delay comes first. Then the answer is made up of `status`, `headers` (lower-case names) and
    `body`, or the `connection` breaks in the way named; when both are None the request goes on to
    its true answer. `after` says that the request is carried out first, and what is then made up
    takes the place of its true answer; the delay stands between the two.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JSON = None
    delay_seconds: float = 0.0
    connection: str | None = None
    after: bool = False
    fault_id: str | None = None

    @property
    def hangs(self) -> bool:
        """Whether no answer comes until the client gives up."""
        return self.connection == "HANG"


def outcome_of(
    described: JSONObject,
    operation: Operation | None,
    random: Random,
    fault_id: str | None = None,
    era: str = "current",
) -> Outcome:
    """Return what a request for this operation sees; named errors take its own codes.

    They are worded as in the era. `described` has some of the words of an outcome, and none means
    that nothing happens. Only a delay that varies asks for chance.
    """
    status, body = _answer(described, operation, era)
    limits = _RATE_LIMIT_HEADERS if described.get("error") == "too_many_requests" else {}
    own = {name.lower(): value for name, value in described.get("headers", {}).items()}
    return Outcome(
        status,
        {**limits, **own},
        body,
        Wait.of(described.get("delay_ms", 0)).seconds(random),
        described.get("connection"),
        described.get("when") == "after",
        fault_id,
    )


_PREFERENCE: Final = re.compile(r"(?:^|[,;])\s*code\s*=\s*\"?([45]\d\d)\"?\s*(?=[,;]|$)")


def preferred(header: str, operation: Operation | None, era: str = "current") -> Outcome | None:
    """Return what a `Prefer` header asks for by `code=404`; None where it asks for no failure.

    An error that has a name comes with that name's body.
    """
    found = _PREFERENCE.search(header)
    if found is None:
        return None
    status = int(found[1])
    names = {code: name for name, code in _NAMED.items()}
    described = {"error": names[status]} if status in names else {"status": status}
    return outcome_of(described, operation, Random(0), era=era)


def _answer(
    described: JSONObject, operation: Operation | None, era: str
) -> tuple[int | None, JSON]:
    if "error" in described:
        return _NAMED[described["error"]], _named(described, operation, era)
    if "status" not in described:
        return None, None
    status = int(described["status"])
    return status, described["body"] if "body" in described else _plain(status, era)


def _named(described: JSONObject, operation: Operation | None, era: str) -> JSONObject:
    error = described["error"]
    status = _NAMED[error]
    body = _plain(status, era)
    if error in _CODED:
        body["code"] = described.get("code") or _own_code(status, operation)
    if error == "validation_errors":
        body["code"] = "validation_errors"
        body["error_details"] = described.get("details", _blamed(operation))
    return body


def _plain(status: int, era: str) -> JSONObject:
    return {"status": status, "error": text_in(era, status, _phrase(status))}


def _phrase(status: int) -> str:
    if status == 422:
        return "Unprocessable Entity"  # Lago keeps this older phrase.
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _own_code(status: int, operation: Operation | None) -> str:
    if status == 404:
        example = operation.example(404) if operation else None
        return str(example.get("code", _NOWHERE)) if isinstance(example, dict) else _NOWHERE
    scope = operation.scopes[0] if operation and operation.scopes else "organization:write"
    resource, _, mode = scope.partition(":")
    return f"{mode}_action_not_allowed_for_{resource}"


def _blamed(operation: Operation | None) -> JSONObject:
    return {(operation and operation.first_required()) or "base": ["value_is_mandatory"]}


# What cannot happen


def _answers(described: JSONObject) -> bool:
    return "error" in described or "status" in described


def _breaks(described: JSONObject) -> bool:
    return "connection" in described


def _is_without_answer(described: JSONObject) -> bool:
    return not _answers(described) and not _breaks(described)


_RULES: Final[tuple[tuple[str, Callable[[JSONObject], bool], str], ...]] = (
    ("status", lambda said: "error" in said, "an error by name has its own status"),
    ("body", lambda said: "error" in said, "an error by name has its own body"),
    (
        "body",
        lambda said: said.get("status") in (204, 304) and said["body"] != "",
        "an answer of this status has no body",
    ),
    ("body", _is_without_answer, "say the status of the answer"),
    ("headers", _is_without_answer, "say error or status of the answer"),
    ("code", lambda said: said.get("error") not in _CODED, "only forbidden and not_found have one"),
    (
        "details",
        lambda said: said.get("error") != "validation_errors",
        "only validation_errors has them",
    ),
    (
        "connection",
        lambda said: _answers(said) or bool({"headers", "body"} & said.keys()),
        "a connection that breaks carries no answer",
    ),
    (
        "when",
        lambda said: said["when"] == "after" and _is_without_answer(said),
        "say what takes the place of the answer: error, status or connection",
    ),
    ("delay_ms", lambda said: Wait.of(said["delay_ms"]).is_backwards, "min is greater than max"),
)
"""Words that mean nothing beside others: the word, whether it is so, and the text that says so."""

_OWN_HEADERS: Final = (
    "content-length",
    "transfer-encoding",
    "connection",
    "date",
    "x-lago-mock",
    "x-request-id",
    "x-runtime",
)
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\xa0-\xff]*")


def happens(described: JSONObject) -> bool:
    """Tell whether anything at all is said to happen."""
    return any(word in described for word in _HAPPENINGS)


def contradictions(described: JSONObject) -> Iterator[tuple[str, str]]:
    """Yield each word of an outcome that cannot be, and why, in words."""
    for word, is_wrong, text in _RULES:
        if word in described and is_wrong(described):
            yield word, text
    for name, value in described.get("headers", {}).items():
        if name.lower() in _OWN_HEADERS or not _HEADER.fullmatch(f"{name}: {value}"):
            yield "headers", f"{name!r} cannot be sent"
