"""Passwords that are guessed first: common words, runs of the alphabet and keyboard, what is known of the person.

No rule about which characters there must be (NIST SP 800-63B 3.1.1.2): a password is refused where little is left of it
once all that a guesser tries first is taken out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WORDS = """
password passwort passwords kennwort geheim secret welcome willkommen letmein login admin administrator root
user guest master default changeme change test testing temp temporary access pass pwd security sicherheit
internet computer laptop samsung apple google microsoft windows android iphone facebook instagram twitter
youtube amazon netflix iloveyou loveyou ichliebedich lovely love liebe schatz schatzi baby babygirl angel
engel princess prinzessin queen king prince sweetheart honey flower sunshine sonnenschein rainbow butterfly
schmetterling unicorn einhorn hello hallo servus gruezi monkey dragon drache tiger lion eagle panther wolf
shadow ninja pirate wizard superman batman spiderman ironman pokemon pikachu starwars startrek matrix football
fussball soccer baseball basketball hockey tennis golf champion liverpool arsenal chelsea barcelona realmadrid
bayern bayernmuenchen dortmund schalke rapid austria oesterreich germany deutschland switzerland schweiz
england london berlin hamburg muenchen wien vienna zurich zuerich michael thomas andreas daniel stefan peter
martin christian alexander sebastian david markus jennifer jessica ashley charlie george jordan michelle
nicole sabrina sandra anna maria sophie hannah lukas jonas maximilian summer sommer winter spring autumn
herbst fruehling monday montag friday freitag january januar december dezember weihnachten christmas freedom
freiheit whatever nothing nichts killer trustno fuckyou asshole scheisse arschloch cookie chocolate schokolade
banana cheese pepper ginger coffee kaffee pizza mustang ferrari porsche mercedes volkswagen audi tesla yamaha
harley corvette toyota wattkeeper watt electric elektro charge charger charging laden ladestation wallbox
station energy energie strom power volt ampere kilowatt ecar eauto electriccar driver fahrer operator owner
betreiber
"""
"""What people choose in English and German, and what this place suggests."""
SIGNS = ("!@#$%^&*()_+", '!"§$%&/()=?')
"""The row of digits with the shift key, American and German."""
ROWS = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "qazwsxedcrfv", "1q2w3e4r5t6z7u")
LEFT = 5
"""Letters and digits that must be left; signs too, where the password is mostly made of them."""
RUN = 3
MOST = 128
"""Characters that are looked at: a few of them unfold into thousands, and every one costs time."""
MIMICRY = str.maketrans("0134578@$!", "oleastbasi")


def _pieces() -> set[str]:
    """Every four or more neighbours on the keyboard, both ways."""
    both = [*ROWS, *SIGNS, *(row[::-1] for row in (*ROWS, *SIGNS))]
    return {row[at:end] for row in both for at in range(len(row)) for end in range(at + 4, len(row) + 1)}


KNOWN = frozenset(word for word in WORDS.split() if len(word) >= 3) | _pieces()
_LONGEST = max(map(len, KNOWN))


def is_guessed(password: str, about: Iterable[str] = ()) -> bool:
    """Whether little is left of a password without what is guessed first; ``about`` the person: name, e-mail."""
    plain = unicodedata.normalize("NFKC", password[:MOST]).casefold()[:MOST]
    own = {word for text in about for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= 3}
    signs = sum(not (one.isalnum() or one.isspace()) for one in plain) * 2 > len(plain)
    return any(len(_rest(spelled, own, signs)) < LEFT for spelled in (plain, plain.translate(MIMICRY)))


def _rest(text: str, own: set[str], signs: bool) -> str:
    """What a guesser would not try first, letters and digits, or ``signs`` too; a repetition counts once."""
    words = KNOWN | own
    longest = max(_LONGEST, max(map(len, own), default=0))
    kept, at = [], 0
    while at < len(text):
        skip = _word_at(text, at, words, longest) or _run_at(text, at)
        if not skip and (text[at].isalnum() or (signs and not text[at].isspace())):
            kept.append(text[at])
        at += skip or 1
    return _once("".join(kept))


def _word_at(text: str, at: int, words: frozenset[str] | set[str], longest: int) -> int:
    """How long the longest known word is that begins here."""
    return next((size for size in range(longest, 2, -1) if text[at : at + size] in words and at + size <= len(text)), 0)


def _run_at(text: str, at: int) -> int:
    """How long the run is that begins here: the same again, or the alphabet or digits up or down."""
    best = 0
    for by in (0, 1, -1):
        end = at + 1
        while end < len(text) and ord(text[end]) - ord(text[end - 1]) == by:
            end += 1
        best = max(best, end - at)
    return best if best >= RUN else 0


def _once(text: str) -> str:
    """The part that a text repeats; the text itself where it repeats nothing."""
    at = (text + text).find(text, 1)
    return text[:at] if text else text
