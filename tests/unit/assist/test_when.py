"""When the model is asked, and for how much: the rhythm of typing, what was measured, where the cursor has been."""

from __future__ import annotations

import pytest

from phial.assist.excerpt import Excerpt
from phial.assist.rhythm import Rhythm
from phial.assist.speed import Speed
from phial.assist.visits import Visits
from phial.settings import CompletionSettings
from unit.assist.cursor import excerpt_at

INSIDE = excerpt_at("value = compute$0")


def pause_after(*gaps: float, excerpt: Excerpt = INSIDE, latency: float | None = None) -> float:
    """Return the wait after so many seconds between keystrokes, many times over."""
    rhythm, now = Rhythm(), 0.0
    for _ in range(200):
        for gap in gaps:
            now += gap
            rhythm.keystroke(now)
    return rhythm.pause(excerpt, latency, longest=10)


def test_who_types_slowly_is_waited_for_longer() -> None:
    assert pause_after(0.05) < pause_after(0.1) < pause_after(0.25)


def test_most_gaps_in_a_burst_are_shorter_than_the_wait() -> None:
    assert 0.09 < pause_after(0.05, 0.06, 0.07, 0.08, 0.1, 0.12) < 0.14


def test_a_pause_tells_nothing_of_the_rhythm() -> None:
    assert pause_after(0.1, 5.0) == pytest.approx(pause_after(0.1))


@pytest.mark.parametrize(
    "text", ["x.$0", "f($0", "a:$0", "x =$0", "x = $0", "f(a,$0", "a + $0", "$0", "    $0", "a, $0", "x;$0"]
)
def test_less_is_waited_where_people_stop(text: str) -> None:
    assert pause_after(0.1, excerpt=excerpt_at(text)) < pause_after(0.1)


@pytest.mark.parametrize("text", ["fo$0", "return fo$0", "# some words $0", "a b$0"])
def test_no_less_in_the_middle_of_something(text: str) -> None:
    assert pause_after(0.1, excerpt=excerpt_at(text)) == pause_after(0.1)


def test_a_slow_model_is_asked_later_and_a_fast_one_sooner() -> None:
    fast, usual, slow = (pause_after(0.1, latency=latency) for latency in (0.02, None, 3.0))
    assert fast < usual < slow


def test_the_setting_is_the_longest_wait() -> None:
    assert Rhythm().pause(INSIDE, 60.0, longest=0.05) == 0.05
    assert Rhythm().pause(INSIDE, None, longest=0) == 0


# Budgets


@pytest.mark.parametrize(
    ("rate", "latency", "tokens"),
    [
        pytest.param(1_000, 0.1, 96, id="a fast model writes as much as is wanted"),
        pytest.param(40, 0.1, 56, id="a slower one what fits"),
        pytest.param(2, 0.1, 32, id="a line at least"),
        pytest.param(40, 9.0, 32, id="a line even where nothing is in time"),
    ],
)
def test_how_much_is_asked_for(rate: float, latency: float, tokens: int) -> None:
    speed = Speed()
    speed.measured(latency, 11, 10 / rate)
    limits = speed.limits(CompletionSettings(), told=None)
    assert (limits.tokens, limits.lines, limits.seconds) == (tokens, 12, 1.5)


def test_what_the_engine_tells_counts_before_anything_was_measured() -> None:
    assert Speed().limits(CompletionSettings(), told=40).tokens == 60
    assert Speed().limits(CompletionSettings(), told=None).tokens == 96


def test_the_settings_longest_stays_the_longest() -> None:
    assert Speed().limits(CompletionSettings(max_tokens=8), told=1).tokens == 8


def test_several_slow_lines_in_a_row_are_too_slow() -> None:
    speed = Speed()
    for seconds in (9, 9, 9, 9, 1, 9, 9, 9, 9):
        speed.line_took(seconds, budget=1.5)
    assert not speed.is_too_slow
    speed.line_took(9, budget=1.5)
    assert speed.is_too_slow


# Visits


def test_a_cursor_that_moves_without_a_keystroke_has_only_moved() -> None:
    visits = Visits()
    first, second = excerpt_at("a$0b"), excerpt_at("ab$0")
    assert not visits.visit("x", first)
    assert not visits.visit("x", first)
    assert visits.visit("x", second)
    visits.edited("x")
    assert not visits.visit("x", first)
    assert not visits.visit("y", second)
    assert visits.last("x") == first


def test_documents_that_were_left_long_ago_are_forgotten() -> None:
    visits = Visits()
    for number in range(1_000):
        visits.visit(str(number), INSIDE)
    assert [visits.last(str(number)) is None for number in (0, 999)] == [True, False]
