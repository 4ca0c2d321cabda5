from __future__ import annotations

import importlib
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from phial.host.backend import Decoding
from phial.host.schema import ChatCompletions, Completions, Tokenize

MESSAGES = [{"role": "user", "content": "?"}]


def chat(**fields: Any) -> ChatCompletions:
    return ChatCompletions.model_validate({"messages": MESSAGES, **fields})


def first_error(kind: type[BaseModel], body: object) -> tuple[str, str]:
    """Return the field that the first error names, and its message."""
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(body)
    error = caught.value.errors()[0]
    return ".".join(map(str, error["loc"])), error["msg"]


# Bodies


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": ["hello"]}, "messages.0"),
        ({"messages": [{"content": "?"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "?"}]}, "messages.0.role"),
        ({"messages": [*MESSAGES, {"role": "user"}]}, "messages.1.content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"stop": 7}, "stop"),
        ({"stop": [""]}, "stop.0"),
        ({"stop": ["a", 7]}, "stop.1"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"seed": 0.5}, "seed"),
        ({"stream": "perhaps"}, "stream"),
        ({"stream_options": 1}, "stream_options"),
        ({"logprobs": 3}, "logprobs"),
        ({"priority": "high"}, "priority"),
        ({"structured_outputs": {"regex": "("}}, "structured_outputs.regex"),
        ({"structured_outputs": {"regex": 1}}, "structured_outputs.regex"),
    ],
)
def test_a_bad_conversation_names_the_field(fields: dict[str, Any], named: str) -> None:
    field, _ = first_error(ChatCompletions, {"messages": MESSAGES, **fields})
    assert field == named or field.startswith(f"{named}.")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": "a", "suffix": 1}, "suffix"),
        ({"prompt": "a", "logprobs": 6}, "logprobs"),
    ],
)
def test_a_bad_text_names_the_field(body: dict[str, Any], named: str) -> None:
    field, _ = first_error(Completions, body)
    assert field == named or field.startswith(f"{named}.")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ChatCompletions, {"messages": MESSAGES, "max_tokens": 1, "max_completion_tokens": 1, "n": 1}),
        (ChatCompletions, {"messages": MESSAGES, "temperature": 2, "top_p": 1, "n": 8, "stop": ["x"] * 16}),
        (Completions, {"prompt": [0], "logprobs": 0}),
        (Completions, {"prompt": "", "suffix": "", "logprobs": 5}),
    ],
)
def test_what_lies_on_the_limit_is_allowed(kind: type[BaseModel], body: dict[str, Any]) -> None:
    taken = kind.model_validate(body).model_dump()
    assert {name: taken[name] for name in body} == body


def test_what_is_not_said() -> None:
    body = chat()
    assert (body.stream, body.stream_options.include_usage, body.logprobs) == (False, False, False)
    assert (body.stop, body.n, body.priority) == ([], 1, 0)
    assert body.decoding(0, 7) == Decoding(max_tokens=7, temperature=0.0, top_p=1.0, seed=0, regex=None)


def test_null_means_the_default_wherever_openai_allows_it() -> None:
    nullable = (
        *("max_tokens", "max_completion_tokens", "temperature", "top_p", "n", "stop", "seed"),
        *("stream", "stream_options", "logprobs", "structured_outputs", "model"),
    )
    spoken, silent = chat(**dict.fromkeys(nullable)), chat()
    assert spoken.decoding(0, 7) == silent.decoding(0, 7)
    assert (spoken.n, spoken.stop, spoken.stream, spoken.stream_options) == (
        1,
        [],
        False,
        silent.stream_options,
    )
    assert not spoken.logprobs


def test_what_is_not_known_is_ignored() -> None:
    assert chat(user="me", tools=[], response_format={"type": "text"}) == chat()


def test_a_stop_string_may_stand_alone() -> None:
    assert chat(stop="\n").stop == ["\n"]


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_message_is_as_a_template_takes_it(role: str) -> None:
    [message] = chat(messages=[{"role": role, "content": "a"}]).messages
    assert message.plain() == {"role": role, "content": "a"}


def test_a_message_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    [message] = chat(messages=[{"role": "developer", "content": parts}]).messages
    assert message.plain() == {"role": "system", "content": "ab"}


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({}, True),
        ({"continue_final_message": True}, False),
        ({"add_generation_prompt": False}, False),
        ({"add_generation_prompt": None}, True),
        ({"add_generation_prompt": True, "continue_final_message": True}, True),  # refused by the template
    ],
)
def test_an_answer_is_opened_unless_one_goes_on(fields: dict[str, Any], opens: bool) -> None:
    assert chat(**fields).opens_turn() is opens


