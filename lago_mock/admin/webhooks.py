"""Webhooks: what was sent and what came of it, webhooks on command, and webhooks that go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.admin.requests import number_in
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.likeness import closest, did_you_mean
from lago_mock.notice import Notice
from lago_mock.pointers import pointer
from lago_mock.webhooks.delivery import Delivery
from lago_mock.webhooks.faults import DEFAULT_DELAY_MS, WebhookFault
from lago_mock.webhooks.outbox import Outbox
from lago_mock.wire import JSONObject

_MAX_WAIT_MS: Final = 300_000


async def list_webhooks(call: AdminCall) -> JSONObject:
    """Answer `listWebhooks`: the oldest first; waits for `count` of them where that is wished.

    Raises:
        ValidationFailed: 422, a filter with a value that cannot be.
    """
    milliseconds = number_in(call, "timeout_ms", 0, _MAX_WAIT_MS) or 0
    count = number_in(call, "count", 0, 10**6)
    if milliseconds:
        wanted = 1 if count is None else count
        courier = call.server.tenants.courier
        await courier.wait_until(lambda: len(_found(call)) >= wanted, milliseconds / 1000)
    found = _found(call)
    shown = [delivery.shown(outbox.organization_id) for outbox, delivery in found]
    return {"webhooks": shown, "meta": {"total": len(shown)}}


def _found(call: AdminCall) -> list[tuple[Outbox, Delivery]]:
    wanted, state = call.query.get("type"), call.query.get("state")
    endpoint, attempts = call.query.get("endpoint"), number_in(call, "attempts", 0, 10**6) or 0
    return [
        (outbox, each)
        for outbox in _outboxes(call)
        for each in outbox
        if wanted in (None, each.type)
        and state in (None, each.state)
        and endpoint in (None, each.endpoint_id, each.url)
        and len(each.attempts) >= attempts
    ]


def _outboxes(call: AdminCall) -> Iterator[Outbox]:
    for sandbox in [call.sandbox] if call.sandbox else call.server.tenants:
        yield sandbox.outbox


def _outbox(call: AdminCall) -> Outbox:
    """Return the outbox of the call's organization; of the first one where it names none."""
    return next(_outboxes(call))


def send_webhook(call: AdminCall) -> JSONObject:
    """Answer `sendWebhook`: to the endpoints that want the type, or to the one named.

    Raises:
        ValidationFailed: 422, the object breaks the document's schema, no object is given of a type
            that the document does not have, or there is no such endpoint.
    """
    outbox, name = _outbox(call), call.body.get("fault")
    fault = WebhookFault(call.server.tenants.clock.new_id(), name) if name else None
    if fault:
        fault.delay_ms = call.body.get("delay_ms", DEFAULT_DELAY_MS)
    store = call.server.operations.store
    view = store.view(outbox.organization_id)
    notices = [_notice(call, outbox.organization_id)]
    staged = outbox.stage(view, notices, endpoint=call.body.get("endpoint"), fault=fault)
    store.commit(view)
    outbox.queue(staged)
    shown = [each.shown(outbox.organization_id) for each in staged]
    return {"webhooks": shown, "meta": {"total": len(shown)}}


def _notice(call: AdminCall, organization_id: str) -> Notice:
    """Return what is to be sent: the object given, over the example of the document."""
    name, given = call.body["type"], call.body.get("object")
    types = call.server.operations.contract.webhooks
    known = types.get(name)
    if known is None:
        if given is None:
            advice = did_you_mean(closest(name, types))
            what = f"no webhook {name}; one of your own needs an object{advice}"
            raise ValidationFailed.of("type", what)
        return Notice(name, call.body.get("object_type", name.partition(".")[0]), given)
    content = {**known.example, **(given or {})}
    problems = [
        Problem(pointer(*path), f"{keyword}: {message}", keyword, path)
        for path, keyword, message in known.problems(organization_id, content)
    ]
    if problems:
        raise ValidationFailed(problems)
    return Notice(name, known.object_type, content)


def clear_webhooks(call: AdminCall) -> JSONObject:
    """Answer `clearWebhooks`: what is under way is broken off.

    Raises:
        StoreUnwritable: 500, the disk refused it.
    """
    for outbox in _outboxes(call):
        outbox.clear()
    return dict(DONE)


def get_webhook(call: AdminCall) -> JSONObject:
    """Answer `getWebhook`.

    Raises:
        NotFound: 404 `webhook_not_found`.
    """
    outbox, delivery = _one(call)
    return delivery.shown(outbox.organization_id)


def _one(call: AdminCall) -> tuple[Outbox, Delivery]:
    for outbox in _outboxes(call):
        delivery = outbox.get(call.path["id"])
        if delivery is not None:
            return outbox, delivery
    raise NotFound("webhook_not_found")


def forget_webhook(call: AdminCall) -> JSONObject:
    """Answer `forgetWebhook`: there are no more attempts.

    Raises:
        NotFound: 404 `webhook_not_found`.
        StoreUnwritable: 500, the disk refused it.
    """
    outbox, delivery = _one(call)
    outbox.forget(delivery)
    return dict(DONE)


def retry_webhook(call: AdminCall) -> JSONObject:
    """Answer `retryWebhook`: it is sent now, with the same key, whatever became of it.

    Raises:
        NotFound: 404 `webhook_not_found`.
    """
    outbox, delivery = _one(call)
    outbox.retry(delivery)
    return delivery.shown(outbox.organization_id)


def list_webhook_faults(call: AdminCall) -> JSONObject:
    """Answer `listWebhookFaults`: in the order they are taken in."""
    return {"faults": [fault.shown() for outbox in _outboxes(call) for fault in outbox.faults]}


def add_webhook_fault(call: AdminCall) -> JSONObject:
    """Answer `addWebhookFault`."""
    fault = WebhookFault(call.server.tenants.clock.new_id(), **call.body)
    _outbox(call).faults.add(fault)
    return fault.shown()


def clear_webhook_faults(call: AdminCall) -> JSONObject:
    """Answer `clearWebhookFaults`."""
    for outbox in _outboxes(call):
        outbox.faults.clear()
    return dict(DONE)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listWebhooks": list_webhooks,
        "sendWebhook": send_webhook,
        "clearWebhooks": clear_webhooks,
        "getWebhook": get_webhook,
        "forgetWebhook": forget_webhook,
        "retryWebhook": retry_webhook,
        "listWebhookFaults": list_webhook_faults,
        "addWebhookFault": add_webhook_fault,
        "clearWebhookFaults": clear_webhook_faults,
    }
)
