"""How the command line shows models: one line of figures each, and what to know about it below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.text import Text

from phial.cli.output import console
from phial.models.overview import ModelRow

_GIB = 1 << 30


def print_rows(rows: Sequence[ModelRow], *, lost_choice: str) -> None:
    """Print all rows, what their figures mean, and a word about a chosen model that has gone."""
    width = max(len(_name(row)) for row in rows)
    heading = f"  {'Model':<{width}}  Download   Memory  Fits  Device  Status"
    console.print(Text(heading, style="bold"), soft_wrap=True)
    for row in rows:
        console.print(_figures(row, width), soft_wrap=True)
        console.print(Text(f"    {_details(row)}", style="dim"), soft_wrap=True)
        if row.note:
            console.print(Text(f"    {row.note}", style="dim"), soft_wrap=True)
    free = psutil.virtual_memory().available
    console.print()
    console.print(f"Memory is what a model takes with all its context; {_memory(free)} are free now.")
    console.print(
        "Device is what suits a model; the CPU runs each, a large one with a wait before it answers."
    )
    if lost_choice:
        used = next((row for row in rows if row.in_use), None)
        instead = f"{_name(used)} takes its place" if used else "no other is installed"
        told = f"The chosen model {lost_choice} has gone: {instead}. Choose one with `phial models use ID`."
        console.print(Text(told, style="yellow"), soft_wrap=True)


def _figures(row: ModelRow, width: int) -> Text:
    fits, colour = _FITS[row.fits]
    return Text.assemble(
        ("* " if row.in_use else "  ", "green"),
        (f"{_name(row):<{width}}", "bold"),
        f"  {_download(row):>8}  {_memory(row.memory_bytes):>7}  ",
        (f"{fits:<4}", colour),
        f"  {row.device or '-':<6}  ",
        (_status(row), "green" if row.installed or row.in_use else "cyan"),
    )


def _details(row: ModelRow) -> str:
    context = f"{row.context_length:,} tokens" if row.context_length else ""
    gaps = "fills in the middle" if row.fill_in_middle else ""
    return ", ".join(part for part in (row.source, row.licence, context, gaps) if part)


def _name(row: ModelRow) -> str:
    return row.id if row.installed or row.obtain != "installed" else Path(row.id).name


def _status(row: ModelRow) -> str:
    return row.command or ("in use" if row.in_use else "installed")


def _download(row: ModelRow) -> str:
    if row.download_bytes is None:
        return "-"
    size = row.download_bytes
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _memory(size: int | None) -> str:
    return "-" if size is None else f"{size / _GIB:.1f} GB"


_FITS = {True: ("yes", "green"), False: ("no", "red"), None: ("-", "dim")}
