from __future__ import annotations

from typing import Any

import pytest

from lago_mock.hosts import Hosts, host_name
from lago_mock.request import Request


def asked_as(host: str | None, server: tuple[str, int] | None = ("127.0.0.1", 3000)) -> Request:
    scope: dict[str, Any] = {
        "method": "GET",
        "path": "/",
        "headers": [] if host is None else [(b"host", host.encode("latin-1"))],
        "server": server,
    }
    return Request(scope)


LOOPBACK = ["127.0.0.1", "::1", "localhost", "LocalHost", "mock.localhost", "127.8.9.10"]


@pytest.mark.parametrize("bound_to", LOOPBACK)
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:3000",
        "127.0.0.1",
        "127.1.2.3:1",
        "[::1]:3000",
        "localhost",
        "LOCALHOST:3000",
        "localhost.:3000",
        "lago.localhost:3000",
        "a.b.localhost",
    ],
)
def test_a_loopback_server_goes_by_every_name_of_its_own_machine(bound_to: str, host: str) -> None:
    assert Hosts(bound_to).refusal(asked_as(host)) == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "192.168.0.7:3000",
        "0.0.0.0:3000",
        "127.1",
        "2130706433",
        "user@",
        "[::1",
        ":3000",
        "/localhost",
        "\xe4.example",
    ],
)
def test_a_loopback_server_goes_by_no_other_name(host: str) -> None:
    sentence = Hosts("127.0.0.1").refusal(asked_as(host))

    assert repr(host) in sentence
    assert "--allow-host" in sentence


@pytest.mark.parametrize("host", ["lago.test", "LAGO.test:8080", "second.example", "lago.test."])
def test_further_names_can_be_allowed(host: str) -> None:
    hosts = Hosts("127.0.0.1", ("lago.test", " second.example:3000 ", ""))

    assert hosts.refusal(asked_as(host)) == ""
    assert hosts.refusal(asked_as("third.example"))


@pytest.mark.parametrize("url", ["https://mock.example/base", "http://mock.example:8080"])
def test_the_public_url_is_a_name_too(url: str) -> None:
    hosts = Hosts("localhost", public_url=url)

    assert hosts.refusal(asked_as("mock.example")) == ""
    assert hosts.refusal(asked_as("base"))


@pytest.mark.parametrize("bound_to", ["0.0.0.0", "::", "192.168.0.7", "mock.example", ""])
def test_a_server_that_others_can_reach_goes_by_every_name(bound_to: str) -> None:
    assert Hosts(bound_to).refusal(asked_as("evil.example")) == ""


def test_the_name_of_the_requests_own_socket_is_fine() -> None:
    hosts = Hosts("127.0.0.1")

    assert hosts.refusal(asked_as("testserver", ("testserver", 80))) == ""
    assert hosts.refusal(asked_as("testserver", None))


def test_a_request_without_the_header_comes_from_no_browser() -> None:
    assert Hosts("127.0.0.1").refusal(asked_as(None)) == ""


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("Mock.Example:1", "mock.example"),
        ("https://mock.example:1/x", "mock.example"),
        ("[::1]:3", "::1"),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_a_host_is_found_in_a_url_and_in_a_header(place: str, name: str) -> None:
    assert host_name(place) == name
