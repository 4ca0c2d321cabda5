"""A run goes on where it was cut off, and its figures are what stands in its lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from evaluation import report, runner, score, sources, verdict
from evaluation.holes import Hole, Shown
from evaluation.lines import Line, Lines
from evaluation.pool import Pool
from evaluation.runner import Asked, Run, run
from evaluation.variants import clean
from evaluation.verdict import Verdict
from phial.assist.excerpt import Excerpt
from unit.evaluation.made import function, holes, install, package

LAX = '''
def lax(value):
    """Return it.

    >>> lax(1)
    1
    """
    unused = value + 1
    return value
'''

ASKED = Asked("model", False, "default", "invoked", "{}")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sources, "CACHE", tmp_path)
    monkeypatch.setattr("evaluation.pool.CACHE", tmp_path)
    monkeypatch.setattr("evaluation.pool.functions", lambda _: (function(), function(name="inner")))
    monkeypatch.setattr(verdict, "packages", lambda _: (package(),))
    verdict._paths.cache_clear()
    install(tmp_path)
    yield
    verdict._paths.cache_clear()


class Model:
    """Knows every answer, until it is told to fail; keeps what it has been asked for."""

    def __init__(self, patience: int = 1000) -> None:
        self.patience = patience
        self.asked: list[str] = []

    async def __call__(self, hole: Hole) -> Shown | None:
        if len(self.asked) == self.patience:
            raise ConnectionError
        self.asked.append(hole.id)
        return Shown(hole.truth)


async def ran(dug: list[Hole], model: Model, asked: Asked, file: Path) -> list[Line]:
    [found] = await run(dug, [Run(model, asked, Lines(file))])
    return found


async def test_runs_go_side_by_side(tmp_path: Path) -> None:
    order: list[tuple[str, str]] = []

    class Noting(Model):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        async def __call__(self, hole: Hole) -> Shown | None:
            order.append((self.name, hole.id))
            return await super().__call__(hole)

    dug = holes("line")
    runs = [Run(Noting(name), replace(ASKED, variant=name), Lines(tmp_path / name)) for name in ("a", "b")]
    found = await run(dug, runs)
    assert order == [(name, hole.id) for hole in dug for name in ("a", "b")]
    assert [[line["hole"] for line in lines] for lines in found] == [[hole.id for hole in dug]] * 2


async def test_holes_are_asked_for_at_the_same_time_and_told_in_their_order(tmp_path: Path) -> None:
    dug, started = holes("line")[:2], [anyio.Event(), anyio.Event()]

    async def meet(hole: Hole) -> Shown | None:
        here = dug.index(hole)
        started[here].set()
        await started[1 - here].wait()
        return Shown(hole.truth)

    with anyio.fail_after(60):
        [found] = await run(dug, [Run(meet, ASKED, Lines(tmp_path / "run.jsonl"))], together=2)
    assert [line["hole"] for line in found] == [hole.id for hole in dug]


async def test_a_run_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    file, dug = tmp_path / "run.jsonl", holes("line")
    first, second = Model(patience=2), Model()
    with pytest.raises(ConnectionError):
        await ran(dug, first, ASKED, file)
    with file.open("a") as lines:
        lines.write('{"key": "cut o')
    found = await ran(dug, second, ASKED, file)
    assert first.asked + second.asked == [hole.id for hole in dug]
    assert [line["hole"] for line in found] == [hole.id for hole in dug]
    assert all(line["passed"] for line in found)
    assert [line["hole"] for line in Lines(file)] == [hole.id for hole in dug]


async def test_what_is_asked_otherwise_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, dug, model = tmp_path / "run.jsonl", holes("line")[:1], Model()
    for asked in (ASKED, ASKED, replace(ASKED, model="other"), replace(ASKED, settings='{"a": 1}')):
        await ran(dug, model, asked, file)
    assert len(model.asked) == 3
    monkeypatch.setattr(runner, "code_fingerprint", lambda: "another prompt")
    await ran(dug, model, ASKED, file)
    assert len(model.asked) == 4


async def test_another_scorer_scores_again_and_does_not_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, dug, model = tmp_path / "run.jsonl", holes("line"), Model()
    await ran(dug, model, ASKED, file)
    monkeypatch.setattr(runner, "scorer_fingerprint", lambda: "another scorer")
    monkeypatch.setattr(score, "examine", lambda *_: Verdict(False, "strict", True))
    found = await ran(dug, model, ASKED, file)
    assert len(model.asked) == len(dug)
    assert {line["why"] for line in found} == {"strict"}
    assert {line["why"] for line in Lines(file)} == {"strict"}


def test_the_pool_has_holes_that_tell_right_from_nothing(tmp_path: Path) -> None:
    judged: list[str] = []
    chosen = [
        Pool(0, jobs=1, judged=judged.append).choose("python", "line", half, 9) for half in ("train", "test")
    ]
    assert {hole.function.name for half in chosen for hole in half} == {"count", "inner"}
    tried = len(judged)
    again = [
        Pool(0, jobs=1, judged=judged.append).choose("python", "line", half, 9) for half in ("train", "test")
    ]
    assert [[hole.id for hole in half] for half in again] == [[hole.id for hole in half] for half in chosen]
    assert len(judged) == tried > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_hole_that_needs_no_answer_is_not_chosen(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lax = function(LAX, "lax")
    monkeypatch.setattr("evaluation.pool.functions", lambda _: (lax,))
    (chosen,) = Pool(seed, jobs=1).choose("python", "line", lax.half, 9)
    assert chosen.truth == "return value"


def test_a_function_whose_examples_fail_has_no_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = function(LAX.replace(">>> lax(1)", ">>> lax(2)"), "lax")
    monkeypatch.setattr("evaluation.pool.functions", lambda _: (wrong,))
    assert Pool(0, jobs=1).choose("python", "line", wrong.half, 9) == []


def line(hole: str, *, passed: bool, shown: str | None = "x", kind: str = "line") -> Line:
    return {
        "hole": hole,
        "language": "python",
        "kind": kind,
        "detail": "",
        "shown": shown,
        "passed": passed,
        "exact": passed,
        "similarity": 0.5,
        "repeats": False,
        "parses_after": shown != "(",
        "noise": [],
        "seconds": 1.0,
    }


def test_figures() -> None:
    lines = [line("a", passed=True), line("b", passed=False, shown="("), line("c", passed=False, shown=None)]
    (figures,) = report.summarise([*lines, line("d", passed=False)])
    assert figures["number"] == 4
    assert figures["shown"] == 0.75
    assert figures["passed"] == 0.25
    assert figures["precision"] == pytest.approx(1 / 3)
    assert figures["unparseable"] == pytest.approx(1 / 3)
    assert report.markdown([figures]).splitlines()[2].startswith("| python line | 4 | 75 | 25 | 5-70 | 33 |")
    assert json.loads(json.dumps(figures))["first_line_similarity"] == 0.5


def test_a_comparison_is_of_the_same_holes() -> None:
    first = [line(str(number), passed=number < 8) for number in range(10)]
    second = [line(str(number), passed=number < 2) for number in range(10)]
    *_, everything = report.compare([*first, line("alone", passed=True)], second)
    assert (everything["number"], everything["only_first"], everything["only_second"]) == (10, 6, 0)
    assert everything["p"] == pytest.approx(2 / 64)
    with pytest.raises(ValueError, match="no hole in common"):
        report.compare(first, [line("alone", passed=True)])


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("x + 1", "x + 1"),
        ("```python\nx + 1\n```", "x + 1"),
        ("Sure!\n```\nreturn x + 1\n```\nThis adds.", " x + 1"),
        ("    return x + 1<CURSOR>", " x + 1"),
    ],
)
def test_an_answer_to_a_question_is_cleaned(answer: str, text: str) -> None:
    assert clean(answer, Excerpt("def f(x):\n    return", "\n")) == text
