from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phial.assist.excerpt import Excerpt
from phial.assist.trim import (
    cut_dedent,
    cut_fence,
    cut_line,
    cut_line_rest,
    cut_suffix_lines,
    is_complete,
    opens_block,
    trim,
)
from unit.assist.cursor import excerpt_at, inserted_at

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "trim.json").read_text(encoding="utf-8")
)

# What stands in code, so that random text has fences, brackets, dedents and repeats in it.
pieces = st.sampled_from(
    [
        *("\n", "\n\n", " ", "    ", "\t", "a", "b", "x = 1", "return x", "todo", "do", "else"),
        *("(", ")", "[", "]", "{", "}", ":", ";", ",", "=>", "```", "``", "`", '"', "é", "😀"),
    ]
)
texts = st.lists(pieces, max_size=14).map("".join)
beginnings = st.lists(pieces, max_size=6).map("".join)
block_beginnings = st.sampled_from(["if x:\n    ", "f = {", "if x:", "    if x:\n        ", "\tfor (;;) {\n"])
prefixes = beginnings | st.builds(str.__add__, beginnings, block_beginnings)
excerpts = st.builds(Excerpt, prefixes, texts)
excerpts_at_line_end = st.builds(lambda prefix, suffix: Excerpt(prefix, f"\n{suffix}"), prefixes, texts)
lines = st.integers(1, 5)


# Golden cases


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    before, writes, after = ("\n".join(case[key]) for key in ("before", "writes", "after"))
    excerpt = excerpt_at(before, language=case["language"])
    assert inserted_at(before, trim(writes, excerpt, whole=case.get("whole", True))) == after


def test_there_are_golden_cases_of_each_kind() -> None:
    assert len(GOLDEN) >= 25
    assert len({case["name"] for case in GOLDEN}) == len(GOLDEN)
    assert {case["language"] for case in GOLDEN} >= {"python", "javascript", "go", "rust"}


# What holds for any text


@given(texts, excerpts, st.booleans(), lines)
def test_what_is_inserted_is_a_head_of_what_was_written(
    text: str, excerpt: Excerpt, whole: bool, max_lines: int
) -> None:
    kept = trim(text, excerpt, whole=whole, max_lines=max_lines)
    assert text.startswith(kept)
    assert kept.count("\n") < max_lines
    assert kept == kept.rstrip()


@given(texts, excerpts_at_line_end, lines)
@example("    x = 1\n}\n", Excerpt("if (x) {\n", "\n"), 5)
def test_to_trim_twice_is_to_trim_once(text: str, excerpt: Excerpt, max_lines: int) -> None:
    kept = trim(text, excerpt, max_lines=max_lines)
    assert trim(kept, excerpt, max_lines=max_lines) == kept


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
        assert trim(text, Excerpt("print(", rest)) == text.rstrip()
        assert trim(text + rest, Excerpt("print(", rest)) == text.rstrip()


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


@pytest.mark.parametrize(
    ("before", "opens"),
    [
        *(
            ("def f():$0", True),
            ("def f():\n    $0", True),
            ("def f():\n\n\n  $0", True),
            ("if (x) {  $0", True),
        ),
        *(("foo($0", True), ("[$0\n", True), ("=>$0", True), ("->$0", True), ("loop do$0", True)),
        *(("if [ x ]; then$0", True), ("begin\n  $0", True), ("x: $0  \n", True)),
        *(
            ("$0", False),
            ("x$0", False),
            ("x = 1\n$0", False),
            ("foo($0)", False),
            ("def f():$0 pass", False),
        ),
        *(
            ("todo$0", False),
            ("undo $0", False),
            ("then_$0", False),
            ("strengthen$0", False),
            ("a >$0", False),
        ),
    ],
)
def test_opens_block(before: str, opens: bool) -> None:
    assert opens_block(excerpt_at(before)) is opens


# Each filter


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\n```\nb", "a\n"),
        ("a\n  ````python", "a\n"),
        ("```\na", ""),
        ("a ```\nb", "a ```\nb"),
        ("a\n``\n", "a\n``\n"),
        ("", ""),
    ],
)
def test_cut_fence(text: str, kept: str) -> None:
    assert cut_fence(text, Excerpt("x", "")) == kept


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [("x = $0", "1\n2", "1"), ("x = $0", "\n2", ""), ("x = $0", "1", "1"), ("if x:\n$0", " 1\n 2", " 1\n 2")],
)
def test_cut_line(before: str, text: str, kept: str) -> None:
    assert cut_line(text, excerpt_at(before)) == kept


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [
        ("if x:\n    $0", "a\n    b\nc\nd", "a\n    b\n"),
        ("if x:\n    $0", "a\n\n    b", "a\n\n    b"),
        ("  if x:\n    $0", "a\n  b", "a\n"),
        ("  if x:\n    $0", "a\n b", "a\n"),
        ("  if x:\n    $0", "a\n   b", "a\n   b"),
        ("if x:\n$0", "a", "a"),
        ("f = {$0", "\n  a\n}\nb", "\n  a\n}"),
        ("f({$0", "\n  a\n});\nb", "\n  a\n});"),
        ("f = {$0", "\n  a\n} else {\n  b\n}\nc", "\n  a\n} else {\n  b\n}"),
        ("f = {$0", "\n  a\n  }\n  b", "\n  a\n  }\n  b"),
        ("x = $0", "a\nb", "a\nb"),
    ],
)
def test_cut_dedent(before: str, text: str, kept: str) -> None:
    assert cut_dedent(text, excerpt_at(before)) == kept


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [
        ("if x:\n    $0\n    b\n", "a\n    b\n    c", "a\n"),
        ("if x:\n    $0\n\n\n    b", "a\n    b  \n    c", "a\n"),
        ("if x:\n    $0\n    b", "a\n    bc\n", "a\n    bc\n"),
        ("if x:\n    $0\n    b", "a\n        b\n", "a\n        b\n"),
        ("if x:\n    $0\n    b\n    c", "a\n    c\n", "a\n    c\n"),
        ("    $0\n    b", "b", ""),
        ("    r$0\n    return", "eturn", ""),
        ("$0b\n", "a\nb", "a\nb"),
        ("def f():$0\ndef f():", "\n    pass", "\n    pass"),
        ("$0", "a\nb", "a\nb"),
    ],
)
def test_cut_suffix_lines(before: str, text: str, kept: str) -> None:
    assert cut_suffix_lines(text, excerpt_at(before)) == kept


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [
        ("f($0)", "a)", "a"),
        ("f($0)", "a", "a"),
        ("f($0)", "g(a)", "g(a)"),
        ("f($0)", "g(a))", "g(a)"),
        ("f($0)", "g(h(a))", "g(h(a))"),
        ("f($0)", "a)[b]", "a)[b]"),
        ("f(g($0))", "a))", "a"),
        ("f(g($0))", "a)", "a"),
        ("f(g($0))", "h(a)))", "h(a)"),
        ("f([$0])", "a])", "a"),
        ("f($0);", "a);", "a"),
        ("f($0);", "a)", "a"),
        ("f($0) {", "a) {", "a"),
        ("$0 = 1", "x", "x"),
        ("$0x = 1", "x", "x"),
        ("$0 + b", "a + b", "a "),
        ("f($0)", "a)  ", "a"),
        ("f($0)", "a\nb)", "a\nb)"),
        ("f($0\n)", "a)", "a)"),
        ('"$0"', 'a"', "a"),
    ],
)
def test_cut_line_rest(before: str, text: str, kept: str) -> None:
    assert cut_line_rest(text, excerpt_at(before)) == kept
