"""What a completion costs outside of the model: reading the document, the prompt, trimming, deciding.

In milliseconds of this process's own time, so that a busy machine does not count; the turns that an engine
takes to hand over its tokens are measured alone and taken off.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import anyio
import typer
from lsprotocol import types

from evaluation.holes import Hole, Spot
from evaluation.python_code import functions
from evaluation.sources import Source, sources
from evaluation.statistics import quantile
from phial.assist.excerpt import PREFIX_CHARS, SUFFIX_CHARS, excerpt_around
from phial.assist.suggestions import Suggestions
from phial.engine.base import Request, Sampling
from phial.lsp.documents import Document, Documents
from phial.settings import CompletionSettings
from support.fake_engine import FakeEngine

_LINES = range(1_800, 2_600)
_GOES_ON = 200
"""Characters: a model writes on behind what was wanted, and is left."""

_SETTINGS = CompletionSettings(debounce=0)
_TOKEN = re.compile(r"\w{1,6}|[ \t]+|\n[ \t]*|.")


def main(files: int = 3, most: int = 400) -> None:
    """Let an engine write what stood in the holes of files of about 2,000 lines, and tell what all else costs."""
    found = [source for source in sources("python") if source.text.count("\n") in _LINES][:files]
    for source in found:
        taken = anyio.run(_measured, source, most)
        shares = ((name, 1000 * quantile(taken, share)) for name, share in _SHARES.items())
        figures = ", ".join(f"{name} {milliseconds:.2f} ms" for name, milliseconds in shares)
        typer.echo(f"{source.path}, {source.text.count(chr(10))} lines, {len(taken)} completions: {figures}")


_SHARES = {"median": 0.5, "90 %": 0.9, "99 %": 0.99}


async def _measured(source: Source, most: int) -> Sequence[float]:
    """Return the seconds of each completion, in the order of the holes."""
    holes = [Hole(function, spot) for function in functions(source) for spot in _some(function.spots)]
    taken = []
    for hole in holes[:: len(holes) // most + 1]:
        document = _opened(hole)
        tokens = _TOKEN.findall(hole.truth + hole.suffix[:_GOES_ON])
        taken.append(await _completed(document, hole, FakeEngine(*tokens)))
    return taken


def _some(spots: Sequence[Spot]) -> list[Spot]:
    return [spot for spot in spots if spot.kind in {"rest", "line", "block"}]


def _opened(hole: Hole) -> Document:
    documents = Documents()
    documents.open(types.TextDocumentItem("file:///a.py", "python", 1, hole.filled("")))
    document = documents.get("file:///a.py")
    assert document
    return document


async def _completed(document: Document, hole: Hole, engine: FakeEngine) -> float:
    position = types.Position(hole.prefix.count("\n"), len(hole.prefix.rpartition("\n")[2]))
    suggestions = Suggestions()
    began = time.thread_time()
    line, column = document.locate(position)
    excerpt = excerpt_around(
        document.before(line, column, PREFIX_CHARS),
        document.after(line, column, 2 * SUFFIX_CHARS),
        sizes=document.sizes(line, column),
        path=hole.function.source.shown_path,
        language=document.language_id,
    )
    await suggestions.at(document.uri, excerpt, engine, _SETTINGS, "automatic")
    whole = time.thread_time() - began
    return whole - await _streamed(engine.taken)


async def _streamed(tokens: Sequence[str]) -> float:
    began = time.thread_time()
    async with FakeEngine(*tokens).stream(Request((), Sampling(1))) as chunks:
        async for _ in chunks:
            pass
    return time.thread_time() - began


if __name__ == "__main__":
    typer.run(main)
