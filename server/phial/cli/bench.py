"""`phial bench`: how fast everything is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.table import Table

from phial.bench import report, shapes
from phial.bench.figures import Figure, in_words
from phial.bench.picture import drawn
from phial.bench.report import PARTS, Plan, Report
from phial.bench.rivals import comparison
from phial.cli.export import shown_progress
from phial.cli.output import console, errors, print_json
from phial.models import store
from phial.models.store import Model


def bench(
    *,
    model: Annotated[str, typer.Option(help="Id or path of the model; the one in use without.")] = "",
    shape: Annotated[
        str, typer.Option(help="Measure a model of a real size with random weights instead: phi-3-mini.")
    ] = "",
    ratio: Annotated[float, typer.Option(help="For --shape: share of layers in 4 bits.")] = 0.6,
    device: Annotated[str, typer.Option(help="AUTO, CPU, GPU, GPU.0, NPU.")] = "AUTO",
    part: Annotated[
        list[str] | None, typer.Option(help=f"Only this: {', '.join(PARTS)}. All without.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(help=f"Compare with: {', '.join(comparison.RIVALS)}. Only that, without --part."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often what is compared is done in turn.", min=1)] = 2,
    keys: Annotated[int, typer.Option(help="So many keys of each recording; 0 for all.", min=0)] = 0,
    idle: Annotated[float, typer.Option(help="Seconds to watch while nobody types.", min=0.1)] = 20.0,
    cancels: Annotated[int, typer.Option(help="How many random cancels.", min=2)] = 1000,
    soak: Annotated[int, typer.Option(help="Type so many keys in a row too; 50000 is a day.", min=0)] = 0,
    picture: Annotated[Path | None, typer.Option(help="Draw the figures into this SVG file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Type recorded sessions, cancel, preempt and compare, in hosts of their own: minutes with everything.

    Example: `phial bench --shape phi-3-mini --ratio 1 --part speed --against optimum`
    """
    rivals = against or ()
    parts = part or (() if rivals else PARTS)
    report.check_parts(parts)
    comparison.check(rivals, shape)
    plan = Plan(
        model=_built(shape, ratio) if shape else store.resolve(model),
        device=device,
        parts=parts,
        against=rivals,
        shape=shape,
        rounds=rounds,
        keys=keys or None,
        idle=idle,
        cancels=cancels,
        soak=soak,
    )
    found = anyio.run(report.measured, plan, _tell)
    if picture:
        picture.write_text(drawn(found), encoding="utf-8")
    if json:
        print_json(found.for_json())
    else:
        _show(found)


def _built(shape: str, ratio: float) -> Model:
    with shown_progress() as told:
        return shapes.obtain(shape, ratio, told)


def _tell(message: str) -> None:
    errors.print(message, markup=False)


def _show(found: Report) -> None:
    """Print a table for each part; what keeps its limit is marked, and what does not."""
    console.print(f"{found.model} on {found.device}", style="bold", markup=False)
    for part, figures in found.figures.items():
        table = Table(
            title=part.capitalize(), title_justify="left", box=None, pad_edge=False, show_header=False
        )
        table.add_column(min_width=52)
        table.add_column(justify="right")
        for figure in figures:
            table.add_row(figure.title, in_words(figure.value), figure.unit, _limit(figure))
        console.print()
        console.print(table)


def _limit(figure: Figure) -> str:
    if figure.limit is None:
        return ""
    words = (("at most", figure.at_most), ("at least", figure.at_least))
    wanted = next((f"{word} {in_words(limit)}" for word, limit in words if limit is not None), "yes")
    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[dim]·[/]"}
    return f"{marks[figure.holds]} [dim]{wanted}[/]"
