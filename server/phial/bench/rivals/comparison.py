"""Phial against others: A B A B, so that what else the machine does falls on all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from phial.bench.figures import Figure, ratio
from phial.bench.lookup import OFF
from phial.bench.machine import Machine
from phial.bench.rivals import llama_cpp
from phial.bench.rivals.by_host import OPTIMUM, pace_of_host
from phial.bench.rivals.work import Pace, middle
from phial.bench.weights import bytes_per_token, operations_per_token
from phial.errors import UsageError
from phial.models.store import Model

RIVALS = ("optimum", "llama.cpp")

_LIMITS: Mapping[str, dict[str, float]] = {
    "optimum": {"first_token_times_sooner": 30},
    "llama.cpp": {"decode": 0.95, "prefill": 2},
}


class _Work(Protocol):
    async def __call__(self, *, seed: int) -> Pace: ...


async def comparison_figures(
    model: Model,
    device: str,
    against: Sequence[str],
    *,
    shape: str,
    rounds: int,
    machine: Machine,
    told: Callable[[str], None],
) -> list[Figure]:
    """Have the work done by Phial and by others in turn, so many times.

    `shape` names what llama.cpp's model is made like. Prompt lookup is off: it is measured by itself.
    """
    works: dict[str, _Work] = {"phial": partial(pace_of_host, model, device, *OFF)}
    weights = {"phial": bytes_per_token(model)}
    if "optimum" in against:
        works["optimum"] = partial(pace_of_host, model, device, *OPTIMUM)
        weights["optimum"] = weights["phial"]
    if "llama.cpp" in against:
        file = llama_cpp.obtain(shape)
        works["llama.cpp"] = partial(llama_cpp.pace, file)
        weights["llama.cpp"] = llama_cpp.weights(file)
    paces: dict[str, list[Pace]] = {name: [] for name in works}
    for seed in range(rounds):
        for name, work in works.items():
            told(f"Round {seed + 1} of {rounds}: {name} ...")
            paces[name].append(await work(seed=seed))
    medians = {name: middle(each) for name, each in paces.items()}
    operations = operations_per_token(model)
    figures: list[Figure] = []
    for name, pace in medians.items():
        figures += [
            *_told(name, pace),
            *_shares(name, pace, machine, weights=weights[name], operations=operations),
        ]
    for name in against:
        figures += _compared(name, medians["phial"], medians[name])
    return figures


def check(against: Sequence[str], shape: str) -> None:
    """Raise `UsageError` for a rival that there is none of, or that cannot be had."""
    for name in against:
        if name not in RIVALS:
            raise UsageError(f"There is no {name} to compare with.", advice=f"Choose {' or '.join(RIVALS)}.")
    if "llama.cpp" in against:
        llama_cpp.check(shape)


def _told(name: str, pace: Pace) -> list[Figure]:
    key = _key(name)
    return [
        Figure(
            f"{key}_prefill_tokens_per_second", f"{name}: prefill", pace.prefill_tokens_per_second, "tokens/s"
        ),
        Figure(
            f"{key}_first_token_seconds", f"{name}: first token after an edit", pace.first_token_seconds, "s"
        ),
        Figure(
            f"{key}_decode_tokens_per_second", f"{name}: decode", pace.decode_tokens_per_second, "tokens/s"
        ),
        Figure(f"{key}_memory_megabytes", f"{name}: memory", pace.memory_bytes / 1e6, "MB"),
    ]


def _shares(
    name: str, pace: Pace, machine: Machine, *, weights: int, operations: float | None
) -> list[Figure]:
    key = _key(name)
    bandwidth = machine.bandwidth_share(weights, pace.decode_tokens_per_second)
    arithmetic = machine.arithmetic_share(operations, pace.prefill_tokens_per_second)
    return [
        Figure(f"{key}_bandwidth_share", f"{name}: share of the memory's bandwidth", bandwidth),
        Figure(f"{key}_arithmetic_share", f"{name}: share of the cores' arithmetic, in 32 bits", arithmetic),
    ]


def _compared(name: str, ours: Pace, theirs: Pace) -> list[Figure]:
    key, limits = _key(name), _LIMITS[name]
    sooner = ratio(theirs.first_token_seconds, ours.first_token_seconds)
    decode = ratio(ours.decode_tokens_per_second, theirs.decode_tokens_per_second)
    prefill = ratio(ours.prefill_tokens_per_second, theirs.prefill_tokens_per_second)
    return [
        Figure(
            f"first_token_times_sooner_than_{key}",
            f"First token, times sooner than {name}",
            sooner,
            at_least=limits.get("first_token_times_sooner"),
        ),
        Figure(f"decode_ratio_to_{key}", f"Decode, by {name}'s", decode, at_least=limits.get("decode")),
        Figure(f"prefill_ratio_to_{key}", f"Prefill, by {name}'s", prefill, at_least=limits.get("prefill")),
    ]


def _key(name: str) -> str:
    return name.replace(".", "_")
