"""`facegate serve`: 2 for mistakes in files, 1 for a machine that does not play along, 0 at an end.

Where it does not start, it has not begun: no listener, no audit log.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.command import ENVIRON, Done, process, without_settings
from tests.ports import free_port


def serve(config: Path, **environ: str) -> Done:
    return process("serve", "--config", config, environ={**ENVIRON, **environ})


def nothing_was_started(config: Path) -> bool:
    return not (config.parent / "audit").exists()


def test_a_configuration_that_is_not_there_is_2(tmp_path: Path) -> None:
    done = serve(tmp_path / "gateway.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{tmp_path}/gateway.yaml: cannot be read: no such file or directory\n"


def test_every_mistake_of_the_settings_is_told_at_once(config: Path) -> None:
    text = config.read_text().replace("port: 8080", "port: eighty").replace("dir: audit", "dri: a")
    config.write_text(text)
    done = serve(config, FACEGATE_WORKERS="2", FACEGATE_LISTN__PORT="1")
    assert (done.code, done.out) == (2, "")
    places = re.findall(r"^(\S+?): ", done.err, flags=re.MULTILINE)
    lines = {word: number for number, line in enumerate(text.splitlines(), 1) for word in [line]}
    assert sorted(places) == sorted(
        [
            "FACEGATE_LISTN__PORT",
            "FACEGATE_WORKERS",
            f"{config}:{lines['  port: eighty']}:9",
            f"{config}:{lines['  dri: a']}:3",
            f"{config}:{lines['audit:'] + 1}:3",
        ]
    )
    assert nothing_was_started(config)


def test_every_mistake_of_the_other_files_is_told_at_once(config: Path) -> None:
    start = config.parent
    tenants, policies = start / "tenants.yaml", start / "policies"
    tenants.write_text(tenants.read_text().replace("type: private", "type: privat", 1))
    (policies / "one.yaml").write_text("kind: Pack\n")
    (policies / "two.yaml").write_text("rules: [\n")
    config.write_text(config.read_text().replace("# country:", "country:"))
    done = serve(config)
    assert (done.code, done.out) == (2, "")
    for place in (
        f"{tenants}:8:11: ",
        f"{policies}/one.yaml:1:1: ",
        f"{policies}/two.yaml:2:1: ",
        f"{start}/country.mmdb: cannot be read: ",
    ):
        assert place in done.err
    assert nothing_was_started(config)


def test_a_port_that_is_taken_is_1(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve(config, **ports(port))
    assert (done.code, done.out) == (1, "")
    assert re.search(rf"^facegate: .*{port}", done.err, flags=re.MULTILINE)
    assert "Traceback" not in done.err


def test_an_audit_log_that_does_not_open_is_1(config: Path) -> None:
    (config.parent / "audit").write_text("a file where a directory should be")
    done = serve(config, **ports(free_port()))
    assert (done.code, done.out) == (1, "")
    assert "facegate: the audit log does not open: " in done.err
    assert "Traceback" not in done.err


def ports(port: int) -> Mapping[str, str]:
    return {
        "FACEGATE_LISTEN__PORT": str(port),
        "FACEGATE_ADMIN__PORT": str(free_port()),
        "FACEGATE_LIMITS__DRAIN_DELAY_S": "0",
    }


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_the_starting_point_serves_until_a_signal_and_ends_with_0(
    config: Path, ending: signal.Signals
) -> None:
    serving = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--config", str(config)),
        env={**without_settings(), **ENVIRON, **ports(free_port())},
        stderr=asyncio.subprocess.PIPE,
    )
    assert serving.stderr is not None
    async with asyncio.timeout(60):
        said = ""
        while "admin listener on 127.0.0.1" not in said:
            line = await serving.stderr.readline()
            assert line, said
            said += line.decode()
        serving.send_signal(signal.SIGHUP)  # nothing changed: nothing to say, and no end either
        serving.send_signal(ending)
        said += (await serving.stderr.read()).decode()
        assert await serving.wait() == 0
    assert "draining: 0 requests under way" in said
    assert "ERROR" not in said
    assert list((config.parent / "audit").rglob("head.json"))
