"""Every word of a template stands in the catalogue: no letter that a person would read is written into one directly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.language.readable import LETTER, Reader

WEB = Path(__file__).parents[2] / "src" / "wattkeeper" / "web"
TEMPLATES = sorted(path for room in ("operator", "driver") for path in (WEB / room / "templates").glob("*.html"))

PLAIN = re.compile(
    r"\b(Wattkeeper|kWh?|Wh?|[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9])\b"
    r"|\b(data-[a-z]+|id|name)=(?=\"\")|\baria-[a-z]+=\"[a-z-]*\"|\bautofocus\b"
)
"""What reads the same in every language: the name, units, what a session's id looks like; and attributes of a macro."""
TELLS = frozenset({"_", "counted"})
HOLE = re.compile("\ue000([0-9]+)\ue001")
WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]+,? [^\W\d_]|^[A-Z][a-z]+[^:/_]*$")
"""What a constant looks like that is a word or a sentence rather than a code."""


class Page(Reader):
    """A template's HTML, what it prints left as numbered holes; finds what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.read: set[int] = set()
        """The holes that stand where people read."""

    def hear(self, where: str, text: str) -> None:
        """Note the letters of what is read, and the holes in it."""
        self.read |= {int(number) for number in HOLE.findall(text)}
        plain = PLAIN.sub("", HOLE.sub("", text))
        if LETTER.search(plain):
            self.found.append(f"{where}: {' '.join(plain.split())}")


def holes_of(tree: nodes.Template) -> tuple[str, list[nodes.Expr]]:
    """The template's HTML with a hole for everything printed, and what is printed there; every branch in a row."""
    text: list[str] = []
    printed: list[nodes.Expr] = []
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                text.append(node.data)
            else:
                text.append(f"\ue000{len(printed)}\ue001")
                printed.append(node)
    return "".join(text), printed


def said_by(node: nodes.Node) -> Iterator[str]:
    """The constants that an expression may print."""
    if isinstance(node, nodes.Const):
        yield from [node.value] if isinstance(node.value, str) else []
    elif isinstance(node, nodes.CondExpr):
        yield from said_by(node.expr1)
        yield from said_by(node.expr2) if node.expr2 is not None else ()
    elif isinstance(node, nodes.Or | nodes.Add):
        yield from (*said_by(node.left), *said_by(node.right))
    elif isinstance(node, nodes.And):
        yield from said_by(node.right)
    elif isinstance(node, nodes.Concat):
        yield from (text for one in node.nodes for text in said_by(one))
    elif isinstance(node, nodes.Filter) and node.node is not None:
        yield from said_by(node.node)


def constants(node: nodes.Node) -> Iterator[str]:
    """Every constant that is not asked of the catalogue."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in TELLS:
        yield from (text for given in node.kwargs for text in constants(given))
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in () if isinstance(node, nodes.Compare) else node.iter_child_nodes():
        yield from constants(child)


def faults_of(source: str) -> list[str]:
    """What a template says without asking the catalogue."""
    tree = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).parse(source)
    html, printed = holes_of(tree)
    page = Page()
    page.feed(html)
    page.close()
    spoken = [text for number in sorted(page.read) for text in said_by(printed[number])]
    letters = [f"printed: {text}" for text in spoken if LETTER.search(PLAIN.sub("", text))]
    return [*page.found, *letters, *(f"constant: {text}" for text in constants(tree) if WORDS.search(text))]


ASSETS = sorted((WEB / "assets").rglob("*.js")) + sorted((WEB / "assets").rglob("*.css"))
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)
SHOWN = re.compile(
    r"(?:textContent|innerText|innerHTML|title|content:?) ?[:=]? ?[\"'`]([^\"'`\n]*[^\W\d_][^\"'`\n]*)[\"'`]"
)
SENTENCE = re.compile(r"[\"'`]([A-Z][a-z]+,? [a-z][^\"'`]*)[\"'`]")


def said_in(text: str) -> list[str]:
    """What a script or a style says itself: texts that it sets, and constants that are sentences."""
    plain = COMMENT.sub("", text)
    return [*SHOWN.findall(plain), *SENTENCE.findall(plain)]


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_scripts_and_styles_say_nothing_themselves(path: Path) -> None:
    assert said_in(path.read_text()) == []


@pytest.mark.parametrize(
    "text", ['place.textContent = "copied";', 'td::before { content: "since "; }', "say('Try once more')"]
)
def test_a_word_in_a_script_or_a_style_is_found(text: str) -> None:
    assert said_in(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_template_says_nothing_that_is_not_in_the_catalogue(path: Path) -> None:
    assert faults_of(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<p title="Copy"></p>',
        '<button data-busy="Ending …">x</button>',
        "<p>{{ 'yes' if on else _('no') }}</p>",
        "<p>{{ name or 'nobody' }}</p>",
        "{{ prove('/people', 'Show it once more') }}",
        "{% set all = 'All of them' %}",
        "<p>{% if on %}{{ _('On') }}{% else %}off{% endif %}</p>",
        "<p>{{ _('{who} is here', who='nobody at all') }}</p>",
    ],
)
def test_a_word_that_is_written_into_a_template_is_found(source: str) -> None:
    assert faults_of(source)


@pytest.mark.parametrize(
    "source",
    [
        '<p class="{{ \'harm\' if bad else \'look\' }}" data-next="/account">{{ _("Hello") }} 12 kWh · {{ name }}</p>',
        '<kbd>Enter</kbd> <code translate="no">number</code> Wattkeeper {{ counted("{n} card", "{n} cards", n) }}',
    ],
)
def test_codes_and_units_may_stand_in_a_template(source: str) -> None:
    assert faults_of(source) == []
