"""Path templates, grown into the tree that `gateway.core.catalog.paths` walks down.

In `/face/{version}/persons/{personId}`, `{version}` stands for the known spellings of the API
versions; `{id}:verb` is a custom verb after an id; another `{name}` is any one segment, and
`{name*}`, at the end, all that are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from gateway.core.catalog.model import Leaf, Node, Rule
from gateway.core.catalog.rows import OperationRow, RoutesRow
from gateway.core.catalog.rules import MistakeError

_ROUTE = re.compile(r"([A-Z]+(?:\|[A-Z]+)*|\*) (/\S*)")
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\*)?\}(?::([A-Za-z_]+))?")
_VERSION = "{version}"


class Segment(msgspec.Struct, frozen=True):
    """One part of a path template between slashes.

    Attributes:
        text: as it stands there.
        variable: the name of what it stands for; empty where it is fixed.
        rest: whether it stands for all that is left.
        verb: the custom verb behind it; empty where there is none.
    """

    text: str
    variable: str = ""
    rest: bool = False
    verb: str = ""


def _segment(text: str) -> Segment:
    match = _VARIABLE.fullmatch(text) if text[:1] == "{" else None
    return Segment(text, match[1], bool(match[2]), match[3] or "") if match else Segment(text)


class Template:
    """Methods and a path template, as a row says them.

    Attributes:
        methods: that the row names.
        path: the whole template.
        segments: its parts between slashes.
        variables: the names of those that are variable, in order.
    """

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
        self.segments = tuple([_segment(each) for each in path.split("/")[1:]])
        self.variables = tuple([each.variable for each in self.segments if each.variable])


class Branch:
    """A node while it grows; owned by the compilation of one file."""

    def __init__(self) -> None:
        """Start without anything below."""
        self.literals: dict[str, Branch] = {}
        self.verbs: dict[str, Branch] = {}
        self.variable: Branch | None = None
        self.leaves: dict[str, Leaf] = {}
        self.rests: dict[str, Leaf] = {}

    def step(self, segment: Segment, *, ignore_case: bool) -> Branch:
        """Return the branch for one segment of a template, grown if need be."""
        if segment.variable and not segment.verb:
            self.variable = self.variable or Branch()
            return self.variable
        name = segment.verb or segment.text
        name = name.lower() if ignore_case else name
        known = self.verbs if segment.verb else self.literals
        branch = known.get(name)
        if branch is None:
            branch = known[name] = Branch()
        return branch

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


def grow(root: Branch, template: Template, rule: Rule, *, ignore_case: bool) -> None:
    """Add a template to the tree.

    Raises:
        MistakeError: a template stands there already and nothing tells the two apart.
    """
    branch = root
    *segments, last = template.segments
    for segment in segments:
        branch = branch.step(segment, ignore_case=ignore_case)
    end = branch if last.rest else branch.step(last, ignore_case=ignore_case)
    leaves = branch.rests if end is branch else end.leaves
    variables = template.variables
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
