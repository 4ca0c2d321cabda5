"""Where ghost text goes in a document, and what the machine's battery has to do with it."""

from __future__ import annotations

import pytest
from lsprotocol import types

from phial.assist.excerpt import excerpt_around
from phial.assist.trim import Insertion
from phial.lsp.battery import Battery
from phial.lsp.documents import Document, Documents
from phial.lsp.gaps import Gap, gap_at, gap_at_end
from phial.lsp.ghost_text import GhostText


def document(text: str) -> Document:
    documents = Documents()
    documents.open(types.TextDocumentItem("file:///a.py", "python", 1, text))
    found = documents.get("file:///a.py")
    assert found
    return found


def span(start: int, end: int) -> types.Range:
    return types.Range(types.Position(0, start), types.Position(0, end))


def gap(text: str, character: int, selected: tuple[int, int, str] | None = None) -> Gap:
    """Return the gap at a character, with what is selected in place of some others."""
    info = types.SelectedCompletionInfo(span(*selected[:2]), selected[2]) if selected else None
    return gap_at(
        document(text),
        types.InlineCompletionParams(
            context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic, info),
            text_document=types.TextDocumentIdentifier("file:///a.py"),
            position=types.Position(0, character),
        ),
    )


def test_a_selected_item_counts_as_typed() -> None:
    excerpt = gap("os.pa + 1\n", 5, (3, 5, "path")).excerpt("a.py")
    assert (excerpt.prefix, excerpt.suffix) == ("os.path", " + 1\n")


@pytest.mark.parametrize(
    ("text", "insertion", "shown"),
    [
        ("os.pa\n", Insertion(".join(a)"), "path.join(a)"),
        ("(os.pa)\n", Insertion(".join(a))", 1), "path.join(a)"),
        ("(os.pa)\n", Insertion(".join(a)).b", 1), None),
    ],
)
def test_ghost_text_has_the_range_of_the_selected_item(
    text: str, insertion: Insertion, shown: str | None
) -> None:
    start = text.index("pa")
    item = gap(text, start + 2, (start, start + 2, "path")).item(insertion)
    assert (item and item.insert_text) == shown
    assert item is None or item.range == span(start, start + 2)


def test_without_one_it_stands_at_the_cursor() -> None:
    item = gap("f()", 2).item(Insertion("a)", 1))
    assert item == types.InlineCompletionItem("a)", range=span(2, 3))


@pytest.mark.parametrize("count", [1, 3_000])
def test_an_excerpt_is_the_one_of_the_whole_text(count: int) -> None:
    text = "value = compute(1)\n" * count
    at_end = gap_at_end(document(text))
    assert at_end.excerpt("a.py") == excerpt_around(text, "", path="a.py", language="python")
    assert at_end.document.size == len(text)


def test_the_battery_is_looked_at_rarely() -> None:
    looks, now = [], [0.0]

    def look() -> bool:
        looks.append(now[0])
        return True

    battery = Battery(look, lambda: now[0])
    for now[0] in (0.0, 1.0, 29.0, 31.0):
        assert battery.is_used()
    assert looks == [0.0, 31.0]


def test_advice_is_given_once() -> None:
    ghost_text = GhostText()
    assert ghost_text.advice() is None
    for _ in range(9):
        ghost_text.suggestions.speed.line_took(9.0, budget=1.5)
    advice = ghost_text.advice()
    assert advice
    assert "`phial.completion.trigger`" in advice
    assert ghost_text.advice() is None
