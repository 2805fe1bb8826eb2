"""The organizations of the server and their keys: made, changed, removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.clock import instant_of, shown
from lago_mock.errors import Forbidden, NotFound, Problem, ValidationFailed
from lago_mock.grants import is_key, why_no_integration, why_no_resource
from lago_mock.redaction import cut
from lago_mock.sandbox import Sandbox
from lago_mock.store.tables import Row
from lago_mock.tenants import MAX_ORGANIZATIONS, TooManyOrganizations
from lago_mock.wire import JSONObject

_COLUMNS: Final = ("name", "license", "premium_integrations", "hmac_key")
_RIGHTS: Final = ("expires_at", "permissions")


def list_organizations(call: AdminCall) -> JSONObject:
    """Answer `listOrganizations`: the first made first; with a key its organization alone."""
    sandboxes = [call.sandbox] if call.sandbox else call.server.tenants
    return {"organizations": [_shown(call, each) for each in sandboxes]}


def add_organization(call: AdminCall) -> JSONObject:
    """Answer `addOrganization`: the only answer that shows its key, as `api_key`.

    Raises:
        Forbidden: 403 `whole_server_only`.
        Unknown: 404 `fixtures_not_found`.
        ValidationFailed: 422, a key that somebody has, a name of something that there is not, or
            there are as many organizations as can be.
    """
    if call.sandbox:
        raise Forbidden("whole_server_only")
    tenants, body = call.server.tenants, call.body
    _refuse([*_problems(body), *_key_problems(call, "api_key")])
    call.server.check_set(body.get("fixtures"))
    key = tenants.new_key(body.get("api_key"), **_part(body, _RIGHTS))
    try:
        sandbox = tenants.add(_part(body, (*_COLUMNS, "fixtures")), key)
    except TooManyOrganizations as error:
        text = f"there are {MAX_ORGANIZATIONS}, and no more can be"
        raise ValidationFailed.of("organizations", text) from error
    return {**_shown(call, sandbox), "api_key": key["value"]}


def _part(body: JSONObject, names: Iterable[str]) -> JSONObject:
    return {name: body[name] for name in names if name in body}


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise ValidationFailed(problems)


def _problems(body: JSONObject) -> Iterator[Problem]:
    """Yield what is wrong with what an organization is to be."""
    if not body.get("name", "x").strip():
        yield _problem("name", "value_is_mandatory")
    for name in body.get("premium_integrations") or ():
        if why := why_no_integration(name):
            yield _problem("premium_integrations", why)


def _key_problems(call: AdminCall, field: str) -> Iterator[Problem]:
    """Yield what is wrong with a key to be; `field` is where its value stands in the body."""
    value = call.body.get(field, "x")
    if not is_key(value):
        yield _problem(field, "value_is_invalid")
    elif field in call.body and call.server.tenants.is_key_taken(value):
        yield _problem(field, "value_already_exist")
    for name in call.body.get("permissions") or ():
        if why := why_no_resource(name):
            yield _problem("permissions", why)
    if expires_at := call.body.get("expires_at"):
        try:
            instant_of(expires_at)
        except ValueError as error:  # a leap second
            yield _problem("expires_at", str(error))


def _problem(field: str, text: str) -> Problem:
    return Problem(field, text, text, (field,))


def get_organization(call: AdminCall) -> JSONObject:
    """Answer `getOrganization`.

    Raises:
        NotFound: 404 `organization_not_found`.
    """
    return _shown(call, _sandbox(call))


def change_organization(call: AdminCall) -> JSONObject:
    """Answer `changeOrganization`: a reset takes the change back; the slug stays with the name.

    Raises:
        NotFound: 404 `organization_not_found`.
        ValidationFailed: 422, an integration that there is not.
    """
    sandbox = _sandbox(call)
    _refuse(list(_problems(call.body)))
    if "license" in call.body:
        sandbox.own.pop("license", None)  # what was set last holds
    call.server.tenants.change(call.path["id"], call.body)
    return _shown(call, sandbox)


def remove_organization(call: AdminCall) -> JSONObject:
    """Answer `removeOrganization`: what was in flight there writes nothing.

    Raises:
        NotFound: 404 `organization_not_found`.
        ValidationFailed: 422, it is the first one.
    """
    sandbox = _sandbox(call)
    if _is_first(_row(call)):
        raise ValidationFailed.of("id", "the first organization stays; a reset takes it back")
    call.server.tenants.remove(sandbox)
    return dict(DONE)


def _sandbox(call: AdminCall) -> Sandbox:
    """Return the organization that the path names; with a key there is no other than its own."""
    sandbox = call.server.tenants.by_id(call.path["id"])
    if sandbox is None or call.sandbox not in (None, sandbox):
        raise NotFound("organization_not_found")
    return sandbox


def _row(call: AdminCall) -> Row:
    return call.server.tenants.row(_sandbox(call).facts.organization_id)


def _is_first(row: Row) -> bool:
    return not row.get("temporary")


def _shown(call: AdminCall, sandbox: Sandbox) -> JSONObject:
    row = call.server.tenants.row(sandbox.facts.organization_id)
    return {
        "id": row["lago_id"],
        "name": row["name"],
        "slug": row["slug"],
        "created_at": shown(row["created_at"]),
        "license": sandbox.rules.license,
        "premium_integrations": row.get("premium_integrations"),
        "hmac_key": row["hmac_key"],
        "fixtures": row.get("fixtures", call.server.tenants.fixtures.name),
        "first": _is_first(row),
        "keys": _shown_keys(row),
    }


def _shown_keys(row: Row) -> list[JSONObject]:
    return [_shown_key(key) for key in row["api_keys"]]


def _shown_key(key: JSONObject) -> JSONObject:
    return {
        "id": key["lago_id"],
        "name": key.get("name"),
        "value": cut(key["value"]),
        "expires_at": key.get("expires_at"),
        "permissions": key.get("permissions"),
    }


def list_keys(call: AdminCall) -> JSONObject:
    """Answer `listKeys`: the first made first.

    Raises:
        NotFound: 404 `organization_not_found`.
    """
    return {"keys": _shown_keys(_row(call))}


def add_key(call: AdminCall) -> JSONObject:
    """Answer `addKey`: the only answer that shows the whole of it.

    Raises:
        NotFound: 404 `organization_not_found`.
        ValidationFailed: 422, somebody has it, or a resource that there is not.
    """
    row = _row(call)
    _refuse(list(_key_problems(call, "value")))
    tenants = call.server.tenants
    key = tenants.new_key(call.body.get("value"), **_part(call.body, ("name", *_RIGHTS)))
    tenants.change(row["lago_id"], {"api_keys": [*row["api_keys"], key]})
    return {**_shown_key(key), "value": key["value"]}


def change_key(call: AdminCall) -> JSONObject:
    """Answer `changeKey`: it holds from the next request on.

    Raises:
        NotFound: 404 `organization_not_found` or `key_not_found`.
        ValidationFailed: 422, a resource that there is not.
    """
    row, key = _row_and_key(call)
    _refuse(list(_key_problems(call, "value")))
    changed = {**key, **call.body}
    keys = [changed if each is key else each for each in row["api_keys"]]
    call.server.tenants.change(row["lago_id"], {"api_keys": keys})
    return _shown_key(changed)


def remove_key(call: AdminCall) -> JSONObject:
    """Answer `removeKey`: it opens nothing any more.

    Raises:
        NotFound: 404 `organization_not_found` or `key_not_found`.
        ValidationFailed: 422, it is the only one.
    """
    row, key = _row_and_key(call)
    keys = [each for each in row["api_keys"] if each is not key]
    if not keys:
        raise ValidationFailed.of("key_id", "the only key of an organization stays")
    call.server.tenants.change(row["lago_id"], {"api_keys": keys})
    return dict(DONE)


def _row_and_key(call: AdminCall) -> tuple[Row, JSONObject]:
    row = _row(call)
    for key in row["api_keys"]:
        if key["lago_id"] == call.path["key_id"]:
            return row, key
    raise NotFound("key_not_found")


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listOrganizations": list_organizations,
        "addOrganization": add_organization,
        "getOrganization": get_organization,
        "changeOrganization": change_organization,
        "removeOrganization": remove_organization,
        "listKeys": list_keys,
        "addKey": add_key,
        "changeKey": change_key,
        "removeKey": remove_key,
    }
)
