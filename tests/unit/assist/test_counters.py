from __future__ import annotations

import pytest

from phial.assist.counters import Counters


def test_requests_are_told_in_the_order_in_which_they_ended_and_numbered_as_they_began() -> None:
    counters = Counters()
    with counters.request() as first, counters.request() as second:
        first.how, second.how = "asked", "joined"
    told = [(answer.number, answer.how, answer.whole) for answer in counters.take()]
    assert told == [(1, "joined", True), (0, "asked", True)]


def test_what_has_been_taken_is_not_told_again() -> None:
    counters = Counters()
    with counters.request():
        pass
    assert len(counters.take()) == 1
    assert counters.take() == []


def test_a_request_that_does_not_come_to_its_end_was_not_answered() -> None:
    counters = Counters()
    with pytest.raises(ZeroDivisionError), counters.request():
        raise ZeroDivisionError
    [answer] = counters.take()
    assert (answer.how, answer.whole) == ("declined", False)


def test_nothing_grows_for_ever() -> None:
    counters = Counters()
    for _ in range(3000):
        with counters.request():
            pass
    assert [answer.number for answer in counters.take()] == list(range(2000, 3000))
