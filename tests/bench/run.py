"""Facegate with everything on, beside a plain aiohttp proxy and nginx: `make bench`.

One worker each, on a core of its own; the generator and the provider share the other. Rounds are
interleaved and their order rotates, so that what else the machine does hits all alike. A figure
counts only if every answer was the provider's and, for Facegate, if records equal replies.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import facegate, judging, lag, micro, nginx, proofs
from tests.bench.load import PATH, Run, burst, write_variants
from tests.bench.process import Target, running
from tests.bench.rows import Row, table
from tests.bench.subjects import Subjects
from tests.ports import free_port

DIRECTORY = facegate.ROOT / "build" / "bench"
PROVIDER_CORE, PROXY_CORE = 0, 1
WARM_UP_S = 1
NGINX, PLAIN = "nginx", "plain aiohttp proxy"
BEARER, SIGNED = "facegate, bearer tokens", "facegate, inbound SigV4"
NAMES = (NGINX, PLAIN, BEARER, SIGNED)
BAR = 1.4  # replies a second of Facegate over those of the plain proxy


class Bench:
    """The provider, the targets, and their rounds.

    `replies`, `asked` and `bursts` count what went to Facegate: replies that came back, requests
    that the provider saw, and bursts, at the end of each of which requests are cut off.
    """

    def __init__(self, options: argparse.Namespace, directory: Path) -> None:
        self.options, self.directory = options, directory
        self.callers = facegate.Callers()
        self.port, self.status_port = free_port(), free_port()
        self.facegate, self.audit = facegate.target(
            directory,
            self.callers,
            upstream_port=self.port,
            jwks_url=f"http://127.0.0.1:{self.status_port}/jwks.json",
        )
        self.rows = [row for row in self._rows() if row.name in options.only]
        self.replies, self.asked, self.bursts, self.looks = 0, 0, 0, 0

    def measure(self) -> None:
        """Run every round; every program has ended when this returns."""
        provider = nginx.provider(
            self.directory,
            port=self.port,
            status_port=self.status_port,
            jwk_set=self.callers.jwk_set(),
        )
        with ExitStack() as stack:
            stack.enter_context(running(provider, core=PROVIDER_CORE, directory=self.directory))
            targets = {row.target.name: row.target for row in self.rows}
            pids = {
                name: stack.enter_context(
                    running(target, core=PROXY_CORE, directory=self.directory)
                )
                for name, target in targets.items()
            }
            for row in self.rows:
                self._ask_once(row)
                self._burst(row, pids[row.target.name], WARM_UP_S)
            for turn in range(self.options.rounds):
                first = turn % len(self.rows)
                for row in self.rows[first:] + self.rows[:first]:
                    row.runs.append(self._burst(row, pids[row.target.name], self.options.seconds))

    def verdict(self) -> str | None:
        """Tell why Facegate's figures do not count; None where they do."""
        return facegate.verdict(
            self.audit,
            replies=self.replies,
            asked=self.asked,
            in_flight=self.bursts * self.options.connections,
        )

    def _burst(self, row: Row, pid: int, seconds: int) -> Run:
        served = self._quiet()
        run = burst(
            row.target.port,
            row.variants,
            seconds=seconds,
            connections=self.options.connections,
            pid=pid,
        )
        if run.failed or run.refused:
            raise SystemExit(f"{row.name}: {run.failed} failed and {run.refused} refused requests")
        if row.target is self.facegate:
            self.asked += self._quiet() - served
            self.replies += run.replies
            self.bursts += 1
        return run

    def _quiet(self) -> int:
        """Return how many requests came to the provider, once what a burst cut off has ended.

        The looks at the count are requests themselves and are taken off.
        """
        before = -1
        while True:
            self.looks += 1
            served = nginx.requests_served(self.status_port) - self.looks
            if served == before:
                return served
            before = served
            time.sleep(0.1)

    def _ask_once(self, row: Row) -> None:
        """See to it that a request comes back with the provider's answer, to the byte."""
        status, content = _first_answer(row)
        if status != http.client.OK or content != nginx.answer().encode():
            raise SystemExit(f"{row.name}: not the provider's answer but {status} {content!r}")
        if row.target is self.facegate:
            self.asked += 1
            self.replies += 1

    def _rows(self) -> list[Row]:
        plain_port, nginx_port = free_port(), free_port()
        plain = Target(
            name="plain",
            argv=(
                sys.executable,
                str(Path(__file__).parent / "plain_proxy.py"),
                str(plain_port),
                f"http://127.0.0.1:{self.port}",
            ),
            port=plain_port,
            ready=("127.0.0.1", plain_port, PATH),
        )
        proxy = nginx.proxy(self.directory, port=nginx_port, upstream_port=self.port)
        bearer, signed = (
            write_variants(self.directory / f"{name}.requests", host=facegate.HOST, headers_of=make)
            for name, make in (
                ("bearer", self.callers.bearer_headers),
                ("signed", self.callers.signed_headers),
            )
        )
        return [
            Row(name=NGINX, target=proxy, variants=bearer),
            Row(name=PLAIN, target=plain, variants=bearer),
            Row(name=BEARER, target=self.facegate, variants=bearer),
            Row(name=SIGNED, target=self.facegate, variants=signed),
        ]


def _first_answer(row: Row) -> tuple[int, bytes]:
    _, _, content = row.variants.read_bytes().partition(b"\n")
    head, _, rest = content.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines)
    asking = http.client.HTTPConnection("127.0.0.1", row.target.port, timeout=10)
    try:
        asking.request("POST", PATH, rest[: int(headers["Content-Length"])], headers)
        answer = asking.getresponse()
        return answer.status, answer.read()
    finally:
        asking.close()


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="length of each burst")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="ROW")
    parser.add_argument("--micro", action="store_true", help="the single functions alone")
    parser.add_argument("--lag", action="store_true", help="the event loop during reloads alone")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a figure does not count or the bar is missed."""
    options = options_of(arguments)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    bench = Bench(options, DIRECTORY)
    if options.lag:
        return lag.main(DIRECTORY)
    if options.micro:
        return int(any(_of_single_functions(bench)))
    bench.measure()
    cores = len(os.sched_getaffinity(0))
    print(
        f"2 KB POST, {options.connections} connections, {options.rounds} rounds of"
        f" {options.seconds} s, {cores} cores; req/s: median, CPU: least"
    )
    print(table(bench.rows, (NGINX, PLAIN)))
    if any(row.target is bench.facegate for row in bench.rows):
        return _judged(bench)
    return 0


def _judged(bench: Bench) -> int:
    wrong = bench.verdict()
    if wrong is not None:
        print(f"the figures of facegate do not count: {wrong}")
        return 1
    print(f"records equal replies: {bench.replies:,}")
    rates = {row.name: row.rate for row in bench.rows}
    if not {BEARER, PLAIN} <= rates.keys():
        return 0
    ratio = rates[BEARER] / rates[PLAIN]
    print(f"facegate over the plain proxy: {ratio:.2f} (bar: {BAR})")
    missed = [*_of_single_functions(bench), lag.main(DIRECTORY), ratio < BAR]
    return int(any(missed))


def _of_single_functions(bench: Bench) -> list[int]:
    subjects = Subjects(bench.callers, DIRECTORY)
    return [micro.main(subjects.measures()), micro.main(judging.measures()), proofs.main()]


if __name__ == "__main__":
    sys.exit(main())
