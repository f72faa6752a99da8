"""Path templates, grown into the tree that `gateway.core.catalog.paths` walks down.

In `/face/{version}/persons/{personId}`, `{version}` stands for the known spellings of the API
versions; `{id}:verb` is a custom verb after an id; another `{name}` is any one segment, and
`{name*}`, at the end, all that are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.catalog.model import Leaf, Node, Rule
from gateway.core.catalog.rows import OperationRow, RoutesRow
from gateway.core.catalog.rules import MistakeError

_ROUTE = re.compile(r"([A-Z]+(?:\|[A-Z]+)*|\*) (/\S*)")
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\*)?\}(?::([A-Za-z_]+))?")
_VERSION = "{version}"


class Template:
    """Methods and a path template, as a row says them."""

    def __init__(self, text: str) -> None:
        """Read `GET|POST /persons/{personId}`.

        Raises:
            MistakeError: it is no such text.
        """
        match = _ROUTE.fullmatch(text)
        if match is None:
            raise MistakeError(f"`{text}` is no method and path")
        methods: str = match[1]
        path: str = match[2]
        self.methods, self.path = tuple(methods.split("|")), path


class Branch:
    """A node while it grows; owned by the compilation of one file."""

    def __init__(self) -> None:
        """Start without anything below."""
        self.literals: dict[str, Branch] = {}
        self.verbs: dict[str, Branch] = {}
        self.variable: Branch | None = None
        self.leaves: dict[str, Leaf] = {}
        self.rests: dict[str, Leaf] = {}

    def step(self, segment: str, *, ignore_case: bool) -> Branch:
        """Return the branch for one segment of a template, grown if need be."""
        match = _VARIABLE.fullmatch(segment)
        if match is None:
            fixed = segment.lower() if ignore_case else segment
            return self.literals.setdefault(fixed, Branch())
        if match[3]:
            verb: str = match[3]
            verb = verb.lower() if ignore_case else verb
            return self.verbs.setdefault(verb, Branch())
        self.variable = self.variable or Branch()
        return self.variable

    def node(self) -> Node:
        """Return the grown tree from here on, as a value."""
        return Node(
            {name: branch.node() for name, branch in self.literals.items()},
            {name: branch.node() for name, branch in self.verbs.items()},
            self.variable.node() if self.variable else None,
            self.leaves,
            self.rests,
        )

    def has_verbs(self) -> bool:
        """Tell whether a segment has a custom verb, here or further down."""
        below = [*self.literals.values(), *self.verbs.values()]
        below.extend([self.variable] if self.variable else ())
        in_literals = any(":" in name for name in self.literals)
        return bool(self.verbs) or in_literals or any(branch.has_verbs() for branch in below)


def has_route(row: OperationRow) -> bool:
    """Tell whether a path names the operation."""
    return bool(row.route or row.also or row.hosts or _ROUTE.fullmatch(row.name))


def templates_of(row: OperationRow, routes: RoutesRow) -> tuple[Template, ...]:
    """Return all templates of a row, with prefix and API versions.

    A name that looks like a template is one, unless the row says others.

    Raises:
        MistakeError: one is no template, or its API versions are not known.
    """
    named = row.name if not (row.also or row.hosts) and _ROUTE.fullmatch(row.name) else ""
    text = row.route or named
    found = [Template(each) for each in row.also]
    if row.hosts and not text:
        found.append(Template("* /{rest*}"))
    elif text and row.hosts:
        found.append(Template(text))
    elif text:
        methods, _, path = text.partition(" ")
        found.extend(Template(f"{methods} {each}") for each in _spelled(routes, row, path))
    return tuple(found)


def variables_of(template: Template) -> tuple[str, ...]:
    """Return the names of a template's variable segments, in order."""
    matches = (_VARIABLE.fullmatch(segment) for segment in template.path.split("/"))
    return tuple(match[1] for match in matches if match)


def grow(root: Branch, template: Template, rule: Rule, *, ignore_case: bool) -> None:
    """Add a template to the tree.

    Raises:
        MistakeError: a template stands there already and nothing tells the two apart.
    """
    branch = root
    *segments, last = template.path.split("/")[1:]
    for segment in segments:
        branch = branch.step(segment, ignore_case=ignore_case)
    rest = _VARIABLE.fullmatch(last)
    end = branch if rest and rest[2] else branch.step(last, ignore_case=ignore_case)
    leaves = branch.rests if end is branch else end.leaves
    variables = variables_of(template)
    for method in template.methods:
        before = leaves.get(method)
        if before is None:
            leaves[method] = Leaf((rule,), variables)
            continue
        if before.variables != variables or not _fits(rule, before.rules):
            raise MistakeError(f"`{method} {template.path}` stands twice")
        leaves[method] = Leaf((*before.rules, rule), variables)


def _fits(rule: Rule, others: tuple[Rule, ...]) -> bool:
    """Tell whether an operation may have the path of others.

    All of them have to be read alike, and told apart by conditions or mean the same.
    """
    return all(
        other is not rule
        and other.contents == rule.contents
        and (bool(rule.when or other.when) or _meaning(other) == _meaning(rule))
        for other in others
    )


def _meaning(rule: Rule) -> object:
    return rule.base, rule.variants, rule.features


def _spelled(routes: RoutesRow, row: OperationRow, path: str) -> Iterator[str]:
    if _VERSION not in routes.prefix:
        yield routes.prefix + path
        return
    if row.versions not in routes.sets:
        raise MistakeError(f"no set of API versions `{row.versions}`")
    for version in routes.sets[row.versions]:
        for spelling in routes.versions.get(version, ()):
            yield routes.prefix.replace(_VERSION, spelling) + path
