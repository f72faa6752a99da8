"""What decisions took of quotas and budgets, added up again from the records alone.

For the verifier, so nothing here is shared with what writes. A count that stands in a decision may
be higher than the sum of the records before it (what a crash left between a count and its durable
mark is lost to the caller), and never lower: then more was given out than is owned up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# What was taken: tenant, `reference` or `budget`, its id, and what tells one count of it from
# another: what is counted, and for a budget the period and when it began.
_Key = tuple[str, ...]
_Record = Mapping[str, object]
_Name = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One count that stands in a decision; `wrong` says what is, where it cannot be used."""

    name: _Name
    key: _Key = ()
    before: int = 0
    amount: int = 0
    exceeds: bool = False
    wrong: str = ""


class Takings:
    """The sums of one log, in the order of its lines."""

    def __init__(self) -> None:
        """Begin with nothing taken."""
        self._sums: dict[_Key, int] = {}
        self._open: dict[str, dict[_Name, tuple[_Key, int]]] = {}

    def decided(self, record: _Record) -> Iterator[str]:
        """Add up what a decision took.

        Yields:
            What is wrong with it.
        """
        decision = _mapping(record.get("decision"))
        permitted = decision.get("outcome") == "permit"
        used = _list(decision.get("discharged"))
        took: dict[_Name, tuple[_Key, int]] = {}
        for entry in _entries(record):
            kind, name = entry.name
            if entry.wrong:
                yield entry.wrong
                continue
            sum_before = self._sums.get(entry.key, 0)
            if entry.before < sum_before:
                yield f"{_told(entry)}, but {sum_before} were taken before"
            if permitted and (kind == "budget" or name in used):
                if kind == "reference" and entry.exceeds:
                    yield f"{_told(entry)}, and takes more than its quota"
                self._sums[entry.key] = sum_before + entry.amount
                took[entry.name] = (entry.key, entry.amount)
        if took:
            self._open[str(record.get("id"))] = took

    def happened(self, record: _Record) -> Iterator[str]:
        """Take back what a decision gave back.

        Yields:
            What is wrong with it.
        """
        took = self._open.pop(str(record.get("decided")), {})
        given = list(map(_mapping, _list(record.get("given_back"))))
        if given and record.get("sent") is not False:
            yield "gives back what was sent"
        for entry in given:
            kind, name = str(entry.get("of")), str(entry.get("id"))
            key, amount = took.pop((kind, name), ((), 0))
            if not key or entry.get("amount") != amount:
                yield f"gives back of {kind} `{_shown(name)}` what was not taken"
            else:
                self._sums[key] -= amount

    def lost(self, decided: object) -> None:
        """Keep what a decision took whose outcome nobody knows: it counts as spent."""
        self._open.pop(str(decided), None)


def _entries(record: _Record) -> Iterator[_Entry]:
    """Yield the counts that stand in the facts of a decision."""
    facts = _mapping(record.get("facts"))
    observed, tenant = _mapping(facts.get("observed")), _tenant(record)
    over = _list(observed.get("over"))
    for kind, entries in (("reference", "quotas"), ("budget", "budgets")):
        for entry in map(_mapping, _list(observed.get(entries))):
            name = str(entry.get(kind))
            before, amount, limit = (_count(entry, it) for it in ("used", "amount", "limit"))
            if before is None or amount is None or limit is None:
                wrong = f"does not say what was taken of {kind} `{_shown(name)}`"
                yield _Entry(name=(kind, name), wrong=wrong)
                continue
            exceeds = before + amount > limit
            if kind == "budget" and exceeds != (name in over):
                wrong = f"is wrong about whether budget `{_shown(name)}` is exceeded"
                yield _Entry(name=(kind, name), wrong=wrong)
                continue
            apart = (str(entry.get(it)) for it in ("counts", "per", "since"))
            yield _Entry(
                name=(kind, name),
                key=(tenant, kind, name, *apart),
                before=before,
                amount=amount,
                exceeds=exceeds,
            )


def _tenant(record: _Record) -> str:
    """Return whose counts stand in a decision.

    Where the caller's facts are erased nobody knows: its counts are held against no other decision,
    and only what it gives back itself is told.
    """
    identity = _mapping(_mapping(record.get("facts")).get("identity"))
    if identity.get("state") == "erased":
        return f"erased {record.get('id')}"
    return str(_mapping(identity.get("tenant")).get("id"))


def _told(entry: _Entry) -> str:
    kind, name = entry.name
    return f"counts {entry.before} of {kind} `{_shown(name)}`"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _count(entry: Mapping[str, object], field: str) -> int | None:
    value = entry.get(field)
    return value if type(value) is int and value >= 0 else None


def _shown(foreign: str) -> str:
    return ascii(foreign)[1:-1][:80]
