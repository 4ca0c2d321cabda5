from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types

from phial.lsp.documents import Document, Documents

URI = "file:///a.py"
UTF8 = types.PositionEncodingKind.Utf8
UTF16 = types.PositionEncodingKind.Utf16
UTF32 = types.PositionEncodingKind.Utf32
ENCODINGS = (UTF8, UTF16, UTF32)
CODECS = {UTF8: ("utf-8", 1), UTF16: ("utf-16-le", 2), UTF32: ("utf-32-le", 4)}  # with bytes per code unit

HIGH, LOW = "\ud83d", "\ude00"  # the halves of an emoji
ALPHABET = ["a", "\n", "\r", "\r\n", "\f", "\u2028", "\x85", "é", "€", "😀", "\ufeff", HIGH, LOW]

texts = st.lists(st.sampled_from(ALPHABET), max_size=24).map("".join)
positions = st.builds(types.Position, line=st.integers(0, 9), character=st.integers(0, 12))
spans = st.builds(types.Range, start=positions, end=positions)
edits = st.builds(types.TextDocumentContentChangePartial, range=spans, text=texts)
encodings = st.sampled_from(ENCODINGS)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(range=span(start, end), text=text)


def span(start: tuple[int, int], end: tuple[int, int]) -> types.Range:
    return types.Range(start=types.Position(*start), end=types.Position(*end))


def whole(text: str) -> types.TextDocumentContentChangeWholeDocument:
    return types.TextDocumentContentChangeWholeDocument(text=text)


def opened(
    text: str,
    *changes: types.TextDocumentContentChangeEvent,
    encoding: types.PositionEncodingKind = UTF16,
) -> Document:
    documents = Documents(encoding)
    documents.open(item(URI, text))
    documents.change(types.VersionedTextDocumentIdentifier(uri=URI, version=2), changes)
    return present(documents, URI)


def item(uri: str, text: str = "") -> types.TextDocumentItem:
    return types.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)


def present(documents: Documents, uri: str) -> Document:
    document = documents.get(uri)
    assert document is not None
    return document


def uris(documents: Documents) -> list[str]:
    return [document.uri for document in documents]


# Edits


@pytest.mark.parametrize(
    ("before", "change", "lines"),
    [
        pytest.param("ab", edit((0, 1), (0, 1), "x"), ["axb"], id="insert"),
        pytest.param("ab\ncd\n", edit((0, 1), (1, 1), ""), ["ad\n", ""], id="join two lines"),
        pytest.param("ab\ncd", edit((0, 1), (0, 1), "\n"), ["a\n", "b\n", "cd"], id="split a line"),
        pytest.param("a\nb\nc\n", edit((1, 0), (2, 0), ""), ["a\n", "c\n", ""], id="delete a line"),
        pytest.param("a\n", edit((1, 0), (1, 0), "b"), ["a\n", "b"], id="append"),
        pytest.param("a", edit((0, 1), (0, 1), "\n"), ["a\n", ""], id="append a line end"),
        pytest.param("a\nb", edit((0, 0), (1, 1), ""), [""], id="delete everything"),
        pytest.param("", edit((0, 0), (0, 0), "a\n"), ["a\n", ""], id="insert into nothing"),
        pytest.param("abc", edit((0, 2), (0, 1), "x"), ["axc"], id="ends in the wrong order"),
        pytest.param("a\n", edit((7, 3), (9, 0), "b"), ["a\n", "b"], id="past the last line"),
        pytest.param("a\nb\n", edit((0, 0), (0, 99), "x"), ["x\n", "b\n", ""], id="past the end of a line"),
        pytest.param("a\f\nb", edit((1, 0), (1, 1), "c"), ["a\f\n", "c"], id="a form feed ends no line"),
        pytest.param("\ufeffa", edit((0, 1), (0, 2), "b"), ["\ufeffb"], id="a byte order mark counts"),
        pytest.param("a\rb", edit((1, 0), (1, 0), "\n"), ["a\r\n", "b"], id="LF after CR"),
        pytest.param("a\rb\nc", edit((1, 0), (1, 1), ""), ["a\r\n", "c"], id="delete between CR and LF"),
        pytest.param("a\nb", edit((0, 1), (0, 1), "\r"), ["a\r\n", "b"], id="CR before LF"),
        pytest.param("a\r\nb", edit((0, 1), (0, 1), "\r"), ["a\r", "\r\n", "b"], id="CR before CR LF"),
        pytest.param("a\r\nb", edit((1, 0), (1, 0), "\n"), ["a\r\n", "\n", "b"], id="LF after CR LF"),
        pytest.param("a\r\nb", edit((0, 1), (1, 0), "\r"), ["a\r", "b"], id="CR LF becomes CR"),
        pytest.param("a", whole("b\r\nc"), ["b\r\n", "c"], id="whole document"),
    ],
)
def test_change(before: str, change: types.TextDocumentContentChangeEvent, lines: list[str]) -> None:
    assert opened(before, change).lines == lines


