"""Where ghost text goes: between a position of LSP and an excerpt without positions."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from phial.assist.excerpt import PREFIX_CHARS, SUFFIX_CHARS, Excerpt, excerpt_around
from phial.assist.trim import Insertion
from phial.lsp.documents import Document


@dataclass(frozen=True)
class Gap:
    """A place in a document, as lines and columns: nothing but a cursor, or what a selected item would replace.

    `selected` is that item's text. Ghost text must go on with it, and have the same range.
    """

    document: Document
    start: tuple[int, int]
    end: tuple[int, int]
    selected: str = ""

    def excerpt(self, path: str) -> Excerpt:
        """Return what stands around the gap, as if the selected text had been typed."""
        before, after = self.document.sizes(*self.start)
        if self.end != self.start:
            _, after = self.document.sizes(*self.end)
        return excerpt_around(
            self.document.before(*self.start, PREFIX_CHARS) + self.selected,
            self.document.after(*self.end, 2 * SUFFIX_CHARS),
            sizes=(before + len(self.selected), after),
            path=path,
            language=self.document.language_id,
        )

    def item(self, insertion: Insertion) -> types.InlineCompletionItem | None:
        """Return what the editor is to show, or None where the range that it wants has no room for that."""
        text, (line, column) = insertion.text, self.end
        replaced = self.document.after(line, column, insertion.replaces)
        if self.selected and not text.endswith(replaced):
            return None
        if self.selected:
            text, replaced = text[: len(text) - len(replaced)], ""
        span = types.Range(
            self.document.position(*self.start), self.document.position(line, column + len(replaced))
        )
        return types.InlineCompletionItem(insert_text=self.selected + text, range=span)


def gap_at(document: Document, params: types.InlineCompletionParams) -> Gap:
    """Return the gap that a request is about."""
    selected = params.context.selected_completion_info
    if selected is None:
        at = document.locate(params.position)
        return Gap(document, at, at)
    start, end = sorted((document.locate(selected.range.start), document.locate(selected.range.end)))
    return Gap(document, start, end, selected.text)


def gap_at_end(document: Document) -> Gap:
    """Return the gap at the end of a document."""
    at = len(document.lines) - 1, len(document.lines[-1])
    return Gap(document, at, at)
