from __future__ import annotations

import httpx


def test_create_customer_updates_the_one_with_the_same_external_id(client: httpx.Client) -> None:
    first = client.post("/customers", json={"customer": {"external_id": "a"}}).json()["customer"]

    body = {"customer": {"external_id": "a", "name": "Ann"}}
    second = client.post("/customers", json=body).json()["customer"]

    assert (second["lago_id"], second["name"]) == (first["lago_id"], "Ann")
    assert client.get("/customers").json()["meta"]["total_count"] == 1
