"""How the command line shows a pull: a bar to a person, lines to a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from phial.cli.output import errors, print_json_line
from phial.errors import PhialError
from phial.models.progress import Progress, Stage, Told


@contextmanager
def progress_for_scripts() -> Iterator[Told]:
    """Print each step on stdout as a line of JSON, and an error as the last of them."""

    def told(now: Progress) -> None:
        print_json_line(asdict(now))

    try:
        yield told
    except PhialError as error:
        print_json_line({"error": {"code": error.code, "message": str(error)}})
        sys.exit(1)


@contextmanager
def shown_progress() -> Iterator[Told]:
    """Show on stderr what it is told: bytes, speed and time left, or a line per stage and every 10 %."""
    if not errors.is_terminal:
        yield _lines()
        return
    with Bars(TextColumn("{task.description}"), BarColumn(), _Figures(), console=errors) as bars:
        yield _bar(bars)


class _Figures(ProgressColumn):
    """Bytes, speed and time left, for a stage that is measured."""

    _columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text()
        return Text("  ").join(column.render(task) for column in self._columns)


def _bar(bars: Bars) -> Told:
    stage: Stage | None = None
    task = TaskID(0)

    def told(now: Progress) -> None:
        nonlocal stage, task
        if now.stage == stage:
            bars.update(task, completed=now.done)
            return
        if stage and bars.tasks[-1].total is None:
            bars.remove_task(task)
        stage = now.stage
        # what had arrived earlier is no part of the speed
        task = bars.add_task(_STAGES[stage], completed=now.done, total=now.total or None)

    return told


def _lines() -> Told:
    stages: list[Stage] = []
    tenths = 0

    def told(now: Progress) -> None:
        nonlocal tenths
        now_tenths = now.done * 10 // now.total if now.total else 0
        size = f" {now.total / 1e6:,.0f} MB" if now.total else ""
        if now.stage not in stages:
            stages.append(now.stage)
            tenths = now_tenths
            errors.print(f"{_STAGES[now.stage]}{size}{_percent(tenths)}")
        elif now_tenths > tenths:
            tenths = now_tenths
            errors.print(f"{_STAGES[now.stage]}{size}{_percent(tenths)}")

    return told


def _percent(tenths: int) -> str:
    return f": {tenths * 10} %" if tenths else ""


_STAGES: dict[Stage, str] = {
    "waiting": "Preparing",
    "finding": "Finding the model",
    "downloading": "Downloading",
    "extracting": "Unpacking",
    "converting": "Converting to OpenVINO",
    "installing": "Installing",
}
