"""Policy files of a directory: found, read, linked and compiled, or every mistake in them.

`load_outcome` is the form for a child process: parsing YAML holds the interpreter, so a gateway
that serves does not do it itself.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.policy.cases import CaseResult, run_cases
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.link import Linked, link
from gateway.core.policy.model import Policies
from gateway.core.policy.parse import parse
from gateway.core.policy.source import Source
from gateway.errors import Finding, FindingsError, PolicyError
from gateway.sources.yaml_file import parse_yaml, read_text, validation_findings

_MAX_FILES: Final = 1_000
_MAX_BYTES: Final = 8 << 20
_MAX_DEPTH: Final = 16
_REMEMBERED_CHARACTERS: Final = 256 << 10
# What files said, by path and content: the loading process is warm, and a reload changes few files.
_READ: Final[dict[tuple[str, str], tuple[Source, tuple[Finding, ...]]]] = {}
_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What running the cases of a directory showed.

    Attributes:
        findings: mistakes in the files; where there are none: cases that came out otherwise, and
            rules that no case covers.
        results: of every case, in file order; empty where the files have mistakes.
        rules: how many rules there are.
        covered: how many of them matched in some case.
    """

    findings: tuple[Finding, ...]
    results: tuple[CaseResult, ...] = ()
    rules: int = 0
    covered: int = 0


def load_policies(directory: Path) -> Policies:
    """Load every policy file of a directory.

    Args:
        directory: with `*.yaml` and `*.yml` files at any depth; or one such file. Names that begin
            with a dot are passed over: a Kubernetes volume keeps its versions under `..data`.

    Raises:
        PolicyError: any file has a mistake, or the set as a whole has.
    """
    linked, findings = _link(directory)
    if findings:
        raise PolicyError(findings)
    return compile_policies(linked.packs)


def load_outcome(path: str) -> Policies | tuple[Finding, ...]:
    """Load a directory in another process: the policy, or the findings; no exception to carry."""
    try:
        return load_policies(Path(path))
    except PolicyError as error:
        return error.findings


def check_policies(path: Path) -> tuple[Finding, ...]:
    """Return every mistake in the policy files of a directory, sorted by place."""
    return _link(path)[1]


def test_policies(path: Path) -> CaseReport:
    """Run the cases of a directory; a rule that no case covers is a finding."""
    linked, findings = _link(path)
    if findings:
        return CaseReport(findings=findings)
    run = run_cases(linked.packs, linked.cases)
    rules = sum(len(pack.rules) for pack in linked.packs)
    return CaseReport(
        findings=tuple(sorted((*_failed(run.results), *_uncovered(linked, run.uncovered)))),
        results=run.results,
        rules=rules,
        covered=rules - len(run.uncovered),
    )


def _failed(results: tuple[CaseResult, ...]) -> list[Finding]:
    return [
        Finding(
            path=result.case.path,
            line=result.case.line,
            column=1,
            message=f"case `{result.case.name}`: {'; '.join(result.mismatches)}",
        )
        for result in results
        if result.mismatches
    ]


def _uncovered(linked: Linked, rules: tuple[str, ...]) -> list[Finding]:
    return [
        Finding(
            path=linked.places[rule].path,
            line=linked.places[rule].line,
            column=linked.places[rule].column,
            message=f"rule `{rule}`: no case matches it",
            hint="add a case in a file of kind Cases",
        )
        for rule in rules
    ]


def _link(path: Path) -> tuple[Linked, tuple[Finding, ...]]:
    """Read and link; the findings are all there are, sorted by place."""
    findings = list[Finding]()
    sources = list[Source]()
    unread = False
    for entry in _files(path):
        if isinstance(entry, Finding):
            findings.append(entry)
            unread = True
            continue
        try:
            source, mistakes = _read(entry)
        except FindingsError as error:
            findings.extend(error.findings)
            unread = True
            continue
        findings.extend(mistakes)
        sources.append(source)
    linked = link(sources, origin=str(path), complete=not unread)
    return linked, tuple(sorted({*findings, *linked.findings}))


def _read(path: Path) -> tuple[Source, tuple[Finding, ...]]:
    """Read one file, or recall what it said: most files of a directory stay as they are.

    Raises:
        FindingsError: it cannot be read as one YAML document.
    """
    text = read_text(path, max_bytes=_MAX_BYTES)
    key = (str(path), hashlib.sha256(text.encode()).hexdigest())
    known = _READ.get(key)
    if known is not None:
        return known
    document = parse_yaml(text, path=str(path))
    parsed = parse(document.value)
    findings: tuple[Finding, ...] = ()
    if parsed.error is not None:
        findings = validation_findings(parsed.error, document, model=parsed.model)
    known = Source(parsed=parsed, places=document), findings
    if len(_READ) >= _MAX_FILES or len(text) > _REMEMBERED_CHARACTERS:
        _READ.clear()
    if len(text) <= _REMEMBERED_CHARACTERS:
        _READ[key] = known
    return known


def _files(path: Path) -> Iterator[Path | Finding]:
    """Yield policy files sorted by path, and findings on what cannot be taken for one.

    Yields:
        At most a thousand files; whatever is passed over but might have been meant is a finding.
    """
    count = 0
    for entry in _below(path, depth=0):
        if isinstance(entry, Path):
            count += 1
            if count > _MAX_FILES:
                yield _whole(path, f"more than {_MAX_FILES} policy files")
                return
        yield entry


def _below(path: Path, *, depth: int) -> Iterator[Path | Finding]:
    try:
        mode = path.stat().st_mode
        linked = depth > 1 and path.is_symlink()
        entries = sorted(path.iterdir()) if stat.S_ISDIR(mode) and not linked else []
    except OSError as error:
        yield _whole(path, f"cannot be read: {(error.strerror or 'unknown error').lower()}")
        return
    if stat.S_ISDIR(mode):
        if linked:
            hint = "links to directories are followed at the top level only"
            yield _whole(path, "is a link to a directory", hint)
        elif entries and depth == _MAX_DEPTH:
            yield _whole(path, f"directories are nested deeper than {_MAX_DEPTH} levels")
            return
        for entry in entries:
            if not entry.name.startswith("."):
                yield from _below(entry, depth=depth + 1)
    elif depth == 0 or path.suffix.lower() in _SUFFIXES:
        yield path if stat.S_ISREG(mode) else _whole(path, "is not a regular file")


def _whole(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(path=str(path), line=0, column=0, message=message, hint=hint)
