"""How much of a prompt one step reads: measured when a model is first loaded on a device, and then remembered."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import cache
from itertools import takewhile
from pathlib import Path

from phial import __version__

_log = logging.getLogger(__name__)

CHUNKS = (32, 64, 96, 128, 256, 512)
"""Tokens. On two cores with AVX2 a step of 96 takes no longer than one of 64: from there on OpenVINO unpacks the weights
before it multiplies. At Phi-3-mini's size they read 14, 14, 21 and 22 tokens/s at 32, 64, 96 and 128; on two cores with
bf16, 49, 61 and 67 at 32, 128 and 512."""

LONGEST_STEP = 0.5
"""Seconds. A step cannot be interrupted: a cancel, and a request of better priority, wait for its end."""

_WORTH_WAITING = 1.25
"""How many times faster a chunk must read, that takes longer than that, to be worth the longer wait ..."""

_LARGER = 3
"""... and how many times larger it may be."""

_TRIES = 2
"""A machine that is busy with something else just then is no slower for good."""


def prefill_chunk(file: Path, device: str, measure: Callable[[int], float]) -> int:
    """Return the most tokens of a prompt that one step should read.

    As many as it takes less than half a second for; more where that reads them so much faster that whoever asks gets
    an answer sooner, though whoever gives up waits longer. `measure` reads so many tokens and returns the seconds it
    took. What it told before for this device, by this version, stands in the file.
    """
    key = f"{device} {__version__}"
    known = _read(file)
    if key not in known:
        known = {**known, key: _best(measure)}
        _write(file, known)
    return known[key]


def _best(measure: Callable[[int], float]) -> int:
    @cache
    def seconds(chunk: int) -> float:
        return min(measure(chunk) for _ in range(_TRIES))

    short = [CHUNKS[0], *takewhile(lambda chunk: seconds(chunk) <= LONGEST_STEP, CHUNKS[1:])]
    best = short[-1]
    for chunk in CHUNKS[len(short) :]:
        if chunk > _LARGER * short[-1]:
            break
        if chunk / seconds(chunk) >= _WORTH_WAITING * best / seconds(best):
            best = chunk
    return best


def _read(file: Path) -> dict[str, int]:
    """Return what is remembered: nothing where the file is missing, or not as this version writes it."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: chunk for key, chunk in known.items() if chunk in CHUNKS}


def _write(file: Path, known: dict[str, int]) -> None:
    draft = file.with_suffix(".draft")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(known), encoding="utf-8")
        draft.replace(file)
    except OSError as error:  # it is measured again next time
        _log.warning("What was measured cannot be remembered: %s", error)
