"""What happens when a dependency is down: each fails in the way that the README's table says."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app.gateway import Gateway
from gateway.audit.files import OsFiles
from gateway.audit.record import Activation, Decided, Gap, read_line
from gateway.audit.verify import verify
from gateway.demo.issuer import Issuer
from gateway.demo.networks import write_networks
from gateway.demo.world import tighten
from gateway.errors import ConfigError, FindingsError
from tests.audit.fakes import Faults, FaultyFiles
from tests.system.inside import Inside, inside, write_world
from tests.system.recording import recording_provider

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")
PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: {name}
owner: the test
source: the test
force: voluntary
review: 2040-01-01
rules:
"""
TAIL = 'facegate_source_last_reload_successful{source="%s"}'


async def until_changed(running: Inside) -> None:
    async with asyncio.timeout(10):
        await running.gateway.change()


async def reload(running: Inside) -> dict[str, object]:
    """Ask for a reload through the admin API."""
    async with running.client.post(
        running.admin_url + "/admin/v1/reload",
        headers={"Authorization": f"Bearer {running.world.admin_token}"},
    ) as answer:
        report: dict[str, object] = await answer.json()
        return report


def records(running: Inside) -> list[object]:
    found: list[object] = []
    for path in sorted((running.world.directory / "audit").rglob("*.jsonl")):
        found += map(read_line, path.read_bytes().split(b"\n")[:-1])
    return found


async def test_a_full_disk_stops_forwarding_and_readiness_and_both_come_back(
    tmp_path: Path,
) -> None:
    faults = Faults()
    async with inside(tmp_path, files=FaultyFiles(OsFiles(), faults)) as running:
        assert (await running.search(1)).status == 200
        faults.begin(write=NO_SPACE)
        refused = await running.search(2)
        assert refused.status == 403
        assert json.loads(refused.body)["reason"] == "audit.unavailable"
        assert "retry-after" not in refused.headers
        status, text = await running.page("/readyz?verbose")
        assert status == 503
        assert "[-]audit" in text
        assert (await running.page("/livez"))[0] == 200
        assert await running.metric("facegate_audit_healthy") == 0
        assert len(running.provider.arrivals) == 1
        faults.heal()
        async with asyncio.timeout(10):  # the log's own probe finds out, without any traffic
            while (await running.page("/readyz"))[0] != 200:
                pass
        assert (await running.search(3)).status == 200
        assert len(running.provider.arrivals) == 2
    gaps = [record for record in records(running) if isinstance(record, Gap)]
    assert [(gap.reason, gap.refused) for gap in gaps] == [("write", 1)]
    assert verify(running.world.directory / "audit", closed=True).ok


async def test_a_corrupt_network_database_at_reload_leaves_the_old_one_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with inside(tmp_path) as running:
        database = running.world.directory / "country.mmdb"
        sound = database.read_bytes()
        digest = running.gateway.snapshot.networks.digest
        with caplog.at_level(logging.ERROR, "facegate"):
            database.write_bytes(sound[:200])
            report = await reload(running)
        assert report["result"] == "refused"
        assert "country.mmdb" in str(report["findings"])
        assert "networks refused" in caplog.text
        assert await running.metric(TAIL % "networks") == 0
        assert running.gateway.snapshot.networks.digest == digest
        assert (await running.search(1)).status == 200
        replacement = database.with_name("new.mmdb")
        write_networks(replacement, {"192.0.2.32/28": "RU"})
        replacement.rename(database)
        assert (await reload(running))["result"] in {"activated", "unchanged"}
        assert await running.metric(TAIL % "networks") == 1
        assert (await running.search(2)).status == 403


@pytest.mark.parametrize("content", [None, b"", b"not a database", b"\xab\xcd\xefMaxMind.com"])
async def test_a_missing_or_corrupt_network_database_at_start_is_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        database = world.directory / "country.mmdb"
        database.unlink()
        if content is not None:
            database.write_bytes(content)
        with pytest.raises(ConfigError, match=r"country\.mmdb"):
            await Gateway(world.config, world.environ).run()
        assert not (world.directory / "audit").exists()


