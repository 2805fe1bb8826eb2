"""What stands beside the API: Lago's health routes, and a page for a person's first steps."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lago_mock.version import LAGO_VERSION, __version__

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
