"""A small shop that signs its customers up in Lago."""

from __future__ import annotations

import time
from typing import Any

import httpx

ATTEMPTS = 3


class BillingDown(Exception):
    """Lago cannot be had: there was no answer, or none that helps, at any attempt."""


class WrongKey(Exception):
    """Lago does not know our API key."""


class Refused(Exception):
    """Lago refuses the customer; `details` are its codes by field."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(f"Lago refuses the customer: {details}")
        self.details = details


def sign_up(
    account: str,
    email: str,
    currency: str | None = "EUR",
    *,
    url: str,
    api_key: str,
    timeout: float = 5.0,
) -> dict[str, Any]:
    """Sign a customer up; returns Lago's customer. A currency that Lago refuses is left to Lago."""
    customer = {"external_id": account, "email": email, "currency": currency}
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=timeout) as client:
        answer = _post(client, {"customer": customer})
        if answer.status_code == 422 and "currency" in answer.json()["error_details"]:
            answer = _post(client, {"customer": {**customer, "currency": None}})
    if answer.status_code == 422:
        raise Refused(answer.json()["error_details"])
    if answer.status_code == 401:
        raise WrongKey
    signed_up: dict[str, Any] = answer.raise_for_status().json()["customer"]
    return signed_up


def _post(client: httpx.Client, body: dict[str, Any]) -> httpx.Response:
    """Create the customer; to try again does no harm, since Lago updates one that is there."""
    for _ in range(ATTEMPTS):
        try:
            answer = client.post("/api/v1/customers", json=body)
        except httpx.TransportError:
            continue
        if answer.status_code != 429:
            return answer
        time.sleep(float(answer.headers["x-ratelimit-reset"]))
    raise BillingDown
