"""`phial ask | explain | complete`: what an editor asks, from the command line, through the language server."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from phial.cli.output import errors, print_json, waiting_for_model
from phial.errors import UsageError
from phial.lsp.protocol import ChatResult
from phial.lsp.session import Session, editor_session

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Model = Annotated[str, typer.Option(help="Id or path of the model; the best installed one without.")]
Device = Annotated[str, typer.Option(help="AUTO, CPU, GPU, GPU.0, NPU.")]


def ask(question: str, *, json: Json = False, model: Model = "", device: Device = "AUTO") -> None:
    """Ask a question.

    Example: `phial ask "How do I reverse a list in Python?"`
    """
    anyio.run(partial(_ask, question, json=json, settings=_settings(model, device)))


def explain(
    file: Path,
    *,
    lines: Annotated[str, typer.Option(help="First and last line, from 1: 10-24.")] = "",
    json: Json = False,
    model: Model = "",
    device: Device = "AUTO",
) -> None:
    """Explain some lines of a file, or all of it.

    Example: `phial explain server/app.py --lines 10-24`
    """
    text = read_text(file)
    first, last = _line_range(lines, text.count("\n") + 1)
    anyio.run(partial(_explain, file, text, first, last, json=json, settings=_settings(model, device)))


def complete(
    file: Path,
    *,
    line: Annotated[int, typer.Option(help="The cursor's line, from 1.", min=1)],
    column: Annotated[int, typer.Option(help="The cursor's column, from 1.", min=1)],
    json: Json = False,
    model: Model = "",
    device: Device = "AUTO",
) -> None:
    """Print the ghost text at a place in a file; exit code 1 if there is none.

    Example: `phial complete server/app.py --line 12 --column 20`
    """
    text = read_text(file)
    found = anyio.run(partial(_complete, file, text, line - 1, column - 1, settings=_settings(model, device)))
    if json:
        print_json({"text": found})
    elif found is not None:
        sys.stdout.write(found + "\n")
    else:
        errors.print("Nothing to complete here.", style="dim")
    raise typer.Exit(0 if found is not None else 1)


@asynccontextmanager
async def ready_session(settings: dict[str, Any], folder: Path) -> AsyncIterator[Session]:
    """Start a language server and wait for its model, showing how the load goes."""
    async with editor_session(settings=settings, folder=folder) as session:
        await waiting_for_model(session)
        yield session


def read_text(file: Path) -> str:
    """Return a source file's text. Raises `UsageError` where it has none."""
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", advice="Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no UTF-8 text.", advice="Name a source file.") from error


async def _ask(question: str, *, json: bool, settings: dict[str, Any]) -> None:
    async with ready_session(settings, Path.cwd()) as session:
        _finish(await session.ask(question, _telling(json=json)), json=json)


async def _explain(
    file: Path, text: str, first: int, last: int, *, json: bool, settings: dict[str, Any]
) -> None:
    async with ready_session(settings, Path.cwd()) as session:
        uri = session.open(file, text)
        _finish(await session.explain(uri, first, last, _telling(json=json)), json=json)


async def _complete(file: Path, text: str, line: int, column: int, *, settings: dict[str, Any]) -> str | None:
    async with ready_session(settings, Path.cwd()) as session:
        return await session.complete(session.open(file, text), line, column)


def _telling(*, json: bool) -> Any:
    def told(text: str) -> None:
        if not json:
            sys.stdout.write(text)
            sys.stdout.flush()

    return told


def _finish(answer: ChatResult, *, json: bool) -> None:
    if json:
        print_json(
            {
                "text": answer.text,
                "finishReason": answer.finish_reason,
                "usage": {
                    "promptTokens": answer.usage.prompt_tokens,
                    "cachedTokens": answer.usage.cached_tokens,
                    "completionTokens": answer.usage.completion_tokens,
                },
            }
        )
    else:
        sys.stdout.write("\n")


def _settings(model: str, device: str) -> dict[str, Any]:
    return {"model": model, "device": device}


def _line_range(lines: str, count: int) -> tuple[int, int]:
    """Return the first and the last line, from 0, of a range as people write it."""
    if not lines:
        return 0, count - 1
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", lines.strip())
    if not found:
        raise UsageError(
            f"`{lines}` is no range of lines.", advice="Write the first and the last: --lines 10-24."
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last:
        raise UsageError(f"The range {lines} is empty.", advice="Lines count from 1, the first one first.")
    if first > count:
        raise UsageError(
            f"The file has {count} lines, and {lines} is below its end.", advice="Name lines it has."
        )
    return first - 1, min(last, count) - 1
