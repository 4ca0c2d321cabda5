"""`scripts/eval`, as far as it needs neither a model nor the network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation import pool
from evaluation.__main__ import app
from evaluation.holes import Hole, Spot
from unit.evaluation.made import function


def invoke(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_two_runs_are_compared(tmp_path: Path) -> None:
    files = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    for file, passed in zip(files, (True, False), strict=True):
        line = {"key": "k", "hole": "h", "language": "python", "kind": "rest", "passed": passed}
        file.write_text(json.dumps(line) + "\n")
    code, printed = invoke("--compare", *files, "--json")
    assert code == 0
    assert [row["only_first"] for row in json.loads(printed)] == [1, 1]


@pytest.mark.parametrize(
    "arguments",
    [("--kinds", "rest,all"), ("--variant", "none"), ("--languages", "c"), ("--trigger", "often")],
)
def test_what_is_not_known_is_refused(arguments: tuple[str, str]) -> None:
    assert invoke(*arguments)[0] == 2


def test_a_model_that_is_not_there_is_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "sources", lambda _: pytest.fail("it looked for holes"))
    assert invoke("--model", "nobody/has-this")[0] == 1


def test_a_check_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.honesty.snippets", lambda *_: ())
    useless = Hole(function(), Spot("rest", "", 0, 0))
    monkeypatch.setattr(pool.Pool, "choose", lambda *_: [useless])
    code, printed = invoke("--check", "--kinds", "rest", "--languages", "python", "--json")
    assert code == 1
    assert "cannot be believed" in printed
