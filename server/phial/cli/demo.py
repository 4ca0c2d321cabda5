"""`phial demo`: an editor's session with the language server, printed so that a person can follow it."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from phial.assist import excerpt
from phial.cli.output import console, waiting_for_model
from phial.lsp.protocol import ChatResult, StatusResult
from phial.lsp.session import Session, editor_session

_QUESTION = "What is a Python list comprehension? Answer in two sentences with one example."
_ANSWER_TOKENS = 140

_EXPLAINED = ("\ndef indentation(", 4)
"""What is explained of the file below: the line it begins with, and how many lines it has."""

_COMPLETED = "        return self.prefix.rparti"
"""What is typed on a line of the file below; the rest of the line is taken away first."""

_EDITORS = """\
Use it in an editor (the model stays loaded and is shared by all windows):

  Neovim 0.12   vim.lsp.config('phial', {{ cmd = {{ {command} }}, filetypes = {{ 'python' }} }})
                vim.lsp.enable('phial')
                vim.lsp.inline_completion.enable()

  Helix         [language-server.phial]
                command = "{program}"
                args = ["serve"]

  any other     start `{program} serve` and speak LSP on its stdin and stdout.

`phial doctor` tells what this machine has, `phial models list` which models there are."""


@dataclass
class _Clock:
    """Measures an answer: its first text, and its end."""

    began: float = field(default_factory=time.perf_counter)
    first: float | None = None

    def __call__(self, text: str) -> None:
        self.first = self.first or time.perf_counter()
        console.print(Text(text), end="", soft_wrap=True)

    def told(self, answer: ChatResult) -> str:
        now = time.perf_counter()
        first = self.first or now
        speed = (answer.usage.completion_tokens - 1) / max(now - first, 1e-9)
        cached = f", {answer.usage.cached_tokens} of them cached" if answer.usage.cached_tokens else ""
        return (
            f"first token after {first - self.began:.2f} s, {speed:.0f} tokens/s,"
            f" {answer.usage.completion_tokens} tokens for a prompt of {answer.usage.prompt_tokens}{cached}"
        )


def demo(
    *,
    model: Annotated[str, typer.Option(help="Id or path of the model; the best installed one without.")] = "",
    device: Annotated[str, typer.Option(help="AUTO, CPU, GPU, GPU.0, NPU.")] = "AUTO",
) -> None:
    """Show a question, an explanation and a completion, all through the real language server.

    Example: `phial demo`
    """
    file = Path(excerpt.__file__)
    text = file.read_text(encoding="utf-8")
    anyio.run(
        _show,
        file,
        text,
        {"model": model, "device": device, "keepAlive": 1, "chat": {"maxTokens": _ANSWER_TOKENS}},
    )
    console.print()
    console.print(Rule(style="dim"))
    program = shutil.which("phial", path=Path(sys.executable).parent) or "phial"
    _plain(_EDITORS.format(program=program, command=f"'{program}', 'serve'"))


async def _show(file: Path, text: str, settings: dict[str, Any]) -> None:
    async with editor_session(settings=settings, folder=file.parents[2]) as session:
        began = time.perf_counter()
        ready = await waiting_for_model(session)
        _introduce(ready, time.perf_counter() - began)
        await _ask(session)
        await _explain(session, file, text)
        await _complete(session, file, text)


def _introduce(ready: StatusResult, seconds: float) -> None:
    console.print(
        Text.assemble(("Phial", "bold"), f" answers from this machine: {ready.model} on {ready.device}.")
    )
    console.print(f"The model was there after {seconds:.1f} s.", style="dim")
    if ready.starter:
        warning = (
            "This is the small starter model: it shows how Phial works, not how well a larger model answers."
        )
        console.print(warning, style="yellow", soft_wrap=True)


async def _ask(session: Session) -> None:
    _head("A question")
    console.print(Text(_QUESTION, style="bold"))
    console.print()
    clock = _Clock()
    answer = await session.ask(_QUESTION, clock)
    console.print("\n")
    _figures(clock.told(answer))


async def _explain(session: Session, file: Path, text: str) -> None:
    _head(f"An explanation of a selection in {file.name}")
    opening, count = _EXPLAINED
    first = text[: text.index(opening) + 1].count("\n")
    lines = text.splitlines()[first : first + count]
    _code("\n".join(lines), first + 1)
    console.print()
    clock = _Clock()
    uri = session.open(file, text)
    answer = await session.explain(uri, first, first + count - 1, clock)
    console.print("\n")
    _figures(clock.told(answer))


async def _complete(session: Session, file: Path, text: str) -> None:
    _head(f"A completion while typing in {file.name}")
    at = text.index(_COMPLETED) + len(_COMPLETED)
    written = text[at:].partition("\n")[0]
    uri = session.open(file, text[:at] + text[at + len(written) :])
    line = text[:at].count("\n")
    began = time.perf_counter()
    ghost = await session.complete(uri, line, len(_COMPLETED))
    seconds = time.perf_counter() - began
    speed = session.status.tokens_per_second if session.status else None
    above = text[:at].splitlines()[-5:-1]
    _code("\n".join(above), line - len(above) + 1)
    shown = Text.assemble((f"  {line + 1} ", "dim"), _COMPLETED, _ghost(ghost or ""))
    console.print(shown, soft_wrap=True)
    below = text[at + len(written) + 1 :].splitlines()[:2]
    _code("\n".join(below), line + 2)
    console.print()
    _plain(f"Ghost text: {ghost!r}; the file had {written!r}.")
    pace = f", {speed:.0f} tokens/s" if speed else ""
    _figures(f"ghost text after {seconds:.2f} s{pace}")


def _head(title: str) -> None:
    console.print()
    console.print(Rule(title, align="left", style="dim"))
    console.print()


def _code(text: str, first_line: int) -> None:
    console.print(
        Syntax(text, "python", line_numbers=True, start_line=first_line, background_color="default")
    )


def _figures(told: str) -> None:
    console.print(f"[{told}]", style="dim", markup=False, soft_wrap=True)


def _ghost(text: str) -> Text:
    """Show ghost text apart from what was typed; without colours, between marks."""
    return Text(text, "italic cyan") if console.color_system else Text(f"«{text}»")


def _plain(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
