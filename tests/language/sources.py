"""What stands in the sources of the rooms that speak: prose without a catalogue, phrases that lose their language.

Read statically, so it sees what is written and not what is made of it; the tests of pages see the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SRC = Path(__file__).parent.parent.parent / "src"
MAKERS = frozenset({"phrase", "counted", "plural", "_", "joined", "Figure", "Money"})
"""Calls that make something that can be told in any language."""
LOGGED = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
DESCRIBED = frozenset(
    {"Field", "Query", "Path", "Header", "Body", "Form", "Cookie", "File", "HTTPBearer", "APIKeyCookie"}
)
"""Calls that describe the API, which is read in English."""
UNSEEN = frozenset({"RuntimeError", "AssertionError", "TypeError", "KeyError", "KeyRefused", "Unproved", "Unreachable"})
"""Exceptions that no person sees; in `web` a ValueError is one of the validator's, and is seen."""
CAPITAL = re.compile(r"[\"'“‘(]?([A-Z]|\{\})[^\n]*\s(?!min\b)[a-z]{2,}\b", re.DOTALL)
LOWER = re.compile(r"[a-z’']+(,? [a-z’']+){2,}[.:;]?")
ENGLISH_FOR_GOOD = frozenset(
    {"lower", "upper", "capitalize", "title", "replace", "strip", "rstrip", "lstrip", "removeprefix", "removesuffix"}
    | {"format", "split", "partition", "join", "encode", "splitlines", "swapcase", "casefold", "ljust", "rjust"}
)
ON_PURPOSE = re.compile(r"#.*\bEnglish\b")
"""What a line says whose text stays English, and why: it is kept, or a protocol wants it so."""


