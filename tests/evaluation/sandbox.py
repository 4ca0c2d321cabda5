"""Runs what a model has written: in a process of its own, with limits, without a network, in an empty folder."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INSIDE = Path(__file__).parent / "inside"

PYTHON = (getattr(sys, "_base_executable", sys.executable), "-S", "-s")
"""The interpreter below any environment, with nothing but its standard library.

`-I` would also ignore PYTHONHASHSEED, and with it the order of sets would change from run to run. What else
`-I` keeps out, `run` keeps out with an environment of its own.
"""


@dataclass(frozen=True)
class Limits:
    """What a run may take. On Windows only `wall_seconds` holds. No `memory_bytes`: no limit."""

    cpu_seconds: int = 5
    wall_seconds: float = 30.0
    memory_bytes: int = 1_500_000_000
    file_bytes: int = 1_000_000


def run(command: Sequence[str], job: Mapping[str, Any], limits: Limits) -> Any:
    """Give a command a job as JSON on its stdin, and return the JSON that it writes to stdout.

    None if it came to no end within its limits, or ended without a word.
    """
    with tempfile.TemporaryDirectory(prefix="phial-evaluation-") as folder:
        process = subprocess.Popen(
            [*_isolation(), *_limited(command, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(json.dumps(job).encode(), timeout=limits.wall_seconds)
        except subprocess.TimeoutExpired:
            told = b""
        finally:
            _end(process)
    try:
        return json.loads(told)
    except ValueError:
        return None


@functools.cache
def has_namespaces() -> bool:
    """Return whether a process can be given a network of its own, in which there is nobody."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0


_UNSHARE = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child")


def _isolation() -> tuple[str, ...]:
    """Where this is not to be had, the programs in `inside` refuse sockets by themselves; they do so always."""
    return _UNSHARE if has_namespaces() else ()


def _limited(command: Sequence[str], limits: Limits) -> list[str]:
    if sys.platform == "win32":
        return list(command)
    numbers = (limits.cpu_seconds, limits.memory_bytes, limits.file_bytes)
    return [*PYTHON, str(INSIDE / "limits.py"), *map(str, numbers), *command]


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {
        **kept,
        "PATH": os.defpath,
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):  # they have all ended
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
