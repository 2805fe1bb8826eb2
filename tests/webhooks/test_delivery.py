"""Webhooks over sockets: from a customer's write to what a receiver gets of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lago_mock.app import build, load_contract
from lago_mock.clock import ServerClock
from lago_mock.contract.webhooks import WebhookType
from lago_mock.resources import load_resources
from lago_mock.settings import Settings
from lago_mock.webhooks import outbox
from tests.conftest import API_KEY, running
from tests.process import serving
from tests.webhooks.receiver import Got, Receiver


def subscribe(client: httpx.Client, url: str, **more: Any) -> str:
    body = {"webhook_endpoint": {"webhook_url": url, **more}}
    answer = client.post("/webhook_endpoints", json=body).raise_for_status().json()
    return str(answer["webhook_endpoint"]["lago_id"])


def write(client: httpx.Client, external_id: str, **more: Any) -> dict[str, Any]:
    body = {"customer": {"external_id": external_id, **more}}
    answer = client.post("/customers", json=body).raise_for_status().json()
    return answer["customer"]  # type: ignore[no-any-return]


def awaited(admin: httpx.Client, count: int = 1, **filters: Any) -> list[dict[str, Any]]:
    """Return the webhooks, once there are so many."""
    params = {"count": count, "timeout_ms": 10_000, **filters}
    answer = admin.get("/webhooks", params=params, timeout=20).raise_for_status().json()
    assert answer["meta"]["total"] >= count, answer
    return answer["webhooks"]  # type: ignore[no-any-return]


def public_key(client: httpx.Client) -> Any:
    text = client.get("/webhooks/json_public_key").raise_for_status().json()
    return load_pem_public_key(base64.b64decode(text["webhook"]["public_key"]))


def claims(client: httpx.Client, got: Got) -> dict[str, Any]:
    token = got.headers["x-lago-signature"]
    return jwt.decode(token, public_key(client), algorithms=["RS256"])


# Which webhooks there are


def test_a_new_customer_is_told_as_created_and_an_old_one_as_updated(
    client: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)

    write(client, "a")
    write(client, "a")

    types = [got.json["webhook_type"] for got in receiver.wait(2)]
    assert types == ["customer.created", "customer.updated"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(
            {"payment_provider": "stripe", "sync_with_provider": True},
            ["customer.payment_provider_created"],
            id="made at the provider",
        ),
        pytest.param(
            {"payment_provider": "stripe", "provider_customer_id": "cus_1"},
            [],
            id="there before",
        ),
    ],
)
def test_a_customer_that_is_made_at_a_provider_is_told_of_once_more(
    client: httpx.Client,
    admin: httpx.Client,
    receiver: Receiver,
    given: dict[str, Any],
    told: list[str],
) -> None:
    subscribe(client, receiver.url)

    write(client, "a", billing_configuration=given)
    write(client, "a", billing_configuration=given)

    awaited(admin, 2 + len(told), state="succeeded")
    types = [got.json["webhook_type"] for got in receiver.got]
    assert types == ["customer.created", *told, "customer.updated"]


def test_a_customer_that_is_made_in_another_program_is_told_of_once_more(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)
    kinds = ("netsuite", "anrok", "hubspot")

    links = [
        {"integration_type": kind, "integration_code": kind, "sync_with_provider": True}
        for kind in kinds
    ]
    write(client, "a", integration_customers=links)

    awaited(admin, 3, state="succeeded")
    assert [got.json["webhook_type"] for got in receiver.got] == [
        "customer.created",
        "customer.accounting_provider_created",
        "customer.crm_provider_created",
    ]


def test_the_body_has_the_customer_without_taxes_sections_and_errors(
    client: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)

    shown = write(client, "a", name="Ada", metadata=[{"key": "k", "value": "v"}])

    body = receiver.wait(1)[0].json
    assert list(body) == ["webhook_type", "object_type", "organization_id", "customer"]
    assert body["object_type"] == "customer"
    without = ("taxes", "applicable_invoice_custom_sections", "error_details")
    assert body["customer"] == {key: shown[key] for key in shown if key not in without}
    assert list(body["customer"])[-2:] == ["metadata", "integration_customers"]


def test_a_refused_write_is_not_told(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)

    client.post("/customers", json={"customer": {"external_id": "a", "currency": "x"}})
    write(client, "b")
    client.delete("/customers/b").raise_for_status()

    awaited(admin, state="succeeded")
    assert [got.external_id for got in receiver.got] == ["b"]
    assert len(awaited(admin)) == 1


def test_each_endpoint_gets_the_types_that_it_wants(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, f"{receiver.url}/all")
    subscribe(client, f"{receiver.url}/new", event_types=["customer.created"])

    write(client, "a")
    write(client, "a")

    awaited(admin, 3, state="succeeded")
    assert sorted((got.path, got.json["webhook_type"]) for got in receiver.got) == [
        ("/all", "customer.created"),
        ("/all", "customer.updated"),
        ("/new", "customer.created"),
    ]


def test_without_endpoints_nothing_is_queued(client: httpx.Client, admin: httpx.Client) -> None:
    write(client, "a")

    assert admin.get("/webhooks").json() == {"webhooks": [], "meta": {"total": 0}}


def test_organizations_do_not_hear_of_each_other(app: Any, receiver: Receiver) -> None:
    with running(build(Settings(db=":memory:", fixtures="empty", any_key=True))) as url:
        for key in ("one", "two"):
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(base_url=f"{url}/api/v1", headers=headers) as client:
                subscribe(client, f"{receiver.url}/{key}")
                write(client, f"customer-{key}")

        got = receiver.wait(2)

        with httpx.Client(base_url=f"{url}/__admin") as admin:
            awaited(admin, 2, state="succeeded")
            admin.headers["authorization"] = "Bearer one"
            (own,) = awaited(admin)
    assert sorted((each.path, each.external_id) for each in got) == [
        ("/one", "customer-one"),
        ("/two", "customer-two"),
    ]
    assert own["endpoint"]["webhook_url"].endswith("/one")


# How they are signed


def test_the_usual_signature_is_a_token_of_the_exact_body(
    client: httpx.Client, server: str, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)

    write(client, "a", name="Tom & Jérôme <\u2028>")

    got = receiver.wait(1)[0]
    assert b'"name":"Tom \\u0026 J\xc3\xa9r\xc3\xb4me \\u003c\\u2028\\u003e"' in got.body
    assert claims(client, got) == {"data": got.body.decode(), "iss": server}
    assert jwt.get_unverified_header(got.headers["x-lago-signature"]) == {"alg": "RS256"}
    assert got.headers["x-lago-signature-algorithm"] == "jwt"
    assert got.headers["content-type"] == "application/json"


def test_hmac_is_made_with_the_organizations_key(
    client: httpx.Client, app: Any, receiver: Receiver
) -> None:
    subscribe(client, receiver.url, signature_algo="hmac")
    tenants = app.server.tenants
    (sandbox,) = tenants
    key = tenants.row(sandbox.facts.organization_id)["hmac_key"]

    write(client, "a", name="<&>")

    got = receiver.wait(1)[0]
    expected = base64.b64encode(hmac.digest(key.encode(), got.body, hashlib.sha256)).decode()
    assert got.headers["x-lago-signature"] == expected
    assert got.headers["x-lago-signature-algorithm"] == "hmac"


def test_a_token_passes_the_check_of_another_jose_library(
    client: httpx.Client, receiver: Receiver, tool: Callable[[str], str], tmp_path: Path
) -> None:
    """OpenSSL itself, which knows nothing of JWT but RSA and SHA-256."""
    tool("openssl")
    subscribe(client, receiver.url)
    write(client, "a")
    signed, _, signature = receiver.wait(1)[0].headers["x-lago-signature"].rpartition(".")
    pem = client.get("/webhooks/public_key").text
    (tmp_path / "key.pem").write_bytes(base64.b64decode(pem))
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(base64.urlsafe_b64decode(f"{signature}=="))

    command = "openssl dgst -sha256 -verify key.pem -signature signature signed"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True)

    assert done.stdout == "Verified OK\n"


def test_a_key_pair_can_be_given(tmp_path: Path, receiver: Receiver) -> None:
    openssl = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem"
    subprocess.run(openssl.split(), cwd=tmp_path, check=True, capture_output=True)
    pem = subprocess.check_output(["openssl", "pkey", "-in", tmp_path / "key.pem", "-pubout"])

    flags = ("--fixtures", "empty", "--webhook-key", str(tmp_path / "key.pem"))
    with serving(tmp_path, *flags) as server, api(server.url) as client:
        subscribe(client, receiver.url)
        write(client, "a")
        token = receiver.wait(1)[0].headers["x-lago-signature"]
        shown = base64.b64decode(client.get("/webhooks/public_key").text)

    assert shown == pem
    assert jwt.decode(token, load_pem_public_key(pem), algorithms=["RS256"])["iss"] == server.url  # type: ignore[arg-type]


# Order, failures, retries


def test_first_attempts_come_in_the_order_of_the_writes_one_at_a_time(
    client: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)

    for number in range(30):
        write(client, f"c{number}")

    got = receiver.wait(30)
    assert [each.external_id for each in got] == [f"c{number}" for number in range(30)]
    assert receiver.most_open == 1


@pytest.fixture
def clock(client: httpx.Client, app: Any) -> ServerClock:
    """The server's clock, standing."""
    clock: ServerClock = app.server.tenants.clock
    clock.freeze(clock.now())
    return clock


