"""What is noticed while a message is read: departures, what was taken out, what was missing."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.charging.deviation import Deviation


class Notes:
    """The notes of one reading; filled as it goes, thrown away after."""

    __slots__ = ("deviations", "hidden", "items", "missing", "path", "wrong")

    def __init__(self) -> None:
        self.deviations: dict[str, None] = {}
        self.hidden: dict[str, object] = {}
        """What was taken out of the words: JSON pointer (RFC 6901) to value."""
        self.missing: list[str] = []
        """Required members that were not there, as dotted names of the schema's own."""
        self.wrong: list[str] = []
        """Members whose value could not be brought to the schema's type."""
        self.path: list[str] = []
        """Where the reader stands."""
        self.items = 0
        """How many list entries were read so far."""

    def add(self, deviation: Deviation) -> None:
        """Note a departure, once."""
        self.deviations[deviation.value] = None

    def hide(self, value: object) -> None:
        """Take the value at the current place out of the words."""
        self.hidden[self.pointer()] = value

    def pointer(self) -> str:
        """The current place as a JSON pointer."""
        return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in self.path)

    def place(self, name: str) -> str:
        """A member of the current place by the schema's own names (list positions left out)."""
        return ".".join([step for step in self.path if not step.isdigit()] + [name])

    def codes(self, earlier: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The codes noted, in the order of noticing, after those noticed earlier."""
        return tuple(dict.fromkeys((*earlier, *self.deviations)))


Members = Mapping[str, object]
"""An object of the wire after mending: known members only, of the schema's types where that was possible."""
