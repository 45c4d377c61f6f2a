"""The operators: each breaks one place of a module, as people do who do not look closely."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SILENT = ("log.", "structlog.", "warnings.", "describe_", "meter.", "_record")
"""Calls whose loss nobody but a reader of logs, traces and metrics could notice."""
WIDE = {"Exception", "BaseException"}
SYMMETRIC = {"min", "max", "isinstance", "set", "sorted"}
"""Functions whose arguments have no order, or whose swapped ones every run would notice."""
LONGEST = 60


@dataclass(frozen=True)
class Mutant:
    """One change of one place. Offsets are bytes of the source; `file` is within `app/`, `code` the line as it was."""

    file: str
    line: int
    code: str
    start: int
    end: int
    old: str
    new: str
    operator: str

    @property
    def name(self) -> str:
        """What it is, without its line: the name stays when code above it changes."""
        return f"{self.file}: {self.operator}: {_short(self.old)} -> {_short(self.new)}"

    def applied(self, source: bytes) -> bytes:
        """Return the source with the change."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else f"{flat[:LONGEST]}…"


def mutants(file: str, source: bytes) -> list[Mutant]:
    """Return every mutant of a module that is still Python, in the order of the code."""
    tree = ast.parse(source)
    found = []
    for node, operator, new in _changes(tree):
        start, end = _offsets(source, node)
        code = source.splitlines()[node.lineno - 1].decode().strip()
        mutant = Mutant(file, node.lineno, code, start, end, source[start:end].decode(), new, operator)
        if mutant.new != mutant.old and _is_python(mutant.applied(source)):
            found.append(mutant)
    return found


Node = ast.expr | ast.stmt


def _changes(tree: ast.Module) -> Iterator[tuple[Node, str, str]]:
    passed_over = set(_not_code(tree))
    for node in ast.walk(tree):
        if id(node) in passed_over:
            continue
        if isinstance(node, ast.expr):
            yield from _of_expression(node)
        elif isinstance(node, ast.stmt):
            yield from _of_statement(node)
        elif isinstance(node, ast.ExceptHandler) and node.type and ast.unparse(node.type) not in WIDE:
            yield node.type, "widen an except", "Exception"


def _not_code(tree: ast.Module) -> Iterator[int]:
    """Yield the nodes that say nothing at run time, or only to people: annotations, docstrings, words of fields."""
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if isinstance(part := getattr(node, field, None), ast.AST):
                yield from map(id, ast.walk(part))
        if isinstance(node, ast.keyword) and node.arg in {"description", "summary", "title"}:
            yield from map(id, ast.walk(node.value))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield from map(id, ast.walk(node))


def _of_expression(node: ast.expr) -> Iterator[tuple[Node, str, str]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        other = deepcopy(node)
        other.ops = [SWAPPED[type(node.ops[0])]()]
        yield node, "another comparison", ast.unparse(other)
    elif isinstance(node, ast.BoolOp):
        other_op = deepcopy(node)
        other_op.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield node, "and for or", f"({ast.unparse(other_op)})"
    elif isinstance(node, ast.IfExp):
        yield node.test, "negate", f"not ({ast.unparse(node.test)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, "true for false", str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield node, "off by one", repr(node.value + 1)
    elif isinstance(node, ast.Call):
        yield from _swapped_arguments(node)


def _swapped_arguments(node: ast.Call) -> Iterator[tuple[Node, str, str]]:
    """Swap what two neighbours are given, where their names say that they are of one kind, as two URIs are."""
    if ast.unparse(node.func) in SYMMETRIC:
        return
    values: list[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
    for place in range(len(values) - 1):
        one, next_to_it = values[place], values[place + 1]
        if (kind := _kind(one)) and kind == _kind(next_to_it) and ast.unparse(one) != ast.unparse(next_to_it):
            other = deepcopy(node)
            its: list[ast.expr] = [*other.args, *(keyword.value for keyword in other.keywords)]
            its[place], its[place + 1] = its[place + 1], its[place]
            other.args = its[: len(node.args)]
            for keyword, value in zip(other.keywords, its[len(node.args) :], strict=True):
                keyword.value = value
            yield node, "swap names", ast.unparse(other)


def _kind(value: ast.expr) -> str | None:
    """Return the last word of a name: `flux_uri` and `image.uri` are URIs."""
    if isinstance(value, ast.Name | ast.Attribute):
        return (value.id if isinstance(value, ast.Name) else value.attr).rpartition("_")[2]
    return None


def _of_statement(node: ast.stmt) -> Iterator[tuple[Node, str, str]]:
    if isinstance(node, ast.If | ast.While):
        yield node.test, "negate", f"not ({ast.unparse(node.test)})"
    if isinstance(node, ast.Raise | ast.AugAssign) or (isinstance(node, ast.Expr) and _acts(node.value)):
        yield node, "drop a statement", "pass"


def _acts(value: ast.expr) -> bool:
    call = value.value if isinstance(value, ast.Await) else value
    return isinstance(call, ast.Call) and not ast.unparse(call.func).startswith(SILENT)


def _offsets(source: bytes, node: Node) -> tuple[int, int]:
    lines = source.splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    return start, sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset


def _is_python(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
