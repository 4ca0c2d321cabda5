"""A SentencePiece model, as Phi-3 is one, can be held to a beginning with blanks, tabs and rare characters."""

from __future__ import annotations

import asyncio
import re

import pytest

from phial.host.backend import Backend, Decoding
from support.answers import BackendOf

PROMPT = "def add(a, b):\n"


@pytest.mark.parametrize(
    "regex",
    [
        *("    retu[\\s\\S]*", " x[\\s\\S]*", "        [\\s\\S]*", "\tself[\\s\\S]*"),
        *("héé[\\s\\S]*", " 日本語[\\s\\S]*", "name[\\s\\S]*", "(yes|no) [0-9]{3}", "a\\n {4}b", "[ -~]{5}"),
    ],
)
def test_an_answer_is_held_to_a_regular_expression(regex: str, backend_of: BackendOf) -> None:
    answer = asyncio.run(written(backend_of("genai", "int8", False), regex))

    assert re.match(regex, answer), answer


async def written(backend: Backend, regex: str) -> str:
    """Return the text of an answer, the blank at its beginning too."""
    prompt = backend.tokenizer.encode(PROMPT)
    generation = backend.start(prompt, Decoding(max_tokens=24, regex=regex))
    tokens = generation.read()
    while generation.finish_reason() is None:
        await backend.step()
        tokens += generation.read()
    shown = backend.tokenizer.decode(prompt)
    return backend.tokenizer.decode([*prompt, *(token.id for token in tokens)]).removeprefix(shown)