def test_changes_are_applied_in_their_order() -> None:
    document = opened("", whole("a\nb"), edit((1, 1), (1, 1), "c"), edit((0, 0), (1, 0), ""))
    assert document.text == "bc"
    assert document.version == 2


@given(encodings, texts, st.lists(edits, max_size=8))
@example(UTF16, "😀a", [edit((0, 1), (0, 1), "\n"), edit((0, 9), (1, 0), ""), edit((0, 2), (0, 3), "b")])
def test_edits_agree_with_the_naive_way(
    encoding: types.PositionEncodingKind, text: str, changes: list[types.TextDocumentContentChangePartial]
) -> None:
    expected = paired(text)
    for change in changes:
        expected = naive_edit(expected, change, encoding)
    document = opened(text, *changes, encoding=encoding)
    assert document.lines == naive_lines(expected)
    assert document.text == encodable(expected)


def test_it_is_known_where_one_has_edited_last() -> None:
    changes = [edit((line, 0), (line, 0), "x") for line in (0, 3, 50, 4, 80, 20, 99)]
    assert opened("\n" * 99, *changes).edited == (99, 20, 80, 4)


@given(encodings, texts, st.lists(edits, min_size=1, max_size=4))
def test_a_document_never_changes(
    encoding: types.PositionEncodingKind, text: str, changes: list[types.TextDocumentContentChangePartial]
) -> None:
    documents = Documents(encoding)
    documents.open(item(URI, text))
    earlier = present(documents, URI)
    lines = tuple(earlier.lines)
    documents.change(types.VersionedTextDocumentIdentifier(uri=URI, version=2), changes)
    assert tuple(earlier.lines) == lines
    assert (earlier.version, present(documents, URI).version) == (1, 2)


# Positions


@pytest.mark.parametrize(
    ("text", "utf8", "utf16", "utf32"),
    [
        ("abc", [0, 1, 2, 3, 3], [0, 1, 2, 3, 3], [0, 1, 2, 3, 3]),
        ("ab\r\n", [0, 1, 2, 2, 2], [0, 1, 2, 2, 2], [0, 1, 2, 2, 2]),
        ("é€\n", [0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 2], [0, 1, 2, 2]),
        ("a😀b", [0, 1, 1, 1, 1, 2, 3, 3], [0, 1, 1, 2, 3, 3], [0, 1, 2, 3, 3]),
        ("\ufeffa", [0, 0, 0, 1, 2, 2], [0, 1, 2, 2], [0, 1, 2, 2]),
        (LOW + HIGH, [0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 2], [0, 1, 2, 2]),
    ],
)
def test_locate_clamps_and_rounds_down(
    text: str, utf8: list[int], utf16: list[int], utf32: list[int]
) -> None:
    for encoding, columns in ((UTF8, utf8), (UTF16, utf16), (UTF32, utf32)):
        document = opened(text, encoding=encoding)
        located = [document.locate(types.Position(0, character)) for character in range(len(columns))]
        assert located == [(0, column) for column in columns]


