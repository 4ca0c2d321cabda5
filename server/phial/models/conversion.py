"""Turn a model as transformers saves it into an OpenVINO IR: `optimum-cli export openvino`, in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from phial.errors import DiskFull, ModelError, OutOfMemory, PhialError
from phial.models.interpreter import environment

WeightFormat = Literal["fp32", "fp16", "int8", "int4"]

Stage = Literal["loading", "converting", "compressing", "saving"]


@dataclass(frozen=True)
class ExportOptions:
    """How to store the weights.

    All but `weight_format` is for int4 only, and `sym` for int8 too. `group_size` is how many weights share a
    scale (-1: a whole column), `ratio` the share of layers in 4 bits (the others get 8), `sym` whether zero is
    stored as zero. With a `dataset` the layers are chosen by what they do to its texts.
    """

    weight_format: WeightFormat = "int4"
    group_size: int = 128
    ratio: float = 0.6
    sym: bool = True
    dataset: str | None = None


def convert(
    source: Path, target: Path, options: ExportOptions, *, log: Path, told: Callable[[Stage], None]
) -> None:
    """Write the IR of a folder's model, and of its tokenizer, into an empty folder of ours.

    Calls `told` at each stage. What optimum-cli prints goes to `log`, whole. Raises ModelError and its kin,
    DiskFull. However this is left, the process has ended; it also ends when this one is killed.
    """
    work = target / ".work"
    work.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "phial.models.optimum_cli", *_arguments(source, target, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # `python -m` imports from its current directory first: the user's may hold anybody's code
        cwd=work,
        env=_environment(work, offline=options.dataset is None),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:
        try:
            assert process.stdout  # noqa: S101 - it is a pipe
            _follow(process.stdout, log, told)
            exit_code = process.wait()
        finally:
            process.kill()  # nothing happens where it has ended by itself
    if exit_code != 0:
        raise _failure(source, exit_code, log)
    shutil.rmtree(work)


def _arguments(source: Path, target: Path, options: ExportOptions) -> list[str]:
    # never --trust-remote-code: a model that brings code of its own is not run
    arguments = ["export", "openvino", "--task", "text-generation-with-past", "--library", "transformers"]
    arguments += ["--model", str(source), "--weight-format", options.weight_format]
    if options.weight_format == "int4":
        arguments += ["--group-size", str(options.group_size), "--ratio", str(options.ratio)]
        if options.dataset:
            arguments += ["--dataset", options.dataset]
    if options.weight_format in {"int4", "int8"} and options.sym:
        arguments += ["--sym"]
    return [*arguments, str(target)]


def _environment(work: Path, *, offline: bool) -> dict[str, str]:
    return {
        **environment(),
        "PYTHONUNBUFFERED": "1",
        # the unfinished model takes gigabytes: where they are cleared away, and not on a small /tmp
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work)),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **({"HF_HUB_OFFLINE": "1"} if offline else {}),
    }


def _follow(output: IO[bytes], log: Path, told: Callable[[Stage], None]) -> None:
    """Copy what is printed to the log as it comes, and tell the stages seen in it."""
    stages = list(_STAGES)
    told("loading")
    line = ""
    with log.open("wb") as sink:
        while piece := os.read(output.fileno(), 1 << 16):
            sink.write(piece)
            sink.flush()
            line += piece.decode(errors="replace")
            reached = [stage for stage, sign in stages if sign.search(line)]
            for stage in reached[-1:]:
                told(stage)
                stages = stages[[name for name, _ in stages].index(stage) + 1 :]
            line = re.split(r"[\r\n]", line)[-1]


_STAGES: tuple[tuple[Stage, re.Pattern[str]], ...] = (
    ("converting", re.compile(r"Loading (weights|checkpoint shards): +100%|TracerWarning")),
    (
        "compressing",
        re.compile(r"Mixed-Precision assignment|Statistics of the bitwidth|Applying Weight Compression"),
    ),
    ("saving", re.compile(r"Applying Weight Compression.* 100%")),
)
"""What optimum-cli has printed when a stage begins."""


def _failure(source: Path, exit_code: int, log: Path) -> PhialError:
    where = f"The whole log is in {log}."
    if exit_code in _KILLED:
        return OutOfMemory(
            "The export was ended from outside: most likely this machine has too little free memory for it.",
            advice=f"Close other programs, or choose a smaller model. {where}",
        )
    error, reason = _last_error(log.read_text("utf-8", errors="replace"))
    for sign, kind, message, advice in _FAILURES:
        if sign.search(error):
            return kind(message.format(source=source, reason=reason), advice=f"{advice} {where}")
    reason = reason or f"it ended with exit code {exit_code}"
    return ModelError(f"optimum-intel cannot export {source}: {reason}.", advice=where)


def _last_error(log: str) -> tuple[str, str]:
    """Return the line of the last error that was raised, and what it says in its first sentence.

    Where none was raised, that is the last line.
    """
    lines = [line.strip() for line in re.split(r"[\r\n]+", log) if line.strip()]
    errors = [found for found in map(_ERROR.fullmatch, lines) if found]
    line, text = errors[-1].group("line", "text") if errors else (lines[-1:] or [""]) * 2
    return line, re.split(r"(?<=[\w`'\"])\. ", text or line)[0].rstrip(".")


_ERROR = re.compile(r"(?P<line>(?:\w+\.)*\w*(?:Error|Exception)(?:: (?P<text>.*))?)")

_KILLED = {-9, 137}
"""Exit codes of a process that a system out of memory has ended."""

_FAILURES: tuple[tuple[re.Pattern[str], type[PhialError], str, str], ...] = (
    (
        re.compile(
            r"does not recognize this architecture|custom or unsupported architecture|only supports the tasks"
        ),
        ModelError,
        "optimum-intel cannot export {source}: it does not know this kind of model ({reason}).",
        "Choose a model of another architecture.",
    ),
    (
        re.compile(r"trust_remote_code|contains custom code"),
        ModelError,
        "{source} needs code of its own, which Phial does not run.",
        "Choose a model of an architecture that transformers has.",
    ),
    (
        re.compile(r"group.size", re.IGNORECASE),
        ModelError,
        "The weights of {source} cannot be divided into such groups: {reason}.",
        "Choose another --group-size: 64, 32, or -1 for whole columns.",
    ),
    (
        re.compile(r"No space left|ENOSPC|disk is full", re.IGNORECASE),
        DiskFull,
        "The disk is full: the export of {source} did not fit.",
        DiskFull.advice,
    ),
    (
        re.compile(r"MemoryError|bad_alloc|can't allocate memory|not enough memory", re.IGNORECASE),
        OutOfMemory,
        "This machine has too little free memory to export {source}.",
        "Close other programs, or choose a smaller model.",
    ),
)