async def test_every_mistake_of_every_file_is_told_at_once_and_nothing_starts(
    tmp_path: Path,
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        tenants = world.directory / "tenants.yaml"
        tenants.write_text(tenants.read_text().replace("type: private", "type: privat", 2))
        (world.policies / "two.yaml").write_text(
            PACK.format(name="two")
            + "  - {id: one, effect: dney, when: {destination: [NO]}, reason: a}\n"
            "  - {id: two, effect: deny, when: {place: [NO]}, reason: b}\n"
        )
        with pytest.raises(FindingsError) as refused:
            await Gateway(world.config, world.environ).run()
        places = [(Path(each.path).name, each.line > 0) for each in refused.value.findings]
        assert places.count(("tenants.yaml", True)) == 2
        assert places.count(("two.yaml", True)) >= 2


async def test_broken_tenants_at_reload_leave_the_old_ones(tmp_path: Path) -> None:
    async with inside(tmp_path) as running:
        tenants = running.world.directory / "tenants.yaml"
        tenants.write_text(tenants.read_text() + "\nsurprise: true\n")
        report = await reload(running)
        assert report["result"] == "refused"
        assert "surprise" in str(report["findings"])
        assert (await running.search(1)).status == 200


async def test_settings_that_need_a_restart_are_refused_whole_naming_the_key(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        before = running.gateway.snapshot.parts["settings"]
        config = running.world.config
        text = config.read_text()
        changed = text.replace("drain_delay_s: 0", "drain_delay_s: 0, body_bytes: 2048")
        config.write_text(changed.replace("origin: demo.facegate.example", "origin: elsewhere"))
        report = await reload(running)
        assert report["result"] == "refused"
        assert "`audit`" in str(report["findings"])
        assert running.gateway.snapshot.parts["settings"] == before
        config.write_text(changed)
        assert (await reload(running))["result"] in {"activated", "unchanged"}
        assert running.gateway.snapshot.parts["settings"] != before
        answer = await running.search(10**3000)
        assert answer.status == 413


async def test_a_policy_edit_takes_effect_without_a_restart_and_is_recorded(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        assert (await running.search(1)).status == 200
        rule = tighten(running.world)
        await until_changed(running)
        assert (await running.search(2)).status == 403
        rule.unlink()
        await until_changed(running)
        assert (await running.search(3)).status == 200
    activations = [
        (record.what, record.who, record.result)
        for record in records(running)
        if isinstance(record, Activation) and record.what == "policies"
    ]
    assert activations[0] == ("policies", "start", "activated")
    assert activations[1:] == [("policies", "watch", "activated")] * 2


async def test_a_swap_of_the_symlink_above_the_policies_is_seen(tmp_path: Path) -> None:
    async with inside(tmp_path) as running:
        policies = running.world.policies
        version = policies.with_name("version-2")
        policies.rename(policies.with_name("version-1"))
        policies.symlink_to("version-1")
        assert (await running.search(1)).status == 200
        version.mkdir()
        for file in (policies.with_name("version-1")).iterdir():
            (version / file.name).write_bytes(file.read_bytes())
        tighten_in(version)
        link = policies.with_name("link")
        link.symlink_to("version-2")
        changed = running.gateway.change()
        link.rename(policies)
        async with asyncio.timeout(10):
            await changed
        assert (await running.search(2)).status == 403


def tighten_in(directory: Path) -> None:
    (directory / "closed.yaml").write_text(
        PACK.format(name="closed")
        + "  - {id: all, effect: deny, when: {class: [one_to_many]}, reason: closed for a test}\n"
    )


async def test_an_issuer_that_is_down_does_no_harm_to_keys_that_are_at_hand(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        assert (await running.search(1)).status == 200
        snapshot = running.gateway.snapshot
        (issuer,) = snapshot.keys.issuers.values()
        assert issuer.usable(datetime.now(UTC))
        _, text = await running.page("/readyz?verbose")
        assert f"[+]issuer {issuer.issuer} ok" in text


async def test_a_provider_that_is_down_is_a_502_in_its_own_form_with_a_whole_record(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        config = running.world.config
        with_a_dead_port = config.read_text().replace(running.provider.url, "http://127.0.0.1:9")
        config.write_text(with_a_dead_port)
        assert (await reload(running))["result"] in {"activated", "unchanged"}
        answer = await running.search(1)
        assert answer.status == 502
        assert json.loads(answer.body)["__type"] == "InternalServerError"
        assert json.loads(answer.body)["reason"] == "upstream.unavailable"
    decided = [record for record in records(running) if isinstance(record, Decided)]
    assert [record.decision.outcome for record in decided] == ["permit"]


async def test_the_decision_metrics_count_what_was_decided(tmp_path: Path) -> None:
    async with inside(tmp_path) as running:
        await running.search(1)
        await running.search(2, place="RU")
        _, text = await running.page("/metrics")
        counted = [
            line for line in text.splitlines() if line.startswith("facegate_decisions_total")
        ]
        assert any('outcome="permit"' in line and line.endswith(" 1.0") for line in counted)
        refused = [line for line in counted if 'outcome="refuse"' in line]
        assert len(refused) == 1
        assert 'reason="policy.denied"' in refused[0]
        assert await running.metric('facegate_refused_by_country_total{country="RU"}') == 1
        assert await running.metric("facegate_policy_last_reload_successful") == 1
