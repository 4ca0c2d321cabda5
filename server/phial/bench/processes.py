"""What processes take: processor time and memory."""

from __future__ import annotations

import anyio
import psutil


def cpu_seconds(pid: int) -> float:
    """Return how long a process has computed, on all cores together, and those that it started."""
    return sum(times.user + times.system for times in (each.cpu_times() for each in _family(pid)))


def memory_bytes(pid: int) -> int:
    """Return how much memory of a process is resident, and of those that it started."""
    return sum(each.memory_info().rss for each in _family(pid))


async def cpu_share(pids: list[int], seconds: float) -> float:
    """Watch processes for a time, and return how much of one core they took together."""
    before = sum(map(cpu_seconds, pids))
    await anyio.sleep(seconds)
    return (sum(map(cpu_seconds, pids)) - before) / seconds


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and its children: on Windows a virtual environment's Python is the child of a small starter."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
