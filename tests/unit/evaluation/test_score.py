"""An answer is worth what its examples say, and the scorer can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation import siblings, sources, verdict
from evaluation.askers import read_item
from evaluation.holes import Hole, Shown, Spot
from evaluation.honesty import check
from evaluation.score import noise, repeats_suffix, score, similarity
from evaluation.sources import packages
from unit.evaluation.made import holes, install, javascript_function, package


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The made-up packages, as if they had been downloaded."""
    monkeypatch.setattr(sources, "CACHE", tmp_path)
    monkeypatch.setattr(verdict, "packages", lambda _: (package(),))
    monkeypatch.setattr(siblings, "sources", lambda _: ())
    for remembered in (verdict._paths, siblings._files):
        remembered.cache_clear()
    install(tmp_path)
    yield
    for remembered in (verdict._paths, siblings._files):
        remembered.cache_clear()


def hole(truth: str) -> Hole:
    return next(found for kind in ("line", "block") for found in holes(kind) if found.truth.startswith(truth))


def test_the_true_text_passes_and_nothing_does_not() -> None:
    for dug in (holes("line"), holes("line", javascript_function())):
        found = check(dug[0].function.source.package.language, "line", "test", dug, jobs=1)
        assert found.holds
        assert (found.true_passed, found.empty_passed) == (len(dug), 0)


def test_the_check_sees_holes_that_need_no_answer() -> None:
    useless = Hole(hole("seen").function, Spot("line", "", 0, 0))
    assert not check("python", "line", "test", [useless], jobs=1).holds


def test_another_way_to_write_it_passes() -> None:
    found = score(hole("counts[word]"), Shown("counts[word] = 1 + seen"))
    assert found.passed
    assert not found.exact
    assert 0.5 < found.similarity < 1


def test_what_is_wrong_does_not() -> None:
    found = score(hole("counts[word]"), Shown("counts[word] = seen + 2"))
    assert (found.passed, found.why, found.parses_after) == (False, "doctest", True)


def test_what_does_not_parse_is_told() -> None:
    found = score(hole("counts[word]"), Shown("counts[word] = (seen"))
    assert (found.passed, found.parses_before, found.parses_after) == (False, True, False)


def test_nothing_shown_is_nothing_completed() -> None:
    assert not score(hole("seen"), None).passed
    assert not score(hole("seen"), Shown("")).passed


def test_javascript() -> None:
    line = next(found for found in holes("line", javascript_function()) if found.truth == "return result;")
    assert score(line, Shown("return Object.assign({}, result);")).passed
    assert score(line, Shown("return {};")).why == "example"
    assert not score(line, Shown("return {")).parses_after


def test_repeats() -> None:
    found = hole("seen")
    assert repeats_suffix("seen = 1\n        counts[word] = seen + 1", found)
    assert not repeats_suffix("seen = 1", found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1", ()),
        ("```python\nx = 1\n```", ("fence",)),
        ("Sure, here is the code:\nx", ("chatter",)),
        ("x<|end|>", ("control",)),
        ("here_is = sure(1)", ()),
    ],
)
def test_noise(text: str, names: tuple[str, ...]) -> None:
    assert noise(text, "x = 2") == names


def test_what_the_true_text_has_is_no_noise() -> None:
    assert noise("x = '<|end|>'", "y = '<|end|>'") == ()


def test_similarity() -> None:
    assert similarity("kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert similarity("", "") == 1.0
    assert similarity("", "abc") == 0.0


def test_a_range_is_replaced() -> None:
    found = hole("seen")
    line = found.prefix.count("\n")

    def item(text: str, start: int, end: int) -> dict[str, object]:
        place = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
        return {"insertText": text, "range": place}

    assert read_item(item("x = 1", 8, 8), found) == Shown("x = 1")
    assert read_item(item("        x = 1", 0, 8), found) == Shown("x = 1")
    assert read_item(item("\tx = 1", 0, 8), found) == Shown("\tx = 1", before=8)
    assert found.completed(Shown(found.truth)) == found.function.source.text
    closed = next(dug for dug in holes("closed") if dug.truth == "word, 0")
    assert closed.completed(Shown("word, 0)", after=1)) == closed.function.source.text


def test_real_packages_are_pinned() -> None:
    for language in ("python", "javascript"):
        assert all(len(found.sha256) == 64 and found.version for found in packages(language))
