"""The house rules that no linter knows: sizes, words, a line for every public name. ``python -m tests.house``."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests import floats

ROOT = Path(__file__).parent.parent
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONG = 35
NO_ROOMS = {"utils", "common", "core", "helpers", "managers", "services", "models"}
NO_NAMES = ("Manager", "Handler", "Service", "Helper", "Impl", "Base")

ATTACKS = (
    "c1 c3 c4 c5 c6 c7 c8 c10 c11 c13 c14 c16 c17 c18 c19 c21 c22 "
    "d1 d3 d4 d6 d7 d8 d9 d10 e1 e3 e4 e5 e6 e7 e8 e10 e11 e12 e13 e14 e15 e18 e19 e20 e22 e23 e24"
)
"""What is tried on money (C), cards (D), accounts, pages and the API (E): each by tests that are named after it."""

RIGHTS_AND_PROOF = "g1 g2 g4 g5 g6 g7 g8 g10 g11 g13 g14 g15 g16 h1 h3 h4 h5 h8 h9 h10 h11"
"""What is tried on people's privacy (G), on the log, the keys and what all is made of (H): likewise."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    """Every Python file of the product; migrations are lists, not deeds."""
    return sorted(path for path in (ROOT / "src").rglob("*.py") if "migrations" not in path.parts)


def size(node: ast.AST) -> int:
    """How many lines a definition has."""
    return (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 0) + 1


def faults_of(path: Path) -> Iterator[str]:
    """What is wrong with one file."""
    text = path.read_text()
    place = path.relative_to(ROOT)
    if text.count("\n") > LONGEST_FILE:
        yield f"{place}: longer than {LONGEST_FILE} lines; split it by noun"
    if NO_ROOMS & {path.stem, *path.parent.parts}:
        yield f"{place}: {path.stem} says nothing; name the noun"
    tree = ast.parse(text)
    if text.strip() and not ast.get_docstring(tree) and path.name != "__init__.py":
        yield f"{place}: no first line that says what it is"
    for node in ast.walk(tree):
        if isinstance(node, Function) and size(node) > LONGEST_FUNCTION:
            yield f"{place}:{node.lineno} {node.name}: longer than {LONGEST_FUNCTION} lines"
        if isinstance(node, ast.ClassDef) and node.name.endswith(NO_NAMES):
            yield f"{place}:{node.lineno} {node.name}: say what it is, not that it manages"
    for node in undocumented(tree):
        yield f"{place}:{node.lineno} {node.name}: a public name without its line"


def undocumented(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Public functions, classes and methods without a docstring."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield node
            if isinstance(node, ast.ClassDef):
                members = [n for n in node.body if isinstance(n, Function) and not n.name.startswith("_")]
                yield from (n for n in members if not ast.get_docstring(n))


def long_functions() -> Iterator[str]:
    """More than one function in ten over 35 lines."""
    functions = [n for path in sources() for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, Function)]
    long = [n for n in functions if size(n) > LONG]
    if len(long) * 10 > len(functions):
        yield f"{len(long)} of {len(functions)} functions are longer than {LONG} lines"


def addresses() -> Iterator[str]:
    """Locks that name an address."""
    listed = subprocess.run(
        ["git", "ls-files", "requirements", "*package-lock.json"], cwd=ROOT, capture_output=True, text=True
    )
    for name in listed.stdout.split():
        if name.endswith((".txt", ".json")) and "://" in (ROOT / name).read_text().replace(
            "https://opencollective", ""
        ):
            yield f"{name}: names an address"


def untried() -> Iterator[str]:
    """Attacks on money, cards, people, pages, privacy and proof that no test in tests/attacks/ is named after."""
    text = "\n".join(path.read_text() for path in (ROOT / "tests" / "attacks").glob("test_*.py"))
    for one in (*ATTACKS.split(), *RIGHTS_AND_PROOF.split()):
        if f"def test_{one}_" not in text:
            yield f"tests/attacks: nothing tries {one.upper()}; a door that does not exist has a test that says so"


def unregistered() -> Iterator[str]:
    """Columns and tables that do not say why, how long and for whom they are kept."""
    from wattkeeper.operations.privacy.register.records import records
    from wattkeeper.operations.privacy.register.register import faults
    from wattkeeper.store.tables import metadata

    found = list(faults(metadata))
    yield from found
    page = ROOT / "docs" / "records-of-processing.md"
    if not found and page.read_text() != records():
        yield f"{page.name}: write it anew by: python -m wattkeeper register --records > docs/{page.name}"


def main() -> None:
    """Print every fault; exit 1 if there is any."""
    found = [fault for path in sources() for fault in faults_of(path)]
    found += [*long_functions(), *floats.faults(), *addresses(), *untried(), *unregistered()]
    print("\n".join(found) or "The house is in order.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
