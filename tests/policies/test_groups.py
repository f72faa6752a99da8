"""The shipped groups of places against the tables that they were written down from."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.parse import parse
from gateway.sources.packs import packs_directory
from gateway.sources.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "../shared/data/country_groups.csv"
REGIONS = ROOT / "../shared/data/regions.csv"


@pytest.fixture(scope="module")
def groups() -> dict[str, list[str]]:
    document = read_yaml(packs_directory() / "groups.yaml")
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
