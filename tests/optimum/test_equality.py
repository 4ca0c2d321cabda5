"""All backends say the same: plain transformers, optimum-intel, and openvino-genai's continuous batching."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from phial.host import template
from phial.host.backend import Backend
from support import phi3
from support.answers import Agreement, BackendOf, answer, answer_of_transformers, follow
from support.exports import tell

QUESTIONS = (
    "What is a list in Python?",
    "def fibonacci(n):",
    "Explain recursion.",
    "1 + 1 =",
    "Bonjour tout le monde ! Ça va ?",
    "x",
    "SELECT name FROM users WHERE id = 3;",
    "Why is the sky blue?\n\nAnswer in one sentence.",
    '#include <stdio.h>\nint main(void) {\n    puts("hi");\n}\n',
    "日本語のコメント 🙂 naïve café",
    "word " * 300,
    "\n".join(f"line_{number} = {number * 7}" for number in range(60)),
)

ANSWER = 64
"""Tokens of each answer."""


@pytest.fixture(scope="session")
def plain(small_phi3: Path) -> Any:
    """The small Phi-3 in plain transformers."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)  # faster than several, for a model this small
    return AutoModelForCausalLM.from_pretrained(small_phi3, dtype=torch.float32).eval()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.split("\n")[0][:20])
def test_with_exact_arithmetic_all_three_say_the_same_tokens(
    question: str, plain: Any, backend_of: BackendOf
) -> None:
    backends = [backend_of(name, "fp32", True) for name in ("optimum", "genai")]
    prompt = _prompt(backends[0], question)

    wanted = answer_of_transformers(plain, prompt, ANSWER, phi3.STOP_TOKENS)

    assert len(set(wanted.tokens)) > ANSWER // 2, "an answer that repeats itself would prove little"
    for backend in backends:
        said = answer(backend, prompt, ANSWER)
        assert said.tokens == wanted.tokens
        assert said.logprobs == pytest.approx(wanted.logprobs, abs=1e-3)


def test_they_say_the_same_beyond_the_sliding_window(plain: Any, backend_of: BackendOf) -> None:
    backends = [backend_of(name, "fp32", True) for name in ("optimum", "genai")]
    prompt = _prompt(backends[0], " ".join(map(str, range(600))))
    assert len(prompt) > plain.config.sliding_window

    wanted = answer_of_transformers(plain, prompt, 16, phi3.STOP_TOKENS)

    for backend in backends:
        assert answer(backend, prompt, 16).tokens == wanted.tokens


@pytest.mark.parametrize("weight_format", ["int8", "int4"])
def test_with_exact_arithmetic_compressed_weights_say_the_same_tokens(
    weight_format: str, backend_of: BackendOf, request: pytest.FixtureRequest
) -> None:
    optimum, genai = (backend_of(name, weight_format, True) for name in ("optimum", "genai"))

    agreement = _agreement(optimum, genai, QUESTIONS)
    tell(request, agreement)

    assert agreement.equal == agreement.positions
    assert agreement.worst < 1e-3


@pytest.mark.parametrize("weight_format", ["fp32", "int8", "int4"])
def test_as_shipped_they_say_nearly_the_same(
    weight_format: str, backend_of: BackendOf, request: pytest.FixtureRequest
) -> None:
    """Activations and KV cache are rounded as each backend sees fit, and random weights leave small margins."""
    optimum, genai = (backend_of(name, weight_format, False) for name in ("optimum", "genai"))

    agreement = _agreement(optimum, genai, QUESTIONS[:8])
    tell(request, agreement)

    assert agreement.share > 0.6
    assert agreement.mean < 0.3


def _agreement(reference: Backend, other: Backend, questions: Sequence[str]) -> Agreement:
    agreement = Agreement()
    for question in questions:
        prompt = _prompt(reference, question)
        follow(other, prompt, answer(reference, prompt, ANSWER), agreement)
    return agreement


def _prompt(backend: Backend, question: str) -> list[int]:
    return template.encode_chat(backend.tokenizer, [{"role": "user", "content": question}])
