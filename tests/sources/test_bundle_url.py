"""Policy at a URL, from a real TLS server on the loopback interface."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.app.once import utc_now
from gateway.sources.archives import MAX_ARCHIVE_BYTES
from gateway.sources.bundle_url import BundleUrl
from tests.sources.test_archives import FILES, tar_of


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a certificate for the loopback interface; its own authority. Return it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "policies.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = directory / "cert.pem", directory / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, secret


@dataclass
class Server:
    """A server whose answers the test decides; it knows what it was asked."""

    cert: Path
    content: bytes = tar_of(FILES)
    etag: str = '"1"'
    status: int = 200
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        tag = request.headers.get("If-None-Match", "")
        self.asked.append((tag, request.headers.get("Authorization", "")))
        if self.status != 200:
            return web.Response(status=self.status, headers={"Location": "/elsewhere"})
        if tag == self.etag:
            return web.Response(status=304)
        return web.Response(body=self.content, headers={"ETag": self.etag})

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.cert)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    cert, key = certificate(tmp_path)
    made = Server(cert)
    app = web.Application()
    app.router.add_get("/policies.tar.gz", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    made.url = f"https://127.0.0.1:{runner.addresses[0][1]}/policies.tar.gz"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


def bundle_url(
    server: Server, session: aiohttp.ClientSession, directory: Path, *, trusting: bool = True
) -> BundleUrl:
    return BundleUrl(
        server.url,
        directory=directory,
        session=session,
        clock=utc_now,
        tls=server.trust() if trusting else None,
        token="made-up-token",
    )


async def test_an_archive_is_fetched_once_for_each_content_also_across_restarts(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    source = bundle_url(server, session, tmp_path)
    assert await source.fetch()
    assert source.archive.read_bytes() == server.content
    assert source.fetched is not None
    written = source.archive.stat().st_mtime_ns
    assert await bundle_url(server, session, tmp_path).fetch()
    assert source.archive.stat().st_mtime_ns == written
    server.content, server.etag = tar_of({"a.yaml": b"new"}), '"2"'
    assert await source.fetch()
    assert source.archive.read_bytes() == server.content
    bearer = "Bearer made-up-token"
    assert server.asked == [("", bearer), ('"1"', bearer), ('"1"', bearer)]


@pytest.mark.parametrize("status", [301, 304, 404, 500])
async def test_what_is_no_answer_leaves_the_archive_of_before(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, status: int
) -> None:
    source = bundle_url(server, session, tmp_path)
    await source.fetch()
    good = server.content
    source.archive.with_name("bundle.json").unlink()  # so that nothing is known by its tag
    server.status = status
    assert not await source.fetch()
    assert source.last_error == f"the server answered {status}"
    assert source.archive.read_bytes() == good


async def test_rubbish_and_floods_leave_the_archive_of_before(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    source = bundle_url(server, session, tmp_path)
    await source.fetch()
    good = server.content
    server.content, server.etag = b"<html>sign in</html>", '"2"'
    assert not await source.fetch()
    assert "no zip and no tar.gz" in source.last_error
    server.content = b"\x1f\x8b" + bytes(MAX_ARCHIVE_BYTES)
    assert not await source.fetch()
    assert "longer than 32 MiB" in source.last_error
    assert source.archive.read_bytes() == good
    server.content = good
    assert await source.fetch()
    assert source.last_error == ""


async def test_a_server_whose_certificate_is_not_trusted_is_not_asked(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    source = bundle_url(server, session, tmp_path, trusting=False)
    assert not await source.fetch()
    assert "cannot be reached (ClientConnectorCertificateError)" in source.last_error
    assert server.asked == []
    assert not source.archive.exists()


async def test_a_disk_without_room_is_a_failure_in_words(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "offered").write_text("in the way")
    source = bundle_url(server, session, tmp_path)
    assert not await source.fetch()
    assert "cannot be written" in source.last_error
