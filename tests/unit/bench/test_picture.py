from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from phial.bench.figures import Figure
from phial.bench.picture import drawn, position
from phial.bench.report import Report

SVG = "{http://www.w3.org/2000/svg}"


def shapes(report: Report, name: str) -> list[ET.Element]:
    return list(ET.fromstring(drawn(report)).iter(f"{SVG}{name}"))


@pytest.mark.parametrize(
    ("milliseconds", "expected"), [(0.0, 0), (0.1, 0), (10_000, 1), (60_000, 1), (31.6227766, 0.5)]
)
def test_the_scale_is_logarithmic_and_has_ends(milliseconds: float, expected: float) -> None:
    assert position(milliseconds) == pytest.approx(expected)


def test_there_is_a_dot_for_each_answer() -> None:
    report = Report("M & M", "CPU", milliseconds={"typed-through": [1.0, 2.0], "warm": [90.0], "cold": []})
    assert len(shapes(report, "circle")) == 3
    words = [element.text for element in shapes(report, "text")]
    assert "typed-through (2)" in words
    assert "p50 1, p99 2" in words
    assert "cold (0)" not in words


def test_there_is_a_bar_for_each_rival_as_long_as_its_value() -> None:
    figures = [
        Figure("phial_decode_tokens_per_second", "", 10.0),
        Figure("llama_cpp_decode_tokens_per_second", "", 5.0),
    ]
    ours, theirs = shapes(Report("M", "CPU", {"against": figures}), "rect")
    assert float(ours.attrib["width"]) == pytest.approx(2 * float(theirs.attrib["width"]), rel=0.01)


def test_nothing_measured_is_an_empty_picture() -> None:
    assert shapes(Report("M", "CPU"), "rect") == []
