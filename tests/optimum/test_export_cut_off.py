"""What is left of an export that is interrupted or killed: nothing that looks installed, and no process."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from phial.errors import ModelNotFound
from phial.models import store
from support.exports import environment
from support.processes import PHIAL
from support.stored import names


def test_an_interrupted_export_leaves_nothing(empty_home: Path, small_phi3: Path) -> None:
    process = begun(empty_home, small_phi3, "Loading")
    converter = converter_of(process)

    process.send_signal(signal.SIGINT)

    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not converter.is_running()
    assert names(empty_home / "models") == []


def test_a_killed_export_takes_its_converter_along_and_leaves_a_sound_store(
    empty_home: Path, small_phi3: Path
) -> None:
    process = begun(empty_home, small_phi3, "Converting")
    converter = converter_of(process)

    process.kill()

    process.communicate(timeout=30)
    converter.wait(30)
    (leftover,) = names(empty_home / "models")
    assert leftover.startswith(".it.partial-")
    assert store.installed() == []
    with pytest.raises(ModelNotFound):
        store.remove("it")  # whoever comes next clears it away
    assert names(empty_home / "models") == []


def begun(home: Path, source: Path, stage: str) -> subprocess.Popen[str]:
    """Start an export and wait until it tells of a stage."""
    process = subprocess.Popen(
        [*PHIAL, "models", "export", str(source), "--id", "it"],
        env=environment(home),
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    told = next((line for line in process.stderr if line.startswith(stage)), None)
    assert told, f"the export never told of {stage}"
    return process


def converter_of(process: subprocess.Popen[str]) -> psutil.Process:
    (child,) = psutil.Process(process.pid).children()
    return child
