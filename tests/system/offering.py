"""A small policy that the test changes: as a directory, as an archive, and at a URL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from gateway.demo.world import World
from tests.sources.test_archives import tar_of

PERMIT = """\
apiVersion: facegate/v1
kind: Pack
pack: small
owner: a test
source: a test
force: binding
review: 2040-01-01
rules:
  - {id: unplaced, effect: deny, when: {destination: [unknown, private, anonymised, stale]},
     reason: no place}
  - {id: all, effect: permit, when: {class: [one_to_many]}, reason: whatever is left}
"""
DENY = """\
apiVersion: facegate/v1
kind: Pack
pack: {name}
owner: a test
source: a test
force: binding
review: 2040-01-01
rules:
  - {{id: charity, effect: deny, when: {{tenant: [northwind-missing], class: [one_to_many]}},
     reason: a test denies}}
"""


def policy(*denying: str) -> dict[str, bytes]:
    """Return the files of a policy that permits searches, but for packs that deny the charity's."""
    packs = {f"{name}.yaml": DENY.format(name=name).encode() for name in denying}
    return {"small.yaml": PERMIT.encode(), **packs}


def write(directory: Path, files: Mapping[str, bytes]) -> Path:
    """Make a directory hold just these files; a gateway that watches it may see every step."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory


def settle(world: World, policies: str) -> None:
    """Write the setting on policy, in YAML's flow form, into the configuration."""
    lines = world.config.read_text().splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith("policies:"))
    lines[place] = f"policies: {policies}"
    world.config.write_text("\n".join(lines) + "\n")


@dataclass
class Offer:
    """A server of policy whose answers the test decides; it knows what it was asked."""

    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = '"1"'
    status: int = 200
    url: str = ""
    answered: list[tuple[str, int]] = field(default_factory=list)  # If-None-Match, and the status
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, files: dict[str, bytes], etag: str) -> None:
        """Offer other files from now on."""
        self.content, self.etag = tar_of(files), etag

    async def answer(self, request: web.Request) -> web.StreamResponse:
        tag = request.headers.get("If-None-Match", "")
        status = 304 if self.status == 200 and self.etag and tag == self.etag else self.status
        self.answered.append((tag, status))
        self._news.set()
        headers = {**({"ETag": self.etag} if self.etag else {}), **self.headers}
        return web.Response(
            status=status, body=self.content if status == 200 else None, headers=headers
        )

    async def asked(self, times: int) -> None:
        """Wait until it was asked so often from now on."""
        wanted = len(self.answered) + times
        async with asyncio.timeout(60):
            while len(self.answered) < wanted:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def offering(offer: Offer) -> AsyncIterator[Offer]:
    """Serve an offer until the end of the block; at the same address as before, if it had one."""
    app = web.Application()
    app.router.add_get("/policies.tar.gz", offer.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    before = offer.url.removeprefix("http://127.0.0.1:").partition("/")[0]
    await web.TCPSite(runner, "127.0.0.1", int(before or 0)).start()
    offer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/policies.tar.gz"
    try:
        yield offer
    finally:
        await runner.cleanup()
