"""Fuzzes classification, guided by coverage: `python -m tests.fuzz [--seconds N] [PROVIDER …]`.

Each provider is fuzzed in a process of its own, two at a time, from the committed corpus; what adds
coverage goes to `build/fuzz/PROVIDER`, and what fails to `build/fuzz/PROVIDER-crash-…`. Where there
is no atheris for this Python, Hypothesis tries the same properties without guidance.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.target import MOST_BYTES, corpus_of, providers

BUILD = Path(__file__).parents[2] / "build/fuzz"
AT_A_TIME = 2
HYPOTHESIS = ("tests/fuzz", "tests/core/catalog/test_properties.py", "--hypothesis-profile=prove")
_STATUS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")


def arguments_of(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("providers", nargs="*", metavar="PROVIDER")
    parser.add_argument("--seconds", type=int, default=60, help="for each provider")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(given)
    if unknown := sorted(set(options.providers) - set(providers())):
        parser.error(f"no corpus of {', '.join(unknown)}; there are {', '.join(providers())}")
    return options


async def fuzz(name: str, seconds: int, seed: int, turn: asyncio.Semaphore) -> bool:
    """Fuzz one provider, print what came of it, and tell whether everything held."""
    found = BUILD / name
    found.mkdir(parents=True, exist_ok=True)
    async with turn:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fuzz.guided", name, str(found), str(corpus_of(name))),
            *(f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MOST_BYTES}"),
            *("-timeout=10", f"-artifact_prefix={found}-", "-print_final_stats=1"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    BUILD.joinpath(f"{name}.log").write_bytes(said)
    states = _STATUS.findall(said.decode("utf-8", "replace"))
    executions, edges, features, kept = states[-1] if states else ("0", "0", "0", "0")
    verdict = "held" if process.returncode == 0 else f"FAILED, see {BUILD / name}.log"
    print(f"{name:<26}{executions:>10}{edges:>10}{features:>10}{kept:>8}  {verdict}", flush=True)  # noqa: T201 - what it is for
    return process.returncode == 0


async def run(options: argparse.Namespace) -> int:
    print(f"{'provider':<26}{'runs':>10}{'edges':>10}{'features':>10}{'corpus':>8}")  # noqa: T201 - likewise
    turn = asyncio.Semaphore(AT_A_TIME)
    async with asyncio.TaskGroup() as tasks:
        names = options.providers or providers()
        fuzzed = [
            tasks.create_task(fuzz(name, options.seconds, options.seed, turn)) for name in names
        ]
    return 0 if all(task.result() for task in fuzzed) else 1


def main() -> int:
    options = arguments_of(sys.argv[1:])
    if importlib.util.find_spec("atheris") is None:
        print("there is no atheris for this Python: Hypothesis tries the same")  # noqa: T201 - likewise
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *HYPOTHESIS], check=False
        ).returncode
    return asyncio.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
