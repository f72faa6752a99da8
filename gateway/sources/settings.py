"""Reads the settings: the file, the variables over it, and every mistake of both at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
from pydantic import ValidationError

from gateway.config.environment import PREFIX, SECRET_VARIABLES, VARIABLES, Variable
from gateway.config.settings import Admin, Listen, Settings
from gateway.core.catalog.model import Provider
from gateway.errors import ConfigError, Finding, FindingsError
from gateway.sources.yaml_file import Document, Loc, closest, read_yaml, validation_findings
from gateway.sources.yaml_nodes import Node, Place

_FILE_BYTES: Final = 1 << 20


def load_settings_file(
    path: Path, environ: Mapping[str, str], *, providers: Mapping[str, Provider] | None = None
) -> Settings:
    """Read `gateway.yaml` and the variables that win over it.

    Args:
        path: the file; relative paths in it count from its directory.
        environ: the environment, also for `env:` references.
        providers: the catalogue's names, to hold upstreams to; None leaves them unchecked.

    Raises:
        ConfigError: any mistake; every one is listed.
    """
    try:
        document = read_yaml(path, max_bytes=_FILE_BYTES)
    except FindingsError as error:
        raise ConfigError(error.findings) from None
    names = [name for name in VARIABLES if name in environ]
    document = _lay_over(document, [(VARIABLES[name], environ[name]) for name in names])
    findings = [*_misspelt(document.value, environ), *_conflicts(document)]
    if providers is not None:
        findings += _unknown_providers(document, providers)
    context = {"environ": environ, "base": path.absolute().parent}
    try:
        settings = Settings.model_validate(document.value, context=context)
    except ValidationError as error:
        findings += validation_findings(error, document, model=Settings)
        raise ConfigError(_placed(findings, names)) from None
    if findings:
        raise ConfigError(_placed(findings, names))
    return settings


def _placed(findings: list[Finding], names: list[str]) -> tuple[Finding, ...]:
    """Name the variable instead of the file where the mistake stands in one."""
    return tuple(
        replace(finding, path=names[finding.column - 1], column=0)
        if finding.line == 0 < finding.column
        else finding
        for finding in sorted(set(findings))
    )


def _lay_over(document: Document, variables: list[tuple[Variable, str]]) -> Document:
    """Put the variables' values into the document.

    No line of the file is 0, so line 0 with the variable's number, from 1, as its column marks
    what came from a variable.
    """
    root = document.root
    if root.value is None and variables:
        root = msgspec.structs.replace(root, value={})
    for number, (variable, text) in enumerate(variables, start=1):
        root = _with(root, variable.loc, _node(_value(variable, text), (0, number)))
    return replace(document, value=root.value, root=root)


def _value(variable: Variable, text: str) -> object:
    if not text:
        return None
    if variable.text:
        return text
    try:
        value: object = json.loads(text)  # noqa: TID251 - the operator's own, a number or a list
    except ValueError:
        return text  # the model says what should stand there
    return value


def _node(value: object, place: Place) -> Node:
    """Make a node of which every part has the same place."""
    children: dict[str | int, Node] = {}
    if isinstance(value, dict):
        children = {key: _node(below, place) for key, below in value.items()}
    elif isinstance(value, list):
        children = {index: _node(below, place) for index, below in enumerate(value)}
    keys = dict.fromkeys((key for key in children if isinstance(key, str)), place)
    return Node(value=value, place=place, keys=keys, children=children)


def _with(node: Node, loc: tuple[str, ...], leaf: Node) -> Node:
    """Return the node with the leaf at `loc`; the same node where that is below no mapping."""
    if not loc:
        return leaf
    if not isinstance(node.value, dict):
        return node
    key, empty = loc[0], _node({}, leaf.place)
    below = node.children.get(key, empty)
    child = _with(empty if below.value is None else below, loc[1:], leaf)
    return msgspec.structs.replace(
        node,
        value={**node.value, key: child.value},
        keys={**node.keys, key: node.keys.get(key, child.place)},
        children={**node.children, key: child},
    )


def _misspelt(value: object, environ: Mapping[str, str]) -> Iterator[Finding]:
    # Find variables with our prefix that are no setting and that nothing refers to.
    known = {*VARIABLES, *SECRET_VARIABLES, *_references(value)}
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            hint = closest(name, VARIABLES) or "lists and maps are JSON, `__` stands between levels"
            yield Finding(path=name, line=0, column=0, message="is not a setting", hint=hint)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("env:"):
        yield value.removeprefix("env:")
    elif isinstance(value, dict):
        for below in value.values():
            yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            yield from _references(below)


def _conflicts(document: Document) -> Iterator[Finding]:
    # Find what each key alone cannot tell, also where other keys are wrong.
    listen = _at(document.value, "listen", "port") or Listen().port
    admin = _at(document.value, "admin", "port") or Admin().port
    if listen == admin:
        hint = "the admin listener has a port of its own"
        yield document.finding(
            ("admin", "port"), f"`admin.port`: {admin} is `listen.port` too", hint
        )
    unique: tuple[tuple[tuple[str, ...], str], ...] = (
        (("upstreams",), "name"),
        (("identity", "issuers"), "issuer"),
    )
    for loc, key in unique:
        yield from _repeated(document, loc, key)
    yield from _repeated_hosts(document)


def _unknown_providers(document: Document, providers: Mapping[str, Provider]) -> Iterator[Finding]:
    # Find upstreams that no catalogue describes, or that cannot be spoken to as configured.
    entries = _at(document.value, "upstreams")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = _at(entry, "provider")
        if not isinstance(name, str):
            continue
        if name in providers:
            yield from _unfit_credential(document, index, _at(entry, "credential"), providers[name])
        else:
            loc = ("upstreams", index, "provider")
            yield document.finding(
                loc,
                f"`{document.name(loc)}`: `{name}` is in no catalogue",
                "`facegate catalog list` names the providers",
            )


def _unfit_credential(
    document: Document, index: int, credential: object, provider: Provider
) -> Iterator[Finding]:
    # `none` fits everywhere: a proxy behind the gateway may add the credential.
    kinds = set(credential) if isinstance(credential, dict) else set()
    unfit = sorted(kinds - {*provider.signers, "none"})
    if unfit:
        loc = ("upstreams", index, "credential", unfit[0])
        known = ", ".join(f"`{signer}`" for signer in provider.signers)
        yield document.finding(
            loc,
            f"`{document.name(loc)}`: `{provider.name}` does not know its callers in this way",
            f"it knows them by {known}" if known else "its requests can be judged, not forwarded",
        )
        return
    for kind, names in (
        ("query", provider.credential_parameters),
        ("form", provider.credential_fields),
    ):
        given = credential.get(kind) if isinstance(credential, dict) else None
        for name in given if isinstance(given, dict) else ():
            if name not in names:
                loc = ("upstreams", index, "credential", kind)
                yield document.finding(
                    loc,
                    f"`{document.name(loc)}`: `{provider.name}` looks for no key in `{name}`",
                    f"it looks in {', '.join(f'`{each}`' for each in sorted(names))}",
                )


def _repeated_hosts(document: Document) -> Iterator[Finding]:
    # Find hosts that would select two upstreams, or one twice, by the same path prefix.
    seen = set[tuple[str, str]]()
    entries = _at(document.value, "upstreams")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        hosts, prefix = _at(entry, "hosts"), str(_at(entry, "path_prefix") or "")
        for number, host in enumerate(hosts if isinstance(hosts, list) else []):
            if not isinstance(host, str):
                continue
            if (host, prefix) in seen:
                place: Loc = ("upstreams", index, "hosts", number)
                message = f"`{document.name(place)}`: `{host}` stands more than once"
                hint = "upstreams on one host are told apart by `path_prefix`"
                yield document.finding(place, message, hint)
            seen.add((host, prefix))


def _repeated(document: Document, loc: tuple[str, ...], key: str) -> Iterator[Finding]:
    # Find texts that stand under a key of more than one entry of a list, or twice in one.
    places = defaultdict[str, list[Loc]](list)
    entries = _at(document.value, *loc)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        given = _at(entry, key)
        if isinstance(given, str):
            places[given].append((*loc, index, key))
        for number, text in enumerate(given if isinstance(given, list) else []):
            if isinstance(text, str):
                places[text].append((*loc, index, key, number))
    for text, found in places.items():
        for place in found[1:]:
            yield document.finding(
                place, f"`{document.name(place)}`: `{text}` stands more than once"
            )


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
