from __future__ import annotations

from phial.assist.draft import Draft
from phial.engine.base import Chunk


def written() -> Draft:
    draft = Draft("x =", " f")
    for text, *logprobs in ((" f", -9.0), ("oo", -0.1), ("(", -0.2, -0.3), ("\n", -0.4), ("x", -5.0)):
        draft.take(Chunk(text, tuple(logprobs)))
    return draft


def test_what_is_shown_counts_and_where_it_ends() -> None:
    assert written().logprobs_between(2, 5) == (-0.1, -0.2, -0.3, -0.4)


def test_a_token_that_goes_beyond_what_was_typed_had_a_choice() -> None:
    assert written().logprobs_between(1, 4) == (-9.0, -0.1, -0.2, -0.3)


def test_a_text_that_the_model_has_ended_with_has_no_token_behind_it() -> None:
    assert written().logprobs_between(2, 100) == (-0.1, -0.2, -0.3, -0.4, -5.0)
