from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.assist.excerpt import Excerpt
from phial.assist.syntax import brackets_left_open, error_count, is_at_depth, opens_block, parses_no_worse
from unit.assist.cursor import excerpt_at

PARSED = [
    *(
        "python",
        "javascript",
        "javascriptreact",
        "typescript",
        "typescriptreact",
        "java",
        "c",
        "cpp",
        "csharp",
    ),
    *("go", "rust", "sql", "shellscript"),
]

# Where a block begins: at the end of the line, and on a fresh one.
OPEN = {
    "python": [
        *(
            "def f():",
            "    def f(self) -> int:",
            "class A:",
            "if x:  # or not",
            "else:",
            "async with a as b:",
        ),
        *(
            "def f(\n    a,\n    b,\n):",
            "x = [",
            "foo(",
            "def f():\n    # Add one.",
            "with open(path) as file:",
        ),
        *('def f():\n    """Do it."""', 'def f():\n    """Do it.\n\n    Well.\n    """', "# Sort the names."),
        *("match x:\n    case 1:", "try:", "lambda_ = {", 'class A:\n    """An A."""', "if a['b']:"),
    ],
    "javascript": [
        *(
            "function f(a) {",
            "const f = (a) => {",
            "const f = (a) =>",
            "if (x) {",
            "} else {",
            "switch (x) {",
        ),
        *("class A {", "/** Add two numbers. */", "// Add two numbers.", "case 1:", "foo({", "  default:"),
    ],
    "typescript": ["interface A {", "function f(a: number): string {", "type A = {", "// The state."],
    "typescriptreact": ["return (", "function A() {"],
    "java": ["public int f(int a) {", "class A extends B {", "/** Adds. */", "for (int a : b) {", "try {"],
    "c": ["int main(void) {", "struct point {", "/* Add two numbers. */", "if (x) {", "do {"],
    "cpp": ["void A::f() const {", "namespace a {", "  public:", "auto f = [&](int a) {"],
    "csharp": [
        "public int F(int a) {",
        "namespace A {",
        "/// <summary>Adds.</summary>\n// It adds.",
        "get {",
    ],
    "go": ["func f(a int) error {", "if err != nil {", "type A struct {", "// Add adds.", "case 1:"],
    "rust": ["fn f(a: i32) -> i32 {", "impl A {", "match n {", "/// Adds.", "    Some(a) =>", "fn f() ->"],
    "sql": ["CREATE TABLE a (", "BEGIN", "-- Count the users.", "CASE WHEN a THEN", "insert into a values ("],
    "shellscript": ["if [ x ]; then", "for a in b; do", "f() {", "# List the files.", 'case "$a" in', "else"],
    "markdown": ["The parts are:", "```python\ndef f():"],
    "ruby": ["items.each do |item|", "if x then", "begin"],
    "lua": ["function f(a)", "if x then", "while x do"],
    "html": ["<div>", '<ul class="a">'],
    "yaml": ["jobs:", "  - run: |"],
    "nobody-knows": ["f() {", "if x:", "loop do", "begin", "if x then"],
}

# Where one begins once a new line has been begun.
OPEN_BELOW = {
    "python": ["# sort the names", "def f():\n    # add one"],
    "javascript": ["// add two numbers", "if (x)", "function f(a)"],
    "java": ["public int f(int a)", "class A extends B", "// add"],
    "c": ["int main(void)", "static char *f(int a, char *b)", "else", "while (x)", "/* add */"],
    "cpp": ["void A::f() const", "struct point"],
    "csharp": ["public async Task<int> F(int a)", "namespace A", "try", "if (x)"],
    "go": ["// add adds"],
    "rust": ["// add"],
    "sql": ["SELECT", "select a from b where", "CREATE VIEW a AS", "-- count the users"],
    "shellscript": ["# list the files", 'case "$a" in\n  start)'],
    "markdown": ["# Notes", "## The parts"],
    "ruby": ["def add(a, b)", "class A < B", "if x", "else"],
    "makefile": ["all: a b"],
}

# Where the rest of the line is wanted.
CLOSED = {
    "python": [
        *("x = 1", "foo()", "todo", "self.undo", "then_", "# read the file and", "x = 'if x:'", "x: ", "a >"),
        *(
            'ages = {\n    "ann":',
            "#!/bin/python.",
            "x = 1\n\n\n",
            'x = """a\nif x:',
            'x = "a"\n"""no docstring."""',
        ),
        *("f = lambda x:", "x = 'def f('", "return x", ""),
    ],
    "javascript": ["x = 1;", "foo();", "const a = b ? c :", "a.b", '"a {"', "`a {`", "return x;"],
    "java": ["int a = b;", "foo();", "return a;"],
    "c": ["int a;", "p->", "foo();", "return f(a);", "x = 1; /* {"],
    "go": ["a := b", "return nil"],
    "rust": ["let a = b;", "let a: i32"],
    "sql": ["SELECT a FROM b;", "a, b"],
    "shellscript": ["echo a", 'echo "then', "a=$(ls)"],
    "markdown": ["The model", "- one", "# Notes of"],
    "ruby": ["x = 1", "def a; end"],
    "html": ["<br/>", "<p>a</p>", "text"],
    "plaintext": ["Dear all", "if (x)"],
    "nobody-knows": ["x = 1", "foo()"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, before) for language, every in table.items() for before in every]


# Blocks


