"""Policy at a URL, from a real TLS server on the loopback interface."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from gateway.sources.bundle_url import BundleUrl, archive_path, forget_others
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


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b spoilt"])
async def test_what_is_spoilt_on_disk_is_fetched_anew(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, content: bytes
) -> None:
    source = bundle_url(server, session, tmp_path)
    await source.fetch()
    source.archive.write_bytes(content)
    assert await source.fetch()
    assert source.archive.read_bytes() == server.content
    assert [tag for tag, _ in server.asked] == ["", ""]


async def test_two_that_keep_the_same_archive_write_in_turn(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    first, second = (bundle_url(server, session, tmp_path) for _ in range(2))
    second.follow(first)
    for number in range(20):
        server.content, server.etag = tar_of({"a.yaml": b"new" * number}), f'"{number}"'
        first.archive.unlink(missing_ok=True)
        assert all(await asyncio.gather(first.fetch(), second.fetch()))
        assert first.archive.read_bytes() == server.content


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


@asynccontextmanager
async def speaking(answer: bytes) -> AsyncIterator[str]:
    """Serve these very bytes, whatever is asked; yield the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/policies.tar.gz"


def answer_of(content: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d" % len(content)
    return b"\r\n".join([b"HTTP/1.1 200 OK", length, *headers, b"", content])


def plain(url: str, session: aiohttp.ClientSession, directory: Path) -> BundleUrl:
    return BundleUrl(url, directory=directory, session=session, clock=utc_now)


@pytest.mark.parametrize("tag", [b"\xff\xfe", b"\xc3\xa9", b"x" * 5_000, b"", b'"\x7f"'])
async def test_a_tag_that_is_none_is_not_asked_by(
    session: aiohttp.ClientSession, tmp_path: Path, tag: bytes
) -> None:
    content = tar_of(FILES)
    async with speaking(answer_of(content, b"ETag: " + tag)) as url:
        source = plain(url, session, tmp_path)
        for _ in range(2):
            assert await source.fetch(), source.last_error
        assert source.archive.read_bytes() == content


async def test_what_is_the_same_without_a_tag_is_not_written_again(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with speaking(answer_of(tar_of(FILES))) as url:
        source = plain(url, session, tmp_path)
        assert await source.fetch()
        written = source.archive.stat().st_mtime_ns
        assert await source.fetch()
        assert source.archive.stat().st_mtime_ns == written


async def test_an_archive_that_is_called_encoded_is_taken_as_it_came(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    content = tar_of(FILES)  # as servers send a `.tar.gz`: the gzip as its encoding
    async with speaking(answer_of(content, b"Content-Encoding: gzip")) as url:
        source = plain(url, session, tmp_path)
        assert await source.fetch(), source.last_error
        assert source.archive.read_bytes() == content


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\x1f\x8b",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 99_999 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_answer_in_http_is_a_failure_in_words(
    session: aiohttp.ClientSession, tmp_path: Path, answer: bytes
) -> None:
    async with speaking(answer) as url:
        source = plain(url, session, tmp_path)
        assert not await source.fetch()
        assert source.last_error.startswith("the server ")
        assert not source.archive.exists()


def test_an_archive_of_another_place_is_forgotten(tmp_path: Path) -> None:
    archive = archive_path(tmp_path)
    archive.parent.mkdir(parents=True)
    for url in ("https://policies.example/a", "https://policies.example/b", None):
        archive.write_bytes(b"kept")
        archive.with_name("bundle.json").write_text(
            '{"url":"https://policies.example/a","etag":""}'
        )
        forget_others(tmp_path, url)
        assert archive.exists() is (url == "https://policies.example/a")
    forget_others(tmp_path / "nowhere", None)
