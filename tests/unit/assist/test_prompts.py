from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phial.assist.excerpt import PREFIX_CHARS, Excerpt, Snippet, excerpt_around
from phial.assist.prompts import CompletionPrompt, Question, completion, fence_for, question
from phial.engine.base import (
    CHAT_PRIORITY,
    COMPLETION_PRIORITY,
    Abilities,
    Infill,
    Message,
    Request,
    Sampling,
)
from phial.host.schema import ChatCompletions
from unit.assist.cursor import excerpt_at

code = st.lists(
    st.sampled_from(
        ["`", "``", "```", "````", "\n", " ", "\t", "foo", "(", ".", "é", "ß", "½", "变", "_", "\\", "$"]
    )
    | st.text(max_size=2),
    max_size=12,
).map("".join)
excerpts = st.builds(Excerpt, code, code, st.sampled_from(["", "a.py"]), st.sampled_from(["", "python"]))


HELD = Abilities(regex=True)


def prompt_at(text: str, *, path: str = "", language: str = "python") -> CompletionPrompt:
    return asked(excerpt_at(text, path=path, language=language))


def asked(excerpt: Excerpt, abilities: Abilities = HELD) -> CompletionPrompt:
    return completion(excerpt, abilities, max_tokens=96)


def contents(prompt: CompletionPrompt) -> tuple[str, str, str]:
    """Return what the system, the user and the assistant say."""
    assert isinstance(prompt.request, Request)
    assert [message.role for message in prompt.request.messages] == ["system", "user", "assistant"]
    system, user, assistant = (message.content for message in prompt.request.messages)
    return system, user, assistant


def path_line(excerpt: Excerpt) -> str:
    comment = {"python": "#", "": "//"}[excerpt.language]
    return f"{comment} {excerpt.path}\n" if excerpt.path else ""


# Completions


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        pytest.param("import os\nos.pa$0", ".pa", id="inside a word, with the sign before it"),
        pytest.param("return foo$0(x)", " foo", id="a word with the blanks before it"),
        pytest.param("def f():\n    $0", "    ", id="blanks"),
        pytest.param("if x:\n\t\t$0", "\t\t", id="tabs"),
        pytest.param("x = $0", " ", id="a blank"),
        pytest.param("def f():\n    ret$0", "    ret", id="an indented word"),
        pytest.param("größe_2$0", "größe_2", id="letters that are not ASCII"),
        pytest.param("变量$0", "变量", id="letters that have no case"),
        pytest.param("foo($0", "(", id="after a bracket"),
        pytest.param("x.$0", ".", id="after a dot"),
        pytest.param("x =$0", " =", id="after a sign with the blanks before it"),
        pytest.param("x[i] **$0", " **", id="after two signs"),
        pytest.param("# ----------$0", "--------", id="after many signs"),
        pytest.param("x[`$0", "", id="after what could be a fence"),
        pytest.param("def f():\n$0", "", id="at the start of a line"),
        pytest.param("a\xa0$0", "", id="a blank that is none to a parser"),
        pytest.param("$0", "", id="in an empty file"),
    ],
)
def test_the_word_is_cut_back_and_written_anew(text: str, fragment: str) -> None:
    prompt = prompt_at(text)
    assert prompt.fragment == fragment
    assert re.fullmatch(prompt.request.sampling.regex or r"[\s\S]*", f"{fragment}(more)")


@given(excerpts)
def test_an_engine_that_cannot_be_held_to_it_gets_back_a_word_alone(excerpt: Excerpt) -> None:
    prompt, held = (asked(excerpt, Abilities(regex=regex)) for regex in (False, True))
    assert prompt.request.sampling.regex is None
    assert held.fragment.endswith(prompt.fragment)
    assert re.fullmatch(r"[ \t]*\w*", prompt.fragment)


@given(excerpts)
@example(Excerpt("x = 1\nfoo", "", "", "python"))
@example(Excerpt("\u00bd", ""))
def test_the_assistants_turn_holds_the_whole_prefix_but_for_the_fragment(excerpt: Excerpt) -> None:
    prompt = asked(excerpt)
    _, _, assistant = contents(prompt)
    header, _, begun = assistant.partition("\n")
    assert begun + prompt.fragment == path_line(excerpt) + excerpt.prefix
    assert header == fence_for(excerpt.prefix + excerpt.suffix) + excerpt.language


@given(excerpts, code)
@example(Excerpt("größe", ""), "(x)")
@example(Excerpt("if not (a !", ""), "!")
def test_the_regular_expression_lets_through_just_what_begins_with_the_fragment(
    excerpt: Excerpt, more: str
) -> None:
    prompt = asked(excerpt)
    regex = prompt.request.sampling.regex
    if regex is None:
        assert prompt.fragment == ""
        return
    if not (prompt.fragment.isspace() and more[:1] in {" ", "\t"}):
        assert re.fullmatch(regex, prompt.fragment + more)
    assert not re.fullmatch(regex, f"\0{prompt.fragment}{more}")  # no fragment begins so


