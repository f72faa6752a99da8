from __future__ import annotations

from gateway.core.operation import OPERATION_CLASSES
from gateway.core.policy.attributes import ATTRIBUTES
from gateway.core.policy.parse import schema


def test_the_schema_describes_every_kind_of_file() -> None:
    made = schema()
    definitions = made["$defs"]
    named = [definitions[one["$ref"].rpartition("/")[2]] for one in made["anyOf"]]
    kinds = [one["properties"]["kind"]["const"] for one in named]
    assert kinds == ["Pack", "Groups", "Cases", "Guardrails", "Budgets", "Operator"]
    assert all("apiVersion" in one["required"] for one in named)
    assert all(one["additionalProperties"] is False for one in definitions.values())


def test_the_schema_offers_every_attribute_and_the_values_of_the_closed_ones() -> None:
    definitions = schema()["$defs"]
    when = definitions["RuleEntry"]["properties"]["when"]
    assert tuple(when["properties"]) == ATTRIBUTES
    assert when["additionalProperties"] is False
    written_as_list = when["properties"]["class"]["anyOf"][0]
    assert written_as_list["items"]["anyOf"][0] == {"enum": list(OPERATION_CLASSES)}
    request = definitions["RequestEntry"]["properties"]
    assert set(request) == {"references", *ATTRIBUTES}
