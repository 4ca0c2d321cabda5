"""How the command line talks: to a person in colour, to a pipe plainly, to a script in JSON."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from rich.console import Console

from phial.errors import PhialError
from phial.lsp.protocol import StatusResult
from phial.lsp.session import Session

_WIDTH_OF_PIPE = 100

console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_PIPE)
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH_OF_PIPE)


def fail(error: PhialError) -> NoReturn:
    """Tell an error in one sentence with its next step, and exit with code 1."""
    errors.print(f"[bold red]error:[/] {_escaped(str(error))}", soft_wrap=True)
    sys.exit(1)


def print_json(data: Any) -> None:
    """Print data for a script."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def print_json_line(data: Any) -> None:
    """Print data on a line of its own, at once, for a program that reads along."""
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


async def waiting_for_model(session: Session) -> StatusResult:
    """Wait until the model is ready: a spinner for a person, a line per stage for a pipe, both on stderr."""
    if not errors.is_terminal:
        return await session.until_ready(lambda status: errors.print(_escaped(status.message), style="dim"))
    with errors.status("Looking for the model host.") as spinner:
        return await session.until_ready(lambda status: spinner.update(_escaped(status.message)))


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
