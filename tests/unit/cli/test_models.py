from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phial.cli import main
from phial.models.catalog import CATALOG
from support.hub import INFO, Hub, Refusal, serve_hub
from support.processes import PHIAL
from support.stored import ENTRY, NEEDED, PUBLISHED, build_ir, install, repository_of

LARGE = "openvino_model.bin"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in os.environ:
        if name.upper().startswith("HF_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PHIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no login"))
    return tmp_path / "home"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve_hub() as hub:
        hub.publish(repository_of(ENTRY), PUBLISHED)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `phial models` and return what it printed on stdout and stderr."""

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["phial", "models", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        assert (left.value.code or 0) == code
        printed = capsys.readouterr()
        return printed.out, printed.err

    return run


def test_a_model_is_fetched_verified_used_and_removed(run: Run, hub: Hub, home: Path, tmp_path: Path) -> None:
    folder = home / "models" / ENTRY.id
    build_ir(tmp_path / "own")

    assert run("pull", ENTRY.id)[0] == f"{ENTRY.title} is installed and in use.\n"
    assert run("pull", ENTRY.id)[1] == ""
    assert run("path", ENTRY.id)[0] == f"{folder}\n"
    assert run("verify")[0] == f"{ENTRY.id} is sound.\n"
    assert "own is in use." in run("use", str(tmp_path / "own"))[0]
    assert "Run `phial models use" in run("pull", ENTRY.id)[0]
    assert f"{ENTRY.title} is in use." in run("use", ENTRY.id)[0]
    assert run("remove", ENTRY.id)[0].startswith(f"{ENTRY.id} is removed.\nNo model is left.")
    assert not folder.exists()


def test_what_is_in_use_after_a_removal_is_told(run: Run) -> None:
    install(ENTRY.id)
    install("starter", starter=True)

    assert run("remove", ENTRY.id)[0] == f"{ENTRY.id} is removed.\nStarter is in use now.\n"


def test_the_list_for_a_person_fits_100_columns(run: Run) -> None:
    lines = run("list")[0].splitlines()

    assert max(map(len, lines)) <= 100
    assert all("\x1b" not in line for line in lines)
    assert [line.split()[0] for line in lines[1:] if re.match(r"  \S", line)] == [
        entry.id for entry in CATALOG
    ]
    first = next(line for line in lines if line.startswith(f"  {ENTRY.id} "))
    assert re.fullmatch(
        rf"  {ENTRY.id} +2\.2 GB +5\.8 GB  (yes|no ) +GPU +phial models pull {ENTRY.id}", first
    )
    assert f"    {ENTRY.source}, MIT, 4,096 tokens" in lines
    assert any("not for commercial use" in line for line in lines)


def test_the_list_for_a_script_is_json(run: Run, hub: Hub) -> None:
    run("pull", ENTRY.id)

    rows = json.loads(run("list", "--json")[0])

    assert [row["id"] for row in rows] == [entry.id for entry in CATALOG]
    chosen = next(row for row in rows if row["id"] == ENTRY.id)
    assert chosen["downloadBytes"] == ENTRY.download_bytes
    assert (chosen["installed"], chosen["inUse"], chosen["obtain"]) == (True, True, "installed")
    assert {"memoryBytes", "fits", "device", "fillInMiddle", "licence", "source", "note", "command"} <= set(
        chosen
    )


def test_the_list_tells_that_the_chosen_model_has_gone(run: Run, hub: Hub, tmp_path: Path) -> None:
    build_ir(tmp_path / "own")
    run("pull", ENTRY.id)
    run("use", str(tmp_path / "own"))
    assert "* own " in run("list")[0]

    (tmp_path / "own").rename(tmp_path / "moved")

    told = run("list")[0]
    assert re.search(rf"^\* {ENTRY.id} .* in use$", told, re.MULTILINE)
    assert f"{tmp_path / 'own'} has gone: {ENTRY.id} takes its place." in told


def test_a_pipe_is_told_each_stage_and_every_tenth(run: Run, hub: Hub) -> None:
    lines = run("pull", ENTRY.id)[1].splitlines()

    assert lines[:2] == ["Finding the model", "Preparing"]
    assert lines[2].startswith("Downloading 1 MB")
    assert lines[-2:] == ["Downloading 1 MB: 100 %", "Installing"]
    assert len(lines) == len(set(lines)) <= 14


def test_a_person_is_shown_bytes_speed_and_time_left(hub: Hub) -> None:
    hub.faults[LARGE] = ["cut"]

    done = subprocess.run(
        [*PHIAL, "models", "pull", ENTRY.id],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": "100"},
        check=True,
        timeout=60,
    )

    assert "Downloading" in done.stderr
    assert re.search(r"[\d.]+/[\d.]+ [kM]B", done.stderr)
    assert re.search(r"[\d.]+ [kM]B/s", done.stderr)
    assert re.search(r"0:00:\d\d", done.stderr)
    assert done.stdout.startswith(f"{ENTRY.title} is installed")


def test_damage_is_told_one_problem_a_line(run: Run, hub: Hub, home: Path) -> None:
    run("pull", ENTRY.id)
    folder = home / "models" / ENTRY.id
    (folder / LARGE).write_bytes(NEEDED[LARGE][::-1])
    (folder / "config.json").unlink()

    told = run("verify", ENTRY.id, code=1)[0].splitlines()

    assert sorted(told) == [
        f"{ENTRY.id}: config.json is missing",
        f"{ENTRY.id}: {LARGE} has changed: its SHA-256 is another",
    ]


def test_a_model_whose_manifest_is_broken_is_told(run: Run) -> None:
    (install("phi").folder / "phial-model.json").write_text("{")
    install("other")

    assert run("verify", code=1)[0] == "other is sound.\nphi: phial-model.json cannot be read\n"


@pytest.mark.parametrize("command", ["pull", "use", "path", "verify", "remove"])
def test_an_unknown_model_is_one_sentence_with_a_next_step(run: Run, command: str) -> None:
    told = run(command, "phi-5", code=1)[1]

    assert told.startswith("error: ")
    assert "phial models list" in told
    assert told.count("\n") == 1


def test_a_refused_pull_is_one_sentence_with_a_next_step(run: Run, hub: Hub) -> None:
    hub.faults[INFO] = [Refusal(429, {"Retry-After": "90"})]

    told = run("pull", ENTRY.id, code=1)[1].splitlines()[-1]

    assert told.startswith("error: ")
    assert told.endswith(
        "has had too many requests (HTTP status 429). Wait 90 seconds and run the same command again."
    )
