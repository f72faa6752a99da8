"""Slips in every file of the shipped policy: rules, groups, and what a pack says of itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.core.policy.countries import is_place
from tests.faults.model import Fault
from tests.faults.rules import Groups, slips

# Members that people get wrong, tried in every group of places that holds them.
_TELLING: Final = (
    "AE", "BY", "CN", "CU", "GB", "HK", "IL", "IN", "IR", "KP", "MO", "NO", "PS", "RU", "SY", "TR",
    "UA", "US", "XK",
)  # fmt: skip
_FEW: Final = 12
_FORCES: Final = ("binding", "pending", "voluntary")


def faults(files: Mapping[str, dict[str, Any]]) -> Iterator[Fault]:
    """Make every fault.

    Args:
        files: the shipped policy files as plain values, by name.

    Yields:
        Faults with unique names, file by file.
    """
    groups = {
        name: entry["members"]
        for value in files.values()
        for name, entry in value.get("groups", {}).items()
    }
    named = _named(files)
    for file, value in sorted(files.items()):
        if value["kind"] == "Pack":
            yield from _of_rules(file, value, groups)
            yield from _of_pack(file, value)
        elif value["kind"] == "Groups":
            yield from _of_groups(file, value, named)


def _named(files: Mapping[str, dict[str, Any]]) -> frozenset[str]:
    """Return the groups that rules name; what no rule names judges nothing."""
    conditions = [
        condition["not_in"] if isinstance(condition, dict) else condition
        for value in files.values()
        for rule in value.get("rules", ())
        for condition in rule["when"].values()
    ]
    return frozenset(
        one.removeprefix("group:")
        for values in conditions
        for one in values
        if one.startswith("group:")
    )


def _of_rules(file: str, value: dict[str, Any], groups: Groups) -> Iterator[Fault]:
    for index, rule in enumerate(value["rules"]):
        for operator, detail, changed in slips(rule, groups):
            rules = [one for one in value["rules"] if one is not rule]
            if changed is not None:
                rules.insert(index, changed)
            place = f"{value['pack']}/{rule['id']}"
            yield _fault(place, operator, detail, file, {**value, "rules": rules})


def _of_pack(file: str, value: dict[str, Any]) -> Iterator[Fault]:
    place = f"pack {value['pack']}"
    for force in _FORCES:
        if force != value["force"]:
            yield _fault(place, "flip the force", force, file, {**value, "force": force})
    for key in ("owner", "source", "force", "review"):
        rest = {name: one for name, one in value.items() if name != key}
        yield _fault(place, "leave a label out", key, file, rest)
    first = value["rules"][0]
    twice = {**value, "rules": [first, *value["rules"]]}
    yield _fault(place, "write a rule twice", first["id"], file, twice)


def _of_groups(file: str, value: dict[str, Any], named: frozenset[str]) -> Iterator[Fault]:
    for name, entry in value["groups"].items():
        if name not in named:
            continue
        members = entry["members"]

        def changed(
            operator: str,
            detail: str,
            after: list[object],
            name: str = name,
            entry: dict[str, Any] = entry,
        ) -> Fault:
            groups = {**value["groups"], name: {**copy.deepcopy(entry), "members": after}}
            return _fault(f"group {name}", operator, detail, file, {**value, "groups": groups})

        for member in _tried(members):
            rest = [one for one in members if one != member]
            yield changed("narrow the group", str(member), rest)
        yield changed("write a member twice", members[0], [*members, members[0]])
        yield changed("misspell a member", members[0], [f"{members[0]}x", *members[1:]])
        if "NO" in members:
            read = [False if one == "NO" else one for one in members]
            yield changed("read NO as false", "", read)
        for region in [one for one in members if is_place(one) and "-" in one]:
            whole = [region[:2] if one == region else one for one in members]
            yield changed("name the country for its region", region, whole)
        for member in _foreign(members):
            yield changed("widen the group", member, [*members, member])


def _tried(members: list[str]) -> list[str]:
    """Return the members that are left out one at a time: all of a few, of many the telling."""
    if len(members) <= _FEW:
        return members
    chosen = {members[0], members[-1], *(one for one in _TELLING if one in members)}
    return sorted(chosen)


def _foreign(members: list[str]) -> list[str]:
    """Return members that are added, one at a time, of the kind that the group holds."""
    if not is_place(members[0]):
        return []
    covered = {*members, *(one[:2] for one in members)}
    return [one for one in ("CN", "IR", "GB", "RU", "PS", "UA-43") if one[:2] not in covered]


def _fault(place: str, operator: str, detail: str, file: str, value: dict[str, Any]) -> Fault:
    return Fault(place=place, operator=operator, detail=detail, file=file, value=value)
