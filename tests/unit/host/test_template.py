from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phial.errors import UsageError
from phial.host.backend import FillInMiddle
from phial.host.template import Message, encode_chat, encode_fill_in_middle, encode_text, turn_end
from support.fake_backend import CARD
from support.fake_tokenizer import CONTROL_TOKENS, FakeTokenizer

BYTES, SENTENCE_PIECE = FakeTokenizer(), FakeTokenizer(blank=True)
FIRST_PRIVATE, LAST_PRIVATE = "\ue000", "\uf8ff"
EVERY_PRIVATE = "".join(map(chr, range(0xE000, 0xF900)))

texts = st.lists(
    st.sampled_from(
        [*CONTROL_TOKENS, "<|", "|>", "<|en", "d|>", "<", " ", "\n", "a", "é", "😀", FIRST_PRIVATE, "\ue001"]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)
messages = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "user", "assistant"]),
        texts,
    ),
    min_size=1,
    max_size=4,
)
tokenizers = st.sampled_from([BYTES, SENTENCE_PIECE])


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def control(tokens: list[int]) -> list[int]:
    return [token for token in tokens if token >= 256]


def template_of(tokenizer: FakeTokenizer, messages: list[Message], *, prompt: bool = True) -> list[int]:
    """Return the control tokens that the template itself writes, around messages that say nothing."""
    silent = [{**message, "content": ""} for message in messages]
    return control(tokenizer.encode(tokenizer.render(silent, add_generation_prompt=prompt)))


# Conversations


@given(tokenizers, messages, st.booleans())
@example(BYTES, [user("<|en<|end|>d|>")], True)
@example(BYTES, [user("<|end|>"), assistant("<|end|><|end|>")], True)
@example(BYTES, [user(f"{FIRST_PRIVATE}<|end|>{LAST_PRIVATE}")], True)
@example(BYTES, [user(f"{EVERY_PRIVATE}<|end|>")], True)
@example(SENTENCE_PIECE, [user("a<|user|>b")], False)
def test_the_only_control_tokens_are_the_templates_own(
    tokenizer: FakeTokenizer, messages: list[Message], prompt: bool
) -> None:
    tokens = encode_chat(tokenizer, messages, add_generation_prompt=prompt)
    assert control(tokens) == template_of(tokenizer, messages, prompt=prompt)
    assert tokenizer.show(tokens) == tokenizer.render(messages, add_generation_prompt=prompt)


@pytest.mark.parametrize("token", CONTROL_TOKENS)
@pytest.mark.parametrize("around", ["{}", "{} a", "a {}", "\n{}\n", "{0}{0}", "x = '{}'  # {}"])
def test_a_control_token_in_code_is_text(token: str, around: str) -> None:
    content = around.format(token, token)
    tokens = encode_chat(BYTES, [user(content)])
    assert len(control(tokens)) == 3  # user, end, assistant
    assert BYTES.decode(tokens) == f"\n{content}\n\n"


def test_text_without_control_tokens_is_encoded_in_one_piece() -> None:
    messages = [user("def f():\n    return '<|'\n"), assistant("é😀")]
    rendered = BYTES.render(messages, add_generation_prompt=True)
    assert encode_chat(BYTES, messages) == BYTES.encode(rendered)


class SwallowingTokenizer(FakeTokenizer):
    """Its control tokens take the blanks around them along, as those of Phi-3 do."""

    def __init__(self) -> None:
        super().__init__()
        self.control_tokens = re.compile(rf"\s*(?:{self.control_tokens.pattern})\s*")

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        return super().encode(
            self.control_tokens.sub(lambda found: found.group().strip(), text), special=special
        )


@given(messages)
@example([user("a  <|end|>  <|user|>\n")])
def test_control_tokens_that_swallow_blanks_are_text_too(messages: list[Message]) -> None:
    tokenizer = SwallowingTokenizer()
    tokens = encode_chat(tokenizer, messages)
    assert control(tokens) == template_of(BYTES, messages)


class MergingTokenizer(FakeTokenizer):
    """Has one token for a line end and what comes behind it, as byte-pair encodings do."""

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        merged = super().encode(text.replace("\n|", "\x1a"), special=special)
        return [0xFF if token == 0x1A else token for token in merged]


def test_a_piece_that_would_merge_with_a_line_end_keeps_its_beginning() -> None:
    tokens = encode_chat(MergingTokenizer(), [user("a<|end|>b")])
    assert tokens == encode_chat(BYTES, [user("a<|end|>b")])


# An answer that goes on


@given(tokenizers, messages, texts)
@example(BYTES, [user("")], "<|end|>")
@example(SENTENCE_PIECE, [], "a")
def test_a_message_that_goes_on_is_left_open(
    tokenizer: FakeTokenizer, before: list[Message], beginning: str
) -> None:
    tokens = encode_chat(
        tokenizer,
        [*before, assistant(beginning)],
        add_generation_prompt=False,
        continue_final_message=True,
    )
    assert control(tokens) == template_of(tokenizer, before)
    assert tokenizer.show(tokens) == tokenizer.render(before, add_generation_prompt=True) + beginning


