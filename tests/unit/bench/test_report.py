from __future__ import annotations

import pytest

from phial.bench.figures import Figure
from phial.bench.report import PARTS, Report, check_parts
from phial.errors import UsageError


def test_a_script_finds_each_figure_by_its_name_whatever_part_it_is_of() -> None:
    report = Report("M", "CPU", {"one": [Figure("a", "A", 1)], "two": [Figure("b", "B", 2, at_most=1)]})
    assert report.for_json()["figures"] == {
        "a": {"value": 1},
        "b": {"value": 2, "atMost": 1, "holds": False},
    }


def test_a_report_tells_what_machine_it_is_of() -> None:
    machine = Report("M", "CPU").for_json()["machine"]
    assert machine["cores"] >= 1
    assert machine["memoryBytes"] > 1 << 28


def test_every_part_may_be_asked_for_and_no_other() -> None:
    check_parts(PARTS)
    with pytest.raises(UsageError, match="There is no part colour"):
        check_parts(["speed", "colour"])
