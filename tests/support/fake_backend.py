"""A backend without a model: the answers are scripted, a token is a byte, and what happens is noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from phial.errors import PhialError
from phial.host.backend import Decoding, FillInMiddle, ModelCard
from phial.host.prefix import PrefixIndex
from support.fake_generation import FakeGeneration
from support.fake_tokenizer import FakeTokenizer

CARD = ModelCard(
    id="fake",
    max_model_len=1000,
    device="CPU",
    backend="fake",
    starter=False,
    block_size=4,
    cache_blocks=500,
    prefill_chunk=8,
    fill_in_middle=FillInMiddle("<|prefix|>", "<|suffix|>", "<|middle|>"),
)


class FakeBackend:
    """Answers a prompt in which one of the keys of `answers` stands with that text, then with its error.

    With `ends_late` an answer's end is told after one more step, as by a backend in a thread. `log` tells what happened by those keys: `start chat`, `step chat quick`, `free chat` (once cancelled).
    """

    def __init__(self, answers: Mapping[str, str], card: ModelCard = CARD) -> None:
        self.card, self.tokenizer = card, FakeTokenizer()
        self.errors: dict[str, PhialError] = {}
        self.refused: dict[str, Exception] = {}
        self.broken: Exception | None = None
        self.closed = False
        self.ends_late = False
        self.log: list[str] = []
        self.prompts: list[str] = []
        self.decodings: list[Decoding] = []
        self._answers = answers
        self._prefixes = PrefixIndex(card.block_size, card.cache_blocks)
        self._generations: list[FakeGeneration] = []
        self._stepped = anyio.Event()

    def start(self, prompt: Sequence[int], decoding: Decoding) -> FakeGeneration:
        shown = self.tokenizer.show(prompt)
        key = next(key for key in self._answers if key in shown)
        if key in self.refused:
            raise self.refused[key]
        answer = self.tokenizer.encode(self._left_of(self._answers[key], shown))
        held = self._prefixes.cached(prompt)
        generation = FakeGeneration(
            key, prompt, held, answer, decoding.max_tokens, self.errors.get(key), self.ends_late
        )
        self._generations.append(generation)
        self.prompts.append(shown)
        self.decodings.append(decoding)
        self.log.append(f"start {key}")
        return generation

    async def step(self) -> None:
        if self.broken:
            raise self.broken
        self.log += [f"free {generation.key}" for generation in self._generations if generation.cancelled]
        self._generations = [generation for generation in self._generations if generation.is_running]
        self.log.append(" ".join(["step", *(generation.key for generation in self._generations)]))
        budget = self.card.prefill_chunk
        for generation in self._generations:
            budget -= generation.advance(budget)
            self._prefixes.remember(generation.computed)
        self._stepped.set()
        self._stepped = anyio.Event()

    async def stepped(self) -> None:
        """Return after the next step."""
        await self._stepped.wait()

    def close(self) -> None:
        self.closed = True

    def _left_of(self, answer: str, prompt: str) -> str:
        """Return what is left of an answer that a prompt ends in the middle of."""
        written = (size for size in range(len(answer), 0, -1) if prompt.endswith(answer[:size]))
        return answer[next(written, 0) :]
