"""`facegate schema`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.cli.output import EXIT_OK, EXIT_USAGE, fail, print_json
from gateway.config.settings import schema as config_schema
from gateway.core.policy.parse import schema as policy_schema
from gateway.sources.tenant_file import TenantFile

_SCHEMAS: Mapping[str, Callable[[], Mapping[str, object]]] = {
    "config": config_schema,
    "policy": policy_schema,
    "tenants": TenantFile.model_json_schema,
}


def run_schema(which: str) -> int:
    """Print one JSON Schema."""
    if which not in _SCHEMAS:
        fail(f"there is no schema `{which}`", hint=f"one of {', '.join(_SCHEMAS)}")
        return EXIT_USAGE
    print_json(_SCHEMAS[which]())
    return EXIT_OK
