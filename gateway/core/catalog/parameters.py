"""The query parameters and form fields that the catalogue reads, each in one reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.core.strict_json import JsonValue, Refused


def decisive(
    pairs: Iterable[tuple[str, JsonValue]], names: Mapping[str, str], *, ignore_case: bool = False
) -> Mapping[str, str] | Refused:
    """Pick the parameters that decide; the rest is none of the catalogue's business.

    Args:
        pairs: decoded names and values, in order.
        names: the catalogue's spellings, by themselves without case.
        ignore_case: whether the provider takes the names in any case.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        exact = names.get(name.casefold())
        if exact is None:
            continue
        if exact in found:
            return Refused("a parameter that decides stands more than once")
        if (name != exact and not ignore_case) or not isinstance(value, str):
            return Refused("a parameter that decides is in another spelling")
        found[exact] = value
    return found
