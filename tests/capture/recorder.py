"""A loopback server that remembers what SDKs send, and the redirection of their connections to it.

An SDK runs as its users run it, with its own hosts and transports; only the last step is another:
connections end here, without TLS. Standard library only, as it runs in each SDK's environment.
"""

from __future__ import annotations

import http.client
import importlib
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import NamedTuple, Self

_LARGEST_HEAD = 1 << 16
_CONNECT_IN_S = 5.0
_VENDORED = "aliyunsdkcore.vendored.requests.packages.urllib3"


class Call(NamedTuple):
    """One call of an SDK, and what a person says that it is.

    Attributes:
        name: of the capture.
        operation: in the terms of the catalogue.
        operation_class: its class.
        do: makes the call; what it raises on the recorder's empty answer says nothing.
        provider: whose it is, where it is not the SDK's usual one.
    """

    name: str
    operation: str
    operation_class: str
    do: Callable[[], object]
    provider: str = ""


class Arrived(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    lines: tuple[tuple[str, str], ...]
    body: bytes


class Recorder:
    """Answers every request with the same JSON and keeps it; owned by one thread of calls."""

    def __init__(self, answer: bytes = b"{}") -> None:
        """Listen on a free port of the loopback interface."""
        self.arrived: list[Arrived] = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection:
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            head = _read_head(stream.readline)
            if head is None:
                return
            method, target, lines = head
            fields = {name.lower(): value for name, value in lines}
            if fields.get("expect"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if fields.get("transfer-encoding", "").lower() == "chunked":
                body = b"".join(_chunks(stream.readline, stream.read))
            else:
                body = stream.read(int(fields.get("content-length", "0")))
        self.arrived.append(Arrived(method, target, lines, body))
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(self._answer), self._answer)
        )


def _read_head(
    readline: Callable[[int], bytes],
) -> tuple[str, str, tuple[tuple[str, str], ...]] | None:
    first = readline(_LARGEST_HEAD).decode("latin-1").rstrip("\r\n")
    if not first:
        return None
    method, target, _ = first.split(" ")
    lines = []
    while line := readline(_LARGEST_HEAD).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        lines.append((name, value.strip(" \t")))
    return method, target, tuple(lines)


def _chunks(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Iterable[bytes]:
    while size := int(readline().split(b";")[0], 16):
        yield read(size)
        readline()
    readline()


def redirect(port: int) -> None:
    """Let every connection of this process end at the recorder, in clear."""

    def connect(connection: http.client.HTTPConnection) -> None:
        connection.sock = socket.create_connection(("127.0.0.1", port), _CONNECT_IN_S)

    classes = [
        ("http.client", "HTTPConnection"),
        ("http.client", "HTTPSConnection"),
        ("urllib3.connection", "HTTPConnection"),
        ("urllib3.connection", "HTTPSConnection"),
        (f"{_VENDORED}.connection", "HTTPConnection"),
        (f"{_VENDORED}.connection", "HTTPSConnection"),
        ("httplib2", "HTTPConnectionWithTimeout"),
        ("httplib2", "HTTPSConnectionWithTimeout"),
    ]
    for module, name in classes:
        try:
            found = importlib.import_module(module)
        except ImportError:  # this SDK does without it
            continue
        getattr(found, name).connect = connect
