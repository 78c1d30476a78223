"""Session ids that people can say aloud: eight drawn symbols and a check symbol, shown as ``K7QM-4XRD-T``.

The symbols are Crockford's 32 (no I, L, O, U). The check is a weighted sum in the field of 32 elements, with a
different weight for each place, so every single slip and every swap of neighbours (indeed of any two) changes it.
"""

from __future__ import annotations

from wattkeeper.charging.facts import SessionOpened

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DRAWN = 8
SECRET = 16
"""Drawn symbols of a code that nobody may guess: 80 bits."""
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_FORGIVE = str.maketrans(
    {"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\u2010": None, "\u2011": None, "\u2013": None}
)


def _times_two(value: int) -> int:
    """Multiply by the generator of the field (polynomial x^5 + x^2 + 1)."""
    doubled = value << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled


def _check(values: list[int]) -> int:
    """The check value: Horner's rule, so the place k from the right weighs generator**k."""
    total = 0
    for value in values:
        total = _times_two(total ^ value)
    return total


def session_id(drawn: int) -> str:
    """The id of 40 drawn bits, without dashes: nine symbols, the last the check."""
    values = [(drawn >> (5 * place)) & 31 for place in range(DRAWN)]
    return "".join(ALPHABET[v] for v in values) + ALPHABET[_check(values)]


def secret_code(drawn: int) -> str:
    """A code of 80 drawn bits and its check, as it is printed: ``K7QM-4XRD-2B9Z-0HTA-T``."""
    values = [(drawn >> (5 * place)) & 31 for place in range(SECRET)]
    symbols = "".join(ALPHABET[v] for v in values)
    return "-".join([*(symbols[at : at + 4] for at in range(0, SECRET, 4)), ALPHABET[_check(values)]])


def parse_secret(typed: str) -> str | None:
    """The 16 symbols of a `secret_code` that was typed, forgiving as `parse` is; None where the check fails."""
    return _parsed(typed, SECRET)


def shown(identifier: str) -> str:
    """The id as it is shown and read aloud: ``K7QM-4XRD-T``."""
    return f"{identifier[:4]}-{identifier[4:8]}-{identifier[8:]}"


def parse(said: str) -> str | None:
    """The id that was said or typed, forgiving case, spaces, dashes, 0/O and 1/I/L; None where the check fails."""
    symbols = _parsed(said, DRAWN)
    return None if symbols is None else symbols + ALPHABET[_check([_VALUE[s] for s in symbols])]


def _parsed(said: str, count: int) -> str | None:
    """The drawn symbols of what was said; None where their number or their check is wrong."""
    symbols = said.strip().upper().translate(_FORGIVE) if len(said) <= 64 else ""
    if len(symbols) != count + 1 or any(s not in _VALUE for s in symbols):
        return None
    values = [_VALUE[s] for s in symbols]
    return symbols[:-1] if _check(values[:-1]) == values[-1] else None


# --- natural keys: what was told, never how it was sent -------------------------------------------------------------


def start_key(fact: SessionOpened) -> str:
    """The natural key of a start without a transaction id of the station's: what it says, never how it was sent."""
    at = fact.at.isoformat() if fact.at else "-"
    register = "-" if fact.register_wh is None else f"{fact.register_wh.normalize():f}"
    return f"start:{fact.evse}:{fact.token or '-'}:{at}:{register}"


def transaction_key(ref: str) -> str:
    """The natural key of a transaction by the id the station named."""
    return f"tx:{ref}"


IMPORTED = "import:"
"""How the natural keys of what was imported begin; those of what stations tell never do."""


def imported_key(name: str) -> str:
    """The natural key of an imported session by its name in the other system's records."""
    return f"{IMPORTED}{name}"
