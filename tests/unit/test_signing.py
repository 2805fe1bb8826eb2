from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from lago_mock.settings import SettingError
from lago_mock.signing import PORTAL_HOURS, Signing, key_in

NOW = datetime(2026, 2, 3, 4, 5, 6, 789_654, UTC)
EXPIRY = NOW + timedelta(hours=12)
CUSTOMER = "5e1a7c02-93d4-4b68-8f10-2c6ad0b7e941"
OWNER = "org-1"
CLAIMS = {"organization_id": "org-1", "aud": "lago-grpc"}

Secrets = dict[str, Any]


def kept_by_a_new() -> Secrets:
    kept: list[Secrets] = []
    Signing(dict, kept.append).public_key()
    (secrets,) = kept
    return secrets


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    return kept_by_a_new()


@pytest.fixture(scope="module")
def other_secrets() -> Secrets:
    return kept_by_a_new()


def fail(_kept: Secrets) -> None:
    raise AssertionError("secrets that are there are not kept anew")


def of(secrets: Secrets) -> Signing:
    return Signing(lambda: secrets, fail)


@pytest.fixture
def signing(secrets: Secrets) -> Signing:
    return of(secrets)


def pem_of(signing: Signing) -> bytes:
    return base64.b64decode(signing.public_key())


def payload_of(token: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(token.partition("--")[0], validate=True))
    return payload


# The key pair


def test_the_public_key_is_base64_in_lines_of_sixty_characters(signing: Signing) -> None:
    text = signing.public_key()

    *lines, end = text.split("\n")
    assert end == ""
    assert {len(line) for line in lines[:-1]} == {60}
    assert 0 < len(lines[-1]) <= 60
    assert base64.b64encode(base64.b64decode("".join(lines), validate=True)).decode() == "".join(
        lines
    )


def test_the_public_key_is_that_of_an_rsa_pair_as_pem(signing: Signing) -> None:
    pem = pem_of(signing)

    key = load_pem_public_key(pem)
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert isinstance(key, RSAPublicKey)
    assert (key.key_size, key.public_numbers().e) == (2048, 65537)


def test_the_secrets_are_made_once_and_kept(secrets: Secrets) -> None:
    kept: list[Secrets] = []
    signing = Signing(dict, kept.append)
    assert kept == []

    first = signing.public_key()
    signing.token(CLAIMS)
    token = signing.portal_token(CUSTOMER, OWNER, NOW)

    assert len(kept) == 1
    assert kept[0].keys() == {"private_key", "portal_secret"}
    assert kept[0]["private_key"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert all(kept[0][name] != secrets[name] for name in secrets)
    again = of(json.loads(json.dumps(kept[0])))
    assert (again.public_key(), again.portal_customer(token, OWNER, NOW)) == (first, CUSTOMER)


def test_secrets_made_meanwhile_are_adopted_once(secrets: Secrets, other_secrets: Secrets) -> None:
    kept: list[Secrets] = []
    signing = Signing(lambda: kept[0] if kept else {}, kept.append)

    signing.adopt(secrets)
    signing.adopt(other_secrets)

    assert kept == [secrets]


def test_the_portal_alone_makes_secrets_too() -> None:
    kept: list[Secrets] = []

    token = Signing(dict, kept.append).portal_token(CUSTOMER, OWNER, NOW)

    (secrets,) = kept
    assert of(secrets).portal_customer(token, OWNER, NOW) == CUSTOMER


# Tokens


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param(CLAIMS, id="of gRPC"),
        pytest.param({}, id="none"),
        pytest.param({"data": '{"name":"Évora & <Søn>"}', "n": [1, None]}, id="of any kind"),
    ],
)
def test_a_token_is_verified_by_another_library(signing: Signing, claims: dict[str, Any]) -> None:
    token = signing.token(claims)

    audience = claims.get("aud")
    found = jwt.decode(token, pem_of(signing), algorithms=["RS256"], audience=audience)
    assert found == claims
    assert jwt.get_unverified_header(token) == {"alg": "RS256"}


def test_a_token_has_three_parts_without_padding(signing: Signing) -> None:
    header, claims, signature = signing.token({"a": 1}).split(".")

    assert header == base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode()
    assert claims == base64.urlsafe_b64encode(b'{"a":1}').decode().rstrip("=")
    assert "=" not in signature
    assert len(base64.urlsafe_b64decode(f"{signature}==")) == 256


def test_a_token_of_another_key_pair_is_false(signing: Signing, other_secrets: Secrets) -> None:
    token = of(other_secrets).token({"a": 1})

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, pem_of(signing), algorithms=["RS256"])


def test_a_token_with_other_claims_is_false(signing: Signing) -> None:
    header, _, signature = signing.token({"a": 1}).split(".")
    claims = base64.urlsafe_b64encode(b'{"a":2}').decode().rstrip("=")

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{header}.{claims}.{signature}", pem_of(signing), algorithms=["RS256"])


# The portal


def test_a_portal_token_names_customer_and_expiry_and_is_signed(
    signing: Signing, secrets: Secrets
) -> None:
    token = signing.portal_token(CUSTOMER, OWNER, NOW)

    text, _, signature = token.partition("--")
    assert base64.b64decode(text, validate=True).decode() == (
        f'{{"_rails":{{"data":"{CUSTOMER}","exp":"2026-02-03T16:05:06.789Z"}}}}'
    )
    signed = f"{OWNER} {text}".encode()
    wanted = hmac.new(secrets["portal_secret"].encode(), signed, hashlib.sha1).hexdigest()
    assert (signature, len(signature)) == (wanted, 40)
    assert PORTAL_HOURS == 12


