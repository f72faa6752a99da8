"""Mutants of what compiles and judges policy: each changes one place in one function.

A mutant is found out where the oracle disagrees with it, where it falls or hangs, or where a test
of its module fails. It lives in a forked process: the code of the function is replaced there, so
that everybody who imported it runs the mutant.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from random import Random
from types import CodeType, FunctionType
from typing import Final, NamedTuple

import pytest

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Operator, Pack
from tests.core.policy import oracle
from tests.core.policy.drawn import Requests, draw_operator, draw_packs

HERE: Final = Path(__file__).parent
# What is mutated, and the tests beside the oracle that answer for it.
MODULES: Final = {
    "gateway.core.policy.attributes": ("test_laws.py", "test_evaluate.py"),
    "gateway.core.policy.compile": ("test_compile.py", "test_operator.py"),
    "gateway.core.policy.evaluate": ("test_laws.py", "test_evaluate.py"),
    "gateway.core.policy.link_rules": ("test_link.py", "test_operator.py"),
    "gateway.core.policy.model": ("test_operator.py", "test_evaluate.py"),
    "gateway.core.policy.references": ("test_references.py",),
}
# What comes before the values that the oracle judges by.
READING: Final = "gateway.core.policy.link_rules"
FEW, MANY, REQUESTS = 150, 1_500, 10
# Mutants that change nothing that anybody could see, and why.
_UNLOADED: Final = "where anything has a finding nothing is loaded, so what is made of it is unseen"
EQUIVALENT: Final[dict[str, str]] = {
    "evaluate.evaluate: `hits & table.special` to `hits | table.special`": (
        "combining that asks what is on file answers the same where nothing is asked; it takes"
        " longer"
    ),
    "link_rules.RuleReader.rule: `len(self.findings) > before or conditions is None` to"
    " `len(self.findings) > before and conditions is None`": _UNLOADED,
    "link_rules.RuleReader.conditions: `len(self.findings) > before or len(sound) <"
    " len(conditions)` to `len(self.findings) > before and len(sound) <"
    " len(conditions)`": _UNLOADED,
}
HANGS_S: Final = 60
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
_CALLS: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}


class Mutant(NamedTuple):
    """One change: in which function, what stood there, what stands there now, and the code."""

    module: str
    function: str
    was: str
    now: str
    code: CodeType

    def __str__(self) -> str:
        name = self.module.rpartition(".")[2]
        return f"{name}.{self.function}: `{self.was}` to `{self.now}`"


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, function by function."""
    text = inspect.getsource(importlib.import_module(module))
    for name, function in _functions(ast.parse(text)):
        for place, node in enumerate(_walk(function)):
            for choice, changed in enumerate(_changes(node)):
                was, now = _line(node), _line(changed)
                yield Mutant(module, name, was, now, _code(text, name, place, choice))


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def _walk(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield every node of what a function does; types do nothing, and `strict` only guards."""
    idle = set[ast.AST]()
    for statement in function.body:
        for node in ast.walk(statement):
            match node:
                case ast.AnnAssign(annotation=annotation):
                    idle.update(ast.walk(annotation))
                case ast.keyword(arg="strict", value=value):
                    idle.add(value)
                case _:
                    pass
            if node not in idle:
                yield node


def _changes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 - a table
    """Yield what may stand in the place of a node."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=others) if type(op) in _COMPARISONS:
            yield ast.Compare(left, [_COMPARISONS[type(op)]()], others)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            yield ast.BinOp(left, _OPERATORS[type(op)](), right)
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _OPERATORS:
            yield ast.AugAssign(target, _OPERATORS[type(op)](), value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _CALLS:
            yield ast.Call(ast.Name(_CALLS[name], ast.Load()), args, keywords)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))


def _line(node: ast.AST) -> str:
    first, *_ = ast.unparse(ast.fix_missing_locations(node)).splitlines()
    return first


