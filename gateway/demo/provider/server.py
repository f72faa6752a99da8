"""The simulated provider on a loopback port: both dialects, and a note of all that arrived.

It keeps what shows that a request came (operation, header names, sizes), never a body; and it can
be told to misbehave once, to show what the gateway makes of a broken provider.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
from aiohttp import web

from gateway.demo.loopback import LoopbackServer
from gateway.demo.provider import azure_face
from gateway.demo.provider.azure_face import AzureFace
from gateway.demo.provider.credential import Own, Sent, check_aws, check_azure
from gateway.demo.provider.rekognition import Rekognition
from gateway.demo.provider.reply import Reply, identifier
from gateway.demo.provider.seed import seed

Misbehaviour = Literal["switch_protocols", "drop", "garbage"]

_AWS_TARGET = "RekognitionService."
_AZURE_ROOT = "/face/"
_RAW: dict[Misbehaviour, bytes] = {
    "switch_protocols": (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    ),
    "drop": b"",
    "garbage": b"HTTP/1.1 2OO OK\r\n\r\n",
}


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One request that reached the provider.

    Attributes:
        index: count of arrivals before it.
        provider: `aws_rekognition` or `azure_face`.
        operation: as the catalogue names it; `unknown` where the simulator knows none.
        header_names: lower case, in the order of arrival.
        body_bytes: length of the body.
        decision: the X-Facegate-Decision header, empty where there was none.
        own_credential: whether it came with the gateway's own credential.
    """

    index: int
    provider: str
    operation: str
    header_names: tuple[str, ...]
    body_bytes: int
    decision: str
    own_credential: bool


class ProviderSimulator(LoopbackServer):
    """Two services behind one port: Azure Face below `/face/`, Rekognition elsewhere.

    `arrivals` and `misbehave_next` are owned by the event loop that serves; `misbehave_next` is
    taken back once it has been done.
    """

    def __init__(self, own: Own, clock: Callable[[], datetime]) -> None:
        super().__init__(self._handle)
        self._own, self._clock = own, clock
        self._aws, self._azure = Rekognition(clock), AzureFace(clock)
        seed(self._aws, self._azure)
        self.arrivals: list[Arrival] = []
        self.misbehave_next: Misbehaviour | None = None

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        sent = Sent(
            method=http.method,
            target=http.raw_path,
            headers={name.lower(): value for name, value in http.headers.items()},
            body=await http.content.read(),
        )
        if (misbehaviour := self.misbehave_next) is not None:
            self.misbehave_next = None
            return self._misbehave(http, sent, misbehaviour)
        if sent.target.startswith(_AZURE_ROOT):
            return _azure_response(self._azure_reply(sent), len(self.arrivals))
        return _aws_response(self._aws_reply(sent), len(self.arrivals))

    def _misbehave(
        self, http: web.BaseRequest, sent: Sent, misbehaviour: Misbehaviour
    ) -> web.StreamResponse:
        """Break the protocol below aiohttp, then close."""
        azure = sent.target.startswith(_AZURE_ROOT)
        provider = "azure_face" if azure else "aws_rekognition"
        self._note(sent, provider=provider, operation=misbehaviour, own=True)
        if (transport := http.transport) is not None:
            transport.write(_RAW[misbehaviour])
            transport.close()
        return web.Response()

    def _aws_reply(self, sent: Sent) -> Reply:
        operation = sent.headers.get("x-amz-target", "").removeprefix(_AWS_TARGET)
        refused = check_aws(sent, self._own, self._clock())
        self._note(sent, provider="aws_rekognition", operation=operation, own=refused is None)
        return self._aws.answer(operation, sent.body) if refused is None else refused

    def _azure_reply(self, sent: Sent) -> Reply:
        path, _, query_string = sent.target.partition("?")
        version, _, below = path.removeprefix(_AZURE_ROOT).partition("/")
        name, places = self._azure.operation(sent.method, f"/{below}")
        refused = check_azure(sent, self._own)
        self._note(sent, provider="azure_face", operation=name, own=refused is None)
        if refused is not None:
            return refused
        host = sent.headers.get("host", "")
        call = azure_face.read_call(
            sent.body,
            content_type=sent.headers.get("content-type", ""),
            query_string=query_string,
            places=places,
            root=f"http://{host}{_AZURE_ROOT}{version}",
        )
        if call is None:
            return azure_face.fault(400, "BadArgument", "JSON parsing error.")
        return self._azure.answer(name, call)

    def _note(self, sent: Sent, *, provider: str, operation: str, own: bool) -> None:
        arrival = Arrival(
            index=len(self.arrivals),
            provider=provider,
            operation=operation,
            header_names=tuple(sent.headers),
            body_bytes=len(sent.body),
            decision=sent.headers.get("x-facegate-decision", ""),
            own_credential=own,
        )
        self.arrivals.append(arrival)


def _aws_response(reply: Reply, index: int) -> web.Response:
    headers = {"x-amzn-RequestId": identifier("request", index), **reply.headers}
    if reply.error:
        headers["x-amzn-ErrorType"] = reply.error
    return web.Response(
        status=reply.status,
        body=msgspec.json.encode(reply.document),
        headers={"Content-Type": "application/x-amz-json-1.1", **headers},
    )


def _azure_response(reply: Reply, index: int) -> web.Response:
    headers = {"apim-request-id": identifier("request", index), **reply.headers}
    if reply.error:
        headers["x-ms-error-code"] = reply.error
    if reply.document is None:
        return web.Response(status=reply.status, headers=headers)
    return web.Response(
        status=reply.status,
        body=msgspec.json.encode(reply.document),
        headers={"Content-Type": "application/json; charset=utf-8", **headers},
    )
