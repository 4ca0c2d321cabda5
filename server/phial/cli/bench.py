"""`phial bench`: how fast a model is on this machine."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import anyio
import typer
from rich.table import Table

from phial.bench import shapes
from phial.bench.measure import Figures, measure
from phial.cli.export import shown_progress
from phial.cli.output import console, errors, print_json
from phial.engine import launcher
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
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure load, first token cold and warm, prefill, decode and memory, in a host of its own.

    Example: `phial bench --shape phi-3-mini`
    """
    found = _built(shape, ratio) if shape else store.resolve(model)
    figures = anyio.run(_measured, found, device)
    if json:
        print_json(asdict(figures))
    else:
        _show(figures)


def _built(shape: str, ratio: float) -> Model:
    with shown_progress() as told:
        return shapes.obtain(shape, ratio, told)


async def _measured(model: Model, device: str) -> Figures:
    """Start a host anew, so that its load is measured too, and have it leave at the end."""
    errors.print(f"Loading {model.title} ...", markup=False)
    await launcher.end(model, device)
    began = time.perf_counter()
    address = await launcher.find_or_start(model, device, patience=60)
    try:
        await launcher.until_ready(address)
        seconds = time.perf_counter() - began
        errors.print("Measuring ...")
        return await measure(address, seconds)
    finally:
        await launcher.end(model, device)


def _show(figures: Figures) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    rows = (
        ("Model", f"{figures.model} on {figures.device}, {figures.backend}"),
        ("Load", f"{figures.load_seconds:.1f} s"),
        ("First token, cold", f"{figures.cold_first_token_seconds:.2f} s for {figures.prompt_tokens} tokens"),
        ("First token, warm", f"{figures.warm_first_token_seconds:.3f} s for the same and 4 more"),
        ("Prefill", f"{figures.prefill_tokens_per_second:.0f} tokens/s"),
        ("Decode", f"{figures.decode_tokens_per_second:.1f} tokens/s"),
        ("Memory", f"{figures.memory_bytes / (1 << 30):.1f} GB"),
    )
    for name, value in rows:
        table.add_row(f"[bold]{name}[/]", value)
    console.print(table)
