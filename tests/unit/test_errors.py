from __future__ import annotations

import re

import pytest

from phial import errors
from phial.errors import PhialError, UsageError, from_wire


def declared() -> list[type[PhialError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PhialError)]


kinds = pytest.mark.parametrize("kind", declared(), ids=lambda kind: kind.__name__)


def test_the_docstring_draws_the_tree() -> None:
    drawn = re.findall(r"^( *)[*x+-] (\w+)$", errors.__doc__ or "", re.MULTILINE)
    tree = [(len(blanks) // 2, name) for blanks, name in drawn]
    root = len(PhialError.mro())
    assert tree == [(len(kind.mro()) - root, kind.__name__) for kind in declared()]


def test_each_kind_has_a_code_of_its_own() -> None:
    codes = [vars(kind).get("code") for kind in declared()]
    assert None not in codes
    assert len(set(codes)) == len(codes)


@kinds
def test_an_error_says_what_went_wrong_and_then_what_to_do(kind: type[PhialError]) -> None:
    error = kind("It broke.")
    assert str(error) == f"It broke. {kind.advice}".strip()
    assert (error.message, error.next_step) == ("It broke.", kind.advice)


@kinds
def test_advice_is_whole_sentences(kind: type[PhialError]) -> None:
    assert kind.advice == "" or (kind.advice[0].isupper() and kind.advice.endswith("."))


def test_a_raiser_may_know_better_what_to_do() -> None:
    assert (
        str(errors.ModelNotFound("There is no model x.", advice="Pull it."))
        == "There is no model x. Pull it."
    )
    assert str(errors.ModelNotFound("There is no model x.", advice="")) == "There is no model x."


@kinds
def test_an_error_comes_through_the_wire_as_what_it_was(kind: type[PhialError]) -> None:
    sent = kind("It broke.")
    told = from_wire(sent.code, str(sent))
    assert type(told) is kind
    assert str(told) == str(sent)


@pytest.mark.parametrize("code", ["", "rate_limit_exceeded", None, 429, ["x"]])
def test_what_an_unknown_server_says_is_a_refusal(code: object) -> None:
    told = from_wire(code, "Too many requests.")
    assert type(told) is errors.EngineRefused
    assert str(told) == "Too many requests."


def test_a_kind_derived_elsewhere_does_not_take_the_place_of_its_parent() -> None:
    class InvalidField(UsageError):
        def __init__(self, message: str, parameter: str) -> None:
            super().__init__(message)
            self.parameter = parameter

    assert type(from_wire(UsageError.code, "No.")) is UsageError
    assert InvalidField("No.", "n").code == UsageError.code
