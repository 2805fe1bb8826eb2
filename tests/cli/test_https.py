from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from lago_mock import AdminError, LagoMock
from tests.process import arguments_of, run, serving


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine for itself, with its key in the same file."""
    return certificate_at(tmp_path / "both.pem")


def certificate_at(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(text + made.public_bytes(Encoding.PEM))
    return path


def test_the_api_is_served_by_https(tmp_path: Path, certificate: Path) -> None:
    with serving(tmp_path, "--ssl-cert", str(certificate)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=server.url, verify=context) as client:
            for _ in range(2):
                assert client.get("/api/v1/organizations").status_code == 401
            fault = {"operation": "*", "connection": "CONNECTION_RESET_BY_PEER"}
            client.post("/__admin/faults", json=fault).raise_for_status()
            with pytest.raises(httpx.HTTPError):
                client.get("/api/v1/organizations")
            assert client.get("/health").status_code == 200
            status, _ = server.stop()
        assert (status, "graceful shutdown exceeded" in server.stderr) == (0, False)


def test_a_handle_reaches_its_own_server_and_trusts_no_other(certificate: Path) -> None:
    with LagoMock(ssl_cert=str(certificate), fixtures="empty") as lago:
        assert lago.url.startswith("https://127.0.0.1:")
        assert lago.customers() == []
        with pytest.raises(AdminError, match="certificate verify failed"):
            LagoMock(lago.url)


def test_the_commands_trust_the_certificate_that_they_are_shown(
    tmp_path: Path, certificate: Path
) -> None:
    with serving(tmp_path, "--ssl-cert", str(certificate)) as server:
        arguments = ("health", "--url", server.url)
        trusted = run(tmp_path, *arguments, variables={"SSL_CERT_FILE": str(certificate)})
        unknown = run(tmp_path, *arguments)

    assert (trusted.returncode, unknown.returncode) == (0, 1)
    assert "certificate verify failed" in unknown.stderr


def test_the_commands_believe_the_certificate_that_is_configured(
    tmp_path: Path, certificate: Path
) -> None:
    """The health check of a container has nothing else to go by."""
    other = certificate_at(tmp_path / "other.pem")
    with serving(tmp_path, "--ssl-cert", str(certificate)) as server:
        variables = {"LAGO_MOCK_PORT": server.url.rpartition(":")[2]}

        told = run(
            tmp_path, "health", variables={**variables, "LAGO_MOCK_SSL_CERT": str(certificate)}
        )
        doubted = run(tmp_path, "health", variables={**variables, "LAGO_MOCK_SSL_CERT": str(other)})

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"lago-mock is ok: {server.url}, version ")
    assert (doubted.returncode, doubted.stdout) == (1, "")
    assert "certificate verify failed" in doubted.stderr


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["absent", "no PEM"])
def test_a_certificate_that_is_none_stops_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bad.pem"
    if content:
        path.write_text(content)

    ended = run(tmp_path, *arguments_of(tmp_path), "--ssl-cert", str(path))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"lago-mock: {path} cannot be served with: ")
    assert ended.stderr.endswith(
        "Name a certificate and its key in PEM form with --ssl-cert and --ssl-key.\n"
    )


def test_a_key_without_its_certificate_stops_the_start(tmp_path: Path, certificate: Path) -> None:
    ended = run(tmp_path, *arguments_of(tmp_path), "--ssl-key", str(certificate))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "lago-mock: a key alone serves no HTTPS. Name its certificate with --ssl-cert.\n"
    )
