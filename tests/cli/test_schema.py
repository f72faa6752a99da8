"""`facegate schema`: what editors check files against is what the gateway accepts."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import facegate


@pytest.mark.parametrize(
    ("which", "keys"),
    [
        ("config", {"listen", "upstreams", "audit"}),
        ("tenants", {"apiVersion", "kind", "tenants"}),
    ],
)
def test_a_schema_names_the_keys_of_the_file(which: str, keys: set[str]) -> None:
    done = facegate("schema", which)
    schema = json.loads(done.out)
    assert done.code == 0
    assert keys <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_the_policy_schema_has_every_kind_of_file() -> None:
    schema = json.loads(facegate("schema", "policy").out)
    kinds = {
        definition["properties"]["kind"]["const"]
        for definition in schema["$defs"].values()
        if "kind" in definition.get("properties", {})
        and "const" in definition["properties"]["kind"]
    }
    assert kinds == {"Budgets", "Cases", "Groups", "Guardrails", "Operator", "Pack"}


def test_a_schema_that_there_is_not_is_a_usage_error_that_names_those_there_are() -> None:
    done = facegate("schema", "weather")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "facegate: there is no schema `weather`\nfacegate: hint: one of config, policy, tenants\n"
    )
