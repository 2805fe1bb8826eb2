"""The server's secrets: the RSA key of webhooks and gRPC tokens, and the key of portal links.

The RSA library and the key itself (tens of milliseconds) come when the first token needs them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lago_mock.settings import SettingError
from lago_mock.wire import JSONObject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PORTAL_HOURS = 12
_LINE = 60  # characters of Base64 after which MIME's old form breaks the line


class Signing:
    """Signs with the key pair that `load` gives, or with a new one that `keep` is then given.

    Both pass the private key as PEM text, and the portal's secret as text. With a `seed` the
    portal's secret is made of it instead, so that portal tokens repeat; the key pair is by chance.
    With a `private_key` that one signs, in place of the one that is kept.
    """

    def __init__(
        self,
        load: Callable[[], JSONObject],
        keep: Callable[[JSONObject], None],
        seed: str | None = None,
        private_key: RSAPrivateKey | None = None,
    ) -> None:
        self._load = load
        self._keep = keep
        self._seed = seed
        self._given_key = private_key

    @cached_property
    def _secrets(self) -> JSONObject:
        kept = self._load()
        if not kept:
            kept = new_secrets()
            self._keep(kept)
        return kept

    @property
    def has_key(self) -> bool:
        """Whether there is a key, so that signing makes and keeps none."""
        return self._given_key is not None or bool(self._load())

    def adopt(self, secrets: JSONObject) -> None:
        """Keep secrets that `new_secrets` made, unless there are some by now.

        Raises:
            StoreUnwritable: the disk refused it.
        """
        if not self._load():
            self._keep(secrets)

    @cached_property
    def _private_key(self) -> RSAPrivateKey:
        if self._given_key is not None:
            return self._given_key
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key: Any = load_pem_private_key(self._secrets["private_key"].encode(), password=None)
        return key  # type: ignore[no-any-return]  # we only ever make RSA keys

    def public_key(self) -> str:
        """Return the public key: Base64 of its PEM text, a line break after each 60 characters."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem = self._private_key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        text = base64.b64encode(pem).decode()
        lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
        return "".join(f"{line}\n" for line in lines)

    def token(self, claims: JSONObject) -> str:
        """Return a JWT of the claims: RS256, its header the algorithm alone, no times."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        parts = [_segment(_compact({"alg": "RS256"})), _segment(_compact(claims))]
        signature = self._private_key.sign(".".join(parts).encode(), PKCS1v15(), SHA256())
        return ".".join([*parts, _segment(signature)])

    def portal_token(self, customer_id: str, organization_id: str, now: datetime) -> str:
        """Return a token for a customer's portal, good for twelve hours from `now`.

        It tells nothing of the organization, and is true of this one alone: two that began with
        the same fixture set have customers of the same ids.
        """
        expiry = (now + timedelta(hours=PORTAL_HOURS)).isoformat(timespec="milliseconds")
        data = {"_rails": {"data": customer_id, "exp": expiry.replace("+00:00", "Z")}}
        text = base64.b64encode(_compact(data)).decode()
        return f"{text}--{self._portal_signature(text, organization_id)}"

    def portal_customer(self, token: str, organization_id: str, now: datetime) -> str | None:
        """Return the `lago_id` that a portal token was made for; None if it is false or too old."""
        if self._seed is None and not self._load():
            return None  # nothing was ever signed
        text, _, signature = token.rpartition("--")
        wanted = self._portal_signature(text, organization_id)
        if not hmac.compare_digest(signature.encode(), wanted.encode()):
            return None
        rails = json.loads(base64.b64decode(text))["_rails"]
        return str(rails["data"]) if datetime.fromisoformat(rails["exp"]) > now else None

    def _portal_signature(self, text: str, organization_id: str) -> str:
        seeded = self._seed is not None
        secret = f"portal {self._seed}" if seeded else self._secrets["portal_secret"]
        signed = f"{organization_id} {text}"
        return hmac.new(secret.encode(), signed.encode(), hashlib.sha1).hexdigest()


def key_in(path: Path) -> RSAPrivateKey:
    """Return the RSA key that a file holds.

    Raises:
        SettingError: it cannot be read, or holds none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
        reason = "it is of another kind"
    except (OSError, TypeError, UnsupportedAlgorithm, ValueError) as error:
        key, reason = None, str(error)
    if not isinstance(key, RSAPrivateKey):
        raise SettingError(
            f"{path} has no key to sign webhooks with: {reason}. "
            "Name an RSA private key in PEM form, without a passphrase, with --webhook-key."
        )
    return key


def new_secrets() -> JSONObject:
    """Return new secrets; takes up to a second, and may run in a thread."""
    return {"private_key": _new_private_key(), "portal_secret": _new_secret()}


def _compact(value: JSONObject) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _new_private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _new_secret() -> str:
    import secrets

    return secrets.token_hex(32)
