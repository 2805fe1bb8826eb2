"""Where webhooks may go, judged by the address that is really connected to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import quote, urlsplit

from lago_mock.settings import SettingError

PRIVATE: Final = "private"
EVERYWHERE: Final = "*"

_PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "::1/128",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "fc00::/7",
        ),
    )
)
"""This machine and its own networks; link-local addresses, where clouds tell secrets, are not."""

_HOSTS: Final = re.compile(r"\*|(\*\.)?[\w-]+(\.[\w-]+)*")
_SAFE: Final = "%/:=&?~+!$,;'@()*[]"
_PORTS: Final = {"http": 80, "https": 443}


class Refused(Exception):
    """A webhook that must not be sent where it is to go; the text says why."""


@dataclass(frozen=True)
class Target:
    """A URL, taken apart: `path` is as the request line has it, with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """Return the parts of a URL.

        Raises:
            Refused: it is neither HTTP nor HTTPS, or has no host or no possible port.
        """
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
            name = host.encode("idna").decode() if not host.isascii() else host
        except ValueError as error:  # UnicodeError is one, too
            raise Refused(f"no URL that can be sent to: {error}") from error
        if parts.scheme not in _PORTS or not name:
            raise Refused("no URL that can be sent to: http or https and a host are needed")
        path = quote(parts.path or "/", safe=_SAFE)
        query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        return cls(parts.scheme, name, _PORTS[parts.scheme] if port is None else port, path + query)

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Targets:
    """Knows the addresses that may be sent to.

    `allowed` are `private` (this machine and private networks), `*` (all), addresses, networks, and
    hosts, which may begin with `*.`; whatever address an allowed host has is allowed.

    Raises:
        SettingError: one of them is none of these.
    """

    def __init__(self, allowed: Iterable[str] = (PRIVATE,)) -> None:
        self._hosts: list[str] = []
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in filter(None, (each.strip().lower() for each in allowed)):
            if entry == PRIVATE:
                self._networks += _PRIVATE
                continue
            try:
                self._networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._hosts.append(_host(entry))

    def permits(self, host: str, address: str) -> bool:
        """Tell whether a host, which leads to this address, may be sent to there."""
        if any(_is_named(host.lower(), each) for each in self._hosts):
            return True
        found = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)


def _host(entry: str) -> str:
    if not _HOSTS.fullmatch(entry):
        raise SettingError(
            f"webhook_allow has {entry!r}; give private, *, or hosts, addresses and networks "
            "such as hooks.test, *.hooks.test, 203.0.113.7 and 203.0.113.0/24, without a port."
        )
    return entry


def _is_named(host: str, pattern: str) -> bool:
    if pattern == EVERYWHERE:
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
