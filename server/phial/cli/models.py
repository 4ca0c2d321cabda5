"""`phial models`: which models there are, and how they get here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from phial.cli.output import console, errors, print_json
from phial.errors import ModelNotFound
from phial.models import starter, store
from phial.models.catalog import CATALOG, CatalogEntry, find

app = typer.Typer(
    help="The models on this machine.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list")
def list_models(
    *, json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False
) -> None:
    """List the models that are known, and which are installed.

    Example: `phial models list`
    """
    installed = {model.id: model for model in store.installed()}
    rows = [
        _Row(entry.id, entry.title, entry.context_length, entry.id in installed, entry) for entry in CATALOG
    ]
    rows += [
        _Row(model.id, model.title, model.context_length, installed=True)
        for model in installed.values()
        if find(model.id) is None
    ]
    if json:
        print_json([row.as_json() for row in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Id", "Model", "Licence", "Download", "Context", "Installed"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*row.cells())
    console.print(table)


@dataclass(frozen=True)
class _Row:
    id: str
    title: str
    context_length: int | None
    installed: bool
    entry: CatalogEntry | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "title": self.title,
            "licence": self.entry.licence if self.entry else None,
            "downloadBytes": self.entry.download_bytes if self.entry else None,
            "contextLength": self.context_length,
            "installed": self.installed,
        }

    def cells(self) -> tuple[str, ...]:
        licence = self.entry.licence if self.entry else ""
        download = f"{self.entry.download_bytes / 1e6:.0f} MB" if self.entry else ""
        context = f"{self.context_length} tokens" if self.context_length else ""
        return self.id, self.title, licence, download, context, "yes" if self.installed else "no"


@app.command()
def pull(
    model: Annotated[str, typer.Argument(help="Id of the model, as `phial models list` shows it.")],
) -> None:
    """Fetch a model. Cut off, it goes on where it stopped when it is run again.

    Example: `phial models pull starter`
    """
    entry = find(model)
    if entry is None:
        raise ModelNotFound(f"There is no model {model} to fetch.")
    if store.find_installed(entry.id):
        console.print(f"{entry.title} is installed.")
        return
    with _shown_progress() as told:
        starter.pull_starter(told)
    console.print(f"{entry.title} is installed.")


@contextmanager
def _shown_progress() -> Iterator[Callable[[starter.Progress], None]]:
    """Show a bar to a person, and a line per stage to a pipe."""
    if not errors.is_terminal:
        yield _lines_per_stage()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=errors) as bars:
        task = bars.add_task("")

        def told(now: starter.Progress) -> None:
            bars.update(task, description=_STAGES[now.stage], completed=now.done, total=now.total or None)

        yield told


def _lines_per_stage() -> Callable[[starter.Progress], None]:
    shown: set[str] = set()

    def told(now: starter.Progress) -> None:
        if now.stage not in shown:
            shown.add(now.stage)
            size = f" ({now.total / 1e6:.0f} MB)" if now.total else ""
            errors.print(f"{_STAGES[now.stage]}{size}")

    return told


_STAGES = {
    "waiting": "Preparing",
    "finding": "Finding the model",
    "downloading": "Downloading",
    "extracting": "Unpacking",
    "converting": "Converting to OpenVINO",
}
