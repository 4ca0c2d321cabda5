"""From messages to token ids: the model's own chat template, and no way in for control tokens.

A tokenizer turns `<|im_end|>` into the control token wherever it stands, in a user's code too, and the
answer derails. So a mark is put inside each such text before the template is applied, and the rendered
prompt is encoded in the pieces between the marks: a control token cut in two is plain text. A prompt
without any (nearly all) is encoded in one piece, exactly as the model was trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phial.errors import UsageError
from phial.host.backend import FillInMiddle, Tokenizer

Message = dict[str, str]


def encode_chat(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    *,
    add_generation_prompt: bool = True,
    continue_final_message: bool = False,
) -> list[int]:
    """Encode a conversation; with `continue_final_message` the last one, an assistant's, is left open."""
    mark = _unused_character(message["content"] for message in messages)
    safe = [
        {"role": message["role"], "content": _marked(tokenizer, message["content"], mark)}
        for message in messages
    ]
    return _encode_pieces(
        tokenizer, _rendered(tokenizer, safe, add_generation_prompt, continue_final_message), mark
    )


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Encode plain text, with the tokens that the model wants at the start of any text."""
    mark = _unused_character([text])
    return _encode_pieces(tokenizer, _marked(tokenizer, text, mark), mark, special=True)


def encode_fill_in_middle(tokenizer: Tokenizer, tokens: FillInMiddle, prefix: str, suffix: str) -> list[int]:
    """Encode the text around a gap, prefix first, so that the model writes what is missing."""
    mark = _unused_character([prefix, suffix])
    before, after = _marked(tokenizer, prefix, mark), _marked(tokenizer, suffix, mark)
    return _encode_pieces(tokenizer, f"{tokens.prefix}{before}{tokens.suffix}{after}{tokens.middle}", mark)


def turn_end(tokenizer: Tokenizer) -> str | None:
    """Return the control token that ends an assistant's turn in the model's template, if there is one."""
    probe = "Phial"
    rendered = tokenizer.render(
        [{"role": "user", "content": "?"}, {"role": "assistant", "content": probe}],
        add_generation_prompt=False,
    )
    found = tokenizer.control_tokens.match(rendered.rpartition(probe)[2].lstrip())
    return found.group().strip() if found else None


def _rendered(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    add_generation_prompt: bool,
    continue_final_message: bool,
) -> str:
    if not continue_final_message:
        return _with_system_text(tokenizer, messages, add_generation_prompt)
    if add_generation_prompt:
        raise UsageError("add_generation_prompt and continue_final_message exclude each other.")
    if not messages or messages[-1]["role"] != "assistant":
        raise UsageError("continue_final_message needs an assistant message at the end.")
    return _with_system_text(tokenizer, messages[:-1], add_generation_prompt=True) + messages[-1]["content"]


def _with_system_text(tokenizer: Tokenizer, messages: Sequence[Message], add_generation_prompt: bool) -> str:
    """Render a conversation; where a template has no system role, its text opens the first user turn."""
    system = messages[0]["content"].strip() if messages and messages[0]["role"] == "system" else ""
    try:
        rendered = tokenizer.render(messages, add_generation_prompt=add_generation_prompt)
    except UsageError:
        if not system:
            raise
        rendered = ""
    if system in rendered:
        return rendered
    return tokenizer.render(_system_in_user_turn(messages), add_generation_prompt=add_generation_prompt)


def _system_in_user_turn(messages: Sequence[Message]) -> list[Message]:
    system, *others = messages
    if not others or others[0]["role"] != "user":
        return [{"role": "user", "content": system["content"]}, *others]
    first, *rest = others
    return [{"role": "user", "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def _marked(tokenizer: Tokenizer, text: str, mark: str) -> str:
    return tokenizer.control_tokens.sub(lambda found: _cut(found.group(), mark), text)


def _cut(control_token: str, mark: str) -> str:
    blanks = len(control_token) - len(control_token.lstrip())
    return control_token[: blanks + 1] + mark + control_token[blanks + 1 :]


def _encode_pieces(tokenizer: Tokenizer, text: str, mark: str, *, special: bool = False) -> list[int]:
    first, *rest = text.split(mark)
    ids = tokenizer.encode(first, special=special)
    for piece in rest:
        ids += _encode_continuation(tokenizer, piece)
    return ids


def _encode_continuation(tokenizer: Tokenizer, text: str) -> list[int]:
    """Encode text that goes on from other text: SentencePiece would begin it with a blank."""
    guard = tokenizer.encode("\n")
    guarded = tokenizer.encode("\n" + text)
    return guarded[len(guard) :] if guarded[: len(guard)] == guard else tokenizer.encode(text)


def _unused_character(texts: Iterable[str]) -> str:
    used = set().union(*map(set, texts))
    return next(character for character in map(chr, range(0xE000, 0x110000)) if character not in used)
