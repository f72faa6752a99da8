"""`facegate serve` starts from the pointer, moves it by command, and never loses both ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.audit.record import Activation, Decided
from gateway.core.policy.activation import State
from gateway.demo.issuer import Issuer
from tests.system.inside import write_world
from tests.system.recording import Recording, recording_provider
from tests.system.served import ROOT, SERVE, Client, Served, search_bytes, serving

TENANT = "northwind-missing"
DENY = """\
apiVersion: facegate/v1
kind: Pack
pack: version
owner: the test
source: the test
force: voluntary
review: 2040-01-01
rules:
  - id: {name}
    effect: deny
    when: {{tenant: [northwind-missing], class: [one_to_many]}}
    reason: The test denies.
"""


def write(policies: Path, name: str) -> None:
    """Add a pack that denies the charity's searches, put in place whole."""
    draft = policies / ".version.yaml"
    draft.write_text(DENY.format(name=name))
    draft.rename(policies / "version.yaml")


async def status(served: Served) -> int:
    """Ask for a search of the charity; 200 where the policy permits it."""
    client = await Client.connect(served.port)
    try:
        token = served.token(TENANT)
        return (await client.ask(search_bytes(served.port, token, 1))).status
    finally:
        client.close()


async def facegate(served: Served, *arguments: str) -> tuple[int, str]:
    """Run a command beside the gateway; its exit code and everything that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        "--config",
        str(served.world.config),
        env={**served.world.environ, "PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


def state_of(directory: Path) -> State:
    return msgspec.json.decode((directory / "state/policy/active.json").read_bytes(), type=State)


def activations(served: Served) -> list[Activation]:
    return [
        record
        for record in served.records()
        if isinstance(record, Activation) and record.what == "policies"
    ]


@asynccontextmanager
async def again(first: Served, provider: Recording) -> AsyncIterator[Served]:
    """Run the same configuration once more."""
    async with serving(
        first.world.directory, provider.url, world=first.world, issuer=first.issuer
    ) as served:
        yield served


async def test_an_operator_goes_back_and_forth_and_every_step_is_on_record(
    tmp_path: Path,
) -> None:
    async with recording_provider() as provider, Issuer() as issuer:
        world = await write_world(tmp_path, provider, issuer)
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            assert await status(served) == 200
            write(world.policies, "bad")
            await served.said("policies reloaded")
            assert await status(served) == 403
            bad = state_of(tmp_path).active
            back = await facegate(
                served, "policy", "rollback", "--who", "ada", "--why", "it denies too much"
            )
            assert back[0] == 0, back
            assert await status(served) == 200
            # What was left is held: the directory still offers it, and a look changes nothing.
            served.process.send_signal(signal.SIGHUP)
            await served.said("is held after a rollback")
            assert await status(served) == 200
        # A broken directory does not keep the gateway from starting with what was active.
        (world.policies / "version.yaml").write_text("apiVersion: [")
        async with again(served, provider) as served:
            await served.said("policies refused")
            assert await status(served) == 200
            write(world.policies, "bad")
            await served.said("is held after a rollback")
            assert await status(served) == 200
            code, said = await facegate(
                served, "policy", "activate", bad.bundle, "--who", "ben", "--why", "it was right"
            )
            assert code == 0, said
            assert await status(served) == 403
            code, said = await facegate(served, "policy", "history")
        steps = [
            (step.who.partition(" ")[0], step.result, step.why) for step in activations(served)
        ]
        assert [line.split()[1] for line in said.splitlines()] == [
            "activated",
            "activated",
            "activated",
            "refused",
            "activated",
        ]
        assert steps == [
            ("start", "activated", ""),
            ("watch", "activated", ""),
            ("ada", "activated", "it denies too much"),
            ("start", "activated", "it denies too much"),
            ("watch", "refused", ""),
            ("ben", "activated", "it was right"),
        ]
        assert activations(served)[1].bundle == bad.bundle
        assert "by ada (admin token from 127.0.0.1)" in activations(served)[3].detail


async def test_without_a_gateway_the_next_start_begins_where_the_command_left(
    tmp_path: Path,
) -> None:
    async with recording_provider() as provider, Issuer() as issuer:
        world = await write_world(tmp_path, provider, issuer)
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            write(world.policies, "bad")
            await served.said("policies reloaded")
        code, said = await facegate(served, "policy", "rollback", "--why", "offline")
        assert code == 0, said
        code, said = await facegate(served, "policy", "rollback", "--why", "once more")
        assert (code, "nothing was active before" in said) == (1, True)
        async with again(served, provider) as served:
            await served.said("is held after a rollback")
            assert await status(served) == 200
            assert activations(served)[-1].why == "offline"


async def test_what_cannot_be_kept_is_refused_loudly_and_the_old_policy_stays(
    tmp_path: Path,
) -> None:
    async with recording_provider() as provider, Issuer() as issuer:
        world = await write_world(tmp_path, provider, issuer)
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            files = tmp_path / "state/policy/files"
            before = state_of(tmp_path)
            files.rename(tmp_path / "files")
            files.write_text("in the way, as good as a disk without room")
            write(world.policies, "bad")
            (line,) = await served.said("policies refused")
            assert "cannot be written" in line
            assert await status(served) == 200
            assert state_of(tmp_path) == before
            files.unlink()
            (tmp_path / "files").rename(files)
            (tmp_path / f"state/policy/.active.json.{served.process.pid}").mkdir()
            write(world.policies, "worse")
            await served.said("active.json: cannot be written")
            assert await status(served) == 200
            assert state_of(tmp_path) == before


# Kills the gateway and its child at the first event of Python's own audit hooks that fits: before
# a file of the bundle has its name, before the manifest has, before the pointer has, and after.
KILLER = """\
import os, signal, sys

