"""What native libraries say when they fail."""

from __future__ import annotations


def cause(error: Exception) -> str:
    """Return the last line of a native error: the ones before tell source files."""
    lines = [line.strip(" .") for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
