"""200 reloads of policy while requests run: no failed request, none that mixes two policies."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from gateway.audit.record import Activation, Decided, Line
from tests.system.recording import recording_provider
from tests.system.served import Client, Served, bearer_bytes, serving

RELOADS = 200
CLIENTS = 4
TENANT = "northwind-missing"
BODY = b'{"CollectionId":"missing","Image":{"S3Object":{"Bucket":"b","Name":"n"}}}'

PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: version
owner: the test
source: the test
force: voluntary
review: 2040-01-01
rules:
  - id: marker-{number}
    effect: {effect}
    when: {{tenant: [northwind-missing], class: [one_to_many]}}
    reason: Version {number} of the test's policy.
"""


def write(policies: Path, text: str) -> None:
    """Replace the pack as an editor that saves atomically does."""
    draft = policies / ".version.yaml"
    draft.write_text(text)
    draft.rename(policies / "version.yaml")


def broken(number: int) -> str:
    """Return a pack whose mistake stands in a line of its own number's digits."""
    return PACK.format(number=number, effect="dney").replace(
        "rules:", "\n" * (number % 7) + "rules:"
    )


async def send(served: Served, stop: asyncio.Event, answers: Counter[tuple[int, str]]) -> None:
    """Ask again and again; the answer's reason and the policy that it names must agree."""
    request = bearer_bytes(served.port, "SearchFacesByImage", served.token(TENANT), BODY)
    client = await Client.connect(served.port)
    try:
        while not stop.is_set():
            answer = await client.ask(request)
            answers[answer.status, answer.headers["x-facegate-decision"]] += 1
    finally:
        client.close()


async def reload_many(served: Served) -> None:
    """Write 100 good and 100 broken versions in turn, each once the one before was noticed."""
    for number in range(RELOADS):
        good = number % 2 == 0
        effect = "deny" if number % 4 == 0 else "permit"
        text = PACK.format(number=number, effect=effect) if good else broken(number)
        write(served.world.policies, text)
        noticed = "policies reloaded" if good else "policies refused"
        await served.said(noticed, times=number // 2 + (2 if good else 1))


def verdict_follows_policy(record: Decided) -> bool:
    """Tell whether the outcome is that of the version whose rule matched, and of no other."""
    markers = [rule for rule in record.decision.matched if rule.startswith("version/")]
    if not markers:
        return record.decision.outcome == "permit"
    (marker,) = markers
    denies = int(marker.removeprefix("version/marker-")) % 4 == 0
    return (record.decision.outcome == "refuse") is denies


def digests_by_marker(records: list[Line]) -> dict[str, set[str]]:
    """Return the policy digests under which each version's rule matched."""
    seen: dict[str, set[str]] = {}
    for record in records:
        if isinstance(record, Decided):
            for rule in record.decision.matched:
                if rule.startswith("version/"):
                    seen.setdefault(rule, set()).add(record.parts["policies"])
    return seen


async def test_200_reloads_during_load_fail_no_request_and_mix_no_policies(tmp_path: Path) -> None:
    async with recording_provider() as provider, serving(tmp_path, provider.url) as served:
        stop, answers = asyncio.Event(), Counter[tuple[int, str]]()
        # The shipped guardrails would refuse every second version, which permits too much.
        (served.world.policies / "guardrails.yaml").unlink()
        await served.said("policies reloaded")
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CLIENTS):
                tasks.create_task(send(served, stop, answers))
            await reload_many(served)
            stop.set()
        records = served.records()
        decided = {record.id: record for record in records if isinstance(record, Decided)}
        statuses = Counter(status for status, _ in answers)
        assert set(statuses) == {200, 403}, statuses
        assert len(answers) > RELOADS
        for (status, decision), count in answers.items():
            assert count == 1
            record = decided[decision]
            assert (status == 200) is (record.decision.outcome == "permit")
            assert verdict_follows_policy(record)
        assert all(len(digests) == 1 for digests in digests_by_marker(records).values())
        refused = await served.said("policies refused", times=RELOADS // 2)
        places = [line.split("policies refused: ")[1] for line in refused]
        assert len(places) == RELOADS // 2
        expected = [8 + 1 + number % 7 for number in range(1, RELOADS, 2)]
        assert [int(place.split(":")[1]) - 1 for place in places] == expected
        results = Counter(
            record.result
            for record in records
            if isinstance(record, Activation) and record.what == "policies"
        )
        assert results == {"activated": RELOADS // 2 + 2, "refused": RELOADS // 2}
