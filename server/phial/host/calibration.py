"""How much of a prompt one step reads: measured when a model is first loaded on a device, and then remembered."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

from phial import __version__

_log = logging.getLogger(__name__)

CHUNKS = (32, 64, 128, 256, 512)
"""Tokens. Larger ones gain little (prefill 49, 61 and 67 tokens/s at 32, 128 and 512, Phi-3-mini's size on two cores)."""

LONGEST_STEP = 0.5
"""Seconds. A step cannot be interrupted: a cancel, and a request of better priority, wait for its end."""

_TRIES = 2
"""A machine that is busy with something else just then is no slower for good."""


def prefill_chunk(file: Path, device: str, measure: Callable[[int], float]) -> int:
    """Return the most tokens of a prompt that one step should read: as many as it takes less than half a second for.

    `measure` reads so many tokens and returns the seconds it took. What it told before for this device, by this
    version, stands in the file.
    """
    key = f"{device} {__version__}"
    known = _read(file)
    if key not in known:
        known = {**known, key: _largest(measure)}
        _write(file, known)
    return known[key]


def _largest(measure: Callable[[int], float]) -> int:
    best = CHUNKS[0]
    for chunk in CHUNKS[1:]:
        if all(measure(chunk) > LONGEST_STEP for _ in range(_TRIES)):
            return best
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