def end(event, arguments):
    wanted, piece = os.environ["END_AT"].split(" ")
    reads = event == "open" and arguments[1] is not None  # a file object; writers open by number
    if event == wanted and not reads and any(piece in str(one) for one in arguments[:2]):
        os.killpg(0, signal.SIGKILL)

sys.addaudithook(end)
"""
KILLS = [
    "os.rename policy/files/",
    "os.rename policy/manifests/",
    "open .active.json",
    "os.rename policy/active.json",
    "open policy/history.jsonl",
]


@pytest.mark.parametrize("place", KILLS)
async def test_a_kill_in_the_middle_of_an_activation_leaves_the_old_policy_or_the_new(
    tmp_path: Path, place: str
) -> None:
    async with recording_provider() as provider, Issuer() as issuer:
        world = await write_world(tmp_path, provider, issuer)
        async with serving(tmp_path, provider.url, world=world, issuer=issuer) as served:
            write(world.policies, "old")
            await served.said("policies reloaded")
        old = state_of(tmp_path).active
        write(world.policies, "new")
        (tmp_path / "hooks").mkdir()
        (tmp_path / "hooks/sitecustomize.py").write_text(KILLER)
        await until_killed(served, tmp_path / "hooks", place)
        left = state_of(tmp_path).active
        assert (left == old) is (place != "open policy/history.jsonl")
        (world.policies / "version.yaml").unlink()
        (world.policies / "broken.yaml").write_text("[")
        async with again(served, provider) as served:
            assert await status(served) == 403
            (record,) = (one for one in served.records() if isinstance(one, Decided))
            assert record.parts["policies"] == left.policies
            assert record.decision.rules == (f"version/{'old' if left == old else 'new'}",)
            code, said = await facegate(served, "policy", "history", "--format", "json")
        steps = msgspec.json.decode(said)["steps"]
        assert code == 0
        assert [step["bundle"] for step in steps if step["result"] == "activated"][
            -1
        ] == left.bundle


async def until_killed(served: Served, hooks: Path, place: str) -> None:
    """Run the gateway until its hook kills it."""
    process = await asyncio.create_subprocess_exec(
        *SERVE,
        str(served.world.config),
        env={**served.world.environ, "PYTHONPATH": f"{hooks}:{ROOT}", "END_AT": place},
        start_new_session=True,
    )
    async with asyncio.timeout(120):
        assert await process.wait() == -signal.SIGKILL