def files_of(room: str) -> list[Path]:
    """The Python sources of a room."""
    return sorted((SRC / "wattkeeper" / room).rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """A source, parsed."""
    return ast.parse(path.read_text())


def called(node: ast.AST) -> str:
    """The name of what is called; empty where it is no call."""
    if not isinstance(node, ast.Call):
        return ""
    made = node.func
    return made.id if isinstance(made, ast.Name) else made.attr if isinstance(made, ast.Attribute) else ""


# --- prose ------------------------------------------------------------------------------------------------


def prose_in(path: Path, unseen: frozenset[str] = UNSEEN) -> Iterator[tuple[int, str]]:
    """The literals of a file that read like prose for people and are no phrase: line and text."""
    lines, described = path.read_text().splitlines(), described_in(tree_of(path))
    for node in literals(tree_of(path), unseen):
        text = text_of(node).strip()
        reads = CAPITAL.match(text) or LOWER.fullmatch(text)
        if reads and node not in described and not ON_PURPOSE.search(lines[node.lineno - 1]):
            yield node.lineno, text


def described_in(tree: ast.Module) -> list[ast.AST]:
    """The texts that describe the API: what stands under ``description``, in place or by a constant's name."""
    found: list[ast.AST] = []
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = [one.value if isinstance(one, ast.Constant) else "" for one in node.keys]
            found += [value for key, value in zip(keys, node.values, strict=True) if key == "description"]
        elif isinstance(node, ast.keyword) and node.arg == "description" and isinstance(node.value, ast.Name):
            names.add(node.value.id)
    for one in tree.body:
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id in names:
            found.append(one.value)
    return found


def text_of(node: ast.Constant | ast.JoinedStr) -> str:
    """A literal's text, with ``{}`` where something is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def literals(node: ast.AST, unseen: frozenset[str]) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Every text within a node but those that are phrases, or that nobody reads in their own language."""
    for child in ast.iter_child_nodes(node):
        if is_aside(child, unseen):
            continue
        if isinstance(child, ast.JoinedStr) or (isinstance(child, ast.Constant) and isinstance(child.value, str)):
            yield child
        elif called(child) in {"phrase", "counted", "plural", "_"}:
            for keyword in child.keywords:  # type: ignore[attr-defined]
                yield from literals(keyword, unseen)
        else:
            yield from literals(child, unseen)


def is_aside(node: ast.AST, unseen: frozenset[str]) -> bool:
    """Docstrings, annotations, asserts, log lines, descriptions of the API, exceptions that no person sees."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.keyword) and node.arg in ("description", "summary", "examples", "pattern"):
        return isinstance(node.value, ast.Constant | ast.JoinedStr | ast.List)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGED:
        return isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
    return isinstance(node, ast.Assert) or called(node) in DESCRIBED | unseen | {"announce", "_announce"}


# --- phrases that lose their language ------------------------------------------------------------------------


def lost_in(path: Path) -> Iterator[tuple[int, str]]:
    """Where a file makes English for good of something that could be told: line and source."""
    known = names_in(path)
    lines = path.read_text().splitlines()
    for function in [tree_of(path), *(n for n in ast.walk(tree_of(path)) if isinstance(n, Function))]:
        own = known | locals_of(function, known)
        for node in (one for one in within(function) if isinstance(one, ast.expr)):
            is_lost = any(is_told(one, own) for one in spoilt(node))
            if is_lost and not ON_PURPOSE.search(lines[node.lineno - 1]):
                yield node.lineno, ast.unparse(node)


Function = ast.FunctionDef | ast.AsyncFunctionDef


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in a function, or a module, but what is in a function of its own."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, Function):
            yield from within(child)


def spoilt(node: ast.AST) -> list[ast.expr]:
    """What a node makes plain text of."""
    match node:
        case ast.JoinedStr():
            return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return [node.left, node.right]
        case ast.Call(func=ast.Name(id="str")):
            return node.args
        case ast.Call(func=ast.Attribute(value=owner, attr=verb)) if verb in ENGLISH_FOR_GOOD:
            given = [one.elt if isinstance(one, ast.GeneratorExp | ast.ListComp) else one for one in node.args]
            listed = [part for one in given for part in (one.elts if isinstance(one, ast.List | ast.Tuple) else [one])]
            return [owner, *listed]
    return []


def is_told(node: ast.expr, known: frozenset[str]) -> bool:
    """Whether an expression is seen to be something that can be told in any language."""
    match node:
        case ast.Name():
            return node.id in known
        case ast.Subscript():
            return is_told(node.value, known)
        case ast.IfExp():
            return is_told(node.body, known) or is_told(node.orelse, known)
        case ast.Attribute():
            return node.attr in ("why", "grade_words", "plug_words")
        case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="get" | "filled")):
            return owner.id in known
    return called(node) in MAKERS - {"_"}


def locals_of(function: ast.AST, known: frozenset[str]) -> frozenset[str]:
    """The names that a function gives to what can be told."""
    given = [node for node in within(function) if isinstance(node, ast.Assign) and is_told(node.value, known)]
    return frozenset(one.id for node in given for one in node.targets if isinstance(one, ast.Name))


def names_in(path: Path) -> frozenset[str]:
    """The names of constants that can be told, a module's own and those that it imports."""
    taken = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom) and node.module]
    theirs = {
        one.asname or one.name
        for node in taken
        for one in node.names
        if one.name in constants_of(SRC / f"{(node.module or '').replace('.', '/')}.py")
    }
    return constants_of(path) | theirs


@cache
def constants_of(path: Path) -> frozenset[str]:
    """The constants of a module that are phrases, or hold nothing else."""
    if not path.exists():
        return frozenset()
    found = set[str]()
    for node in tree_of(path).body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
                found |= {one.id for one, made in pairs if isinstance(one, ast.Name) and called(made) in MAKERS}
            elif isinstance(target, ast.Name) and _is_spoken(node.value):
                found.add(target.id)
    return frozenset(found)


def _is_spoken(value: ast.expr) -> bool:
    """A phrase, or a table of phrases."""
    if isinstance(value, ast.Dict):
        return bool(value.values) and all(called(one) in MAKERS for one in value.values)
    return called(value) in MAKERS
