from __future__ import annotations

import pytest

from phial.assist.excerpt import Excerpt
from phial.assist.rejections import Rejections

LONG = "".join(f"line {number}\n" for number in range(99))


def typed_past(rejections: Rejections, before: str, text: str, after: str) -> None:
    rejections.show("a", Excerpt(before, ""), text)
    rejections.look("a", Excerpt(after, ""))


@pytest.mark.parametrize(
    ("now", "text", "goes_on"),
    [
        ("x = ", "foo", True),
        ("x = f", "oo", True),
        ("x = f", "ox", False),
        ("x = b", "oo", False),
        ("y", "foo", False),
    ],
)
def test_what_is_being_typed_as_it_is_shown_goes_on(now: str, text: str, goes_on: bool) -> None:
    rejections = Rejections()
    assert not rejections.goes_on("a", Excerpt("x = ", ""), "foo")
    rejections.show("a", Excerpt("x = ", ""), "foo")
    assert rejections.goes_on("a", Excerpt(now, ""), text) == goes_on
    assert not rejections.goes_on("b", Excerpt("x = ", ""), "foo")


@pytest.mark.parametrize("before", ["", "a", "ab\n"])
def test_what_is_typed_in_a_short_file_is_compared_with_what_was_typed(before: str) -> None:
    rejections = Rejections()
    rejections.show("a", Excerpt(before, ""), "ab\nc")
    assert rejections.goes_on("a", Excerpt(f"{before}ab\n", ""), "c")
    assert not rejections.goes_on("a", Excerpt(f"{before}ab\n", ""), "ab\nc")


@pytest.mark.parametrize(
    ("after", "is_unwanted"),
    [
        pytest.param("x = fob", True, id="typed past"),
        pytest.param("x = ba", True, id="something else"),
        pytest.param("x = ", False, id="not typed yet"),
        pytest.param("x = fo", False, id="typed along"),
        pytest.param("x = foo", False, id="taken"),
        pytest.param("x = foo()", False, id="taken and gone on"),
        pytest.param("y", False, id="gone elsewhere"),
    ],
)
def test_what_is_typed_past_twice_is_unwanted(after: str, is_unwanted: bool) -> None:
    rejections = Rejections()
    for _ in range(2):
        assert not rejections.is_unwanted(Excerpt("x = ", ""), "foo")
        typed_past(rejections, "x = ", "foo", after)
    assert rejections.is_unwanted(Excerpt("x = ", ""), "foo") == is_unwanted


def test_it_is_unwanted_in_such_a_line_only_and_that_text_only() -> None:
    rejections = Rejections()
    for _ in range(2):
        typed_past(rejections, "x = ", "foo", "x = b")
    assert rejections.is_unwanted(Excerpt("other()\n    x = ", "y"), "foo")
    assert not rejections.is_unwanted(Excerpt("y = ", ""), "foo")
    assert not rejections.is_unwanted(Excerpt("x = ", ""), "bar")


def test_the_window_over_a_long_file_may_move() -> None:
    rejections = Rejections()
    for _ in range(2):
        rejections.show("a", Excerpt(f"{LONG}x = ", ""), "foo")
        rejections.look("a", Excerpt(f"{LONG[200:]}x = b", ""))
    assert rejections.is_unwanted(Excerpt("x = ", ""), "foo")


def test_what_happens_in_one_document_says_nothing_of_another() -> None:
    rejections = Rejections()
    for _ in range(2):
        rejections.show("a", Excerpt("x = ", ""), "foo")
        rejections.look("b", Excerpt("x = b", ""))
    assert not rejections.is_unwanted(Excerpt("x = ", ""), "foo")


def test_only_the_latest_are_remembered() -> None:
    rejections = Rejections()
    for number in range(65):
        for _ in range(2):
            typed_past(rejections, f"{number} = ", "foo", f"{number} = b")
    assert not rejections.is_unwanted(Excerpt("0 = ", ""), "foo")
    assert rejections.is_unwanted(Excerpt("64 = ", ""), "foo")
