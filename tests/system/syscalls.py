"""Reads what strace saw: which system calls began and ended in which order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = "pwrite64,write,writev,pwritev,fdatasync,fsync,sendto,sendmsg,sendmmsg"
COMMAND = ("strace", "-f", "-yy", "-s", "65536", "-e", f"trace={CALLS}", "-e", "signal=none", "-o")

_WHOLE = re.compile(
    r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)\) += (?P<result>-?\d+).*", re.DOTALL
)
_BEGUN = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*) <unfinished \.\.\.>", re.DOTALL)
_ENDED = re.compile(
    r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)\) += (?P<result>-?\d+).*"
)


@dataclass(slots=True)
class Call:
    """One system call: its text, and the lines at which it began and ended."""

    name: str
    text: str
    began: int
    ended: int = -1
    result: int = -1


def calls_in(trace: Path) -> list[Call]:
    """Return the calls of a trace in the order in which they began."""
    found = list[Call]()
    open_calls = dict[str, Call]()
    for number, line in enumerate(_lines(trace)):
        if match := _ENDED.fullmatch(line):
            call = open_calls.pop(match["pid"])
            call.text += match["rest"]
            call.ended, call.result = number, int(match["result"])
        elif match := _WHOLE.fullmatch(line):
            found.append(
                Call(
                    match["name"], match["rest"], number, ended=number, result=int(match["result"])
                )
            )
        elif match := _BEGUN.fullmatch(line):
            open_calls[match["pid"]] = call = Call(match["name"], match["rest"], number)
            found.append(call)
    return found


def _lines(trace: Path) -> Iterator[str]:
    with trace.open(encoding="latin-1") as file:
        for line in file:
            yield line.rstrip("\n")
