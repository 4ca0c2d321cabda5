"""Small models fall into loops: the same words over and over until the last token."""

from __future__ import annotations

import re

_PERIODS = range(2, 240)
_REPEATS = 4
_LENGTH = 160
_LOOKED_AT = 2 * _REPEATS * max(_PERIODS)
"""A loop is the same text four times over, and 160 characters at least: a table's ruler is shorter."""


_LIST_NUMBER = re.compile(r"^(\s*)\d+([.)] )", re.MULTILINE)


def is_looping(text: str) -> bool:
    """Return whether a text ends in a loop; a numbered list of the same item is one."""
    text = _LIST_NUMBER.sub(r"\1#\2", text[-_LOOKED_AT:])
    return any(
        text.endswith(text[-period:] * max(_REPEATS, -(-_LENGTH // period)))
        for period in _PERIODS
        if len(text) >= period * _REPEATS
    )
