from __future__ import annotations

import pytest

from phial.assist.excerpt import Excerpt
from phial.assist.trim.blocks import cut_body, cut_dedent, cut_line
from phial.assist.trim.noise import cut_chatter, cut_control_token, cut_fence, cut_loop, cut_noise
from phial.assist.trim.rest_of_line import Insertion, fit_line_rest
from phial.assist.trim.soundness import sound_head
from phial.assist.trim.surroundings import cut_echo, cut_suffix_lines
from unit.assist.cursor import excerpt_at

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
        ("def f():\n    $0\n        y", "if x:\n        z\n    w", "if x:"),
        ("def f():\n    if $0\n        y", "x:\n        z", "x:"),
        ("def f():\n    $0\n        y", "a = 1\n    if x:\n        z", "a = 1\n    if x:"),
        ("def f():\n$0\n        y", "    if x:\n        z", "    if x:"),
        ("def f():\n$0\n    y", "    if x:\n        z", "    if x:\n        z"),
        ("def f():\n    $0\n        a,\n    )", "return g(\n        b", "return g("),
        ("def f():\n    $0\n    y", "if x:\n        z", "if x:\n        z"),
        ("def f():\n    $0\n        y", "x = 1\n    z", "x = 1\n    z"),
        ("def f():\n    $0", "if x:\n        z", "if x:\n        z"),
        ("f($0)\n    y", "{\n    z", "{\n    z"),
    ],
)
def test_cut_body(before: str, text: str, kept: str) -> None:
    assert cut_body(text, excerpt_at(before)) == kept


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
        ("f($0)", "a)", ("a)", 1)),
        ("f($0)", "a", ("a", 0)),
        ("f($0)", "", ("", 0)),
        ("f($0)", ")", ("", 0)),
        ("f($0)", "g(a)", ("g(a)", 0)),
        ("f($0)", "g(a))", ("g(a))", 1)),
        ("f($0)", "g(h(a))", ("g(h(a))", 0)),
        ("f($0)", "a)[b]", ("a)[b]", 1)),
        ("f(g($0))", "a))", ("a))", 2)),
        ("f(g($0))", "a)", ("a)", 1)),
        ("f(g($0))", "h(a)))", ("h(a)))", 2)),
        ("f([$0])", "a])", ("a])", 2)),
        ("f([$0])", "a]) + b", ("a]) + b", 2)),
        ("f([$0])", "a] + b", ("a]", 1)),
        ("f($0);", "a);", ("a);", 2)),
        ("f($0);", "a)", ("a)", 1)),
        ("f($0) {", "a) {", ("a) {", 3)),
        ("for x in f($0)", "a):", ("a):", 1)),
        ("f($0) + 1", "a) * 2", ("a)", 1)),
        ("f( $0 )", "a )", ("a )", 2)),
        ("f( $0 )", "a)", ("a", 0)),
        ("$0 = 1", "x", ("x", 0)),
        ("$0x = 1", "x", ("x", 0)),
        ("$0 + b", "a + b", ("a + b", 4)),
        ("f($0)", "a\nb)", ("a\nb)", 1)),
        ("f({$0});", "\n  a\n});", ("\n  a\n});", 3)),
        ("f({$0});", "\n  a\n}", ("", 0)),
        ("f($0\n)", "a)", ("a)", 0)),
        ('"$0"', 'a"', ('a"', 1)),
        ('f("$0")', 'a", b)', ('a", b)', 2)),
        ('f("$0")', "it's", ("it's", 0)),
        ('f("$0")', 'a\\"b', ('a\\"b', 0)),
        ("Vec<$0> = x;", "A>", ("A>", 1)),
    ],
)
def test_fit_line_rest(before: str, text: str, kept: tuple[str, int]) -> None:
    assert fit_line_rest(text, excerpt_at(before)) == Insertion(*kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a<|end|>b", "a"),
        ("a<|im_end|>", "a"),
        ("a<|endoftext|>", "a"),
        ("a<|start_header_id|>", "a"),
        ("a<\uff5cend\u2581of\u2581sentence\uff5c>", "a"),
        ("a</s>b", "a"),
        ("<s>a</s>b", "<s>a</s>b"),
        ("a<fim_suffix>b", "a"),
        ("a<|fim_middle|>b", "a"),
        ("a<end_of_turn>", "a"),
        ("a[/INST]", "a"),
        ("a<EOT>", "a"),
        ("a <b> c", "a <b> c"),
        ("List<String> a", "List<String> a"),
        ("a <| b |> c", "a <| b |> c"),
        ("a<|end", "a<|end"),
    ],
)
def test_cut_control_token(text: str, kept: str) -> None:
    assert cut_control_token(text, Excerpt("x", "y")) == kept