def test_a_failure_is_tried_again_after_3_and_18_seconds_with_the_same_key(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.extend([500, 404, 201])
    subscribe(client, receiver.url)
    write(client, "a")

    (waiting,) = awaited(admin, state="retrying")
    clock.advance(2.9)
    assert len(receiver.wait(1)) == 1
    clock.advance(0.3)
    awaited(admin, state="retrying", attempts=2)
    clock.advance(20.5)
    receiver.wait(3)

    (done,) = awaited(admin, state="succeeded")
    assert [each["status"] for each in done["attempts"]] == [500, 404, 201]
    assert done["attempts"][0]["answer"] == "answered 500"
    assert len({got.headers["x-lago-unique-key"] for got in receiver.got}) == 1
    assert {got.headers["x-lago-unique-key"] for got in receiver.got} == {done["id"]}
    assert len({got.headers["x-lago-signature"] for got in receiver.got}) == 1
    assert waiting["next_attempt_at"] is not None
    assert done["next_attempt_at"] is None


def test_three_failures_are_the_end(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.extend([500] * 3)
    subscribe(client, receiver.url)
    write(client, "a")

    for attempts in (1, 2, 3):
        awaited(admin, attempts=attempts)
        clock.advance(60)

    (done,) = awaited(admin, state="failed")
    assert (len(done["attempts"]), done["next_attempt_at"]) == (3, None)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_four_statuses_are_a_success(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver, status: int
) -> None:
    receiver.statuses.append(status)
    subscribe(client, receiver.url)

    write(client, "a")

    (done,) = awaited(admin, state="succeeded")
    assert [each["status"] for each in done["attempts"]] == [status]


@pytest.mark.parametrize("status", [203, 301, 302, 307, 400, 500])
def test_other_statuses_are_failures_and_no_redirect_is_followed(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver, clock: ServerClock, status: int
) -> None:
    receiver.statuses.append(status)
    subscribe(client, f"{receiver.url}/here")

    write(client, "a")

    (waiting,) = awaited(admin, state="retrying")
    assert [each["status"] for each in waiting["attempts"]] == [status]
    assert [got.path for got in receiver.got] == ["/here"]


def test_a_retry_does_not_hold_the_line(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.append(500)
    subscribe(client, receiver.url)

    write(client, "a")
    write(client, "b")
    awaited(admin, state="retrying")
    awaited(admin, state="succeeded")
    clock.advance(5)

    awaited(admin, 2, state="succeeded")
    assert [got.external_id for got in receiver.got] == ["a", "b", "a"]


def test_a_receiver_that_is_not_there_is_a_failure(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock
) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        subscribe(client, f"http://127.0.0.1:{port}/")
        write(client, "a")

        (waiting,) = awaited(admin, state="retrying")

    (attempt,) = waiting["attempts"]
    assert attempt["status"] is None
    assert attempt["error"].startswith(f"no connection to 127.0.0.1:{port}: ")


def test_a_hanging_receiver_holds_neither_the_api_nor_another_endpoint(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, f"{receiver.url}/hang")
    subscribe(client, f"{receiver.url}/quick")

    for number in range(5):
        write(client, f"c{number}")

    awaited(admin, 5, state="succeeded", endpoint=f"{receiver.url}/quick")
    stuck = awaited(admin, 5, endpoint=f"{receiver.url}/hang")
    assert {each["state"] for each in stuck} == {"pending"}
    assert [got.path for got in receiver.got].count("/hang") == 1
    receiver.let_go.set()
    awaited(admin, 5, state="succeeded", endpoint=f"{receiver.url}/hang")


def test_a_time_out_is_a_failure(tmp_path: Path, receiver: Receiver) -> None:
    app = build(Settings(db=":memory:", fixtures="empty", webhook_timeout=1))
    with running(app) as url, api(url) as client, httpx.Client(base_url=f"{url}/__admin") as admin:
        app.server.tenants.clock.freeze(app.server.tenants.clock.now())
        subscribe(client, f"{receiver.url}/hang")
        write(client, "a")

        (waiting,) = awaited(admin, state="retrying")

    assert waiting["attempts"][0]["error"] == "read timed out after 1 s"
    assert waiting["attempts"][0]["duration_ms"] >= 1000


@contextmanager
def api(url: str, key: str = API_KEY) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers) as client:
        yield client


# What must not be sent


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://192.0.2.7/", "192.0.2.7 is 192.0.2.7, which webhook_allow does not let"),
        ("http://169.254.169.254/latest", "169.254.169.254 is 169.254.169.254, which"),
        ("http://[fe80::1]/", "fe80::1 is fe80::1, which"),
    ],
)
def test_a_target_that_is_not_allowed_is_refused_and_recorded(
    client: httpx.Client, admin: httpx.Client, url: str, reason: str
) -> None:
    subscribe(client, url)

    write(client, "a")

    (refused,) = awaited(admin, state="refused")
    assert refused["reason"].startswith(reason)
    assert refused["attempts"] == []


