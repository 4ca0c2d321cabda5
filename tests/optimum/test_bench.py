"""`phial bench`: it builds a model of a shape, here a tiny one, and measures it in a host of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psutil

from phial.models import store
from support.exports import environment
from support.processes import PHIAL, hosts_in


def test_a_shape_is_built_once_and_measured(empty_home: Path) -> None:
    first = bench(empty_home)
    second = bench(empty_home)

    assert "Building the random weights" in first.stderr
    assert "Building the random weights" not in second.stderr
    for result in (first, second):
        report = json.loads(result.stdout)
        figures = {name: figure["value"] for name, figure in report["figures"].items()}
        assert (report["model"], report["device"]) == ("bench-phi-3-tiny", "CPU")
        assert all(value > 0 for value in figures.values())
        assert figures["warm_first_token_seconds"] < figures["cold_first_token_seconds"]
    _, alive = psutil.wait_procs(hosts_in(empty_home), timeout=30)
    assert alive == []
    [model] = store.managed()
    assert store.verify(model) == []
    assert list((empty_home / "models" / ".downloads").iterdir()) == []


def test_a_shape_that_is_not_known_is_refused_with_those_that_are(empty_home: Path) -> None:
    result = run(empty_home, "--shape", "phi-9")

    assert (result.returncode, result.stdout) == (1, "")
    assert "There is no shape phi-9. Choose one of phi-3-mini, phi-3-tiny." in result.stderr


def bench(home: Path) -> subprocess.CompletedProcess[str]:
    result = run(home, "--shape", "phi-3-tiny", "--device", "CPU", "--part", "speed", "--json")
    assert result.returncode == 0, result.stderr
    return result


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PHIAL, "bench", *arguments],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