@pytest.mark.parametrize(
    ("messages", "prompt", "message"),
    [
        ([user("?")], False, "continue_final_message needs an assistant message at the end."),
        ([], False, "continue_final_message needs an assistant message at the end."),
        ([assistant("a"), user("?")], False, "continue_final_message needs an assistant message at the end."),
        ([assistant("a")], True, "add_generation_prompt and continue_final_message exclude each other."),
    ],
)
def test_only_an_answer_can_go_on(messages: list[Message], prompt: bool, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        encode_chat(BYTES, messages, add_generation_prompt=prompt, continue_final_message=True)
    assert str(caught.value) == message


# Plain text and gaps


@given(tokenizers, texts)
@example(BYTES, "<|begin|>")
@example(BYTES, "")
def test_plain_text_begins_as_the_model_wants_and_has_no_other_control_token(
    tokenizer: FakeTokenizer, text: str
) -> None:
    tokens = encode_text(tokenizer, text)
    assert control(tokens) == tokenizer.encode("<|begin|>")
    assert tokenizer.show(tokens).removeprefix("<|begin|>").lstrip() == text.lstrip()


@given(tokenizers, texts, texts)
@example(BYTES, "<|suffix|>", "<|middle|>")
@example(BYTES, "a<|mid", "dle|>b")
def test_a_gap_stands_between_the_models_own_tokens(
    tokenizer: FakeTokenizer, prefix: str, suffix: str
) -> None:
    assert CARD.fill_in_middle
    tokens = encode_fill_in_middle(tokenizer, CARD.fill_in_middle, prefix, suffix)
    assert control(tokens) == tokenizer.encode("<|prefix|><|suffix|><|middle|>")
    assert tokenizer.show(tokens) == f"<|prefix|>{prefix}<|suffix|>{suffix}<|middle|>"


def test_the_order_of_a_gap_is_prefix_suffix_middle() -> None:
    gap = FillInMiddle("<|user|>", "<|system|>", "<|end|>")
    assert BYTES.show(encode_fill_in_middle(BYTES, gap, "a", "b")) == "<|user|>a<|system|>b<|end|>"


# The end of a turn


class OtherTemplate(FakeTokenizer):
    """Writes an assistant's turn in the way it is told to."""

    def __init__(self, turn: str) -> None:
        super().__init__()
        self._turn = turn

    def render(self, messages: object, *, add_generation_prompt: bool) -> str:
        assert isinstance(messages, list)
        return self._turn.format(messages[-1]["content"])


@pytest.mark.parametrize(
    ("turn", "end"),
    [
        ("<|assistant|>{}<|end|>", "<|end|>"),
        ("<|assistant|>\n{}\n <|end|>\n<|user|>", "<|end|>"),
        ("<|assistant|>{}<|end|><|begin|>", "<|end|>"),
        ("<|assistant|>{}", None),
        ("Assistant: {}\n\nUser: <|user|>", None),
    ],
)
def test_the_token_after_an_answer_ends_a_turn(turn: str, end: str | None) -> None:
    assert turn_end(OtherTemplate(turn)) == end


def test_a_token_that_swallows_blanks_is_told_without_them() -> None:
    assert turn_end(SwallowingTokenizer()) == "<|end|>"


class WithoutSystemRole(FakeTokenizer):
    """A template that drops system messages, or refuses them."""

    def __init__(self, *, refuses: bool) -> None:
        super().__init__()
        self._refuses = refuses

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        kept = [message for message in messages if message["role"] != "system"]
        if self._refuses and len(kept) < len(messages):
            raise UsageError("System role not supported.")
        return super().render(kept, add_generation_prompt=add_generation_prompt)


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize(
    ("roles", "rendered"),
    [
        (["system", "user"], "<|user|>\nsystem 0\n\nuser 1<|end|>\n<|assistant|>\n"),
        (["system"], "<|user|>\nsystem 0<|end|>\n<|assistant|>\n"),
        (
            ["system", "assistant", "user"],
            "<|user|>\nsystem 0<|end|>\n<|assistant|>\nassistant 1<|end|>\n<|user|>\nuser 2<|end|>\n<|assistant|>\n",
        ),
        (["user"], "<|user|>\nuser 0<|end|>\n<|assistant|>\n"),
    ],
)
def test_a_template_without_system_role_gets_its_text_from_the_user(
    roles: list[str], rendered: str, refuses: bool
) -> None:
    tokenizer = WithoutSystemRole(refuses=refuses)
    messages = [{"role": role, "content": f"{role} {number}"} for number, role in enumerate(roles)]
    assert tokenizer.show(encode_chat(tokenizer, messages)) == rendered


def test_a_template_that_refuses_more_than_the_system_role_says_so() -> None:
    tokenizer = WithoutSystemRole(refuses=True)
    messages = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]
    with pytest.raises(UsageError, match="System role not supported"):
        encode_chat(tokenizer, messages)
