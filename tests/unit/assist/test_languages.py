from __future__ import annotations

import re

import pytest

from phial.assist.languages import commented, language


@pytest.mark.parametrize(
    ("name", "line"),
    [
        *(
            ("python", "# a"),
            ("javascript", "// a"),
            ("sql", "-- a"),
            ("lua", "-- a"),
            ("shellscript", "# a"),
        ),
        *(("html", "<!-- a -->"), ("css", "/* a */"), ("markdown", "<!-- a -->"), ("latex", "% a")),
        *(("json", None), ("plaintext", None), ("nobody-knows", "// a")),
    ],
)
def test_commented(name: str, line: str | None) -> None:
    assert commented("a", name) == line


@pytest.mark.parametrize(
    ("name", "line", "ends", "continues"),
    [
        *(("shellscript", "fi", True, False), ("shellscript", "  done < a", True, False)),
        *(("shellscript", "find a", False, False), ("shellscript", "elif b; then", False, True)),
        *(
            ("ruby", "end", True, False),
            ("ruby", "endless", False, False),
            ("ruby", "rescue A => b", False, True),
        ),
        *(("lua", "until a", True, False), ("sql", "END;", True, False), ("html", "</ul>", True, False)),
        *(
            ("python", "end", False, False),
            ("java", "else {", False, False),
            ("nobody-knows", "end", True, False),
        ),
    ],
)
def test_words_end_a_block_or_go_on_with_it(name: str, line: str, ends: bool, continues: bool) -> None:
    known = language(name)
    assert (known.is_ended_by(line), known.is_continued_by(line)) == (ends, continues)


@pytest.mark.parametrize(
    "name", ["python", "java", "javascript", "sql", "shellscript", "ruby", "markdown", "yaml"]
)
def test_a_long_line_is_looked_at_quickly(name: str) -> None:
    for line in (
        "a " * 2_000,
        "<a" * 2_000,
        "(" * 4_000,
        "a::b " * 800,
        "static a b c(" * 300,
        "case " * 800,
    ):
        language(name).is_opened_by(line, fresh=True)


def test_every_pattern_is_one() -> None:
    for name in (
        "python",
        "c",
        "javascript",
        "html",
        "ruby",
        "lua",
        "sql",
        "vb",
        "julia",
        "latex",
        "nobody-knows",
    ):
        known = language(name)
        for pattern in (known.opens, known.heads, known.ends, known.continues):
            re.compile(pattern)
