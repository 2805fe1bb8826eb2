"""What stands beside the API: health routes, first steps for a person, a customer's portal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType
from typing import Final
from uuid import uuid4

from starlette.types import ASGIApp, Receive, Scope, Send

from lago_mock.answer import Answer, failure, html, success
from lago_mock.hosts import Hosts
from lago_mock.request import Request
from lago_mock.version import LAGO_VERSION, __version__
from lago_mock.wire import JSONObject

_FIXED: Mapping[str, JSONObject] = MappingProxyType(
    {
        "health": {
            "version": LAGO_VERSION,
            "github_url": f"https://github.com/getlago/lago-api/tree/{LAGO_VERSION}",
            "message": "Success",
        },
        # It listens only when everything is loaded.
        "ready": {"status": "ok"},
    }
)
"""What Lago's own container answers at `/health` and `/ready`."""

_FIRST_STEPS = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>lago-mock {version}</title>
<style>
  body {{ font: 1rem/1.5 sans-serif; margin: 3rem auto; max-width: 42rem; padding: 0 1rem }}
  pre {{ background: #f3f3f3; overflow-x: auto; padding: 1rem }}
</style>
<h1>lago-mock {version}</h1>
<p>This stands in for the Lago API {lago_version}. Point a client at <code>{url}</code>, or at
<code>{url}/api/v1</code> when it wants the base path, with the API key that the server printed.</p>
<h2>Create a customer</h2>
<pre>curl {url}/api/v1/customers \\
  -H "Authorization: Bearer $LAGO_API_KEY" -H "Content-Type: application/json" \\
  -d '{{"customer": {{"external_id": "acct-1", "currency": "EUR"}}}}'</pre>
<h2>Make the next call fail</h2>
<pre>curl {url}/__admin/faults -H "Content-Type: application/json" \\
  -d '{{"operation": "createCustomer", "error": "validation_errors"}}'</pre>
<h2>Look</h2>
<ul>
<li><a href="/__admin/requests">what was asked and answered</a></li>
<li><a href="/__admin/operations">which operations are mocked</a></li>
<li><a href="/__admin/openapi.json">the OpenAPI document</a></li>
</ul>
<p>Not affiliated with Lago.</p>
</html>
"""


_PORTAL = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
  body {{ font: 1rem/1.5 sans-serif; margin: 3rem auto; max-width: 42rem; padding: 0 1rem }}
  th {{ padding-right: 2rem; text-align: left; vertical-align: top }}
</style>
<h1>{title}</h1>
{content}
<p>A page of lago-mock, in place of Lago's customer portal.</p>
</html>
"""

_PORTAL_ROWS: Final = MappingProxyType(
    {
        "external_id": "Account",
        "email": "E-mail",
        "legal_name": "Registered name",
        "tax_identification_number": "Tax number",
        "address_line1": "Address",
        "address_line2": "",
        "zipcode": "Postal code",
        "city": "City",
        "country": "Country",
        "currency": "Currency",
    }
)


def _portal_page(customer: JSONObject) -> str:
    rows = (
        f"<tr><th>{label}</th><td>{escape(str(customer[key]))}</td></tr>"
        for key, label in _PORTAL_ROWS.items()
        if customer[key]
    )
    title = escape(customer["name"] or customer["external_id"])
    return _PORTAL.format(title=title, content=f"<table>{''.join(rows)}</table>")


class Pages:
    """ASGI application of all that is not the admin API: pages first, then what the API says.

    Slashes too many and endings such as `.json` count for nothing in a path, as in the API's.
    Pages for people are shown by the server's own names alone: 403.
    """

    def __init__(
        self,
        api: ASGIApp,
        find_customer: Callable[[str], JSONObject | None],
        hosts: Hosts | None = None,
    ) -> None:
        self._api = api
        self._find_customer = find_customer
        self._hosts = hosts or Hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        answer = None
        if not scope["path"].startswith("/api/") and scope["method"] in ("GET", "HEAD"):
            answer = self._page(Request(scope))
        if answer is None:
            await self._api(scope, receive, send)
            return
        request = Request(scope)
        request_id = request.header(b"x-request-id") or str(uuid4())
        await answer.send(scope, send, request_id, 0.0)

    def _page(self, request: Request) -> Answer | None:
        segments = [segment for segment in request.scope["path"].split("/") if segment]
        if segments[:1] == ["customer-portal"]:
            return self._refusal(request) or self._portal("/".join(segments[1:]))
        if not segments:
            if request.method != "GET" or "text/html" not in request.header(b"accept"):
                return None
            return self._refusal(request) or html(_first_steps(request.base_url))
        found = _FIXED.get(segments[0].partition(".")[0]) if len(segments) == 1 else None
        return success(dict(found)) if found else None

    def _refusal(self, request: Request) -> Answer | None:
        sentence = self._hosts.refusal(request)
        return failure({"status": 403, "error": sentence}) if sentence else None

    def _portal(self, token: str) -> Answer:
        customer = self._find_customer(token)
        if customer is not None:
            return html(_portal_page(customer))
        content = "<p>This link is not valid, or its twelve hours are over.</p>"
        return html(_PORTAL.format(title="Link not valid", content=content), 404)


def _first_steps(url: str) -> str:
    return _FIRST_STEPS.format(version=__version__, lago_version=LAGO_VERSION, url=escape(url))