def test_secrets_of_a_url_are_sent_and_not_shown(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url.replace("//", "//ada:secret@") + "/in?a=b&token=top-secret")

    write(client, "a")

    (done,) = awaited(admin, state="succeeded")
    assert done["endpoint"]["webhook_url"] == f"{receiver.url}/in?a=b&token=…cret".replace(
        "//", "//…@"
    )
    assert receiver.got[0].path == "/in?a=b&token=top-secret"
    assert "authorization" not in receiver.got[0].headers


def test_a_certificate_of_nobody_is_not_trusted(
    client: httpx.Client,
    admin: httpx.Client,
    clock: ServerClock,
    tool: Callable[[str], str],
    tmp_path: Path,
) -> None:
    tool("openssl")
    with tls_receiver(tmp_path) as port:
        subscribe(client, f"https://localhost:{port}/")
        write(client, "a")

        (waiting,) = awaited(admin, state="retrying")

    assert "certificate verify failed" in waiting["attempts"][0]["error"]


@contextmanager
def tls_receiver(folder: Path) -> Iterator[int]:
    """Give the port of a server with a certificate that nobody has signed but itself."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj"
    subprocess.run([*command.split(), "/CN=localhost"], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            for _ in range(2):
                try:
                    with context.wrap_socket(listening.accept()[0], server_side=True):
                        pass
                except OSError:
                    pass

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]


# Bounds, resets, restarts


def test_what_is_too_much_is_refused_and_the_oldest_finished_is_forgotten(
    client: httpx.Client,
    admin: httpx.Client,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "MAX_OPEN", 3)
    monkeypatch.setattr(outbox, "MAX_FINISHED", 2)
    subscribe(client, f"{receiver.url}/hang")

    for number in range(6):
        write(client, f"c{number}")

    receiver.wait(1)
    states = [(name_in(each), each["state"]) for each in awaited(admin, 5)]
    assert states == [(f"c{n}", "pending") for n in range(3)] + [
        ("c4", "refused"),
        ("c5", "refused"),
    ]
    receiver.let_go.set()
    awaited(admin, 2, state="succeeded")
    receiver.wait(3)


def name_in(webhook: dict[str, Any]) -> str:
    return str(json.loads(webhook["body"])["customer"]["external_id"])


def test_a_reset_breaks_off_what_is_under_way(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, f"{receiver.url}/hang")
    write(client, "a")
    receiver.wait(1)

    admin.post("/reset").raise_for_status()

    assert admin.get("/webhooks").json()["meta"] == {"total": 0}
    subscribe(client, f"{receiver.url}/quick")
    write(client, "b")
    awaited(admin, state="succeeded")


def test_a_deleted_endpoint_gets_nothing_more(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.append(500)
    endpoint = subscribe(client, receiver.url)
    write(client, "a")
    awaited(admin, state="retrying")
    client.delete(f"/webhook_endpoints/{endpoint}").raise_for_status()

    clock.advance(5)

    (ended,) = awaited(admin, state="failed")
    assert ended["reason"] == "its endpoint was deleted"
    assert len(receiver.got) == 1


def test_an_endpoint_that_moved_gets_the_retry_where_it_is_now(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.append(500)
    endpoint = subscribe(client, f"{receiver.url}/old")
    write(client, "a")
    awaited(admin, state="retrying")
    moved = {"webhook_endpoint": {"webhook_url": f"{receiver.url}/new", "signature_algo": "hmac"}}
    client.put(f"/webhook_endpoints/{endpoint}", json=moved).raise_for_status()

    clock.advance(5)

    (done,) = awaited(admin, state="succeeded")
    assert [got.path for got in receiver.got] == ["/old", "/new"]
    assert done["endpoint"]["signature_algo"] == "hmac"


def test_a_kill_loses_no_webhook_of_an_answered_write(tmp_path: Path, receiver: Receiver) -> None:
    with serving(tmp_path, "--fixtures", "empty") as killed:
        with api(killed.url) as client:
            subscribe(client, f"{receiver.url}/hang/")
            for number in range(3):
                write(client, f"c{number}")
            receiver.wait(1)
            key = receiver.got[0].headers["x-lago-unique-key"]
            public = client.get("/webhooks/public_key").text
        killed.process.kill()
        killed.process.wait()
    receiver.let_go.set()

    with serving(tmp_path) as again, httpx.Client(base_url=f"{again.url}/__admin") as admin:
        awaited(admin, 3, state="succeeded")
        with api(again.url) as client:
            assert client.get("/webhooks/public_key").text == public

    got = receiver.wait(4)
    assert [each.external_id for each in got] == ["c0", "c0", "c1", "c2"]
    assert [each.headers["x-lago-unique-key"] for each in got[:2]] == [key, key]


def test_retries_and_failures_outlive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses.extend([200, 500, 500])
    with serving(tmp_path, "--fixtures", "empty") as first, api(first.url) as client:
        with httpx.Client(base_url=f"{first.url}/__admin") as admin:
            subscribe(client, receiver.url)
            for name in ("arrives", "waits"):
                write(client, name)
            before = awaited(admin, state="retrying")
        assert first.stop()[0] == 0

    with serving(tmp_path) as second, httpx.Client(base_url=f"{second.url}/__admin") as admin:
        (after,) = awaited(admin)
        assert after["id"] == before[0]["id"]
        assert (after["attempts"], after["state"]) == (before[0]["attempts"], "retrying")
        receiver.wait(3)  # after three seconds, of which the restart took some


def test_the_end_of_the_server_waits_for_no_receiver(tmp_path: Path, receiver: Receiver) -> None:
    with serving(tmp_path, "--fixtures", "empty") as server, api(server.url) as client:
        subscribe(client, f"{receiver.url}/hang")
        write(client, "a")
        receiver.wait(1)

        status, seconds = server.stop()

    assert status == 0
    assert seconds < 2


def test_a_write_and_its_webhooks_are_one_line_of_the_journal(
    tmp_path: Path, receiver: Receiver
) -> None:
    with serving(tmp_path, "--fixtures", "empty") as server, api(server.url) as client:
        subscribe(client, f"{receiver.url}/hang")
        subscribe(client, f"{receiver.url}/hang/too")
        write(client, "a")
        server.process.kill()
        server.process.wait()

    (journal,) = tmp_path.glob("state.json.journal.*")
    lines = [json.loads(line.partition(" ")[2]) for line in journal.read_text().splitlines()]
    (written,) = [line["rows"] for line in lines if line.get("rows", {}).get("customers")]
    assert {name: len(rows) for name, rows in written.items()} == {
        "customers": 1,
        "webhook_deliveries": 2,
    }


# On command


def test_a_retry_by_hand_sends_it_at_once(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.append(500)
    subscribe(client, receiver.url)
    write(client, "a")
    (waiting,) = awaited(admin, state="retrying")

    answer = admin.post(f"/webhooks/{waiting['id']}/retry").raise_for_status().json()

    assert answer["id"] == waiting["id"]
    (done,) = awaited(admin, state="succeeded")
    assert [each["status"] for each in done["attempts"]] == [500, 200]
    admin.post(f"/webhooks/{done['id']}/retry").raise_for_status()
    receiver.wait(3)
    clock.advance(100)
    awaited(admin, state="succeeded")
    assert len(receiver.got) == 3


def test_faults_by_type_and_count(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)
    fault = {"fault": "wrong_signature", "type": "customer.up*"}
    armed = admin.post("/webhooks/faults", json=fault).raise_for_status().json()

    for _ in range(3):
        write(client, "a")

    verdicts = []
    for got in receiver.wait(3):
        try:
            verdicts.append(claims(client, got)["data"] == got.body.decode())
        except jwt.InvalidSignatureError:
            verdicts.append(False)
    assert verdicts == [True, False, True]
    assert admin.get("/webhooks/faults").json() == {
        "faults": [{**armed, "hits": 1, "remaining": 0}]
    }
    assert admin.delete("/webhooks/faults").json() == {"status": "ok"}
    assert admin.get("/webhooks/faults").json() == {"faults": []}


def test_a_wrong_hmac_is_of_the_right_length(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url, signature_algo="hmac")
    admin.post("/webhooks/faults", json={"fault": "wrong_signature"}).raise_for_status()

    write(client, "a")
    write(client, "b")

    wrong, right = (got.headers["x-lago-signature"] for got in receiver.wait(2))
    assert len(base64.b64decode(wrong)) == len(base64.b64decode(right)) == 32


def test_a_duplicate_has_the_same_key(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)
    admin.post("/webhooks/faults", json={"fault": "duplicate"}).raise_for_status()

    write(client, "a")

    first, second = receiver.wait(2)
    assert first.body == second.body
    assert first.headers["x-lago-unique-key"] == second.headers["x-lago-unique-key"]
    (done,) = awaited(admin, attempts=2)
    assert (done["state"], done["fault"]) == ("succeeded", "duplicate")


def test_out_of_order_comes_after_the_next_one(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)
    admin.post("/webhooks/faults", json={"fault": "out_of_order"}).raise_for_status()

    for name in ("a", "b", "c"):
        write(client, name)

    assert [got.external_id for got in receiver.wait(3)] == ["b", "a", "c"]


def test_delayed_waits_by_the_clock(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)
    fault = {"fault": "delayed", "delay_ms": 60_000}
    assert admin.post("/webhooks/faults", json=fault).json()["delay_ms"] == 60_000

    write(client, "a")
    write(client, "b")

    assert receiver.wait(1)[0].external_id == "b"
    clock.advance(61)
    assert receiver.wait(2)[1].external_id == "a"


def test_webhooks_are_forgotten_one_by_one_and_all(
    client: httpx.Client, admin: httpx.Client, clock: ServerClock, receiver: Receiver
) -> None:
    receiver.statuses.extend([500, 500, 200])
    subscribe(client, receiver.url)
    for name in ("a", "b", "c"):
        write(client, name)
    first, second = awaited(admin, 2, state="retrying")
    awaited(admin, state="succeeded")

    assert admin.delete(f"/webhooks/{first['id']}").json() == {"status": "ok"}
    assert admin.get(f"/webhooks/{first['id']}").json()["code"] == "webhook_not_found"
    assert admin.get(f"/webhooks/{second['id']}").json() == second
    clock.advance(30)
    awaited(admin, 2, state="succeeded")
    assert [got.external_id for got in receiver.got] == ["a", "b", "c", "b"]
    assert admin.delete("/webhooks").json() == {"status": "ok"}
    assert admin.get("/webhooks").json()["meta"] == {"total": 0}


def test_a_webhook_of_ones_own_is_sent_as_given(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    endpoint = subscribe(client, f"{receiver.url}/a", event_types=["customer.created"])
    subscribe(client, f"{receiver.url}/b")
    own = {"type": "harvest.done", "object_type": "harvest", "object": {"crates": 12}}

    everyone = admin.post("/webhooks", json=own).raise_for_status().json()["webhooks"]
    one = admin.post("/webhooks", json={**own, "endpoint": endpoint, "fault": "duplicate"})

    assert [each["endpoint"]["webhook_url"] for each in everyone] == [f"{receiver.url}/b"]
    assert one.json()["webhooks"][0]["fault"] == "duplicate"
    got = receiver.wait(3)
    assert sorted(each.path for each in got) == ["/a", "/a", "/b"]
    assert {each.json["harvest"]["crates"] for each in got} == {12}


@pytest.mark.parametrize(
    ("given", "object_type"),
    [
        pytest.param({"type": "quote.created"}, "quote", id="before the point"),
        pytest.param({"type": "frost"}, "frost", id="no point"),
        pytest.param({"type": "a.b", "object_type": "c"}, "c", id="as it is said"),
    ],
)
def test_the_object_of_a_webhook_of_ones_own_has_the_key_of_its_type(
    client: httpx.Client,
    admin: httpx.Client,
    receiver: Receiver,
    given: dict[str, Any],
    object_type: str,
) -> None:
    subscribe(client, receiver.url)

    admin.post("/webhooks", json={**given, "object": {"n": 1}}).raise_for_status()

    body = receiver.wait(1)[0].json
    assert (body["object_type"], body[object_type]) == (object_type, {"n": 1})


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (
            {"type": "harvest.done"},
            {"type": ["no webhook harvest.done; one of your own needs an object"]},
        ),
        (
            {"type": "x", "object_type": "y", "object": {}, "endpoint": "z"},
            {"endpoint": ["webhook_endpoint_not_found"]},
        ),
    ],
)
def test_what_cannot_be_sent_is_refused(
    client: httpx.Client, admin: httpx.Client, body: dict[str, Any], details: dict[str, Any]
) -> None:
    answer = admin.post("/webhooks", json=body)

    assert (answer.status_code, answer.json()["error_details"]) == (422, details)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"count": "x"}, "is not a number"),
        ({"timeout_ms": "300001"}, "value_is_out_of_range"),
        (
            {"state": "done", "timeout_ms": "60000"},
            "value_is_invalid; there are pending, succeeded, retrying, failed, refused",
        ),
    ],
)
def test_filters_are_judged(admin: httpx.Client, query: dict[str, str], code: str) -> None:
    answer = admin.get("/webhooks", params=query)

    assert (answer.status_code, list(answer.json()["error_details"].values())) == (422, [[code]])


def test_a_wait_ends_with_its_time(admin: httpx.Client) -> None:
    began = time.monotonic()

    answer = admin.get("/webhooks", params={"timeout_ms": 50}).json()

    assert answer["meta"] == {"total": 0}
    assert 0.04 < time.monotonic() - began < 5


# Every type of the document

TYPES = tuple(load_contract(load_resources()).webhooks.items())


def test_the_document_has_the_types_that_lago_documents_and_six_more() -> None:
    assert len(TYPES) == 67


@pytest.mark.parametrize(("name", "known"), TYPES, ids=[name for name, _ in TYPES])
def test_every_type_has_an_example_that_is_sound(name: str, known: WebhookType) -> None:
    assert known.example
    assert list(known.problems("5a0f4c1e-9d3b-4e67-8c52-7b1f60d2a9e4", known.example)) == []


def test_a_customers_webhook_is_as_the_document_says(
    client: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)

    write(client, "a", name="Ada", metadata=[{"key": "k", "value": "v"}])

    body = receiver.wait(1)[0].json
    known = dict(TYPES)["customer.created"]
    assert list(known.problems(body["organization_id"], body["customer"])) == []
    assert list(body["customer"]) == list(known.example)


def test_a_type_is_sent_with_its_example(
    client: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url)
    given = {"type": "subscription.started", "object": {"external_id": "sub-1"}}

    admin.post("/webhooks", json=given).raise_for_status()

    body = receiver.wait(1)[0].json
    example = dict(TYPES)["subscription.started"].example
    assert (body["webhook_type"], body["object_type"]) == ("subscription.started", "subscription")
    assert body["subscription"] == {**example, "external_id": "sub-1"}


@pytest.mark.parametrize(
    ("body", "details"),
    [
        pytest.param(
            {"type": "customer.created", "object": {"slug": 12}},
            {"/object/slug": ["type: 12 is not of type 'string'"]},
            id="wrong object",
        ),
        pytest.param(
            {"type": "customer.craeted"},
            {
                "type": [
                    "no webhook customer.craeted; one of your own needs an object;"
                    " did you mean customer.created?"
                ]
            },
            id="misspelt type",
        ),
    ],
)
def test_an_object_that_breaks_the_document_is_refused(
    client: httpx.Client,
    admin: httpx.Client,
    receiver: Receiver,
    body: dict[str, Any],
    details: dict[str, Any],
) -> None:
    subscribe(client, receiver.url)

    answer = admin.post("/webhooks", json=body)

    assert (answer.status_code, answer.json()["error_details"]) == (422, details)
    assert admin.get("/webhooks").json()["meta"] == {"total": 0}


def test_the_document_is_shown_with_its_webhooks(admin: httpx.Client) -> None:
    assert len(admin.get("/openapi.json").json()["webhooks"]) == 67
