"""What a measurement comes to: a plain name, a value, and the limit that it is held to, if there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Value = float | bool | str


@dataclass(frozen=True)
class Figure:
    """One value. `name` is for scripts, `title` for people; a limit makes it good or bad."""

    name: str
    title: str
    value: Value | None
    """None where there was nothing to measure."""
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    must_be: bool | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the limit is kept; None where there is none, or no value."""
        if self.value is None or isinstance(self.value, str) or self.limit is None:
            return None
        if self.must_be is not None:
            return self.value == self.must_be
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return low <= self.value <= high

    @property
    def limit(self) -> float | bool | None:
        """The limit, whichever it is."""
        limits = (self.must_be, self.at_most, self.at_least)
        return next((limit for limit in limits if limit is not None), None)

    def for_json(self) -> dict[str, Any]:
        """Return it for a script: what it does not have is left out."""
        every = {
            "value": self.value,
            "unit": self.unit or None,
            "atMost": self.at_most,
            "atLeast": self.at_least,
            "mustBe": self.must_be,
            "holds": self.holds,
        }
        return {name: value for name, value in every.items() if value is not None or name == "value"}


def in_words(value: Value | None) -> str:
    """Return a value for people: three digits where there is a fraction, whole numbers from 100 on."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of all reach or stay below; None of none.

    The nearest rank: always one of the values.
    """
    if not values:
        return None
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def ratio(one: float, other: float) -> float | None:
    """Return one by the other; None by nothing."""
    return one / other if other else None
