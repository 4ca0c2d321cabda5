"""From the lines of a run to figures, and from figures to a table, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any

from rich.table import Table

from evaluation.ablation import Ablated
from evaluation.calibration import Judged, Learnt
from evaluation.holes import KINDS
from evaluation.honesty import Honesty
from evaluation.lines import Line
from evaluation.statistics import bootstrap, mcnemar, quantile, wilson

Figures = dict[str, Any]

_COLUMNS = (
    "Holes",
    "n",
    "shown",
    "pass",
    "95 %",
    "precision",
    "95 %",
    "exact",
    "first line",
    "repeats",
    "unparseable",
    "noise",
    "median s",
    "90 % s",
)


def summarise(lines: Sequence[Line]) -> list[Figures]:
    """Return the figures for each language and kind."""
    return [_figures(*name, list(group)) for name, group in _grouped(lines)]


def compare(first: Sequence[Line], second: Sequence[Line]) -> list[Figures]:
    """Return, for each language and kind, how two runs did on the holes that both have been asked for.

    Raises ValueError where there are none.
    """
    others = {line["hole"]: line for line in second}
    pairs = {line["hole"]: (line, others[line["hole"]]) for line in first if line["hole"] in others}
    if not pairs:
        raise ValueError("The two runs have no hole in common.")
    groups = [
        (f"{name[0]} {name[1]}", list(group)) for name, group in _grouped([one for one, _ in pairs.values()])
    ]
    return [
        _compared(name, [pairs[line["hole"]] for line in group])
        for name, group in (*groups, ("all", [one for one, _ in pairs.values()]))
    ]


def table(figures: Iterable[Figures], title: str) -> Table:
    """Lay figures out for a terminal."""
    shown = Table(title=title, title_justify="left", pad_edge=False)
    for number, column in enumerate(_COLUMNS):
        shown.add_column(column, justify="right" if number else "left")
    for row in figures:
        shown.add_row(*_cells(row))
        for detail, part in row["by_detail"].items():
            shown.add_row(*_part_cells(detail, part), style="dim")
    return shown


def markdown(figures: Iterable[Figures]) -> str:
    """Lay figures out for a document."""
    ruler = ["---", *["---:"] * (len(_COLUMNS) - 1)]
    rows = [_COLUMNS, ruler, *map(_cells, figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def comparison_table(figures: Iterable[Figures]) -> Table:
    """Lay a comparison out for a terminal."""
    shown = Table(title="First against second, on the same holes", title_justify="left", pad_edge=False)
    for column in ("Holes", "n", "first", "second", "only first", "only second", "p (McNemar, exact)"):
        shown.add_column(column, justify="right" if column != "Holes" else "left")
    for row in figures:
        shown.add_row(
            row["holes"],
            str(row["number"]),
            _percent(row["first"]),
            _percent(row["second"]),
            str(row["only_first"]),
            str(row["only_second"]),
            f"{row['p']:.3g}",
        )
    return shown


def learnt_table(found: Iterable[Learnt]) -> Table:
    """Lay out for a terminal what was learnt about confidence."""
    shown = Table(
        title="Confidence, on functions it was not learnt from", title_justify="left", pad_edge=False
    )
    for column in (
        "Kind",
        "n",
        "constant",
        "weights",
        "AUC",
        "threshold",
        "good ones kept",
        "without",
        "with",
    ):
        shown.add_column(column, justify="left" if column == "Kind" else "right")
    for row in found:
        shares = (row.kept, row.precision_before, row.precision)
        calibration = (f"{row.calibration.constant:.3f}", f"{row.calibration.weight:.3f}")
        learnt = (str(row.number), *calibration, f"{row.area:.2f}")
        shown.add_row(row.kind, *learnt, f"{row.threshold:.2f}", *map(_percent, shares))
    return shown


def judged_table(found: Iterable[Judged]) -> Table:
    """Lay out for a terminal what the default thresholds would do to what a run has shown."""
    shown = Table(title="At the default thresholds", title_justify="left", pad_edge=False)
    for column in ("Kind", "n", "shown", "good ones kept", "precision without", "precision with", "times"):
        shown.add_column(column, justify="left" if column == "Kind" else "right")
    for row in found:
        shares = (row.shown / row.number, row.kept, row.precision_before, row.precision)
        times = row.precision / row.precision_before if row.precision_before else float("nan")
        shown.add_row(row.kind, str(row.number), *map(_percent, shares), f"{times:.2f}")
    return shown


def ablated_table(rows: Iterable[Ablated]) -> Table:
    """Lay out for a terminal what each filter brings."""
    shown = Table(title="What becomes of the answers", title_justify="left", pad_edge=False)
    for column in ("Without", "n", "changed", "pass", "repeats", "break the file", "noise"):
        shown.add_column(column, justify="left" if column == "Without" else "right")
    for row in rows:
        counts = (row.number, row.changed, row.passed, row.repeats, row.unparseable, row.noise)
        shown.add_row(row.without or "nothing: all filters", *map(str, counts))
    return shown


def honesty_table(rows: Iterable[Honesty]) -> Table:
    """Lay out how far the evaluation can be believed."""
    shown = Table(title="Without a model", title_justify="left", pad_edge=False)
    for column in ("Holes", "half", "n", "true text passes", "empty passes", "answer in context", ""):
        shown.add_column(column, justify="left" if column in {"Holes", "half"} else "right")
    for row in rows:
        counts = (row.number, row.true_passed, row.empty_passed, row.answer_in_context)
        name = f"{row.language} {row.kind}"
        shown.add_row(name, row.half, *map(str, counts), "ok" if row.holds else "WRONG")
    return shown


def _grouped(lines: Iterable[Line]) -> Iterable[tuple[tuple[str, str], Iterable[Line]]]:
    def place(line: Line) -> tuple[int, int]:
        return int(line["language"] != "python"), KINDS.index(line["kind"])

    def name(line: Line) -> tuple[str, str]:
        return line["language"], line["kind"]

    return groupby(sorted(lines, key=place), key=name)


def _figures(language: str, kind: str, lines: list[Line]) -> Figures:
    shown = [line for line in lines if line["shown"]]
    passed = sum(line["passed"] for line in lines)
    similarities = [line["similarity"] for line in shown]
    seconds = [line["seconds"] for line in lines]
    return {
        "language": language,
        "kind": kind,
        "number": len(lines),
        "shown": len(shown) / len(lines),
        "passed": passed / len(lines),
        "passed_interval": wilson(passed, len(lines)),
        "precision": _share(shown, "passed"),
        "precision_interval": wilson(passed, len(shown)),
        "exact": _share(lines, "exact"),
        "first_line_similarity": fmean(similarities) if shown else None,
        "first_line_similarity_interval": bootstrap(similarities, fmean) if shown else None,
        "repeats_suffix": _share(shown, "repeats"),
        "unparseable": _share(shown, "parses_after", wanted=False),
        "noise": sum(bool(line["noise"]) for line in shown) / len(shown) if shown else None,
        "seconds_median": quantile(seconds, 0.5),
        "seconds_90": quantile(seconds, 0.9),
        "by_detail": {
            detail: _part([line for line in lines if line["detail"] == detail])
            for detail in sorted({line["detail"] for line in lines} - {""})
        },
    }


def _part(lines: list[Line]) -> Figures:
    passed = sum(line["passed"] for line in lines)
    return {
        "number": len(lines),
        "shown": sum(bool(line["shown"]) for line in lines) / len(lines),
        "passed": passed / len(lines),
        "passed_interval": wilson(passed, len(lines)),
    }


def _compared(name: str, pairs: list[tuple[Line, Line]]) -> Figures:
    only_first = sum(one["passed"] and not other["passed"] for one, other in pairs)
    only_second = sum(other["passed"] and not one["passed"] for one, other in pairs)
    return {
        "holes": name,
        "number": len(pairs),
        "first": sum(one["passed"] for one, _ in pairs) / len(pairs),
        "second": sum(other["passed"] for _, other in pairs) / len(pairs),
        "only_first": only_first,
        "only_second": only_second,
        "p": mcnemar(only_first, only_second),
    }


def _share(lines: Sequence[Line], name: str, *, wanted: bool = True) -> float | None:
    return sum(bool(line[name]) is wanted for line in lines) / len(lines) if lines else None


def _cells(row: Figures) -> list[str]:
    return [
        f"{row['language']} {row['kind']}",
        str(row["number"]),
        _percent(row["shown"]),
        _percent(row["passed"]),
        _interval(row["passed_interval"]),
        _percent(row["precision"]),
        _interval(row["precision_interval"]),
        _percent(row["exact"]),
        _percent(row["first_line_similarity"]),
        _percent(row["repeats_suffix"]),
        _percent(row["unparseable"]),
        _percent(row["noise"]),
        f"{row['seconds_median']:.2f}",
        f"{row['seconds_90']:.2f}",
    ]


def _part_cells(detail: str, part: Figures) -> list[str]:
    passed = _interval(part["passed_interval"])
    return [f"  {detail}", str(part["number"]), _percent(part["shown"]), _percent(part["passed"]), passed]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"


def _interval(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.0f}-{100 * interval[1]:.0f}"