@pytest.mark.parametrize(
    ("then", "opens"),
    [
        pytest.param(NOW, True, id="at once"),
        pytest.param(NOW - timedelta(days=1), True, id="before it was made"),
        pytest.param(EXPIRY - timedelta(milliseconds=1), True, id="a moment before the end"),
        pytest.param(EXPIRY, False, id="at the end"),
        pytest.param(EXPIRY + timedelta(days=1), False, id="long after"),
    ],
)
def test_a_portal_token_opens_for_twelve_hours(
    signing: Signing, then: datetime, opens: bool
) -> None:
    token = signing.portal_token(CUSTOMER, OWNER, NOW)

    assert signing.portal_customer(token, OWNER, then) == (CUSTOMER if opens else None)


def forged(token: str, **changed: str) -> str:
    """Return a token with other content under its old signature."""
    content = payload_of(token)["_rails"] | changed
    text = base64.b64encode(json.dumps({"_rails": content}).encode()).decode()
    return f"{text}--{token.rpartition('--')[2]}"


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda token: forged(token, data="another"), id="another customer"),
        pytest.param(lambda token: forged(token, exp="2099-01-01T00:00:00.000Z"), id="later end"),
        pytest.param(lambda token: token[:-1], id="signature cut"),
        pytest.param(lambda token: f"{token}0", id="signature longer"),
        pytest.param(
            lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"), id="signature changed"
        ),
        pytest.param(lambda token: token[:-40] + token[-40:].upper(), id="signature in capitals"),
        pytest.param(lambda token: token[:-40], id="no signature"),
        pytest.param(lambda token: token.partition("--")[0], id="text alone"),
        pytest.param(lambda token: token.replace("--", "-"), id="one dash"),
        pytest.param(lambda token: f"x{token}", id="text longer"),
        pytest.param(lambda token: f"{token}--{token}", id="twice"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "--", id="dashes"),
        pytest.param(lambda _: "Ünïcode--ø", id="beyond ASCII"),
        pytest.param(lambda _: CUSTOMER, id="a plain id"),
    ],
)
def test_a_portal_token_that_was_tampered_with_opens_nothing(signing: Signing, tamper: Any) -> None:
    token = signing.portal_token(CUSTOMER, OWNER, NOW)

    assert tamper(token) != token
    assert signing.portal_customer(tamper(token), OWNER, NOW) is None


def test_a_portal_token_of_another_secret_opens_nothing(
    signing: Signing, secrets: Secrets, other_secrets: Secrets
) -> None:
    token = of(other_secrets).portal_token(CUSTOMER, OWNER, NOW)
    same_key = {**secrets, "portal_secret": other_secrets["portal_secret"]}

    assert signing.portal_customer(token, OWNER, NOW) is None
    assert of(same_key).portal_customer(token, OWNER, NOW) == CUSTOMER


def test_where_nothing_was_signed_no_link_is_true() -> None:
    assert Signing(dict, fail).portal_customer("e30=--0a1b", OWNER, NOW) is None


def test_a_portal_token_of_another_organization_opens_nothing(signing: Signing) -> None:
    token = signing.portal_token(CUSTOMER, "org-2", NOW)

    assert signing.portal_customer(token, OWNER, NOW) is None
    assert signing.portal_customer(token, "org-2", NOW) == CUSTOMER


def test_with_a_seed_portal_tokens_repeat_without_a_key_pair(secrets: Secrets) -> None:
    seeded = [Signing(load, fail, "a") for load in (dict, lambda: secrets)]
    other = Signing(dict, fail, "b")

    tokens = [each.portal_token(CUSTOMER, OWNER, NOW) for each in (*seeded, other)]

    assert tokens[0] == tokens[1] != tokens[2]
    assert seeded[1].portal_customer(tokens[0], OWNER, NOW) == CUSTOMER
    assert other.portal_customer(tokens[0], OWNER, NOW) is None


def test_with_a_seed_the_key_pair_is_kept_by_chance() -> None:
    kept: list[Secrets] = []

    keys = {Signing(dict, kept.append, "a").public_key() for _ in range(2)}

    assert len(keys) == len(kept) == 2


def pem_with(kind: Any, **protection: Any) -> bytes:
    encryption = protection.get("encryption", NoEncryption())
    pem: bytes = kind.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return pem


def test_a_key_that_is_given_signs_and_none_is_made(tmp_path: Path) -> None:
    given = generate_private_key(65537, 2048)
    (tmp_path / "key.pem").write_bytes(pem_with(given))

    signing = Signing(dict, fail, private_key=key_in(tmp_path / "key.pem"))

    assert signing.has_key
    shown = load_pem_public_key(pem_of(signing))
    assert shown == given.public_key()
    assert jwt.decode(signing.token({"data": "d"}), shown, ["RS256"]) == {"data": "d"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file or directory", id="no file"),
        pytest.param(b"no key", "PEM", id="no PEM"),
        pytest.param(pem_with(Ed25519PrivateKey.generate()), "it is of another kind", id="kind"),
        pytest.param(
            pem_with(Ed25519PrivateKey.generate(), encryption=BestAvailableEncryption(b"p")),
            "encrypted",
            id="passphrase",
        ),
    ],
)
def test_a_file_without_a_key_is_refused(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "key.pem"
    if content:
        path.write_bytes(content)

    with pytest.raises(SettingError) as caught:
        key_in(path)

    assert str(caught.value).startswith(f"{path} has no key to sign webhooks with: ")
    assert reason in str(caught.value)
    assert str(caught.value).endswith(
        ". Name an RSA private key in PEM form, without a passphrase, with --webhook-key."
    )
