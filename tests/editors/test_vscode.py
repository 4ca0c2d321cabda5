"""The extension in a real VS Code in a real browser: each file of tests of `client-vscode/test/editor`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "client-vscode"
FILES = sorted(file.name for file in (EXTENSION / "test" / "editor").glob("*.test.ts"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FILES)
def test_in_vscode(name: str, starter: Path) -> None:
    tools = ROOT / ".venv" / "bin"
    ended = subprocess.run(
        [
            tools / "node",
            EXTENSION / "node_modules" / "vitest" / "vitest.mjs",
            "run",
            "--project",
            "editor",
            name,
        ],
        cwd=EXTENSION,
        env={**os.environ, "PATH": os.pathsep.join([str(tools), os.environ["PATH"]]), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_there_is_something_to_run() -> None:
    assert FILES
