"""One row of a data file, compiled into the rule for one operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.catalog.model import Condition, Features, Place, Rule, Variant, Verdict
from gateway.core.catalog.places import parse_place
from gateway.core.catalog.rows import FeaturesRow, OperationRow, ProviderRow, VariantRow, When
from gateway.core.catalog.severity import most_restrictive
from gateway.core.operation import Access, OperationClass

_STORES = frozenset[OperationClass]({"gallery", "image_db"})


class MistakeError(ValueError):
    """What does not hold in one row; never leaves the compilation of a file."""


def compile_rule(
    row: OperationRow, provider: ProviderRow, *, variables: Sequence[str], body: str
) -> Rule:
    """Compile one row.

    Args:
        row: the operation.
        provider: the file it stands in.
        variables: names of the variable segments of its path template.
        body: name of the table of media types; empty where the indicator says.

    Raises:
        MistakeError: the row names something that the file does not have, or means nothing.
    """
    if body and body not in provider.bodies:
        raise MistakeError(f"no table of bodies `{body}`")
    if row.source and row.source not in provider.sources:
        raise MistakeError(f"no source `{row.source}`")
    base = _verdict(row.operation_class, row.access, row.subclass, ())
    variants = tuple(_variant(each, row, variables) for each in row.variants)
    features = _features(row, provider, variables)
    reachable = [base, *(each.verdict for each in variants)]
    reachable.extend(features.verdicts.values() if features else ())
    segments = [name for name in variables if name in provider.gallery_segments]
    return Rule(
        name=row.name,
        base=base,
        variants=variants,
        features=features,
        worst=most_restrictive(each.operation_class for each in reachable),
        gallery=tuple(
            _place(text, variables)
            for text in (*(f"path:{segment}" for segment in segments), *row.gallery)
        ),
        destinations=tuple((kind, _place(text, variables)) for kind, text in row.to.items()),
        contents=provider.bodies.get(body, {}),
    )


def _verdict(
    operation_class: OperationClass, access: Access, subclass: str, said: tuple[str, ...]
) -> Verdict:
    if (access != "none") != (operation_class in _STORES):
        raise MistakeError(
            f"class `{operation_class}` with access `{access}`: galleries and image databases have "
            "one, other classes have none"
        )
    return Verdict(operation_class, access, subclass, said)


def _variant(variant: VariantRow, row: OperationRow, variables: Sequence[str]) -> Variant:
    conditions = tuple(_conditions(variant.when, variables))
    if not conditions:
        raise MistakeError(f"variant `{variant.operation_class}` has no condition")
    inherited = row.access if variant.operation_class in _STORES else "none"
    verdict = _verdict(
        variant.operation_class,
        inherited if variant.access is None else variant.access,
        row.subclass if variant.subclass is None else variant.subclass,
        tuple(_words(variant.when)),
    )
    return Variant(conditions, verdict)


def _conditions(when: When, variables: Sequence[str]) -> Iterator[Condition]:
    for text in when.present:
        yield Condition(_place(text, variables), "present")
    for text in when.absent:
        yield Condition(_place(text, variables), "absent")
    for text in when.single:
        yield Condition(_place(text, variables), "single")
    for text in when.several:
        yield Condition(_place(text, variables), "several")
    for text, values in when.equals.items():
        yield Condition(_place(text, variables), "is", frozenset(values))
    for text, values in when.differs.items():
        yield Condition(_place(text, variables), "is_not", frozenset(values))


def _words(when: When) -> Iterator[str]:
    yield from (f"{text} is present" for text in when.present)
    yield from (f"{text} is absent" for text in when.absent)
    yield from (f"{text} has one value" for text in when.single)
    yield from (f"{text} has several values" for text in when.several)
    yield from (f"{text} is {' or '.join(values)}" for text, values in when.equals.items())
    yield from (f"{text} is not {' or '.join(values)}" for text, values in when.differs.items())


def _features(
    row: OperationRow, provider: ProviderRow, variables: Sequence[str]
) -> Features | None:
    if not row.features:
        return None
    features = provider.features.get(row.features)
    if features is None:
        raise MistakeError(f"no enumeration `{row.features}`")
    return Features(_place(features.at, variables), dict(_members(features)))


def _members(features: FeaturesRow) -> Iterator[tuple[str, Verdict]]:
    for member in features.values:
        said = (f"feature {member.name}",)
        verdict = _verdict(member.operation_class, "none", member.subclass, said)
        yield member.name, verdict
        if member.number is not None:
            yield str(member.number), verdict


def _place(text: str, variables: Sequence[str]) -> Place:
    place = parse_place(text, variables)
    if place is None:
        raise MistakeError(f"`{text}` is no place: body:…, query:…, path:… or observed:…")
    return place