@pytest.mark.parametrize(("language", "before"), cases(OPEN))
def test_a_block_is_opened_at_the_end_of_the_line_and_below(language: str, before: str) -> None:
    for blanks in ("", " ", "\n", "\n    "):
        assert opens_block(Excerpt(before + blanks, "", language=language)), blanks
        assert opens_block(Excerpt(before + blanks, "\nmore", language=language)), blanks
        assert not opens_block(Excerpt(before + blanks, "more", language=language)), (
            "something stands behind it"
        )


@pytest.mark.parametrize(("language", "before"), cases(OPEN_BELOW))
def test_a_block_is_opened_below_the_line(language: str, before: str) -> None:
    assert opens_block(Excerpt(before + "\n  ", "", language=language))


@pytest.mark.parametrize(
    ("before", "opens"),
    [
        *(
            ("f() {$0}", True),
            ("f({$0});", True),
            ("f() { $0} ", True),
            ("f($0)", False),
            ("f() { a$0}", False),
        ),
        *(("f() {$0} else", False), ("f() {\n$0}", False), ("[$0]", False), ("{$0)", False)),
    ],
)
def test_a_block_is_opened_where_the_editor_has_closed_its_bracket(before: str, opens: bool) -> None:
    assert opens_block(excerpt_at(before, language="javascript")) is opens


@pytest.mark.parametrize("language", ["python", "javascript", "go", "sql", "shellscript"])
def test_a_comment_is_finished_before_it_is_obeyed(language: str) -> None:
    mark = {"python": "#", "sql": "--", "shellscript": "#"}.get(language, "//")
    assert not opens_block(Excerpt(f"{mark} add one", "", language=language))
    assert opens_block(Excerpt(f"{mark} add one\n", "", language=language))
    assert not opens_block(Excerpt(f"{mark} add one\n\n", "", language=language)), (
        "it may be about something else"
    )


@pytest.mark.parametrize(("language", "before"), cases(CLOSED))
def test_the_rest_of_the_line_is_wanted(language: str, before: str) -> None:
    assert not opens_block(Excerpt(before, "", language=language))


@given(st.text(max_size=40), st.text(max_size=10), st.sampled_from([*OPEN, "css", "tex"]))
def test_any_text_can_be_asked_about(prefix: str, suffix: str, language: str) -> None:
    opens_block(Excerpt(prefix, suffix, language=language))


# Errors

SOUND = {
    "python": "def f(a):\n    return a\n",
    "javascript": "const f = (a) => <b>{a}</b>;\n",
    "javascriptreact": "const f = (a) => <b>{a}</b>;\n",
    "typescript": "const f = (a: number): number => a;\n",
    "typescriptreact": "const f = (a: number) => <b>{a}</b>;\n",
    "java": "class A { int f(int a) { return a; } }\n",
    "c": "int f(int a) { return a; }\n",
    "cpp": "template <typename T> T f(T a) { return a; }\n",
    "csharp": "class A { int F(int a) => a; }\n",
    "go": "package a\n\nfunc f(a int) int { return a }\n",
    "rust": "fn f(a: i32) -> i32 { a }\n",
    "sql": "SELECT a FROM b WHERE c = 1;\n",
    "shellscript": "if [ -f a ]; then echo b; fi\n",
}


@pytest.mark.parametrize("language", PARSED)
def test_errors_are_counted_in_each_language(language: str) -> None:
    sound = SOUND[language]
    assert error_count(sound, language) == 0
    assert (error_count(sound + ") ((] {\n", language) or 0) > 0
    assert parses_no_worse(sound, sound + sound, language)
    assert not parses_no_worse(sound, sound + ") ((] {\n", language)


def test_of_a_language_without_a_grammar_nobody_can_tell() -> None:
    assert error_count("((", "cobol") is None
    assert parses_no_worse("", "((", "cobol")


def test_nesting_of_any_depth_is_counted() -> None:
    assert error_count("(" * 5_000, "python")


@given(st.text(), st.sampled_from(PARSED))
def test_any_text_can_be_parsed(text: str, language: str) -> None:
    assert parses_no_worse(text, text, language)


def test_a_grammar_is_imported_when_its_language_is_met() -> None:
    program = (
        "import sys; from phial.assist.syntax import error_count; "
        "error_count('x', 'go'); print(*sorted(name for name in sys.modules if name.startswith('tree_sitter_')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert {name.partition(".")[0] for name in found.stdout.split()} == {"tree_sitter_go"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("f(a, [b", "(["),
        ("f(a)", ""),
        ("a)", ""),
        ('f("("', "("),
        ("don't (", "("),
        ("a)(", "("),
        ("(]", "("),
    ],
)
def test_brackets_left_open(text: str, left: str) -> None:
    assert "".join(brackets_left_open(text)) == left


@pytest.mark.parametrize(
    ("before", "settled"),
    [
        ("x = 1\nif x:\n    $0", True),
        ("if x:\n    y()\n    $0", True),
        ('def f():\n    """Do it."""\n    $0', True),
        ("if x:\n    y()\n  $0", True),
        ("if x:\n$0", False),
        ("  if x:\n  $0", False),
        ("f(\n    $0", False),
        ("x = [1,\n    $0", False),
        ("x = 1 + \\\n    $0", False),
        ('def f():\n    """Do it.\n    $0', False),
        ("if x:\n    y$0", False),
    ],
)
def test_where_a_statement_must_begin_in_the_cursors_column(before: str, settled: bool) -> None:
    assert is_at_depth(excerpt_at(before, language="python")) == settled
    assert not is_at_depth(excerpt_at(before, language="go"))
