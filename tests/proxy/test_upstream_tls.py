"""The pool over TLS: only a certificate that verifies is spoken to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import UpstreamError
from gateway.proxy.upstream import Pool, tls_context

HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Authority:
    """A certificate authority of this test run."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        certificate = self.sign(
            self.name,
            self.key.public_key(),
            x509.BasicConstraints(ca=True, path_length=0),
            self.identifier,
        )
        self.file = str(directory / f"{name}.pem")
        Path(self.file).write_bytes(certificate)

    def sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *extensions: x509.ExtensionType,
        since_days: int = 1,
        for_days: int = 10,
    ) -> bytes:
        now = datetime.now(UTC)
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        usage |= {"digital_signature": True, "key_cert_sign": subject == self.name}
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=since_days))
            .not_valid_after(now - timedelta(days=since_days) + timedelta(days=for_days))
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self.identifier),
                critical=False,
            )
        )
        for extension in extensions:
            critical = isinstance(extension, x509.BasicConstraints)
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, *names: x509.GeneralName, since_days: int = 1) -> ssl.SSLContext:
        """Issue a certificate; `since_days` above 10 makes one that has run out."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
        content = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ) + self.sign(
            subject,
            key.public_key(),
            x509.SubjectAlternativeName(names),
            since_days=since_days,
        )
        file = self.directory / "provider.pem"
        file.write_bytes(content)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


LOOPBACK = x509.IPAddress(IPv4Address("127.0.0.1"))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "known")


@contextlib.asynccontextmanager
async def provider(context: ssl.SSLContext, requests: list[bytes]) -> AsyncIterator[str]:
    ended = list[asyncio.Future[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ended.append(end)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(HELLO)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        end.set_result(None)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*ended)


async def test_a_provider_that_the_authority_vouches_for_is_spoken_to(
    authority: Authority,
) -> None:
    requests = list[bytes]()
    async with provider(authority.server(LOOPBACK), requests) as url:
        pool = Pool(url, tls=tls_context(authority.file))
        for _ in range(3):
            assert (await pool.exchange(HEAD, b"", deadline_s=10)).body == b"hello"
        assert pool.open == 1
        await pool.close()
    assert requests == [HEAD] * 3


async def test_a_certificate_of_another_authority_is_refused_and_nothing_sent(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    assert await refusal(other.server(LOOPBACK), authority)


async def test_a_certificate_for_another_host_is_refused_and_nothing_sent(
    authority: Authority,
) -> None:
    context = authority.server(x509.DNSName("elsewhere.example"))
    assert "IP address mismatch" in await refusal(context, authority)


async def test_a_certificate_that_has_run_out_is_refused_and_nothing_sent(
    authority: Authority,
) -> None:
    context = authority.server(LOOPBACK, since_days=30)
    assert "expired" in await refusal(context, authority)


async def test_a_provider_that_speaks_no_tls_is_refused(authority: Authority) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(HELLO)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        pool = Pool(f"https://127.0.0.1:{port}", tls=tls_context(authority.file))
        with pytest.raises(UpstreamError) as caught:
            await pool.exchange(HEAD, b"", deadline_s=10)
        assert (caught.value.sent, pool.open) == (False, 0)


async def test_by_default_only_the_systems_authorities_are_trusted(authority: Authority) -> None:
    requests = list[bytes]()
    async with provider(authority.server(LOOPBACK), requests) as url:
        with pytest.raises(UpstreamError, match="certificate does not verify"):
            await Pool(url).exchange(HEAD, b"", deadline_s=10)
    assert requests == []


async def refusal(context: ssl.SSLContext, trusted: Authority) -> str:
    """Return the message of the error that a provider with this certificate meets."""
    requests = list[bytes]()
    async with provider(context, requests) as url:
        pool = Pool(url, tls=tls_context(trusted.file))
        with pytest.raises(UpstreamError, match="certificate does not verify") as caught:
            await pool.exchange(HEAD, b"", deadline_s=10)
        assert (caught.value.sent, pool.open) == (False, 0)
    assert requests == []
    return str(caught.value)
