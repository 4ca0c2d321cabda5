"""Where the cursor has been in each document, and whether anything has been typed there since."""

from __future__ import annotations

from collections import OrderedDict

from phial.assist.excerpt import Excerpt

_REMEMBERED = 64


class Visits:
    """The last place of the cursor in each of the documents that were looked at last."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, Excerpt] = OrderedDict()
        self._unchanged: set[str] = set()

    def edited(self, document: str) -> None:
        """Take note that a document has changed."""
        self._unchanged.discard(document)

    def visit(self, document: str, excerpt: Excerpt) -> bool:
        """Take note of where the cursor is; return whether it has only moved since it was noted last."""
        before = self._places.pop(document, None)
        self._places[document] = excerpt
        while len(self._places) > _REMEMBERED:
            gone, _ = self._places.popitem(last=False)
            self._unchanged.discard(gone)
        has_only_moved = document in self._unchanged and before is not None and not _is_same(before, excerpt)
        self._unchanged.add(document)
        return has_only_moved

    def last(self, document: str) -> Excerpt | None:
        """Return where the cursor was last, if that is remembered."""
        return self._places.get(document)


def _is_same(one: Excerpt, other: Excerpt) -> bool:
    return (one.prefix, one.suffix) == (other.prefix, other.suffix)
