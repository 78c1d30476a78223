"""The page within an archive that says, in the language of whoever asked, what is in it, where from and what for."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.language import tell_in

SOURCES = (
    phrase("You: what you typed, chose and agreed to."),
    phrase("Stations: when and where your card was used, and what the meter showed."),
    phrase("The payment provider: whether a payment was made, and the last four digits of a bank card."),
    phrase("The staff: cards that were given to you, and what was corrected."),
)
WITHHELD = phrase(
    "Words that the staff wrote in passing are not in this archive, for they may speak of others. Ask for them: a"
    " person then looks through them with you in mind."
)
ARTICLE_22 = phrase("No decision with legal effect is made about you by a machine alone.")
FILES = phrase(
    "data.json holds everything but your sessions, sessions.jsonl those with what the meter showed, the folder csv the"
    " same as tables. schema.json says how data.json is made."
)
PARTS = (
    (phrase("Kept while you are here"), "kept_while_you_are_here"),
    (phrase("Kept longer"), "kept_longer"),
)
STYLE = "body{font:1rem/1.5 system-ui;max-width:42rem;margin:2rem auto;padding:0 1rem}"


def said_in(language: str) -> dict[str, Any]:
    """What an archive says of itself: where everything comes from, what is left out, who decides."""
    return {
        "sources": [str(tell_in(language, one)) for one in SOURCES],
        "withheld": str(tell_in(language, WITHHELD)),
        "automated_decisions": str(tell_in(language, ARTICLE_22)),
    }


def page(told: Mapping[str, Any], language: str) -> str:
    """What is in the archive, for people."""

    def say(said: Phrase) -> str:
        return html.escape(str(tell_in(language, said)))

    title = say(phrase("Your data"))
    lines = [f"<!doctype html><html lang={language}><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"]
    made = say(phrase("Made on {when} UTC.", when=str(told["made_at"])[:16]))
    lines.append(f"<h1>{title}</h1><p>{made}</p><p>{say(FILES)}</p>")
    for heading, part in PARTS:
        lines.append(f"<h2>{say(heading)}</h2>")
        lines += _listed(f"{html.escape(name)}: {len(rows)}" for name, rows in told[part].items())
    lines.append(f"<h2>{say(phrase('Where it comes from'))}</h2>")
    lines += _listed(html.escape(one) for one in told["sources"])
    lines.append(f"<h2>{say(phrase('What for, how long, and who gets it'))}</h2>")
    lines += _listed(_activity(one) for one in told["what_for"])
    last = (html.escape(told["withheld"]), html.escape(told["automated_decisions"]))
    return "\n".join([*lines, *(f"<p>{one}</p>" for one in last), "</html>"])


def _listed(lines: Any) -> list[str]:
    return ["<ul>", *(f"<li>{one}</li>" for one in lines), "</ul>"]


def _activity(one: Mapping[str, Any]) -> str:
    parts = (", ".join(one["bases"]), "; ".join(one["retentions"]), ", ".join(one["recipients"]))
    return f"<b>{html.escape(one['area'])}</b>: {html.escape('. '.join(parts))}"
