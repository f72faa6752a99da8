"""Draws the README's picture: the demonstration's table as a terminal shows it.

`python -m tests.picture` runs the demonstration and renews deploy/demo.svg.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from xml.sax.saxutils import escape

from gateway.app.demo import Shown, demonstration
from gateway.demo.table import render

PICTURE = Path(__file__).parents[1] / "deploy/demo.svg"

_COLUMNS = 185
_CHARACTER, _LINE, _MARGIN = 7.2, 17, 18
_PLAIN = "#c9d1d9"
_COLOURS = {"32": "#7ee787", "33": "#f0b060", "35": "#d2a8ff", "31;1": "#ff7b72"}
_PAINTED = re.compile(r"\x1b\[([0-9;]+)m(.*)\x1b\[0m")


def screen(shown: Shown) -> str:
    """Return what `facegate demo` shows of its table on a terminal, with ANSI colours."""
    return "$ make demo\n" + render(shown.verdicts, colour=True, columns=_COLUMNS)


def draw(text: str) -> str:
    """Return an SVG picture of text with ANSI colours; it refers to nothing outside itself."""
    lines = text.splitlines()
    rows = [_row(line, _MARGIN + (number + 1) * _LINE) for number, line in enumerate(lines)]
    characters = max(len(_uncoloured(line)) for line in lines)
    width = round(2 * _MARGIN + characters * _CHARACTER)
    height = 2 * _MARGIN + len(lines) * _LINE
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-label="The table that facegate demo prints">'
    )
    ground = f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>'
    letters = (
        '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12"'
        ' style="white-space: pre" xml:space="preserve">'
    )
    return "\n".join([picture, ground, letters, *filter(None, rows), "</g>", "</svg>", ""])


def _row(line: str, y: int) -> str:
    painted = _PAINTED.fullmatch(line)
    colour = _COLOURS[painted[1]] if painted else _PLAIN
    text = _uncoloured(line)
    if not text:
        return ""
    # The length keeps columns in line whatever font there is.
    length = round(len(text) * _CHARACTER, 1)
    return (
        f'<text x="{_MARGIN}" y="{y}" fill="{colour}" textLength="{length}">{escape(text)}</text>'
    )


def _uncoloured(line: str) -> str:
    painted = _PAINTED.fullmatch(line)
    return painted[2] if painted else line


async def _renew() -> None:
    async with demonstration(0) as running:
        PICTURE.write_text(draw(screen(await running.show())))


if __name__ == "__main__":
    asyncio.run(_renew())
