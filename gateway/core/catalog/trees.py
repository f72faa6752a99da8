"""Path templates, grown into the tree that `gateway.core.catalog.paths` walks down.

In `/face/{version}/persons/{personId}`, `{version}` stands for the known spellings of the API
versions; `{id}:verb` is a custom verb after an id; another `{name}` is any one segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.catalog.model import Node, Rule
from gateway.core.catalog.rows import OperationRow, RoutesRow
from gateway.core.catalog.rules import MistakeError

_ROUTE = re.compile(r"([A-Z]+) (/\S*)")
_VARIABLE = re.compile(r"\{([A-Za-z_]+)\}(?::([A-Za-z_]+))?")
_VERSION = "{version}"


class Branch:
    """A node while it grows; owned by the compilation of one file."""

    def __init__(self) -> None:
        """Start without anything below."""
        self.literals: dict[str, Branch] = {}
        self.verbs: dict[str, Branch] = {}
        self.variable: Branch | None = None
        self.rules: dict[str, Rule] = {}

    def step(self, segment: str) -> Branch:
        """Return the branch for one segment of a template, grown if need be."""
        match = _VARIABLE.fullmatch(segment)
        if match is None:
            return self.literals.setdefault(segment, Branch())
        if match[2]:
            return self.verbs.setdefault(match[2], Branch())
        self.variable = self.variable or Branch()
        return self.variable

    def node(self) -> Node:
        """Return the grown tree from here on, as a value."""
        return Node(
            {name: branch.node() for name, branch in self.literals.items()},
            {name: branch.node() for name, branch in self.verbs.items()},
            self.variable.node() if self.variable else None,
            self.rules,
        )


def variables_of(row: OperationRow) -> tuple[str, ...]:
    """Return the names of a row's variable segments, in order."""
    _, template = _route_of(row)
    matches = (_VARIABLE.fullmatch(segment) for segment in template.split("/"))
    return tuple(match[1] for match in matches if match)


def has_route(row: OperationRow) -> bool:
    """Tell whether a path names the operation."""
    return _route_of(row) != ("", "")


def grow(
    root: Branch, row: OperationRow, rule: Rule, routes: RoutesRow, *, ignore_case: bool
) -> None:
    """Add a row's templates to the tree, one for each spelling of each API version.

    Raises:
        MistakeError: a template stands there already, or its API versions are not known.
    """
    method, template = _route_of(row)
    for path in _spelled(routes, row, template):
        branch = root
        for segment in path.split("/")[1:]:
            fixed = segment.lower() if ignore_case and not _VARIABLE.fullmatch(segment) else segment
            branch = branch.step(fixed)
        if method in branch.rules:
            raise MistakeError(f"`{method} {path}` stands twice")
        branch.rules[method] = rule


def _route_of(row: OperationRow) -> tuple[str, str]:
    match = _ROUTE.fullmatch(row.route or row.name)
    return (match[1], match[2]) if match else ("", "")


def _spelled(routes: RoutesRow, row: OperationRow, template: str) -> Iterator[str]:
    if _VERSION not in routes.prefix:
        yield routes.prefix + template
        return
    if row.versions not in routes.sets:
        raise MistakeError(f"no set of API versions `{row.versions}`")
    for version in routes.sets[row.versions]:
        for spelling in routes.versions.get(version, ()):
            yield routes.prefix.replace(_VERSION, spelling) + template
