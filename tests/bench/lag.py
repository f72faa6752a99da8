"""How long reloads hold up the event loop: 5,000 rules and 100,000 tenants, under load.

Each reload changes one file of 25, and the whole policy is handed over; then the tenant file
changes, and all tenants are.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tests.bench import facegate, judging, nginx
from tests.bench.facegate import Callers
from tests.bench.lagged import Sample
from tests.bench.load import burst, write_variants
from tests.bench.process import Target, running
from tests.ports import free_port

RULES: Final = int(os.environ.get("BENCH_RULES", "5000"))
FILES: Final = 25
TENANTS: Final = int(os.environ.get("BENCH_TENANTS", "100000"))
RELOADS: Final = 4
BAR_MS: Final = 20.0
READY_S: Final = 240.0
ALONE: Final = "load alone"
CORE: Final = 1
CONNECTIONS: Final = 16


def write_policies(directory: Path, *, edition: int) -> None:
    """Write the rules of `judging.policy` as files; an edition changes one of them."""
    directory.mkdir(exist_ok=True)
    rules = [rule for pack in judging.policy(RULES) for rule in pack.rules]
    size = RULES // FILES
    for number in range(FILES):
        path = directory / f"pack-{number:02}.yaml"
        if edition and number:
            continue
        entries = [
            {
                "id": rule.id,
                "effect": rule.effect,
                **({"needs": rule.needs} if rule.needs else {}),
                "when": {one.attribute: sorted(one.values)[:12] for one in rule.conditions},
                "reason": "an invented rule",
            }
            for rule in rules[number * size : (number + 1) * size]
        ]
        if not number:
            nowhere = ["unknown", "private", "anonymised", "stale"]
            when = {"class": ["one_to_many"], "destination": nowhere, "tag": [f"t-{edition}"]}
            entries.append({"id": "edition", "effect": "deny", "when": when, "reason": "changes"})
        pack = {
            "apiVersion": "facegate/v1",
            "kind": "Pack",
            "pack": f"pack-{number:02}",
            "owner": "Bench",
            "source": "invented",
            "force": "binding",
            "rules": entries,
        }
        # JSON is YAML, but for a date.
        written = path.with_suffix(".new")
        written.write_text(json.dumps(pack)[:-1] + ', "review": 2027-01-01}')
        written.replace(path)


def write_tenants(path: Path, callers: Callers, *, edition: int) -> None:
    """Write the callers of the load, and other tenants up to the number."""
    known = json.loads(callers.tenants())["tenants"]
    written = path.with_suffix(".new")
    with written.open("w") as lines:
        for entry in known:
            lines.write(json.dumps(entry) + "\n")
        for number in range(len(known), TENANTS):
            entry = {
                "id": f"acct-{number}",
                "legal_name": f"Invented Works {number} Ltd",
                "type": "private",
                "tags": ["kyc", f"edition-{edition}"],
                "countries": ["GB"],
                "deployments": ["GB", "IE"],
                "end_uses": ["customer_verification"],
                "listed": [],
                "references": [{"id": f"C-{number}", "kind": "consent"}],
                "credentials": {"api_keys": [{"id": f"key-{number}", "hash": f"{number:064x}"}]},
            }
            lines.write(json.dumps(entry) + "\n")
    written.replace(path)  # a watcher sees all of it, or nothing


def target(
    directory: Path, callers: Callers, *, upstream_port: int, jwks_url: str
) -> tuple[Target, Path]:
    """Return the gateway with the sampler, and where its samples will be."""
    plain, _ = facegate.target(directory, callers, upstream_port=upstream_port, jwks_url=jwks_url)
    config, samples = directory / "gateway.yaml", directory / "lag.json"
    settings = json.loads(config.read_text())
    settings["tenants"], settings["policies"] = "tenants.jsonl", str(directory / "rules")
    config.write_text(json.dumps(settings, indent=1))
    write_policies(directory / "rules", edition=0)
    write_tenants(directory / "tenants.jsonl", callers, edition=0)
    argv = (plain.argv[0], "-m", "tests.bench.lagged", str(config), str(samples))
    started = msgspec.structs.replace(plain, name="lagged", argv=argv)
    return started, samples


def wait_for_reload(log: Path, part: str, times: int) -> None:
    """Wait until the gateway has said so often that it reloaded a part."""
    latest = time.monotonic() + READY_S
    while (text := log.read_text()).count(f"{part} reloaded") < times:
        if f"{part} refused" in text or time.monotonic() > latest:
            raise SystemExit(f"no reload of {part}:\n{text[-2_000:]}")
        time.sleep(0.02)


@contextmanager
def loaded(port: int, variants: Path, pid: int) -> Iterator[list[int]]:
    """Keep a port under load; yield how many replies each burst had, all of them at the end."""
    replies, stop = list[int](), threading.Event()

    def load() -> None:
        while not stop.is_set():
            run = burst(port, variants, seconds=2, connections=CONNECTIONS, pid=pid)
            replies.append(run.replies - run.failed - run.refused)

    loading = threading.Thread(target=load)
    loading.start()
    try:
        yield replies
    finally:
        stop.set()
        loading.join()


class Spans:
    """Stretches of time by what happened in them."""

    def __init__(self) -> None:
        self.spans = list[tuple[str, float, float]]()

    def take(self, name: str, act: Callable[[], object]) -> None:
        start = time.monotonic()
        act()
        self.spans.append((name, start, time.monotonic()))

    def rows(self, samples: Sequence[Sample]) -> Iterator[tuple[str, list[Sample]]]:
        for name in dict.fromkeys(name for name, _, _ in self.spans):
            spans = [(start, end) for span, start, end in self.spans if span == name]
            yield name, [one for one in samples if any(s <= one.at <= e for s, e in spans)]


def measure(directory: Path) -> tuple[list[tuple[str, list[Sample]]], int]:
    """Reload under load; return samples by what happened, and how many requests were answered."""
    callers, status_port = Callers(), free_port()
    provider = nginx.provider(
        directory, port=free_port(), status_port=status_port, jwk_set=callers.jwk_set()
    )
    gateway, written = target(
        directory,
        callers,
        upstream_port=provider.port,
        jwks_url=f"http://127.0.0.1:{status_port}/jwks.json",
    )
    variants = write_variants(
        directory / "lag.requests", host=facegate.HOST, headers_of=callers.bearer_headers
    )
    spans, log = Spans(), directory / f"{gateway.name}.log"

    def reload_and_settle(what: str, part: str, times: int) -> None:
        spans.take(f"reload of {what}", lambda: wait_for_reload(log, part, times))
        spans.take(f"5 s after {what}", lambda: time.sleep(5))  # what was replaced is let go of

    with (
        running(provider, core=0, directory=directory),
        running(gateway, core=CORE, directory=directory, ready_s=READY_S) as pid,
        loaded(gateway.port, variants, pid) as replies,
    ):
        spans.take(ALONE, lambda: time.sleep(5))
        for edition in range(1, RELOADS + 1):
            write_policies(directory / "rules", edition=edition)
            reload_and_settle(f"{RULES:,} rules", "policies", edition)
        write_tenants(directory / "tenants.jsonl", callers, edition=1)
        reload_and_settle(f"{TENANTS:,} tenants", "tenants", 1)
    samples = msgspec.json.decode(written.read_bytes(), type=list[Sample])
    return [(name, found) for name, found in spans.rows(samples) if found], sum(replies)


def main(directory: Path) -> int:
    """Measure and print; 1 where a reload holds the loop up for longer than the bar."""
    rows, replies = measure(directory)
    print(f"{'the event loop, late by (ms)':<32}{'p99':>8}{'max':>8}{'own':>8}")
    for name, samples in rows:
        late = sorted(1e3 * one.late for one in samples)
        print(f"{name:<32}{late[int(0.99 * len(late))]:8.1f}{late[-1]:8.1f}{_own_ms(samples):8.1f}")
    print(
        f"{replies:,} replies meanwhile; own: the most that the process itself computed in one go"
    )
    worst = max(_own_ms(samples) for name, samples in rows if name != ALONE)
    print(f"longest hold-up by a reload: {worst:.1f} ms (bar: {BAR_MS:g})")
    return int(worst > BAR_MS)


def _own_ms(samples: Sequence[Sample]) -> float:
    """Return the longest hold-up that is no more than what the process computed in it."""
    return 1e3 * max(min(one.late, one.computed) for one in samples)
