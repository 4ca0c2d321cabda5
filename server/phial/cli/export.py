"""`phial models export`: make a model here, out of what its authors published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Annotated

import typer
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from phial.cli.output import console, errors
from phial.models import store
from phial.models.conversion import ExportOptions
from phial.models.export import ExportProgress, default_id
from phial.models.export import export as export_model


class WeightFormat(str, Enum):
    """How the weights are stored."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    INT4 = "int4"


_USUAL = ExportOptions()


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder with a model as transformers saves it, or a hub repository as owner/name.",
        ),
    ],
    *,
    id: Annotated[  # noqa: A002 - the option's name
        str, typer.Option("--id", help="Id to install it under; else the last part of SOURCE makes one.")
    ] = "",
    weight_format: Annotated[
        WeightFormat, typer.Option(help="Smaller is faster, larger is nearer to the original.")
    ] = WeightFormat.INT4,
    group_size: Annotated[
        int, typer.Option(min=-1, help="For int4: how many weights share a scale; -1: a whole column.")
    ] = _USUAL.group_size,
    ratio: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="For int4: share of layers in 4 bits, the others get 8.")
    ] = _USUAL.ratio,
    sym: Annotated[
        bool, typer.Option("--sym/--asym", help="For int4 and int8: whether zero is stored as zero.")
    ] = _USUAL.sym,
    dataset: Annotated[
        str,
        typer.Option(help="For int4: choose the layers by what they do to texts (auto, wikitext2, c4 ...)."),
    ] = "",
) -> None:
    """Export a model with optimum-intel, which the extra `optimum` installs. Code that a model brings is not run.

    Example: `phial models export microsoft/Phi-3-mini-4k-instruct`
    """
    model_id = id or default_id(source, weight_format.value)
    options = ExportOptions(weight_format.value, group_size, ratio, sym, dataset or None)
    with shown_progress() as told:
        model = export_model(source, model_id=model_id, options=options, progress=told)
    used = store.in_use() == model
    end = " and in use." if used else f". Run `phial models use {model.id}` to use it."
    console.print(f"{model.title} is installed as {model.id}{end}", soft_wrap=True, markup=False)


@contextmanager
def shown_progress() -> Iterator[Callable[[ExportProgress], None]]:
    """Show on stderr what it is told: a spinner with the stage and the time to a person, lines to a pipe."""
    if not errors.is_terminal:
        yield _lines()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bars(*columns, console=errors, transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda now: bars.update(task, description=_told(now))


def _lines() -> Callable[[ExportProgress], None]:
    shown: set[str] = set()

    def told(now: ExportProgress) -> None:
        if now.stage not in shown:
            shown.add(now.stage)
            errors.print(f"{_told(now)} ({now.seconds:.0f} s)")

    return told


def _told(now: ExportProgress) -> str:
    size = f" {now.done / 1e6:,.0f} of {now.total / 1e6:,.0f} MB" if now.total else ""
    return f"{_STAGES[now.stage]}{size}"


_STAGES = {
    "waiting": "Preparing",
    "finding": "Finding the model",
    "downloading": "Downloading",
    "building": "Building the random weights",
    "loading": "Loading the weights",
    "converting": "Converting to OpenVINO",
    "compressing": "Compressing the weights",
    "saving": "Saving",
}
