"""Webhooks in the hands of a test: received in its process, waited for, verified."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import httpx
import pytest

from lago_mock.client import AdminError
from lago_mock.testing import receiver
from lago_mock.testing.handle import LagoMock
from lago_mock.testing.receiver import SignatureError, Webhook

SECONDS = 10


@pytest.fixture
def lago(server: str, admin: httpx.Client) -> Iterator[LagoMock]:
    with LagoMock(server, organization={"fixtures": "empty"}) as lago:
        yield lago


@pytest.fixture
def received() -> Queue[Webhook]:
    return Queue()


def create(lago: LagoMock, external_id: str = "acct-1") -> None:
    headers = {"Authorization": f"Bearer {lago.api_key}"}
    body = {"customer": {"external_id": external_id, "name": "Æsh & <Oak>"}}
    httpx.post(f"{lago.api_url}/customers", json=body, headers=headers).raise_for_status()


def test_a_webhook_is_handed_to_a_callable(lago: LagoMock, received: Queue[Webhook]) -> None:
    with lago.on_webhook(received.put):
        create(lago)
        webhook = received.get(timeout=SECONDS)

    assert webhook.type == "customer.created"
    assert webhook.object["external_id"] == "acct-1"
    assert webhook.content["organization_id"] == lago.organization_id
    assert lago.perform("findAllWebhookEndpoints")["webhook_endpoints"] == []


def test_only_the_types_that_are_wanted_are_handed(
    lago: LagoMock, received: Queue[Webhook]
) -> None:
    with lago.on_webhook(received.put, event_types=["customer.updated"]):
        create(lago)
        create(lago)
        assert received.get(timeout=SECONDS).type == "customer.updated"
        assert received.empty()


def test_a_callable_that_raises_fails_the_delivery(lago: LagoMock) -> None:
    def broken(_webhook: Webhook) -> None:
        raise ValueError("no room")

    with lago.on_webhook(broken):
        create(lago)
        (delivery,) = lago.wait_for_webhook("customer.created", state="retrying", timeout=SECONDS)

        with pytest.raises(AssertionError) as caught:
            lago.wait_for_webhook("customer.created", timeout=0)

    assert [(each["status"], each["answer"]) for each in delivery["attempts"]] == [
        (500, "ValueError: no room")
    ]
    assert str(caught.value).endswith(": retrying (500 ValueError: no room)")


def test_a_receiver_that_is_refused_listens_no_more(lago: LagoMock) -> None:
    before = threading.active_count()

    with pytest.raises(AdminError, match="event_types"):
        lago.on_webhook(print, event_types=["customer.craeted"])

    assert threading.active_count() == before


def test_a_receiver_ends_although_its_server_has(received: Queue[Webhook]) -> None:
    before = threading.active_count()
    with LagoMock(organization={"fixtures": "empty"}) as lago:
        receiver = lago.on_webhook(received.put)

    with pytest.raises(AdminError, match="no answer from lago-mock"):
        receiver.close()

    assert threading.active_count() == before


@pytest.mark.skipif(sys.platform != "linux", reason="others have one loopback address alone")
def test_a_receiver_is_found_by_another_address_of_its_machine(
    lago: LagoMock, received: Queue[Webhook]
) -> None:
    with lago.on_webhook(received.put, host="127.0.0.2") as receiver:
        create(lago)
        assert received.get(timeout=SECONDS).headers["host"] in receiver.url

    assert receiver.url.startswith("http://127.0.0.2:")


@pytest.mark.parametrize("algorithm", ["jwt", "hmac"])
def test_a_webhook_that_lago_has_signed_is_verified(
    lago: LagoMock, received: Queue[Webhook], algorithm: Any
) -> None:
    with lago.on_webhook(received.put, signature_algo=algorithm):
        create(lago)
        webhook = received.get(timeout=SECONDS)

    assert lago.verify_webhook(webhook.headers, webhook.body) == webhook.content
    upper = {name.title(): value for name, value in webhook.headers.items()}
    assert lago.verify_webhook(upper, webhook.body) == webhook.content
    for other in (webhook.body.replace(b"acct-1", b"acct-2"), b"\xff"):
        with pytest.raises(SignatureError, match=r"another body"):
            lago.verify_webhook(webhook.headers, other)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_signature_that_is_wrong_is_explained(lago: LagoMock, received: Queue[Webhook]) -> None:
    with lago.on_webhook(received.put):
        create(lago)
        webhook = received.get(timeout=SECONDS)
    token = webhook.headers["x-lago-signature"]
    claims, proof = token.split(".")[1:]

    for changes, reason in (
        ({"x-lago-signature": ""}, "the header x-lago-signature is missing"),
        ({"x-lago-unique-key": ""}, "the header x-lago-unique-key is missing"),
        (
            {"x-lago-signature-algorithm": "none"},
            "there is no algorithm 'none', but jwt and hmac",
        ),
        (
            {"x-lago-signature": f"{segment({'alg': 'none'})}.{claims}.{proof}"},
            "the token is signed with 'none', not RS256",
        ),
        (
            {"x-lago-signature": f"{segment({'alg': 'RS256'})}.{segment({})}.{proof}"},
            "the token is not signed with this server's key",
        ),
        (
            {"x-lago-signature": f"{segment({})}.{proof}"},
            "the signature is no JSON Web Token: not enough values to unpack (expected 2, got 1)",
        ),
        (
            {"x-lago-signature": f"{token[:-8]}AAAAAAAA"},
            "the token is not signed with this server's key",
        ),
        (
            {"x-lago-signature": f"a.b.{proof}"},
            "the signature is no JSON Web Token: 'a' is no Base64",
        ),
        (
            {"x-lago-signature": f"{segment({'alg': 'RS256'})}.{segment(['d'])}.{proof}"},
            "the signature is no JSON Web Token: 'WyJkIl0' is no object",
        ),
    ):
        with pytest.raises(SignatureError) as caught:
            lago.verify_webhook({**webhook.headers, **changes}, webhook.body)
        assert str(caught.value) == reason


def test_any_webhook_is_sent_on_command_and_listed(
    lago: LagoMock, received: Queue[Webhook]
) -> None:
    with lago.on_webhook(received.put):
        (sent,) = lago.send_webhook("invoice.created", {"number": "TAL-1"})
        webhook = received.get(timeout=SECONDS)
        (delivery,) = lago.wait_for_webhook("invoice.created", timeout=SECONDS)

    assert (webhook.type, webhook.object["number"]) == ("invoice.created", "TAL-1")
    assert delivery["id"] == sent["id"]
    assert [each["type"] for each in lago.webhooks()] == ["invoice.created"]
    assert lago.webhooks("customer.created") == []
    assert lago.webhooks(state="failed") == []


def test_without_an_object_an_example_is_sent(lago: LagoMock, received: Queue[Webhook]) -> None:
    with lago.on_webhook(received.put):
        lago.send_webhook("wallet.depleted_ongoing_balance")
        assert received.get(timeout=SECONDS).object["lago_id"]


def test_a_webhook_that_does_not_come_is_explained(
    lago: LagoMock, received: Queue[Webhook]
) -> None:
    with pytest.raises(AssertionError) as caught:
        lago.wait_for_webhook("customer.created", timeout=0.05)
    assert str(caught.value) == (
        "0 webhooks with type customer.created, state succeeded came in 0.05 s, not 1; "
        "there were:\n  none"
    )

    with lago.on_webhook(received.put) as receiver:
        create(lago)
        received.get(timeout=SECONDS)
        lago.wait_for_webhook(timeout=SECONDS)
        with pytest.raises(AssertionError) as caught:
            lago.wait_for_webhook("customer.updated", timeout=0.05)
    assert str(caught.value).endswith(f"\n  customer.created to {receiver.url}: succeeded")


def test_a_wait_may_be_longer_than_the_server_lets_a_call_wait(
    lago: LagoMock, received: Queue[Webhook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "_LONGEST_WAIT", 0.01)
    with pytest.raises(AssertionError, match=r"^0 webhooks .+ came in 0\.05 s, not 1"):
        lago.wait_for_webhook(timeout=0.05)
    monkeypatch.undo()

    with lago.on_webhook(received.put):
        create(lago)
        lago.wait_for_webhook(timeout=1000)


def test_a_refused_target_says_why(lago: LagoMock) -> None:
    endpoint = {"webhook_endpoint": {"webhook_url": "https://192.0.2.1/hooks"}}
    lago.perform("createWebhookEndpoint", endpoint)
    create(lago)

    lago.wait_for_webhook(state="refused", timeout=SECONDS)
    with pytest.raises(AssertionError, match=r"https://192\.0\.2\.1/hooks: refused \(.+\)"):
        lago.wait_for_webhook(timeout=0.05)


def test_a_receiver_outlives_its_organization(lago: LagoMock, received: Queue[Webhook]) -> None:
    receiver = lago.on_webhook(received.put)
    lago.reset()
    receiver.close()


def test_a_webhook_of_no_type_is_refused(lago: LagoMock) -> None:
    with pytest.raises(AdminError, match=r"did you mean invoice\.created\?"):
        lago.send_webhook("invoice.craeted")
