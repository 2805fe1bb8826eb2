"""By which names a server may be called that only its own machine can reach.

A web page of a stranger can let its own name lead to 127.0.0.1 (DNS rebinding); the `Host` that
its calls come with is then the stranger's, and tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from lago_mock.request import Request

_LOCAL = "localhost"


class Hosts:
    """Knows the names of a server that is bound to `bound_to`.

    Bound to a loopback address it goes by every such address, by `localhost` and all below it, by
    the host of `public_url`, and by those `allowed`; bound to any other, by every name.
    """

    def __init__(
        self, bound_to: str = "", allowed: Iterable[str] = (), public_url: str | None = None
    ) -> None:
        self._is_guarded = _is_local(bound_to.lower())
        self._allowed = {host_name(place) for place in (*allowed, public_url or "")} - {""}

    def refusal(self, request: Request) -> str:
        """Return why a request must not come by its `Host`, empty when it may.

        The address of the request's own socket is fine; so is a request without the header, which
        no browser sends.
        """
        host = request.header(b"host")
        if not self._is_guarded or not host:
            return ""
        name = host_name(host)
        own = (request.scope.get("server") or ("",))[0]
        if name and (name == own or name in self._allowed or _is_local(name)):
            return ""
        return (
            f"This server is for its own machine and is not known as {host!r}; "
            "start it with --allow-host to let it be called so."
        )


def host_name(place: str) -> str:
    """Return the host of a URL or of a `Host` header, in lower case; empty when it is unclear."""
    try:
        return (urlsplit(with_slashes(place)).hostname or "").rstrip(".")
    except ValueError:
        return ""


def with_slashes(place: str) -> str:
    """Return a URL, or a bare host, as `urlsplit` finds its host."""
    return place.strip() if "://" in place else f"//{place.strip()}"


def _is_local(name: str) -> bool:
    if name == _LOCAL or name.endswith(f".{_LOCAL}"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
