"""What stands beside the API: Lago's health routes, and a page for a person's first steps."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lago_mock.version import LAGO_VERSION, __version__
from lago_mock.wire import JSONObject

_GITHUB = "https://github.com/getlago/lago-api/tree"

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


async def health(_request: Request) -> Response:
    """Answer `GET /health` as Lago's own container does."""
    body = {
        "version": LAGO_VERSION,
        "github_url": f"{_GITHUB}/v{LAGO_VERSION}",
        "message": "Success",
    }
    return JSONResponse(body, headers=_headers())


async def ready(_request: Request) -> Response:
    """Answer `GET /ready`: it listens only when everything is loaded."""
    return JSONResponse({"status": "ok"}, headers=_headers())


def _headers() -> dict[str, str]:
    return {"x-lago-mock": __version__}


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

_PORTAL_ROWS = {
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


class Portal:
    """ASGI application below `/customer-portal`: a plain page of the customer of a token."""

    def __init__(self, find: Callable[[str], JSONObject | None]) -> None:
        self._find = find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request: 200, or 404 for a token that is false or too old."""
        token = Request(scope).path_params["token"]
        customer = self._find(token)
        if customer is None:
            content = "<p>This link is not valid, or its twelve hours are over.</p>"
            page, status = _PORTAL.format(title="Link not valid", content=content), 404
        else:
            page, status = _portal_page(customer), 200
        await HTMLResponse(page, status, headers=_headers())(scope, receive, send)


def _portal_page(customer: JSONObject) -> str:
    rows = (
        f"<tr><th>{label}</th><td>{escape(str(customer[key]))}</td></tr>"
        for key, label in _PORTAL_ROWS.items()
        if customer[key]
    )
    title = escape(customer["name"] or customer["external_id"])
    return _PORTAL.format(title=title, content=f"<table>{''.join(rows)}</table>")


class FirstSteps:
    """ASGI application at `/`: a page for browsers, for everything else what the API says there."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope)
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            await self._api(scope, receive, send)
            return
        page = _FIRST_STEPS.format(
            version=__version__,
            lago_version=LAGO_VERSION,
            url=escape(str(request.base_url).rstrip("/")),
        )
        await HTMLResponse(page, headers=_headers())(scope, receive, send)
