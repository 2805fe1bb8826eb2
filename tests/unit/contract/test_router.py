from __future__ import annotations

from dataclasses import dataclass

import pytest

from lago_mock.contract.router import Router
from lago_mock.wire import Unparsable


@dataclass(frozen=True)
class Route:
    """What a router is made of: no operation is needed."""

    method: str
    path: str


CUSTOMERS = Route("GET", "/customers")
CREATE = Route("POST", "/customers")
CUSTOMER = Route("GET", "/customers/{external_id}")
PORTAL = Route("GET", "/customers/{external_id}/portal_url")
ITEM = Route("GET", "/customers/{external_id}/wallets/{code}")
ANALYTICS = Route("GET", "/customers/analytics")
ESTIMATE = Route("POST", "/customers/{id}/estimate")
ANALYTICS_PART = Route("GET", "/customers/analytics/mrr")
DESTROY = Route("DELETE", "/customers/{external_id}")
ROUTER = Router(
    [CUSTOMERS, CREATE, CUSTOMER, PORTAL, ITEM, ANALYTICS, ESTIMATE, ANALYTICS_PART, DESTROY]
)


@pytest.mark.parametrize(
    ("method", "path", "route", "values"),
    [
        pytest.param("GET", "/customers", CUSTOMERS, (), id="literal"),
        pytest.param("POST", "/customers", CREATE, (), id="other method"),
        pytest.param("GET", "/customers/a", CUSTOMER, ("a",), id="parameter"),
        pytest.param("GET", "/customers/a/portal_url", PORTAL, ("a",), id="literal after it"),
        pytest.param("GET", "/customers/a/wallets/b", ITEM, ("a", "b"), id="two parameters"),
        pytest.param("GET", "/customers/analytics", ANALYTICS, (), id="literal goes first"),
        pytest.param("GET", "/customers/analytics/mrr", ANALYTICS_PART, (), id="also before more"),
        pytest.param(
            "GET",
            "/customers/analytics/portal_url",
            PORTAL,
            ("analytics",),
            id="literal that leads nowhere",
        ),
        pytest.param("POST", "/customers/a/estimate", ESTIMATE, ("a",), id="other name for it"),
        pytest.param(
            "DELETE", "/customers/analytics", DESTROY, ("analytics",), id="literal of other verbs"
        ),
        pytest.param("GET", "/customers/", CUSTOMERS, (), id="slash at the end"),
        pytest.param("GET", "//customers///a//", CUSTOMER, ("a",), id="doubled slashes"),
        pytest.param("GET", "/customers.json", CUSTOMERS, (), id="ending after a literal"),
        pytest.param("GET", "/customers.a.b", CUSTOMERS, (), id="ending of two parts"),
        pytest.param("GET", "/customers/a/portal_url.xml", PORTAL, ("a",), id="ending, deeper"),
        pytest.param("GET", "/customers/analytics.json", ANALYTICS, (), id="ending, literal first"),
        pytest.param("GET", "/customers/a.json", CUSTOMER, ("a.json",), id="dot in a value"),
        pytest.param("GET", "/customers/a.b/portal_url", PORTAL, ("a.b",), id="dot in the middle"),
        pytest.param("GET", "/customers/a%2Fb", CUSTOMER, ("a/b",), id="escaped slash"),
        pytest.param("GET", "/customers/a%20b+c", CUSTOMER, ("a b+c",), id="space and plus"),
        pytest.param("GET", "/customers/%2e", CUSTOMER, (".",), id="escaped dot"),
        pytest.param("GET", "/customers/%C3%BC", CUSTOMER, ("ü",), id="beyond ASCII"),
        pytest.param("GET", "/customers/%25", CUSTOMER, ("%",), id="escaped percent"),
        pytest.param("GET", "/customers/{external_id}", CUSTOMER, ("{external_id}",), id="braces"),
        pytest.param("HEAD", "/customers/a", CUSTOMER, ("a",), id="HEAD"),
    ],
)
def test_path_and_method_find_the_operation_and_its_values(
    method: str, path: str, route: Route, values: tuple[str, ...]
) -> None:
    assert ROUTER.match(method, path) == (route, values)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/", id="root"),
        pytest.param("GET", "", id="nothing"),
        pytest.param("GET", "/taxes", id="unknown"),
        pytest.param("GET", "/Customers", id="other case"),
        pytest.param("GET", "/customer", id="part of a literal"),
        pytest.param("GET", "/customers.json/a", id="ending in the middle"),
        pytest.param("GET", "/customers/a/wallets", id="on the way to an operation"),
        pytest.param("GET", "/customers/a/b", id="unknown below a parameter"),
        pytest.param("GET", "/customers/a/wallets/b/c", id="too deep"),
        pytest.param("GET", "/customers%2Fa", id="escaped slash"),
        pytest.param("DELETE", "/customers", id="wrong verb"),
        pytest.param("PUT", "/customers/a", id="wrong verb at a parameter"),
        pytest.param("get", "/customers", id="verb in lower case"),
    ],
)
def test_what_is_not_routed_is_not_found(method: str, path: str) -> None:
    assert ROUTER.match(method, path) is None


@pytest.mark.parametrize("path", ["/customers/%ZZ", "/customers/a%", "/customers/%FF/portal_url"])
def test_broken_escape_in_a_value_is_unparsable(path: str) -> None:
    with pytest.raises(Unparsable):
        ROUTER.match("GET", path)


def test_broken_escape_under_a_wrong_verb_is_not_looked_at() -> None:
    assert ROUTER.match("PUT", "/customers/%ZZ") is None


@pytest.mark.parametrize(
    ("path", "verbs"),
    [
        pytest.param("/customers", ("GET", "POST"), id="two"),
        pytest.param("/customers/a", ("GET", "DELETE"), id="parameter"),
        pytest.param("/customers/a/portal_url", ("GET",), id="literal after it"),
        pytest.param("//customers.json", ("GET", "POST"), id="slashes and ending"),
        pytest.param("/customers/%ZZ", ("GET", "DELETE"), id="broken escape"),
        pytest.param("/customers/a/wallets", (), id="on the way"),
        pytest.param("/taxes", (), id="unknown"),
        pytest.param("/", (), id="root"),
    ],
)
def test_verbs_of_a_path(path: str, verbs: tuple[str, ...]) -> None:
    assert ROUTER.verbs(path) == verbs


def test_router_of_nothing_finds_nothing() -> None:
    router: Router[Route] = Router([])
    assert router.match("GET", "/customers") is None
    assert router.verbs("/customers") == ()
