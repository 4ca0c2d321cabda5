"""`phial models`: which models there are, how they get here, and which one is in use."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from phial.cli import export
from phial.cli.model_table import print_rows
from phial.cli.output import console, print_json
from phial.cli.pull_progress import progress_for_scripts, shown_progress
from phial.models import store
from phial.models.overview import ModelRow, overview
from phial.models.pull import pull as pull_model
from phial.settings import camel_case

app = typer.Typer(
    help="The models on this machine.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the model, as `phial models list` shows it.")]


@app.command("list")
def list_models(
    *, json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False
) -> None:
    """List the models that are known: what each needs, whether it fits, and how to get it.

    Example: `phial models list`
    """
    rows = overview()
    if json:
        print_json([_as_json(row) for row in rows])
    else:
        print_rows(rows, lost_choice=store.lost_choice())


@app.command()
def pull(
    model: Id,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the progress as lines of JSON.")] = False,
) -> None:
    """Fetch a model. Cut off, it goes on where it stopped when it is run again.

    Example: `phial models pull phi-3-mini-4k`
    """
    if json:
        with progress_for_scripts() as told:
            pull_model(model, told)
        return
    with shown_progress() as told:
        installed = pull_model(model, told)
    used = store.in_use()
    if used == installed:
        console.print(f"{installed.title} is installed and in use.", soft_wrap=True)
    else:
        advice = f"Run `phial models use {installed.id}` to use it."
        console.print(f"{installed.title} is installed. {advice}", soft_wrap=True)


@app.command()
def use(
    model: Annotated[
        str, typer.Argument(metavar="ID|PATH", help="Id of an installed model, or the path of a folder.")
    ],
) -> None:
    """Use a model wherever the editor's settings name none.

    Example: `phial models use phi-3-mini-4k`
    """
    used = store.use(model)
    told = f"{used.title} is in use. Windows that are open change to it when they are reloaded."
    console.print(told, soft_wrap=True, markup=False)


@app.command()
def remove(model: Id) -> None:
    """Delete an installed model, or what has arrived of one.

    Example: `phial models remove phi-3-mini-4k`
    """
    before = store.in_use()
    store.remove(model)
    console.print(f"{model} is removed.")
    used = store.in_use()
    if used is None:
        console.print("No model is left. Run `phial models list` to see what there is.")
    elif used != before:
        console.print(f"{used.title} is in use now.", soft_wrap=True, markup=False)


@app.command()
def path(model: Id) -> None:
    """Print the folder of an installed model.

    Example: `phial models path starter`
    """
    sys.stdout.write(f"{store.resolve(model).folder}\n")


@app.command()
def verify(
    model: Annotated[str, typer.Argument(metavar="[ID]", help="Id of a model; all of them without.")] = "",
) -> None:
    """Compare installed models with what was fetched, byte for byte; exit code 1 if a file is not the same.

    Example: `phial models verify phi-3-mini-4k`
    """
    problems = {model_id: store.verify(model_id) for model_id in ([model] if model else store.managed())}
    for model_id, found in problems.items():
        for problem in found:
            sys.stdout.write(f"{model_id}: {problem}\n")
        if not found:
            console.print(f"{model_id} is sound.")
    raise typer.Exit(1 if any(problems.values()) else 0)


app.command()(export.export)


def _as_json(row: ModelRow) -> dict[str, object]:
    return {**{camel_case(name): value for name, value in asdict(row).items()}, "command": row.command}
