"""The load: prepared requests, and wrk that sends them over and over."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tests.bench.process import cpu_ns, pinned

VARIANTS = 256
BODY_BYTES = 2048
PATH = "/"
LOAD_CORE = 0

# Makes the headers of a variant from its number and its body; Host and Content-Length are added.
HeadersOf = Callable[[int, bytes], Mapping[str, str]]

_SCRIPT = Path(__file__).parent / "requests.lua"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One burst of load on one target."""

    replies: int
    duration_us: int
    p50_us: int
    p99_us: int
    failed: int
    refused: int
    cpu_us: float = 0.0

    @property
    def rate(self) -> float:
        """Replies a second."""
        return self.replies / self.duration_us * 1_000_000

    @property
    def cpu_us_a_reply(self) -> float:
        """Processor time of the target's processes for one reply."""
        return self.cpu_us / max(self.replies, 1)


def compare_faces_body(number: int) -> bytes:
    """Return a CompareFaces body of about 2 KB with two images of noise."""
    noise = random.Random(number)  # noqa: S311 - noise, the same in every run
    images = [base64.b64encode(noise.randbytes(730)).decode() for _ in range(2)]
    return json.dumps(
        {
            "SourceImage": {"Bytes": images[0]},
            "TargetImage": {"Bytes": images[1]},
            "SimilarityThreshold": 80 + number % 20,
        }
    ).encode()


def write_variants(file: Path, *, host: str, headers_of: HeadersOf, count: int = VARIANTS) -> Path:
    """Write the requests that `requests.lua` sends."""
    with file.open("wb") as output:
        for number in range(count):
            body = compare_faces_body(number)
            headers = {
                "Host": host,
                **headers_of(number, body),
                "Content-Length": str(len(body)),
            }
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            content = f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body
            output.write(b"%d\n" % len(content) + content)
    return file


def burst(port: int, variants: Path, *, seconds: int, connections: int, pid: int) -> Run:
    """Load a port for some seconds; `pid` is the process whose time is counted."""
    wrk = shutil.which("wrk") or "wrk"
    argv = (wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT))
    before = cpu_ns(pid)
    finished = subprocess.run(
        pinned((*argv, f"http://127.0.0.1:{port}{PATH}", "--", str(variants)), LOAD_CORE),
        check=True,
        capture_output=True,
        timeout=seconds + 30,
    )
    spent_us = (cpu_ns(pid) - before) / 1000
    told = msgspec.json.decode(finished.stdout.splitlines()[-1], type=Run)
    return msgspec.structs.replace(told, cpu_us=spent_us)
