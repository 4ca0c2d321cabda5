"""`phial/completions`: what requests for ghost text cost, for who measures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from phial.assist.counters import Counters
from phial.lsp import protocol


def telling(counters: Counters) -> Callable[[Any], protocol.CompletionsResult]:
    """Return the handler that tells what has been counted since the last time."""

    def completions(_: Any) -> protocol.CompletionsResult:
        return protocol.completions_result(counters.take())

    return completions
