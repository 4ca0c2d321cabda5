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
from phial.assist.excerpt import Excerpt
from phial.assist.prompts import completion
from phial.assist.suggestions import Cursor, Suggestions
from phial.assist.syntax import _root, block_at
from phial.engine.base import Abilities, Request, Sampling
from phial.lsp.documents import Document, Documents
from phial.lsp.gaps import gap_at
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
    suggestions, taken = Suggestions(), []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(suggestions.run)
        for number, hole in enumerate(holes[:: len(holes) // most + 1]):
            document = _opened(hole, f"file:///{number}.py")
            taken.append(await _completed(suggestions, document, hole))
        tasks.cancel_scope.cancel()
    return taken


def _some(spots: Sequence[Spot]) -> list[Spot]:
    return [spot for spot in spots if spot.kind in {"rest", "line", "block"}]


def _opened(hole: Hole, uri: str) -> Document:
    documents = Documents()
    documents.open(types.TextDocumentItem(uri, "python", 1, hole.filled("")))
    document = documents.get(uri)
    assert document
    return document


async def _completed(suggestions: Suggestions, document: Document, hole: Hole) -> float:
    params = types.InlineCompletionParams(
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
        text_document=types.TextDocumentIdentifier(document.uri),
        position=types.Position(hole.prefix.count("\n"), len(hole.prefix.rpartition("\n")[2])),
    )
    path = hole.function.source.shown_path
    engine = _writing(gap_at(document, params).excerpt(path), hole)
    _root.cache_clear()
    block_at.cache_clear()
    began = time.thread_time()
    gap = gap_at(document, params)
    cursor = Cursor(document.uri, gap.excerpt(path), document.size)
    found = await suggestions.at(cursor, engine, _SETTINGS, "automatic")
    items = [gap.item(insertion) for insertion in found]
    whole = time.thread_time() - began
    assert len(items) <= 1
    return whole - await _streamed(engine.taken)


def _writing(excerpt: Excerpt, hole: Hole) -> FakeEngine:
    """Return an engine that writes what stood in a hole, behind what it is held to begin with."""
    fragment = completion(excerpt, Abilities(regex=True), max_tokens=1).fragment
    return FakeEngine(*_TOKEN.findall(fragment + hole.truth + hole.suffix[:_GOES_ON]))


async def _streamed(tokens: Sequence[str]) -> float:
    began = time.thread_time()
    async with FakeEngine(*tokens).stream(Request((), Sampling(1))) as chunks:
        async for _ in chunks:
            pass
    return time.thread_time() - began


if __name__ == "__main__":
    typer.run(main)
