"""Programs under load: started on one core, waited for, and their processor time read."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

READY_S = 30
STOP_S = 15


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A program that listens: how it is started, where, and what says that it serves.

    `ready` is host, port and path of a GET that is answered below 400 once it is up.
    """

    name: str
    argv: tuple[str, ...]
    port: int
    ready: tuple[str, int, str]
    env: Mapping[str, str] = {}


def pinned(argv: tuple[str, ...], core: int) -> tuple[str, ...]:
    """Bind a command to a core, where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    taskset = shutil.which("taskset")
    if len(cores) < 2 or taskset is None:
        return argv
    return (taskset, "-c", str(cores[core % len(cores)]), *argv)


@contextmanager
def running(
    target: Target, *, core: int, directory: Path, ready_s: float = READY_S
) -> Iterator[int]:
    """Start a program, wait until it serves, and end it with SIGTERM; yield its process id."""
    log = directory / f"{target.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(target.argv, core),
            env={**os.environ, **target.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(target, process, log, ready_s)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(
    target: Target, process: subprocess.Popen[bytes], log: Path, ready_s: float
) -> None:
    latest = time.monotonic() + ready_s
    while not _answers(target.ready):
        if process.poll() is not None or time.monotonic() > latest:
            raise SystemExit(f"{target.name} does not serve:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def _answers(ready: tuple[str, int, str]) -> bool:
    host, port, path = ready
    asking = http.client.HTTPConnection(host, port, timeout=2)
    try:
        asking.request("GET", path)
        return asking.getresponse().status < 400
    except OSError:
        return False
    finally:
        asking.close()


def cpu_ns(pid: int) -> int:
    """Return the time on a processor of a process, its threads and all its children, so far."""
    spent = 0
    for task in _listed(Path(f"/proc/{pid}/task")):
        spent += int((_read(task / "schedstat") or "0").split()[0])
        spent += sum(cpu_ns(int(child)) for child in _read(task / "children").split())
    return spent


def _listed(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
