"""The parts of a page that change while it is open: rendered by one function for the page and for its stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Region:
    """A container and its rows in order, each by its element's id; a row's first attribute is that id."""

    id: str
    rows: dict[str, Markup]
    tag: str = "tbody"
    """The container's element: the parser keeps rows only inside of what may hold them."""

    def __html__(self) -> str:
        """The rows, to stand inside of the container."""
        return "\n".join(self.rows.values())


def changes(before: list[Region] | None, after: list[Region]) -> Iterator[str]:
    """The out-of-band swaps that turn a page from one state into another; all of it where ``before`` is None."""
    known = {region.id: region for region in before or ()}
    for region in after:
        old = known.get(region.id)
        yield from _whole(region) if old is None else _difference(old, region)


def _whole(region: Region) -> Iterator[str]:
    """The container's content anew."""
    yield f'<{region.tag} hx-swap-oob="innerHTML:#{region.id}">{region.__html__()}</{region.tag}>'


def _difference(old: Region, new: Region) -> Iterator[str]:
    """Rows that went, rows that changed, rows that came; anew as a whole where rows changed places."""
    stayed = [row for row in old.rows if row in new.rows]
    if stayed != [row for row in new.rows if row in old.rows]:
        yield from _whole(new)
        return
    for row in old.rows:
        if row not in new.rows:
            yield f'<i hx-swap-oob="delete:#{row}"></i>'
    previous = None
    for row, html in new.rows.items():
        if row not in old.rows:
            place = f"afterend:#{previous}" if previous else f"afterbegin:#{new.id}"
            yield f'<{new.tag} hx-swap-oob="{place}">{html}</{new.tag}>'
        elif html != old.rows[row]:
            yield str(html).replace(f'id="{row}"', f'id="{row}" hx-swap-oob="true"', 1)
        previous = row