@given(excerpts)
def test_a_model_that_only_fills_gaps_is_asked_to(excerpt: Excerpt) -> None:
    prompt = asked(excerpt, Abilities(regex=True, fill_in_middle=True, chat=False))
    held = asked(excerpt)
    assert isinstance(prompt.request, Infill)
    assert prompt.request.prefix + prompt.fragment == path_line(excerpt) + excerpt.prefix
    assert prompt.request.suffix == excerpt.suffix
    assert prompt.request.priority == COMPLETION_PRIORITY
    assert (prompt.fragment, prompt.request.sampling.regex) == (held.fragment, held.request.sampling.regex)
    assert prompt.request.sampling == Sampling(max_tokens=96, regex=held.request.sampling.regex)


@given(excerpts)
def test_a_chat_model_is_asked_as_one_whatever_else_it_can(excerpt: Excerpt) -> None:
    assert asked(excerpt, Abilities(regex=True, fill_in_middle=True)) == asked(excerpt)


@pytest.mark.parametrize(
    ("path", "language", "begun"),
    [
        ("src/a.py", "python", "```python\n# src/a.py\nx ="),
        ("a.css", "css", "```css\n/* a.css */\nx ="),
        ("a.json", "json", "```json\nx ="),
        ("", "python", "```python\nx ="),
    ],
)
def test_the_path_stands_above_the_code_as_a_comment(path: str, language: str, begun: str) -> None:
    assert contents(prompt_at("x = $0", path=path, language=language))[2] == begun


@given(excerpts)
def test_the_host_takes_what_is_asked(excerpt: Excerpt) -> None:
    request = asked(excerpt).request
    assert isinstance(request, Request)
    body = ChatCompletions.model_validate(
        {
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "stop": request.sampling.stop,
            "structured_outputs": {"regex": request.sampling.regex},
        }
    )
    assert body.structured_outputs.regex == request.sampling.regex


def test_the_suffix_stands_in_the_users_turn() -> None:
    _, user, assistant = contents(prompt_at("def f():\n    $0\n\nprint(f())\n", path="src/a.py"))
    assert user == "Write the file `src/a.py`. It ends with:\n```python\nprint(f())\n\n```"
    assert "print" not in assistant


@pytest.mark.parametrize("suffix", ["", "\n", " \n\t\n", ")", '"]);\n', "\n}\n\n})\n"])
def test_without_a_suffix_none_is_shown(suffix: str) -> None:
    _, user, _ = contents(prompt_at(f"x = $0{suffix}"))
    assert user == "Write the file."


def test_the_prompts_of_two_keystrokes_differ_at_the_end_only() -> None:
    first, second = prompt_at("import os\nos.pa$0\nx"), prompt_at("import os\nos.pat$0\nx")
    assert contents(first) == contents(second)
    assert (first.fragment, second.fragment) == (".pa", ".pat")


LINE = "    total = add(total, other_value)\n"


@given(
    st.integers(0, 300),
    st.integers(0, 99),
    st.text(alphabet="ab_ .(\n", max_size=40),
    st.sampled_from(["", ")", "]}"]),
)
@pytest.mark.parametrize("fill_in_middle", [False, True])
def test_typing_changes_a_prompt_at_its_end_only_but_where_the_window_steps(
    fill_in_middle: bool, above: int, below: int, typed: str, closed: str
) -> None:
    abilities = Abilities(regex=True, fill_in_middle=fill_in_middle, chat=not fill_in_middle)
    ways = []
    for end in range(len(typed) + 1):
        # What the editor has closed moves down with Enter.
        excerpt = excerpt_around(LINE * above + typed[:end], closed + "\n" + LINE * below, language="python")
        ways.append(parts(completion(excerpt, abilities, max_tokens=9)))
    steps = 0
    for (stable, growing), (stable_then, growing_then) in pairwise(ways):
        assert stable == stable_then
        if not growing_then.startswith(growing):
            steps += 1
            assert len(growing) - len(growing_then) > PREFIX_CHARS // 4 - 2 * len(LINE)
    assert steps <= 1


def parts(prompt: CompletionPrompt) -> tuple[tuple[str, ...], str]:
    """Return what of a prompt must stay, and what may grow."""
    if isinstance(prompt.request, Infill):
        return (prompt.request.suffix,), prompt.request.prefix
    *stable, growing = contents(prompt)
    return tuple(stable), growing


