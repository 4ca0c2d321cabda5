"""Whether the machine runs on its battery."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

_TRUSTED = 30.0
"""Seconds for which an answer holds: nobody pulls a plug more often, and asking costs system calls."""


def on_battery() -> bool:
    """Return whether the machine has a battery and no other power; False where that cannot be told."""
    # Not every system that psutil runs on has the function.
    sensor = getattr(psutil, "sensors_battery", None)
    battery = sensor() if sensor else None
    return battery is not None and battery.power_plugged is False


class Battery:
    """Knows whether the battery is used, and looks rarely."""

    def __init__(
        self, look: Callable[[], bool] = on_battery, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._is_used = False
        self._until = float("-inf")

    def is_used(self) -> bool:
        """Return whether the machine runs on its battery."""
        if self._clock() >= self._until:
            self._is_used = self._look()
            self._until = self._clock() + _TRUSTED
        return self._is_used
