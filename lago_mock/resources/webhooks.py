"""The public key that webhooks are signed by, in its two forms.

Rules: lago-api, app/controllers/api/v1/webhooks_controller.rb.
"""

from __future__ import annotations

from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


def fetch_public_key(call: Call) -> str:
    """Answer `fetchPublicKey`: the key as plain text."""
    return call.signing.public_key()


def fetch_json_public_key(call: Call) -> JSONObject:
    """Answer `fetchJsonPublicKey`: the same text in a JSON object."""
    return {"webhook": {"public_key": call.signing.public_key()}}


RESOURCE = Resource(
    name="webhook",
    plural="webhooks",
    key=None,
    operations={
        "fetchPublicKey": fetch_public_key,
        "fetchJsonPublicKey": fetch_json_public_key,
    },
)