def test_how_a_completion_is_asked_for() -> None:
    request = prompt_at("x = $0").request
    assert isinstance(request, Request)
    assert request.continues
    assert request.priority == COMPLETION_PRIORITY < CHAT_PRIORITY
    assert (request.sampling.max_tokens, request.sampling.temperature) == (96, 0.0)
    assert request.sampling.stop == ("\n```",)


# Fences


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("", "```"),
        ("a `b` ``c``", "```"),
        ("```python\n```", "````"),
        ("'````'", "`````"),
        ("``````````", "`" * 11),
    ],
)
def test_a_fence_is_longer_than_any_in_the_text(text: str, fence: str) -> None:
    assert fence_for(text) == fence


@given(excerpts)
@example(Excerpt("``", "`"))
@example(Excerpt("```", "``````"))
def test_no_text_can_close_the_fence(excerpt: Excerpt) -> None:
    prompt = asked(excerpt)
    [stop] = prompt.request.sampling.stop
    fence = stop.removeprefix("\n")
    assert set(fence) == {"`"}
    assert fence not in excerpt.prefix + excerpt.suffix


# Questions


def ask(asked: Question) -> str:
    """Return what the user says."""
    *_, last = question(asked, max_tokens=512, temperature=0.5).messages
    assert last.role == "user"
    return last.content


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(Question("What is a monad?"), "What is a monad?", id="a question"),
        pytest.param(
            Question("Why?", snippets=(Snippet("x = 1", "a.py", "python"),)),
            "From `a.py`:\n```python\nx = 1\n```\n\nWhy?",
            id="a question about code",
        ),
        pytest.param(
            Question("Why?", snippets=(Snippet("x"),)), "```\nx\n```\n\nWhy?", id="code from nowhere"
        ),
        pytest.param(
            Question("Why?", snippets=(Snippet("```"),)), "````\n```\n````\n\nWhy?", id="code with a fence"
        ),
        pytest.param(
            Question("{question} {0} %s", snippets=(Snippet("{}"),)),
            "```\n{}\n```\n\n{question} {0} %s",
            id="braces",
        ),
        pytest.param(
            Question(task="document", snippets=(Snippet("f"),)),
            "```\nf\n```\n\nWrite the documentation comment for this code, in the style of its language.",
            id="a task",
        ),
        pytest.param(
            Question("Be brief.", task="test", snippets=(Snippet("f"),)),
            "```\nf\n```\n\nWrite unit tests for this code. Be brief.",
            id="a task with a wish",
        ),
        pytest.param(
            Question("Which?", snippets=(Snippet("x", "a.py"), Snippet("y", "b.py"))),
            "From `a.py`:\n```\nx\n```\n\nFrom `b.py`:\n```\ny\n```\n\nWhich?",
            id="two pieces of code",
        ),
        pytest.param(Question("Why?", task="dance"), "Why?", id="a task that there is not"),
    ],
)
def test_what_is_asked(asked: Question, said: str) -> None:
    assert ask(asked) == said


@pytest.mark.parametrize("task", ["explain", "fix", "document", "test"])
def test_a_task_needs_no_question(task: str) -> None:
    said = ask(Question(task=task, snippets=(Snippet("x = 1"),)))
    assert said.startswith("```\nx = 1\n```\n\n")
    assert said.endswith(".")
    assert "{" not in said


def test_the_conversation_stands_before_the_question() -> None:
    turns = (Message("user", "Hello"), Message("assistant", "Hi"))
    request = question(Question("And?", conversation=turns), max_tokens=512, temperature=0.5)
    assert request.messages[1:] == (*turns, Message("user", "And?"))
    assert request.messages[0].role == "system"
    assert not request.continues
    assert request.priority == CHAT_PRIORITY
    assert (request.sampling.max_tokens, request.sampling.temperature) == (512, 0.5)


def test_what_is_related_stands_first_where_typing_does_not_change_it() -> None:
    excerpt = replace(excerpt_at("x = $0\ny = 2\n"), related=(Snippet("def f(): ...", "b.py", "python"),))
    request = completion(excerpt, HELD, max_tokens=8).request
    assert isinstance(request, Request)
    [_, user, _] = request.messages
    assert user.content.startswith("From `b.py`:\n```python\ndef f(): ...\n```\n\nWrite the file")
    assert user.content.endswith("```python\ny = 2\n\n```")
    assert excerpt == excerpt_at("x = $0\ny = 2\n")


def test_a_statement_is_held_to_the_cursors_column() -> None:
    regex = prompt_at("if x:\n    $0").request.sampling.regex
    assert regex is not None
    assert [bool(re.fullmatch(regex, text)) for text in ("    y", "    ", "      y", "    \n")] == [
        *(True, True, False, True),
    ]
