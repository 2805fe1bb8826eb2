"""The rows as a whole: back to a fixture set, as JSON and back, and on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.pointers import pointer
from lago_mock.redaction import is_whole
from lago_mock.saved_state import VERSION, SavedOrganization, saved
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject

_TAKEN: Final = "value_already_exist"


def reset(call: AdminCall) -> JSONObject:
    """Answer `reset`: rows of the fixture set, no faults, no requests; nothing in flight writes.

    Raises:
        Unknown: 404 `fixtures_not_found`.
    """
    name = call.body.get("fixtures")
    call.server.check_set(name)
    call.server.tenants.reset(call.sandbox, name)
    return dict(DONE)


def get_state(call: AdminCall) -> JSONObject:
    """Answer `getState`: without secrets, and without deleted rows."""
    tenants, store = call.server.tenants, call.server.operations.store
    sandboxes = [call.sandbox] if call.sandbox else tenants
    ids = [each.facts.organization_id for each in sandboxes]
    resources = call.server.fixtures.resources
    organizations = [saved(tenants.row(each), store.state(each), resources) for each in ids]
    return {"version": VERSION, "organizations": organizations}


def put_state(call: AdminCall) -> JSONObject:
    """Answer `putState`: all of it or nothing; the answer shows the keys that were made.

    Raises:
        ValidationFailed: 422, a row that the API could not show, or several organizations where
            one is meant; the fields are JSON pointers.
        StoreUnwritable: 500, the disk refused it.
    """
    given = call.server.fixtures.judge.read(call.body)
    if call.sandbox and len(given) > 1:
        what = "a key is of one organization; leave it out to replace all of them"
        raise ValidationFailed([_problem(what, "maxItems", 1)])
    given = [_with_secrets(call, each) for each in given]
    problems = list(_clashes(call, given))
    if problems:
        raise ValidationFailed(problems)
    before = {row["lago_id"] for row in call.server.operations.store.organizations()}
    call.server.tenants.load(call.sandbox, given)
    made = [
        {"organization": each.row["lago_id"], "id": key["lago_id"], "value": key["value"]}
        for each in given
        if not call.sandbox and each.row["lago_id"] not in before
        for key in each.row["api_keys"]
    ]
    return {**DONE, "api_keys": made}


def _with_secrets(call: AdminCall, given: SavedOrganization) -> SavedOrganization:
    """Return an organization with keys that are whole: those given, and new ones for the others."""
    new_key = call.server.tenants.new_key
    keys = [
        key if is_whole(key["value"]) else {**key, "value": new_key()["value"]}
        for key in given.row.get("api_keys", [])
    ]
    secrets = {"hmac_key": new_key()["value"], **given.row, "api_keys": keys or [new_key()]}
    return replace(given, row=secrets)


def _clashes(call: AdminCall, given: Sequence[SavedOrganization]) -> Iterator[Problem]:
    """Yield what organizations have against each other: ids, slugs and keys are of one alone."""
    tenants = call.server.tenants
    if call.sandbox:
        if tenants.is_slug_taken(given[0].row["slug"], call.organization_id):
            yield _problem(_TAKEN, "unique", 0, "organization", "slug")
        return
    seen: set[tuple[str, str]] = set()
    for index, each in enumerate(given):
        for place, kind, value in _own(call, each.row):
            if (kind, value) in seen:
                yield _problem(_TAKEN, "unique", index, "organization", *place)
            seen.add((kind, value))


def _own(call: AdminCall, row: Row) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield what only one organization may have: where it stands, what it is, and its value."""
    sandbox = call.server.tenants.by_id(row["lago_id"])
    kept = call.server.tenants.row(row["lago_id"]) if sandbox else row
    yield ("lago_id",), "id", row["lago_id"]
    yield ("slug",), "slug", row["slug"]
    for index, key in enumerate(kept["api_keys"]):
        yield ("api_keys", index, "value"), "key", key["value"]


def _problem(text: str, keyword: str, *place: str | int) -> Problem:
    steps = ("organizations", *place)
    return Problem(pointer(*steps), text, keyword, steps)


def get_store(call: AdminCall) -> JSONObject:
    """Answer `getStore`: where the rows are kept."""
    return call.server.operations.store.about()


def compact_store(call: AdminCall) -> JSONObject:
    """Answer `compactStore`: the state file is written anew, while requests go on.

    Raises:
        StoreUnwritable: 500, the disk refused it; nothing has changed.
    """
    call.server.operations.store.compact()
    return get_store(call)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "reset": reset,
        "getState": get_state,
        "putState": put_state,
        "getStore": get_store,
        "compactStore": compact_store,
    }
)
