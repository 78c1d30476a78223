"""The way of money: every file on it, and what must not be there, which is anything that is not exact."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parent.parent / "src" / "wattkeeper"
WAY = (
    *(f"charging/{noun}.py" for noun in ("meter", "reading", "metering/flow")),
    *("charging/money/**/*.py", "charging/cards/limits.py"),
    *(f"charging/statistics/{noun}.py" for noun in ("terms", "carbon", "rated", "peak", "savings")),
    *(f"operations/statistics/{noun}.py" for noun in ("terms", "findings", "weighing", "daytime")),
    *(f"store/{noun}.py" for noun in ("columns", "sessions/reading", "sessions/receipt", "cards/use")),
    *("store/money/**/*.py", "operations/money/**/*.py", "web/api/money/*.py", "web/operator/money/**/*.py"),
    *(
        "web/driver/money/pay.py",
        "ocpp/*/costs.py",
        "commands/money/bills.py",
        "commands/money/books.py",
        "commands/money/revenue.py",
    ),
    *("operations/money/tariffs/conditions.py", "operations/cards/bounds.py"),
    *("web/driver/money/amounts.py", "web/driver/money/tags.py"),
    "web/operator/tariffs/*.py",
)
"""From the reading of a meter to the amount on a page."""
DIVIDES = "exact.py"
"""Where alone things are divided: by functions that take decimals and fractions, which the type checker holds."""
DIVISION = "a division"
MODULES = {"math", "cmath", "statistics", "random", "numpy"}
NAMES = {"float", "complex", "total_seconds", "timestamp", "fsum"}


def faults() -> Iterator[str]:
    """Binary fractions on the way of money: a literal, a conversion, a module of them, a division of who knows what."""
    for pattern in WAY:
        for path in sorted(HOME.glob(pattern)):
            yield from faults_of(path)
        if not list(HOME.glob(pattern)):
            yield f"tests/floats.py: there is no {pattern}"


def faults_of(path: Path) -> Iterator[str]:
    """What one file has of them."""
    for node in ast.walk(ast.parse(path.read_text())):
        found = found_in(node)
        if found and not (found == DIVISION and path.name == DIVIDES):
            place = path.relative_to(HOME.parent.parent)
            yield f"{place}:{getattr(node, 'lineno', 0)}: {found} on the way of money; see charging/{DIVIDES}"


def found_in(node: ast.AST) -> str:
    """What a node has of them; empty: nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        return f"the literal {node.value}"
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        return DIVISION
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.UnaryOp):
        return "a negative power"
    names = [node.id] if isinstance(node, ast.Name) else [node.attr] if isinstance(node, ast.Attribute) else []
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return ", ".join(sorted((NAMES & set(names)) | {one for one in modules if one.partition(".")[0] in MODULES}))
