"""Whether a function's examples pass with another text in the place of its file's."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from evaluation import javascript, python_code, sandbox
from evaluation.holes import Function
from evaluation.sandbox import Limits
from evaluation.sources import packages

_LIMITS = Limits()


@dataclass(frozen=True)
class Verdict:
    """Whether the examples pass. `why` tells what went wrong; `parses` is whether it is code at all."""

    passed: bool
    why: str
    parses: bool


def examine(function: Function, text: str) -> Verdict:
    """Run a function's examples with another text in the place of its file's."""
    python = function.source.package.language == "python"
    told = _doctests(function, text) if python else javascript.examine(function, text)
    if told is None:
        return Verdict(False, "limit", True)
    return Verdict(bool(told["passed"]), str(told["why"]), bool(told.get("parses", True)))


def _doctests(function: Function, text: str) -> dict[str, Any] | None:
    job = {
        "paths": _paths(),
        "module": python_code.module_name(function.source),
        "function": function.name,
        "tests": function.tests,
        "source": text,
    }
    command = [*sandbox.PYTHON, str(sandbox.INSIDE / "doctests.py")]
    verdict: dict[str, Any] | None = sandbox.run(command, job, _LIMITS)
    return verdict


@functools.cache
def _paths() -> list[str]:
    return [str(package.folder) for package in packages("python")]
