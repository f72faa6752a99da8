"""A policy that breaks a guardrail is not used: the running one stays, and it is said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app.gateway import Gateway
from gateway.audit.record import Activation, read_line
from gateway.demo.issuer import Issuer
from gateway.errors import ConfigError
from tests.system.inside import inside, write_world
from tests.system.recording import recording_provider

LOOSENING = """\
apiVersion: facegate/v1
kind: Pack
pack: loosening
owner: the test
source: the test
force: voluntary
review: 2040-01-01
rules:
  - id: permit-what-nobody-knows
    effect: permit
    when:
      class: [unknown]
      destination: [GB]
      party_type: [private]
      end_use: [customer_verification]
    reason: A hurry.
"""
BROKEN = "guardrail `never-an-operation-that-nobody-knows`: does not hold"


async def test_a_policy_that_breaks_a_guardrail_is_refused_and_the_old_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with inside(tmp_path) as running:
        before = running.gateway.snapshot.policies.digest
        loosening = running.world.policies / "loosening.yaml"
        loosening.write_text(LOOSENING)
        report = await running.gateway.reload("the test")
        assert report.result == "refused"
        assert BROKEN in report.findings[0]
        assert "loosening/permit-what-nobody-knows permits: class unknown" in report.findings[0]
        assert running.gateway.snapshot.policies.digest == before
        assert (await running.search(1)).status == 200
        assert await running.metric("facegate_policy_last_reload_successful") == 0
        # By the watcher as well, where it was first.
        refusals = await running.metric('facegate_policy_reloads_total{result="refused"}')
        assert refusals in {1, 2}
        assert BROKEN in caplog.text

        loosening.unlink()
        assert (await running.gateway.reload("the test")).result == "activated"
        assert running.gateway.snapshot.policies.digest == before
    lines = [
        read_line(line)
        for path in sorted((running.world.directory / "audit").rglob("*.jsonl"))
        for line in path.read_bytes().split(b"\n")[:-1]
    ]
    refused = [one for one in lines if isinstance(one, Activation) and one.result == "refused"]
    assert "policies" in [one.what for one in refused]
    assert all(BROKEN in one.detail for one in refused)


async def test_a_gateway_does_not_start_with_a_policy_that_breaks_a_guardrail(
    tmp_path: Path,
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        (world.policies / "loosening.yaml").write_text(LOOSENING)
        with pytest.raises(ConfigError, match="never-an-operation-that-nobody-knows"):
            await Gateway(world.config, world.environ).run()
