"""A client that tells an answer from none, and what a server shows of its store."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

from tests.conftest import API_KEY

JSONObject = dict[str, Any]
GONE = (ConnectionError, http.client.HTTPException)
"""What a call raises whose server went before the whole answer was there."""


class Interrupted(Exception):
    """A server that is ending has answered 503: the call has done nothing."""


class Client:
    """One connection, kept alive; nothing is ever sent twice."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)

    def send(self, verb: str, path: str, body: JSONObject | None = None) -> tuple[int, JSONObject]:
        """Return status and body of the answer; `path` begins below the API's root, or is whole."""
        headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
        whole = path if path.startswith("/__admin") else f"/api/v1{path}"
        text = None if body is None else json.dumps(body).encode()
        self._connection.request(verb, whole, text, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ask(self, verb: str, path: str, body: JSONObject | None = None) -> JSONObject:
        """Return the body of an answer that must be a 200.

        Raises:
            Interrupted: it is a 503.
        """
        status, answer = self.send(verb, path, body)
        if status == 503:
            raise Interrupted
        assert status == 200, (verb, path, status, answer)
        return answer

    def create(self, external_id: str, **columns: object) -> JSONObject:
        """Create or update a customer and return it."""
        body = {"customer": {"external_id": external_id, **columns}}
        return dict(self.ask("POST", "/customers", body)["customer"])

    def customer(self, external_id: str) -> JSONObject | None:
        """Return a customer, None when there is none."""
        status, answer = self.send("GET", path_of(external_id))
        assert status in (200, 404), (external_id, status, answer)
        return dict(answer["customer"]) if status == 200 else None

    def customers(self) -> list[JSONObject]:
        """Return all customers as the list shows them; there may be a thousand."""
        answer = self.ask("GET", "/customers?per_page=1000")
        assert answer["meta"]["total_pages"] <= 1
        return list(answer["customers"])

    def organization(self) -> JSONObject:
        """Return the organization."""
        return dict(self.ask("GET", "/organizations")["organization"])

    def billing_entity(self) -> JSONObject:
        """Return the default billing entity."""
        (entity,) = self.ask("GET", "/billing_entities")["billing_entities"]
        return dict(entity)

    def everything(self) -> JSONObject:
        """Return all that is shown of what these tests write."""
        listed = self.customers()
        return {
            "customers": listed,
            "each": [self.customer(row["external_id"]) for row in listed],
            "organization": self.organization(),
            "billing_entity": self.billing_entity(),
        }

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        self._connection.close()


def path_of(external_id: str) -> str:
    """Return the path of a customer."""
    return f"/customers/{quote(external_id, safe='')}"
