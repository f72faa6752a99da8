"""The rules of the house that no linter knows: what is documented, how large, and in what words."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import get_args

import pytest

from gateway import __version__
from gateway.audit.record import Effect, GapReason, Line
from gateway.core.operation import OPERATION_CLASSES, governed
from gateway.core.policy.attributes import ATTRIBUTES, CLOSED, PLACELESS
from tests import tables
from tests.documents import ROOT, keyed, table

AUDIT_LOG = ROOT / "deploy/audit-log.md"
PRODUCT = sorted(ROOT.glob("gateway/**/*.py"))

MEDIAN_LINES = 160
FILE_LINES = 420
FUNCTION_LINES = 60
# What may be longer, and why.
LONG_FUNCTIONS: dict[str, str] = {
    "gateway/core/decision.py:_reasons": "a table",
    "gateway/metrics.py:__init__": "a table",
}
# Pieces, so that this file does not find itself.
UNFINISHED = re.compile(
    r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b"
)
ELSEWHERE = re.compile(
    "|".join(
        [
            "/wo" + "rk/",
            "/r" + "oot/",
            "/home/[a-z]",
            r"pypi\." + "org",
            r"python" + r"hosted\.",
            r"(?:registry|index)\.[a-z-]+\.(?:org|com|io)",
        ]
    )
)


def assert_says(title: str, expected: tables.Rows) -> None:
    """Hold a table of the README to the code; `python -m tests.tables` writes what is missing."""
    said = {key: cells[: len(expected.get(key, cells))] for key, cells in keyed(title).items()}
    missing = [tables.row(key, cells) for key, cells in expected.items() if said.get(key) != cells]
    assert not missing, f"README, {title}:\n" + "\n".join(missing)
    assert list(said) == list(expected), f"README, {title}: something else stands there"


def test_every_reason_is_in_the_readme_and_nothing_else_is() -> None:
    assert_says("Reasons", tables.reasons())


def test_every_metric_is_in_the_readme_and_nothing_else_is() -> None:
    assert_says("Metrics", tables.metrics())


def test_every_setting_is_in_the_readme_and_nothing_else_is() -> None:
    assert_says("Settings", tables.settings())
    unexplained = [key for key, cells in keyed("Settings").items() if not cells[-1].endswith(".")]
    assert not unexplained


def test_every_command_is_in_the_readme_and_nothing_else_is() -> None:
    commands = tables.commands()
    said = {cells[0].strip("`"): cells[1:] for cells in table("Commands")}
    admin = {key for key in said if key.startswith(("GET ", "POST "))}
    missing = [tables.row(key, cells) for key, cells in commands.items() if said.get(key) != cells]
    assert not missing, "README, Commands:\n" + "\n".join(missing)
    assert said.keys() - admin == commands.keys()


def test_every_request_of_the_admin_listener_is_in_the_readme() -> None:
    source = (ROOT / "gateway/console/admin.py").read_text()
    routes = {
        f"{method.upper()} {path}"
        for method, path in re.findall(r'add_(get|post)\("([^"]+)"', source)
    }
    assert keyed("The admin listener").keys() == routes


def test_every_provider_is_in_the_readme_and_nothing_else_is() -> None:
    assert_says("Providers", tables.providers())


def test_every_attribute_is_in_the_readme_with_its_members() -> None:
    said = keyed("What a rule may name")
    assert tuple(said) == ATTRIBUTES
    words = {name: set(re.findall(r"`([a-z0-9_]+)`", cells[0])) for name, cells in said.items()}
    for attribute, members in CLOSED.items():
        if attribute != "class":
            assert words[attribute] == set(members), attribute
    assert words["destination"] == set(PLACELESS)


def test_every_operation_class_is_in_the_readme() -> None:
    said = {name: cells[0] == "yes" for name, cells in keyed("Operation classes").items()}
    assert said == {name: governed(name, "none") for name in OPERATION_CLASSES}


def test_every_kind_of_record_is_described_with_its_fields() -> None:
    envelope = {"v", "origin", "seq", "engine", "time"}
    described = {
        kind: tuple(re.findall(r"`([a-z0-9_]+)`", cells[1]))
        for kind, cells in keyed("The kinds of line", AUDIT_LOG).items()
        if len(cells) == len(("what it says", "its own fields"))
    }
    assert described == {
        record.__struct_config__.tag: tuple(
            field for field in record.__struct_fields__ if field not in envelope
        )
        for record in get_args(Line)
    }


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("What became of a decision", get_args(Effect)),
        ("Why something may be missing", get_args(GapReason)),
    ],
)
def test_every_word_of_a_record_is_described(title: str, words: tuple[str, ...]) -> None:
    assert tuple(keyed(title, AUDIT_LOG)) == words


def test_files_are_small() -> None:
    lines = {name(path): path.read_text().count("\n") for path in PRODUCT}
    assert median(lines.values()) <= MEDIAN_LINES
    assert not [file for file, count in lines.items() if count > FILE_LINES]


def test_functions_are_small() -> None:
    found = {
        f"{name(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in PRODUCT
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    long = {function for function, lines in found.items() if lines > FUNCTION_LINES}
    assert long == LONG_FUNCTIONS.keys()


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(path) for path in PRODUCT if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


def test_every_package_has_a_place_to_say_it() -> None:
    directories = {path.parent for path in PRODUCT}
    assert not [name(path) for path in directories if not (path / "__init__.py").exists()]


def test_nothing_is_marked_as_unfinished() -> None:
    assert not list(found_in_texts(UNFINISHED))


def test_no_machine_and_no_registry_is_named() -> None:
    assert not list(found_in_texts(ELSEWHERE))


def test_the_changelog_speaks_of_this_version_to_each_reader() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    entry = re.search(
        rf"^## \[{re.escape(__version__)}\] - .+\n(?P<entry>(?:(?!^## ).*\n)+)", text, re.MULTILINE
    )
    assert entry is not None
    assert re.findall(r"^### (.+)$", entry["entry"], re.MULTILINE) == [
        "For operators",
        "For policy authors",
        "For auditors",
    ]


def found_in_texts(pattern: re.Pattern[str]) -> Iterator[str]:
    """Search every text file of the repository.

    Yields:
        File, line and what was found.
    """
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            for match in pattern.finditer(line):
                yield f"{name(path)}:{number}: {match[0]}"


def tracked() -> list[Path]:
    """Return the files that are, or would be, in the repository."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this is no git checkout, so nothing tells which files belong to it")
    paths = [ROOT / file for file in done.stdout.split("\0") if file]
    return [path for path in paths if path.is_file()]


def name(path: Path) -> str:
    """Return a path as it stands in the repository."""
    return path.relative_to(ROOT).as_posix()
