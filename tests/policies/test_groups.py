"""The shipped groups of places against the tables that they were written down from."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gateway.core.operation import OPERATION_CLASSES, governed
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.parse import parse
from gateway.sources.packs import packs_directory
from gateway.sources.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "../shared/data/country_groups.csv"
REGIONS = ROOT / "../shared/data/regions.csv"


@pytest.fixture(scope="module")
def groups() -> dict[str, list[str]]:
    return members("groups.yaml")


@pytest.fixture(scope="module")
def every_group() -> dict[str, list[str]]:
    files = sorted(packs_directory().glob("*groups.yaml"))
    return {name: found for path in files for name, found in members(path.name).items()}


def members(file: str) -> dict[str, list[str]]:
    document = read_yaml(packs_directory() / file)
    return {name: entry.members for name, entry in parse(document.value).groups.items()}


def rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        pytest.skip(f"{path.name} is not at hand: the spot checks stand in for it")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_groups_are_those_of_the_chart(groups: dict[str, list[str]]) -> None:
    chart = rows(CHART)
    own = [row for row in chart if "inferred" not in row["notes"]]
    dependent = [row for row in chart if "inferred" in row["notes"]]

    def codes(source: list[dict[str, str]], column: str, value: str) -> list[str]:
        return sorted(row["iso2"] for row in source if value in row[column].split("|"))

    assert {name: sorted(members) for name, members in groups.items()} == {
        "ear_d5": codes(chart, "groups", "D:5"),
        "ear_e1": codes(chart, "groups", "E:1"),
        "ear_e2": codes(chart, "groups", "E:2"),
        "ear_a5": codes(own, "groups", "A:5"),
        "ear_a6": codes(own, "groups", "A:6"),
        "ear_cc1_exempt": codes(own, "cc1", "0"),
        "ear_cc1_exempt_dependents": codes(dependent, "cc1", "0"),
        "ear_cc1_controlled": codes(chart, "cc1", "1"),
        "wassenaar": codes(chart, "wassenaar", "1"),
        "indeterminate": sorted(row["iso2"] for row in chart if "indeterminate" in row["notes"]),
        "beside_ear_d5": [row["iso2"] for row in chart if "wherever D:5" in row["notes"]],
        "domestic": [row["iso2"] for row in chart if row["notes"].startswith("domestic")],
        "embargoed_regions": sorted(groups["embargoed_regions"]),
        "eu_restricted_areas": sorted(groups["eu_restricted_areas"]),
    }


def test_the_regions_are_those_of_the_table(groups: dict[str, list[str]]) -> None:
    table = rows(REGIONS)

    def codes(*levels: str) -> list[str]:
        return sorted(row["code"] for row in table if row["scope_level"] in levels)

    assert sorted(groups["embargoed_regions"]) == codes(
        "embargoed region", "partly embargoed region"
    )
    assert sorted(groups["eu_restricted_areas"]) == codes("EU/UK restricted area")


def test_every_country_of_the_chart_can_be_named() -> None:
    assert {row["iso2"] for row in rows(CHART)} == COUNTRIES


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ear_d5", "RU"),
        ("ear_d5", "CN"),
        ("ear_d5", "HK"),
        ("ear_d5", "BY"),
        ("beside_ear_d5", "MO"),
        ("ear_e1", "IR"),
        ("ear_e1", "KP"),
        ("ear_e1", "SY"),
        ("ear_e2", "CU"),
        ("ear_cc1_exempt", "TR"),
        ("ear_cc1_exempt", "IN"),
        ("ear_cc1_exempt", "LI"),
        ("ear_cc1_exempt", "GB"),
        ("ear_cc1_exempt_dependents", "IM"),
        ("ear_cc1_controlled", "AE"),
        ("ear_cc1_controlled", "HK"),
        ("ear_cc1_controlled", "IL"),
        ("ear_cc1_controlled", "SG"),
        ("ear_cc1_controlled", "UA"),
        ("indeterminate", "PS"),
        ("indeterminate", "AQ"),
        ("ear_a5", "AE"),
        ("wassenaar", "RU"),
        ("embargoed_regions", "UA-43"),
        ("embargoed_regions", "UA-40"),
        ("embargoed_regions", "UA-14"),
        ("embargoed_regions", "UA-09"),
    ],
)
def test_a_known_member_stands_in_its_group(
    groups: dict[str, list[str]], name: str, code: str
) -> None:
    assert code in groups[name]


def test_a_blank_row_of_the_chart_is_never_an_exemption(groups: dict[str, list[str]]) -> None:
    blank = {"CU", "IR", "KP", "SY", "AQ", "PS"}
    exempt = {*groups["ear_cc1_exempt"], *groups["ear_cc1_exempt_dependents"], *groups["domestic"]}
    assert not blank & exempt
    assert not blank & {*groups["ear_a5"], *groups["ear_a6"], *groups["wassenaar"]}


def test_every_country_stands_in_one_column_of_the_chart(groups: dict[str, list[str]]) -> None:
    columns = [
        *groups["ear_cc1_exempt"],
        *groups["ear_cc1_exempt_dependents"],
        *groups["ear_cc1_controlled"],
        *groups["indeterminate"],
        *groups["domestic"],
        *groups["ear_e1"],
        *groups["ear_e2"],
    ]
    assert sorted(columns) == sorted(COUNTRIES)


def test_the_groups_of_single_packs_are_those_of_the_chart(
    every_group: dict[str, list[str]],
) -> None:
    chart = rows(CHART)

    def noted(*words: str) -> list[str]:
        return sorted(row["iso2"] for row in chart if any(word in row["notes"] for word in words))

    assert sorted(every_group["code_of_conduct_subscribers"]) == noted("ECHRI code of conduct")
    assert sorted({*every_group["ear_744_21"]} - {"HK"}) == noted("744.21")
    assert sorted(every_group["ofac_countries"]) == noted("OFAC comprehensive embargo")


def test_one_group_follows_from_others(every_group: dict[str, list[str]]) -> None:
    both = {*every_group["wassenaar"]} & {*every_group["ear_d5"]}
    assert both == {*every_group["participants_under_arms_embargo"]} == {"RU"}
    blank = {*every_group["ear_e1"], *every_group["ear_e2"]} - {"SY"}
    assert blank == {*every_group["ear_part_746"]} == {*every_group["ofac_countries"]}


def test_the_record_on_human_rights_places_every_country_once(
    every_group: dict[str, list[str]],
) -> None:
    named = [name for name in every_group if name.startswith("record_")]
    assert sorted(one for name in named for one in every_group[name]) == sorted(COUNTRIES)


def test_the_record_on_human_rights_is_drawn_up_from_the_chart(
    every_group: dict[str, list[str]],
) -> None:
    refused = {*every_group["ear_d5"], *every_group["beside_ear_d5"]}
    exempt = {*every_group["ear_cc1_exempt"], *every_group["ear_cc1_exempt_dependents"]}
    assert {*every_group["record_refused"]} == refused
    assert {*every_group["record_assured"]} == {*every_group["domestic"]} | exempt
    assert {*every_group["record_case_by_case"]} == {*every_group["ear_cc1_controlled"]} - refused
    assert every_group["record_unclear"] == every_group["indeterminate"]


def test_the_european_union_has_twenty_seven_members(every_group: dict[str, list[str]]) -> None:
    union = every_group["eu27"]
    assert len(union) == len(set(union)) == 27
    assert not {*union} & {"GB", "CH", "NO", "IS", "LI", "UA", "TR"}
    assert {*union} <= {*every_group["ear_a5"], *every_group["ear_a6"]}


def test_what_is_searched_at_scale_is_what_is_governed(every_group: dict[str, list[str]]) -> None:
    wide = every_group["search_at_scale"]
    assert wide == [one for one in OPERATION_CLASSES if governed(one, "none")]
    assert sorted((*wide, *every_group["other_services"])) == sorted(OPERATION_CLASSES)
    assert sorted((*wide, "one_to_one")) == sorted(every_group["recognition"])


def test_every_group_is_named_by_a_rule_or_stands_for_a_published_table(
    every_group: dict[str, list[str]],
) -> None:
    packs = "".join(path.read_text() for path in packs_directory().glob("*.yaml"))
    unused = {name for name in every_group if f"group:{name}" not in packs}
    tables = {"domestic", "ear_a5", "ear_a6", "ear_cc1_exempt", "ear_cc1_exempt_dependents"}
    assert unused <= tables
