"""One row of a data file, compiled into the rule for one operation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gateway.core.catalog.media import Form
from gateway.core.catalog.model import Condition, Features, Place, Rule, Test, Variant, Verdict
from gateway.core.catalog.places import parse_place
from gateway.core.catalog.rows import FeaturesRow, OperationRow, ProviderRow, VariantRow, When
from gateway.core.catalog.severity import RANK, most_restrictive
from gateway.core.operation import STORES, Access, OperationClass

# The media types in each of a file's tables of bodies, and how each is read.
Forms = Mapping[str, Mapping[str, Form]]


class MistakeError(ValueError):
    """What does not hold in one row; never leaves the compilation of a file."""


def compile_rule(
    row: OperationRow, provider: ProviderRow, forms: Forms, *, variables: Sequence[str], body: str
) -> Rule:
    """Compile one row.

    Args:
        row: the operation.
        provider: the file it stands in.
        forms: of that file's tables of bodies.
        variables: names of the variable segments of its path templates.
        body: name of the table of media types; empty where the indicator says.

    Raises:
        MistakeError: the row names something that the file does not have, or means nothing.
    """
    _check_names(row, provider, body)
    base = _verdict(row.operation_class, row.access, row.subclass, ())
    variants = tuple(_variant(each, row, variables) for each in row.variants)
    features = _features(row, provider, variables)
    reachable = [base, *(each.verdict for each in variants)]
    reachable.extend(features.verdicts.values() if features else ())
    segments = [name for name in provider.gallery_segments if name in variables]
    effect, processor = next(iter(row.processor.items()), (None, ""))
    return Rule(
        name=row.name,
        base=base,
        variants=variants,
        features=features,
        worst=most_restrictive(each.operation_class for each in reachable),
        when=tuple(_conditions(row.when, variables)) if row.when else (),
        gallery=tuple(
            tuple(_place(part, variables) for part in text.split("/"))
            for text in (*(f"path:{segment}" for segment in segments), *row.gallery)
        ),
        destinations=tuple((kind, _place(text, variables)) for kind, text in row.to.items()),
        candidates=_places(row.candidates, variables),
        faces=_place(row.faces, variables) if row.faces else None,
        probes=_places(row.probes, variables),
        processor=_place(processor, variables) if processor else None,
        effect=effect,
        contents=forms.get(body, {}),
        message=row.message,
    )


def _check_names(row: OperationRow, provider: ProviderRow, body: str) -> None:
    if body and body not in provider.bodies:
        raise MistakeError(f"no table of bodies `{body}`")
    if row.source and row.source not in provider.sources:
        raise MistakeError(f"no source `{row.source}`")
    if row.message and row.message not in provider.messages:
        raise MistakeError(f"no message `{row.message}`")
    if len(row.processor) > 1:
        raise MistakeError("a processor is declared, used or forgotten: one of them")


def _verdict(
    operation_class: OperationClass, access: Access, subclass: str, said: tuple[str, ...]
) -> Verdict:
    if (access != "none") != (operation_class in STORES):
        raise MistakeError(
            f"class `{operation_class}` with access `{access}`: galleries and image databases have "
            "one, other classes have none"
        )
    return Verdict(operation_class, access, subclass, said)


def _variant(variant: VariantRow, row: OperationRow, variables: Sequence[str]) -> Variant:
    conditions = tuple(_conditions(variant.when, variables))
    if not conditions:
        raise MistakeError(f"variant `{variant.operation_class}` has no condition")
    if variant.when.has and RANK[variant.operation_class] > RANK[row.operation_class]:
        raise MistakeError(
            f"variant `{variant.operation_class}`: `has` looks for what makes an operation more "
            "restrictive, in any case of letters; say `is` for what makes it less"
        )
    inherited = row.access if variant.operation_class in STORES else "none"
    verdict = _verdict(
        variant.operation_class,
        inherited if variant.access is None else variant.access,
        row.subclass if variant.subclass is None else variant.subclass,
        tuple(_words(variant.when)),
    )
    return Variant(conditions, verdict)


def _conditions(when: When, variables: Sequence[str]) -> Iterator[Condition]:
    counted: tuple[tuple[Test, tuple[str, ...]], ...] = (
        ("present", when.present),
        ("absent", when.absent),
        ("single", when.single),
        ("several", when.several),
    )
    compared: tuple[tuple[Test, Mapping[str, tuple[str, ...]]], ...] = (
        ("is", when.equals),
        ("is_not", when.differs),
        ("has", _folded(when.has)),
    )
    for test, texts in counted:
        yield from (Condition(_place(text, variables), test) for text in texts)
    for test, places in compared:
        for text, values in places.items():
            yield Condition(_place(text, variables), test, frozenset(values))
    for text, count in when.exceeds.items():
        yield Condition(_place(text, variables), "exceeds", count=count)
    for text, pattern in when.matches.items():
        _check_pattern(pattern)
        yield Condition(_place(text, variables), "matches", pattern=pattern)


def _folded(places: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return {text: tuple(value.casefold() for value in values) for text, values in places.items()}


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise MistakeError(f"`{pattern}` is no regular expression: {error}") from None


def _words(when: When) -> Iterator[str]:
    yield from (f"{text} is present" for text in when.present)
    yield from (f"{text} is absent" for text in when.absent)
    yield from (f"{text} has one value" for text in when.single)
    yield from (f"{text} has several values" for text in when.several)
    yield from (f"{text} is {' or '.join(values)}" for text, values in when.equals.items())
    yield from (f"{text} is not {' or '.join(values)}" for text, values in when.differs.items())
    yield from (f"{text} has {' or '.join(values)}" for text, values in when.has.items())
    yield from (f"{text} has more than {count} values" for text, count in when.exceeds.items())
    yield from (f"{text} is like {pattern}" for text, pattern in when.matches.items())


def _features(
    row: OperationRow, provider: ProviderRow, variables: Sequence[str]
) -> Features | None:
    if not row.features:
        return None
    features = provider.features.get(row.features)
    if features is None:
        raise MistakeError(f"no enumeration `{row.features}`")
    verdicts = dict(_members(features))
    return Features(_place(features.at, variables), verdicts, features.ignore_case)


def _members(features: FeaturesRow) -> Iterator[tuple[str, Verdict]]:
    for member in features.values:
        said = (f"feature {member.name}",)
        verdict = _verdict(member.operation_class, "none", member.subclass, said)
        yield member.name.casefold() if features.ignore_case else member.name, verdict
        if member.number is not None:
            yield str(member.number), verdict


def _places(texts: Sequence[str], variables: Sequence[str]) -> tuple[Place, ...]:
    return tuple(_place(text, variables) for text in texts)


def _place(text: str, variables: Sequence[str]) -> Place:
    place = parse_place(text, variables)
    if place is None:
        raise MistakeError(
            f"`{text}` is no place: body:…, query:…, parameter:…, header:…, path:… or observed:…"
        )
    return place
