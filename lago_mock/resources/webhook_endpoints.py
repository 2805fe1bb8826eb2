"""Webhook endpoints: where webhooks go, at most ten of them.

Rules: lago-api, app/services/webhook_endpoints/ and app/models/webhook_endpoint.rb.
"""

from __future__ import annotations

from lago_mock.clock import shown
from lago_mock.columns import ID, MOMENT, SHOWN, TEXT, Columns
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.listing import listing
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject

_LIMIT = 10
_TOO_MANY = "Maximum number of webhook endpoints was reached"


def present(call: Call, row: FrozenRow) -> JSONObject:
    """Return the `WebhookEndpointObject` of a row."""
    return {
        "lago_id": row["lago_id"],
        "lago_organization_id": call.view.organization_id,
        "webhook_url": row["webhook_url"],
        "signature_algo": row["signature_algo"],
        "name": row["name"],
        "event_types": row["event_types"],
        "created_at": shown(row["created_at"]),
    }


def find_all_webhook_endpoints(call: Call) -> JSONObject:
    """Answer `findAllWebhookEndpoints`: a page, newest first."""
    return listing(call, "webhook_endpoints")


def find_webhook_endpoint(call: Call) -> JSONObject:
    """Answer `findWebhookEndpoint`.

    Raises:
        NotFound: 404 `webhook_endpoint_not_found`.
    """
    return {"webhook_endpoint": present(call, _endpoint(call))}


def _endpoint(call: Call) -> Row:
    row = call.view.get("webhook_endpoints", call.path["lago_id"].lower())
    if row is None:
        raise NotFound("webhook_endpoint_not_found")
    return row


def create_webhook_endpoint(call: Call) -> JSONObject:
    """Answer `createWebhookEndpoint`.

    Raises:
        ValidationFailed: 422; an address that there is already is `value_already_exist`, and the
            eleventh endpoint is refused under `base`.
    """
    if "webhook_url" not in call.body:
        call.problems.append(Problem("webhook_url", "url_is_invalid", "format", ("webhook_url",)))
    call.refuse_all()
    if call.view.count("webhook_endpoints") >= _LIMIT:
        raise ValidationFailed.of("base", _TOO_MANY)
    defaults = {"signature_algo": "jwt", "name": None, "event_types": None}
    row = {"lago_id": call.new_id(), **defaults, **_given(call), "created_at": call.now()}
    return _saved(call, row)


def update_webhook_endpoint(call: Call) -> JSONObject:
    """Answer `updateWebhookEndpoint`: only the keys present in the body change.

    Raises:
        NotFound: 404 `webhook_endpoint_not_found`.
        ValidationFailed: 422.
    """
    row = _endpoint(call)
    call.refuse_all()
    return _saved(call, row | _given(call))


def _given(call: Call) -> JSONObject:
    given = dict(call.body)
    if given.get("event_types") == ["*"]:
        given["event_types"] = None
    return given


def _saved(call: Call, row: Row) -> JSONObject:
    other = call.find("webhook_endpoints", row["webhook_url"])
    if other is not None and other["lago_id"] != row["lago_id"]:
        raise ValidationFailed.of("webhook_url", "value_already_exist")
    call.view.put("webhook_endpoints", row)
    return {"webhook_endpoint": present(call, row)}


def destroy_webhook_endpoint(call: Call) -> JSONObject:
    """Answer `destroyWebhookEndpoint`: the endpoint as it was.

    Raises:
        NotFound: 404 `webhook_endpoint_not_found`.
    """
    row = _endpoint(call)
    call.view.discard("webhook_endpoints", row, call.now())
    return {"webhook_endpoint": present(call, row)}


RESOURCE = Resource(
    name="webhook_endpoint",
    plural="webhook_endpoints",
    key="webhook_url",
    operations={
        "findAllWebhookEndpoints": find_all_webhook_endpoints,
        "findWebhookEndpoint": find_webhook_endpoint,
        "createWebhookEndpoint": create_webhook_endpoint,
        "updateWebhookEndpoint": update_webhook_endpoint,
        "destroyWebhookEndpoint": destroy_webhook_endpoint,
    },
    present=present,
    made_by="createWebhookEndpoint",
    columns=Columns(
        {
            "lago_id": ID,
            "webhook_url": TEXT,
            "signature_algo": SHOWN,
            "name": SHOWN,
            "event_types": SHOWN,
            "created_at": MOMENT,
        }
    ),
)
