from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.proxy.doorstep import Client, Doorstep, doorstep, raw


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's context; the key is made here and lives as long as the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gw.example")])
    begin = datetime.now(UTC) - timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("gw.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "gw.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


async def connected(step: Doorstep, port: int, context: ssl.SSLContext) -> Client:
    streams = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="gw.example"
    )
    return step.keep(Client(*streams))


async def test_over_tls_requests_are_answered_and_refusals_can_be_read(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    loop = asyncio.get_running_loop()
    async with doorstep() as step:
        server = await loop.create_server(step.listener, "127.0.0.1", 0, ssl=contexts[0])
        async with server:
            client = await connected(step, server.sockets[0].getsockname()[1], contexts[1])
            for length in (3, 60_000):
                await client.send(raw(body=b"a" * length))
                assert (await client.response()).json["length"] == length
            await client.send(raw(b"Content-Length: 4000000"), b"a" * 4_000_000)
            assert (await client.response()).status == 413
            assert await client.rest() == b""
            await step.close_clients()