def test_a_control_token_of_the_file_is_text() -> None:
    assert cut_control_token("'<|end|>'", Excerpt("", "x = '<|end|>'")) == "'<|end|>'"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "Sure, here is the code:",
            "Sure!",
            "Certainly! The function",
            "Of course, this",
            "Here is the code:",
        ),
        *(
            "Here's how it works",
            "Below is the code",
            "The code above adds.",
            "This function adds.",
            "Note that it",
        ),
        *(
            "In this example, we",
            "Explanation:",
            "Output:",
            "Let me know if",
            "I hope this helps",
            "You can use it",
        ),
        *("**Explanation**", "Assistant: yes", "The updated code is", "Here are some notes"),
    ],
)
def test_cut_chatter(line: str) -> None:
    assert cut_chatter(f"a = 1\n{line}\nb", excerpt_at("$0")) == "a = 1\n"
    assert cut_chatter(line, excerpt_at("$0")) == ""
    assert cut_chatter(line, excerpt_at("x = '$0")) == line
    assert cut_chatter(line, excerpt_at("$0", language="markdown")) == line
    assert cut_chatter(line, excerpt_at('"""\n$0')) == line
    assert cut_chatter(f"# {line}", excerpt_at("$0")) == f"# {line}"


@pytest.mark.parametrize(
    "line",
    [
        *("Sure = 1", "Here.is(the)", "The = 1", "This.code()", "Note note = new Note();", "Output output;"),
        *("Great(a)", "I = 1", "Below(a)", "Okay = a", "Usage: Usage = a", "Here = the", "return Sure"),
    ],
)
def test_code_is_no_chatter(line: str) -> None:
    assert cut_chatter(line, excerpt_at("$0")) == line


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("alpha()\nalpha()\nalpha()\n", "alpha()\n"),
        ("alpha()\nalpha()\nalpha()", "alpha()\nalpha()\nalpha()"),
        ("alpha()\nalpha()\n", "alpha()\nalpha()\n"),
        ("x\nalpha\nbeta\nalpha\nbeta\nalpha\nbeta\nc", "x\nalpha\nbeta\n"),
        ("}\n}\n}\n}\n", "}\n}\n}\n}\n"),
        ("a\n" + "0, " * 80, "a\n"),
        ("", ""),
    ],
)
def test_cut_loop(text: str, kept: str) -> None:
    assert cut_loop(text, Excerpt("", "")) == kept


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [
        *(("$0", noise, "") for noise in ("", "  \n", "-----", "...", "****", " . ", "==", "//")),
        *(("$0", text, text) for text in (")", ");", "}", "{", '"', ";", ":", "a", "1", "é")),
        ("def f():\n    $0", "...", "..."),
        ("def f():\n    $0", "# Do it here\n    # and there", ""),
        ("def f():\n    $0", "# Do it here\n    it()", "# Do it here\n    it()"),
        ("x = 1\n$0", "# Do it here", "# Do it here"),
        ("def f():\n    # Do $0", "it here", "it here"),
    ],
)
def test_cut_noise(before: str, text: str, kept: str) -> None:
    assert cut_noise(text, excerpt_at(before, language="python")) == kept


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [
        ("    return $0", "return x", ""),
        ("    return $0", "returned", "returned"),
        ("self.$0", "self.x", ""),
        ("a = $0", "a = b", "a = b"),
        ("total = 1\n$0", "total = 1", ""),
        ("total = 1\n\n\n$0", "total = 1", ""),
        ("total = 1\n$0", "total = 12", "total = 12"),
        ("  total = 1\n$0", "total = 1", "total = 1"),
        ("}\n$0", "}", "}"),
        ("total = 1\n$0 # b", "total = 1", "total = 1"),
        ("if total:\n    $0", "if total:", "if total:"),
        ("total$0", " + 1", " + 1"),
    ],
)
def test_cut_echo(before: str, text: str, kept: str) -> None:
    assert cut_echo(text, excerpt_at(before)) == kept


@pytest.mark.parametrize(
    ("language", "before", "text", "kept"),
    [
        ("python", "x = $0", "foo(1)", "foo(1)"),
        ("python", "x = $0", "foo(1))", ""),
        ("python", "x = $0", "foo(1", "foo(1"),
        ("python", "$0", "for x in items:", "for x in items:"),
        ("python", "$0", "for x on items:", ""),
        ("python", "if $0:\n    pass", "x == 1", "x == 1"),
        ("python", "def f():\n    $0", "a = 1\n    b = = 2", "a = 1"),
        ("python", "x = (1 + 2\ny = $0", "3", "3"),
        ("javascript", "function f() {\n  $0\n}", "if (x) {", "if (x) {"),
        ("javascript", "function f() {\n  $0\n}", "a();\n  b());\n  c();", "a();"),
        ("go", "func f() {\n\t$0\n}", "a := 1\n\tthe code above", "a := 1"),
        ("cobol", "x$0", "((", "(("),
        ("shellscript", "for f in a b; $0", "do", "do"),
        ("shellscript", "if [ a ]; $0", "then", "then"),
        ("shellscript", "if [ a ]; $0", "thenn )", ""),
        ("python", '"""The module\n$0\n"""', "It's (not code", "It's (not code"),
        ("c", "/* The file\n * $0\n */", "it's (not code", "it's (not code"),
        ("python", "# $0", "it's (not code", "it's (not code"),
        ("python", "if a:\n    $0", "    b", ""),
        ("python", "if a:\n$0", "    b", "    b"),
        ("python", "def f():\n    $0", "for a in b:\n        # all of them", "for a in b:"),
    ],
)
def test_sound_head(language: str, before: str, text: str, kept: str) -> None:
    assert sound_head(text, excerpt_at(before, language=language)) == kept
