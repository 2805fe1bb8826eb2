from __future__ import annotations

import pytest

from lago_mock.settings import SettingError
from lago_mock.webhooks.targets import Refused, Target, Targets


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("http://a.test", Target("http", "a.test", 80, "/"), "a.test"),
        ("https://A.test:8443/x?y=z#w", Target("https", "a.test", 8443, "/x?y=z"), "a.test:8443"),
        ("https://a.test:443/", Target("https", "a.test", 443, "/"), "a.test"),
        ("http://[::1]:9/é b", Target("http", "::1", 9, "/%C3%A9%20b"), "[::1]:9"),
        ("http://a.test/%41?b=%20", Target("http", "a.test", 80, "/%41?b=%20"), "a.test"),
        ("http://bücher.test./", Target("http", "xn--bcher-kva.test", 80, "/"), None),
        ("http://a.test:0/", Target("http", "a.test", 0, "/"), "a.test:0"),
        ("http://a.test/\r\nX: y", Target("http", "a.test", 80, "/X:%20y"), "a.test"),
    ],
)
def test_urls_are_taken_apart(url: str, target: Target, authority: str | None) -> None:
    assert Target.of(url) == target
    assert target.authority == authority or authority is None


@pytest.mark.parametrize(
    "url", ["", "ftp://a.test/", "//a.test", "http:///x", "http://a.test:99999/", "http://[x/"]
)
def test_what_is_no_target_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="no URL that can be sent to: "):
        Target.of(url)


@pytest.mark.parametrize(
    ("allowed", "host", "address", "permitted"),
    [
        pytest.param("private", "a.test", "127.0.0.1", True, id="loopback"),
        pytest.param("private", "a.test", "::1", True, id="loopback of version 6"),
        pytest.param("private", "a.test", "::ffff:127.0.0.1", True, id="mapped loopback"),
        pytest.param("private", "a.test", "10.2.3.4", True, id="private"),
        pytest.param("private", "a.test", "172.31.255.1", True, id="private 172"),
        pytest.param("private", "a.test", "172.32.0.1", False, id="beyond private 172"),
        pytest.param("private", "a.test", "192.168.0.1", True, id="private 192"),
        pytest.param("private", "a.test", "fd00::1", True, id="private of version 6"),
        pytest.param("private", "a.test", "169.254.169.254", False, id="link-local"),
        pytest.param("private", "a.test", "fe80::1%eth0", False, id="link-local of version 6"),
        pytest.param("private", "a.test", "0.0.0.0", False, id="unspecified"),
        pytest.param("private", "localhost", "93.184.216.34", False, id="a name that lies"),
        pytest.param("*", "a.test", "93.184.216.34", True, id="all"),
        pytest.param("A.test", "a.test", "93.184.216.34", True, id="a host"),
        pytest.param("a.test", "b.a.test", "127.0.0.1", False, id="below a host"),
        pytest.param("*.a.test", "b.a.test", "8.8.8.8", True, id="below a host, allowed"),
        pytest.param("*.a.test", "a.test", "8.8.8.8", False, id="not itself below"),
        pytest.param("203.0.113.0/24", "a.test", "203.0.113.7", True, id="a network"),
        pytest.param("203.0.113.0/24", "a.test", "127.0.0.1", False, id="outside a network"),
        pytest.param("[2001:db8::1]", "a.test", "2001:db8::1", True, id="an address"),
        pytest.param("x.test, private", "a.test", "127.0.0.1", True, id="several"),
        pytest.param(",", "a.test", "127.0.0.1", False, id="nothing"),
    ],
)
def test_targets_are_judged_by_host_and_address(
    allowed: str, host: str, address: str, permitted: bool
) -> None:
    assert Targets(allowed.split(",")).permits(host, address) is permitted


@pytest.mark.parametrize(
    "entry",
    ["http://a.test", "a.test:80", "a.test/x", "10.0.0.0/33", "a b", "*.", "a.*", "*a.test", ".a"],
)
def test_what_no_webhook_can_go_to_is_no_target(entry: str) -> None:
    with pytest.raises(SettingError) as caught:
        Targets(["private", entry])
    assert str(caught.value) == (
        f"webhook_allow has {entry!r}; give private, *, or hosts, addresses and networks "
        "such as hooks.test, *.hooks.test, 203.0.113.7 and 203.0.113.0/24, without a port."
    )