@pytest.mark.parametrize(("text", "end"), [("", (0, 0)), ("a", (0, 1)), ("a\n", (1, 0)), ("a\né😀", (1, 2))])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_past_the_last_line_is_the_end(
    text: str, end: tuple[int, int], encoding: types.PositionEncodingKind
) -> None:
    assert opened(text, encoding=encoding).locate(types.Position(5, 0)) == end


def test_locate_leaves_the_position_alone() -> None:
    position = types.Position(3, 99)
    opened("a\n").locate(position)
    assert position == types.Position(3, 99)


@given(encodings, texts)
def test_positions_round_trip(encoding: types.PositionEncodingKind, text: str) -> None:
    document = opened(text, encoding=encoding)
    for line, content in enumerate(document.lines):
        for column in range(len(content.rstrip("\r\n")) + 1):
            assert document.locate(document.position(line, column)) == (line, column)


def test_a_position_never_lies_behind_a_line_end() -> None:
    assert opened("a\r\nb").position(0, 3) == types.Position(0, 1)


uintegers = st.integers(0, 2**31 - 1)
far_positions = positions | st.builds(types.Position, line=uintegers, character=uintegers)


@given(encodings, texts, far_positions, far_positions, st.integers(-2, 30))
def test_nothing_raises(
    encoding: types.PositionEncodingKind,
    text: str,
    start: types.Position,
    end: types.Position,
    max_chars: int,
) -> None:
    change = types.TextDocumentContentChangePartial(range=types.Range(start, end), text=text)
    document = opened(text, change, encoding=encoding)
    line, column = document.locate(start)
    excerpts = (
        document.before(line, column, max_chars),
        document.after(line, column, max_chars),
        document.between(types.Range(start, end)),
    )
    assert all(excerpt in document.text for excerpt in excerpts)


# Excerpts


@given(encodings, texts, positions)
def test_before_and_after_make_the_text(
    encoding: types.PositionEncodingKind, text: str, position: types.Position
) -> None:
    document = opened(text, encoding=encoding)
    line, column = document.locate(position)
    before, after = document.before(line, column, 1000), document.after(line, column, 1000)
    assert before + after == document.text
    assert document.sizes(line, column) == (len(before), len(after))


@given(texts, positions, st.integers(-2, 12))
@example("aaaa", types.Position(0, 0), -1)
def test_a_window_is_the_part_next_to_the_cursor(text: str, position: types.Position, max_chars: int) -> None:
    document = opened(text)
    line, column = document.locate(position)
    prefix, suffix = document.before(line, column, 1000), document.after(line, column, 1000)
    assert document.before(line, column, max_chars) == prefix[max(0, len(prefix) - max_chars) :]
    assert document.after(line, column, max_chars) == suffix[: max(0, max_chars)]


@given(encodings, texts, spans)
def test_between_is_what_an_edit_would_replace(
    encoding: types.PositionEncodingKind, text: str, chosen: types.Range
) -> None:
    document = opened(text, encoding=encoding)
    first, last = sorted((document.locate(chosen.start), document.locate(chosen.end)))
    prefix, suffix = document.before(*first, 1000), document.after(*last, 1000)
    assert prefix + document.between(chosen) + suffix == document.text


def test_between_takes_its_ends_in_either_order() -> None:
    assert opened("ab\ncd\nef").between(span((2, 1), (0, 1))) == "b\ncd\ne"


# Surrogates


