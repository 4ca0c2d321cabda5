from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phial.assist.excerpt import Excerpt
from phial.assist.trim import Insertion, is_complete, trim
from unit.assist.cursor import excerpt_at, inserted_at

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "trim.json").read_text(encoding="utf-8")
)

LANGUAGES = [
    "python",
    "javascript",
    "java",
    "c",
    "go",
    "rust",
    "sql",
    "shellscript",
    "markdown",
    "ruby",
    "html",
    "",
]

# What stands in code, so that random text has fences, brackets, dedents and repeats in it.
pieces = st.sampled_from(
    [
        *("\n", "\n\n", " ", "    ", "\t", "a", "b", "x = 1", "return x", "todo", "do", "else"),
        *("(", ")", "[", "]", "{", "}", ":", ";", ",", "=>", "```", "``", "`", '"', "é", "😀"),
        *("# a\n", "// a.\n", "end", "fi", "</s>", "Sure, a", "x = 1\nx = 1\n"),
    ]
)
texts = st.lists(pieces, max_size=14).map("".join)
beginnings = st.lists(pieces, max_size=6).map("".join)
block_beginnings = st.sampled_from(["if x:\n    ", "f = {", "if x:", "    if x:\n        ", "\tfor (;;) {\n"])
prefixes = beginnings | st.builds(str.__add__, beginnings, block_beginnings)
excerpts = st.builds(
    lambda prefix, suffix, language: Excerpt(prefix, suffix, language=language),
    prefixes,
    texts | texts.map("\n{}".format),
    st.sampled_from(["python", "javascript", "shellscript", "ruby", ""]),
)
lines = st.integers(1, 5)


# Golden cases


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    before, writes, after = ("\n".join(case[key]) for key in ("before", "writes", "after"))
    excerpt = excerpt_at(before, language=case["language"])
    found = trim(writes, excerpt, whole=case.get("whole", True))
    assert inserted_at(before, found.text, found.replaces) == after


def test_there_are_golden_cases_of_each_kind() -> None:
    assert len(GOLDEN) >= 25
    assert len({case["name"] for case in GOLDEN}) == len(GOLDEN)
    assert {case["language"] for case in GOLDEN} >= {"python", "javascript", "go", "rust"}


# What holds for any text


@given(texts, excerpts, st.booleans(), lines)
def test_what_is_inserted_is_a_head_of_what_was_written(
    text: str, excerpt: Excerpt, whole: bool, max_lines: int
) -> None:
    kept = trim(text, excerpt, whole=whole, max_lines=max_lines).text
    assert text.startswith(kept)
    assert kept.count("\n") < max_lines
    assert kept == kept.rstrip()


@given(texts, excerpts)
@example("a)", Excerpt("f(", ")"))
@example("a) + b", Excerpt("f(", ")"))
@example("a) + b", Excerpt("f(", ") * c"))
@example('a", b)', Excerpt('f("', '")'))
def test_what_is_replaced_stands_right_of_the_cursor_and_again_in_the_text(
    text: str, excerpt: Excerpt
) -> None:
    found = trim(text, excerpt)
    replaced = excerpt.line_after[: found.replaces]
    assert len(replaced) == found.replaces
    characters = iter(found.text)
    assert all(character in characters for character in replaced), "in the same order"


@given(texts, excerpts, lines)
@example("    x = 1\n}\n", Excerpt("if (x) {\n", "\n"), 5)
@example("a))", Excerpt("f( ", " )"), 5)
def test_to_trim_twice_is_to_trim_once(text: str, excerpt: Excerpt, max_lines: int) -> None:
    kept = trim(text, excerpt, max_lines=max_lines)
    assert trim(kept.text, excerpt, max_lines=max_lines) == kept


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20), st.sampled_from(LANGUAGES))
def test_any_text_can_be_trimmed(text: str, prefix: str, suffix: str, language: str) -> None:
    excerpt = Excerpt(prefix, suffix, language=language)
    assert text.startswith(trim(text, excerpt).text)
    is_complete(text, excerpt)


@given(texts, texts, excerpts, st.booleans(), lines)
@example("a\n}\n", " else {", Excerpt("if (x) {\n    ", "\n"), True, 9)
@example("a\n}", " else {\n    b\n}", Excerpt("if (x) {\n    ", "\n"), True, 9)
@example("a\nretur", "n x", Excerpt("if x:\n    ", "\n    return x"), True, 9)
@example("a\n``", "`", Excerpt("if x:\n    ", ""), True, 9)
@example("x)", ")", Excerpt("f(", ")"), True, 9)
def test_once_a_text_is_complete_nothing_that_follows_matters(
    text: str, more: str, excerpt: Excerpt, whole: bool, max_lines: int
) -> None:
    if is_complete(text, excerpt, max_lines=max_lines):
        assert trim(text + more, excerpt, whole=whole, max_lines=max_lines) == trim(
            text, excerpt, max_lines=max_lines
        )


@given(texts, texts, excerpts, lines)
def test_a_complete_text_stays_complete(text: str, more: str, excerpt: Excerpt, max_lines: int) -> None:
    if is_complete(text, excerpt, max_lines=max_lines):
        assert is_complete(text + more, excerpt, max_lines=max_lines)


@given(
    st.recursive(st.sampled_from(["a", "1, ", ""]), lambda inner: st.builds("f({})[{}]".format, inner, inner))
)
@example("len(x)")
def test_a_bracket_that_the_text_has_opened_is_left_to_it(text: str) -> None:
    for rest in (")", "))", ")]", "):", ");"):
        alone, repeating = (trim(written, Excerpt("print(", rest)) for written in (text, text + rest))
        assert alone == Insertion(text.rstrip())
        assert repeating == (Insertion(text + rest, len(rest)) if text else Insertion(""))


# What is complete


@pytest.mark.parametrize(
    ("before", "text", "complete"),
    [
        pytest.param("x = $0", "1", False, id="a line"),
        pytest.param("x = $0", "1\n", True, id="a line and its end"),
        pytest.param("if x:\n    $0", "a\n", False, id="a line of a block"),
        pytest.param("if x:\n    $0", "a\nb", False, id="a dedent that may still be a blank line's"),
        pytest.param("if x:\n    $0", "a\nb\n", True, id="a dedent"),
        pytest.param("if x:\n    $0", "a\n\n\n", False, id="blank lines"),
        pytest.param("if x:\n    $0", "a\n```", False, id="a fence in the last line"),
        pytest.param("if x:\n    $0", "a\n```\n", True, id="a fence"),
        pytest.param("if (x) {$0", "\n  a\n}", False, id="a bracket that may have an else"),
        pytest.param("if (x) {$0", "\n  a\n}\n", True, id="a bracket"),
        pytest.param("if (x) {$0", "\n  a\n} else {\n", False, id="an else"),
        pytest.param("if x:\n    $0\n    return x", "a\n    return x", False, id="a repeat not yet whole"),
        pytest.param("if x:\n    $0\n    return x", "a\n    return x\n", True, id="a repeat"),
        pytest.param("if x:\n    $0", "    a\n" * 4, True, id="as many lines as there may be"),
    ],
)
def test_complete(before: str, text: str, complete: bool) -> None:
    assert is_complete(text, excerpt_at(before), max_lines=4) is complete
