"""A policy directory offered at a URL: asked for by ETag, kept as the last archive that came whole.

What is fetched is only offered: it is read, verified and judged like a directory (`archives`,
`offers`). A server that is down, slow, or sends rubbish changes nothing; the archive of before
stays on disk, and what is active is somewhere else entirely.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from gateway.errors import SourceError, words_of
from gateway.sources.archives import MAX_ARCHIVE_BYTES, is_archive
from gateway.sources.durable import holds, replace_durably

log = logging.getLogger("facegate")

_TIMEOUT_S: Final = 30.0
_OK: Final = 200
_NOT_MODIFIED: Final = 304
# RFC 9110 section 8.8.3, without the bytes above ASCII; what else calls itself a tag is none.
_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,1000}"')
_ABOUT: Final = "bundle.json"


class _Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive on disk is: from where, under which ETag, and with which content."""

    url: str
    etag: str
    sha256: str = ""


_decoder: msgspec.json.Decoder[_Fetched] = msgspec.json.Decoder(_Fetched)


class BundleUrl:
    """Keeps the archive at a URL on disk; owned by the event loop.

    Attributes:
        url: that is asked.
        archive: where the archive is kept.
        fetched: when the server last answered, with something new or not.
        last_error: why it did not since; empty where it did.
        turn: held while it is asked and the archive is written.
    """

    def __init__(
        self,
        url: str,
        *,
        directory: Path,
        session: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
        token: str | None = None,
    ) -> None:
        """Name the place; nothing is asked for yet.

        Args:
            url: of a zip or tar.gz of a policy directory.
            directory: where the archive is kept.
            session: for the requests.
            clock: aware, UTC.
            tls: authorities to trust instead of the system's.
            token: sent as a bearer token.
        """
        self.archive = archive_path(directory)
        self._about = self.archive.with_name(_ABOUT)
        self.fetched: datetime | None = None
        self.last_error = ""
        self.url, self._session, self._clock = url, session, clock
        self._tls, self._token = tls, token
        self.turn = asyncio.Lock()

    def follow(self, before: BundleUrl | None) -> None:
        """Take over what an earlier one knows of the same place, and wait for its turn to end."""
        if before is None:
            return
        self.turn = before.turn
        if before.url == self.url:
            self.fetched, self.last_error = before.fetched, before.last_error

    async def fetch(self) -> bool:
        """Ask once; tell whether the server answered. Whatever is wrong is logged once."""
        async with self.turn:
            try:
                await self._fetch()
            except SourceError as failure:
                if str(failure) != self.last_error:
                    log.warning("policies cannot be fetched: %s", failure)
                self.last_error = str(failure)
                return False
            if self.last_error:
                log.info("policies can be fetched again")
            self.fetched, self.last_error = self._clock(), ""
            return True

    async def _fetch(self) -> None:
        headers = {"accept-encoding": "identity"}
        etag = await asyncio.to_thread(self._etag)
        if etag:
            headers["if-none-match"] = etag
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        try:
            async with self._session.get(
                self.url,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
                headers=headers,
                ssl=self._tls or True,
                auto_decompress=False,  # some servers call the gzip of a tar.gz its encoding
            ) as response:
                if response.status == _NOT_MODIFIED and etag:
                    return
                content = await _content(response)
                tag = response.headers.get("ETag", "")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SourceError(f"the server cannot be reached ({type(error).__name__})") from error
        if not is_archive(content):
            raise SourceError("what the server sent is no zip and no tar.gz")
        await asyncio.to_thread(self._keep, content, tag if _TAG.fullmatch(tag) else "")

    def _etag(self) -> str:
        """Return the ETag of the archive on disk; nothing where it is from elsewhere, or gone."""
        about = _about(self._about)
        if about is None or about.url != self.url or not _TAG.fullmatch(about.etag):
            return ""
        # What was spoilt on disk would never be asked for again.
        with suppress(OSError):
            if about.sha256 == _sha256(self.archive.read_bytes()):
                return about.etag
        return ""

    def _keep(self, content: bytes, etag: str) -> None:
        """Put the archive in place, and only then say what it is: an end between asks again.

        Raises:
            SourceError: it cannot be written.
        """
        fetched = _Fetched(url=self.url, etag=etag, sha256=_sha256(content))
        about = msgspec.json.encode(fetched)
        if holds(self.archive, content) and holds(self._about, about):
            return
        try:
            self._about.unlink(missing_ok=True)
            replace_durably(self.archive, content)
            replace_durably(self._about, about)
        except OSError as error:
            raise SourceError(f"`{self.archive}`: cannot be written: {words_of(error)}") from error


def archive_path(directory: Path) -> Path:
    """Return where the archive of a URL is kept, below the policy's state directory."""
    return directory / "offered" / "bundle"


def forget_others(directory: Path, url: str | None) -> None:
    """Remove an archive that is not from this URL: what was offered elsewhere is no candidate.

    What is active is not here, so nothing is lost; what cannot be removed stays.
    """
    archive = archive_path(directory)
    about = archive.with_name(_ABOUT)
    known = _about(about)
    if known is not None and known.url != url:
        with suppress(OSError):
            archive.unlink(missing_ok=True)
            about.unlink(missing_ok=True)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _about(path: Path) -> _Fetched | None:
    try:
        return _decoder.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


async def _content(response: aiohttp.ClientResponse) -> bytes:
    if response.status != _OK:
        raise SourceError(f"the server answered {response.status}")
    content = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > MAX_ARCHIVE_BYTES:
            raise SourceError(f"the archive is longer than {MAX_ARCHIVE_BYTES >> 20} MiB")
    return bytes(content)
