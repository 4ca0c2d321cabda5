"""How long to wait after a keystroke: until it is likely that the user has paused."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phial.assist.excerpt import Excerpt

_BURST = 1.0
"""Seconds: a longer gap between two keystrokes is a pause, and tells nothing of how fast somebody types."""

_SHARE = 0.8
"""Of the gaps in a burst, this share is shorter than the wait: then the next keystroke would have come."""

_PACE = 0.1
"""How far one gap moves the estimate: some twenty keystrokes are remembered."""

_AT_FIRST = 0.15
_SHORTEST, _LONGEST = 0.03, 0.4

_SLOW = 0.5
"""Seconds: a model that takes as long is waited for as the rhythm says; a faster one is asked sooner."""


@dataclass
class Rhythm:
    """Estimates a quantile of the gaps between keystrokes, in seconds; the latest weigh the most."""

    _gap: float = _AT_FIRST
    _last: float | None = None

    def keystroke(self, now: float) -> None:
        """Take note of a keystroke at a time of the clock, in seconds."""
        gap = _BURST if self._last is None else now - self._last
        self._last = now
        if 0 < gap < _BURST:
            # A step up for each longer gap and a smaller one down for each shorter come to rest at the quantile.
            step = _SHARE if gap > self._gap else _SHARE - 1
            self._gap = min(max(self._gap * (1 + _PACE * step), _SHORTEST), _LONGEST)

    def pause(self, excerpt: Excerpt, latency: float | None, longest: float) -> float:
        """Return how many seconds without a keystroke to wait at a cursor, `longest` at most.

        Less where people stop to think; less where the model takes only so many seconds, and more where an
        answer for nothing keeps it from the next.
        """
        share = 0.5 if _STOPS.search(excerpt.line_before) else 1.0
        haste = 1.0 if latency is None else min(max((latency / _SLOW) ** 0.5, 0.5), 2.0)
        return min(self._gap * share * haste, longest)


_STOPS = re.compile(r"(?:[.(:=,\[{]|[-+*/%=<>&|!?:,]\s|^\s*|;)\Z")
"""Where a line begins, after what asks for more, and where a statement ends."""
