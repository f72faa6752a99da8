"""The admin listener: health, metrics, status and reload; never on the data listener.

`/livez`, `/readyz` and `/metrics` are open; everything else needs the token. Host and Origin are
checked on every request (DNS rebinding, cross-site requests); state changes by POST only, and
without a configured token not at all.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from gateway.console.policy import Wish, read_wish
from gateway.core.policy.activation import Step
from gateway.errors import SourceError

_OPEN = frozenset({"/livez", "/readyz", "/metrics"})
_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One part of readiness: its name, whether it holds, and a word for people."""

    name: str
    ok: bool
    detail: str = ""


class ReloadReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a reload did: `activated`, `unchanged` or `refused` with every finding."""

    result: str
    digest: str
    findings: tuple[str, ...] = ()


class AdminSurface(msgspec.Struct, frozen=True, kw_only=True):
    """What the listener shows and may do, handed in by the composition root.

    `hosts` are host names without port that a request may be addressed to; `reload` takes the name
    of who asked, for the record; `act` moves the policy, and `history` tells how it moved so far
    (it raises SourceError where that cannot be read).
    """

    hosts: frozenset[str]
    token: str | None
    probes: Callable[[], tuple[Probe, ...]]
    status: Callable[[], Mapping[str, object]]
    reload: Callable[[str], Awaitable[ReloadReport]]
    registry: CollectorRegistry
    act: Callable[[Wish], Awaitable[ReloadReport]]
    history: Callable[[], Awaitable[tuple[Step, ...]]]


def make_admin(surface: AdminSurface) -> web.Application:
    """Make the application of the admin listener."""
    pages = _Pages(surface)
    app = web.Application(middlewares=[_headers, _guard(surface)], client_max_size=64 * 1024)
    app.router.add_get("/livez", pages.livez)
    app.router.add_get("/readyz", pages.readyz)
    app.router.add_get("/metrics", pages.metrics)
    app.router.add_get("/admin/v1/status", pages.status)
    app.router.add_post("/admin/v1/reload", pages.reload)
    app.router.add_get("/admin/v1/policy/history", pages.policy_history)
    app.router.add_post("/admin/v1/policy/activate", pages.policy_activate)
    app.router.add_post("/admin/v1/policy/rollback", pages.policy_rollback)
    return app


class _Pages:
    def __init__(self, surface: AdminSurface) -> None:
        self._surface = surface

    async def livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, request: web.Request) -> web.Response:
        probes = self._surface.probes()
        ready = all(probe.ok for probe in probes)
        if "verbose" in request.query:
            lines = [
                f"[{'+' if probe.ok else '-'}]{probe.name} {probe.detail or 'ok'}"
                for probe in probes
            ]
            text = "\n".join([*lines, "ready" if ready else "not ready"]) + "\n"
        else:
            text = "ready\n" if ready else "not ready\n"
        return web.Response(text=text, status=200 if ready else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._surface.registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )

    async def status(self, _request: web.Request) -> web.Response:
        return _json(200, self._surface.status())

    async def reload(self, request: web.Request) -> web.Response:
        report = await self._surface.reload(f"admin token from {request.remote}")
        return _json(200 if report.result != "refused" else 409, report)

    async def policy_history(self, _request: web.Request) -> web.Response:
        try:
            steps = await self._surface.history()
        except SourceError as failure:
            return _problem(500, str(failure).partition("\n")[0], "see `state_dir`")
        return _json(200, {"steps": steps})

    async def policy_activate(self, request: web.Request) -> web.Response:
        return await self._move(request, "activate")

    async def policy_rollback(self, request: web.Request) -> web.Response:
        return await self._move(request, "rollback")

    async def _move(
        self, request: web.Request, action: Literal["activate", "rollback"]
    ) -> web.Response:
        try:
            wish = read_wish(
                action, await request.read(), asker=f"admin token from {request.remote}"
            )
        except ValueError as error:
            return _problem(400, str(error), "see the README on the admin API")
        report = await self._surface.act(wish)
        return _json(200 if report.result != "refused" else 409, report)


def _guard(surface: AdminSurface) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = _refusal(request, surface)
        if refusal is not None:
            return refusal
        return await handler(request)

    return guard


def _refusal(request: web.Request, surface: AdminSurface) -> web.Response | None:
    if _host_name(request.host) not in surface.hosts:
        return _problem(421, "this host is not served here", "add it to `admin.hosts`")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return _problem(403, "requests from other origins are refused", "use the same origin")
    if request.path in _OPEN and request.method in {"GET", "HEAD"}:
        return None
    if surface.token is None:
        return _problem(403, "the listener is read-only", "configure `admin.token`")
    presented = request.headers.getall("Authorization", [])
    expected = f"Bearer {surface.token}".encode()
    if len(presented) != 1 or not hmac.compare_digest(
        presented[0].encode("utf-8", "surrogateescape"), expected
    ):
        response = _problem(401, "the admin token is missing or wrong", "send it as a bearer token")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return None


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as refused:
        response = _problem(
            refused.status, refused.reason.lower(), "see the README on the admin API"
        )
    response.headers.update(_SECURITY_HEADERS)
    return response


def _host_name(host: str) -> str:
    """Return the host without its port; IPv6 literals keep their brackets."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def _problem(status: int, title: str, hint: str) -> web.Response:
    return _json(
        status,
        {"type": "about:blank", "title": title, "status": status, "detail": f"hint: {hint}"},
        content_type="application/problem+json",
    )


def _json(status: int, value: object, content_type: str = "application/json") -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type=content_type)
