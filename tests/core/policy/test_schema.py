from __future__ import annotations

from gateway.core.policy.attributes import ATTRIBUTES
from gateway.core.policy.parse import schema
from gateway.sources.policies import load_policies


def test_the_schema_describes_every_kind_of_file() -> None:
    made = schema()
    kinds = {
        made["$defs"][one["$ref"].rpartition("/")[2]]["properties"]["kind"]["const"]
        for one in made["anyOf"]
    }
    assert kinds == {"Pack", "Groups", "Cases"}
