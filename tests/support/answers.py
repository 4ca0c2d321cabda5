"""What backends answer, token by token, and how near two answers are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from phial.host.backend import Backend, Decoding

EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",
    "KV_CACHE_PRECISION": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
}
"""Properties under which nothing is rounded but the weights, once: activations, KV cache and sums are f32."""

SHIPPED: dict[str, str] = {}
"""Properties as users have them."""

BackendOf = Callable[[str, str, bool], Backend]
"""Returns a loaded backend by its name, the format of the weights, and whether its arithmetic is exact."""


@dataclass(frozen=True)
class Answer:
    """Generated tokens, without the one that ends the turn, and their natural-log probabilities."""

    tokens: list[int]
    logprobs: list[float]


@dataclass
class Agreement:
    """How a backend follows other answers: positions in all, those with the same token, and differences there."""

    positions: int = 0
    equal: int = 0
    differences: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of equal tokens."""
        return self.equal / self.positions

    @property
    def mean(self) -> float:
        """The mean difference of log-probabilities of equal tokens."""
        return fmean(self.differences)

    @property
    def worst(self) -> float:
        """The largest difference of log-probabilities of equal tokens."""
        return max(self.differences)

    def __str__(self) -> str:
        return (
            f"{self.equal} of {self.positions} tokens equal ({self.share:.1%}); log-probabilities differ by "
            f"{self.mean:.2g} on average and by {self.worst:.2g} at most"
        )


def answer(backend: Backend, prompt: Sequence[int], max_tokens: int) -> Answer:
    """Have a backend answer greedily."""

    async def generate() -> Answer:
        generation = backend.start(prompt, Decoding(max_tokens=max_tokens))
        tokens = generation.read()
        while generation.finish_reason() is None:
            await backend.step()
            tokens += generation.read()
        await backend.step()
        return Answer([token.id for token in tokens], [token.logprob or 0.0 for token in tokens])

    return asyncio.run(generate())


def answer_of_transformers(
    model: Any, prompt: Sequence[int], max_tokens: int, stops: Sequence[int]
) -> Answer:
    """Have a model of plain transformers answer greedily."""
    import torch

    ids = torch.tensor([list(prompt)])
    result = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_tokens,
        do_sample=False,
        eos_token_id=list(stops),
        pad_token_id=stops[0],
        output_scores=True,
        return_dict_in_generate=True,
    )
    tokens = result.sequences[0, len(prompt) :].tolist()
    rows = [torch.log_softmax(scores[0].float(), dim=-1) for scores in result.scores]
    logprobs = [float(row[token]) for row, token in zip(rows, tokens, strict=True)]
    kept = len(tokens) - (tokens[-1] in stops)
    return Answer(tokens[:kept], logprobs[:kept])


def follow(backend: Backend, prompt: Sequence[int], reference: Answer, agreement: Agreement) -> None:
    """Compare a backend with an answer; where it says another token, it is set back on the answer's path.

    So each position is judged after the same tokens, and one difference does not make all that follow differ.
    """
    at = 0
    while at < len(reference.tokens):
        wanted = Answer(reference.tokens[at : at + _STRIDE], reference.logprobs[at : at + _STRIDE])
        said = answer(backend, [*prompt, *reference.tokens[:at]], len(wanted.tokens))
        equal = _equal_at_start(said.tokens, wanted.tokens)
        pairs = zip(said.logprobs[:equal], wanted.logprobs[:equal], strict=True)
        agreement.differences += [abs(one - other) for one, other in pairs]
        agreement.equal += equal
        agreement.positions += min(equal + 1, len(wanted.tokens))
        at += min(equal + 1, len(wanted.tokens))


_STRIDE = 16
"""How many tokens to ask for at once: those after a difference are thrown away."""


def _equal_at_start(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
