from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.assist.excerpt import PREFIX_CHARS, SUFFIX_CHARS, excerpt_around, indentation
from unit.assist.cursor import excerpt_at

texts = st.lists(st.sampled_from(["a", " ", "\n", "\r", "\r\n", "\ufeff", "😀"])).map("".join)


@pytest.mark.parametrize(
    ("text", "before", "after", "blanks"),
    [
        ("$0", "", "", ""),
        ("def f():\n    $0", "    ", "", "    "),
        ("a\n\tb.$0c)\nd", "\tb.", "c)", "\t"),
        ("  x$0\n", "  x", "", "  "),
        ("a\n$0\nb", "", "", ""),
        ("\t  \t$0x", "\t  \t", "x", "\t  \t"),
    ],
)
def test_the_line_of_the_cursor(text: str, before: str, after: str, blanks: str) -> None:
    excerpt = excerpt_at(text)
    assert (excerpt.line_before, excerpt.line_after, excerpt.indentation) == (before, after, blanks)


@pytest.mark.parametrize(
    ("line", "blanks"), [("", ""), ("a b", ""), ("  a", "  "), ("\t a", "\t "), ("\xa0a", ""), ("\n  a", "")]
)
def test_indentation_is_blanks_and_tabs(line: str, blanks: str) -> None:
    assert indentation(line) == blanks


@given(texts, texts)
def test_a_model_sees_one_kind_of_line_end_and_no_byte_order_mark(before: str, after: str) -> None:
    excerpt = excerpt_around(f"\ufeff{before}", after)
    assert "\r" not in excerpt.prefix + excerpt.suffix
    assert excerpt.prefix.splitlines() == before.splitlines()
    assert excerpt.suffix.splitlines() == after.splitlines()


def test_the_path_and_the_language_come_along() -> None:
    excerpt = excerpt_around("a", "b", path="src/a.rs", language="rust")
    assert (excerpt.prefix, excerpt.suffix, excerpt.path, excerpt.language) == ("a", "b", "src/a.rs", "rust")


@given(st.integers(1, 300), st.integers(0, 9_000), st.integers(0, 9_000))
def test_a_window_is_of_whole_lines_and_nearly_full(length: int, above: int, below: int) -> None:
    line = "x" * length + "\n"
    before, after = line * (above // length) + "xx", "y\n" + line * (below // length)
    excerpt = excerpt_around(before, after)
    assert before.endswith(excerpt.prefix)
    assert after.startswith(excerpt.suffix)
    assert excerpt.prefix == before or excerpt.prefix.startswith(line)
    assert excerpt.suffix == after or excerpt.suffix.endswith(line)
    assert len(excerpt.prefix) <= PREFIX_CHARS
    assert len(excerpt.prefix) >= min(len(before), PREFIX_CHARS * 3 // 4 - len(line))
    assert len(excerpt.suffix) >= min(len(after), SUFFIX_CHARS * 3 // 4 - len(line))
    near = before[-PREFIX_CHARS:], after[: 2 * SUFFIX_CHARS]
    assert excerpt_around(*near, sizes=(len(before), len(after))) == excerpt


@given(st.integers(0, 9_000), st.integers(0, 3_000))
def test_typing_moves_a_window_rarely_and_then_far(above: int, below: int) -> None:
    line = "value = compute(1)\n"
    before, after = line * (above // len(line)), ")\n" + line * (below // len(line))
    windows = [excerpt_around(before + "x" * typed, after) for typed in range(0, 300, 7)]
    starts = [len(before) + 7 * number - len(window.prefix) for number, window in enumerate(windows)]
    assert len(set(starts)) <= 2
    assert starts[-1] - starts[0] in range(1) or starts[-1] - starts[0] >= PREFIX_CHARS // 4 - len(line)
    assert len({window.suffix for window in windows}) == 1


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("a$0\nb\n", "b\n"),
        ("a($0)\nb\n", "b\n"),
        ("a($0)\n})\n\n  b\n", "  b\n"),
        ("a($0) + 1\nb\n", ") + 1\nb\n"),
        ("a$0b\n}\n", "b\n}\n"),
        ("a($0\n)", ""),
        ("a$0", ""),
    ],
)
def test_what_stands_below_is_what_typing_does_not_change(text: str, below: str) -> None:
    assert excerpt_at(text).below == below


def test_a_file_that_fits_the_window_is_kept_whole() -> None:
    before, after = "x\n" * (PREFIX_CHARS // 2), "y\n" * (SUFFIX_CHARS // 2)
    excerpt = excerpt_around(before, after)
    assert (excerpt.prefix, excerpt.suffix) == (before, after)


def test_a_line_longer_than_the_window_is_cut() -> None:
    excerpt = excerpt_around("x" * 2 * PREFIX_CHARS, "y" * 2 * SUFFIX_CHARS)
    assert (excerpt.prefix, excerpt.suffix) == ("x" * PREFIX_CHARS, "y" * SUFFIX_CHARS)
