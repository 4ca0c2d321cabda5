"""What the keys of a replay cost, by how they were answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from phial.bench.counts import HostCounts
from phial.bench.figures import Figure, percentile, ratio

Kind = Literal["declined", "typed-through", "joined", "warm", "cold"]
"""How a key was answered; of those that the model was asked for, `warm` are those that found at least half of
their prompt computed."""

KINDS: tuple[Kind, ...] = ("typed-through", "joined", "warm", "cold")
"""Those that are told apart in the report: nobody waits for what is declined."""

_SHARES = (0.5, 0.9, 0.99)


@dataclass
class Keystroke:
    """A key after which ghost text was asked for. `how` is what the server says of it, None while it has not.

    `seconds` is until the answer, None if the next key came first; `counts` is what the host had counted since the
    answer before.
    """

    how: str | None = None
    seconds: float | None = None
    server_seconds: float | None = None
    shown: bool = False
    counts: HostCounts = field(default_factory=HostCounts)

    @property
    def kind(self) -> Kind | None:
        """How it was answered."""
        match self.how:
            case "declined" | "typed-through" | "joined":
                return self.how
            case "asked":
                found = ratio(self.counts.cached_tokens, self.counts.prompt_tokens) or 0.0
                return "warm" if found >= 0.5 else "cold"
        return None


@dataclass
class Replay:
    """What came of typing: each key, each text that was shown and not the rest of one shown before.

    `counts` is what the host counted meanwhile, `cpu_seconds` what server and host computed.
    """

    keystrokes: list[Keystroke] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    accepted_characters: int = 0
    counts: HostCounts = field(default_factory=HostCounts)
    cpu_seconds: float = 0.0


def figures(replays: Sequence[Replay], *, shown_tokens: int) -> list[Figure]:
    """Return what all replays cost together; `shown_tokens` is how many tokens the shown texts have."""
    keystrokes = [keystroke for replay in replays for keystroke in replay.keystrokes]
    count = len(keystrokes)
    asked = [keystroke for keystroke in keystrokes if keystroke.how == "asked"]
    prefilled = sum(replay.counts.prefilled_tokens for replay in replays)
    generated = sum(replay.counts.generated_tokens for replay in replays)
    accepted = sum(replay.accepted_characters for replay in replays)
    cpu = sum(replay.cpu_seconds for replay in replays)
    wasted = max(0.0, generated - shown_tokens)
    known = count and all(keystroke.how is not None for keystroke in keystrokes)
    free = 1 - len(asked) / count if known else None
    return [
        Figure("keystrokes", "Keys typed", count),
        *_latencies(keystrokes),
        _inside(keystrokes),
        Figure("keystrokes_without_model_call_share", "Keys that cost no model call", free, at_least=0.7),
        Figure(
            "model_requests_per_keystroke", "Requests to the model per key", _per(replays, "ended", count)
        ),
        Figure("prefill_tokens_per_keystroke", "Tokens prefilled per key", ratio(prefilled, count), "tokens"),
        Figure("generated_tokens", "Tokens generated", generated, "tokens"),
        Figure("wasted_tokens", "Tokens generated, never shown", wasted, "tokens"),
        Figure("wasted_tokens_share", "Share of tokens never shown", ratio(wasted, generated)),
        Figure("accepted_characters", "Characters accepted", accepted),
        Figure("cpu_seconds_per_keystroke", "CPU per key", ratio(cpu, count), "s"),
        Figure("cpu_seconds_per_accepted_character", "CPU per accepted character", ratio(cpu, accepted), "s"),
    ]


def warm_prefill(replay: Replay) -> Figure:
    """Return how much the keys cost that found their prompt computed: in a long file, the size of an edit."""
    warm = [keystroke for keystroke in replay.keystrokes if keystroke.kind == "warm"]
    mean = ratio(sum(keystroke.counts.prefilled_tokens for keystroke in warm), len(warm))
    title = "Tokens prefilled per warm key, 20 lines in a file of 600"
    return Figure("prefill_tokens_per_warm_keystroke", title, mean, "tokens", at_most=48)


def continues(shown: str | None, ghost: str) -> bool:
    """Return whether a ghost text is what was shown before, or the rest of it."""
    return shown is not None and shown.endswith(ghost)


def explained(keystrokes: Sequence[Keystroke], costs: Sequence[tuple[str, float]]) -> list[Keystroke]:
    """Return keys with what the server says of each, in their order; as they were if it saw another number of them."""
    if len(keystrokes) != len(costs):
        return list(keystrokes)
    return [
        replace(keystroke, how=how, server_seconds=seconds)
        for keystroke, (how, seconds) in zip(keystrokes, costs, strict=True)
    ]


def _latencies(keystrokes: Iterable[Keystroke]) -> list[Figure]:
    """Return how long each kind of answer took from the key, and how many there were."""
    found: list[Figure] = []
    every = [keystroke for keystroke in keystrokes if keystroke.seconds is not None]
    for kind in KINDS:
        seconds = [keystroke.seconds for keystroke in every if keystroke.kind == kind]
        times = [second for second in seconds if second is not None]
        name = kind.replace("-", "_")
        found.append(Figure(f"{name}_answers", f"Answers, {kind}", len(times)))
        for share in _SHARES:
            point = f"p{round(100 * share)}"
            value = percentile([1000 * time for time in times], share)
            found.append(
                Figure(f"{name}_{point}_milliseconds", f"Key to answer, {kind}, {point}", value, "ms")
            )
    return found


def _inside(keystrokes: Iterable[Keystroke]) -> Figure:
    inside = [
        1000 * keystroke.server_seconds
        for keystroke in keystrokes
        if keystroke.kind == "typed-through" and keystroke.server_seconds is not None
    ]
    return Figure(
        "typed_through_p99_milliseconds_in_server",
        "Typed through, inside the server, p99",
        percentile(inside, 0.99),
        "ms",
        at_most=10,
    )


def _per(replays: Sequence[Replay], name: str, count: int) -> float | None:
    return ratio(sum(getattr(replay.counts, name) for replay in replays), count)
