"""The open documents, as the Language Server Protocol sees them.

A document is its list of lines. An edit copies the list, which copies references and no text, splices the
new lines into the copy and publishes it as a new `Document`; nothing is changed once it is published. So a
handler may keep the `Document` it was given across any `await`, and no snapshot has to be asked for. The
copy is the only cost that grows with the file: one or two milliseconds for 200,000 lines.

pygls has a text document too. It splits lines where the protocol does not (form feed, U+2028), which
corrupts the text at the next edit, and it splits the whole text anew for each position.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from urllib.parse import unquote

from lsprotocol import types


@dataclass(frozen=True, eq=False)
class Document:
    """One version of an open document; it never changes.

    Each line keeps its line end, and the last line has none: a text that ends in a line end has an empty
    last line. Columns and lengths count code points; only `types.Position` counts the client's code units.
    Lines may hold lone surrogates, for the client counts them; the texts handed out never do. `edited`: the
    lines that were changed last, the latest first, far enough apart to be different places.
    """

    uri: str
    language_id: str
    version: int
    lines: Sequence[str] = field(repr=False)  # the user's text does not belong in a log
    encoding: types.PositionEncodingKind
    edited: tuple[int, ...] = ()

    @cached_property
    def text(self) -> str:
        """Join the whole text; `before` and `after` are cheaper around a cursor."""
        return _encodable("".join(self.lines))

    @cached_property
    def size(self) -> int:
        """How many characters it has."""
        return sum(map(len, self.lines))

    def locate(self, position: types.Position) -> tuple[int, int]:
        """Return the line and the column of a position; never raises.

        As the specification has it, a position past the end of a line means the end of that line, before
        its line end; past the last line it means the end of the document. Inside a character it means the
        start of that character.
        """
        line, character = _clamp(self.lines, position)
        return line, _column(_content(self.lines[line]), character, self.encoding)

    def position(self, line: int, column: int) -> types.Position:
        """Return the position that the client knows a line and a column by."""
        prefix = _content(self.lines[line])[:column]
        return types.Position(line=line, character=_width(prefix, self.encoding))

    def sizes(self, line: int, column: int) -> tuple[int, int]:
        """Return how many characters stand before and after a line and a column."""
        above = sum(map(len, islice(self.lines, line))) + column
        return above, self.size - above

    def before(self, line: int, column: int, max_chars: int) -> str:
        """Return at most `max_chars` characters that end at a line and a column."""
        pieces = [self.lines[line][:column]]
        missing = max_chars - len(pieces[0])
        while missing > 0 and line > 0:
            line -= 1
            pieces.append(self.lines[line])
            missing -= len(self.lines[line])
        pieces.reverse()
        text = "".join(pieces)
        return _encodable(text[max(0, len(text) - max(0, max_chars)) :])

    def after(self, line: int, column: int, max_chars: int) -> str:
        """Return at most `max_chars` characters that start at a line and a column."""
        pieces = [self.lines[line][column:]]
        missing = max_chars - len(pieces[0])
        while missing > 0 and line + 1 < len(self.lines):
            line += 1
            pieces.append(self.lines[line])
            missing -= len(self.lines[line])
        return _encodable("".join(pieces)[: max(0, max_chars)])

    def between(self, span: types.Range) -> str:
        """Return the text of a range, whichever of its ends comes first."""
        (first, start), (last, end) = sorted((self.locate(span.start), self.locate(span.end)))
        if first == last:
            return _encodable(self.lines[first][start:end])
        pieces = (self.lines[first][start:], *self.lines[first + 1 : last], self.lines[last][:end])
        return _encodable("".join(pieces))


class Documents:
    """The documents that the editor has open, kept up to date from its notifications.

    To be changed from one thread only. Iterating starts with the document opened or changed last. Set
    `encoding` when it has been negotiated: a document keeps the one it was opened with.
    """

    def __init__(self, encoding: types.PositionEncodingKind = types.PositionEncodingKind.Utf16) -> None:
        self.encoding = encoding
        self._documents: dict[str, Document] = {}

    def __iter__(self) -> Iterator[Document]:
        return reversed(tuple(self._documents.values()))

    def get(self, uri: str) -> Document | None:
        """Return the present version of a document, or `None` when it is not open."""
        return self._documents.get(_key(uri))

    def open(self, item: types.TextDocumentItem) -> None:
        """Take over a document from the editor, in place of any with the same URI."""
        self._publish(self.closed(item))

    def closed(self, item: types.TextDocumentItem) -> Document:
        """Return a document that the editor need not have open."""
        language = item.language_id
        return Document(
            uri=item.uri,
            language_id=language.value if isinstance(language, types.LanguageKind) else language,
            version=item.version,
            lines=_split(item.text),
            encoding=self.encoding,
        )

    def change(
        self,
        identifier: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> None:
        """Apply changes in their order; a document that is not open is ignored."""
        document = self.get(identifier.uri)
        if document is None:
            return
        lines, edited = list(document.lines), document.edited
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                _splice(lines, change.range, change.text, document.encoding)
                edited = _edited(edited, change.range.start.line)
            else:
                lines, edited = _split(change.text), ()
        self._publish(replace(document, version=identifier.version, lines=lines, edited=edited))

    def close(self, uri: str) -> None:
        """Forget a document; one that is not open is ignored."""
        self._documents.pop(_key(uri), None)

    def _publish(self, document: Document) -> None:
        key = _key(document.uri)
        self._documents.pop(key, None)  # a dict keeps an old key where it stood; the latest stands last
        self._documents[key] = document


def _edited(lines: tuple[int, ...], line: int) -> tuple[int, ...]:
    """Put a line before those that were edited earlier, elsewhere."""
    return (line, *(other for other in lines if abs(other - line) > _ONE_PLACE))[:_MOST_PLACES]


_ONE_PLACE = 10
"""Lines."""
_MOST_PLACES = 4


def _key(uri: str) -> str:
    """Spell a URI in one way: editors disagree on `c%3A` and `c:`."""
    return unquote(uri, errors="surrogateescape")  # two names that are no UTF-8 stay two names


def _splice(lines: list[str], span: types.Range, text: str, encoding: types.PositionEncodingKind) -> None:
    """Replace a range of the lines, in place, and split anew only what it touches."""
    start, end = sorted((_clamp(lines, span.start), _clamp(lines, span.end)))
    first, last = start[0], end[0]
    head, _ = _cut(lines[first], start[1], encoding)
    _, tail = _cut(lines[last], end[1], encoding)
    touched = head + text + tail
    if touched.startswith("\n") and first > 0 and lines[first - 1].endswith("\r"):
        first -= 1
        touched = lines[first] + touched  # two line ends have become one
    fresh = _split(touched)
    if last + 1 < len(lines):
        fresh.pop()  # the empty line after the last line end; what follows stands there already
    lines[first : last + 1] = fresh


def _split(text: str) -> list[str]:
    """Split a text at LF, CR LF and CR, and at nothing else, unlike `str.splitlines`."""
    lines = list(io.StringIO(_pair(text), newline=""))
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def _cut(line: str, character: int, encoding: types.PositionEncodingKind) -> tuple[str, str]:
    """Cut a line in two at a position, inside a surrogate pair too where the client counts UTF-16.

    An editor that sends the smallest difference of two emoji replaces one half of the pair. Rounding here,
    as `locate` does, would leave the line one code unit shorter than the client's.
    """
    content = _content(line)
    if encoding != types.PositionEncodingKind.Utf16 or line.isascii():
        column = _column(content, character, encoding)
        return line[:column], line[column:]
    units = content.encode("utf-16-le", "surrogatepass")
    head, tail = units[: 2 * character], units[2 * character :]
    return (
        head.decode("utf-16-le", "surrogatepass"),
        tail.decode("utf-16-le", "surrogatepass") + line[len(content) :],
    )


def _clamp(lines: Sequence[str], position: types.Position) -> tuple[int, int]:
    if position.line < len(lines):
        return position.line, position.character
    return len(lines) - 1, sys.maxsize


def _content(line: str) -> str:
    return line.rstrip("\r\n")  # a line holds these characters only as its one line end


def _column(content: str, character: int, encoding: types.PositionEncodingKind) -> int:
    """Count the code points that fit into so many code units, by halving: each half is measured in C."""
    low, high = 0, min(len(content), character)
    if content.isascii():
        return high
    while low < high:
        middle = (low + high + 1) // 2
        width = _width(content[low:middle], encoding)
        if width > character:
            high = middle - 1
        else:
            low, character = middle, character - width
    return low


def _width(text: str, encoding: types.PositionEncodingKind) -> int:
    """Count the code units of a text; a lone surrogate counts as it does in WTF-8 and in UTF-16."""
    if encoding == types.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == types.PositionEncodingKind.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _pair(text: str) -> str:
    """Join two surrogates that an edit has brought together into the character that they are.

    The client has that one character now: two code units of UTF-16 as before, but four bytes of UTF-8
    rather than six, and one code point rather than two.
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _encodable(text: str) -> str:
    """Replace lone surrogates by U+FFFD, one for one, since the result must encode as UTF-8."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_SURROGATE = re.compile("[\ud800-\udfff]")
