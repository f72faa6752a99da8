"""Reads the project's Markdown: fenced blocks, tables under a heading, headings, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        language: first word after the fence.
        name: the rest of that line: a file, or what the block is.
        text: what stands in it.
        line: where its text begins.
    """

    language: str
    name: str
    text: str
    line: int


def documents() -> list[Path]:
    """Return the README and the long chapters."""
    return [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "deploy").rglob("*.md"))]


def blocks(path: Path = README) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    document = path.read_text()
    found = []
    for fence in _FENCE.finditer(document):
        language, _, name = fence["info"].strip().partition(" ")
        line = document.count("\n", 0, fence.start("text")) + 1
        found.append(Block(language=language, name=name, text=fence["text"], line=line))
    return found


def prose(path: Path = README) -> str:
    """Return a document without its fenced blocks."""
    return _FENCE.sub("", path.read_text())


def headings(path: Path = README) -> list[str]:
    """Return the headings of a document, in order."""
    return [title for _, title in _HEADING.findall(prose(path))]


def anchor(heading: str) -> str:
    """Return the anchor that a forge gives to a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.strip().replace(" ", "-")


def links(path: Path = README) -> list[str]:
    """Return the targets of a document's links and pictures."""
    return _LINK.findall(prose(path))


def codes(path: Path = README) -> list[str]:
    """Return everything that stands between single backticks."""
    return _CODE.findall(prose(path))


def chapter(title: str, path: Path = README) -> str:
    """Return what stands under a heading, up to the next one of the same level or above."""
    text = prose(path)
    start = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert start is not None, f"{path.name} has no chapter `{title}`"
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def table(title: str, path: Path = README) -> list[tuple[str, ...]]:
    """Return the rows of all tables in a chapter, cells as text, without their heads."""
    rows: list[tuple[str, ...]] = []
    in_body = False
    for line in chapter(title, path).splitlines():
        if not line.startswith("|"):
            in_body = False
        elif in_body:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            rows.append(tuple(cell.strip().replace("\\|", "|") for cell in cells))
        elif set(line) <= set("|-: "):
            in_body = True
    return rows


def keyed(title: str, path: Path = README) -> dict[str, tuple[str, ...]]:
    """Return those rows by their first cell, which is in backticks and stands once."""
    found: dict[str, tuple[str, ...]] = {}
    for key, *cells in table(title, path):
        name = key.strip("`")
        assert key == f"`{name}`", f"{title}: `{key}` is not in backticks"
        assert name not in found, f"{title}: `{name}` stands twice"
        found[name] = tuple(cells)
    return found
