"""Run a Python module in a process of its own, out of sight."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_module(
    name: str, *arguments: str, folder: Path, seconds: float, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m name arguments` in `folder` and return its exit code and output.

    Raises subprocess.TimeoutExpired after so many seconds. `python -m` imports from its current directory
    first, so `folder` must be one of Phial's own: the user's may hold anybody's code.
    """
    return subprocess.run(
        [sys.executable, "-m", name, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=folder,
        env={**environment(), **(variables or {})},
        timeout=seconds,
        check=False,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def environment() -> dict[str, str]:
    """Return this process's environment for a Python with another current directory, whose output is UTF-8."""
    search_path = [
        str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
    ]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(search_path), "PYTHONIOENCODING": "utf-8"}
