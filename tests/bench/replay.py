"""Replaying and explaining a log of a million decisions: `python -m tests.bench.replay`.

The log is written by the real encoder, in a directory that is gone afterwards: callers of many
tenants, places and classes under the shipped packs, each decision with its outcome. `--callers`
says how many kinds of request come back again and again; as many as records: none does.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.audit.ids import decision_id
from gateway.audit.lines import Lines
from gateway.audit.record import Decided, Happened, RequestPart
from gateway.audit.segments import parts_directory, segment_name, worker_directory
from gateway.core.facts import Facts
from gateway.core.operation import OPERATION_CLASSES
from gateway.core.policy.cases import facts_of
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies
from gateway.sources.packs import packs_directory
from gateway.sources.policies import read_policies
from gateway.sources.stored_parts import StoredParts

ORIGIN = "bench.example/audit"
SEGMENT_BYTES = 256 << 20
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
USES = ("fraud_prevention", "attendance", "customer_verification", "mass_surveillance")
REPLAY_BAR_S, EXPLAIN_BAR_S = 60.0, 1.0
STRICTER = """\
apiVersion: facegate/v1
kind: Pack
pack: stricter
owner: the bench
source: the bench
force: binding
review: 2040-01-01
rules:
  - id: no-attendance
    effect: deny
    when: {class: [one_to_many], end_use: [attendance]}
    reason: What changes.
"""


def callers(count: int, seed: int) -> list[Facts]:
    """Return facts of so many callers, as different as those of a gateway in use."""
    draw = random.Random(seed)  # noqa: S311 - the same log in every run
    places = sorted(COUNTRIES)
    return [
        facts_of(
            {
                "class": (draw.choice([one for one in OPERATION_CLASSES if one != "unknown"]),),
                "tenant": (f"acct-{number % (count // 4)}",),
                "end_use": (draw.choice(USES),),
                "destination": tuple(sorted(set(draw.choices(places, k=2)))),
                "provider": (draw.choice(("aws_rekognition", "azure_face")),),
                "operation": ("SearchFacesByImage",),
            },
            (),
            BEGIN,
        )
        for number in range(count)
    ]


def records(policy: Policies, count: int, seed: int, kinds: int) -> Iterator[Decided | Happened]:
    """Yield so many decisions, each followed by its outcome, 5 ms apart."""
    draw = random.Random(seed)  # noqa: S311 - likewise
    known = callers(kinds, seed)
    verdicts = [evaluate(policy, facts) for facts in known]
    parts = dict.fromkeys(("catalog", "keys", "networks", "tenants"), "sha256:" + "0" * 64)
    parts |= {"policies": policy.digest, "settings": "sha256:" + "1" * 64}
    request = RequestPart(
        body_bytes=2048,
        body_sha256="d" * 64,
        header_names=("authorization", "content-length", "content-type", "host", "x-amz-target"),
        host="rekognition.gw.example",
        method="POST",
        target="/",
    )
    for number in range(count):
        chosen = draw.randrange(len(known))
        now = BEGIN + timedelta(milliseconds=5 * number)
        decision = decision_id(now, f"{draw.getrandbits(64):016x}")
        yield Decided(
            time=now,
            id=decision,
            snapshot="sha256:" + "2" * 64,
            parts=parts,
            request=request,
            facts=msgspec.structs.replace(known[chosen], at=now),
            decision=verdicts[chosen],
        )
        yield Happened(time=now, decided=decision, outcome="forwarded", status=200, sent=True)


def write_log(directory: Path, policy: Policies, count: int, *, seed: int, kinds: int) -> list[str]:
    """Write the log, and keep the policy beside it; returns a hundred of the ids."""
    StoredParts(parts_directory(directory, origin=ORIGIN)).put_policies(policy)
    log = worker_directory(directory, origin=ORIGIN, worker="0")
    log.mkdir(parents=True, exist_ok=True)
    encoder, ids = Lines(origin=ORIGIN, engine="bench"), list[str]()
    with ExitStack() as stack:
        file = stack.enter_context((log / segment_name(0)).open("wb"))
        for seq, record in enumerate(records(policy, count, seed, kinds)):
            if file.tell() >= SEGMENT_BYTES:
                stack.pop_all().close()
                file = stack.enter_context((log / segment_name(seq)).open("wb"))
            file.write(encoder.line(record, seq) + b"\n")
            if isinstance(record, Decided) and seq % max(2, 2 * (count // 100)) == 0:
                ids.append(record.id)
    return ids


class Took(NamedTuple):
    """Seconds on the clock, and of processor time over all processes of a command."""

    wall_s: float
    cpu_s: float


def timed(*arguments: str) -> tuple[Took, str]:
    """Run a command in a process of its own; returns what it took, and what it printed."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], capture_output=True, text=True, check=False
    )
    wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(wall_s, cpu_s), done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--callers", type=int, default=4_000, help="kinds of request that return")
    parser.add_argument("--directory", type=Path, default=None, help="where there is room")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="facegate-replay-", dir=options.directory) as place:
        return measured(Path(place), options)


def measured(directory: Path, options: argparse.Namespace) -> int:
    count: int = options.records
    audit, candidate = directory / "audit", directory / "candidate"
    started = time.perf_counter()
    policy = read_policies(packs_directory())
    ids = write_log(audit, policy, count, seed=options.seed, kinds=options.callers)
    size = sum(path.stat().st_size for path in audit.rglob("*.jsonl"))
    wrote_s = time.perf_counter() - started
    print(
        f"{count:,} decisions and as many outcomes, {size >> 20:,} MiB, written in {wrote_s:.0f} s"
    )
    candidate.mkdir()
    for path in packs_directory().rglob("*.yaml"):
        (candidate / path.name).write_text(path.read_text())
    (candidate / "stricter.yaml").write_text(STRICTER)
    replay, said = timed(
        *("replay", "--audit", str(audit), "--policy", str(candidate), "--format", "json")
    )
    report = json.loads(said)["report"]
    took = sorted(
        timed("explain", "--record", one, "--audit", str(audit), "--format", "json")[0]
        for one in ids[:: max(1, len(ids) // 20)]
    )
    unknown, _ = timed("explain", "--record", "dec_" + "0" * 24, "--audit", str(audit))
    print(f"self-check: {report['agreed']:,} of {report['checked']:,} agree")
    refused, permitted = report["newly_refused"]["count"], report["newly_permitted"]["count"]
    print(f"newly refused {refused:,}, newly permitted {permitted:,}")
    print(f"replay: {replay.wall_s:.1f} s, {replay.cpu_s:.1f} s of processor time")
    middle, slowest = took[len(took) // 2], took[-1]
    print(f"explain, median of {len(took)}: {middle.wall_s:.2f} s, {middle.cpu_s:.2f} s of it CPU")
    print(
        f"explain, slowest of {len(took)}: {slowest.wall_s:.2f} s, {slowest.cpu_s:.2f} s of it CPU"
    )
    print(f"an id that tells no time: {unknown.wall_s:.2f} s, {unknown.cpu_s:.2f} s of it CPU")
    complete = report["checked"] == report["agreed"] == count
    met = replay.wall_s * 1_000_000 / count <= REPLAY_BAR_S and slowest.wall_s <= EXPLAIN_BAR_S
    return 0 if complete and met else 1


if __name__ == "__main__":
    sys.exit(main())
