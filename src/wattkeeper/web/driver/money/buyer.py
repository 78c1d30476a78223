"""To whom an invoice is made out, as it was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.paper import Party

LONGEST = 100
"""Characters of a line of an address."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """A buyer that was typed, and whether all of it can be printed."""

    party: Party
    is_plain: bool

    def printable(self) -> Party:
        """The buyer; Refusal INVALID where something of it cannot be printed."""
        if not self.is_plain:
            raise Refusal(Code.INVALID, phrase("There is something in it that cannot be printed. Type it anew."))
        return self.party


def buyer_of(
    name: Annotated[str, Form()] = "",
    street: Annotated[str, Form()] = "",
    postcode: Annotated[str, Form()] = "",
    city: Annotated[str, Form()] = "",
    country: Annotated[str, Form()] = "",
    vat_id: Annotated[str, Form()] = "",
) -> Buyer:
    """What a form says of the buyer."""
    told = (name, street, postcode, city, country.upper(), vat_id.upper())
    return Buyer(Party(*(" ".join(one.split())[:LONGEST] for one in told)), all(one.isprintable() for one in told))


Typed = Annotated[Buyer, Depends(buyer_of)]
