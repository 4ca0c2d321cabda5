"""Small models fall into loops: the same words over and over until the last token."""

from __future__ import annotations

_PERIODS = range(2, 240)
_REPEATS = 4
_LENGTH = 160
"""A loop is the same text four times over, and 160 characters at least: a table's ruler is shorter."""


def is_looping(text: str) -> bool:
    """Return whether a text ends in a loop."""
    return any(
        text.endswith(text[-period:] * max(_REPEATS, -(-_LENGTH // period)))
        for period in _PERIODS
        if len(text) >= period * _REPEATS
    )
