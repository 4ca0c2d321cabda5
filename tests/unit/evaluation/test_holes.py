"""Where holes are dug, and that their answers are nowhere else."""

from __future__ import annotations

import pytest

from evaluation import python_code
from evaluation.holes import KINDS, Hole, Kind, dig, distinct, tells_answer
from evaluation.pool import ordered
from evaluation.sources import Source
from unit.evaluation.made import PYTHON, function, holes, javascript_function, package, shown


def test_lines() -> None:
    assert [shown(hole) for hole in holes("line")] == [
        "«counts = {}»",
        "«for word in words:»",
        "«seen = counts.get(word, 0)»",
        "«counts[word] = seen + 1»",
        "«return {word: number for word, number in counts.items() if number >= least}»",
    ]


def test_rests_begin_between_words() -> None:
    found = [shown(hole) for hole in holes("rest")]
    assert "for «word in words:»" in found
    assert "seen = counts.«get(word, 0)»" in found
    assert "seen = counts«.get(word, 0)»" not in found


def test_words_begin_behind_a_letter() -> None:
    found = {shown(hole): hole.spot.detail for hole in holes("word")}
    assert found["s«een = counts.get(word, 0)»"] == "inside"
    assert found["see«n = counts.get(word, 0)»"] == "inside"
    assert found["seen« = counts.get(word, 0)»"] == "end"
    assert not any(text.startswith(("f«or", "retur«n")) for text in found)


def test_closed_ends_before_the_brackets() -> None:
    assert [shown(hole) for hole in holes("closed")] == [
        "seen = counts.get(«word, 0»)",
        "return {«word: number for word, number in counts.items() if number >= least»}",
    ]


def test_blocks() -> None:
    body, suite = holes("block")
    assert (body.spot.detail, suite.spot.detail) == ("body", "suite")
    assert body.truth.startswith("counts = {}\n    for word")
    assert body.truth.endswith("number >= least}")
    assert shown(suite) == "«seen = counts.get(word, 0)\n        counts[word] = seen + 1»"


def test_a_string_of_several_lines_is_no_code() -> None:
    assert [shown(hole) for hole in holes("line", function(name="inner"))] == [
        "«return value * 2 if text else None»"
    ]


def test_functions_without_examples_have_no_holes() -> None:
    names = [found.name for found in python_code.functions(Source(package(), "made/words.py", PYTHON))]
    assert names == ["count", "inner"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_hole_and_its_text_are_the_source(kind: Kind) -> None:
    for found in (function(), javascript_function()):
        for hole in dig(found, kind, seed=0):
            assert hole.filled(hole.truth) == found.source.text
            assert hole.truth == hole.truth.rstrip() != ""


def test_a_hole_whose_answer_stands_elsewhere_is_none() -> None:
    repeated = PYTHON.replace(
        "def undocumented(value):", "def undocumented(counts,  word, seen):\n    counts[word] = seen\n    + 1"
    )
    before = [shown(hole) for hole in holes("line")]
    after = [shown(hole) for hole in holes("line", function(repeated))]
    assert set(before) - set(after) == {"«counts[word] = seen + 1»"}


def test_no_hole_tells_its_answer() -> None:
    told = [hole for kind in KINDS for hole in holes(kind) if tells_answer(hole)]
    assert told == []
    found = function()
    spoiled = PYTHON + "\n# seen = counts.get(word, 0)\n"
    spot = next(hole.spot for hole in holes("line") if hole.truth.startswith("seen ="))
    assert tells_answer(Hole(function(spoiled), spot))
    assert not tells_answer(Hole(found, spot))


def test_the_same_seed_digs_the_same_holes() -> None:
    first, again, other = ([hole.id for hole in dig(function(), "word", seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)


def test_each_sort_has_the_same_chance() -> None:
    first = [next(dig(function(), "word", seed)).spot.detail for seed in range(200)]
    assert 70 < first.count("end") < 130
    assert len(holes("word")) == len({hole.id for hole in holes("word")})


def test_no_function_is_in_both_halves() -> None:
    renamed = [PYTHON.replace("def count(", f"def count{number}(") for number in range(40)]
    same = [function(text, f"count{number}") for number, text in enumerate(renamed)]
    assert {found.half for found in same} == {"train", "test"}
    assert len(list(distinct(same))) == 1
    train, test = (ordered(same, half, seed=3) for half in ("train", "test"))
    assert {found.id for found in train}.isdisjoint(found.id for found in test)
    assert len(train) + len(test) == len(same)


def test_javascript() -> None:
    found = javascript_function()
    assert shown(holes("line", found)[0]) == "«var result = {};»"
    assert "var seen = «result[word] || 0;»" in [shown(hole) for hole in holes("rest", found)]
    assert "var s«een = result[word] || 0;»" in [shown(hole) for hole in holes("word", found)]
    assert [shown(hole) for hole in holes("closed", found)] == ["result[word] = other(«seen»);"]
    assert [hole.spot.detail for hole in holes("block", found)] == ["body", "suite"]
