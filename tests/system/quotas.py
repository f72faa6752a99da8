"""A world in which the charity searches under a licence with a quota, and within a budget."""

from __future__ import annotations

import shutil
from typing import Any

from ruamel.yaml import YAML

from gateway.audit.record import Decided, Happened, Line
from gateway.demo.world import World

TENANT = "northwind-missing"
_POLICY = """\
apiVersion: facegate/v1
kind: Budgets
owner: a test
budgets:
  a-month: {{counts: calls, classes: [one_to_many], per: month, limit: {budget}, by: tenant,
            source: a test, date: 2026-11-25}}
"""
_PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: counted
owner: a test
source: a test
force: binding
review: 2040-01-01
rules:
  - id: licence
    effect: require
    needs: licence
    naming: counted
    when: {tenant: [northwind-missing], class: [one_to_many]}
    reason: the charity searches under a licence
  - id: enough
    effect: deny
    when: {class: [one_to_many], over: [a-month]}
    reason: enough for this month
  - id: unplaced
    effect: deny
    when: {destination: [unknown, private, anonymised, stale]}
    reason: no place
  - id: all
    effect: permit
    when: {class: [one_to_many]}
    reason: whatever is left
"""


def count(world: World, *, quota: int, budget: int = 1_000_000) -> None:
    """Give the charity a licence with a quota, and everybody a budget, under a small policy."""
    shutil.rmtree(world.policies)
    world.policies.mkdir()
    (world.policies / "counted.budgets.yaml").write_text(_POLICY.format(budget=budget))
    (world.policies / "counted.yaml").write_text(_PACK)
    path = world.directory / "tenants.yaml"
    tenants: dict[str, Any] = YAML().load(path.read_text())
    charity = next(one for one in tenants["tenants"] if one["id"] == TENANT)
    charity.setdefault("references", []).append(
        {
            "id": "LIC-1",
            "kind": "licence",
            "names": ["counted"],
            "classes": ["one_to_many"],
            "destinations": ["CA", "US"],
            "quota": {"limit": quota, "counts": "calls"},
        }
    )
    with path.open("w") as file:
        YAML().dump(tenants, file)


def permitted(lines: list[Line]) -> list[Decided]:
    """Return the decisions that took from the licence."""
    return [
        line
        for line in lines
        if isinstance(line, Decided)
        and line.decision.outcome == "permit"
        and "LIC-1" in line.decision.discharged
    ]


def happened(lines: list[Line]) -> list[Happened]:
    return [line for line in lines if isinstance(line, Happened)]