def _code(text: str, name: str, place: int, choice: int) -> CodeType:
    """Return the code of a function with one place in it changed."""
    tree = ast.parse(text)
    function = dict(_functions(tree))[name]
    target = list(_walk(function))[place]

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is target:
                return ast.copy_location(list(_changes(node))[choice], node)
            self.generic_visit(node)
            return node

    Replace().visit(tree)
    code: CodeType = compile(ast.fix_missing_locations(tree), "mutant", "exec", dont_inherit=True)
    for step in name.split("."):
        inner = (one for one in code.co_consts if isinstance(one, CodeType))
        code = next(one for one in inner if one.co_name == step)
    return code


def _original(mutant: Mutant) -> FunctionType:
    found: object = importlib.import_module(mutant.module)
    for step in mutant.function.split("."):
        found = vars(found)[step]
    function = found.fget if isinstance(found, property) else found
    if not isinstance(function, FunctionType):
        raise TypeError(f"{mutant} is no function")
    return function


class Expected(NamedTuple):
    """A policy, requests, and what the oracle decides on them."""

    packs: list[Pack]
    operator: Operator
    decisions: list[tuple[Facts, Decision]]


@cache
def expected(policies: int) -> tuple[Expected, ...]:
    random = Random(policies)  # noqa: S311 - the same ones each time
    found = list[Expected]()
    for _ in range(policies):
        packs = draw_packs(random)
        operator, drawing = draw_operator(random, packs), Requests(random, packs)
        requests = [drawing.draw() for _ in range(REQUESTS)]
        judged = [(facts, oracle.judge(packs, facts, operator)) for facts in requests]
        found.append(Expected(packs, operator, judged))
    return tuple(found)


def agrees(policies: int) -> bool:
    """Tell whether the engine, as it is now, decides as the oracle does."""
    for one in expected(policies):
        compiled = compile_policies(one.packs, operator=one.operator)
        if any(evaluate(compiled, facts) != decision for facts, decision in one.decisions):
            return False
    return True


def found_by(mutant: Mutant) -> str:
    """Return what finds a mutant out: `oracle`, `tests`, or empty where nothing does."""
    judges = mutant.module != READING
    if judges and (seen_by_oracle(mutant, FEW) or seen_by_oracle(mutant, MANY)):
        return "oracle"
    return "" if _survives(mutant, partial(_passes, _tests_of(mutant.module))) else "tests"


def seen_by_oracle(mutant: Mutant, policies: int = FEW) -> bool:
    """Tell whether the oracle disagrees with a mutant on requests under so many policies."""
    expected(policies)  # before the process is forked
    return not _survives(mutant, partial(agrees, policies))


def main() -> int:
    """Try every mutant and print the report; 1 where one survives that is not `EQUIVALENT`."""
    left = 0
    for module in MODULES:
        if not _survives(_unchanged(module), partial(_passes, _tests_of(module))):
            sys.stdout.write(f"{module}: its tests fail without any change\n")
            return 1
        found, functions = Counter[str](), set[str]()
        for mutant in mutants(module):
            by = found_by(mutant) or ("equivalent" if str(mutant) in EQUIVALENT else "nothing")
            found[by] += 1
            functions.add(mutant.function)
            if by == "nothing":
                sys.stdout.write(f"  not found out: {mutant}\n")
        left += found["nothing"]
        told = ", ".join(f"{count} by {by}" for by, count in found.most_common())
        total = f"{found.total()} changes in {len(functions)} functions"
        sys.stdout.write(f"{module}: {total}: {told}\n")
        sys.stdout.flush()
    return int(left > 0)


def _tests_of(module: str) -> list[str]:
    return [str(HERE / name) for name in MODULES[module]]


def _unchanged(module: str) -> Mutant:
    """Return a mutant that changes nothing."""
    mutant = next(mutants(module))
    return mutant._replace(was="", now="", code=_original(mutant).__code__)


def _passes(files: Sequence[str]) -> bool:
    # Modules that are imported already cannot be rewritten for asserts.
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", *files]) == 0


def _survives(mutant: Mutant, check: Callable[[], bool]) -> bool:
    """Check in a process in which the mutant stands; one that falls or hangs did not survive."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0
    code = 1
    try:
        signal.alarm(HANGS_S)
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        _original(mutant).__code__ = mutant.code
        code = 0 if check() else 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
