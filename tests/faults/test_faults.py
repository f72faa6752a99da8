"""Every slip of a pen in a shipped pack is caught, or is known to change no answer."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import settings

from gateway.sources.packs import packs_directory
from tests.faults.catch import Shipped
from tests.faults.exceptions import UNCAUGHT
from tests.faults.files import faults
from tests.faults.model import Fault
from tests.faults.report import Finding, table

FILES = [path.name for path in sorted(packs_directory().glob("*.yaml"))]


@pytest.fixture(scope="module")
def shipped() -> Shipped:
    return Shipped.read(packs_directory())


@pytest.fixture(scope="module")
def every(shipped: Shipped) -> list[Fault]:
    return list(faults(shipped.values))


def test_there_are_faults_in_every_rule_and_every_group_that_rules_name(
    every: list[Fault], shipped: Shipped
) -> None:
    places = Counter(fault.place for fault in every)
    rules = {f"{pack.id}/{rule.id}" for pack in shipped.linked.packs for rule in pack.rules}
    assert {place for place in places if "/" in place} == rules
    assert len(every) >= 2000
    assert len({fault.name for fault in every}) == len(every)


def test_every_fault_changes_its_file(every: list[Fault], shipped: Shipped) -> None:
    assert not [fault.name for fault in every if fault.value == shipped.values[fault.file]]


def test_the_shipped_files_are_no_fault_themselves(shipped: Shipped) -> None:
    for file, value in shipped.values.items():
        unchanged = Fault(place=file, operator="nothing", detail="", file=file, value=value)
        if value["kind"] != "Cases":
            assert shipped.catch(unchanged) == "nobody", file


@pytest.fixture(scope="module")
def tried(every: list[Fault]) -> list[Fault]:
    """Return each fault in `make prove-all`; else every fifth, and all that nobody catches."""
    if settings.get_current_profile_name() == "prove":
        return every
    return [
        fault for number, fault in enumerate(every) if number % 5 == 0 or fault.name in UNCAUGHT
    ]


@pytest.mark.parametrize("file", [name for name in FILES if "cases" not in name])
def test_every_fault_is_caught_or_known_to_change_no_answer(
    tried: list[Fault], shipped: Shipped, file: str
) -> None:
    mine = [fault for fault in tried if fault.file == file]
    uncaught = {fault.name: fault for fault in mine if shipped.catch(fault) == "nobody"}
    assert uncaught.keys() == {fault.name for fault in mine} & UNCAUGHT.keys()


def test_what_nobody_catches_opens_no_governed_request(
    every: list[Fault], shipped: Shipped
) -> None:
    """By the exact difference; every eighth, or all in `make prove-all`."""
    step = 1 if settings.get_current_profile_name() == "prove" else 8
    uncaught = [fault for fault in every if fault.name in UNCAUGHT]
    for fault in uncaught[::step]:
        packs = shipped.packs_with(fault)
        assert packs is not None
        assert not shipped.opened(packs), fault.name


def test_a_fault_that_opens_a_search_is_seen_to_do_so(shipped: Shipped) -> None:
    pack = shipped.packs["ibm-precision-regulation"]
    rules = tuple(
        msgspec.structs.replace(
            rule, conditions=tuple(one for one in rule.conditions if one.attribute != "end_use")
        )
        if rule.id == "permit-named-uses"
        else rule
        for rule in pack.rules
    )
    others = [one for one in shipped.packs.values() if one.id != pack.id]
    opened = shipped.opened([*others, msgspec.structs.replace(pack, rules=rules)])
    assert any(kind.startswith("one_to_many") for kind in opened), opened


def test_no_exception_is_of_a_fault_that_is_not_tried(every: list[Fault]) -> None:
    assert UNCAUGHT.keys() <= {fault.name for fault in every}


def test_the_report_counts_every_fault_once_and_names_the_uncaught(every: list[Fault]) -> None:
    first, second, third = every[:3]
    report = table(
        [
            Finding(fault=first, catcher="check"),
            Finding(fault=second, catcher="nobody"),
            Finding(fault=third, catcher="test", proved=True),
        ]
    )
    assert f"uncaught: {second.name}\n    no reason is known" in report
    assert first.name not in report
    assert ["all", "1", "1", "0", "1", "1"] in [line.split() for line in report.splitlines()]


def test_a_guardrail_catches_what_no_case_sees(shipped: Shipped) -> None:
    pack = "ibm-precision-regulation"
    permit = next(one for one in shipped.packs[pack].rules if one.id == "permit-named-uses")
    assert not shipped.breaks_a_guardrail(list(shipped.packs.values()))
    rest = msgspec.structs.replace(shipped.packs[pack], rules=(permit,))
    assert shipped.breaks_a_guardrail(list({**shipped.packs, pack: rest}.values()))
