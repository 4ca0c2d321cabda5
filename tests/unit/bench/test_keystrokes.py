from __future__ import annotations

from dataclasses import replace

import pytest

from phial.bench.counts import HostCounts
from phial.bench.figures import Value
from phial.bench.keystrokes import Keystroke, Replay, continues, explained, figures, warm_prefill

COLD = HostCounts(prompt_tokens=100, cached_tokens=0, prefilled_tokens=100)
WARM = HostCounts(prompt_tokens=100, cached_tokens=96, prefilled_tokens=4)


def named(replays: list[Replay], shown_tokens: int = 0) -> dict[str, Value | None]:
    return {figure.name: figure.value for figure in figures(replays, shown_tokens=shown_tokens)}


@pytest.mark.parametrize(
    ("how", "counts", "kind"),
    [
        (None, WARM, None),
        ("declined", WARM, "declined"),
        ("typed-through", WARM, "typed-through"),
        ("joined", COLD, "joined"),
        ("asked", WARM, "warm"),
        ("asked", COLD, "cold"),
        ("asked", HostCounts(), "cold"),
        ("asked", replace(COLD, cached_tokens=50), "warm"),
    ],
)
def test_what_the_model_was_asked_is_warm_where_most_of_the_prompt_was_there(
    how: str | None, counts: HostCounts, kind: str | None
) -> None:
    assert Keystroke(how, counts=counts).kind == kind


def test_times_are_told_by_kind_and_only_of_what_was_answered() -> None:
    keystrokes = [
        Keystroke("typed-through", seconds=0.002, server_seconds=0.001),
        Keystroke("typed-through", seconds=0.004, server_seconds=0.003),
        Keystroke("asked", seconds=None, counts=COLD),
        Keystroke("asked", seconds=0.5, counts=WARM),
    ]
    found = named([Replay(keystrokes)])
    assert (found["typed_through_answers"], found["warm_answers"], found["cold_answers"]) == (2, 1, 0)
    assert found["typed_through_p50_milliseconds"] == 2
    assert found["typed_through_p99_milliseconds"] == 4
    assert found["typed_through_p99_milliseconds_in_server"] == 3
    assert found["cold_p50_milliseconds"] is None
    assert found["keystrokes_without_model_call_share"] == 0.5


def test_what_was_generated_and_never_shown_is_wasted() -> None:
    replays = [
        Replay([Keystroke()], accepted_characters=4, counts=HostCounts(generated_tokens=30), cpu_seconds=2.0),
        Replay([Keystroke()], accepted_characters=0, counts=HostCounts(generated_tokens=10), cpu_seconds=2.0),
    ]
    found = named(replays, shown_tokens=10)
    assert (found["wasted_tokens"], found["wasted_tokens_share"]) == (30, 0.75)
    assert (found["cpu_seconds_per_accepted_character"], found["cpu_seconds_per_keystroke"]) == (1.0, 2.0)
    assert named(replays, shown_tokens=100)["wasted_tokens"] == 0


def test_a_key_that_the_server_says_nothing_of_is_not_taken_for_free() -> None:
    assert (
        named([Replay([Keystroke("declined"), Keystroke()])])["keystrokes_without_model_call_share"] is None
    )


def test_no_keys_are_no_mistake() -> None:
    assert named([])["keystrokes_without_model_call_share"] is None


def test_only_warm_keys_count_where_their_prefill_is_asked_for() -> None:
    keystrokes = [Keystroke("asked", counts=COLD), Keystroke("asked", counts=WARM), Keystroke("joined")]
    assert warm_prefill(Replay(keystrokes)).value == 4


def test_what_the_server_says_goes_to_the_keys_in_their_order() -> None:
    first, second = explained([Keystroke(seconds=1), Keystroke()], [("asked", 0.1), ("joined", 0.2)])
    assert (first.how, first.seconds, second.how, second.server_seconds) == ("asked", 1, "joined", 0.2)


def test_a_server_that_saw_another_number_of_keys_is_not_believed() -> None:
    [keystroke] = explained([Keystroke()], [])
    assert keystroke.how is None


@pytest.mark.parametrize(
    ("shown", "ghost", "expected"),
    [(None, "ab", False), ("abc", "bc", True), ("abc", "abc", True), ("abc", "x", False)],
)
def test_the_rest_of_a_ghost_text_was_shown_before(shown: str | None, ghost: str, expected: bool) -> None:
    assert continues(shown, ghost) is expected