def test_a_lone_surrogate_keeps_its_place_and_is_handed_out_as_a_replacement_character() -> None:
    document = opened(json.loads(r'"a\ud83db"'), edit((0, 2), (0, 3), "c"))
    assert document.lines == [f"a{HIGH}c"]
    assert document.text == document.before(0, 3, 9) == document.after(0, 0, 9) == "a\ufffdc"
    assert document.between(span((0, 1), (0, 2))) == "\ufffd"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_halves_that_meet_are_one_character(encoding: types.PositionEncodingKind) -> None:
    document = opened(f"{HIGH}\n{LOW}a", edit((0, 9), (1, 0), ""), encoding=encoding)
    assert document.lines == ["😀a"]
    assert document.position(0, 1).character == {UTF8: 4, UTF16: 2, UTF32: 1}[encoding]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        pytest.param(edit((0, 2), (0, 3), "\ude01"), "a😁b", id="replace the second half"),
        pytest.param(edit((0, 1), (0, 2), "\ud83e"), "a🨀b", id="replace the first half"),
        pytest.param(edit((0, 2), (0, 2), ""), "a😀b", id="replace nothing"),
        pytest.param(edit((0, 2), (0, 3), ""), f"a{HIGH}b", id="delete the second half"),
        pytest.param(edit((0, 0), (0, 2), ""), f"{LOW}b", id="delete up to the second half"),
    ],
)
def test_an_edit_may_cut_a_pair(change: types.TextDocumentContentChangePartial, line: str) -> None:
    assert opened("a😀b", change).lines == [line]


# The documents


def test_change_and_close_of_what_is_not_open_are_ignored() -> None:
    documents = Documents()
    documents.change(types.VersionedTextDocumentIdentifier(uri=URI, version=1), [whole("a")])
    documents.close(URI)
    assert documents.get(URI) is None
    assert uris(documents) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file:///c%3A/x.py", "file:///c:/x.py"),
        ("file:///a%20b.py", "file:///a b.py"),
        ("file:///%C3%A9.py", "file:///é.py"),
    ],
)
def test_a_uri_may_be_spelt_in_two_ways(one: str, other: str) -> None:
    documents = Documents()
    documents.open(item(one, "a"))
    documents.change(types.VersionedTextDocumentIdentifier(uri=other, version=2), [whole("b")])
    assert present(documents, other).text == present(documents, one).text == "b"
    assert uris(documents) == [one]
    documents.close(other)
    assert documents.get(one) is None


def test_names_that_are_no_utf8_stay_apart() -> None:
    documents = Documents()
    documents.open(item("file:///%FE"))
    assert documents.get("file:///%FF") is None


def test_the_document_changed_last_comes_first() -> None:
    documents = Documents()
    for uri in ("a", "b", "c"):
        documents.open(item(uri))
    assert uris(documents) == ["c", "b", "a"]
    documents.change(types.VersionedTextDocumentIdentifier(uri="a", version=2), [whole("x")])
    assert uris(documents) == ["a", "c", "b"]


def test_documents_may_be_closed_while_iterating() -> None:
    documents = Documents()
    for uri in ("a", "b"):
        documents.open(item(uri))
    for document in documents:
        documents.close(document.uri)
    assert uris(documents) == []


def test_a_language_is_a_plain_string() -> None:
    documents = Documents()
    documents.open(types.TextDocumentItem(URI, types.LanguageKind.Python, 1, ""))
    assert f"{present(documents, URI).language_id}" == "python"


def test_a_document_does_not_show_its_text() -> None:
    assert "secret" not in repr(opened("secret"))


# The naive way: the whole text as code units


def naive_edit(
    text: str, change: types.TextDocumentContentChangePartial, encoding: types.PositionEncodingKind
) -> str:
    codec, _ = CODECS[encoding]
    units = text.encode(codec, "surrogatepass")
    start, end = sorted(naive_offset(text, at, encoding) for at in (change.range.start, change.range.end))
    result = units[:start] + change.text.encode(codec, "surrogatepass") + units[end:]
    return paired(result.decode(codec, "surrogatepass"))


def naive_offset(text: str, position: types.Position, encoding: types.PositionEncodingKind) -> int:
    codec, unit = CODECS[encoding]
    units = text.encode(codec, "surrogatepass")
    lines = naive_lines(text)
    if position.line >= len(lines):
        return len(units)
    above = len("".join(lines[: position.line]).encode(codec, "surrogatepass"))
    content = lines[position.line].rstrip("\r\n").encode(codec, "surrogatepass")
    offset = above + min(unit * position.character, len(content))
    while encoding == UTF8 and offset < len(units) and units[offset] & 0b1100_0000 == 0b1000_0000:
        offset -= 1
    return offset


def naive_lines(text: str) -> list[str]:
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def encodable(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
