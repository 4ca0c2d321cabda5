"""All that `phial bench` measures, part by part."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from phial import __version__
from phial.bench import cancels, recordings
from phial.bench.figures import Figure
from phial.bench.keystrokes import KINDS, Replay
from phial.bench.lookup import lookup_figures
from phial.bench.machine import measure_machine
from phial.bench.preemption import preemption_figures
from phial.bench.rivals.comparison import comparison_figures
from phial.bench.running import own_host
from phial.bench.speed import speed_figures
from phial.bench.window import chats_cancelled, idle, opened_window, soaked, typed
from phial.errors import UsageError
from phial.models.store import Model

PARTS = ("speed", "typing", "idle", "cancels", "preemption", "lookup")
_IN_A_WINDOW = {"typing", "idle", "cancels"}

Told = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure, and how long: `keys` of each recording at most, `idle` in seconds, `soak` in keys."""

    model: Model
    device: str
    parts: Sequence[str] = PARTS
    against: Sequence[str] = ()
    shape: str = ""
    rounds: int = 2
    keys: int | None = None
    idle: float = 20.0
    cancels: int = 1000
    soak: int = 0


@dataclass
class Report:
    """What was measured, by parts. `milliseconds` are those from each key to its answer, by kind."""

    model: str
    device: str
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    def every(self) -> list[Figure]:
        """Return the figures of all parts."""
        return [figure for part in self.figures.values() for figure in part]

    def for_json(self) -> dict[str, Any]:
        """Return it for a script, each figure by its name."""
        return {
            "version": __version__,
            "machine": _machine(),
            "model": self.model,
            "device": self.device,
            "figures": {figure.name: figure.for_json() for figure in self.every()},
            "milliseconds": self.milliseconds,
        }


async def measured(plan: Plan, told: Told) -> Report:
    """Measure, telling what is being done. Raises `PhialError`."""
    report = Report(plan.model.title, plan.device)
    if "speed" in plan.parts:
        told("Measuring load, prefill and decode ...")
        report.figures["speed"] = await speed_figures(
            plan.model, plan.device, runs=plan.rounds + 1, machine=measure_machine()
        )
    if _IN_A_WINDOW & set(plan.parts) or plan.soak:
        await _in_a_window(plan, report, told)
    if "cancels" in plan.parts:
        told(f"Cancelling {plan.cancels} times ...")
        async with own_host(plan.model, plan.device) as host:
            latency = await cancels.latency_figures(host, max(2, plan.cancels // 20))
            report.figures["cancels"] = [*latency, *await cancels.random_figures(host, plan.cancels)]
    if "preemption" in plan.parts:
        told("Asking for a completion amid a chat's prefill ...")
        report.figures["preemption"] = await preemption_figures(plan.model, plan.device)
    if "lookup" in plan.parts:
        told("Measuring prompt lookup ...")
        report.figures["lookup"] = await lookup_figures(plan.model, plan.device, rounds=plan.rounds)
    if plan.against:
        report.figures["against others"] = await comparison_figures(
            plan.model,
            plan.device,
            plan.against,
            shape=plan.shape,
            rounds=plan.rounds,
            machine=measure_machine(),
            told=told,
        )
    return report


def check_parts(parts: Sequence[str]) -> None:
    """Raise `UsageError` for a part that there is none of."""
    for part in parts:
        if part not in PARTS:
            raise UsageError(f"There is no part {part}.", advice=f"Choose among {', '.join(PARTS)}.")


async def _in_a_window(plan: Plan, report: Report, told: Told) -> None:
    async with opened_window(plan.model, plan.device) as window:
        if "typing" in plan.parts:
            figures, replays = await typed(window, recordings.names(), plan.keys, told)
            report.figures["typing"] = figures
            report.milliseconds = _by_kind(replays)
        if "cancels" in plan.parts:
            told("Cancelling chats ...")
            count = max(2, plan.cancels // 50)
            report.figures["cancels by the editor"] = await chats_cancelled(window, count)
        if "idle" in plan.parts:
            told(f"Watching for {plan.idle:.0f} seconds ...")
            report.figures["idle"] = await idle(window, plan.idle)
        if plan.soak:
            told(f"Typing {plan.soak} keys ...")
            report.figures["soak"] = await soaked(window, plan.soak)


def _by_kind(replays: Sequence[Replay]) -> dict[str, list[float]]:
    every = [keystroke for replay in replays for keystroke in replay.keystrokes]
    return {
        kind: [
            round(1000 * keystroke.seconds, 2)
            for keystroke in every
            if keystroke.kind == kind and keystroke.seconds is not None
        ]
        for kind in KINDS
    }


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memoryBytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
    }