def test_each_choice_has_a_seed_of_its_own() -> None:
    body = chat(seed=2**32 - 1, temperature=0.5, top_p=0.9, structured_outputs={"regex": "a+"})
    assert body.decoding(0, 7) == Decoding(7, 0.5, 0.9, 2**32 - 1, "a+")
    assert [chat(seed=-1).decoding(number, 7).seed for number in (0, 1)] == [2**32 - 1, 0]
    assert chat(max_tokens=3).decoding(0, 7).max_tokens == 3


def test_to_tokenize_takes_either() -> None:
    body = Tokenize.model_validate({"messages": MESSAGES})
    assert (body.prompt, body.add_generation_prompt, body.continue_final_message) == (None, True, False)


# Regular expressions


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "abc", "def [\\s\\S]*", "héé[\\s\\S]*", "\tself[\\s\\S]*"),
        *("a|b", "(a|b)c", "(?:a|b)+", "(a|)b", "()", "a:|b", r"\(|a", "[|]|a"),
        *("a*", "a+?", "a??", "a{2}", "a{2,}", "a{2,3}?", "(a*)*"),
        *("[a-z]", "[^a-z]", r"[\]\\]", r"[^\n]", "[$^*]", r"[\w.-]", "[]-a]"[1:]),
        *(r"\d\D\w\W\s\S", r"\n\r\t\f\v", r"\$\^\*\.", r"\x41", r"\x41z", "\\u00e9"),
    ],
)
def test_regex_accepted(pattern: str) -> None:
    assert chat(structured_outputs={"regex": pattern}).decoding(0, 1).regex == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        *("(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b"),
        *("^a", "a$", "(^|a)b", r"\ba", r"\Ba", r"\Aa", r"a\Z"),
        *(r"(a)\1", "(?P<n>a)", "(?P<n>a)(?P=n)", "(a)(?(1)b|c)"),
        *("a*+", "a++", "a?+", "a{2}+", "(?>a)", "(?i)a", "(?i:a)", "(?#a)b"),
        *("|a", "a|", "a||b", "(|a)", "(?:|a)b"),
        *("[]a]", "[^]a]", "a{,3}", "a{99999999999}"),
        *(r"\x41b", r"\p{L}", r"\_", "\\"),
        *("(", ")", "[", "a**", "*", "a{2}{3}", "[z-a]", "(" * 5000),
    ],
)
def test_regex_refused(pattern: str) -> None:
    field, message = first_error(
        ChatCompletions, {"messages": MESSAGES, "structured_outputs": {"regex": pattern}}
    )
    assert field == "structured_outputs.regex"
    assert "regular expression" in message or "look-around" in message


PARTS = [
    *("a", "-", ":", "^", "$", ".", "|", "\n", " ", "é", "<", "=", "!", "P", "1"),
    *("(", ")", "(?:", "(?=", "(?!", "(?<=", "(?>", "(?P<n>", "(?P=n)", "(?i)", "(?"),
    *("*", "+", "?", "{", "}", "{2}", "{1,}", "{,2}", "[", "]", "[^", "[a]", "[^a-c]"),
    *("\\", "\\d", "\\b", "\\Z", "\\1", "\\x41", "\\(", "\\|"),
]
UNDERSTOOD = {
    *("LITERAL", "NOT_LITERAL", "ANY", "IN", "RANGE", "CATEGORY", "NEGATE"),
    *("BRANCH", "SUBPATTERN", "MAX_REPEAT", "MIN_REPEAT"),
}
_parser = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def operations(tree: Any) -> set[str]:
    """Return the names of all operations in a regular expression that Python has parsed."""
    found = set()
    for item in tree:
        if isinstance(item, tuple) and item and hasattr(item[0], "name"):
            found.add(item[0].name)
        if isinstance(item, (tuple, list, _parser.SubPattern)):
            found |= operations(item)
    return found


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
def test_what_is_accepted_compiles_and_has_only_what_the_engine_understands(pattern: str) -> None:
    try:
        chat(structured_outputs={"regex": pattern})
    except ValidationError:
        return
    re.compile(pattern)
    assert operations(_parser.parse(pattern)) <= UNDERSTOOD


@given(st.text("abc_é😀 \t<>=!:;,#%&@~'\"/"))
def test_text_that_needs_no_escaping_is_accepted(text: str) -> None:
    pattern = f"{text}[\\s\\S]*"
    assert chat(structured_outputs={"regex": pattern}).structured_outputs.regex == pattern
