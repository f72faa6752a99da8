"""Under strace: no byte of a request leaves before the sync that covers its record has returned."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from tests.system.recording import Recording, recording_provider
from tests.system.served import SERVE, Client, Served, search_bytes, serving
from tests.system.syscalls import COMMAND, Call, calls_in

REQUESTS = 40
CLIENTS = 4
TENANT = "northwind-missing"
UNSYNCED = (sys.executable, "-m", "tests.system.unsynced")


async def send(served: Served, token: str, numbers: range) -> None:
    client = await Client.connect(served.port)
    try:
        for number in numbers:
            answer = await client.ask(search_bytes(served.port, token, number))
            assert answer.status == 200
    finally:
        client.close()


async def traced(directory: Path, provider: Recording, command: tuple[str, ...]) -> list[Call]:
    """Serve under strace, send requests from several clients, and return the system calls."""
    trace = directory / "trace"
    home = directory / "home"
    home.mkdir()
    async with serving(home, provider.url, command=(*COMMAND, str(trace), *command)) as served:
        token = served.token(TENANT)
        async with asyncio.TaskGroup() as tasks:
            for one in range(CLIENTS):
                tasks.create_task(send(served, token, range(one, REQUESTS, CLIENTS)))
        end_tracee(served.process.pid)
        await served.process.wait()
    return calls_in(trace)


def end_tracee(strace: int) -> None:
    """End what strace runs: a signal to strace itself would only detach it."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == strace:
                    os.kill(int(process.name), signal.SIGTERM)


def sent_too_early(calls: list[Call], provider: Recording) -> list[str]:
    """Return the bodies whose first byte left before a sync that covers their record returned."""
    early = list[str]()
    for arrival in provider.arrivals:
        body = arrival.body.decode()
        digest = hashlib.sha256(arrival.body).hexdigest()
        sent = next(
            call
            for call in calls
            if call.name in {"sendto", "sendmsg", "write", "writev"}
            and f":{provider.port}]" in call.text
            and body.replace('"', '\\"') in call.text
        )
        if not any(covers(write, calls, before=sent) for write in writes_of(digest, calls)):
            early.append(body)
    return early


def writes_of(digest: str, calls: list[Call]) -> list[Call]:
    """Return the writes to the audit log that hold the `decided` line of a body."""
    return [
        call
        for call in calls
        if "pwrite" in call.name and ".jsonl>" in call.text and digest in call.text
    ]


def covers(write: Call, calls: list[Call], *, before: Call) -> bool:
    """Tell whether a sync that began after the write returned 0 before that call began."""
    return any(
        call.name == "fdatasync"
        and ".jsonl>" in call.text
        and call.result == 0
        and write.ended < call.began
        and call.ended < before.began
        for call in calls
    )


async def test_nothing_leaves_before_its_record_is_synced(tmp_path: Path) -> None:
    async with recording_provider() as provider:
        calls = await traced(tmp_path, provider, SERVE)
        assert len(provider.arrivals) == REQUESTS
        assert sent_too_early(calls, provider) == []


async def test_without_the_sync_the_same_test_finds_every_request(tmp_path: Path) -> None:
    async with recording_provider() as provider:
        calls = await traced(tmp_path, provider, UNSYNCED)
        assert len(sent_too_early(calls, provider)) == REQUESTS
