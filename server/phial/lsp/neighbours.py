"""What stands around a document: where it is, and which other open ones may have something related."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phial.assist.context import OpenText
from phial.lsp.documents import Document, Documents
from phial.lsp.questions import shown_path


@dataclass(frozen=True)
class Neighbours:
    """A document's path as the model is told it, and the others to read, or None where nothing else is wanted."""

    path: str
    others: tuple[OpenText, ...] | None = None


def neighbours(
    document: Document, documents: Documents, folders: Iterable[str], *, reading: bool
) -> Neighbours:
    """Return a document's path, and if they are to be read the other documents in its language, the latest first.

    `folders` are URIs.
    """
    roots = tuple(folders)
    path = shown_path(document.uri, roots)
    if not reading:
        return Neighbours(path)
    others = (other for other in documents if other.uri != document.uri)
    return Neighbours(
        path,
        tuple(
            opened(other, shown_path(other.uri, roots))
            for other in others
            if other.language_id == document.language_id
        ),
    )


def opened(document: Document, path: str) -> OpenText:
    """Return a document without what only LSP wants to know of it."""
    return OpenText(document.text, path, document.language_id, document.edited)
